//! Transactions: MAIL, RCPT, and the message with DATA or BDAT.

use std::borrow::Cow;

use super::answer::{Answer, Class};
use super::fault::{Behaviour, Event};
use super::message::Message;
use super::outcome::{Ledger, Meaning};
use super::session::Session;
use super::stop::Stop;

/// Commands that are sent together if the server offers PIPELINING. More could fill the buffers of both sides while each
/// waits for the other (RFC 2920 §3.1).
const GROUP: usize = 100;

/// Sends the message to all recipients that nothing is known about. Those that are too many for one transaction are sent
/// another one, as long as that gets on (RFC 5321 §4.5.3.1.10).
///
/// # Errors
///
/// If the session has to end. What the ledger does not say then follows from the error.
pub(super) fn deliver(session: &mut Session<'_>, message: &Message, ledger: &mut Ledger) -> Result<(), Stop> {
    let mut recipients = ledger.undecided();
    while !recipients.is_empty() {
        let mut transaction = Transaction::new(session, message, ledger);
        transaction.run(&recipients)?;
        let Transaction { accepts_message, put_off, .. } = transaction;
        if !accepts_message {
            for (recipient, reason) in put_off {
                ledger.decide(recipient, Meaning::Temporary, &reason);
            }
            return Ok(());
        }
        recipients = put_off.into_iter().map(|(recipient, _)| recipient).collect();
    }
    Ok(())
}

struct Transaction<'a, 'o> {
    session: &'a mut Session<'o>,
    message: &'a Message,
    ledger: &'a mut Ledger,
    /// The recipients that the server accepted, in the order of RCPT.
    accepted: Vec<usize>,
    /// The recipients that are too many, with the replies that say so.
    put_off: Vec<(usize, String)>,
    is_refused: bool,
    /// Whether a recipient was accepted, and the message for at least one.
    accepts_message: bool,
    data: Option<Answer>,
    /// Whether a fault sent the message already.
    is_sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Mail,
    Rcpt(usize),
    Data,
}

impl<'a, 'o> Transaction<'a, 'o> {
    fn new(
        session: &'a mut Session<'o>,
        message: &'a Message,
        ledger: &'a mut Ledger,
    ) -> Transaction<'a, 'o> {
        Transaction {
            session,
            message,
            ledger,
            accepted: Vec::new(),
            put_off: Vec::new(),
            is_refused: false,
            accepts_message: false,
            data: None,
            is_sent: false,
        }
    }

    fn run(&mut self, recipients: &[usize]) -> Result<(), Stop> {
        let takes_chunks = self.session.offers("CHUNKING") || self.session.has(Behaviour::SendsChunksAlways);
        let in_chunks = self.session.options.bdat && takes_chunks;
        let mut steps = vec![Step::Mail];
        steps.extend(recipients.iter().copied().map(Step::Rcpt));
        if !in_chunks {
            steps.push(Step::Data);
        }
        for group in steps.chunks(self.group_length()) {
            // What comes next would be refused, or has nobody to go to. In a group it is sent before that is known.
            if self.is_refused || group == [Step::Data] && self.accepted.is_empty() {
                return Ok(());
            }
            self.send_group(group)?;
        }
        match self.data.take() {
            Some(answer) => self.send_data(&answer),
            None if in_chunks && !self.accepted.is_empty() && !self.is_refused => self.send_chunks(),
            None => Ok(()),
        }
    }

    fn group_length(&self) -> usize {
        let session = &self.session;
        let pipelines = session.offers("PIPELINING") || session.has(Behaviour::PipelinesAlways);
        let limits = [Event::RecipientLimit, Event::OldRecipientLimit];
        let stops_at_limit = limits.into_iter().any(|limit| session.faults.takes(limit).is_some());
        if pipelines && !stops_at_limit { GROUP } else { 1 }
    }

