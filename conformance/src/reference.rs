//! The reference server. It follows every rule, except for those that the faults it is started with name.
//!
//! The suite tests its cases and rules against it, and authors of mail clients can test their clients. It accepts
//! mail and discards it, unless `--deliver-to` says where to deliver it.

mod connection;
mod delivery;
mod fault;
mod key;
mod machine;
mod memory;
mod replies;
mod script;
mod tape;
mod wire;
mod withheld;
mod witness;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use fault::{Fault, faults};
pub use key::Key;
pub use script::Script;
pub use tape::Recorder;
pub use withheld::Withheld;
pub use witness::Ledger;

use crate::knowledge::{Knowledge, Policy};
use crate::protocol::Protocol;
use crate::target::{Address, Credentials, Delivery, Destination, Target};
use machine::Setting;
use memory::Memory;
use replies::Replies;
use tape::Tape;
use witness::Witness;

/// The largest message that it accepts by default, in octets.
pub const SIZE: u64 = 100_000;

/// The most recipients that it accepts for one message.
const RECIPIENTS: usize = 120;

/// The class of solicitations that the server refuses (RFC 3865 §2).
const SOLICITATION: &str = "org.example:ADV";

/// The most connections that it serves at once.
const CONNECTIONS: usize = 64;

/// The user who can log in.
const USER: &str = "alice";

/// The user's password.
const PASSWORD: &str = "secret";

/// How long to wait for what it delivers, which it does before it replies.
const WAIT: Duration = Duration::from_secs(1);

/// When a server uses TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Never.
    #[default]
    None,
    /// After STARTTLS.
    StartTls,
    /// From the start of the connection.
    Implicit,
}

/// How a reference server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// When it uses TLS.
    pub tls: Tls,
    /// What it does wrong.
    pub faults: Vec<&'static Fault>,
    /// The pause after each octet of a reply that a fault sends slowly.
    pub pace: Duration,
    /// Where it delivers what it accepts. If `None`, it discards it.
    pub delivery: Option<Destination>,
    /// The replies that it sends instead of its own.
    pub script: Script,
    /// What it does not offer.
    pub withheld: Withheld,
    /// The largest message that it accepts, in octets.
    pub size: u64,
    /// Whether it accepts every recipient.
    pub welcomes_all: bool,
    /// What records its connections as a transcript.
    pub recorder: Option<Arc<Recorder>>,
    /// What records its connections as dialogues.
    pub ledger: Option<Arc<Ledger>>,
}

impl Default for Options {
    /// SMTP without TLS and without faults, and a pause of one second.
    fn default() -> Options {
        Options {
            protocol: Protocol::Smtp,
            tls: Tls::None,
            faults: Vec::new(),
            pace: Duration::from_secs(1),
            delivery: None,
            script: Script::default(),
            withheld: Withheld::default(),
            size: SIZE,
            welcomes_all: false,
            recorder: None,
            ledger: None,
        }
    }
}

impl Options {
    /// Returns the options of the server that a fault is for, with that fault.
    #[must_use]
    pub fn of(fault: &'static Fault) -> Options {
        Options { protocol: fault.protocol, tls: fault.tls, faults: vec![fault], ..Options::default() }
    }
}

/// A running reference server. It stops when this value is dropped.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use smtp_conformance::reference::{Options, Reference};
///
/// let server = Reference::start(Options::default()).await.unwrap();
/// assert!(server.address().ip().is_loopback());
/// # });
/// ```
#[derive(Debug)]
pub struct Reference {
    address: SocketAddr,
    options: Options,
    certificate: Option<String>,
    serving: JoinHandle<()>,
}

impl Reference {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If no port is free, or if the server's own data is not well-formed.
    pub async fn start(options: Options) -> Result<Reference> {
        Reference::start_at(Ipv4Addr::LOCALHOST, options).await
    }

    /// Starts a server on a free port of an address.
    ///
    /// # Errors
    ///
    /// If this machine does not have the address, if no port is free, or if the server's own data is not well-formed.
    pub async fn start_at(ip: Ipv4Addr, options: Options) -> Result<Reference> {
        let listener =
            TcpListener::bind((ip, 0)).await.with_context(|| format!("cannot listen on a port of {ip}"))?;
        let address = listener.local_addr().context("cannot tell the port that the server listens on")?;
        let server = Server::new(&options, address.ip())?;
        let certificate = server.tls.as_ref().map(|tls| tls.certificate.clone());
        let serving = tokio::spawn(async move { server.serve(listener).await });
        Ok(Reference { address, options, certificate, serving })
    }

