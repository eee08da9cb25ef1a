//! Faults: what the server can be told to do wrong, and the rules that each breaks.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use super::Tls;
use super::key::Key;
use super::replies::check;
use crate::data_file::{self, line_of};
use crate::protocol::Protocol;
use crate::rules::catalogue::RuleId;

const NAME: &str = "faults.toml";
const TEXT: &str = include_str!("faults.toml");

static FAULTS: LazyLock<Result<Vec<Fault>, String>> =
    LazyLock::new(|| read(NAME, TEXT).map_err(|error| format!("{error:#}")));

/// Something that the server does wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// An immutable slug.
    pub name: String,
    /// What it does, in a clause.
    pub about: String,
    /// The rules that it breaks, all of them.
    pub trips: Vec<RuleId>,
    /// The protocol of the server that it is for.
    pub protocol: Protocol,
    /// The TLS of the server that it is for.
    pub tls: Tls,
    replies: Vec<(At, String)>,
    with: Vec<String>,
    without: Vec<String>,
    pub(super) behaviour: Option<Behaviour>,
    at: Vec<At>,
    /// The number that the behaviour is about.
    pub(super) count: usize,
    /// The port that the server is said to serve at where it is used.
    pub(super) port: Option<u16>,
}

/// The faults that are built in.
///
/// # Errors
///
/// A file that does not follow the form is refused with its name and line; a test reads it.
pub fn faults() -> Result<&'static [Fault]> {
    FAULTS.as_deref().map_err(|error| anyhow!("{error}"))
}

impl Fault {
    /// The fault of a name.
    ///
    /// # Errors
    ///
    /// A name that no fault has is refused with those that are like it.
    pub fn find(name: &str) -> Result<&'static Fault> {
        let faults = faults()?;
        if let Some(fault) = faults.iter().find(|fault| fault.name == name) {
            return Ok(fault);
        }
        let words = |name: &str| name.split('-').map(str::to_owned).collect::<Vec<_>>();
        let wanted = words(name);
        let alike = |fault: &&Fault| words(&fault.name).iter().any(|word| wanted.contains(word));
        let alike: Vec<&str> = faults.iter().filter(alike).map(|fault| fault.name.as_str()).collect();
        match alike.is_empty() {
            true => bail!("there is no fault {name:?}"),
            false => bail!("there is no fault {name:?}; there are {}", alike.join(", ")),
        }
    }

    /// How long it waits before a reply; zero for most.
    #[must_use]
    pub fn delay(&self) -> Duration {
        match self.behaviour {
            Some(Behaviour::Way(Way::Tardy)) => Duration::from_secs(self.count as u64),
            _ => Duration::ZERO,
        }
    }

    /// The text that stands in for the reply of a situation.
    pub(super) fn reply(&self, key: Key, is: impl Fn(State) -> bool) -> Option<&str> {
        let exact = self.replies.iter().find(|(at, _)| at.key == key && at.state.is_some_and(&is));
        let any = || self.replies.iter().find(|(at, _)| at.key == key && at.state.is_none());
        exact.or_else(any).map(|(_, text)| text.as_str())
    }

    /// Whether its behaviour is about a situation; without any, it is about all.
    pub(super) fn is_at(&self, key: Key, is: impl Fn(State) -> bool) -> bool {
        self.at.is_empty() || self.at.iter().any(|at| at.key == key && at.state.is_none_or(&is))
    }

    /// The capabilities that it adds.
    pub(super) fn adds(&self) -> impl Iterator<Item = &str> {
        self.with.iter().map(String::as_str)
    }

    /// Whether it takes a capability away.
    pub(super) fn removes(&self, keyword: &str) -> bool {
        self.without.iter().any(|without| without == keyword)
    }
}

/// A situation, maybe in one state of the session alone: `noop`, `noop@before-hello`.
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
        let key = Key::find(name).ok_or_else(|| anyhow!("no situation has the name {name:?}"))?;
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

    /// Every state.
    pub(super) fn all() -> impl Iterator<Item = State> {
        State::NAMES.into_iter().map(|(_, state)| state)
    }

    fn find(name: &str) -> Option<State> {
        State::NAMES.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
    }
}

/// What cannot be said by another text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Behaviour {
    // At the TLS handshake.
    /// Sends octets that are no TLS.
    GarbageHandshake,
    /// Sends nothing.
    StallHandshake,
    /// Closes.
    DropHandshake,
    /// Obeys what was sent in clear behind STARTTLS.
    KeepsClearText,

    // In the session.
    /// Shuts down at the command of that number.
    Shutdown,
    /// Says 421 and does not close.
    StaysOpen,
    /// Sends X.0.0 with every 4yz and 5yz.
    VagueCodes,
    /// Leaves enhanced status codes out: everywhere, or at `at`.
    DropsCodes,
    /// Remembers the session across STARTTLS.
    RemembersAcrossTls,
    /// Offers STARTTLS under TLS.
    OffersTlsAgain,
    /// Refuses names in EHLO that end in elsewhere.example.
    ChecksHello,
    /// Keeps the transaction at EHLO.
    KeepsTransactionAtHello,
    /// Forgets the transaction at an EHLO that it refuses.
    ForgetsAtRefusedHello,
    /// Takes the octets of a chunk that it refuses for commands.
    ObeysRefusedChunks,
    /// Forgets what came beside a command line in one packet.
    LosesPipelined,
    /// Ends a message at LF, a dot and LF.
    EndsMessageAtBareLf,
    /// Sends a reply for each recipient after the message, or in LMTP a single one; `at` names the replies.
    MiscountsRecipients,
    /// Sends the replies after an LMTP message for refused recipients too.
    CountsRefusedRecipients,
    /// Refuses a recipient once for now.
    Greylist,
    /// Takes that many recipients.
    LimitsRecipients,
    /// Takes no command line of more octets.
    LimitsLines,
    /// Wants TLS before mail.
    DemandsTls,
    /// Wants no login before mail.
    DemandsNoLogin,
    /// Forgets the recipients at a RCPT that it refuses.
    ForgetsAtRefusedRcpt,

    /// On the way to the client.
    #[serde(untagged)]
    Way(Way),
}