    /// Sends commands together, and reads a reply for each, in the same order.
    fn send_group(&mut self, group: &[Step]) -> Result<(), Stop> {
        let lines: String = group.iter().map(|step| self.line(*step) + "\r\n").collect();
        self.session.send(lines.as_bytes())?;
        if group.contains(&Step::Data) && self.session.has(Behaviour::PipelinesMessage) {
            self.session.send(&self.data_octets())?;
            self.is_sent = true;
        }
        let mut stopped = None;
        for step in group {
            match self.session.answer() {
                Ok(answer) => self.take(*step, answer),
                Err(stop) if stop.is_answered => {
                    self.ledger.decide_rest(stop.meaning, &stop.reason);
                    stopped.get_or_insert(stop);
                }
                Err(stop) => return Err(stopped.unwrap_or(stop)),
            }
        }
        match stopped {
            Some(stop) => Err(self.abandon(stop)),
            None => Ok(()),
        }
    }

    /// Gets out of a transaction that must not go on, although the server may be waiting for the message already. A lone
    /// dot would deliver an empty message to those who were accepted, and QUIT would be its text.
    fn abandon(&mut self, stop: Stop) -> Stop {
        if self.data.take().is_some_and(|answer| answer.code() == 354) {
            if self.accepted.is_empty() {
                let _ = self.session.command(".");
            } else {
                self.session.hang_up();
            }
        }
        stop
    }

    fn line(&self, step: Step) -> String {
        match step {
            Step::Mail => format!("MAIL FROM:<{}>{}", self.session.options.sender, self.parameters()),
            Step::Rcpt(recipient) => format!("RCPT TO:<{}>", self.ledger.address(recipient)),
            Step::Data => "DATA".to_owned(),
        }
    }

    /// Returns the parameters of MAIL: those that the message needs, if the server offers them.
    fn parameters(&self) -> String {
        let session = &self.session;
        let mut parameters = Vec::new();
        if session.offers("SIZE") || session.has(Behaviour::SendsSizeAlways) {
            parameters.push(format!(" SIZE={}", self.message.octets().len()));
        }
        let is_eight_bit = self.message.is_eight_bit() && session.offers("8BITMIME");
        if is_eight_bit || session.has(Behaviour::SendsBodyAlways) {
            parameters.push(" BODY=8BITMIME".to_owned());
        }
        let is_international = !session.options.sender.is_ascii()
            || session.options.recipients.iter().any(|recipient| !recipient.is_ascii())
            || self.message.has_eight_bit_header();
        if is_international && session.offers("SMTPUTF8") {
            parameters.push(" SMTPUTF8".to_owned());
        }
        parameters.concat()
    }

    fn take(&mut self, step: Step, answer: Answer) {
        match step {
            Step::Mail if !answer.is_success() => {
                self.is_refused = true;
                self.ledger.decide_rest(answer.meaning(), &format!("MAIL: {}", answer.text()));
            }
            Step::Mail => {}
            Step::Rcpt(recipient) => self.take_recipient(recipient, &answer),
            Step::Data => self.data = Some(answer),
        }
    }

    fn take_recipient(&mut self, recipient: usize, answer: &Answer) {
        if answer.is_success() {
            self.accepted.push(recipient);
            return;
        }
        let faults = &self.session.faults;
        let event = if answer.code() == 552 { Event::OldRecipientLimit } else { Event::RecipientLimit };
        let reason = format!("RCPT: {}", answer.text());
        let gives_up = answer.code() == 552 && self.session.has(Behaviour::OldLimitRefusesRecipient);
        if gives_up || !answer.is_recipient_limit() {
            self.ledger.decide(recipient, answer.meaning(), &reason);
        } else if let Some(meaning) = faults.takes(event) {
            self.ledger.decide_rest(meaning, &reason);
            self.is_refused = true;
        } else {
            self.put_off.push((recipient, reason));
        }
    }

    /// Sends the message if the server waits for it.
    fn send_data(&mut self, answer: &Answer) -> Result<(), Stop> {
        let goes_ahead = match answer.class() {
            _ if self.is_sent || answer.code() == 354 => true,
            Class::Success => self.session.has(Behaviour::SendsDataAfterSuccess),
            Class::Temporary | Class::Permanent => self.session.has(Behaviour::SendsDataAfterRefusal),
            Class::Intermediate => false,
        };
        if !goes_ahead {
            return self.take_refused_data(answer);
        }
        if self.is_refused || self.accepted.is_empty() && !self.session.has(Behaviour::SendsDataToNobody) {
            if !self.is_sent {
                // The server waits for a message that has nobody to go to (RFC 2920 §3.1).
                self.session.send(b".\r\n")?;
            }
            return self.session.answer().map(drop);
        }
        let sent = if self.is_sent { Ok(()) } else { self.session.send(&self.data_octets()) };
        self.finish(sent)
    }

