//! Faults: what the server can be told to do wrong, and the rules that each fault breaks.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use super::Tls;
use super::key::Key;
use super::replies::check;
use crate::data_file::{self, line_of};
use crate::dialogue::arrival::By;
use crate::protocol::Protocol;
use crate::rules::catalogue::RuleId;

const NAME: &str = "faults.toml";
const TEXT: &str = include_str!("faults.toml");

static FAULTS: LazyLock<Result<Vec<Fault>, String>> =
    LazyLock::new(|| read(NAME, TEXT).map_err(|error| format!("{error:#}")));

/// Something that the server does wrong, or a variation: something that it does otherwise than most and may do, or that no
/// rule can judge.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// An immutable slug.
    pub name: String,
    /// What the server does, as a clause.
    pub about: String,
    /// All rules that it breaks. A variation breaks none.
    pub trips: Vec<RuleId>,
    /// The protocol of the server that it is for.
    pub protocol: Protocol,
    /// When the server that it is for uses TLS.
    pub tls: Tls,
    replies: Vec<(At, String)>,
    with: Vec<String>,
    without: Vec<String>,
    pub(super) behaviour: Option<Behaviour>,
    at: Vec<At>,
    /// The number that the behaviour needs.
    pub(super) count: usize,
    /// The octets that the behaviour needs.
    pub(super) sequence: Vec<u8>,
    /// The port on which the target says that the server is used.
    pub(super) port: Option<u16>,
    /// Whether the target does not say that its sessions are protected from snooping.
    pub(super) exposed: bool,
    /// How the server delivers, for a fault that shows only in what arrives.
    pub delivery: Option<By>,
    /// The text of the Received field that the server adds.
    pub(super) received: Option<String>,
    /// A header field that the server adds.
    pub(super) field: Option<String>,
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
    /// Reads faults and variations in the form of `faults.toml`. The name of the file is for errors.
    ///
    /// # Errors
    ///
    /// If the text does not follow the form, with the name and the line.
    ///
    /// ```
    /// use smtp_conformance::reference::Fault;
    ///
    /// let text = "[[variation]]\nname = 'terse'\nabout = 'says little'\nreplies = { noop = \"250 2.0.0 Ok\\r\\n\" }\n";
    /// assert_eq!(Fault::read("own.toml", text)?[0].name, "terse");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn read(name: &str, text: &str) -> Result<Vec<Fault>> {
        read(name, text)
    }

    /// Returns the fault with a name.
    ///
    /// # Errors
    ///
    /// If no fault has the name, with the names of similar faults.
    pub fn find(name: &str) -> Result<&'static Fault> {
        let faults = faults()?;
        if let Some(fault) = faults.iter().find(|fault| fault.name == name) {
            return Ok(fault);
        }
        let words = |name: &str| name.split('-').map(str::to_owned).collect::<Vec<_>>();
        let wanted = words(name);
        let alike = |fault: &&Fault| words(&fault.name).iter().any(|word| wanted.contains(word));
        let alike: Vec<&str> = faults.iter().filter(alike).map(|fault| fault.name.as_str()).collect();
        if alike.is_empty() {
            bail!("there is no fault {name:?}");
        }
        bail!("there is no fault {name:?}; similar names: {}", alike.join(", "))
    }

    /// Returns how long the server waits before a reply; zero for most faults.
    #[must_use]
    pub fn delay(&self) -> Duration {
        match self.behaviour {
            Some(Behaviour::Way(Way::Tardy)) => Duration::from_secs(self.count as u64),
            _ => Duration::ZERO,
        }
    }

    /// Returns the text that replaces the reply of a situation.
    pub(super) fn reply(&self, key: Key, is: impl Fn(State) -> bool) -> Option<&str> {
        let exact = self.replies.iter().find(|(at, _)| at.key == key && at.state.is_some_and(&is));
        let any = || self.replies.iter().find(|(at, _)| at.key == key && at.state.is_none());
        exact.or_else(any).map(|(_, text)| text.as_str())
    }

    /// Returns whether its behaviour applies to a situation. Without `at` it applies to all.
    pub(super) fn is_at(&self, key: Key, is: impl Fn(State) -> bool) -> bool {
        self.at.is_empty() || self.at.iter().any(|at| at.key == key && at.state.is_none_or(&is))
    }

    /// Returns the capabilities that it adds.
    pub(super) fn adds(&self) -> impl Iterator<Item = &str> {
        self.with.iter().map(String::as_str)
    }

    /// Returns whether it removes a capability.
    pub(super) fn removes(&self, keyword: &str) -> bool {
        self.without.iter().any(|without| without == keyword)
    }
}

/// A situation, in any state of the session or in only one: `noop`, `noop@before-hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    key: Key,
    state: Option<State>,
}

