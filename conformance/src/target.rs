//! The server under test: its address, its protocol, its credentials and what is known about it.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;

use crate::data_file::{self, line_of};
use crate::dialogue::arrival::By;
use crate::knowledge::{Knowledge, WRONG_PASSWORDS};
use crate::limits::{CREDENTIAL_OCTETS, FILE_OCTETS};
use crate::product::Product;
use crate::protocol::Protocol;

/// The host name that the client gives in EHLO.
pub(crate) const CLIENT: &str = "client.example.org";

/// A server to test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name that reports and baselines use.
    pub name: String,
    /// Where the server listens.
    pub address: Address,
    /// The IP addresses that its host name resolved to. If `None`, the name is resolved again for each connection.
    pub addresses: Option<Vec<IpAddr>>,
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// Whether TLS begins with the connection.
    pub implicit_tls: bool,
    /// What is known about the server.
    pub knowledge: Knowledge,
    /// The product that the server is. If `None`, reports use the product that the server itself names.
    pub server: Option<Product>,
    /// The name and password of one of its users.
    pub credentials: Option<Credentials>,
    /// The maximum number of concurrent connections, for a server that answers differently to more.
    pub parallel: Option<NonZero<usize>>,
    /// How to read what the server delivers.
    pub delivery: Option<Delivery>,
}

/// How to read what a server delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where the messages arrive.
    pub destination: Destination,
    /// How long to wait for messages, at most [`Delivery::LONGEST`].
    pub wait: Duration,
}

impl Delivery {
    /// The longest time to wait for messages.
    pub const LONGEST: Duration = Duration::from_secs(30);
    /// The time to wait for messages if the target states none.
    const USUAL: Duration = Duration::from_secs(5);

    /// Returns whether the server delivers to the suite, and not into a mailbox.
    #[must_use]
    pub fn is_sink(&self) -> bool {
        !self.destination.by().is_mailbox()
    }
}

/// Where messages arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A Maildir, which has the folders `new` and `cur`.
    Maildir(PathBuf),
    /// A file in mbox format.
    Mbox(PathBuf),
    /// An address on which the suite accepts everything by LMTP.
    Lmtp(SocketAddr),
    /// An address on which the suite accepts everything by SMTP.
    Smtp(SocketAddr),
}

impl Destination {
    /// Reads `maildir:PATH`, `mbox:PATH`, `lmtp://ADDRESS:PORT` or `smtp://ADDRESS:PORT`.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has another form.
    pub fn read(text: &str) -> Result<Destination> {
        let address = |address: &str| {
            let address = address.trim_end_matches('/').parse();
            address.with_context(|| {
                format!("{text:?}: write an IP address and a port, as in lmtp://127.0.0.1:2424")
            })
        };
        Ok(match text.split_once(':') {
            Some(("maildir", path)) if !path.is_empty() => Destination::Maildir(path.into()),
            Some(("mbox", path)) if !path.is_empty() => Destination::Mbox(path.into()),
            Some(("lmtp", rest)) if rest.starts_with("//") => Destination::Lmtp(address(&rest[2..])?),
            Some(("smtp", rest)) if rest.starts_with("//") => Destination::Smtp(address(&rest[2..])?),
            _ => bail!("{text:?}: begin with maildir:, mbox:, lmtp:// or smtp://"),
        })
    }

