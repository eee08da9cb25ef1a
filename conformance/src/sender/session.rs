//! A session: how it begins, how it ends, and commands with their replies.

use std::net::IpAddr;
use std::time::Duration;

use super::Options;
use super::answer::{Answer, Class};
use super::fault::{Behaviour, Faults};
use super::stop::Stop;
use super::wire::Wire;
use crate::protocol::Capabilities;

/// How long to wait for the reply to QUIT. It does not matter any more what it says.
const FAREWELL: Duration = Duration::from_secs(5);

/// A session with a server.
pub(super) struct Session<'o> {
    pub(super) options: &'o Options,
    pub(super) faults: Faults,
    /// What the last reply to EHLO offers. It is empty after HELO.
    offered: Capabilities,
    wire: Wire,
    /// Whether EHLO was sent already, before the greeting.
    has_spoken: bool,
    /// Whether a fault goes on after a refused EHLO.
    ignores_refusal: bool,
}

impl<'o> Session<'o> {
    pub(super) fn connect(options: &'o Options) -> Result<Session<'o>, Stop> {
        let faults = Faults::new(&options.faults);
        let wire = Wire::connect(&options.server, options.timeout, &faults)?;
        let ignores_refusal = faults.has(Behaviour::IgnoresRefusedHello);
        let offered = Capabilities::default();
        Ok(Session { options, faults, offered, wire, has_spoken: false, ignores_refusal })
    }

    /// Says QUIT if the connection is alive, and closes. The reply does not matter, except to a fault.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        let needs_reply = self.has(Behaviour::NeedsQuitReply);
        let mut farewell = Ok(());
        if self.wire.is_open() && !self.has(Behaviour::NoQuit) {
            if !needs_reply {
                self.wire.limit_timeout(FAREWELL);
            }
            match self.command("QUIT") {
                Err(stop) if needs_reply => farewell = Err(stop),
                Ok(answer) if needs_reply && answer.code() != 221 => {
                    farewell = Err(Stop::temporary(format!("QUIT: {}", answer.text())));
                }
                _ => {}
            }
        }
        self.wire.close();
        farewell
    }

    /// Closes without QUIT.
    pub(super) fn hang_up(&mut self) {
        self.wire.close();
    }

    pub(super) fn has(&self, behaviour: Behaviour) -> bool {
        self.faults.has(behaviour)
    }

    /// Returns whether the server offers a keyword, in any letter case (RFC 5321 §2.4).
    pub(super) fn offers(&self, keyword: &str) -> bool {
        let is_exact = || self.offered.keywords().any(|offered| offered == keyword);
        self.offered.has(keyword) && (!self.has(Behaviour::NeedsCapitals) || is_exact())
    }

    pub(super) fn offers_mechanism(&self, mechanism: &str) -> bool {
        self.offers("AUTH") && self.offered.has_mechanism(mechanism)
    }

    /// Returns the largest message that the server takes, in octets, if it says so.
    pub(super) fn size_limit(&self) -> Option<u64> {
        self.offered.size_limit().filter(|_| self.offers("SIZE"))
    }

    /// Sends a command, and reads its reply.
    pub(super) fn command(&mut self, line: &str) -> Result<Answer, Stop> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.answer()
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> Result<(), Stop> {
        self.wire.send(octets)
    }

    /// Reads the next reply. 421 may come at any time, and says that the server closes (RFC 5321 §3.8).
    pub(super) fn answer(&mut self) -> Result<Answer, Stop> {
        let answer = self.wire.answer()?;
        if answer.code() == 421 { Err(answer.refusal("the server closes")) } else { Ok(answer) }
    }

    /// Reads a reply that came before the connection broke. Only a refusal counts: the server does not have everything.
    pub(super) fn last_refusal(&mut self) -> Option<Answer> {
        let answer = self.wire.answer().ok()?;
        Some(answer).filter(|answer| matches!(answer.class(), Class::Temporary | Class::Permanent))
    }

    /// Reads the greeting.
    pub(super) fn greet(&mut self) -> Result<(), Stop> {
        if self.has(Behaviour::SpeaksFirst) {
            let hello = self.hello_line();
            self.send(format!("{hello}\r\n").as_bytes())?;
            self.has_spoken = true;
        }
        let greeting = self.answer()?;
        if greeting.is_success() {
            return Ok(());
        }
        if self.has(Behaviour::IgnoresGreeting) {
            self.ignores_refusal = true;
            return Ok(());
        }
        Err(greeting.refusal("greeting"))
    }

    /// Says EHLO, or HELO if the server does not know EHLO (RFC 5321 §3.2). LMTP has LHLO alone.
    pub(super) fn hello(&mut self) -> Result<(), Stop> {
        let hello = self.hello_line();
        if !std::mem::take(&mut self.has_spoken) {
            self.send(format!("{hello}\r\n").as_bytes())?;
        }
        let answer = self.wire.list()?;
        self.offered = if answer.is_success() { answer.capabilities() } else { Capabilities::default() };
        if answer.is_success() {
            return Ok(());
        }
        if matches!(answer.code(), 500 | 502) && !self.options.lmtp && !self.has(Behaviour::NoHelo) {
            let answer = self.command(&format!("HELO {}", self.name()))?;
            return if answer.is_success() { Ok(()) } else { Err(answer.refusal("HELO")) };
        }
        if self.ignores_refusal {
            return Ok(());
        }
        Err(answer.refusal(self.hello_verb()))
    }

    /// Begins TLS if it is demanded, and asks again what is offered (RFC 3207 §4.2). It never goes on in clear.
    pub(super) fn start_tls(&mut self) -> Result<(), Stop> {
        let Some(config) = self.options.tls.clone() else { return Ok(()) };
        if !self.offers("STARTTLS") {
            if self.has(Behaviour::ContinuesInClear) {
                return Ok(());
            }
            return Err(Stop::temporary("the server does not offer STARTTLS"));
        }
        loop {
            let answer = self.command("STARTTLS")?;
            if answer.code() == 220 {
                break;
            }
            if self.has(Behaviour::ContinuesInClear) {
                return Ok(());
            }
            if !self.has(Behaviour::RepeatsStarttls) {
                return Err(answer.refusal("STARTTLS"));
            }
            self.hello()?;
        }
        self.wire.encrypt(self.options.host(), config)?;
        if self.has(Behaviour::NoHelloUnderTls) { Ok(()) } else { self.hello() }
    }

    fn hello_line(&self) -> String {
        format!("{} {}", self.hello_verb(), self.name())
    }

    fn hello_verb(&self) -> &'static str {
        if self.options.lmtp { "LHLO" } else { "EHLO" }
    }

    /// Returns the name of this client: its address, because it may have no name (RFC 5321 §4.1.4).
    fn name(&self) -> String {
        match self.wire.own_address() {
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            None => "[127.0.0.1]".to_owned(),
        }
    }
}
