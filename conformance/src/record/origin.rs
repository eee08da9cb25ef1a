//! The origin of records: a run against a server, recordings, or a client that was tried.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The origin of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A run against a server.
    Run(RunOrigin),
    /// Recordings: the names of their files.
    Recordings(Vec<String>),
    /// A client that was tried.
    Client(ClientOrigin),
}

/// The date on which a client was tried, and how it was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientOrigin {
    /// The time when the run began, in UTC.
    pub date: Timestamp,
    /// The command lines, with placeholders, by the names of their templates.
    pub commands: BTreeMap<String, String>,
}

/// The date of a run and the server that it tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOrigin {
    /// The time when the run began, in UTC.
    pub date: Timestamp,
    /// The server as the target names it: a host name, an IP address, or `unix:` and the path of a socket.
    pub host: String,
    /// The TCP port, or `None` for a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The IP addresses that the client connected to, each once, in the order of the first connections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// The first TLS handshake, or `None` if none was attempted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// A TLS handshake with the server under test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The version, such as `TLS 1.3`, or `None` if no handshake succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite by its IANA name, or `None` if no handshake succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The reason why the certificate was not verified, or `None` if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl RunOrigin {
    /// Returns the host and the port: `mx.example.org:25`, `[::1]:25`, `unix:/run/lmtp`.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        let host = &self.host;
        match self.port {
            Some(port) if host.contains(':') => format!("[{host}]:{port}"),
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        }
    }

    /// Returns the first handshake as text, or `none` if none was attempted.
    #[must_use]
    pub fn tls_or_none(&self) -> String {
        self.tls.as_ref().map_or("none".to_owned(), ToString::to_string)
    }

    /// Returns the addresses that the host name resolved to, separated by commas. Returns `None` if the host is itself
    /// the only address, or if the client connected to none.
    #[must_use]
    pub fn resolved(&self) -> Option<String> {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let is_known = addresses.is_empty() || addresses == [self.host.as_str()];
        (!is_known).then(|| addresses.join(", "))
    }
}

/// Formats a server as `mx.example.org:25 (192.0.2.1)`.
impl fmt::Display for RunOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host_and_port())?;
        self.resolved().map_or(Ok(()), |addresses| write!(f, " ({addresses})"))
    }
}

/// Formats a handshake as `TLS 1.3, TLS_AES_256_GCM_SHA384, certificate verified`.
impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.version, &self.cipher) {
            (Some(version), Some(cipher)) => write!(f, "{version}, {cipher}, ")?,
            _ => f.write_str("no handshake succeeded, ")?,
        }
        match &self.problem {
            Some(problem) => write!(f, "certificate not verified: {problem}"),
            None => f.write_str("certificate verified"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RunOrigin, Tls};

    #[test]
    fn a_server_is_shown_with_its_resolved_addresses() {
        let named = |host: &str, port, addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
            let date = jiff::Timestamp::UNIX_EPOCH;
            RunOrigin { date, host: host.to_owned(), port, addresses, tls: None }.to_string()
        };
        assert_eq!(named("mx.example.org", Some(25), &["192.0.2.1"]), "mx.example.org:25 (192.0.2.1)");
        assert_eq!(named("mx", Some(25), &["192.0.2.1", "::1"]), "mx:25 (192.0.2.1, ::1)");
        assert_eq!(named("mx", Some(25), &[]), "mx:25");
        assert_eq!(named("127.0.0.1", Some(2525), &["127.0.0.1"]), "127.0.0.1:2525");
        assert_eq!(named("::1", Some(24), &["::1"]), "[::1]:24");
        assert_eq!(named("unix:/run/lmtp", None, &[]), "unix:/run/lmtp");
    }

    #[test]
    fn a_handshake_shows_why_the_certificate_was_not_verified() {
        let tls = Tls { version: Some("TLS 1.3".into()), cipher: Some("A".into()), problem: None };
        assert_eq!(tls.to_string(), "TLS 1.3, A, certificate verified");
        let failed = Tls { problem: Some("expired".into()), ..Tls::default() };
        assert_eq!(failed.to_string(), "no handshake succeeded, certificate not verified: expired");
    }
}
