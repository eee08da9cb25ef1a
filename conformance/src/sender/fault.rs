//! Faults: what the client can be told to do wrong, and the rules that each fault breaks.

use std::sync::LazyLock;

use anyhow::{Result, anyhow, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use super::outcome::Meaning;
use crate::data_file::{self, did_you_mean, line_of};

const NAME: &str = "faults.toml";
const TEXT: &str = include_str!("faults.toml");

static FAULTS: LazyLock<Result<Vec<Fault>, String>> =
    LazyLock::new(|| read(NAME, TEXT).map_err(|error| format!("{error:#}")));

/// Something that the client does wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// An immutable slug.
    pub name: String,
    /// What the client does, as a clause.
    pub about: String,
    /// The ids of all rules that it breaks, in at least one session.
    pub trips: Vec<String>,
    effect: Effect,
}

#[derive(Debug, PartialEq, Eq)]
enum Effect {
    /// The client does something, perhaps with a limit.
    Behaves(Behaviour, usize),
    /// The client takes an event for something else.
    Takes(Event, Meaning),
}

/// Returns the built-in faults.
///
/// # Errors
///
/// If `faults.toml` is not well-formed, with its name and the line. A test ensures that it is.
pub fn faults() -> Result<&'static [Fault]> {
    FAULTS.as_deref().map_err(|error| anyhow!("{error}"))
}

impl Fault {
    /// Reads faults in the form of `faults.toml`. The name of the file is for errors.
    ///
    /// # Errors
    ///
    /// If the text does not follow the form, with the name and the line.
    ///
    /// ```
    /// use smtp_conformance::sender::Fault;
    ///
    /// let text = "[[fault]]\nname = 'rude'\nabout = 'closes without QUIT'\n\
    ///             trips = ['client-quits']\nbehaviour = 'no-quit'\n";
    /// assert_eq!(Fault::read("own.toml", text)?[0].name, "rude");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn read(name: &str, text: &str) -> Result<Vec<Fault>> {
        read(name, text)
    }

    /// Returns the fault with a name.
    ///
    /// # Errors
    ///
    /// If no fault has the name, with a similar name.
    pub fn find(name: &str) -> Result<&'static Fault> {
        let faults = faults()?;
        let found = faults.iter().find(|fault| fault.name == name);
        let names = || faults.iter().map(|fault| fault.name.as_str());
        found.ok_or_else(|| anyhow!("there is no fault {name:?}{}", did_you_mean(name, names())))
    }
}

/// The faults that a client has.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<&'static Fault>);

impl Faults {
    pub(super) fn new(faults: &[&'static Fault]) -> Faults {
        Faults(faults.to_vec())
    }

    /// Returns whether the client behaves in a way.
    pub(super) fn has(&self, behaviour: Behaviour) -> bool {
        self.limit(behaviour).is_some()
    }

    /// Returns the limit that belongs to a behaviour. `None` if the client does not have the behaviour.
    pub(super) fn limit(&self, behaviour: Behaviour) -> Option<usize> {
        self.0.iter().find_map(|fault| match fault.effect {
            Effect::Behaves(own, count) if own == behaviour => Some(count),
            _ => None,
        })
    }

    /// Returns what the client takes an event for. `None` if it takes it for what it is.
    pub(super) fn takes(&self, event: Event) -> Option<Meaning> {
        self.0.iter().find_map(|fault| match fault.effect {
            Effect::Takes(own, meaning) if own == event => Some(meaning),
            _ => None,
        })
    }
}

/// Something that has a meaning, which the client can get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Event {
    /// A reply with 2yz that is neither 220, 221, 235, 250, 251 nor 354.
    RareSuccess,
    /// A reply with 3yz where none belongs.
    Intermediate,
    /// A reply whose first digit is not 2 to 5.
    OtherDigit,
    /// A reply with 4yz.
    Temporary,
    /// A reply with 5yz.
    Permanent,
    /// 4yz to AUTH.
    TemporaryLogin,
    /// 5yz to AUTH.
    PermanentLogin,
    /// 452 to RCPT.
    RecipientLimit,
    /// 552 to RCPT that says that there are too many recipients.
    OldRecipientLimit,
    /// The server closes the connection, or is silent.
    LostConnection,
    /// In LMTP, the server closes before the reply for a recipient.
    MissingReply,
    /// Only some recipients are accepted.
    PartialAcceptance,
}