impl At {
    fn read(text: &str) -> Result<At> {
        let (name, state) = match text.split_once('@') {
            Some((name, state)) => (name, Some(state)),
            None => (text, None),
        };
        let key = Key::find(name).ok_or_else(|| anyhow!("there is no situation {name:?}"))?;
        let state = state.map(|name| State::find(name).ok_or_else(|| anyhow!("there is no state {name:?}")));
        Ok(At { key, state: state.transpose()? })
    }
}

/// A state of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    BeforeHello,
    AfterHelo,
    AfterEhlo,
    InClear,
    UnderTls,
    BeforeLogin,
    AfterLogin,
    OutsideTransaction,
    InTransaction,
}

impl State {
    const NAMES: [(&'static str, State); 9] = [
        ("before-hello", State::BeforeHello),
        ("after-helo", State::AfterHelo),
        ("after-ehlo", State::AfterEhlo),
        ("in-clear", State::InClear),
        ("under-tls", State::UnderTls),
        ("before-login", State::BeforeLogin),
        ("after-login", State::AfterLogin),
        ("outside-transaction", State::OutsideTransaction),
        ("in-transaction", State::InTransaction),
    ];

    /// Returns every state.
    pub(super) fn all() -> impl Iterator<Item = State> {
        State::NAMES.into_iter().map(|(_, state)| state)
    }

    fn find(name: &str) -> Option<State> {
        State::NAMES.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
    }
}

/// What no replacement text can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Behaviour {
    // At the TLS handshake.
    /// Sends octets that are not TLS.
    GarbageHandshake,
    /// Sends nothing.
    StallHandshake,
    /// Closes.
    DropHandshake,
    /// Obeys what was sent in clear text after STARTTLS.
    KeepsClearText,

    // In the session.
    /// Shuts down at the command with the number `count`.
    Shutdown,
    /// Sends 421 and does not close.
    StaysOpen,
    /// Sends X.0.0 with every 4yz and 5yz reply.
    VagueCodes,
    /// Omits enhanced status codes, either everywhere or in the replies that `at` names.
    DropsCodes,
    /// Remembers the session across STARTTLS.
    RemembersAcrossTls,
    /// Offers STARTTLS under TLS.
    OffersTlsAgain,
    /// Lists LIMITS in every second reply to EHLO only.
    VariesList,
    /// Lists REQUIRETLS only before TLS.
    ListsRequiretlsEarly,
    /// Knows AUTH and the parameters of MAIL only in capital letters.
    NeedsCapitals,
    /// Refuses names in EHLO that end in elsewhere.example.
    ChecksHello,
    /// Keeps the transaction at EHLO.
    KeepsTransactionAtHello,
    /// Forgets the transaction at an EHLO that it refuses.
    ForgetsAtRefusedHello,
    /// Takes the octets of a chunk that it refuses as commands.
    ObeysRefusedChunks,
    /// Forgets what arrives in the same packet after a command line.
    LosesPipelined,
    /// Forgets what arrives in the same packet after a message.
    LosesAfterMessage,
    /// Ends a message at the octets of `sequence` too.
    EndsMessageAt,
    /// Answers a message after its first line, and takes the rest for commands.
    AnswersEarly,
    /// Ends a command line at CR too.
    EndsLinesAtCr,
    /// Sends one reply per recipient after the message, or in LMTP a single one; `at` names the replies.
    MiscountsRecipients,
    /// Sends the replies after an LMTP message for refused recipients too.
    CountsRefusedRecipients,
    /// Refuses each recipient temporarily once.
    Greylist,
    /// Accepts at most `count` recipients.
    LimitsRecipients,
    /// Accepts command lines of at most `count` octets.
    LimitsLines,
    /// Accepts names in EHLO, and paths, of at most `count` octets.
    LimitsNames,
    /// Forgets EHLO at RSET.
    ForgetsHelloAtReset,
    /// Accepts responses to challenges of at most `count` octets.
    LimitsResponses,
    /// Requires TLS before mail.
    DemandsTls,
    /// Requires no login before mail.
    DemandsNoLogin,
    /// Forgets the recipients at a RCPT that it refuses.
    ForgetsAtRefusedRcpt,
    /// Forgets the transaction at VRFY, EXPN, HELP and NOOP.
    ForgetsAtInquiry,
    /// Forgets the transaction at a MAIL within it.
    ForgetsAtNestedMail,
    /// Keeps the recipients at a MAIL within a transaction that it accepts.
    KeepsRecipientsAtMail,
    /// Forgets EHLO at a malformed MAIL.
    ForgetsHelloAtBadMail,
    /// Keeps the transaction after the message.
    KeepsTransactionAfterMessage,

    /// On the way to the client.
    #[serde(untagged)]
    Way(Way),
    /// On the way to the mailbox.
    #[serde(untagged)]
    Spoil(Spoil),
}

