//! Removes the password of a target from everything that is written, in every form that a server is likely to show.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::case::placeholder::Identity;
use crate::dialogue::{Act, Dialogue};
use crate::protocol::notation::shown;
use crate::target::Credentials;

/// The number of consecutive octets that count as a piece of the password, anywhere in it.
const PIECE: usize = 6;
/// The number of octets that count as a piece of the password at its beginning.
const BEGINNING: usize = 4;
/// [`PIECE`] in base64, where four characters encode three octets.
const ENCODED_PIECE: usize = 8;
/// [`BEGINNING`] in base64.
const ENCODED_BEGINNING: usize = 6;
/// The minimum number of characters within longer base64 that count as a piece, which is what a password of four octets
/// determines. Any text may contain fewer by chance.
const ENCODED_LEAST: usize = 4;

/// Finds a password in octets: in clear, encoded in base64, in the message of AUTH PLAIN and within longer base64, in
/// any letter case, and truncated.
///
/// Fewer than four octets do not count as a piece of the password, because any text contains them by chance.
pub(super) struct Redaction {
    /// Every piece that gives the password away. `forms` has the form of each.
    pieces: AhoCorasick,
    forms: Vec<Form>,
    /// Replaces each octet. It is a letter that the password lacks, if there is one, so that no password becomes
    /// itself, and has no meaning in SMTP.
    mask: u8,
}

/// What to remove when a piece is found.
#[derive(Clone, Debug)]
enum Form {
    /// The piece.
    Piece,
    /// The piece and the base64 characters next to it, which hold some of its bits.
    Encoded,
    /// The piece, which begins this text, and as much of the text as follows.
    Start(Vec<u8>),
    /// As much of this text, which the piece begins, as follows the piece.
    After(Vec<u8>),
}

