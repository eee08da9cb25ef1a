//! The reference client, which sends one message. It keeps every rule that binds clients, except for those that the faults
//! it is started with break.
//!
//! The suite's tests of clients are tested with it. It waits for each reply for a limited time, and keeps no
//! more of a reply than [`limits`](crate::limits) allow, so it always ends.

mod address;
mod answer;
mod fault;
mod inbox;
mod login;
mod message;
mod outcome;
mod session;
mod stop;
mod transaction;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

pub use fault::{Fault, faults};
pub use login::Credentials;
pub use outcome::{Meaning, Outcome, Status};

use crate::client::{Certificates, Encryption};
use fault::{Behaviour, Event, Faults};
use message::{LineEnds, Message};
use outcome::Ledger;
use session::Session;
use stop::Stop;

/// A server, a message's envelope, and how the message is sent.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, as `HOST:PORT`.
    pub server: String,
    /// The address of the sender, without angle brackets. It is empty for a bounce.
    pub sender: String,
    /// The addresses of the recipients, without angle brackets.
    pub recipients: Vec<String>,
    /// The settings of TLS, if TLS is demanded. [`trusting`], [`verifying`] and [`accepting_any`] make them.
    pub tls: Option<Arc<ClientConfig>>,
    /// The user to log in as.
    pub credentials: Option<Credentials>,
    /// Whether the server speaks LMTP.
    pub lmtp: bool,
    /// Whether the message is sent in chunks, if the server offers that.
    pub bdat: bool,
    /// How long to wait for a connection, for each reply, and for each block to be sent.
    pub timeout: Duration,
    /// What the client does wrong.
    pub faults: Vec<&'static Fault>,
}

impl Options {
    /// Makes options for a server and an envelope, with a timeout of five minutes, which RFC 5321 §4.5.3.2 asks for most
    /// commands.
    ///
    /// # Errors
    ///
    /// If the server is not written as `HOST:PORT`, or if there are no recipients.
    ///
    /// ```
    /// use smtp_conformance::sender::Options;
    ///
    /// let recipients = vec!["alice@example.org".to_owned()];
    /// assert!(Options::new("127.0.0.1:2525", "bob@example.net", recipients.clone()).is_ok());
    /// assert!(Options::new("127.0.0.1", "bob@example.net", recipients).is_err());
    /// ```
    pub fn new(server: &str, sender: &str, recipients: Vec<String>) -> Result<Options> {
        let port = server.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        ensure!(
            port.is_some() && !host(server).is_empty(),
            "the server {server:?} lacks a host or a port: write HOST:PORT, such as 127.0.0.1:2525"
        );
        ensure!(!recipients.is_empty(), "there are no recipients: name at least one");
        Ok(Options {
            server: server.to_owned(),
            sender: sender.to_owned(),
            recipients,
            tls: None,
            credentials: None,
            lmtp: false,
            bdat: false,
            timeout: Duration::from_secs(300),
            faults: Vec::new(),
        })
    }

    fn host(&self) -> &str {
        host(&self.server)
    }
}

/// Returns the host of `HOST:PORT`, without the brackets of an IPv6 address.
fn host(server: &str) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of it for each recipient, in the order of the options.
    pub outcomes: Vec<Outcome>,
    /// What became of it for all of them together.
    pub status: Status,
}

/// Sends a message on one connection. Its lines may end in CR LF, LF or CR.
///
/// This waits, so call it where waiting does no harm. It never fails: whatever happens is an outcome.
#[must_use]
pub fn send(options: &Options, message: &[u8]) -> Report {
    let faults = Faults::new(&options.faults);
    let line_ends = if faults.has(Behaviour::KeepsLineEnds) { LineEnds::Kept } else { LineEnds::CrLf };
    let message = Message::new(message, line_ends);
    let mut ledger = Ledger::new(&options.recipients);
    if !faults.has(Behaviour::UncheckedAddresses) {
        check_addresses(options, &mut ledger);
    }
    if !ledger.undecided().is_empty() {
        converse(options, &message, &mut ledger);
    }
    report(ledger, &faults)
}

fn check_addresses(options: &Options, ledger: &mut Ledger) {
    for (index, recipient) in options.recipients.iter().enumerate() {
        if let Some(problem) = address::problem(recipient) {
            ledger.decide(index, Meaning::Permanent, &problem);
        }
    }
    if let Some(problem) = address::problem(&options.sender) {
        ledger.decide_rest(Meaning::Permanent, &format!("sender: {problem}"));
    }
}