impl Behaviour {
    /// Returns what it does to a reply on its way to the client.
    pub(super) fn way(self) -> Option<Way> {
        if let Behaviour::Way(way) = self { Some(way) } else { None }
    }
}

/// What happens to replies on their way to the client: to those that `at` names, or to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// Sends no reply, and goes on.
    Silence,
    /// Closes instead of sending the reply.
    Drop,
    /// Closes after the reply.
    DropAfter,
    /// Sends half of the reply, and closes.
    Cut,
    /// Sends nothing from then on, and does not close.
    Stall,
    /// Sends half of the reply and nothing from then on, and does not close.
    StallWithin,
    /// Sends the reply twice.
    Twice,
    /// Sends the reply after the next one.
    Late,
    /// Waits half a second before the reply.
    Pause,
    /// Sends the reply together with the next one if more octets have come already.
    KeepsWhileMore,
    /// Sends the replies to a group together with the next reply.
    KeepsGroup,
    /// Waits `count` seconds before the reply.
    Tardy,
    /// Sends the reply one octet at a time, with a pause after each.
    Slow,
    /// Sends each octet in a separate packet.
    OctetByOctet,
    /// Closes its sending side after the reply, and continues to read.
    HalfClose,
    /// Sends a reply with an endless number of lines.
    EndlessLines,
    /// Sends an endless line.
    EndlessText,
}

/// Returns whether a fault does something to messages on their way to the mailbox.
pub(super) fn spoils(faults: &[&Fault], spoil: Spoil) -> bool {
    faults.iter().any(|fault| fault.behaviour == Some(Behaviour::Spoil(spoil)))
}

/// What happens to messages on their way to the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Spoil {
    /// Removes no dot after DATA.
    KeepsDots,
    /// Removes all dots at the beginning of lines.
    RemovesAllDots,
    /// Removes a dot after BDAT.
    RemovesDotsOfChunks,
    /// Adds an empty line at the end.
    AddsLine,
    /// Removes empty lines from the body.
    LosesEmptyLines,
    /// Splits lines of more than 78 octets.
    WrapsLines,
    /// Ends the lines of the body with LF alone.
    EndsLinesWithLf,
    /// Takes CR and LF alone for the end of a line.
    TakesBareLineEnds,
    /// Clears the high-order bit of each octet.
    ClearsHighBits,
    /// Removes control characters.
    DropsControls,
    /// Removes blanks at the end of lines.
    TrimsLines,
    /// Converts addresses to lower case.
    LowersAddresses,
    /// Adds no Received field.
    OmitsReceived,
    /// Adds Received at the end of the header section.
    AddsReceivedBelow,
    /// Removes the Received fields that the message has.
    DropsReceived,
    /// Changes the subject.
    TagsSubject,
    /// Adds no Return-Path field.
    OmitsReturnPath,
    /// Adds two Return-Path fields.
    DoublesReturnPath,
    /// Gives a message from the null sender a sender.
    ReplacesNullSender,
    /// Delivers each message twice.
    DeliversTwice,
    /// Delivers messages that it refuses.
    DeliversRefused,
    /// Delivers messages whose end never came.
    DeliversInterrupted,
    /// Delivers to the recipients that it refused, too.
    DeliversToRefused,
    /// Passes recipients on with their source routes.
    KeepsRoutes,
    /// Adds itself to the sender as a source route.
    AddsRoute,
    /// Completes the domain of the sender.
    CompletesSenders,
    /// Delivers to the recipients in To, too.
    RoutesByHeader,
    /// Adds nothing that a submitted message lacks.
    CompletesNothing,
    /// Delivers at once what is to be held.
    HoldsNothing,
    /// Relays what is to be returned.
    RelaysReturned,
    /// Keeps Require-Recipient-Valid-Since.
    KeepsRrvs,
    /// Keeps chunks at RSET.
    KeepsChunks,
    /// Adds Return-Path after Received.
    AddsReturnPathBelow,
    /// Adds Return-Path without angle brackets.
    AddsBareReturnPath,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Raw>,
    #[serde(default)]
    variation: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    about: String,
    #[serde(default)]
    trips: Vec<Spanned<String>>,
    #[serde(default)]
    protocol: Protocol,
    #[serde(default = "starttls")]
    tls: Tls,
    #[serde(default)]
    replies: std::collections::BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    behaviour: Option<Behaviour>,
    #[serde(default)]
    at: Vec<Spanned<String>>,
    #[serde(default)]
    count: usize,
    sequence: Option<String>,
    port: Option<u16>,
    #[serde(default)]
    exposed: bool,
    delivery: Option<By>,
    received: Option<String>,
    field: Option<String>,
}

fn starttls() -> Tls {
    Tls::StartTls
}

