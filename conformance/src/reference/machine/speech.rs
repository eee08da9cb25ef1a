//! What the server says, changed by its faults.

use super::{Action, Behaviour, Key, Machine, Protocol, RECIPIENTS, SOLICITATION, State, Tls, Values};
use crate::reference::script::{Choice, Form};

impl Machine {
    /// Returns the lines of the list in the reply to EHLO, each with its reply code.
    pub(super) fn capabilities(&self) -> String {
        let (protocol, smtp) = (self.setting.protocol, !self.is_lmtp());
        let tls =
            self.setting.tls != Tls::None && (!self.tls || self.behaves(Behaviour::OffersTlsAgain).is_some());
        // RFC 8689 §2: only under TLS can the parameter be used.
        let early = self.behaves(Behaviour::ListsRequiretlsEarly).is_some();
        let requiretls = self.setting.tls != Tls::None && self.tls != early;
        let lines = [
            ("PIPELINING", true, String::new()),
            ("SIZE", true, self.setting.size.to_string()),
            ("ENHANCEDSTATUSCODES", true, String::new()),
            ("8BITMIME", true, String::new()),
            ("SMTPUTF8", true, String::new()),
            ("DSN", true, String::new()),
            ("CHUNKING", true, String::new()),
            ("BINARYMIME", true, String::new()),
            ("DELIVERBY", true, String::new()),
            ("MT-PRIORITY", true, String::new()),
            ("RRVS", true, String::new()),
            ("NO-SOLICITING", true, SOLICITATION.to_owned()),
            ("LIMITS", true, format!("RCPTMAX={RECIPIENTS}")),
            ("REQUIRETLS", requiretls, String::new()),
            ("CONPERM", self.is_lmtp(), String::new()),
            ("STARTTLS", tls, String::new()),
            ("AUTH", smtp, "PLAIN LOGIN CRAM-MD5".to_owned()),
            ("FUTURERELEASE", protocol == Protocol::Submission, "604800 2030-12-31T23:59:59Z".to_owned()),
            ("BURL", protocol == Protocol::Submission, "imap".to_owned()),
            ("ETRN", protocol == Protocol::Smtp, String::new()),
            ("ATRN", protocol == Protocol::Smtp, String::new()),
            ("CHECKPOINT", protocol == Protocol::Smtp, String::new()),
            ("CONNEG", protocol == Protocol::Smtp, String::new()),
            ("SUBMITTER", protocol == Protocol::Smtp, String::new()),
            ("VRFY", true, String::new()),
            ("EXPN", true, String::new()),
            ("HELP", true, String::new()),
        ];
        let shorter =
            self.behaves(Behaviour::VariesList).is_some() && self.setting.memory.is_every_second_list();
        let removed = |keyword: &str| {
            let faults = &self.setting.faults;
            faults.iter().any(|fault| fault.removes(keyword))
                || self.setting.withheld.has(keyword)
                || (shorter && keyword == "LIMITS")
        };
        let own = lines.into_iter().filter(|(keyword, offered, _)| *offered && !removed(keyword));
        let own = own.map(|(keyword, _, value)| format!("{keyword} {value}").trim_end().to_owned());
        let added = self.setting.faults.iter().flat_map(|fault| fault.adds().map(str::to_owned));
        let all: Vec<String> = own.chain(added).collect();
        let last = all.len().saturating_sub(1);
        let line =
            |(index, text): (usize, &String)| format!("250{}{text}", if index == last { ' ' } else { '-' });
        all.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    pub(super) fn settle(&mut self, key: Key) {
        self.say(key);
    }

    /// Sends a reply, and returns its reply code.
    pub(super) fn say(&mut self, key: Key) -> u16 {
        self.say_of(key, "")
    }

    pub(super) fn say_of(&mut self, key: Key, mailbox: &str) -> u16 {
        let nth = self.replied.entry(self.at).or_default();
        *nth = nth.saturating_add(1);
        let nth = *nth;
        let capabilities = if key == Key::Ehlo { self.capabilities() } else { String::new() };
        let values = Values { client: &self.client, mailbox, capabilities: &capabilities };
        let own = self.setting.replies.text(key);
        let states = || State::all().filter(|state| self.is(*state));
        let wrong = self.setting.faults.iter().find_map(|fault| fault.reply(key, |state| self.is(state)));
        let choice = self.setting.script.choice(self.at, nth);
        if let Some(ledger) = &self.setting.ledger
            && choice != Choice::default()
        {
            ledger.note_choice();
        }
        let mut octets = values.fill(choice.text.or(wrong).unwrap_or(own));
        let drops =
            self.behaves(Behaviour::DropsCodes).is_some_and(|fault| fault.is_at(key, |state| self.is(state)));
        let withholds = choice.text.is_none() && self.setting.withheld.has("ENHANCEDSTATUSCODES");
        if drops || withholds {
            octets = without_codes(&octets);
        }
        if self.behaves(Behaviour::VagueCodes).is_some() {
            octets = with_vague_codes(&octets);
        }
        match choice.form {
            Some(Form::NoText) => octets = code_alone(&octets),
            Some(Form::MultiLine) => octets = with_another_line(&octets),
            None => {}
        }
        let way = choice.way;
        let number = number(&octets).or_else(|| number(own.as_bytes())).unwrap_or_default();
        self.actions.push(Action::Reply { key, octets, states: states().collect(), way });
        if number == 421 && self.behaves(Behaviour::StaysOpen).is_none() {
            self.close();
        }
        number
    }
}

pub(super) fn is_positive(number: u16) -> bool {
    (200..300).contains(&number)
}

/// Returns the reply code at the start of a reply.
pub(super) fn number(octets: &[u8]) -> Option<u16> {
    let digits = octets.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns a 4yz or 5yz reply with X.0.0 instead of its enhanced status code; other replies are unchanged.
fn with_vague_codes(octets: &[u8]) -> Vec<u8> {
    let (code, text) = octets.split_at_checked(4).unwrap_or((octets, b""));
    match smtp_enhanced_status::EnhancedStatusCode::parse_prefix(text) {
        Some((enhanced, rest)) if matches!(enhanced.class().digit(), 4 | 5) => {
            [code, format!("{}.0.0", enhanced.class().digit()).as_bytes(), rest].concat()
        }
        _ => octets.to_vec(),
    }
}

/// Returns the reply code of a reply as a whole reply, or a reply without a code unchanged.
fn code_alone(octets: &[u8]) -> Vec<u8> {
    if number(octets).is_none() { octets.to_vec() } else { [&octets[..3], b"\r\n"].concat() }
}

/// Returns a reply with a copy of its last line before that line. A reply without a text is unchanged.
fn with_another_line(octets: &[u8]) -> Vec<u8> {
    let start =
        octets.len() - octets.split_inclusive(|octet| *octet == b'\n').next_back().unwrap_or_default().len();
    let (before, last) = octets.split_at(start);
    match last.split_at_checked(3) {
        Some((code, [b' ', text @ ..])) => [before, code, b"-", text, last].concat(),
        _ => octets.to_vec(),
    }
}

/// Returns a reply without the enhanced status codes of its lines.
fn without_codes(octets: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        let (code, text) = line.split_at_checked(4).unwrap_or((line, b""));
        let rest = match smtp_enhanced_status::EnhancedStatusCode::parse_prefix(text) {
            Some((_, rest)) => rest.strip_prefix(b" ").unwrap_or(rest),
            None => text,
        };
        [code, rest].concat()
    };
    octets.split_inclusive(|octet| *octet == b'\n').flat_map(line).collect()
}