/// What the client does otherwise than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Behaviour {
    // When it reads replies.
    /// Takes a reply without text for malformed.
    NeedsText,
    /// Takes the first line of a reply for all of it, except after EHLO.
    ReadsOneLine,
    /// Takes the end of a packet for the end of a reply.
    PacketIsReply,
    /// Gives up at a line of more than `count` octets.
    LimitsLine,
    /// Gives up at a reply of more than `count` lines.
    LimitsLines,
    /// Decides by the class of the enhanced status code.
    EnhancedCodeDecides,
    /// Takes the first reply that is not 2yz for the reply to DATA.
    SeeksDataReply,
    /// Waits without a time limit.
    NoTimeLimit,

    // At the start of a session.
    /// Sends EHLO before the greeting.
    SpeaksFirst,
    /// Goes on after a greeting that refuses.
    IgnoresGreeting,
    /// Does not try HELO.
    NoHelo,
    /// Goes on after a refused EHLO.
    IgnoresRefusedHello,

    // With TLS and AUTH.
    /// Goes on in clear if the server refuses or does not offer STARTTLS.
    ContinuesInClear,
    /// Sends EHLO and STARTTLS again after a refusal, without end.
    RepeatsStarttls,
    /// Keeps what came in clear after the reply to STARTTLS.
    KeepsClearText,
    /// Does not send EHLO under TLS.
    NoHelloUnderTls,
    /// Sends AUTH before STARTTLS.
    LogsInBeforeTls,
    /// Sends AUTH again after each failure, without end.
    RepeatsLogin,

    // In a transaction.
    /// Does not check addresses for control characters.
    UncheckedAddresses,
    /// Sends SIZE, offered or not.
    SendsSizeAlways,
    /// Sends BODY, offered or not.
    SendsBodyAlways,
    /// Sends a message with 8-bit octets even if 8BITMIME is not offered.
    SendsEightBit,
    /// Sends addresses that are not ASCII even if SMTPUTF8 is not offered.
    SendsUtf8,
    /// Pipelines even if PIPELINING is not offered.
    PipelinesAlways,
    /// Sends the message together with DATA.
    PipelinesMessage,
    /// Gives up the transaction if a recipient is one too many.
    StopsAtRecipientLimit,
    /// Sends the message after 2yz to DATA.
    SendsDataAfterSuccess,
    /// Sends the message after 4yz and 5yz to DATA.
    SendsDataAfterRefusal,
    /// Sends the message after 354 although no recipient was accepted.
    SendsDataToNobody,
    /// Sends lines that begin with a dot as they are.
    KeepsDots,
    /// Ends the lines of the message with LF alone.
    EndsLinesWithLf,
    /// Sends line ends as they are in the input.
    KeepsLineEnds,
    /// Reports success, whatever the reply to the message is.
    IgnoresFinalReply,
    /// In LMTP, takes the first reply to the message for all recipients.
    ReadsOneLmtpReply,
    /// Sends the last chunk after a chunk that the server refused.
    SendsAfterRefusedChunk,

    // At the end.
    /// Closes without QUIT.
    NoQuit,
    /// Reports a failure unless QUIT is answered 221.
    NeedsQuitReply,
}

impl Behaviour {
    fn needs_count(self) -> bool {
        matches!(self, Behaviour::LimitsLine | Behaviour::LimitsLines)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    about: String,
    trips: Vec<String>,
    behaviour: Option<Behaviour>,
    count: Option<usize>,
    takes: Option<Event>,
    #[serde(rename = "for")]
    meaning: Option<Meaning>,
}

fn read(name: &str, text: &str) -> Result<Vec<Fault>> {
    let file: File = data_file::parse(name, text)?;
    let mut faults: Vec<Fault> = Vec::with_capacity(file.fault.len());
    for raw in file.fault {
        let line = line_of(text.as_bytes(), raw.name.span().start);
        let fault = raw.fault().map_err(|error| anyhow!("{name}:{line}: {error:#}"))?;
        if faults.iter().any(|other| other.name == fault.name) {
            bail!(
                "{name}:{line}: another fault has the name {:?} already: choose a different name",
                fault.name
            );
        }
        faults.push(fault);
    }
    Ok(faults)
}

impl Raw {
    fn fault(self) -> Result<Fault> {
        let name = self.name.into_inner();
        ensure!(
            !name.is_empty() && name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "name {name:?}: use only lower case letters, digits and hyphens"
        );
        ensure!(!self.trips.is_empty(), "the fault {name:?} breaks no rule: write trips = [\"client-...\"]");
        let effect = match (self.behaviour, self.takes, self.meaning) {
            (Some(behaviour), None, None) => {
                ensure!(
                    behaviour.needs_count() == self.count.is_some(),
                    "the fault {name:?}: {}",
                    if self.count.is_some() {
                        "its behaviour has no limit: leave out count"
                    } else {
                        "its behaviour needs a limit: write count = 10"
                    }
                );
                Effect::Behaves(behaviour, self.count.unwrap_or_default())
            }
            (None, Some(event), Some(meaning)) => {
                ensure!(
                    self.count.is_none(),
                    "the fault {name:?}: count belongs to a behaviour: leave it out"
                );
                Effect::Takes(event, meaning)
            }
            _ => bail!(
                "the fault {name:?}: write either behaviour = \"...\", or takes = \"...\" and for = \"...\""
            ),
        };
        Ok(Fault { name, about: self.about, trips: self.trips, effect })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Fault, faults, read};

