//! The page that says what was measured.

use askama::Template;

use super::{Accuracy, Measured, Tally, Way};
use crate::render::escape::{Escaped, Markdown, MarkdownText, Word};

type Text = Escaped<MarkdownText>;
type Number = Escaped<Word<Markdown>>;

#[derive(Template)]
#[template(path = "docs/accuracy.md")]
pub(super) struct Page {
    replies: Number,
    vendors: Number,
    entries: Number,
    supported: [Number; 2],
    version: Text,
    ways: Vec<WayRow>,
    rows: Vec<VendorRow>,
    total: VendorRow,
}

/// All replies, answered in one way.
struct WayRow {
    name: Text,
    cells: Cells,
    percent: Number,
    removed: Number,
}

/// The replies of a vendor.
struct VendorRow {
    name: Text,
    replies: Number,
    with_host: Cells,
    without_host: Cells,
    peer: Cells,
}

struct Cells {
    right: Number,
    open: Number,
    wrong: Number,
}

impl Page {
    pub(super) fn new(accuracy: &Accuracy) -> Page {
        let total = accuracy.total();
        Page {
            replies: Number::new(total.replies),
            vendors: Number::new(accuracy.vendors.len()),
            entries: Number::new(accuracy.entries),
            supported: accuracy.supported.map(Number::new),
            version: Text::new(&accuracy.version),
            ways: Way::ALL.iter().zip(total.tallies).map(|(way, tally)| WayRow::new(*way, tally)).collect(),
            rows: accuracy.vendors.iter().map(VendorRow::new).collect(),
            total: VendorRow::new(&total),
        }
    }
}

impl WayRow {
    fn new(way: Way, tally: Tally) -> WayRow {
        let name = match way {
            Way::OtherHalf => "Entries from the other half, the host is known",
            Way::OtherHalfWithoutHost => "Entries from the other half, the host is not known",
            Way::All => "All entries, the host is known",
            Way::AllWithoutHost => "All entries, the host is not known",
            Way::NoEntries => "No entries of vendors: codes and words only",
            Way::Peer => "KumoMTA's rules",
        };
        let all = tally.right + tally.open + tally.wrong;
        WayRow {
            name: Text::new(name),
            cells: Cells::new(tally),
            // Rounded down, so that 100 means all.
            percent: Number::new(100 * tally.right / all.max(1)),
            removed: Number::new(tally.removed),
        }
    }
}

impl VendorRow {
    fn new(measured: &Measured) -> VendorRow {
        let cells = |way: Way| Cells::new(measured.tallies[way as usize]);
        VendorRow {
            name: Text::new(&measured.name),
            replies: Number::new(measured.replies),
            with_host: cells(Way::OtherHalf),
            without_host: cells(Way::OtherHalfWithoutHost),
            peer: cells(Way::Peer),
        }
    }
}

impl Cells {
    fn new(tally: Tally) -> Cells {
        let [right, open, wrong] = [tally.right, tally.open, tally.wrong].map(Number::new);
        Cells { right, open, wrong }
    }
}
