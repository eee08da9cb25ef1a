//! Reports of what was linted, a file for each format.

pub mod console;
pub mod csv;
pub mod jsonl;
pub mod markdown;
pub mod prometheus;
pub mod sarif;

use super::key::Basis;
use super::summary::Summary;
use crate::counted::counted;

/// What a report shows.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many rows of each table.
    pub top: usize,
}

/// Returns what was read, as sentences.
fn read(summary: &Summary) -> Vec<String> {
    let totals = &summary.totals;
    let replies = &totals.replies;
    let count = |number: u64, noun: &str| counted(usize::try_from(number).unwrap_or(usize::MAX), noun);
    let mut what = format!(
        "{}, {}, {}",
        count(totals.files, "file"),
        octets(totals.octets),
        count(totals.lines, "line")
    );
    for (number, noun) in [(totals.reports, "message"), (totals.connections, "connection")] {
        if number > 0 {
            what = format!("{what}, {}", count(number, noun));
        }
    }
    let mut sentences = vec![
        format!("Read {what}."),
        format!(
            "{}: {} accepted, {}, {}.",
            count(replies.replies, "reply"),
            replies.accepted,
            count(replies.transient, "temporary refusal"),
            count(replies.permanent, "permanent refusal")
        ),
    ];
    let is_source = summary.rows.iter().all(|(key, _)| key.basis == Basis::OwnCodes);
    // In source code, only replies with both codes are found.
    if replies.refused() > 0 && !is_source {
        sentences.push(format!(
            "{} of the refusals ({}) have no enhanced status code.",
            replies.without_enhanced,
            share(replies.without_enhanced, replies.refused())
        ));
    }
    if totals.repeats > 0 {
        sentences.push(format!("{} more show a reply again, and are not counted.", totals.repeats));
    }
    if totals.other_status > 0 {
        sentences.push(format!(
            "{} in which the program that wrote it noted another status (such as dsn=) than the server's code.",
            count(totals.other_status, "line")
        ));
    }
    if totals.binary_files > 0 {
        sentences.push(format!("{} skipped, which are no text.", count(totals.binary_files, "file")));
    }
    if !summary.is_whole {
        sentences.push("Not all of the input was read.".to_owned());
    }
    sentences
}

/// Returns a number of octets for people: `1.2 GB`.
pub(crate) fn octets(octets: u64) -> String {
    const UNITS: [&str; 5] = ["octets", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    // It is shown with two or three digits.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut number = octets as f64;
    while number >= 999.5 && unit + 1 < UNITS.len() {
        number /= 1000.0;
        unit += 1;
    }
    if unit == 0 || number >= 99.95 {
        format!("{number:.0} {}", UNITS[unit])
    } else {
        format!("{number:.1} {}", UNITS[unit])
    }
}

/// Returns a share of a whole: `12%`, or `less than 1%`.
fn share(part: u64, whole: u64) -> String {
    match (part * 100 + whole / 2).checked_div(whole) {
        Some(0) if part > 0 => "less than 1%".to_owned(),
        percent => format!("{}%", percent.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::{octets, share};

    #[test]
    fn numbers_are_short() {
        assert_eq!(octets(0), "0 octets");
        assert_eq!(octets(999), "999 octets");
        assert_eq!(octets(1234), "1.2 kB");
        assert_eq!(octets(97_000), "97.0 kB");
        assert_eq!(octets(999_999), "1.0 MB");
        assert_eq!(octets(123_456_789_012), "123 GB");
        assert_eq!(share(1, 8), "13%");
        assert_eq!(share(98, 707), "14%");
        assert_eq!(share(1, 1000), "less than 1%");
        assert_eq!(share(0, 0), "0%");
    }
}