    /// The rules about clients that a session can break.
    const RULES: [&str; 36] = [
        "client-decides-by-reply-code",
        "client-accepts-bare-code",
        "client-fatal-first-digit",
        "client-552-recipient-limit",
        "client-lost-connection",
        "client-sends-data-after-354",
        "client-counts-replies",
        "client-auth-failure-action",
        "client-lmtp-missing-replies",
        "client-stops-after-failed-bdat",
        "client-accepts-long-reply",
        "client-accepts-split-reply",
        "client-intermediate-is-not-success",
        "client-452-recipients-resent",
        "client-success-needs-acceptance",
        "client-quit-does-not-matter",
        "client-heeds-refused-greeting",
        "client-hello-fallback",
        "client-heeds-refused-hello",
        "client-auth-ends",
        "client-lmtp-per-recipient",
        "client-tls-required",
        "client-discards-clear-text",
        "client-asks-capabilities-again",
        "client-no-password-in-clear",
        "client-unoffered-parameter",
        "client-8bit-needs-8bitmime",
        "client-utf8-needs-smtputf8",
        "client-dot-transparency",
        "client-lines-end-crlf",
        "client-address-injection",
        "client-quits",
        "client-terminates",
        "client-partial-acceptance",
        "client-temporary-is-not-permanent",
        "client-waits-for-replies",
    ];

    #[test]
    fn each_rule_has_a_fault_and_each_fault_a_rule() {
        let faults = faults().expect("faults.toml is well-formed");
        let tripped: BTreeSet<&str> =
            faults.iter().flat_map(|fault| &fault.trips).map(String::as_str).collect();
        assert_eq!(tripped, BTreeSet::from(RULES));
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| format!("{:#}", read("x.toml", text).expect_err("it is refused"));
        let start = "[[fault]]\nname = \"a\"\nabout = \"b\"\ntrips = [\"client-quits\"]\n";
        let choice = "x.toml:2: the fault \"a\": write either behaviour = \"...\", or takes = \"...\" and for = \"...\"";
        assert_eq!(error(start), choice);
        assert_eq!(error(&format!("{start}takes = \"permanent\"\n")), choice);
        assert_eq!(
            error(&format!("{start}behaviour = \"limits-line\"\n")),
            "x.toml:2: the fault \"a\": its behaviour needs a limit: write count = 10"
        );
        assert_eq!(
            error(&format!("{start}behaviour = \"no-quit\"\ncount = 1\n")),
            "x.toml:2: the fault \"a\": its behaviour has no limit: leave out count"
        );
        let none = start.replace("\"client-quits\"", "");
        assert_eq!(
            error(&format!("{none}behaviour = \"no-quit\"\n")),
            "x.toml:2: the fault \"a\" breaks no rule: write trips = [\"client-...\"]"
        );
        assert!(error(&format!("{start}behaviour = \"no-such\"\n")).starts_with("x.toml:5: unknown variant"));
        let whole = format!("{start}behaviour = \"no-quit\"\n");
        assert_eq!(
            error(&format!("{whole}{whole}")),
            "x.toml:7: another fault has the name \"a\" already: choose a different name"
        );
    }

    #[test]
    fn an_unknown_name_gets_a_similar_one() {
        let error = |name: &str| format!("{:#}", Fault::find(name).expect_err("there is no such fault"));
        assert_eq!(error("zzz"), "there is no fault \"zzz\"");
        assert_eq!(error("no-quitt"), "there is no fault \"no-quitt\" (did you mean no-quit?)");
    }
}
