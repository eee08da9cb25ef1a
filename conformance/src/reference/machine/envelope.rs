//! MAIL and RCPT, with their paths and parameters.

use super::mailbox::Mailbox;
use super::speech::is_positive;
use super::{Behaviour, Command, Key, Machine, Protocol, RECIPIENTS, SOLICITATION, Spoil, Transaction};
use crate::protocol::command::{Envelope, Parameter, is_keyword, is_mailbox};

/// The longest path, including its angle brackets (RFC 5321 §4.5.3.1.3).
const PATH: usize = 256;

/// The longest time that a message can be held, in seconds.
const HOLD: u64 = 604_800;

impl Machine {
    pub(super) fn mail(&mut self, command: &Command<'_>) {
        let envelope = command.envelope();
        let key = match &envelope {
            _ if self.hello.is_none() => Key::MailBeforeHello,
            _ if self.transaction.is_some() => Key::MailNested,
            None => Key::MailSyntax,
            Some(envelope) => match self.mail_key(envelope) {
                Key::Mail if super::has_blank(command.octets()) => Key::MailBlank,
                key => key,
            },
        };
        let solicited = envelope.and_then(|envelope| envelope.value("SOLICIT")).unwrap_or_default();
        let solicited = String::from_utf8_lossy(solicited).into_owned();
        let positive = is_positive(self.say_of(key, &solicited));
        let behaves = |behaviour| self.behaves(behaviour).is_some();
        if key == Key::MailNested && behaves(Behaviour::ForgetsAtNestedMail) {
            self.transaction = None;
        } else if key == Key::MailPath && behaves(Behaviour::ForgetsHelloAtBadMail) {
            self.hello = None;
        }
        if positive {
            let keeps = self.behaves(Behaviour::KeepsRecipientsAtMail).is_some();
            let before = self.transaction.take().filter(|_| keeps).unwrap_or_default();
            let has = |keyword, wanted: &[u8]| {
                let value = envelope.and_then(|envelope| envelope.value(keyword));
                value.is_some_and(|value| wanted.is_empty() || value.eq_ignore_ascii_case(wanted))
            };
            let value = |keyword| {
                let value = envelope.and_then(|envelope| envelope.value(keyword))?;
                Some(String::from_utf8_lossy(value).into_owned())
            };
            let size = envelope.and_then(|envelope| number(envelope.value("SIZE")?));
            let sender = envelope.and_then(|envelope| envelope.path()).unwrap_or_default();
            self.transaction = Some(Transaction {
                sender: String::from_utf8_lossy(without_route(sender)).into_owned(),
                priority: value("MT-PRIORITY"),
                is_held: has("HOLDFOR", b"") || has("HOLDUNTIL", b""),
                deliver_by: value("BY"),
                content: std::mem::take(&mut self.chunks),
                utf8: has("SMTPUTF8", b""),
                binary: has("BODY", b"BINARYMIME"),
                size,
                recipients: before.recipients,
                paths: before.paths,
                ..Transaction::default()
            });
            self.after_last_chunk = false;
        }
    }

    fn mail_key(&self, envelope: &Envelope<'_>) -> Key {
        let Some(path) = envelope.path() else { return Key::MailPath };
        let utf8 = envelope.parameter("SMTPUTF8").is_some();
        match self.path_problem(path, utf8) {
            _ if path.is_empty() => {}
            Some(Problem::Length) => return Key::MailPathTooLong,
            Some(Problem::NonAscii) => return Key::MailNonAscii,
            Some(Problem::Form) => return Key::MailPath,
            None if self.is_incomplete(path) => return Key::MailDomain,
            None => {}
        }
        if is_glued(envelope, path) {
            return Key::MailSyntax;
        }
        let has = |keyword| envelope.parameter(keyword).is_some();
        if let Some(key) = self.mail_parameters(envelope) {
            return key;
        }
        let changes_priority =
            has("MT-PRIORITY") && !self.logged_in && envelope.value("MT-PRIORITY") != Some(b"0");
        let mut classes = envelope.value("SOLICIT").unwrap_or_default().split(|octet| *octet == b',');
        let solicits = classes.any(|class| class.eq_ignore_ascii_case(SOLICITATION.as_bytes()));
        // The first condition that holds decides.
        let conditions = [
            (solicits, Key::Solicitation),
            (changes_priority, Key::MailPriorityChanged),
            (has("MT-PRIORITY"), Key::MailPriority),
            (has("HOLDFOR") || has("HOLDUNTIL"), Key::MailHold),
            (has("TRANSID"), Key::MailTransid),
            (has("SUBMITTER"), Key::MailSubmitter),
            (has("BY"), Key::MailDeliverBy),
            (has("REQUIRETLS"), Key::MailRequiretls),
            (has("CONPERM"), Key::MailConperm),
            (!path.is_ascii(), Key::MailInternational),
            (path.is_empty(), Key::MailNullSender),
            (has("RET") || has("ENVID"), Key::MailDsn),
            (has("AUTH"), Key::MailAuth),
            (utf8, Key::MailUtf8),
            (has("BODY"), Key::MailBody),
            (has("SIZE"), Key::MailDeclaresSize),
            (path.starts_with(b"@"), Key::MailRoute),
            (envelope.is_indented(), Key::MailIndented),
            (path.ends_with(b".invalid"), Key::MailInvalidDomain),
            (path.starts_with(b"\""), Key::MailQuoted),
            (path.ends_with(b"]"), Key::MailLiteral),
            (path.contains(&b'!'), Key::MailSigns),
        ];
        conditions.into_iter().find(|(holds, _)| *holds).map_or(Key::Mail, |(_, key)| key)
    }

