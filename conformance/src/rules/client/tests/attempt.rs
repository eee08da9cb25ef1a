//! Attempts as transcripts, and rows of tables of them.

use crate::dialogue::{Act, Answer, Dialogue, End, Exchange};
use crate::protocol::Protocol;
use crate::readers::testing::{LIVE, spoken};
use crate::rules::catalogue::RuleId;
use crate::rules::client::{Envelope, Expected, Opinion, Reported, Sending, judge_client};

/// A server that offers PIPELINING, SIZE, CHUNKING and 8BITMIME greets a client.
pub(super) const OPEN: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-PIPELINING\nS: 250-SIZE 1000\n\
    S: 250-CHUNKING\nS: 250 8BITMIME";
/// A server without extensions greets a client.
pub(super) const BARE: &str = "S: 220 mx\nC: EHLO me\nS: 250 mx";
/// A server that offers CHUNKING alone greets a client.
pub(super) const CHUNKING: &str = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 CHUNKING";
pub(super) const MAIL: &str = "C: MAIL FROM:<amy@example.net>\nS: 250 Ok";
pub(super) const RCPT: &str = "C: RCPT TO:<r1@example.org>\nS: 250 Ok";
/// The message, without the reply to it.
pub(super) const DATA: &str = "C: DATA\nS: 354 Go on\nC: Subject: Hi\nC: \nC: Text\nC: .";
pub(super) const OK: &str = "S: 250 Ok";
pub(super) const QUIT: &str = "C: QUIT\nS: 221 Bye";
/// The message is sent from MAIL to QUIT, and accepted.
pub(super) const SENT: &str = "C: MAIL FROM:<amy@example.net>\nS: 250 Ok\nC: RCPT TO:<r1@example.org>\nS: 250 Ok\n\
    C: DATA\nS: 354 Go on\nC: Subject: Hi\nC: \nC: Text\nC: .\nS: 250 Ok\nC: QUIT\nS: 221 Bye";
/// Another connection begins.
pub(super) const AGAIN: &str = "#: connected";

/// An attempt of a client to send a message to one recipient, about which nothing is expected.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    dialogues: Vec<Dialogue>,
    reported: Reported,
    expected: Expected,
    is_reached: bool,
    envelope: Envelope,
    message: Vec<u8>,
    demands_tls: bool,
    needs_extension: bool,
}

impl Default for Attempt {
    fn default() -> Attempt {
        Attempt {
            dialogues: Vec::new(),
            reported: Reported::Ok,
            expected: Expected::default(),
            is_reached: true,
            envelope: Envelope {
                sender: "amy@example.net".to_owned(),
                recipients: vec!["r1@example.org".to_owned()],
                injected: None,
            },
            message: b"Subject: Hi\r\n\r\nText\r\n".to_vec(),
            demands_tls: false,
            needs_extension: false,
        }
    }
}

/// Returns an attempt that is reported as ok.
pub(super) fn smtp(pieces: &[&str]) -> Attempt {
    Attempt { dialogues: witnessed(Protocol::Smtp, pieces), ..Attempt::default() }
}

/// Returns an attempt with LMTP that is reported as ok.
pub(super) fn lmtp(pieces: &[&str]) -> Attempt {
    Attempt { dialogues: witnessed(Protocol::Lmtp, pieces), ..Attempt::default() }
}

/// Reads connections as the server sees them: it does not know that a client waits.
fn witnessed(protocol: Protocol, pieces: &[&str]) -> Vec<Dialogue> {
    let begun = pieces.first().is_some_and(|first| first.starts_with(AGAIN));
    let first = if begun { LIVE.to_owned() } else { format!("{LIVE}\n{AGAIN}") };
    let mut dialogues = spoken(protocol, &[&[first.as_str()], pieces].concat().join("\n"));
    for exchange in dialogues.iter_mut().flat_map(|dialogue| &mut dialogue.exchanges) {
        if exchange.end == End::TimedOut {
            exchange.end = End::Answered;
        }
    }
    dialogues
}

impl Attempt {
    pub(super) fn reports(mut self, reported: Reported) -> Attempt {
        self.reported = reported;
        self
    }

    /// Says what may be reported.
    pub(super) fn right(mut self, right: &[Reported]) -> Attempt {
        self.expected.right = right.to_vec();
        self
    }

    /// Says which rule other reports break.
    pub(super) fn breaks(mut self, id: &str) -> Attempt {
        self.expected.breaks = Some(rule(id));
        self
    }

