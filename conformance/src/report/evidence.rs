//! Exchanges as lines of text, to show a violation or a conversation.

use std::fmt;

use super::escape::escaped;
use crate::counted::counted;
use crate::dialogue::arrival::Arrived;
use crate::dialogue::octets::{shown, shown_line};
use crate::dialogue::{Act, End, Excess, Exchange};
use crate::record::FindingRecord;
use crate::record::index::RecordIndex;
use crate::rules::finding::Location;

/// How much of an exchange is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The maximum number of lines of a message or a reply, and of replies.
    lines: usize,
    /// The maximum number of octets per line.
    octets: usize,
}

impl Cut {
    /// Shows enough to see what is wrong.
    const EVIDENCE: Cut = Cut { lines: 8, octets: 160 };
    /// Shows nearly everything.
    pub(super) const CONVERSATION: Cut = Cut { lines: 100, octets: 1000 };
}

/// The exchanges that show a violation, in printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The place in a recording, or else the case or the connection, and the number of the exchange from 1:
    /// `session.txt:12, exchange 3`, `in noop, exchange 3`.
    pub(super) location: String,
    /// The act and the replies.
    pub(super) lines: Vec<Line>,
}

/// A line of an exchange, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The speaker.
    pub(super) speaker: Speaker,
    /// The text, in printable characters.
    pub(super) text: String,
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The client.
    Client,
    /// The server.
    Server,
    /// The message that arrived.
    Message,
    /// Nobody: the line says what happened.
    Nobody,
}

/// Formats a line as `C: NOOP`, `S: 250 Ok`, `A: Received: ...` or `# closed by the server`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.speaker {
            Speaker::Client => "C:",
            Speaker::Server => "S:",
            Speaker::Message => "A:",
            Speaker::Nobody => "#",
        };
        write!(f, "{mark} {}", self.text)
    }
}

impl Evidence {
    /// Returns the exchange of a finding and the one that shows it, without lines if the records lack it.
    pub(super) fn of(found: &FindingRecord, index: &RecordIndex<'_>) -> Evidence {
        let connection =
            index.dialogue(found.location).map_or("an unknown connection", |opening| &opening.name);
        let place = match &found.place {
            Some(place) => place.to_string(),
            None => format!("in {}", found.case.as_deref().unwrap_or(connection)),
        };
        let exchange = found.location.exchange.saturating_add(1);
        // What belongs to an exchange may have come in a later one.
        let shown = found.shown.map(|exchange| Location { exchange, reply: None, ..found.location });
        let exchanges = [Some(found.location), shown].into_iter().flatten();
        let lines = exchanges
            .filter_map(|location| index.exchange(location))
            .flat_map(|exchange| lines(exchange, Cut::EVIDENCE))
            .collect();
        Evidence { location: format!("{}, exchange {exchange}", escaped(&place)), lines }
    }
}

/// Returns the lines of an exchange: the act, the replies, and remarks about what happened.
pub(super) fn lines(exchange: &Exchange, cut: Cut) -> Vec<Line> {
    let mut lines = match &exchange.act {
        Act::Connect => vec![remark("connected")],
        Act::Handshake => vec![remark("TLS")],
        Act::Wait => Vec::new(),
        act => act.parts().iter().flat_map(|part| said(Speaker::Client, part, cut)).collect(),
    };
    if !exchange.ahead.is_empty() {
        let octets = counted(exchange.ahead.len(), "octet");
        lines.push(remark(&format!(
            "sent with the first {octets} of the next act: {}",
            shown(&exchange.ahead)
        )));
    }
    let answers = exchange.answers.iter().take(cut.lines);
    lines.extend(answers.flat_map(|answer| said(Speaker::Server, &answer.octets, cut)));
    if let Some(more @ 1..) = exchange.received().checked_sub(cut.lines) {
        lines.push(remark(&format!("{} more", counted(more, "reply"))));
    }
    if !exchange.excess.is_none() {
        let Excess { replies, octets } = exchange.excess;
        let (replies, octets) = (counted(replies, "reply"), counted(octets, "octet"));
        lines.push(remark(&format!("{replies}, {octets}, counted but not kept")));
    }
    match exchange.end {
        End::Answered => {}
        End::TimedOut => lines.push(remark("no more came")),
        End::Closed => lines.push(remark("closed by the server")),
        End::Failed => lines.push(remark("the connection broke")),
        End::Overflow => lines.push(remark("the client hung up: the server sent too much")),
    }
    if let Some(arrived) = &exchange.arrived {
        lines.extend(came(arrived, cut));
    }
    lines
}

/// Returns the lines of the copies of a message that arrived.
fn came(arrived: &Arrived, cut: Cut) -> Vec<Line> {
    let by = arrived.by.name();
    if arrived.copies.is_empty() {
        return vec![remark(&format!("nothing arrived by {by}"))];
    }
    let mut lines = Vec::new();
    for copy in arrived.copies.iter().take(cut.lines) {
        let path = |path: &String| format!(" <{}>", escaped(path));
        let sender = copy.sender.as_ref().map(|sender| format!(" from{}", path(sender))).unwrap_or_default();
        let recipients: String = copy.recipients.iter().take(cut.lines).map(path).collect();
        let recipients = if recipients.is_empty() { recipients } else { format!(" for{recipients}") };
        lines.push(remark(&format!("arrived by {by}{sender}{recipients}")));
        lines.extend(said(Speaker::Message, &copy.octets, cut));
    }
    if let Some(more @ 1..) = arrived.copies.len().checked_sub(cut.lines) {
        lines.push(remark(&counted(more, "more copy")));
    }
    lines
}

fn remark(text: &str) -> Line {
    Line { speaker: Speaker::Nobody, text: text.to_owned() }
}

fn said(speaker: Speaker, octets: &[u8], cut: Cut) -> Vec<Line> {
    let line = |line: &[u8]| {
        let length = line.strip_suffix(b"\r\n").unwrap_or(line).len();
        let text = if length > cut.octets {
            format!("{}... ({} octets)", shown(&line[..cut.octets]), line.len())
        } else {
            shown_line(line)
        };
        Line { speaker, text }
    };
    let all = || octets.split_inclusive(|octet| *octet == b'\n');
    let mut lines: Vec<Line> = all().take(cut.lines).map(line).collect();
    if let Some(more @ 1..) = all().count().checked_sub(cut.lines) {
        lines.push(Line { speaker, text: format!("... ({} more)", counted(more, "line")) });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Cut, lines};
    use crate::readers::testing::dialogue;

    #[test]
    fn octets_sent_ahead_are_shown() {
        let spoken = dialogue("S: 220 mx\nC: RSET\nC: NO\\+\nS: 250 Ok\nC: OP\nS: 250 Ok");
        let shown = |exchange: usize| {
            let lines = lines(&spoken.exchanges[exchange], Cut::EVIDENCE);
            lines.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(1), ["C: RSET", "# sent with the first 2 octets of the next act: NO", "S: 250 Ok"]);
        assert_eq!(shown(2), ["C: NOOP", "S: 250 Ok"]);
    }
}
