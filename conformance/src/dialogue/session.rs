//! The state of a session before each act: what the server announced, and what has begun.

use std::sync::Arc;

use crate::dialogue::{Act, Answer, Dialogue, End, Exchange};
use crate::protocol::Protocol;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb};
use crate::protocol::reply::Reply;

/// The state of a session, as both sides must understand it from the exchanges so far.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// The TCP port that the server listens on, if it is known.
    pub port: Option<u16>,
    /// Whether the connection is under TLS.
    pub tls: bool,
    /// Whether the connection was under TLS from the start (RFC 8314 §3).
    pub implicit_tls: bool,
    /// The reply code of the greeting, once it was received.
    pub greeting: Option<u16>,
    /// The verb that opened the session, once one was accepted. STARTTLS discards it (RFC 3207 §4.2).
    pub hello: Option<Verb>,
    /// The capabilities in the last EHLO or LHLO reply of this TLS state.
    pub offered: Option<Arc<Capabilities>>,
    /// The capabilities announced before STARTTLS.
    pub offered_before_tls: Option<Arc<Capabilities>>,
    /// Whether AUTH succeeded before STARTTLS.
    pub authenticated_before_tls: bool,
    /// The mechanism of the AUTH exchange in progress.
    pub authenticating: Option<Vec<u8>>,
    /// Whether AUTH succeeded.
    pub authenticated: bool,
    /// The number of AUTH exchanges that ended with 535.
    pub failed_authentications: usize,
    /// The mail transaction, once MAIL was accepted. The sessions of several steps share it.
    pub transaction: Option<Arc<Transaction>>,
    /// Whether the last MAIL was refused, and no EHLO or RSET was accepted since.
    pub mail_refused: bool,
    /// The last octets of the message so far, if its end has not been sent.
    text: Vec<u8>,
    /// The number of recipients accepted.
    accepted: usize,
    /// The number of recipients refused.
    refused: usize,
    /// Whether an accepted BDAT LAST ended the transaction, and no MAIL, RSET or EHLO was accepted since.
    pub after_last_chunk: bool,
    /// Whether a reply to EHLO or LHLO announces enhanced status codes anywhere in the run, in this TLS state.
    pub run_promises_codes: bool,
    /// Whether a reply to EHLO lists ATRN anywhere in the run, in this TLS state.
    pub run_lists_atrn: bool,
    /// The number of 4yz and 5yz replies.
    pub refusals: usize,
    /// Whether the server sent 421.
    pub shut_down: bool,
    /// Whether the server answered STARTTLS with 220, so that the handshake comes next (RFC 3207 §4).
    pub awaits_handshake: bool,
}

/// What ends a message (RFC 5321 §4.1.1.4).
const END: &[u8] = b"\r\n.\r\n";

/// The number of recipients whose lines are kept. It limits the size of a session.
const KEPT: usize = 100;

/// A mail transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Transaction {
    /// The MAIL line.
    pub mail: Vec<u8>,
    /// The lines of the first hundred accepted RCPT commands, in order. [`Session::recipients`] counts them all.
    pub recipients: Vec<Vec<u8>>,
    /// The number of octets in all chunks, by the sizes in their BDAT lines; `None` before the first.
    pub chunked: Option<usize>,
    /// Whether a chunk was refused.
    pub chunk_failed: bool,
    /// Whether a BURL was refused because its URL could not be fetched, or for another reason of the URL.
    pub burl_failed: bool,
    /// Whether the server sent 354 and the message comes next.
    pub data: bool,
    /// Whether DATA was refused.
    pub data_refused: bool,
}

impl Transaction {
    /// The MAIL command that began the transaction.
    #[must_use]
    pub fn command(&self) -> Command<'_> {
        Command::read(&self.mail)
    }

    /// Returns whether a server may regard the transaction as over or as still open.
    ///
    /// A BURL that failed fails the transaction (RFC 4468 §3.2). The state after a refused chunk is indeterminate (RFC 3030 §2). For a refused DATA, RFC 5321 says only that no
    /// data follows (§3.3) and what must precede another MAIL: a successful DATA, RSET or EHLO (§4.1.4). Some servers
    /// drop the transaction and others keep it.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.chunk_failed || self.burl_failed || self.data_refused
    }

    /// Returns whether MAIL had a parameter.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.command().envelope().is_some_and(|envelope| envelope.parameter(keyword).is_some())
    }
}

