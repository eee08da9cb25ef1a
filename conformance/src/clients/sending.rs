//! One attempt: a server with a behaviour, and a client that sends a message to it.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::time::{Instant, sleep};

use super::behaviour::Behaviour;
use super::client::Client;
use super::material::{self, envelope};
use super::process::{Ended, Process};
use super::template::Values;
use crate::dialogue::{Dialogue, Exchange};
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::protocol::notation::shown;
use crate::reference::{Ledger, Options, Reference, Tls};
use crate::rules::client::{Envelope, Opinion, Reported, Sending, judge_client};

/// What a client may do in one attempt before it is stopped.
const CONNECTIONS: usize = 50;
const EXCHANGES: usize = 1000;
const OCTETS: usize = 8 << 20;

/// How often it is looked whether a client does too much.
const LOOK: Duration = Duration::from_millis(50);

/// How long the connections may stay open after the client has ended.
const CLOSING: Duration = Duration::from_secs(2);

/// How much of a client's output is quoted, in characters.
const QUOTED: usize = 200;

/// What happened in an attempt.
pub(super) struct Attempt {
    /// The client's connections.
    pub(super) dialogues: Vec<Dialogue>,
    /// What the client reported.
    pub(super) reported: Reported,
    /// Whether the server sent what the behaviour is about.
    pub(super) is_reached: bool,
    envelope: Envelope,
    message: Vec<u8>,
    ended: Ended,
}

impl Attempt {
    /// Judges the attempt.
    pub(super) fn judged(&self, behaviour: &Behaviour) -> Opinion {
        judge_client(&Sending {
            dialogues: &self.dialogues,
            reported: self.reported,
            expected: &behaviour.expected,
            is_reached: self.is_reached,
            envelope: &self.envelope,
            message: &self.message,
            demands_tls: matches!(behaviour.template.as_str(), "tls" | "auth-tls"),
            needs_extension: behaviour.template != "plain",
        })
    }

    /// Returns what the client reported, as text: `temporary (exit status 75)`.
    pub(super) fn described(&self) -> String {
        let how = match (self.reported, self.ended.status) {
            (Reported::Hung | Reported::Looped, _) => return self.reported.to_string(),
            (_, Some(status)) => format!("exit status {status}"),
            (_, None) => "ended by a signal".to_owned(),
        };
        let text = String::from_utf8_lossy(&self.ended.output);
        match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(line) => {
                let line: String = line.chars().take(QUOTED).collect();
                format!("{} ({how}): {}", self.reported, shown(line.as_bytes()))
            }
            None => format!("{} ({how})", self.reported),
        }
    }
}

/// Starts a server, lets the client send a message to it, and returns what happened.
///
/// # Errors
///
/// If the server or the client cannot be started.
pub(super) async fn attempt(client: &Client, behaviour: &Behaviour) -> Result<Attempt> {
    let template = client.templates.get(&behaviour.template);
    let template = template.ok_or_else(|| anyhow!("the client has no template {}", behaviour.template))?;
    let ledger = Arc::new(Ledger::default());
    let number = next_number();
    let server = server(behaviour, &ledger, number).await?;
    let token = format!("t{number}-{}", std::process::id());
    let envelope = envelope(behaviour.sender, behaviour.recipient, behaviour.recipients, &token);
    let message = behaviour.message.octets(&envelope);
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let file = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    let with_lf = material::with_lf(&message);
    let (crlf, lf) = (file("message.eml", &message)?, file("message-lf.eml", &with_lf)?);
    let certificate = file("ca.pem", server.certificate().unwrap_or_default().as_bytes())?;
    let credentials = Reference::credentials();
    let address = server.address();
    let host = address.ip().to_string();
    let values = Values {
        host: &host,
        port: address.port(),
        from: &envelope.sender,
        recipients: &envelope.recipients,
        message: &crlf,
        message_lf: &lf,
        certificate: &certificate,
        user: &credentials.user,
        password: &credentials.password,
    };
    let mut command = client.through.as_ref().map(|through| through.filled(&values)).unwrap_or_default();
    command.extend(template.filled(&values));
    let mut process = Process::start(&command, client.folder.as_deref(), with_lf)?;
    let stopped = watch(&mut process, &ledger, client.timeout).await?;
    let ended = process.conclude().await;
    wait_for_close(&ledger).await;
    drop(server);
    wait_for_close(&ledger).await;
    let reported = stopped.unwrap_or_else(|| client.exits.reported(ended.status, &ended.output));
    let dialogues = own(ledger.take(), &token);
    let is_reached = !behaviour.chooses || ledger.has_sent_choice();
    Ok(Attempt { dialogues, reported, is_reached, envelope, message, ended })
}

