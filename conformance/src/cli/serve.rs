//! `smtp-conformance serve`: runs the reference server, to test clients against.

use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tokio::net::TcpListener;

use super::terminal::{remark, say};
use super::{ProtocolName, misused};
use crate::protocol::Protocol;
use crate::reference::{self, Fault, Recorder, Reference, SIZE, Script, Tls, Withheld, faults};
use crate::run::Interruption;
use crate::target::Destination;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance serve --list
  smtp-conformance serve --port 2525 --protocol lmtp
  smtp-conformance serve --fault greylist --fault bare-lf
  smtp-conformance serve --transcript session.txt
  smtp-conformance serve --reply 'rcpt[2]=550 5.1.1 No such user' --reply data=drop
  smtp-conformance serve --without 8BITMIME --size 1000
  smtp-conformance serve --deliver-to lmtp://127.0.0.1:2424";

#[derive(Args)]
pub(super) struct Options {
    /// Fault that makes the server do something wrong. May be given several times.
    #[arg(long, value_name = "NAME", help_heading = "Faults")]
    fault: Vec<String>,
    /// List the faults and the rules that each one breaks, instead of serving.
    #[arg(long, help_heading = "Faults")]
    list: bool,
    /// A reply to send instead of the server's own, or what happens to a reply. May be given several times.
    ///
    /// SELECTOR is a stage of the session, or `all`. The stages are greeting, ehlo (LHLO too), helo, mail, rcpt, data, eod
    /// (the end of a message), bdat, bdat-last, rset, noop, quit, vrfy, expn, help, starttls, auth, auth-response (to a
    /// response to a challenge) and other. `rcpt[2]` is the second reply to RCPT on a connection, and `rcpt[2+]` that and
    /// all later ones. In LMTP a message has a reply for each recipient, so `lmtp.eod[2]` is that for the second one.
    /// The narrowest selector decides.
    ///
    /// REPLY is a reply code, a whole reply, or an effect. In a whole reply, \r, \n, \xHH and \\ are octets, and \+ at
    /// the end leaves out the line end. The server goes on as the reply says: after `data=250` it takes the message
    /// for commands. Effects:
    ///
    /// drop (close instead of the reply), close (close after it), cut (send half of it, and close), stall (send nothing
    /// from then on), stall-within (send half of it, and nothing from then on), silence (leave it out), twice, late (send
    /// it after the next one), octets (send each octet in a packet of its own), slow (send an octet per second),
    /// endless-lines, endless-text, no-text (send the reply code alone), multi-line (send another line first). With
    /// `all`, no-text and multi-line leave the replies to EHLO and AUTH as they are.
    #[arg(long, value_name = "SELECTOR=REPLY", help_heading = "Replies")]
    reply: Vec<String>,
    /// Keyword of EHLO that is not offered, such as 8BITMIME. Its commands and parameters are refused. May be given
    /// several times.
    #[arg(long, value_name = "KEYWORD", help_heading = "Replies")]
    without: Vec<String>,
    /// Largest message that the server accepts, in octets.
    #[arg(long, value_name = "OCTETS", default_value_t = SIZE, help_heading = "Replies")]
    size: u64,
    /// Send a second reply, in clear, together with 220 to STARTTLS. It is the fault injected-after-starttls.
    #[arg(long, help_heading = "Replies")]
    inject_before_tls: bool,
    /// File to write what is said on each connection to when it ends, for `judge` to read, or `-` for standard output.
    /// Credentials are masked; messages are not.
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    transcript: Option<PathBuf>,
    /// Port to listen on, on loopback only. With 0, a free port is chosen.
    #[arg(long, default_value_t = 2525, help_heading = "Server")]
    port: u16,
    /// Protocol to speak. By default it is the one that a selector of --reply names, or that of the first fault, or SMTP.
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

/// Serves until a signal comes, and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let known = faults()?;
    if options.list {
        for fault in known {
            let trips: Vec<&str> = fault.trips.iter().map(|rule| rule.rule().id).collect();
            say!("{:<40} {} [{}]", fault.name, fault.about, trips.join(", "));
        }
        return Ok(0);
    }
    let server = match server(options) {
        Ok(server) => server,
        Err(error) => return Ok(misused(&error)),
    };
    let recorder = options.transcript.as_deref().map(recorder).transpose()?;
    let server = reference::Options { recorder: recorder.map(Arc::new), ..server };
    let interruption = Interruption::default();
    interruption.heed_signals().context("cannot handle signals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    // When the runtime ends, so do the connections that are open, and their transcripts are written.
    runtime.context("cannot start the async runtime")?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
        let listener = listener.with_context(|| format!("cannot listen on port {}", options.port))?;
        let address = listener.local_addr().context("cannot find out the address of the socket")?;
        if options.writes_transcript_to_output() {
            remark!("listening on {address}");
        } else {
            say!("listening on {address}");
        }
        tokio::select! {
            ended = Reference::serve(listener, server) => ended.map(|()| 0),
            () = interruption.happened() => Ok(interruption.status().unwrap_or_default()),
        }
    })
}

impl Options {
    fn writes_transcript_to_output(&self) -> bool {
        self.transcript.as_deref().is_some_and(|path| path == Path::new("-"))
    }
}

/// Returns what the options say about the server.
fn server(options: &Options) -> Result<reference::Options> {
    let mut faults = options.fault.iter().map(|name| Fault::find(name)).collect::<Result<Vec<_>>>()?;
    let delivery =
        options.deliver_to.as_deref().map(Destination::read).transpose().context("--deliver-to")?;
    let script = Script::read(options.reply.iter().map(String::as_str)).context("--reply")?;
    let withheld = Withheld::read(options.without.iter().map(String::as_str)).context("--without")?;
    let named = script.protocol().context("--reply")?;
    let chosen: Option<Protocol> = options.protocol.map(Into::into);
    ensure!(
        named.is_none() || chosen.is_none() || named == chosen,
        "--reply: a selector names another protocol than --protocol does"
    );
    let first = faults.first();
    let protocol = chosen.or(named).or(first.map(|fault| fault.protocol)).unwrap_or(Protocol::Smtp);
    let tls = first.map_or(Tls::StartTls, |fault| fault.tls);
    if options.inject_before_tls {
        faults.push(Fault::find("injected-after-starttls")?);
    }
    Ok(reference::Options {
        protocol,
        tls: if options.implicit_tls { Tls::Implicit } else { tls },
        faults,
        delivery,
        script,
        withheld,
        size: options.size,
        ..reference::Options::default()
    })
}

fn recorder(path: &Path) -> Result<Recorder> {
    if path == Path::new("-") {
        return Ok(Recorder::new(Reporting { writer: io::stdout(), name: "standard output".to_owned() }));
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Recorder::new(Reporting { writer: file, name: path.display().to_string() }))
}

/// Reports errors of a writer on standard error.
struct Reporting<W> {
    writer: W,
    name: String,
}

impl<W: Write> Write for Reporting<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.writer.write(octets).inspect_err(|error| remark!("cannot write to {}: {error}", self.name))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().inspect_err(|error| remark!("cannot write to {}: {error}", self.name))
    }
}
