//! AUTH (RFC 4954) with CRAM-MD5, PLAIN or LOGIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use super::answer::Answer;
use super::fault::{Behaviour, Event};
use super::outcome::Meaning;
use super::session::Session;
use super::stop::Stop;

/// A user's name and password.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Omits the password.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    CramMd5,
    Plain,
    Login,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::CramMd5 => "CRAM-MD5",
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }
}

/// Logs in if there are credentials. Each mechanism that is offered is tried once, and the next one only if the server
/// refuses the mechanism rather than the credentials: after 504, 534 and 538 (RFC 4954 §4, §6; RFC 2554 §6).
pub(super) fn log_in(session: &mut Session<'_>) -> Result<(), Stop> {
    let Some(credentials) = &session.options.credentials else { return Ok(()) };
    let mut refusal = Stop::temporary("the server offers no AUTH mechanism that this client has");
    for mechanism in mechanisms(session) {
        if !session.offers_mechanism(mechanism.name()) {
            continue;
        }
        let mut answer = exchange(session, mechanism, credentials)?;
        while !answer.is_success() && session.has(Behaviour::RepeatsLogin) {
            answer = exchange(session, mechanism, credentials)?;
        }
        if answer.is_success() {
            return Ok(());
        }
        refusal = refused(session, &answer);
        if !matches!(answer.code(), 504 | 534 | 538) {
            break;
        }
    }
    Err(refusal)
}

/// Returns the mechanisms, the best first: CRAM-MD5 does not reveal the password. The faults that forgo TLS reveal it.
fn mechanisms(session: &Session<'_>) -> [Mechanism; 3] {
    if session.has(Behaviour::ContinuesInClear) || session.has(Behaviour::LogsInBeforeTls) {
        return [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5];
    }
    [Mechanism::CramMd5, Mechanism::Plain, Mechanism::Login]
}

/// Returns what a refusal means: 432 and 454 can be tried again later, 535 needs another password (RFC 4954 §6).
fn refused(session: &Session<'_>, answer: &Answer) -> Stop {
    let mut stop = answer.refusal("AUTH");
    if stop.meaning == Meaning::Temporary {
        stop.meaning = session.faults.takes(Event::TemporaryLogin).unwrap_or(stop.meaning);
    }
    stop
}

/// Goes through a mechanism, and returns the reply that ends it.
fn exchange(
    session: &mut Session<'_>,
    mechanism: Mechanism,
    credentials: &Credentials,
) -> Result<Answer, Stop> {
    let Credentials { user, password } = credentials;
    match mechanism {
        Mechanism::Plain => {
            let message = STANDARD.encode(format!("\0{user}\0{password}"));
            let answer = session.command(&format!("AUTH PLAIN {message}"))?;
            finished(session, answer)
        }
        Mechanism::Login => {
            let mut answer = session.command("AUTH LOGIN")?;
            for word in [user, password] {
                if answer.code() != 334 {
                    return Ok(answer);
                }
                answer = session.command(&STANDARD.encode(word))?;
            }
            finished(session, answer)
        }
        Mechanism::CramMd5 => {
            let answer = session.command("AUTH CRAM-MD5")?;
            if answer.code() != 334 {
                return Ok(answer);
            }
            let Ok(challenge) = STANDARD.decode(answer.challenge()) else {
                return Err(cancelled(session, "the challenge is not base64"));
            };
            let response = format!("{user} {}", digest(password, &challenge));
            let answer = session.command(&STANDARD.encode(response))?;
            finished(session, answer)
        }
    }
}

/// Returns the reply that ends a mechanism, or cancels it if the server asks for more than it has.
fn finished(session: &mut Session<'_>, answer: Answer) -> Result<Answer, Stop> {
    if answer.code() == 334 {
        return Err(cancelled(session, "the server asks for more than the mechanism has"));
    }
    Ok(answer)
}

/// Cancels a mechanism (RFC 4954 §4). Whatever the reply is, the session ends.
fn cancelled(session: &mut Session<'_>, reason: &str) -> Stop {
    match session.command("*") {
        Ok(_) => Stop::temporary(format!("AUTH: {reason}")),
        Err(stop) => stop,
    }
}

/// Returns the response to a CRAM-MD5 challenge in hexadecimal (RFC 2195 §2).
fn digest(password: &str, challenge: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(password.as_bytes()) else { return String::new() };
    mac.update(challenge);
    mac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::digest;

    /// The example of RFC 2195 §2.
    #[test]
    fn the_digest_is_that_of_the_rfc() {
        assert_eq!(
            digest("tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>"),
            "b913a602c7eda7a495b4e6e7334d3890"
        );
    }
}