    /// Says which rule a certain report breaks instead.
    pub(super) fn but(mut self, reported: Reported, id: &str) -> Attempt {
        self.expected.but.push((reported, rule(id)));
        self
    }

    /// Names a rule that is tested by what the client sends.
    pub(super) fn tests(mut self, id: &str) -> Attempt {
        self.expected.rules.push(rule(id));
        self
    }

    /// The server has not sent what the attempt is about.
    pub(super) fn unreached(mut self) -> Attempt {
        self.is_reached = false;
        self
    }

    pub(super) fn message(mut self, message: &str) -> Attempt {
        self.message = message.as_bytes().to_vec();
        self
    }

    pub(super) fn recipients(mut self, recipients: &[&str]) -> Attempt {
        self.envelope.recipients = recipients.iter().map(|&one| one.to_owned()).collect();
        self
    }

    /// An address hides the command NOOP with this argument.
    pub(super) fn injected(mut self, argument: &str) -> Attempt {
        self.envelope.injected = Some(argument.to_owned());
        self
    }

    pub(super) fn demands_tls(mut self) -> Attempt {
        (self.demands_tls, self.needs_extension) = (true, true);
        self
    }

    /// After 354, the connection ends within the message.
    pub(super) fn cut(mut self, part: &[u8]) -> Attempt {
        let last = self.dialogues.last_mut().expect("there is a connection");
        last.exchanges.push(Exchange::new(Act::Message(part.to_vec())));
        self
    }

    /// After 354, the server answers within the message, of which more has come.
    pub(super) fn answered_early(mut self, part: &[u8], reply: &str) -> Attempt {
        self = self.cut(part);
        let early = self.dialogues.last_mut().and_then(|last| last.exchanges.last_mut()).expect("it is cut");
        early.answers.push(Answer { octets: format!("{reply}\r\n").into_bytes(), millis: 0 });
        early.pipelined = true;
        self
    }

    /// The server has held back each reply for half a second.
    pub(super) fn slowly(mut self) -> Attempt {
        let exchanges = self.dialogues.iter_mut().flat_map(|dialogue| &mut dialogue.exchanges);
        exchanges.flat_map(|exchange| &mut exchange.answers).for_each(|answer| answer.millis = 500);
        self
    }

    pub(super) fn judged(&self) -> Opinion {
        judge_client(&Sending {
            dialogues: &self.dialogues,
            reported: self.reported,
            expected: &self.expected,
            is_reached: self.is_reached,
            envelope: &self.envelope,
            message: &self.message,
            demands_tls: self.demands_tls,
            needs_extension: self.needs_extension,
        })
    }
}

fn rule(id: &str) -> RuleId {
    RuleId::find(id).unwrap_or_else(|| panic!("there is no rule {id}"))
}

/// An attempt, and what a rule says of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) rule: &'static str,
    pub(super) says: Says,
    attempt: Attempt,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// These are all findings, as `rule level` or `rule/condition level`, separated by commas.
    Broken(&'static str),
    /// The rule applied, and there are no findings of any rule.
    Kept,
    /// The rule did not apply, and there are no findings of any rule.
    Nothing,
}

pub(super) fn broken(rule: &'static str, findings: &'static str, attempt: Attempt) -> Row {
    Row { rule, says: Says::Broken(findings), attempt }
}

pub(super) fn kept(rule: &'static str, attempt: Attempt) -> Row {
    Row { rule, says: Says::Kept, attempt }
}

pub(super) fn nothing(rule: &'static str, attempt: Attempt) -> Row {
    Row { rule, says: Says::Nothing, attempt }
}

impl Row {
    /// Returns what is wrong with the judgement.
    pub(super) fn failure(&self) -> Option<String> {
        let opinion = self.attempt.judged();
        let shown = opinion.findings.iter().map(|finding| {
            let condition = finding.condition.map(|condition| format!("/{condition}")).unwrap_or_default();
            format!("{}{condition} {}", finding.rule, finding.level)
        });
        let found = shown.collect::<Vec<_>>().join(", ");
        let is_judged = opinion.judged.contains(&rule(self.rule));
        let is_right = match self.says {
            Says::Broken(expected) => found == expected && expected.contains(self.rule),
            Says::Kept => found.is_empty() && is_judged,
            Says::Nothing => found.is_empty() && !is_judged,
        };
        let Row { rule, says, attempt } = self;
        (!is_right).then(|| {
            let details: Vec<&str> = opinion.findings.iter().map(|finding| &*finding.detail).collect();
            format!(
                "{rule} is judged: {is_judged}, found: {found} {details:?}, expected: {says:?}\n{attempt:?}"
            )
        })
    }
}