impl Behaviour {
    /// What it does to a reply on its way.
    pub(super) fn way(self) -> Option<Way> {
        if let Behaviour::Way(way) = self { Some(way) } else { None }
    }
}

/// What happens to a reply on its way to the client: to those that `at` names, or to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// Sends nothing, and goes on.
    Silence,
    /// Closes instead of the reply.
    Drop,
    /// Closes behind the reply.
    DropBehind,
    /// Sends half of the reply, and closes.
    Cut,
    /// Sends nothing any more, and stays.
    Stall,
    /// Sends half of the reply, and stays.
    StallWithin,
    /// Sends the reply twice.
    Twice,
    /// Sends the reply behind the next one.
    Late,
    /// Waits `count` seconds before the reply.
    Tardy,
    /// Sends an octet, and waits, and sends the next.
    Slow,
    /// Sends each octet in a packet of its own.
    Octetwise,
    /// Closes its own direction behind the reply, and reads on.
    HalfClose,
    /// Sends lines of one reply without end.
    EndlessLines,
    /// Sends one line without end.
    EndlessText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fault: Vec<Raw>,
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
    port: Option<u16>,
}

fn starttls() -> Tls {
    Tls::StartTls
}

fn read(name: &str, text: &str) -> Result<Vec<Fault>> {
    let file: File = data_file::parse(name, text)?;
    let mut faults: Vec<Fault> = Vec::with_capacity(file.fault.len());
    for raw in file.fault {
        let place = raw.name.span().start;
        let fault = raw.fault().map_err(|(own, error)| {
            let line = line_of(text.as_bytes(), own.unwrap_or(place));
            anyhow!("{name}:{line}: {error:#}")
        })?;
        if faults.iter().any(|other| other.name == fault.name) {
            bail!(
                "{name}:{}: the name {:?} stands twice: each once",
                line_of(text.as_bytes(), place),
                fault.name
            );
        }
        faults.push(fault);
    }
    Ok(faults)
}

impl Raw {
    /// The fault, or what is wrong with it and where.
    fn fault(self) -> Result<Fault, (Option<usize>, anyhow::Error)> {
        let name = self.name.into_inner();
        if name.is_empty() || !name.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err((None, anyhow!("name {name:?}: write lower case letters, digits and hyphens")));
        }
        if self.replies.is_empty()
            && self.behaviour.is_none()
            && self.with.is_empty()
            && self.without.is_empty()
            && self.port.is_none()
        {
            return Err((
                None,
                anyhow!("{name}: it does nothing: add replies, with, without, behaviour or port"),
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
            port: self.port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, faults, read};

    #[test]
    fn the_faults_that_are_built_in_are_well_formed() {
        faults().expect("faults.toml is well-formed");
    }

    #[test]
    fn errors_name_the_line() {
        let error = |text: &str| format!("{:#}", read("x.toml", text).expect_err("it is refused"));
        let start = "[[fault]]\nname = \"a\"\nabout = \"b\"\n";
        assert_eq!(
            error(start),
            "x.toml:2: a: it does nothing: add replies, with, without, behaviour or port"
        );
        let rule = format!("{start}trips = [\"no-such\"]\nbehaviour = \"drop\"\n");
        assert_eq!(error(&rule), "x.toml:4: there is no rule \"no-such\"");
        let key = format!("{start}replies = {{ nop = \"250 Ok\\r\\n\" }}\n");
        assert_eq!(error(&key), "x.toml:4: no situation has the name \"nop\"");
        let state = format!("{start}behaviour = \"drop\"\nat = [\"noop@night\"]\n");
        assert_eq!(error(&state), "x.toml:5: there is no state \"night\"");
        let twice = format!("{start}behaviour = \"drop\"\n{start}behaviour = \"drop\"\n");
        assert_eq!(error(&twice), "x.toml:6: the name \"a\" stands twice: each once");
    }

    #[test]
    fn a_name_that_is_not_there_brings_those_like_it() {
        let error = |name: &str| format!("{:#}", Fault::find(name).expect_err("there is none"));
        assert_eq!(error("zzz"), "there is no fault \"zzz\"");
        assert!(error("octet").contains("one-octet-a-second"), "{}", error("octet"));
    }
}