    /// Returns the first problem with the parameters: malformed ones come first, then unknown ones, then wrong values
    /// (RFC 5321 §4.1.1.11).
    fn mail_parameters(&self, envelope: &Envelope<'_>) -> Option<Key> {
        let parameters = || envelope.parameters();
        let is_malformed = |parameter: &Parameter<'_>| {
            let known = is_value_missing(parameter) && self.mail_parameter(parameter).is_some();
            !parameter.is_well_formed() && !known
        };
        if parameters().any(|parameter| is_malformed(&parameter)) {
            return Some(Key::MailParameterSyntax);
        }
        let unknown = parameters().find(|parameter| self.mail_parameter(parameter).is_none());
        if let Some(parameter) = unknown {
            return Some(unknown_key(&parameter));
        }
        let wrong = |parameter: &Parameter<'_>| {
            let (key, good) = self.mail_parameter(parameter)?;
            let repeats =
                parameters().filter(|other| other.keyword.eq_ignore_ascii_case(parameter.keyword)).count()
                    > 1;
            (repeats || !good).then_some(key)
        };
        let both = envelope.parameter("HOLDFOR").is_some() && envelope.parameter("HOLDUNTIL").is_some();
        let due = envelope.value("BY").and_then(deadline);
        let late =
            envelope.value("HOLDFOR").and_then(number).is_some_and(|held| due.is_some_and(|due| held > due));
        let too_big = |value| number(value).is_none_or(|size| size > self.setting.size);
        parameters()
            .find_map(|parameter| wrong(&parameter))
            .or((both || late).then_some(Key::HoldValue))
            .or(envelope.value("SIZE").is_some_and(too_big).then_some(Key::SizeAboveLimit))
    }

    /// Returns the reply to a wrong or repeated parameter, and whether its value is good; `None` if the parameter is
    /// unknown.
    fn mail_parameter(&self, parameter: &Parameter<'_>) -> Option<(Key, bool)> {
        if self.lacks_capitals(parameter) || self.setting.withheld.has_parameter(parameter.keyword) {
            return None;
        }
        let keyword = parameter.keyword.to_ascii_uppercase();
        let value = parameter.value;
        let is = |values: &[&[u8]]| {
            value.is_some_and(|value| values.iter().any(|one| value.eq_ignore_ascii_case(one)))
        };
        let submission = self.setting.protocol == Protocol::Submission;
        let smtp = self.setting.protocol == Protocol::Smtp;
        Some(match keyword.as_slice() {
            b"SIZE" => (Key::SizeValue, value.is_some_and(is_number)),
            b"BODY" => {
                let binary = is(&[b"BINARYMIME"]) && !self.setting.withheld.has("BINARYMIME");
                (Key::BodyValue, binary || is(&[b"7BIT", b"8BITMIME"]))
            }
            b"SMTPUTF8" => (Key::Utf8Value, value.is_none()),
            b"RET" => (Key::MailDsnValue, is(&[b"FULL", b"HDRS"])),
            b"ENVID" => (Key::MailDsnValue, value.is_some_and(|value| is_xtext(value) && value.len() <= 100)),
            b"AUTH" if !self.is_lmtp() => {
                (Key::MailAuthValue, value.is_some_and(|value| value == b"<>" || is_xtext(value)))
            }
            b"BY" => (Key::DeliverByValue, value.is_some_and(is_deliver_by)),
            b"MT-PRIORITY" => (Key::PriorityValue, value.is_some_and(is_priority)),
            b"SOLICIT" => (Key::MailParameterSyntax, value.is_some_and(is_class_list)),
            b"REQUIRETLS" if self.tls => (Key::MailParameterSyntax, value.is_none()),
            b"CONPERM" if self.is_lmtp() => (Key::MailParameterSyntax, value.is_none()),
            b"TRANSID" if smtp => (Key::MailParameterSyntax, value.is_some_and(is_transaction)),
            b"SUBMITTER" if smtp => (Key::MailParameterSyntax, value.is_some_and(is_xtext)),
            b"HOLDFOR" if submission => {
                (Key::HoldValue, value.and_then(number).is_some_and(|seconds| (1..=HOLD).contains(&seconds)))
            }
            b"HOLDUNTIL" if submission => {
                (Key::HoldValue, value.is_some_and(|value| is_date(value) && *value < b"2031"[..]))
            }
            _ => return None,
        })
    }

    fn lacks_capitals(&self, parameter: &Parameter<'_>) -> bool {
        let lower = parameter.keyword.iter().any(u8::is_ascii_lowercase);
        lower && self.behaves(Behaviour::NeedsCapitals).is_some()
    }

    pub(super) fn rcpt(&mut self, command: &Command<'_>) {
        let envelope = command.envelope();
        let key = match (&envelope, &self.transaction) {
            (_, None) => Key::RcptBeforeMail,
            (_, Some(transaction)) if transaction.chunked.is_some() => Key::RcptAfterBdat,
            (None, _) => Key::RcptSyntax,
            (Some(envelope), Some(transaction)) => self.rcpt_key(envelope, transaction),
        };
        let path = envelope.and_then(|envelope| envelope.path()).unwrap_or_default();
        let mailbox = mailbox(path);
        let path = if self.setting.spoils(Spoil::KeepsRoutes) { path } else { without_route(path) };
        let path = String::from_utf8_lossy(path).into_owned();
        let positive = is_positive(self.say(key));
        let forgets = self.behaves(Behaviour::ForgetsAtRefusedRcpt).is_some();
        if let Some(transaction) = &mut self.transaction {
            if positive {
                transaction.recipients.push(mailbox);
                transaction.paths.push(path);
            } else {
                transaction.refused += 1;
                if transaction.refused <= 100 {
                    transaction.refused_paths.push(path);
                }
            }
            if forgets && !positive {
                transaction.recipients.clear();
                transaction.paths.clear();
            }
        }
    }

    fn rcpt_key(&self, envelope: &Envelope<'_>, transaction: &Transaction) -> Key {
        let Some(path) = envelope.path() else { return Key::RcptPath };
        let postmaster = path.eq_ignore_ascii_case(b"postmaster");
        match self.path_problem(path, transaction.utf8) {
            _ if postmaster => {}
            Some(Problem::Length) => return Key::RcptPathTooLong,
            Some(Problem::NonAscii) => return Key::RcptNonAscii,
            Some(Problem::Form) => return Key::RcptPath,
            None if self.is_incomplete(path) => return Key::RcptDomain,
            None => {}
        }
        if is_glued(envelope, path) {
            return Key::RcptSyntax;
        }
        if let Some(key) = self.rcpt_parameters(envelope) {
            return key;
        }
        self.mailbox_key(path, envelope, transaction)
    }

    fn mailbox_key(&self, path: &[u8], envelope: &Envelope<'_>, transaction: &Transaction) -> Key {
        let limit = self.behaves(Behaviour::LimitsRecipients).map_or(RECIPIENTS, |fault| fault.count);
        let full = transaction.recipients.len() >= limit;
        let has = |keyword| envelope.parameter(keyword).is_some();
        match mailbox(path) {
            Mailbox::Unknown if self.setting.welcomes_all => Key::Rcpt,
            Mailbox::Unknown if !path.is_ascii() => Key::RcptInternational,
            Mailbox::Foreign if !self.logged_in => Key::RelayDenied,
            Mailbox::Unknown => Key::RcptUnknown,
            Mailbox::Full => Key::RcptFull,
            _ if full => Key::TooManyRecipients,
            Mailbox::Postmaster if has("RRVS") => Key::RcptPostmasterSince,
            _ if envelope.value("RRVS").is_some_and(|date| *date < b"2020"[..]) => Key::OwnerChanged,
            _ if !self.logged_in
                && self.behaves(Behaviour::Greylist).is_some()
                && self.setting.memory.is_new(path) =>
            {
                Key::Greylisted
            }
            Mailbox::Forwarded => Key::RcptForwarded,
            Mailbox::Postmaster => Key::RcptPostmaster,
            Mailbox::Foreign => Key::RcptRelayed,
            _ if path.starts_with(b"@") => Key::RcptRoute,
            _ if path.starts_with(b"\"") => Key::RcptQuoted,
            _ if path.ends_with(super::mailbox::DOMAIN.to_ascii_uppercase().as_bytes()) => {
                Key::RcptDomainCase
            }
            _ if has("CONNEG") => Key::RcptConneg,
            _ if has("RRVS") => Key::RcptSince,
            _ if has("NOTIFY") || has("ORCPT") => Key::RcptDsn,
            Mailbox::Valid | Mailbox::Late => Key::Rcpt,
        }
    }

    fn rcpt_parameters(&self, envelope: &Envelope<'_>) -> Option<Key> {
        let parameters = || envelope.parameters();
        if parameters().any(|parameter| !parameter.is_well_formed() && !is_value_missing(&parameter)) {
            return Some(Key::RcptParameterSyntax);
        }
        if parameters().any(|parameter| self.rcpt_parameter(&parameter).is_none()) {
            return Some(Key::RcptParameterUnknown);
        }
        parameters().find_map(|parameter| {
            let (key, good) = self.rcpt_parameter(&parameter)?;
            let repeats =
                parameters().filter(|other| other.keyword.eq_ignore_ascii_case(parameter.keyword)).count()
                    > 1;
            (repeats || !good).then_some(key)
        })
    }

    /// As [`Machine::mail_parameter`].
    fn rcpt_parameter(&self, parameter: &Parameter<'_>) -> Option<(Key, bool)> {
        if self.setting.withheld.has_parameter(parameter.keyword) {
            return None;
        }
        let value = parameter.value;
        Some(match parameter.keyword.to_ascii_uppercase().as_slice() {
            b"NOTIFY" => (Key::RcptDsnValue, value.is_some_and(is_notify)),
            b"ORCPT" => (Key::RcptDsnValue, value.is_some_and(is_original_recipient)),
            b"RRVS" => (Key::RrvsValue, value.is_some_and(is_since)),
            b"CONNEG" if self.setting.protocol == Protocol::Smtp => {
                (Key::RcptParameterSyntax, value.is_none())
            }
            _ => return None,
        })
    }

    fn path_problem(&self, path: &[u8], utf8: bool) -> Option<Problem> {
        let mailbox = without_route(path);
        let ascii: Vec<u8> =
            mailbox.iter().map(|octet| if octet.is_ascii() { *octet } else { b'x' }).collect();
        let longest = self.behaves(Behaviour::LimitsNames).map_or(PATH, |fault| fault.count);
        if path.len() + 2 > longest {
            Some(Problem::Length)
        } else if !path.is_ascii() && !utf8 {
            Some(Problem::NonAscii)
        } else if !is_mailbox(&ascii) || str::from_utf8(path).is_err() {
            Some(Problem::Form)
        } else {
            None
        }
    }

    /// A submission server requires fully qualified domains (RFC 6409 §4.2).
    fn is_incomplete(&self, path: &[u8]) -> bool {
        let domain = path.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
        self.setting.protocol == Protocol::Submission && !domain.contains(&b'.') && !domain.starts_with(b"[")
    }
}

