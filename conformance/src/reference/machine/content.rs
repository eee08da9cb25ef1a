//! Messages and chunks: DATA, BDAT and BURL.

use super::mailbox::Mailbox;
use super::speech::is_positive;
use crate::dialogue::content::lines;
use crate::protocol::header::{self, is_incomplete, is_malformed};

use super::{
    Action, At, Behaviour, Command, Destination, Key, Letter, Machine, Message, Protocol, SOLICITATION,
    Spoil, Transaction, Verb, Waiting,
};

/// The GTUBE test string. Spam filters treat a message that contains it as spam.
const SPAM: &[u8] = b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL";

/// From this number of Received fields on, a message counts as being in a loop (RFC 5321 §6.3).
const HOPS: usize = 100;

/// From this number of Received fields on, servers with a low limit suspect a loop.
const MANY_HOPS: usize = 30;

/// From this number of octets on, a message counts as large. Every server takes 65536 (RFC 5321 §4.5.3.1.7).
const LARGE: u64 = 60_000;

/// From this number of octets on, with its line end, a line counts as long. Every server takes 1000 (RFC 5321 §4.5.3.1.6).
const LONG_LINE: usize = 1000;

impl Machine {
    pub(super) fn data(&mut self, command: &Command<'_>) {
        let key = match &self.transaction {
            _ if !command.argument().is_empty() => Key::DataArgument,
            None => Key::DataBeforeMail,
            Some(transaction) if transaction.chunked.is_some() => Key::DataAfterBdat,
            Some(transaction) if transaction.binary => Key::DataBinarymime,
            Some(transaction) if transaction.recipients.is_empty() => Key::DataNoRecipient,
            Some(_) => Key::Data,
        };
        if self.say(key) == 354 {
            self.waiting = Waiting::Message;
        }
    }

    pub(super) fn message(&mut self, message: Message<'_>) {
        self.waiting = Waiting::Command;
        let transaction = self.transaction.take().unwrap_or_default();
        let has = |field: &[u8]| {
            let names =
                message.start.split(|octet| *octet == b'\n').take_while(|line| !line.trim_ascii().is_empty());
            names
                .into_iter()
                .any(|line| line.get(..field.len()).is_some_and(|name| name.eq_ignore_ascii_case(field)))
        };
        let key = match transaction {
            _ if transaction.recipients.is_empty() => Key::MessageNoRecipient,
            _ if message.size > self.setting.size => Key::MessageTooBig,
            _ if message.stray_ends => Key::MessageLineEnds,
            _ if contains(message.start, SPAM) => Key::MessageSpam,
            _ if count(message.start, b"\nReceived:") >= HOPS => Key::MessageLoop,
            _ if has(b"Received:") && count(message.start, b"Received:") >= MANY_HOPS => Key::MessageHops,
            _ if lines(message.start).any(|line| line.len() >= LONG_LINE) => Key::MessageLongLine,
            _ if message.size >= LARGE => Key::MessageLarge,
            _ if self.setting.protocol == Protocol::Submission && has_bad_address(message.start) => {
                Key::MessageAddress
            }
            _ if is_solicitation(message.start) => Key::MessageSolicitation,
            _ if has(b"Require-Recipient-Valid-Since:") => Key::MessageSince,
            _ if has(b"Content-Transfer-Encoding: binary") => Key::MessageBinary,
            _ if has(b"Resent-") => Key::MessageResent,
            _ if transaction.utf8 => Key::MessageUtf8,
            _ if !message.start.is_ascii() => Key::MessageEightBit,
            _ if transaction.size.is_some() => Key::MessageDeclaredSize,
            _ if !has(b"Date:") && has(b"X-") => Key::MessageIncomplete,
            _ => Key::Message,
        };
        let content = message.content(self.setting.spoils(Spoil::KeepsDots));
        self.deliver(&transaction, key, &content);
        if self.behaves(Behaviour::KeepsTransactionAfterMessage).is_some() {
            self.transaction = Some(transaction);
        }
    }