impl Session {
    /// The state of a new connection.
    #[must_use]
    pub fn new(protocol: Protocol, implicit_tls: bool) -> Session {
        Session { protocol, tls: implicit_tls, implicit_tls, ..Session::default() }
    }

    /// Returns the exchanges of a dialogue, each with the session before it.
    #[must_use]
    pub fn steps(dialogue: &Dialogue) -> Vec<Step<'_>> {
        let session = Session::new(dialogue.protocol, dialogue.implicit_tls);
        let mut session = Session { port: dialogue.port, ..session };
        let mut steps = Vec::with_capacity(dialogue.exchanges.len());
        for exchange in &dialogue.exchanges {
            let before = session.clone();
            session.follow(exchange);
            let (command, replies) = (exchange.command(), exchange.replies().collect());
            steps.push(Step { exchange, command, replies, session: before });
        }
        steps
    }

    /// Returns whether the server announces a capability.
    #[must_use]
    pub fn offers(&self, keyword: &str) -> bool {
        self.offered.as_ref().is_some_and(|offered| offered.has(keyword))
    }

    /// Returns whether the last EHLO or LHLO reply of this TLS state announces enhanced status codes.
    #[must_use]
    pub fn promises_codes(&self) -> bool {
        self.offers("ENHANCEDSTATUSCODES")
    }

    /// The number of recipients accepted in this transaction.
    #[must_use]
    pub fn recipients(&self) -> usize {
        self.transaction.as_ref().map_or(0, |_| self.accepted)
    }

    /// The number of RCPT commands answered in this transaction, whether accepted or refused.
    #[must_use]
    pub fn named_recipients(&self) -> usize {
        self.transaction.as_ref().map_or(0, |_| self.accepted + self.refused)
    }

    /// Returns whether this transaction had recipients and all were refused.
    #[must_use]
    pub fn has_only_refused_recipients(&self) -> bool {
        self.transaction.is_some() && self.accepted == 0 && self.refused > 0
    }

    /// Returns whether the server reads lines as those of a message.
    #[must_use]
    pub fn is_in_data(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.data)
    }

    /// The last octets of the message so far, if its end has not been sent.
    #[must_use]
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns whether these octets, after the parts of the message that were sent already, end the message.
    #[must_use]
    pub fn ends_message(&self, octets: &[u8]) -> bool {
        let last = octets.len().min(END.len());
        let end = [&self.text, &octets[octets.len() - last..]].concat();
        // The first CR LF of the end may be that of the DATA command.
        end.ends_with(END) || end == END[2..]
    }

    /// Returns whether an act is a part of a message without the end of the message.
    #[must_use]
    pub fn leaves_message_open(&self, act: &Act) -> bool {
        matches!(act, Act::Message(octets) if !self.ends_message(octets))
    }

    /// Updates the state by an exchange.
    pub fn follow(&mut self, exchange: &Exchange) {
        let numbers = || exchange.answers.iter().filter_map(Answer::number);
        self.refusals += numbers().filter(|number| *number >= 400).count();
        self.shut_down |= numbers().any(|number| number == 421);
        let number = exchange.number();
        match &exchange.act {
            Act::Connect => self.greeting = number,
            Act::Handshake if exchange.end != End::Failed => self.begin_tls(),
            Act::Handshake => self.awaits_handshake = false,
            Act::Wait => {}
            Act::Response(_) => self.follow_authentication(number),
            // A reply to a part of a message ends the transaction too early, but it does end it.
            Act::Message(octets) => {
                if self.ends_message(octets) || number.is_some() {
                    self.transaction = None;
                }
                self.text.extend_from_slice(octets);
                self.text.drain(..self.text.len().saturating_sub(END.len() - 1));
            }
            Act::Command(octets) => {
                self.awaits_handshake = number == Some(220) && begins_starttls(octets);
                if let Some(command) = exchange.command() {
                    self.follow_command(command, exchange);
                }
            }
            Act::Chunk { octets, .. } => {
                if let Some(command) = exchange.command() {
                    self.follow_chunk(command, octets, &exchange.answers);
                }
            }
        }
    }

    fn follow_command(&mut self, command: Command<'_>, exchange: &Exchange) {
        let number = exchange.number();
        let accepted = number.is_some_and(|number| (200..300).contains(&number));
        match command.verb() {
            Verb::Ehlo | Verb::Helo | Verb::Lhlo if accepted => {
                self.hello = Some(command.verb());
                self.transaction = None;
                // RFC 5321 §4.1.4: exactly as RSET.
                self.after_last_chunk = false;
                self.mail_refused = false;
                let is_extended = command.verb() != Verb::Helo;
                let reply = if is_extended { exchange.replies().next() } else { None };
                self.offered = reply.map(|reply| Arc::new(Capabilities::read(&reply)));
            }
            Verb::Mail if number.is_some_and(|number| number >= 400) => self.mail_refused = true,
            Verb::Mail if accepted => {
                self.mail_refused = false;
                self.transaction =
                    Some(Arc::new(Transaction { mail: command.octets().to_vec(), ..Transaction::default() }));
                self.accepted = 0;
                self.refused = 0;
                self.after_last_chunk = false;
            }
            Verb::Rcpt if number.is_some_and(|number| number >= 400) => self.refused += 1,
            Verb::Rcpt if accepted => {
                self.accepted += 1;
                if self.accepted <= KEPT
                    && let Some(transaction) = &mut self.transaction
                {
                    Arc::make_mut(transaction).recipients.push(command.octets().to_vec());
                }
            }
            Verb::Data => {
                self.text.clear();
                if let Some(transaction) = &mut self.transaction {
                    let transaction = Arc::make_mut(transaction);
                    transaction.data = number == Some(354);
                    transaction.data_refused |= number.is_some_and(|number| number >= 400);
                }
            }
            Verb::Burl if number.is_some_and(|number| matches!(number, 400..500 | 505..600)) => {
                if let Some(transaction) = &mut self.transaction {
                    Arc::make_mut(transaction).burl_failed = true;
                }
            }
            Verb::Burl if accepted && command.is_last_chunk() => self.transaction = None,
            Verb::Rset if accepted => {
                self.transaction = None;
                self.after_last_chunk = false;
                self.mail_refused = false;
            }
            Verb::Other if number == Some(220) && command.is_proxying() => self.begin_anew(),
            Verb::Auth => {
                self.authenticating = command.words().next().map(<[u8]>::to_vec);
                self.follow_authentication(number);
            }
            _ => {}
        }
    }

    fn follow_chunk(&mut self, command: Command<'_>, octets: &[u8], answers: &[Answer]) {
        let last = command.is_last_chunk();
        // RFC 2033 §4.3: there is one reply per recipient, and one that accepts the message ends the transaction.
        let counting = if last && self.protocol == Protocol::Lmtp { answers.len() } else { 1 };
        let mut numbers = answers.iter().take(counting).filter_map(Answer::number);
        let accepted = numbers.any(|number| (200..300).contains(&number));
        if let Some(transaction) = &mut self.transaction {
            let transaction = Arc::make_mut(transaction);
            let length = command.chunk_length().unwrap_or(octets.len());
            transaction.chunked = Some(transaction.chunked.unwrap_or(0).saturating_add(length));
            transaction.chunk_failed |= !accepted;
        }
        if last && accepted {
            self.transaction = None;
            self.after_last_chunk = true;
        }
    }

    fn follow_authentication(&mut self, number: Option<u16>) {
        match number {
            Some(300..400) => return,
            Some(200..300) => self.authenticated = true,
            Some(535) => self.failed_authentications += 1,
            _ => {}
        }
        self.authenticating = None;
    }

    /// A 220 reply to XCLIENT is a new greeting, after which the session begins anew. No RFC defines this.
    fn begin_anew(&mut self) {
        *self = Session {
            protocol: self.protocol,
            port: self.port,
            tls: self.tls,
            implicit_tls: self.implicit_tls,
            greeting: Some(220),
            offered_before_tls: self.offered_before_tls.take(),
            refusals: self.refusals,
            ..Session::default()
        };
    }

    fn begin_tls(&mut self) {
        *self = Session {
            protocol: self.protocol,
            port: self.port,
            tls: true,
            greeting: self.greeting,
            offered_before_tls: self.offered.take(),
            authenticated_before_tls: self.authenticated,
            refusals: self.refusals,
            ..Session::default()
        };
    }
}

