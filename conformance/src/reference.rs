//! The reference server: it keeps every rule, and with a fault it breaks those that the fault names.
//!
//! Cases and rules are proved against it, and authors of mail clients can test against it. It takes mail and
//! drops it.

mod connection;
mod fault;
mod key;
mod machine;
mod memory;
mod replies;
mod wire;

use std::net::SocketAddr;
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

use crate::knowledge::{Knowledge, Policy};
use crate::protocol::Protocol;
use crate::target::{Address, Credentials, Target};
use machine::Setting;
use memory::Memory;
use replies::Replies;

/// The most octets of a message.
const SIZE: u64 = 100_000;

/// The most recipients of a message.
const RECIPIENTS: usize = 120;

/// The most connections at once.
const CONNECTIONS: usize = 64;

/// The user who can log in.
const USER: &str = "alice";

/// That user's password.
const PASSWORD: &str = "secret";

/// What a server has of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Nothing.
    #[default]
    None,
    /// STARTTLS.
    StartTls,
    /// TLS from the start.
    Implicit,
}

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its TLS.
    pub tls: Tls,
    /// What it does wrong.
    pub faults: Vec<&'static Fault>,
    /// The pause behind each octet of a reply that a fault sends slowly.
    pub pace: Duration,
}

impl Default for Options {
    /// SMTP without TLS and without faults; a second behind each slow octet.
    fn default() -> Options {
        Options { protocol: Protocol::Smtp, tls: Tls::None, faults: Vec::new(), pace: Duration::from_secs(1) }
    }
}

impl Options {
    /// The server that a fault is for, with that fault.
    #[must_use]
    pub fn of(fault: &'static Fault) -> Options {
        Options { protocol: fault.protocol, tls: fault.tls, faults: vec![fault], ..Options::default() }
    }
}

/// A reference server that runs; dropped, it stops.
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
    serving: JoinHandle<()>,
}

impl Reference {
    /// Starts a server on a free port of this machine.
    ///
    /// # Errors
    ///
    /// Where there is no port, or a file of the server's data is not well-formed.
    pub async fn start(options: Options) -> Result<Reference> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port")?;
        let address = listener.local_addr().context("no address")?;
        let server = Server::new(&options)?;
        let serving = tokio::spawn(async move { server.serve(listener).await });
        Ok(Reference { address, options, serving })
    }

    /// Serves on a socket of the caller's, without end.
    ///
    /// # Errors
    ///
    /// Where a file of the server's data is not well-formed.
    pub async fn serve(listener: TcpListener, options: Options) -> Result<()> {
        Server::new(&options)?.serve(listener).await;
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is known of it.
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
            policies: vec![Policy::Vpim],
            ..Knowledge::default()
        }
    }

    /// The user who can log in.
    #[must_use]
    pub fn credentials() -> Credentials {
        Credentials { user: USER.to_owned(), password: PASSWORD.to_owned(), cleartext: false }
    }

    /// It as a target, with all that is known of it.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            name: "reference server".to_owned(),
            address: Address::Tcp(self.address.ip().to_string(), self.address.port()),
            addresses: None,
            protocol: self.options.protocol,
            implicit_tls: self.options.tls == Tls::Implicit,
            server: None,
            knowledge: Knowledge {
                port: self.options.faults.iter().find_map(|fault| fault.port),
                ..Reference::knowledge()
            },
            credentials: (self.options.protocol != Protocol::Lmtp).then(Reference::credentials),
            parallel: None,
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
    tls: Option<TlsAcceptor>,
    pace: Duration,
}

impl Server {
    fn new(options: &Options) -> Result<Server> {
        let tls = match options.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some(acceptor()?),
        };
        let setting = Setting {
            protocol: options.protocol,
            tls: options.tls,
            faults: options.faults.clone(),
            replies: Replies::built_in()?,
            memory: Arc::new(Memory::default()),
        };
        Ok(Server { setting, tls, pace: options.pace })
    }

    /// Takes connections. When this ends, they end.
    async fn serve(self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            while connections.try_join_next().is_some() {}
            let Ok((stream, _)) = listener.accept().await else {
                // One connection that comes to nothing, or no room for now.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Small replies go out at once.
            let _ = stream.set_nodelay(true);
            let (setting, tls, pace) = (self.setting.clone(), self.tls.clone(), self.pace);
            connections.spawn(async move {
                connection::serve(Box::new(stream), setting, tls, pace).await;
                drop(permit);
            });
        }
    }
}

static ACCEPTOR: LazyLock<Result<TlsAcceptor, String>> =
    LazyLock::new(|| make_acceptor().map_err(|error| format!("TLS: {error}")));

/// TLS with a certificate that this process has made for itself.
fn acceptor() -> Result<TlsAcceptor> {
    ACCEPTOR.clone().map_err(|error| anyhow!(error))
}

fn make_acceptor() -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
    let names = [replies::DOMAIN, "localhost", "127.0.0.1"].map(str::to_owned);
    let own = rcgen::generate_simple_self_signed(names)?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.into()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