    /// Sends one reply, or in LMTP one per recipient (RFC 2033 §4.2, §4.3), after the message was delivered to the
    /// recipients whose reply is positive. Returns whether there is one.
    pub(super) fn deliver(&mut self, transaction: &Transaction, key: Key, content: &[u8]) -> bool {
        let place = self.actions.len();
        let miscounts = self.behaves(Behaviour::MiscountsRecipients);
        let miscounts = miscounts.is_some_and(|fault| fault.is_at(key, |state| self.is(state)));
        let mut taken = Vec::new();
        if self.is_lmtp() == miscounts || transaction.recipients.is_empty() {
            let is_taken = is_positive(self.say(key));
            taken.resize(transaction.recipients.len().max(1), is_taken);
        } else {
            for recipient in &transaction.recipients {
                let full = self.is_lmtp()
                    && *recipient == Mailbox::Late
                    && matches!(key, Key::Message | Key::BdatLast);
                taken.push(is_positive(self.say(if full { Key::MessageFull } else { key })));
            }
            if self.behaves(Behaviour::CountsRefusedRecipients).is_some() {
                (0..transaction.refused).for_each(|_| self.settle(Key::RcptUnknown));
            }
        }
        if self.delivers(transaction) {
            let letter = self.letter(transaction, &taken, content);
            if !letter.recipients.is_empty() {
                self.actions.insert(place, Action::Deliver(Box::new(letter)));
            }
        }
        taken.contains(&true)
    }

    /// Returns whether a message goes on now. One to be held does not (RFC 4865 §4.2), nor one to be returned rather than
    /// relayed to a server without DELIVERBY (RFC 2852 §4.1.4.1). Of neither, anything is sent later.
    fn delivers(&self, transaction: &Transaction) -> bool {
        let Some(destination) = &self.setting.delivery else { return false };
        let is_returned = matches!(destination, Destination::Smtp(_))
            && transaction.deliver_by.as_ref().is_some_and(|value| value.to_ascii_uppercase().contains(";R"));
        let held = transaction.is_held && !self.setting.spoils(Spoil::HoldsNothing);
        !held && (!is_returned || self.setting.spoils(Spoil::RelaysReturned))
    }

    fn letter(&self, transaction: &Transaction, taken: &[bool], content: &[u8]) -> Letter {
        let refused = self.setting.spoils(Spoil::DeliversRefused);
        let paths = transaction.paths.iter().zip(taken).filter(|(_, taken)| **taken || refused);
        let mut recipients: Vec<String> = paths.map(|(path, _)| path.clone()).collect();
        if self.setting.spoils(Spoil::DeliversToRefused) && !recipients.is_empty() {
            recipients.extend(transaction.refused_paths.iter().cloned());
        }
        Letter {
            client: self.client.clone(),
            sender: transaction.sender.clone(),
            recipients,
            content: content.to_vec(),
            protocol: self.protocol_name(transaction.utf8),
            priority: transaction.priority.clone(),
            is_submitted: self.setting.protocol == Protocol::Submission,
        }
    }

    /// Returns what Received says after WITH (RFC 3848, RFC 6531 §4.3).
    fn protocol_name(&self, is_utf8: bool) -> String {
        let name = match (is_utf8, self.is_lmtp(), self.hello) {
            (true, true, _) => "UTF8LMTP",
            (true, false, _) => "UTF8SMTP",
            (false, true, _) => "LMTP",
            // Only ESMTP has a name for TLS and for a login.
            (false, false, Some(Verb::Helo)) => return "SMTP".to_owned(),
            (false, false, _) => "ESMTP",
        };
        let tls = if self.tls { "S" } else { "" };
        format!("{name}{tls}{}", if self.logged_in { "A" } else { "" })
    }

