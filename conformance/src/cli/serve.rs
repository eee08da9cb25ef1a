//! `smtp-conformance serve`: runs the reference server, to test clients against.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::net::TcpListener;

use super::terminal::say;
use super::{ProtocolName, misused};
use crate::protocol::Protocol;
use crate::reference::{self, Fault, Reference, Tls, faults};
use crate::target::Destination;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance serve --list
  smtp-conformance serve --port 2525 --protocol lmtp
  smtp-conformance serve --fault greylist --fault bare-lf
  smtp-conformance serve --deliver-to lmtp://127.0.0.1:2424";

#[derive(Args)]
pub(super) struct Options {
    /// Fault that makes the server do something wrong. May be given several times.
    #[arg(long, value_name = "NAME", help_heading = "Faults")]
    fault: Vec<String>,
    /// List the faults and the rules that each one breaks, instead of serving.
    #[arg(long, help_heading = "Faults")]
    list: bool,
    /// Port to listen on, on loopback only. With 0, a free port is chosen.
    #[arg(long, default_value_t = 2525, help_heading = "Server")]
    port: u16,
    /// Protocol to speak. By default it is the protocol of the first fault, or SMTP without faults.
    #[arg(long, value_enum, help_heading = "Server")]
    protocol: Option<ProtocolName>,
    /// Begin TLS as soon as a client connects, instead of offering STARTTLS.
    #[arg(long, help_heading = "Server")]
    implicit_tls: bool,
    /// Where to deliver accepted messages: maildir:PATH, mbox:PATH, lmtp://ADDRESS:PORT or smtp://ADDRESS:PORT. By
    /// default they are discarded.
    #[arg(long, value_name = "DESTINATION", help_heading = "Server")]
    deliver_to: Option<String>,
}

/// Serves until the process is killed. Returns an exit status only if there is nothing to serve.
pub(super) fn run(options: &Options) -> Result<u8> {
    let known = faults()?;
    if options.list {
        for fault in known {
            let trips: Vec<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
            say!("{:<40} {} [{}]", fault.name, fault.about, trips.join(", "));
        }
        return Ok(0);
    }
    let faults = match options.fault.iter().map(|name| Fault::find(name)).collect::<Result<Vec<_>>>() {
        Ok(faults) => faults,
        Err(error) => return Ok(misused(&error)),
    };
    let delivery = match options.deliver_to.as_deref().map(Destination::read).transpose() {
        Ok(delivery) => delivery,
        Err(error) => return Ok(misused(&error.context("--deliver-to"))),
    };
    let first = faults.first();
    let protocol =
        options.protocol.map_or_else(|| first.map_or(Protocol::Smtp, |fault| fault.protocol), Into::into);
    let tls = first.map_or(Tls::StartTls, |fault| fault.tls);
    let server = reference::Options {
        protocol,
        tls: if options.implicit_tls { Tls::Implicit } else { tls },
        faults,
        delivery,
        ..reference::Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the async runtime")?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
        let listener = listener.with_context(|| format!("cannot listen on port {}", options.port))?;
        say!("listening on {}", listener.local_addr().context("cannot find out the address of the socket")?);
        Reference::serve(listener, server).await?;
        Ok(0)
    })
}
