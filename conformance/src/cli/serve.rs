//! `smtp-conformance serve`: the reference server, for tests of clients.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::net::TcpListener;

use super::ProtocolName;
use super::terminal::say;
use crate::protocol::Protocol;
use crate::reference::{self, Fault, Reference, Tls, faults};

#[derive(Args)]
pub(super) struct Options {
    /// What it does wrong; may be given several times.
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// Prints the faults, with the rules that each breaks.
    #[arg(long)]
    list: bool,
    /// The port, on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 2525)]
    port: u16,
    /// What it speaks.
    #[arg(long, value_enum)]
    protocol: Option<ProtocolName>,
    /// Begins TLS with the connection.
    #[arg(long)]
    implicit_tls: bool,
}

/// Serves until the process is ended.
pub(super) fn run(options: &Options) -> Result<()> {
    if options.list {
        for fault in faults()? {
            let trips: Vec<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
            say!("{:<40} {} [{}]", fault.name, fault.about, trips.join(", "));
        }
        return Ok(());
    }
    let faults = options.fault.iter().map(|name| Fault::find(name)).collect::<Result<Vec<_>>>()?;
    let first = faults.first();
    let protocol =
        options.protocol.map_or_else(|| first.map_or(Protocol::Smtp, |fault| fault.protocol), Into::into);
    let tls = first.map_or(Tls::StartTls, |fault| fault.tls);
    let server = reference::Options {
        protocol,
        tls: if options.implicit_tls { Tls::Implicit } else { tls },
        faults,
        ..reference::Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
        let listener = listener.with_context(|| format!("port {}", options.port))?;
        say!("listening on {}", listener.local_addr().context("no address")?);
        Reference::serve(listener, server).await
    })
}