enum Problem {
    Length,
    NonAscii,
    Form,
}

/// Removes a source route, which servers accept and ignore (RFC 5321 §4.1.2 and Appendix F.2).
fn without_route(path: &[u8]) -> &[u8] {
    if !path.starts_with(b"@") {
        return path;
    }
    let end = path.iter().position(|octet| *octet == b':');
    end.and_then(|end| path.get(end + 1..)).unwrap_or(path)
}

fn mailbox(path: &[u8]) -> Mailbox {
    Mailbox::of(&String::from_utf8_lossy(without_route(path)))
}

/// Returns whether something follows the path without a space.
fn is_glued(envelope: &Envelope<'_>, path: &[u8]) -> bool {
    let plain = path.is_empty() || path.eq_ignore_ascii_case(b"postmaster") || is_mailbox(path);
    let bad_parameter = envelope.parameters().any(|parameter| !parameter.is_well_formed());
    plain && !bad_parameter && !envelope.is_well_formed()
}

/// Returns whether a parameter has a keyword but an empty value, as `AUTH=` does. Its keyword decides the reply.
fn is_value_missing(parameter: &Parameter<'_>) -> bool {
    parameter.value.is_some_and(<[u8]>::is_empty) && is_keyword(parameter.keyword)
}

/// Returns the reply to an unknown parameter (RFC 5321 §4.1.1.11). RFC 4141 §4.2 has a separate reply code for CONPERM.
fn unknown_key(parameter: &Parameter<'_>) -> Key {
    if parameter.is("CONPERM") { Key::Conperm } else { Key::MailParameterUnknown }
}