/// Returns whether a command, or the first of several lines that were sent as one, is STARTTLS.
pub(crate) fn begins_starttls(octets: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |end| end + 1);
    Command::read(&octets[..end]).verb() == Verb::Starttls
}

/// An exchange, its parsed command and replies, and the session before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its command line, if it has one.
    pub command: Option<Command<'a>>,
    /// Its replies.
    pub replies: Vec<Reply<'a>>,
    /// The session before it.
    pub session: Session,
}

/// Returns what tells apart the servers of a recording, which may have several: the first word of the greeting, in lower
/// case. Empty in a run, which has only one.
#[must_use]
pub(crate) fn server(steps: &[Step<'_>]) -> Vec<u8> {
    let greeted = steps.iter().find(|step| step.exchange.act == Act::Connect && step.exchange.line.is_some());
    let line = greeted.and_then(|step| step.replies.first()?.lines().next());
    let word = line.and_then(|line| line.text().split(|octet| *octet == b' ').next());
    word.unwrap_or_default().to_ascii_lowercase()
}

impl Step<'_> {
    /// Returns whether it is an EHLO or LHLO whose reply announces a capability.
    #[must_use]
    pub fn announces(&self, keyword: &str) -> bool {
        let extended = matches!(self.verb(), Some(Verb::Ehlo | Verb::Lhlo)) && self.exchange.sure;
        let reply = self.replies.first().filter(|reply| extended && reply.number() == Some(250));
        reply.is_some_and(|reply| Capabilities::read(reply).has(keyword))
    }

    /// The verb of its command.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.command.map(|command| command.verb())
    }

    /// The number of the first reply. `None` if there is no reply or it does not begin with a number.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.replies.first().and_then(Reply::number)
    }
}

