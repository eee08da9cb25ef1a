//! AUTH (RFC 4954): PLAIN, LOGIN and CRAM-MD5, for one user.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Behaviour, Command, Key, Machine, RESPONSE, Waiting};
use crate::reference::{PASSWORD, USER};

/// The HMAC-MD5 of the server's only CRAM-MD5 challenge, keyed with the password (RFC 2195 §2).
const CRAM: &str = "22223757a4f8b9032f5b51f446735f73";

/// What the next response contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Plain,
    LoginUser,
    LoginPassword { known: bool },
    Cram,
}

impl Machine {
    pub(super) fn auth(&mut self, command: &Command<'_>) {
        let mut words = command.words();
        let (mechanism, initial) = (words.next().unwrap_or_default(), words.next());
        let stage = match mechanism.to_ascii_uppercase().as_slice() {
            b"PLAIN" => Some(Stage::Plain),
            b"LOGIN" => Some(Stage::LoginUser),
            b"CRAM-MD5" => Some(Stage::Cram),
            _ => None,
        };
        match (stage, initial) {
            _ if self.logged_in => self.challenge(Key::AuthTwice, Stage::Plain),
            _ if self.transaction.is_some() => self.challenge(Key::AuthInTransaction, Stage::Plain),
            _ if self.hello.is_none() => self.challenge(Key::AuthBeforeHello, Stage::Plain),
            _ if mechanism.is_empty() || words.next().is_some() => {
                self.challenge(Key::AuthSyntax, Stage::Plain);
            }
            (None, _) => self.challenge(Key::AuthMechanismUnknown, Stage::Plain),
            (Some(Stage::Cram), Some(_)) => self.challenge(Key::AuthInitialResponse, Stage::Cram),
            (Some(Stage::Plain), Some(b"=")) => self.challenge(Key::AuthEmptyResponse, Stage::Plain),
            (Some(stage), Some(b"=")) => self.answer(b"", stage),
            (Some(stage), Some(initial)) => self.answer(initial, stage),
            (Some(stage), None) => self.challenge(question(stage), stage),
        }
    }

    pub(super) fn response(&mut self, line: &[u8], stage: Stage) {
        self.waiting = Waiting::Command;
        let response = line.strip_suffix(b"\r\n");
        let limit = self.behaves(Behaviour::LimitsResponses).map_or(RESPONSE, |fault| fault.count);
        match response {
            _ if line.len() > limit => self.challenge(Key::AuthLineTooLong, stage),
            None => self.challenge(Key::BareLf, stage),
            Some(b"*") => self.challenge(Key::AuthCancelled, stage),
            Some(response) => self.answer(response, stage),
        }
    }

    fn answer(&mut self, response: &[u8], stage: Stage) {
        let Ok(octets) = STANDARD.decode(response) else { return self.challenge(Key::AuthBase64, stage) };
        let good = match stage {
            Stage::LoginUser => {
                let known = octets == USER.as_bytes();
                return self.challenge(Key::AuthLoginPassword, Stage::LoginPassword { known });
            }
            Stage::LoginPassword { known } => known && octets == PASSWORD.as_bytes(),
            Stage::Cram => octets == format!("{USER} {CRAM}").as_bytes(),
            Stage::Plain => {
                let mut parts = octets.split(|octet| *octet == 0);
                let (identity, user, password) = (parts.next(), parts.next(), parts.next());
                let good = (user, password, parts.next())
                    == (Some(USER.as_bytes()), Some(PASSWORD.as_bytes()), None);
                // A user may act only for themselves (RFC 4616 §2).
                if good
                    && !identity.is_some_and(|identity| identity.is_empty() || identity == USER.as_bytes())
                {
                    return self.challenge(Key::AuthIdentity, stage);
                }
                good
            }
        };
        self.challenge(if good { Key::AuthSuccess } else { Key::AuthFailure }, stage);
    }

    /// Sends a reply. After 334 the client sends a response; after 2yz it is logged in.
    fn challenge(&mut self, key: Key, stage: Stage) {
        match self.say(key) {
            334 => self.waiting = Waiting::Response(stage),
            200..300 => self.logged_in = true,
            _ => {}
        }
    }
}

fn question(stage: Stage) -> Key {
    match stage {
        Stage::Plain => Key::AuthPlainChallenge,
        Stage::LoginUser => Key::AuthLoginUser,
        Stage::LoginPassword { .. } => Key::AuthLoginPassword,
        Stage::Cram => Key::AuthCramChallenge,
    }
}