    /// Returns how messages are read there.
    #[must_use]
    pub fn by(&self) -> By {
        match self {
            Destination::Maildir(_) => By::Maildir,
            Destination::Mbox(_) => By::Mbox,
            Destination::Lmtp(_) => By::Lmtp,
            Destination::Smtp(_) => By::Smtp,
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host, by name or IP address, and a TCP port.
    Tcp(String, u16),
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// Whether they may be sent in clear to this machine even if TLS is offered. To another host they never are.
    pub cleartext: bool,
}

impl Credentials {
    /// Returns the message of SASL PLAIN in base64 (RFC 4616 §2).
    pub(crate) fn plain_message(user: &str, password: &str) -> String {
        Credentials::plain_message_as("", user, password)
    }

    /// Returns the message of SASL PLAIN in base64, with an authorization identity.
    pub(crate) fn plain_message_as(identity: &str, user: &str, password: &str) -> String {
        STANDARD.encode(format!("{identity}\0{user}\0{password}"))
    }

    /// Returns a wrong password that reveals nothing about the right one. It has no three letters in common with the
    /// right one, so that it stays legible where the right one is removed.
    pub(crate) fn wrong_password(&self) -> &'static str {
        let password = self.password.to_ascii_lowercase();
        let octets = password.as_bytes();
        let shares = |wrong: &str| {
            let mut pieces = octets.windows(octets.len().clamp(1, 3));
            pieces.any(|piece| wrong.as_bytes().windows(piece.len()).any(|other| other == piece))
        };
        let [.., last] = WRONG_PASSWORDS;
        WRONG_PASSWORDS.into_iter().find(|wrong| !shares(wrong)).unwrap_or(last)
    }
}

/// Omits the password.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Target {
    /// Reads a URL (`smtp://`, `smtps://`, `submission://`, `lmtp://`, `unix:`) or the path of a TOML file.
    ///
    /// ```
    /// use smtp_conformance::{Address, Target};
    ///
    /// let target = Target::read("submission://[::1]:2587").unwrap();
    /// assert_eq!(target.address, Address::Tcp("::1".to_owned(), 2587));
    /// assert!(target.is_loopback());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is neither a valid URL nor the path of a readable, valid file.
    pub fn read(text: &str) -> Result<Target> {
        if text.contains("://") || text.starts_with("unix:") {
            Target::from_url(text)
        } else {
            Target::from_file(Path::new(text))
        }
    }