/// Returns whether a value of NOTIFY is valid (RFC 3461 §4.1).
fn is_notify(value: &[u8]) -> bool {
    if value.eq_ignore_ascii_case(b"NEVER") {
        return true;
    }
    let words: Vec<Vec<u8>> = value.split(|octet| *octet == b',').map(<[u8]>::to_ascii_uppercase).collect();
    let known = |word: &Vec<u8>| matches!(word.as_slice(), b"SUCCESS" | b"FAILURE" | b"DELAY");
    words.iter().all(|word| known(word) && words.iter().filter(|other| *other == word).count() == 1)
}

/// Returns whether a value of ORCPT is valid (RFC 3461 §4.2).
fn is_original_recipient(value: &[u8]) -> bool {
    let Some(end) = value.iter().position(|octet| *octet == b';') else { return false };
    let (kind, address) = value.split_at(end);
    is_keyword(kind) && address.get(1..).is_some_and(|address| !address.is_empty() && is_xtext(address))
}

/// Returns whether a value is xtext (RFC 3461 §4).
fn is_xtext(value: &[u8]) -> bool {
    let mut octets = value.iter();
    let hexadecimal = |octet: &u8| matches!(octet, b'0'..=b'9' | b'A'..=b'F');
    while let Some(octet) = octets.next() {
        let good = match octet {
            b'+' => octets.next().is_some_and(hexadecimal) && octets.next().is_some_and(hexadecimal),
            octet => octet.is_ascii_graphic() && *octet != b'=',
        };
        if !good {
            return false;
        }
    }
    !value.is_empty()
}