impl Redaction {
    pub(super) fn of(credentials: &Credentials) -> Result<Redaction> {
        let mut known = Known::default();
        let password = credentials.password.as_str();
        known.add_text(password.as_bytes());
        // Messages escape characters that are not printable ASCII.
        known.add_text(password.escape_default().to_string().as_bytes());
        known.add_text(password.as_bytes().escape_ascii().to_string().as_bytes());
        known.add_text(shown(password.as_bytes()).as_bytes());
        for password in [password.to_owned(), password.to_ascii_lowercase(), password.to_ascii_uppercase()] {
            known.add_encoded(password.as_bytes());
            known.add_plain(&credentials.user, &password);
            for identity in Identity::ALL {
                known.add_plain_as(identity.text(), &credentials.user, &password);
            }
        }
        let pieces = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&known.pieces)
            .context("cannot build the search for the password")?;
        let has = |letter: &u8| password.bytes().any(|octet| octet.eq_ignore_ascii_case(letter));
        let mask = (b'a'..=b'z').rev().find(|letter| *letter <= b'x' && !has(letter)).unwrap_or(b'*');
        Ok(Redaction { pieces, forms: known.forms, mask })
    }

    /// Removes the password from what was sent and received. Returns whether it was found anywhere.
    pub(super) fn redact(&self, dialogues: &mut [Dialogue]) -> bool {
        let mut is_found = false;
        for exchange in dialogues.iter_mut().flat_map(|dialogue| &mut dialogue.exchanges) {
            match &mut exchange.act {
                Act::Command(octets) | Act::Response(octets) | Act::Message(octets) => {
                    is_found |= self.mask(octets);
                }
                Act::Chunk { command, octets } => {
                    is_found |= self.mask(command);
                    is_found |= self.mask(octets);
                }
                Act::Connect | Act::Handshake | Act::Wait => {}
            }
            is_found |= self.mask(&mut exchange.ahead);
            for answer in &mut exchange.answers {
                is_found |= self.mask(&mut answer.octets);
            }
            for copy in exchange.arrived.iter_mut().flat_map(|arrived| &mut arrived.copies) {
                is_found |= self.mask(&mut copy.octets);
            }
        }
        is_found
    }

    /// Returns the text without the password.
    pub(super) fn redacted(&self, text: &str) -> String {
        let mut octets = text.as_bytes().to_vec();
        self.mask(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// Replaces each octet of the password by the mask, which preserves lengths and keeps base64 well-formed. Returns
    /// whether the password was found.
    fn mask(&self, octets: &mut [u8]) -> bool {
        let mut hidden: Vec<(usize, usize)> = Vec::new();
        for found in self.pieces.find_overlapping_iter(&*octets) {
            let (start, end) = (found.start(), found.end());
            hidden.push(match self.forms.get(found.pattern().as_usize()) {
                Some(Form::Encoded) => {
                    let is_part = |at: Option<usize>| {
                        at.and_then(|at| octets.get(at)).is_some_and(|octet| is_base64(*octet))
                    };
                    let before = usize::from(is_part(start.checked_sub(1)));
                    (start - before, end + usize::from(is_part(Some(end))))
                }
                Some(Form::Start(whole)) => (start, start + common(&octets[start..], whole)),
                Some(Form::After(whole)) => (end, start + common(&octets[start..], whole)),
                Some(Form::Piece) | None => (start, end),
            });
        }
        for (start, end) in &hidden {
            octets[*start..*end].fill(self.mask);
        }
        !hidden.is_empty()
    }
}

/// The pieces that give a password away.
#[derive(Default)]
struct Known {
    pieces: Vec<Vec<u8>>,
    forms: Vec<Form>,
    seen: HashSet<Vec<u8>>,
}

impl Known {
    fn add(&mut self, piece: &[u8], form: Form) {
        if !piece.is_empty() && self.seen.insert(piece.to_vec()) {
            self.pieces.push(piece.to_vec());
            self.forms.push(form);
        }
    }

    /// Adds every piece of that length, or the whole text if it is not longer, and the beginning.
    fn add_pieces(&mut self, text: &[u8], length: usize, beginning: usize, form: &Form) {
        self.add(&text[..text.len().min(beginning)], form.clone());
        if text.len() <= length {
            self.add(text, form.clone());
        }
        for piece in text.windows(length) {
            self.add(piece, form.clone());
        }
    }

    fn add_text(&mut self, text: &[u8]) {
        self.add_pieces(text, PIECE, BEGINNING, &Form::Piece);
    }

    /// Adds the base64 of a text, and the characters that it determines within longer base64, for each of the three
    /// offsets that it can have there.
    fn add_encoded(&mut self, text: &[u8]) {
        for before in 0..3 {
            let encoded = STANDARD_NO_PAD.encode([&[0; 2][..before], text].concat());
            let first = (before * 8).div_ceil(6);
            let last = (before + text.len()) * 8 / 6;
            let own = encoded.as_bytes().get(first..last).unwrap_or_default();
            if own.len() >= ENCODED_LEAST || before == 0 {
                self.add_pieces(own, ENCODED_PIECE, ENCODED_BEGINNING, &Form::Encoded);
            }
        }
    }

    /// Adds the beginning of the message of AUTH PLAIN, up to the first character that depends on the password.
    fn add_plain(&mut self, user: &str, password: &str) {
        let whole = Credentials::plain_message(user, password).into_bytes();
        let length = (user.len() + 2) * 8 / 6 + 1;
        if let Some(start) = whole.get(..length) {
            self.add(start, Form::Start(whole.clone()));
        }
    }

    /// Adds the message of AUTH PLAIN with an authorization identity. What comes before the password stays, because a rule
    /// judges the identity.
    fn add_plain_as(&mut self, identity: &str, user: &str, password: &str) {
        let whole = Credentials::plain_message_as(identity, user, password).into_bytes();
        let length = (identity.len() + user.len() + 2) * 8 / 6;
        if let Some(start) = whole.get(..length) {
            self.add(start, Form::After(whole.clone()));
        }
    }
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

/// Returns the length of the common beginning of two texts, ignoring letter case.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn redaction(password: &str) -> Redaction {
        let password = password.to_owned();
        Redaction::of(&Credentials { user: "alice".to_owned(), password, cleartext: false })
            .expect("it is built")
    }

    #[test]
    fn the_password_is_removed_in_every_form() {
        let redaction = redaction("S3cr3t-Pa55");
        for (text, expected) in [
            ("220 S3cr3t-Pa55 ESMTP", "220 xxxxxxxxxxx ESMTP"),
            ("250 s3CR3T-pA55!", "250 xxxxxxxxxxx!"),
            ("250 S3cr3t and -Pa55", "250 xxxxxx and -Pa55"),
            ("250 3cr3t-P", "250 xxxxxxx"),
            ("S3c", "S3c"),
            ("AUTH PLAIN AGFsaWNlAFMzY3IzdC1QYTU1\r\n", "AUTH PLAIN xxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
            ("535 AGFsaWNlAFMz", "535 xxxxxxxxxxxx"),
            ("535 AGFsaWNl", "535 AGFsaWNl"),
            ("UzNjcjN0LVBhNTU=", "xxxxxxxxxxxxxxx="),
            ("550 Unable to relay", "550 Unable to relay"),
        ] {
            assert_eq!(redaction.redacted(text), expected);
        }
    }

    /// A short password is hidden where it is known to be.
    #[test]
    fn the_identity_in_auth_plain_stays() {
        for password in ["S3cr3t-Pa55", "ab1"] {
            for identity in Identity::ALL.map(Identity::text) {
                let message = Credentials::plain_message_as(identity, "alice", password);
                let shown = redaction(password).redacted(&message);
                let decoded = STANDARD.decode(shown.as_bytes()).unwrap_or_default();
                let start = format!("{identity}\0alic");
                assert!(decoded.starts_with(start.as_bytes()), "{shown}");
                assert!(!decoded.ends_with(&password.as_bytes()[1..]), "{shown}");
            }
        }
    }

    #[test]
    fn no_password_becomes_itself() {
        for password in ["x", "xxxx", "zyxwvutsrqponmlkjihgfedcba", "[redacted]", "250"] {
            let shown = redaction(password).redacted(&format!("250 {password} Ok"));
            assert!(!shown.contains(password), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn a_planted_password_is_not_found_again(
            password in "[!-~]{4,20}|\\PC{4,12}",
            before in "[a-z]{0,5}",
            after in "[a-z]{0,5}",
        ) {
            let redaction = redaction(&password);
            let planted = format!("{before}{password}{after}");
            let long = STANDARD.encode(&planted);
            let [hyphen, bell] = Identity::ALL.map(|identity| Credentials::plain_message_as(identity.text(), "alice", &password));
            let plain = Credentials::plain_message("alice", &password);
            for text in [planted, long.clone(), plain, hyphen, bell, long.to_ascii_uppercase()] {
                let shown = redaction.redacted(&text);
                prop_assert!(!shown.contains(&password), "{}", shown);
                let decoded = STANDARD.decode(shown.as_bytes()).unwrap_or_default();
                let octets = password.as_bytes();
                let is_there = decoded.windows(octets.len()).any(|part| part.eq_ignore_ascii_case(octets));
                prop_assert!(!is_there, "{} holds {}", shown, password);
            }
        }
    }
}