    /// The server reads the octets of a chunk before it replies, even if it refuses the chunk (RFC 3030 §2).
    pub(super) fn bdat(&mut self, command: &Command<'_>) {
        let mut words = command.words();
        let length = words.next().filter(|word| word.len() <= 18 && word.iter().all(u8::is_ascii_digit));
        let length = length.and_then(|word| str::from_utf8(word).ok()?.parse::<u64>().ok());
        let last = words.next();
        let well_formed =
            last.is_none_or(|word| word.eq_ignore_ascii_case(b"LAST")) && words.next().is_none();
        let (Some(length), true) = (length, well_formed) else { return self.settle(Key::BdatSyntax) };
        let last = last.is_some();
        let refused = !matches!(self.chunk_key(length, last), Key::Bdat | Key::BdatLast);
        if refused && self.behaves(Behaviour::ObeysRefusedChunks).is_some() {
            return self.chunk(length, b"", last);
        }
        self.waiting = Waiting::Chunk { length, last };
        if length == 0 {
            self.chunk(length, b"", last);
        }
    }

    pub(super) fn chunk_key(&self, length: u64, last: bool) -> Key {
        match &self.transaction {
            None if self.demands_login() => Key::AuthRequired,
            None if self.after_last_chunk => Key::BdatAfterLast,
            None => Key::BdatBeforeMail,
            Some(transaction) if transaction.chunk_failed => Key::BdatAfterFailure,
            Some(transaction) if transaction.recipients.is_empty() => Key::BdatNoRecipient,
            Some(transaction)
                if transaction.chunked.unwrap_or(0).saturating_add(length) > self.setting.size =>
            {
                Key::BdatTooBig
            }
            Some(_) if last => Key::BdatLast,
            Some(_) => Key::Bdat,
        }
    }

    pub(super) fn chunk(&mut self, length: u64, octets: &[u8], last: bool) {
        self.waiting = Waiting::Command;
        self.at = if last { At::BdatLast } else { At::Bdat };
        let key = self.chunk_key(length, last);
        let Some(mut transaction) = self.transaction.take() else { return self.settle(key) };
        // RFC 2033 §4.3: without a recipient, the last chunk gets no reply.
        if last && self.is_lmtp() && transaction.recipients.is_empty() {
            self.transaction = Some(transaction);
            return;
        }
        transaction.content.extend_from_slice(octets);
        let taken = if last {
            let content = std::mem::take(&mut transaction.content);
            self.deliver(&transaction, key, &content)
        } else {
            is_positive(self.say(key))
        };
        transaction.chunked = Some(transaction.chunked.unwrap_or(0).saturating_add(length));
        transaction.chunk_failed |= !taken;
        if last && taken {
            self.after_last_chunk = true;
        } else {
            self.transaction = Some(transaction);
        }
    }

    /// The server trusts no IMAP server (RFC 4468). A refused BURL fails the transaction as a refused chunk does.
    pub(super) fn burl(&mut self, command: &Command<'_>) {
        let words = command.words().count();
        let key = match &self.transaction {
            _ if !matches!(words, 1 | 2) => Key::BurlSyntax,
            None => Key::BurlBeforeMail,
            Some(transaction) if transaction.recipients.is_empty() => Key::BurlNoRecipient,
            Some(_) => Key::BurlUntrusted,
        };
        if is_positive(self.say(key)) {
            self.transaction = None;
        } else if key == Key::BurlUntrusted
            && let Some(transaction) = &mut self.transaction
        {
            transaction.chunked.get_or_insert(0);
            transaction.chunk_failed = true;
        }
    }
}

/// Returns whether an address in the header has bad syntax or an incomplete domain (RFC 6409 §4.2, §5.1).
fn has_bad_address(message: &[u8]) -> bool {
    header::addresses(message).iter().any(|address| is_malformed(address) || is_incomplete(address))
}

/// Returns whether the Solicitation field has the class that the server refuses (RFC 3865 §2.5).
fn is_solicitation(message: &[u8]) -> bool {
    let fields = header::values(message, "Solicitation");
    let mut classes = fields.iter().flat_map(|field| field.split(|octet| *octet == b','));
    classes.any(|class| class.trim_ascii().eq_ignore_ascii_case(SOLICITATION.as_bytes()))
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(octets, wanted).is_some()
}

/// Returns how often `wanted` occurs.
fn count(octets: &[u8], wanted: &[u8]) -> usize {
    memchr::memmem::find_iter(octets, wanted).count()
}