#[cfg(test)]
mod tests {
    use super::Session;
    use crate::protocol::Protocol;
    use crate::readers::testing::{LIVE, dialogue, spoken};

    /// Follows a last chunk for two recipients. `None` if no transaction is left, otherwise whether it is in doubt.
    fn after_last_chunk(protocol: Protocol, replies: &str) -> Option<bool> {
        let transaction = "\
S: 220 mx.example.org
C: MAIL FROM:<>
S: 250 Ok
C: RCPT TO:<late@example.org>
S: 250 Ok
C: RCPT TO:<amy@example.org>
S: 250 Ok
C: BDAT 1 LAST
C: x\\+";
        let text = [LIVE, transaction, replies, "C: NOOP\nS: 250 Ok"].join("\n");
        let dialogues = spoken(protocol, &text);
        let steps = Session::steps(&dialogues[0]);
        let last = &steps.last().expect("there are steps").session;
        last.transaction.as_ref().map(|transaction| transaction.is_in_doubt())
    }

    #[test]
    fn the_last_chunk_ends_a_transaction() {
        assert_eq!(after_last_chunk(Protocol::Smtp, "S: 250 Ok"), None);
        assert_eq!(after_last_chunk(Protocol::Smtp, "S: 452 Full"), Some(true));
        assert_eq!(after_last_chunk(Protocol::Smtp, "S: 452 Full\nS: 250 Ok"), Some(true));
        assert_eq!(after_last_chunk(Protocol::Lmtp, "S: 452 Full\nS: 250 Ok"), None);
        assert_eq!(after_last_chunk(Protocol::Lmtp, "S: 452 Full\nS: 452 Full"), Some(true));
    }

    /// Steps share their transaction, and recipients beyond those kept are counted.
    #[test]
    fn a_long_transaction_stays_small() {
        let recipients = "C: RCPT TO:<amy@example.org>\nS: 250 Ok\n".repeat(20_000);
        let text = format!("S: 220 mx\nC: MAIL FROM:<>\nS: 250 Ok\n{recipients}C: NOOP\nS: 250 Ok");
        let dialogue = dialogue(&text);
        let steps = Session::steps(&dialogue);
        let last = &steps.last().expect("there are steps").session;
        assert_eq!(last.recipients(), 20_000);
        let transaction = last.transaction.as_ref().expect("it goes on");
        assert_eq!(transaction.recipients.len(), super::KEPT);
        assert!(std::sync::Arc::strong_count(transaction) > 19_000);
    }
}