    /// Serves on the caller's socket until the future is dropped.
    ///
    /// # Errors
    ///
    /// If the server's own data is not well-formed.
    pub async fn serve(listener: TcpListener, options: Options) -> Result<()> {
        let address = listener.local_addr().context("cannot tell the address that the server listens on")?;
        Server::new(&options, address.ip())?.serve(listener).await;
        Ok(())
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its certificate in PEM, or `None` without TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Returns what a target file can say about it.
    #[must_use]
    pub fn knowledge() -> Knowledge {
        let mailbox = |mailbox: &str| Some(mailbox.to_owned());
        Knowledge {
            valid: mailbox("alice@example.org"),
            unknown: mailbox("nosuch@example.org"),
            foreign: mailbox("someone@elsewhere.example"),
            forwarded: mailbox("moved@example.org"),
            full: mailbox("full@example.org"),
            size_limit: Some(SIZE),
            policies: vec![Policy::Vpim, Policy::Cleartext],
            ..Knowledge::default()
        }
    }

    /// Returns the name and password of the user who can log in.
    #[must_use]
    pub fn credentials() -> Credentials {
        Credentials { user: USER.to_owned(), password: PASSWORD.to_owned(), cleartext: false }
    }

    /// Returns it as a target, with everything that is known about it. LMTP has no credentials.
    #[must_use]
    pub fn target(&self) -> Target {
        let mut knowledge = Reference::knowledge();
        knowledge.port = self.options.faults.iter().find_map(|fault| fault.port);
        if self.options.faults.iter().any(|fault| fault.exposed) {
            knowledge.policies.retain(|policy| *policy != Policy::Cleartext);
        }
        Target {
            name: "reference server".to_owned(),
            address: Address::Tcp(self.address.ip().to_string(), self.address.port()),
            addresses: None,
            protocol: self.options.protocol,
            implicit_tls: self.options.tls == Tls::Implicit,
            server: None,
            knowledge,
            credentials: (self.options.protocol != Protocol::Lmtp).then(Reference::credentials),
            parallel: None,
            delivery: self.options.delivery.clone().map(|destination| Delivery { destination, wait: WAIT }),
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Server {
    setting: Setting,
    tls: Option<OwnTls>,
    pace: Duration,
    recorder: Option<Arc<Recorder>>,
}

/// TLS with a self-signed certificate.
#[derive(Clone)]
struct OwnTls {
    acceptor: TlsAcceptor,
    /// The certificate in PEM.
    certificate: String,
}

impl Server {
    fn new(options: &Options, ip: IpAddr) -> Result<Server> {
        let tls = match options.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some(own_tls(ip)?),
        };
        let setting = Setting {
            protocol: options.protocol,
            tls: options.tls,
            faults: options.faults.clone(),
            replies: Replies::built_in()?,
            memory: Arc::new(Memory::default()),
            delivery: options.delivery.clone(),
            script: Arc::new(options.script.clone()),
            withheld: Arc::new(options.withheld.clone()),
            size: options.size,
            welcomes_all: options.welcomes_all,
            ledger: options.ledger.clone(),
        };
        Ok(Server { setting, tls, pace: options.pace, recorder: options.recorder.clone() })
    }

    /// Accepts connections. All connections end when this future does.
    async fn serve(self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            while connections.try_join_next().is_some() {}
            let Ok((stream, client)) = listener.accept().await else {
                // The client is gone already, or the process has too many open files.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Without Nagle's algorithm, small replies are sent at once.
            let _ = stream.set_nodelay(true);
            let tls = self.tls.as_ref().map(|tls| tls.acceptor.clone());
            let (setting, pace) = (self.setting.clone(), self.pace);
            let tape = self.recorder.clone().map(|recorder| Tape::new(recorder, client));
            let witness = setting
                .ledger
                .clone()
                .map(|ledger| Witness::new(ledger, setting.protocol, setting.tls == Tls::Implicit));
            connections.spawn(async move {
                connection::serve(Box::new(stream), setting, tls, pace, tape, witness).await;
                drop(permit);
            });
        }
    }
}

static OWN_TLS: LazyLock<Result<OwnTls, String>> =
    LazyLock::new(|| make_tls(IpAddr::V4(Ipv4Addr::LOCALHOST)).map_err(|error| format!("TLS: {error}")));

/// Returns TLS with a certificate for an address. The one for 127.0.0.1 is made once per process.
fn own_tls(ip: IpAddr) -> Result<OwnTls> {
    if ip == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return OWN_TLS.clone().map_err(|error| anyhow!(error));
    }
    make_tls(ip).map_err(|error| anyhow!("TLS: {error}"))
}

fn make_tls(ip: IpAddr) -> Result<OwnTls, Box<dyn std::error::Error>> {
    let names = [replies::DOMAIN.to_owned(), "localhost".to_owned(), ip.to_string()];
    let own = rcgen::generate_simple_self_signed(names)?;
    let certificate = own.cert.pem();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.into()], key)?;
    Ok(OwnTls { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
}
