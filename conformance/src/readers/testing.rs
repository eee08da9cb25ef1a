//! Dialogues of tests, written as [transcripts](super::transcript), and tables of them.
//!
//! A row of a table is a transcript in pieces of one or more lines, and the findings that are expected:
//!
//! ```text
//! (&[EHLO, "C: RSET", "S: 503 5.5.1 No"], "rset-answered-250 error"),
//! ```
//!
//! As in [`judge_transcript`](crate::judge_transcript), `#: connected` may be left out.

use crate::dialogue::{Act, Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::protocol::reply::Reply;
use crate::rules::catalogue::Rule;
use crate::rules::finding::{Finding, Location};
use crate::rules::{Strictness, judge};

/// The remark that makes a transcript be read as if the suite's client had recorded it. Replies that no act asked for
/// then belong to the act before them, and no reply to a pipelined group is sure if one is missing. A transcript has no
/// other way to express this.
pub(crate) const LIVE: &str = "#: as a client saw it";

/// Reads the connection of a transcript, to a server that speaks SMTP.
pub(crate) fn dialogue(text: &str) -> Dialogue {
    let [dialogue] = <[Dialogue; 1]>::try_from(dialogues(text)).expect("there is one connection");
    dialogue
}

/// Reads the connections of a transcript, to a server that speaks SMTP.
pub(crate) fn dialogues(text: &str) -> Vec<Dialogue> {
    spoken(Protocol::Smtp, text)
}

/// Reads the connections of a transcript.
pub(crate) fn spoken(protocol: Protocol, text: &str) -> Vec<Dialogue> {
    let mut dialogues = super::dialogues(protocol, text)
        .unwrap_or_else(|error| panic!("{error:#}, in this transcript:\n{text}"));
    if text.lines().any(|line| line == LIVE) {
        dialogues.iter_mut().for_each(join_replies);
        dialogues.iter_mut().for_each(doubt_groups);
    }
    dialogues
}

/// Gives replies that no act asked for to the act before them.
fn join_replies(dialogue: &mut Dialogue) {
    let mut joined: Vec<Exchange> = Vec::new();
    for exchange in dialogue.exchanges.drain(..) {
        match joined.last_mut() {
            Some(before) if exchange.act == Act::Wait => {
                before.answers.extend(exchange.answers);
                before.end = exchange.end;
            }
            _ => joined.push(exchange),
        }
    }
    dialogue.exchanges = joined;
}

/// Marks all replies to a pipelined group as not sure if one is missing.
fn doubt_groups(dialogue: &mut Dialogue) {
    for group in dialogue.exchanges.chunk_by_mut(|one, _| one.pipelined) {
        if group.len() > 1 && group.iter().any(|exchange| exchange.answers.is_empty()) {
            for exchange in group {
                exchange.sure = false;
            }
        }
    }
}

/// The pieces of a transcript, and the expected findings as [`Table::found_in`] writes them.
pub(crate) type Row<'a> = (&'a [&'a str], &'a str);

/// What the rows of a table have in common.
#[derive(Clone)]
pub(crate) struct Table<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) knowledge: Knowledge,
    /// The pieces that come before those of each row.
    pub(crate) before: &'a [&'a str],
    /// The rules that the table is about.
    pub(crate) rules: fn(&Rule) -> bool,
    /// The findings that the table is about.
    pub(crate) place: Place,
}

/// Where findings are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the last exchange. A refusal is judged again with its text on two lines.
    Last,
    /// In all exchanges. Each finding then names its place: `at 2` is the third exchange. With several connections,
    /// `at 0:2` is the third exchange of the first one.
    Anywhere,
}