/// Holds the session, and enters in the ledger what comes of it.
fn converse(options: &Options, message: &Message, ledger: &mut Ledger) {
    let stopped = match Session::connect(options) {
        Err(stop) => Err(stop),
        Ok(mut session) => {
            let stopped = hand_over(&mut session, message, ledger);
            if let Err(stop) = session.end() {
                ledger.revoke(stop.meaning, &stop.reason);
            }
            stopped
        }
    };
    if let Err(stop) = stopped {
        ledger.decide_rest(stop.meaning, &stop.reason);
    }
}

fn hand_over(session: &mut Session<'_>, message: &Message, ledger: &mut Ledger) -> Result<(), Stop> {
    session.greet()?;
    session.hello()?;
    if session.has(Behaviour::LogsInBeforeTls) {
        login::log_in(session)?;
    }
    session.start_tls()?;
    login::log_in(session)?;
    check_extensions(session, message, ledger);
    transaction::deliver(session, message, ledger)
}

/// Refuses what the server does not take: what is too large (RFC 1870 §6.3), 8-bit octets without 8BITMIME
/// (RFC 6152 §3), and addresses and headers that are not ASCII without SMTPUTF8 (RFC 6531 §3.2).
fn check_extensions(session: &Session<'_>, message: &Message, ledger: &mut Ledger) {
    let size = message.octets().len() as u64;
    if let Some(limit) = session.size_limit().filter(|limit| size > *limit) {
        let reason = format!("the message has {size} octets, and the server takes {limit}");
        ledger.decide_rest(Meaning::Permanent, &reason);
    }
    let sends_eight_bit = session.has(Behaviour::SendsEightBit);
    if message.is_eight_bit() && !session.offers("8BITMIME") && !sends_eight_bit {
        let reason = "the message has 8-bit octets, and the server does not offer 8BITMIME";
        ledger.decide_rest(Meaning::Permanent, reason);
    }
    if session.offers("SMTPUTF8") || session.has(Behaviour::SendsUtf8) {
        return;
    }
    if message.has_eight_bit_header() && !sends_eight_bit {
        let reason = "the header of the message is not ASCII, and the server does not offer SMTPUTF8";
        ledger.decide_rest(Meaning::Permanent, reason);
    }
    let options = session.options;
    let reason = "the address is not ASCII, and the server does not offer SMTPUTF8";
    for (index, recipient) in options.recipients.iter().enumerate() {
        if !recipient.is_ascii() {
            ledger.decide(index, Meaning::Permanent, reason);
        }
    }
    if !options.sender.is_ascii() {
        ledger.decide_rest(Meaning::Permanent, &format!("sender: {reason}"));
    }
}

fn report(ledger: Ledger, faults: &Faults) -> Report {
    let outcomes = ledger.close();
    let status = match Status::of(&outcomes) {
        status @ (Status::PartialTemporary | Status::PartialPermanent) => {
            match faults.takes(Event::PartialAcceptance) {
                Some(Meaning::Accepted) => Status::Accepted,
                Some(Meaning::Temporary) => Status::Temporary,
                Some(Meaning::Permanent) => Status::Permanent,
                None => status,
            }
        }
        status => status,
    };
    Report { outcomes, status }
}

/// Returns settings of TLS that trust the certificates of a PEM file alone.
///
/// # Errors
///
/// If the text has no certificate, or one that is malformed.
pub fn trusting(pem: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.context("the file is not in PEM format")?)?;
    }
    ensure!(
        !roots.is_empty(),
        "the file has no certificate: it should have a line -----BEGIN CERTIFICATE-----"
    );
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Returns settings of TLS that trust the root certificates of this machine.
///
/// # Errors
///
/// If this machine has no root certificates.
pub fn verifying() -> Result<Arc<ClientConfig>> {
    Ok(Arc::new(Encryption::new(Certificates::Demanded)?.config()?))
}

/// Returns settings of TLS that accept any certificate.
///
/// # Errors
///
/// If TLS cannot be set up.
pub fn accepting_any() -> Result<Arc<ClientConfig>> {
    Ok(Arc::new(Encryption::new(Certificates::Observed)?.config()?))
}
