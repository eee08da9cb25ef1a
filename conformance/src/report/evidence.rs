//! The exchange that shows a violation, line by line.

use std::fmt;

use super::escape::escaped;
use crate::dialogue::{Act, End, Excess, Exchange};
use crate::record::FindingRecord;
use crate::record::index::RecordIndex;

/// How many lines of a message or of a reply are shown.
const SHOWN: usize = 8;
/// How many octets of a line are shown.
const WIDTH: usize = 160;

/// The exchange that shows a violation, in printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The connection and the exchange: `in noop, exchange 3`.
    pub(super) location: String,
    /// What was sent and what came.
    pub(super) lines: Vec<Line>,
}

/// A line of an exchange; printed, it has no line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Who said it.
    pub(super) speaker: Speaker,
    /// What was said, in printable characters.
    text: String,
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Nobody: the line says what happened.
    Nobody,
}

/// `C: NOOP`, `S: 250 Ok`, `# closed by the server`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.speaker {
            Speaker::Client => "C:",
            Speaker::Server => "S:",
            Speaker::Nobody => "#",
        };
        write!(f, "{mark} {}", self.text)
    }
}

impl Evidence {
    /// The exchange of a finding; without lines if the stream lacks it.
    pub(super) fn of(found: &FindingRecord, stream: &RecordIndex<'_>) -> Evidence {
        let connection =
            stream.dialogue(found.location).map_or("an unknown connection", |opening| &opening.name);
        let name = found.case.as_deref().unwrap_or(connection);
        Evidence {
            location: format!("in {}, exchange {}", escaped(name), found.location.exchange.saturating_add(1)),
            lines: stream.exchange(found.location).map(lines).unwrap_or_default(),
        }
    }
}

fn lines(exchange: &Exchange) -> Vec<Line> {
    let mut lines = match &exchange.act {
        Act::Connect => vec![remark("connected")],
        Act::Handshake => vec![remark("TLS")],
        Act::Wait => Vec::new(),
        act => act.parts().iter().flat_map(|part| said(Speaker::Client, part)).collect(),
    };
    lines
        .extend(exchange.answers.iter().take(SHOWN).flat_map(|answer| said(Speaker::Server, &answer.octets)));
    if let Some(more @ 1..) = exchange.received().checked_sub(SHOWN) {
        lines.push(remark(&format!("{more} replies more")));
    }
    if !exchange.excess.is_none() {
        let Excess { replies, octets } = exchange.excess;
        lines.push(remark(&format!("{replies} of the replies, {octets} octets, were counted but not kept")));
    }
    match exchange.end {
        End::Answered => {}
        End::TimedOut => lines.push(remark("no more came")),
        End::Closed => lines.push(remark("closed by the server")),
        End::Failed => lines.push(remark("the connection broke")),
        End::Overflow => lines.push(remark("the client hung up: the server sent too much")),
    }
    lines
}

fn remark(text: &str) -> Line {
    Line { speaker: Speaker::Nobody, text: text.to_owned() }
}

fn said(speaker: Speaker, octets: &[u8]) -> Vec<Line> {
    let line = |line: &[u8]| {
        let shown = line.strip_suffix(b"\r\n").unwrap_or(line);
        let cut = if shown.len() > WIDTH { format!("... ({} octets)", line.len()) } else { String::new() };
        Line { speaker, text: format!("{}{cut}", shown[..shown.len().min(WIDTH)].escape_ascii()) }
    };
    let all = || octets.split_inclusive(|octet| *octet == b'\n');
    let mut lines: Vec<Line> = all().take(SHOWN).map(line).collect();
    if let Some(more @ 1..) = all().count().checked_sub(SHOWN) {
        lines.push(Line { speaker, text: format!("... ({more} lines more)") });
    }
    lines
}
