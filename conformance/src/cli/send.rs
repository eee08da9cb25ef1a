//! `smtp-conformance send`: sends one message as the reference client.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rustls::ClientConfig;

use super::misused;
use super::terminal::say;
use crate::data_file;
use crate::limits::{FILE_OCTETS, SENT_MESSAGE_OCTETS};
use crate::sender::{self, Credentials, Fault, faults};

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance send --server 127.0.0.1:2525 --from bob@example.net --to alice@example.org --message mail.eml
  smtp-conformance send --server 127.0.0.1:2525 --from bob@example.net --to alice@example.org --tls --ca ca.pem <mail.eml
  smtp-conformance send --fault no-quit --server 127.0.0.1:2525 --from bob@example.net --to alice@example.org <mail.eml
  smtp-conformance send --list";

pub(super) const EXIT_STATUS: &str = "\
Exit status:
  0    The server accepted the message for all recipients
  2    Invalid command line, or a file that cannot be read
  69   It accepted the message for no recipient, and sending again will not help
  70   It accepted the message for some recipients, and sending again will not help the others
  71   It accepted the message for some recipients, and sending again later may help for at least one
  75   It accepted the message for no recipient, and sending again later may help for at least one";

#[derive(Args)]
pub(super) struct Options {
    /// Server to send to.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "list")]
    server: Option<String>,
    /// Address of the sender. It may be empty, as in a bounce.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "list")]
    from: Option<String>,
    /// Address of a recipient. May be given several times.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "list")]
    to: Vec<String>,
    /// File that has the message, of at most 64 MiB. By default it is read from standard input. Its lines may end in CR LF,
    /// LF or CR.
    #[arg(long, value_name = "FILE")]
    message: Option<PathBuf>,
    /// Speak LMTP.
    #[arg(long)]
    lmtp: bool,
    /// Send the message in two chunks with BDAT, if the server offers CHUNKING.
    #[arg(long)]
    bdat: bool,
    /// Seconds to wait for a connection, for each reply, and for each block of the message to be sent.
    #[arg(
        long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    timeout: u64,
    #[command(flatten)]
    protection: Protection,
    /// Fault that makes the client do something wrong. May be given several times.
    #[arg(long, value_name = "NAME", help_heading = "Faults")]
    fault: Vec<String>,
    /// List the faults and the rules that each one breaks, instead of sending.
    #[arg(long, help_heading = "Faults")]
    list: bool,
}

#[derive(Args)]
#[command(next_help_heading = "TLS and login")]
struct Protection {
    /// Demand STARTTLS. Without it, nothing is encrypted.
    #[arg(long)]
    tls: bool,
    /// File of the certificates to trust, in PEM format. By default these are the root certificates of this machine.
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,
    /// Accept any certificate.
    #[arg(long, requires = "tls", conflicts_with = "ca")]
    insecure: bool,
    /// Name of the user to log in as, with CRAM-MD5, PLAIN or LOGIN. With --tls, nothing is sent in clear.
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// Password of the user. Other users of this machine can see it.
    #[arg(long, requires = "user")]
    password: Option<String>,
}

/// Sends the message, prints what became of it for each recipient, and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    if options.list {
        for fault in faults()? {
            let trips: Vec<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
            say!("{:<40} {} [{}]", fault.name, fault.about, trips.join(", "));
        }
        return Ok(0);
    }
    let (settings, message) = match prepared(options) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(misused(&error)),
    };
    let report = sender::send(&settings, &message);
    for outcome in &report.outcomes {
        // An address may contain a line feed.
        say!("{}", outcome.to_string().replace('\n', "\\n"));
    }
    Ok(report.status.code())
}

/// Returns what the options say, and the message.
fn prepared(options: &Options) -> Result<(sender::Options, Vec<u8>)> {
    let server = options.server.as_deref().unwrap_or_default();
    let from = options.from.as_deref().unwrap_or_default();
    let settings = sender::Options::new(server, from, options.to.clone()).context("--server")?;
    let settings = sender::Options {
        tls: options.protection.tls()?,
        credentials: options.protection.credentials(),
        lmtp: options.lmtp,
        bdat: options.bdat,
        timeout: Duration::from_secs(options.timeout),
        faults: options.fault.iter().map(|name| Fault::find(name)).collect::<Result<_>>()?,
        ..settings
    };
    Ok((settings, message(options.message.as_deref())?))
}

impl Protection {
    fn tls(&self) -> Result<Option<Arc<ClientConfig>>> {
        let config = match &self.ca {
            _ if !self.tls => return Ok(None),
            Some(file) => {
                let pem = data_file::text(file, FILE_OCTETS)?;
                sender::trusting(pem.as_bytes()).with_context(|| file.display().to_string())
            }
            None if self.insecure => sender::accepting_any(),
            None => sender::verifying().context("--tls: name a file of certificates with --ca"),
        };
        config.map(Some)
    }

    fn credentials(&self) -> Option<Credentials> {
        let (user, password) = self.user.clone().zip(self.password.clone())?;
        Some(Credentials { user, password })
    }
}

fn message(file: Option<&Path>) -> Result<Vec<u8>> {
    let Some(file) = file else { return octets(io::stdin()).context("standard input") };
    let name = || file.display().to_string();
    octets(File::open(file).with_context(name)?).with_context(name)
}

fn octets(from: impl Read) -> Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.take(SENT_MESSAGE_OCTETS + 1).read_to_end(&mut octets)?;
    ensure!(
        octets.len() as u64 <= SENT_MESSAGE_OCTETS,
        "the message is longer than the limit of {SENT_MESSAGE_OCTETS} octets"
    );
    Ok(octets)
}