impl Table<'_> {
    /// Checks the findings of each row. If a row fails, the message shows a transcript that `smtp-conformance judge`
    /// accepts, with remarks about the actual and the expected findings.
    #[track_caller]
    pub(crate) fn check(&self, rows: &[Row<'_>]) {
        let mut failures = Vec::new();
        for (pieces, expected) in rows {
            let text = [self.before, pieces].concat().join("\n");
            let parted = if self.place == Place::Last { parted(&text) } else { Vec::new() };
            failures.extend([text].iter().chain(&parted).filter_map(|text| self.failure(text, expected)));
        }
        let protocol = format!("{:?}", self.protocol).to_lowercase();
        assert!(
            failures.is_empty(),
            "paste this into `smtp-conformance judge --protocol {protocol} -`:\n{}",
            failures.join("\n")
        );
    }

    fn failure(&self, text: &str, expected: &str) -> Option<String> {
        let found = self.found_in(&spoken(self.protocol, text));
        if found == expected {
            return None;
        }
        let beginning = if text.contains("#: connected") { "" } else { "#: connected\n" };
        let or_nothing = |findings: &str| if findings.is_empty() { "nothing" } else { findings }.to_owned();
        let (found, expected) = (or_nothing(&found), or_nothing(expected));
        Some(format!("{beginning}{text}\n#: found {found}\n#: expected {expected}"))
    }

    /// Returns the findings in dialogues as `rule level` or `rule/condition level`, separated by commas.
    pub(crate) fn found_in(&self, dialogues: &[Dialogue]) -> String {
        let judgement = judge(dialogues, &self.knowledge, Strictness::default());
        let last = dialogues.last().map_or(0, |dialogue| dialogue.exchanges.len().saturating_sub(1));
        let is_last =
            |location: Location| (location.dialogue + 1, location.exchange) == (dialogues.len(), last);
        let is_ours = |finding: &&Finding| {
            (self.rules)(finding.rule.rule()) && (self.place == Place::Anywhere || is_last(finding.location))
        };
        let shown = |finding: &Finding| {
            let Location { dialogue, exchange, .. } = finding.location;
            let condition = finding.condition.map(|condition| format!("/{condition}")).unwrap_or_default();
            let place = match self.place {
                Place::Last => String::new(),
                Place::Anywhere if dialogues.len() == 1 => format!(" at {exchange}"),
                Place::Anywhere => format!(" at {dialogue}:{exchange}"),
            };
            format!("{}{condition} {}{place}", finding.rule, finding.level)
        };
        judgement.findings.iter().filter(is_ours).map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// Returns variants of a transcript that ends with a refusal of one line. In each, that reply has two lines, broken at
/// one of the spaces in its text. The meaning of a reply does not depend on its line breaks (RFC 5321 §4.2.1).
///
/// For other transcripts, there are no variants.
fn parted(transcript: &str) -> Vec<String> {
    let mut parted = Vec::new();
    let (before, last) = match transcript.rsplit_once('\n') {
        Some((before, last)) => (format!("{before}\n"), last),
        None => (String::new(), transcript),
    };
    let is_alone = !before.lines().next_back().is_some_and(|line| line.starts_with("S: "));
    if !is_alone {
        return parted;
    }
    let Some(reply) = last.strip_prefix("S: ") else { return parted };
    let Some((code, text)) = reply.split_at_checked(4) else { return parted };
    if !code.starts_with(['4', '5']) || !code.ends_with(' ') {
        return parted;
    }
    let enhanced = match Reply::read(format!("{reply}\r\n").as_bytes()).enhanced() {
        Some(enhanced) => format!("{enhanced} "),
        None => String::new(),
    };
    let Some(text) = text.strip_prefix(&enhanced) else { return parted };
    for (place, _) in text.match_indices(' ') {
        let (first, second) = (&text[..place], &text[place + 1..]);
        if !first.is_empty() && !second.is_empty() {
            let code = &code[..3];
            parted.push(format!("{before}S: {code}-{enhanced}{first}\nS: {code} {enhanced}{second}"));
        }
    }
    parted
}

#[test]
fn a_refusal_is_broken_at_each_space() {
    let texts = parted("S: 220 mx\nC: FOO\nS: 500 5.5.2 What is that?");
    let replies = ["S: 500-5.5.2 What\nS: 500 5.5.2 is that?", "S: 500-5.5.2 What is\nS: 500 5.5.2 that?"];
    assert_eq!(texts, replies.map(|reply| format!("S: 220 mx\nC: FOO\n{reply}")));
    for whole in
        ["C: NOOP\nS: 250 2.0.0 All is well", "C: FOO\nS: 500-No, it\nS: 500 is not", "S: 500", "C: FOO"]
    {
        assert_eq!(parted(whole), [""; 0], "{whole}");
    }
}