    /// Returns whether the server is on this machine: a Unix socket, `localhost` or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.address {
            Address::Unix(_) => true,
            Address::Tcp(host, _) => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// Returns the TCP port, or `None` for a Unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match &self.address {
            Address::Unix(_) => None,
            Address::Tcp(_, port) => Some(*port),
        }
    }

    fn from_url(url: &str) -> Result<Target> {
        let target = |address, protocol, implicit_tls| Target {
            name: url.to_owned(),
            address,
            addresses: None,
            protocol,
            implicit_tls,
            knowledge: Knowledge::default(),
            server: None,
            credentials: None,
            parallel: None,
            delivery: None,
        };
        if let Some(path) = url.strip_prefix("unix:") {
            return Ok(target(Address::Unix(path.into()), Protocol::Lmtp, false));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| anyhow!("{url:?} is not a URL"))?;
        let (protocol, implicit_tls, port) = match scheme {
            "smtp" => (Protocol::Smtp, false, 25),
            "smtps" => (Protocol::Submission, true, 465),
            "submission" => (Protocol::Submission, false, 587),
            "lmtp" => (Protocol::Lmtp, false, 24),
            _ => bail!("{url:?}: begin with smtp://, smtps://, submission://, lmtp:// or unix:"),
        };
        let rest = rest.trim_end_matches('/');
        let (host, after) = match rest.strip_prefix('[') {
            Some(rest) => {
                rest.split_once(']').ok_or_else(|| anyhow!("{url:?}: the closing `]` is missing"))?
            }
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let is_odd = after.starts_with(|first| first != ':') || rest.contains(['/', '@', '?', '#']);
        if host.is_empty() || is_odd {
            bail!(
                "{url:?}: write only a host and, if needed, a port; credentials and mailboxes go in a target file"
            );
        }
        let port = match after.strip_prefix(':') {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .with_context(|| format!("{url:?}: port {port:?}: write a number from 1 to 65535"))?,
            None => port,
        };
        Ok(target(Address::Tcp(host.to_owned(), port), protocol, implicit_tls))
    }

    fn from_file(path: &Path) -> Result<Target> {
        let name = path.display().to_string();
        if !path.exists()
            && path.extension() != Some("toml".as_ref())
            && let Ok(meant) = Target::from_url(&format!("smtp://{name}"))
        {
            bail!("{name}: no such file; did you mean {}?", meant.name);
        }
        let text = data_file::text(path, FILE_OCTETS)?;
        let file: File = data_file::parse(&name, &text)?;
        let mut target = Target::from_url(&file.url).with_context(|| format!("{name}: url"))?;
        target.name = file.name.unwrap_or(name.clone());
        file.known.check().with_context(|| format!("{name}: known"))?;
        target.knowledge = file.known;
        target.server = file.server;
        target.parallel = file.parallel;
        target.protocol = file.protocol.unwrap_or(target.protocol);
        let folder = path.parent().unwrap_or(Path::new("."));
        let credentials = file.credentials.map(|raw| raw.read(folder));
        target.credentials = credentials.transpose().with_context(|| format!("{name}: credentials"))?;
        if let Some(raw) = file.delivery {
            let line = line_of(text.as_bytes(), raw.span().start);
            let delivery = raw.into_inner().read(folder).with_context(|| format!("{name}:{line}: delivery"));
            target.delivery = Some(delivery?);
        }
        Ok(target)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: String,
    name: Option<String>,
    protocol: Option<Protocol>,
    server: Option<Product>,
    #[serde(default)]
    known: Knowledge,
    credentials: Option<RawCredentials>,
    parallel: Option<NonZero<usize>>,
    delivery: Option<Spanned<RawDelivery>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDelivery {
    maildir: Option<PathBuf>,
    mbox: Option<PathBuf>,
    lmtp: Option<SocketAddr>,
    smtp: Option<SocketAddr>,
    wait: Option<u64>,
    #[serde(default)]
    public: bool,
}

impl RawDelivery {
    /// Reads the table. Paths are relative to the folder of the target file.
    fn read(self, folder: &Path) -> Result<Delivery> {
        let destinations: Vec<Destination> = [
            self.maildir.map(|path| Destination::Maildir(folder.join(path))),
            self.mbox.map(|path| Destination::Mbox(folder.join(path))),
            self.lmtp.map(Destination::Lmtp),
            self.smtp.map(Destination::Smtp),
        ]
        .into_iter()
        .flatten()
        .collect();
        let Ok([destination]) = <[Destination; 1]>::try_from(destinations) else {
            bail!("write exactly one of maildir, mbox, lmtp, smtp");
        };
        if let Destination::Lmtp(address) | Destination::Smtp(address) = destination
            && !address.ip().is_loopback()
            && !self.public
        {
            bail!("{address} is not a loopback address; write public = true if others may connect to it");
        }
        let wait = self.wait.map_or(Delivery::USUAL, Duration::from_secs);
        ensure!(wait <= Delivery::LONGEST, "wait: write at most {} seconds", Delivery::LONGEST.as_secs());
        Ok(Delivery { destination, wait })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawCredentials {
    user: String,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    #[serde(default)]
    cleartext: bool,
}

impl RawCredentials {
    /// Reads the password from a file, relative to the folder of the target file, or from an environment variable, so
    /// that it appears neither in the process list nor in version control.
    fn read(self, folder: &Path) -> Result<Credentials> {
        let password = match (self.password_file, self.password_env) {
            (Some(file), None) => {
                let file = folder.join(file);
                let text = data_file::text(&file, FILE_OCTETS)?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
            (None, Some(name)) => {
                std::env::var(&name).with_context(|| format!("environment variable {name}"))?
            }
            _ => bail!("write either password-file or password-env"),
        };
        for (what, text) in [("the user name", &self.user), ("the password", &password)] {
            ensure!(text.len() <= CREDENTIAL_OCTETS, "{what} is longer than {CREDENTIAL_OCTETS} octets");
        }
        Ok(Credentials { user: self.user, password, cleartext: self.cleartext })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{Address, Credentials, Delivery, Destination, Target};

    #[test]
    fn the_delivery_table_names_one_destination() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("target.toml");
        let read = |table: &str| {
            let text = format!("url = \"smtp://127.0.0.1\"\n\n[delivery]\n{table}\n");
            std::fs::write(&path, text).expect("it can be written");
            Target::read(&path.display().to_string()).map(|target| target.delivery)
        };
        let delivery =
            |destination, seconds| Some(Delivery { destination, wait: Duration::from_secs(seconds) });
        let maildir = |path: PathBuf| Destination::Maildir(path);
        assert_eq!(
            read("maildir = \"in\"").expect("it is valid"),
            delivery(maildir(folder.path().join("in")), 5)
        );
        assert_eq!(
            read("lmtp = \"[::1]:2424\"\nwait = 30").expect("it is valid"),
            delivery(Destination::Lmtp("[::1]:2424".parse().expect("an address")), 30)
        );
        assert!(read("smtp = \"0.0.0.0:2525\"\npublic = true").is_ok());
        for (bad, message) in [
            ("", ":3: delivery: write exactly one of maildir, mbox, lmtp, smtp"),
            ("maildir = \"a\"\nmbox = \"b\"", ":3: delivery: write exactly one of"),
            (
                "lmtp = \"0.0.0.0:24\"",
                ":3: delivery: 0.0.0.0:24 is not a loopback address; write public = true",
            ),
            ("mbox = \"b\"\nwait = 31", ":3: delivery: wait: write at most 30 seconds"),
            ("imap = \"b\"", ":4: unknown field `imap`"),
            ("lmtp = \"mail:24\"", ":4: invalid socket address syntax"),
        ] {
            let error = format!("{:#}", read(bad).expect_err("it is refused"));
            assert!(error.contains(message), "{bad}: {error}");
        }
    }

    #[test]
    fn destinations() {
        let address = "127.0.0.1:2424".parse().expect("an address");
        for (text, destination) in [
            ("maildir:in/box", Destination::Maildir("in/box".into())),
            ("mbox:/var/mail/a", Destination::Mbox("/var/mail/a".into())),
            ("lmtp://127.0.0.1:2424", Destination::Lmtp(address)),
            ("smtp://127.0.0.1:2424/", Destination::Smtp(address)),
        ] {
            assert_eq!(Destination::read(text).expect("it is valid"), destination);
        }
        for (bad, message) in [
            ("maildir:", "begin with maildir:"),
            ("imap://a", "begin with maildir:"),
            ("lmtp:127.0.0.1:24", "begin with maildir:"),
            ("smtp://mx.example:25", "write an IP address and a port"),
        ] {
            let error = Destination::read(bad).expect_err("it is refused");
            assert!(format!("{error:#}").contains(message), "{bad}: {error:#}");
        }
    }

    #[test]
    fn a_wrong_password_has_nothing_in_common_with_the_right_one() {
        for (password, wrong) in [
            ("secret", "not-the-password"),
            ("", "not-the-password"),
            ("Password1", "a-mistyped-secret"),
            ("not-the-password", "a-mistyped-secret"),
            ("the secret", "zkq7vjx3wzkq9vjx5w"),
        ] {
            let credentials =
                Credentials { user: "alice".to_owned(), password: password.to_owned(), cleartext: false };
            assert_eq!(credentials.wrong_password(), wrong, "{password:?}");
        }
    }

    #[test]
    fn urls() {
        let read = |url: &str| Target::read(url).map(|target| (target.address, target.implicit_tls)).ok();
        assert_eq!(read("smtp://mx.example.org"), Some((Address::Tcp("mx.example.org".into(), 25), false)));
        assert_eq!(read("smtps://[::1]:1465/"), Some((Address::Tcp("::1".into(), 1465), true)));
        assert_eq!(read("unix:/run/lmtp"), Some((Address::Unix("/run/lmtp".into()), false)));
        for (bad, message) in [
            ("http://a", "begin with smtp://"),
            ("smtp://", "write only a host"),
            ("smtp://user:secret@a", "write only a host"),
            ("smtp://a:25/b", "write only a host"),
            ("smtp://[::1]25", "write only a host"),
            ("smtp://a:b", "write a number from 1 to 65535"),
            ("smtp://a:65536", "write a number from 1 to 65535"),
            ("smtp://a:0", "write a number from 1 to 65535"),
            ("127.0.0.1:2525", "did you mean smtp://127.0.0.1:2525?"),
            ("mx.example.org", "did you mean smtp://mx.example.org?"),
            ("no-such-file.toml", "no-such-file.toml: No such file"),
            ("no/such", "no/such: No such file"),
        ] {
            let error = Target::read(bad).map(|target| target.name).expect_err("it is refused");
            assert!(format!("{error:#}").contains(message), "{bad}: {error:#}");
        }
    }
}