/// Starts a server on an address of its own where there are such addresses, because clients remember addresses that have
/// refused them.
async fn server(behaviour: &Behaviour, ledger: &Arc<Ledger>, number: u32) -> Result<Reference> {
    let (protocol, tls) = match behaviour.template.as_str() {
        "tls" | "auth-tls" => (Protocol::Smtp, Tls::StartTls),
        "lmtp" => (Protocol::Lmtp, Tls::None),
        _ => (Protocol::Smtp, Tls::None),
    };
    let options = Options {
        protocol,
        tls,
        faults: behaviour.fault.into_iter().collect(),
        script: behaviour.script.clone(),
        withheld: behaviour.withheld.clone(),
        size: behaviour.size,
        welcomes_all: true,
        ledger: Some(ledger.clone()),
        ..Options::default()
    };
    if cfg!(target_os = "linux")
        && let Ok(server) = Reference::start_at(own_address(number), options.clone()).await
    {
        return Ok(server);
    }
    Reference::start(options).await
}

/// Returns the number of the next attempt in this process.
fn next_number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Returns an address of the loopback network from 127.0.1.1 on. All processes may use it, because each port is free.
fn own_address(number: u32) -> Ipv4Addr {
    let number = number % 60_000;
    let [third, last] = [number / 250 + 1, number % 250 + 1].map(|part| u8::try_from(part).unwrap_or(1));
    Ipv4Addr::new(127, 0, third, last)
}

/// Waits until the client ends. If it does too much, or takes too long, returns what it is said to report.
async fn watch(process: &mut Process, ledger: &Ledger, limit: Duration) -> Result<Option<Reported>> {
    let until = Instant::now() + limit;
    loop {
        tokio::select! {
            ended = process.ended() => return ended.map(|_| None),
            () = sleep(LOOK) => {}
        }
        let loops =
            ledger.connections() > CONNECTIONS || ledger.exchanges() > EXCHANGES || ledger.octets() > OCTETS;
        if loops {
            return Ok(Some(Reported::Looped));
        }
        if Instant::now() >= until {
            return Ok(Some(Reported::Hung));
        }
    }
}

/// Waits until the server has noticed that the client is gone.
async fn wait_for_close(ledger: &Ledger) {
    let until = Instant::now() + CLOSING;
    while ledger.open() > 0 && Instant::now() < until {
        sleep(Duration::from_millis(2)).await;
    }
}

/// Returns the connections that are not about another message: a client with a queue may try an older one again.
fn own(mut dialogues: Vec<Dialogue>, token: &str) -> Vec<Dialogue> {
    dialogues.retain(|dialogue| {
        let mut recipients = dialogue.exchanges.iter().filter_map(Exchange::command);
        recipients
            .find(|command| command.verb() == Verb::Rcpt)
            .is_none_or(|command| memchr::memmem::find(command.octets(), token.as_bytes()).is_some())
    });
    dialogues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_on_loopback_and_differ() {
        let addresses: std::collections::BTreeSet<Ipv4Addr> = (1..=1000).map(own_address).collect();
        assert_eq!(addresses.len(), 1000);
        assert!(addresses.iter().chain([&own_address(u32::MAX)]).all(Ipv4Addr::is_loopback));
    }
}