    /// Takes a refusal of DATA. After 2yz and 3yz the server may be waiting for anything, so the session ends.
    fn take_refused_data(&mut self, answer: &Answer) -> Result<(), Stop> {
        if matches!(answer.class(), Class::Success | Class::Intermediate) {
            return Err(answer.refusal("DATA"));
        }
        self.ledger.decide_all(&self.accepted, answer.meaning(), &format!("DATA: {}", answer.text()));
        Ok(())
    }

    fn data_octets(&self) -> Vec<u8> {
        self.message.data(!self.session.has(Behaviour::KeepsDots))
    }

    /// Sends the message in two chunks. After a refused one, the state of the server is unknown until RSET
    /// (RFC 3030 §2).
    fn send_chunks(&mut self) -> Result<(), Stop> {
        let stuffs_dots = self.session.has(Behaviour::StuffsChunks);
        let octets = if stuffs_dots {
            Cow::Owned(self.message.stuffed())
        } else {
            Cow::Borrowed(self.message.octets())
        };
        let (first, last) = octets.split_at(octets.len() / 2);
        let sent = self.send_chunk(first, "");
        let answer = self.answer_after(sent)?;
        if !answer.is_success() && !self.session.has(Behaviour::SendsAfterRefusedChunk) {
            self.ledger.decide_all(&self.accepted, answer.meaning(), &format!("BDAT: {}", answer.text()));
            return self.session.command("RSET").map(drop);
        }
        let sent = self.send_chunk(last, " LAST");
        self.finish(sent)
    }

    fn send_chunk(&mut self, chunk: &[u8], last: &str) -> Result<(), Stop> {
        let command = format!("BDAT {}{last}\r\n", chunk.len());
        self.session.send(&[command.as_bytes(), chunk].concat())
    }

    /// Reads the replies to the message: one, or in LMTP one for each accepted recipient (RFC 2033 §4.2).
    fn finish(&mut self, sent: Result<(), Stop>) -> Result<(), Stop> {
        let recipients = std::mem::take(&mut self.accepted);
        let has_own_replies = self.session.options.lmtp && !self.session.has(Behaviour::ReadsOneLmtpReply);
        let shares = recipients.chunks(if has_own_replies { 1 } else { recipients.len().max(1) });
        let mut sent = Some(sent);
        for share in shares {
            let answer = match sent.take() {
                Some(sent) => self.answer_after(sent),
                None => self.session.answer(),
            };
            self.take_final(&recipients, share, answer)?;
        }
        Ok(())
    }

    /// Reads the reply after something was sent. A server may refuse it before it has all, and close.
    fn answer_after(&mut self, sent: Result<(), Stop>) -> Result<Answer, Stop> {
        match sent {
            Ok(()) => self.session.answer(),
            Err(stop) => self.session.last_refusal().ok_or(stop),
        }
    }

    fn take_final(
        &mut self,
        all: &[usize],
        share: &[usize],
        answer: Result<Answer, Stop>,
    ) -> Result<(), Stop> {
        let (meaning, reason) = match &answer {
            Ok(answer) => (answer.meaning(), answer.text()),
            Err(stop) => (stop.meaning, stop.reason.clone()),
        };
        if self.session.has(Behaviour::IgnoresFinalReply) {
            self.ledger.decide_all(all, Meaning::Accepted, &reason);
            return answer.map(drop);
        }
        match answer {
            Ok(_) => {
                self.accepts_message |= meaning == Meaning::Accepted;
                self.ledger.decide_all(share, meaning, &reason);
                Ok(())
            }
            Err(stop) => {
                let meaning = self.session.faults.takes(Event::MissingReply);
                if let Some(meaning) = meaning.filter(|_| self.session.options.lmtp) {
                    self.ledger.decide_all(all, meaning, &reason);
                }
                Err(stop)
            }
        }
    }
}