/// Returns whether a value is a transaction identifier, which is in angle brackets (RFC 1845 §4).
fn is_transaction(value: &[u8]) -> bool {
    let inside = value.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    inside.is_some_and(|inside| !inside.is_empty())
}

/// Returns whether a value of BY is valid: seconds, a mode, and optionally a trace. With the mode R, the time must be
/// positive (RFC 2852 §4).
fn is_deliver_by(value: &[u8]) -> bool {
    let Some(end) = value.iter().position(|octet| *octet == b';') else { return false };
    let (time, mode) = value.split_at(end);
    let digits = time.strip_prefix(b"-").unwrap_or(time);
    let positive = digits.len() == time.len() && digits.iter().any(|octet| *octet != b'0');
    let well_formed = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    match mode.to_ascii_uppercase().as_slice() {
        b";R" | b";RT" => well_formed && positive,
        b";N" | b";NT" => well_formed,
        _ => false,
    }
}

/// Returns the seconds of a valid BY that are left, or 0 if the time has passed.
fn deadline(value: &[u8]) -> Option<u64> {
    let time = value.split(|octet| *octet == b';').next()?;
    if time.starts_with(b"-") { Some(0) } else { number(time) }
}

/// Returns whether a value of MT-PRIORITY is valid (RFC 6710 §6).
fn is_priority(value: &[u8]) -> bool {
    matches!(value, [b'0'..=b'9'] | [b'-', b'1'..=b'9'])
}

/// Returns whether a value is a list of classes of solicitations (RFC 3865 §2.2).
fn is_class_list(value: &[u8]) -> bool {
    let is_class = |word: &[u8]| {
        word.first().is_some_and(u8::is_ascii_alphabetic)
            && word.iter().all(|octet| octet.is_ascii_alphanumeric() || b".-_:".contains(octet))
    };
    value.split(|octet| *octet == b',').all(is_class)
}

/// Returns whether a value is a time without a fraction of a second, and perhaps an action (RFC 7293 §3.1).
fn is_since(value: &[u8]) -> bool {
    let mut parts = value.split(|octet| *octet == b';');
    let time = parts.next().unwrap_or_default();
    let known = |action: &[u8]| action.eq_ignore_ascii_case(b"C") || action.eq_ignore_ascii_case(b"R");
    is_date(time) && !time.contains(&b'.') && parts.next().is_none_or(known) && parts.next().is_none()
}

/// Returns whether a value looks like a date and time of RFC 3339. Only the form is checked.
fn is_date(value: &[u8]) -> bool {
    let form = b"0000-00-00T00:00:00";
    let fits =
        |(octet, wanted): (&u8, &u8)| if *wanted == b'0' { octet.is_ascii_digit() } else { octet == wanted };
    value.len() > form.len() && value.iter().zip(form).all(fits)
}

fn is_number(value: &[u8]) -> bool {
    (1..=20).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

fn number(value: &[u8]) -> Option<u64> {
    if is_number(value) { str::from_utf8(value).ok()?.parse().ok() } else { None }
}