fn read(name: &str, text: &str) -> Result<Vec<Fault>> {
    let file: File = data_file::parse(name, text)?;
    let mut faults: Vec<Fault> = Vec::with_capacity(file.fault.len() + file.variation.len());
    let raw = file.fault.into_iter().map(|raw| (raw, true));
    for (raw, is_fault) in raw.chain(file.variation.into_iter().map(|raw| (raw, false))) {
        let place = raw.name.span().start;
        if raw.trips.is_empty() == is_fault {
            bail!(
                "{name}:{}: a [[fault]] names the rules that it breaks in trips, and a [[variation]] breaks none",
                line_of(text.as_bytes(), place)
            );
        }
        let fault = raw.fault().map_err(|(own, error)| {
            let line = line_of(text.as_bytes(), own.unwrap_or(place));
            anyhow!("{name}:{line}: {error:#}")
        })?;
        if faults.iter().any(|other| other.name == fault.name) {
            bail!(
                "{name}:{}: another fault has the name {:?} already: choose a different name",
                line_of(text.as_bytes(), place),
                fault.name
            );
        }
        faults.push(fault);
    }
    Ok(faults)
}

impl Raw {
    /// Returns the fault, or what is wrong with it and where.
    fn fault(self) -> Result<Fault, (Option<usize>, anyhow::Error)> {
        let name = self.name.into_inner();
        if name.is_empty() || !name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err((None, anyhow!("name {name:?}: use only lower case letters, digits and hyphens")));
        }
        if self.replies.is_empty()
            && self.behaviour.is_none()
            && self.with.is_empty()
            && self.without.is_empty()
            && self.port.is_none()
            && !self.exposed
            && self.received.is_none()
            && self.field.is_none()
        {
            return Err((
                None,
                anyhow!(
                    "the fault {name:?} does nothing: add replies, with, without, behaviour, port, exposed, received or field"
                ),
            ));
        }
        let rule = |id: &Spanned<String>| {
            let found = RuleId::find(id.get_ref()).filter(|rule| rule.rule().id == id.get_ref());
            found.ok_or_else(|| (Some(id.span().start), anyhow!("there is no rule {:?}", id.get_ref())))
        };
        let at = |text: &Spanned<String>| {
            At::read(text.get_ref()).map_err(|error| (Some(text.span().start), error))
        };
        let reply = |(key, text): (&Spanned<String>, &String)| {
            check(text).map_err(|error| (Some(key.span().start), error))?;
            Ok((at(key)?, text.clone()))
        };
        Ok(Fault {
            trips: self.trips.iter().map(rule).collect::<Result<_, _>>()?,
            replies: self.replies.iter().map(reply).collect::<Result<_, _>>()?,
            at: self.at.iter().map(at).collect::<Result<_, _>>()?,
            name,
            about: self.about,
            protocol: self.protocol,
            tls: self.tls,
            with: self.with,
            without: self.without,
            behaviour: self.behaviour,
            count: self.count,
            sequence: self.sequence.unwrap_or_default().into_bytes(),
            port: self.port,
            exposed: self.exposed,
            delivery: self.delivery,
            received: self.received,
            field: self.field,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, faults, read};

    #[test]
    fn the_built_in_faults_are_well_formed() {
        faults().expect("faults.toml is well-formed");
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| format!("{:#}", read("x.toml", text).expect_err("it is refused"));
        let start = "[[variation]]\nname = \"a\"\nabout = \"b\"\n";
        assert_eq!(
            error(start),
            "x.toml:2: the fault \"a\" does nothing: add replies, with, without, behaviour, port, exposed, received or field"
        );
        let fault = start.replace("variation", "fault");
        let rule = format!("{fault}trips = [\"no-such\"]\nbehaviour = \"drop\"\n");
        assert_eq!(error(&rule), "x.toml:4: there is no rule \"no-such\"");
        let key = format!("{start}replies = {{ nop = \"250 Ok\\r\\n\" }}\n");
        assert_eq!(error(&key), "x.toml:4: there is no situation \"nop\"");
        let state = format!("{start}behaviour = \"drop\"\nat = [\"noop@night\"]\n");
        assert_eq!(error(&state), "x.toml:5: there is no state \"night\"");
        let twice = format!("{start}behaviour = \"drop\"\n{start}behaviour = \"drop\"\n");
        assert_eq!(
            error(&twice),
            "x.toml:6: another fault has the name \"a\" already: choose a different name"
        );
    }

    #[test]
    fn an_unknown_name_lists_similar_names() {
        let error = |name: &str| format!("{:#}", Fault::find(name).expect_err("there is no such fault"));
        assert_eq!(error("zzz"), "there is no fault \"zzz\"");
        assert!(error("octet").contains("one-octet-a-second"), "{}", error("octet"));
    }
}
