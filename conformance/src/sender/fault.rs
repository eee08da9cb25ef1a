//! Faults: what the client can be told to do wrong, and the rules that each fault breaks.

use std::sync::LazyLock;

use anyhow::{Result, anyhow, bail, ensure};
use serde::Deserialize;
use toml::Spanned;

use super::outcome::Meaning;
use crate::data_file::{self, did_you_mean, line_of};
use crate::rules::catalogue::{Kind, RuleId};

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
    /// All rules that it breaks, in at least one session.
    pub trips: Vec<RuleId>,
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
    /// 452 to RCPT. The client takes it for the end of the transaction.
    RecipientLimit,
    /// 552 to RCPT that says that there are too many recipients. The client takes it for the end of the transaction.
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
    /// Waits without a time limit.
    NoTimeLimit,
    /// Knows the keywords in the reply to EHLO in capital letters only.
    NeedsCapitals,

    // At the start of a session.
    /// Sends EHLO before the greeting.
    SpeaksFirst,
    /// Goes on after a greeting that refuses, even if EHLO is then refused too.
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
    /// Sends the message after 2yz to DATA.
    SendsDataAfterSuccess,
    /// Sends the message after 4yz and 5yz to DATA.
    SendsDataAfterRefusal,
    /// Sends the message after 354 although no recipient was accepted.
    SendsDataToNobody,
    /// Gives up a recipient that is refused with 552 because there are too many.
    OldLimitRefusesRecipient,
    /// Sends lines that begin with a dot as they are.
    KeepsDots,
    /// Sends line ends as they are in the input.
    KeepsLineEnds,
    /// Reports success, whatever the reply to the message is.
    IgnoresFinalReply,
    /// In LMTP, takes the first reply to the message for all recipients.
    ReadsOneLmtpReply,
    /// Uses BDAT, offered or not.
    SendsChunksAlways,
    /// Puts another dot before the lines of a chunk that begin with a dot.
    StuffsChunks,
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
    trips: Vec<Spanned<String>>,
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
        let trips = raw.trips.iter().map(|id| {
            let line = line_of(text.as_bytes(), id.span().start);
            rule(id.get_ref()).map_err(|error| anyhow!("{name}:{line}: {error:#}"))
        });
        let trips = trips.collect::<Result<Vec<RuleId>>>()?;
        let fault = raw.fault(trips).map_err(|error| anyhow!("{name}:{line}: {error:#}"))?;
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

/// Returns the rule with an id, which has to be one about clients.
fn rule(id: &str) -> Result<RuleId> {
    let found = RuleId::find(id).filter(|found| found.rule().id == id);
    let rule = found.ok_or_else(|| anyhow!("there is no rule {id:?}"))?;
    ensure!(rule.rule().kind == Kind::Client, "the rule {id:?} does not judge clients: name one that does");
    Ok(rule)
}

impl Raw {
    fn fault(self, trips: Vec<RuleId>) -> Result<Fault> {
        let name = self.name.into_inner();
        ensure!(
            !name.is_empty() && name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "name {name:?}: use only lower case letters, digits and hyphens"
        );
        ensure!(!trips.is_empty(), "the fault {name:?} breaks no rule: write trips = [\"client-...\"]");
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
        Ok(Fault { name, about: self.about, trips, effect })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Fault, faults, read};
    use crate::rules::catalogue::{Kind, rules};

    #[test]
    fn each_rule_about_clients_has_a_fault() {
        let faults = faults().expect("faults.toml is well-formed");
        let tripped: BTreeSet<&str> =
            faults.iter().flat_map(|fault| &fault.trips).map(|rule| rule.rule().id).collect();
        let rules = rules().iter().filter(|rule| rule.kind == Kind::Client);
        assert_eq!(tripped, rules.map(|rule| rule.id).collect());
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
        let rule = start.replace("client-quits", "client-quitz");
        assert_eq!(error(&rule), "x.toml:4: there is no rule \"client-quitz\"");
        let rule = start.replace("client-quits", "reply-code-range");
        assert_eq!(
            error(&rule),
            "x.toml:4: the rule \"reply-code-range\" does not judge clients: name one that does"
        );
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
