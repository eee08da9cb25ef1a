//! What begins a session or a transaction anew, and what does not.

use crate::capabilities::Capabilities;
use crate::catalogue::RuleId;
use crate::command::Verb;
use crate::dialogue::Act;
use crate::session::Step;

use super::batch::verb;
use super::{Connection, Places, words};

pub(super) fn judge(connection: &Connection<'_>, places: &mut Places) {
    hello_within_transaction(connection, places);
    empty_transaction(connection, places);
    if !connection.dialogue.implicit_tls {
        after_handshake(connection, places);
    }
}

/// RFC 5321 §4.1.4: EHLO ends a transaction, and an EHLO that is refused changes nothing.
fn hello_within_transaction(connection: &Connection<'_>, places: &mut Places) {
    let steps: Vec<(usize, &Step<'_>)> =
        connection.sure().filter(|(_, step)| verb(step) != Some(Verb::Noop)).collect();
    for pair in steps.windows(2) {
        let [(_, hello), (position, next)] = pair else { continue };
        let within = hello.session.transaction.as_ref().filter(|transaction| !transaction.data);
        let (Some(transaction), Some(true)) = (within, verb(hello).map(Verb::is_hello)) else { continue };
        let (Some(number), Some(answer)) = (hello.exchange.number(), next.exchange.number()) else {
            continue;
        };
        let recipients = !transaction.recipients.is_empty();
        let kept = match verb(next) {
            Some(Verb::Rcpt) => true,
            // Without a recipient, 503 is right.
            Some(Verb::Data) => recipients,
            _ => continue,
        };
        let text = next.exchange.answers.first().map(|answer| words(&answer.octets)).unwrap_or_default();
        let login = text.contains("auth") || text.contains("login") || text.contains("too many");
        let rule = RuleId::HELLO_RESETS_STATE;
        let breaches = places.at(connection.place(*position, Some(0)));
        match (number, answer) {
            (500..600, 503) if kept && !login => {
                breaches.add(rule, format!("503 after a hello that was refused with {number}"));
            }
            (250, 250 | 251) if verb(next) == Some(Verb::Rcpt) => {
                breaches
                    .add(rule, format!("{answer} to RCPT, though the hello before ended the transaction"));
            }
            _ => {}
        }
    }
}

/// RFC 2920 §3.2: a message without recipients, which a client sends behind a 354 it did not expect, goes
/// nowhere.
fn empty_transaction(connection: &Connection<'_>, places: &mut Places) {
    let mut asked = false;
    for (position, step) in connection.sure() {
        let number = step.exchange.number();
        let empty = step.exchange.act == Act::Message(b".\r\n".to_vec());
        let taken = number.is_some_and(|number| (200..300).contains(&number));
        if asked && empty && taken && step.session.recipients() == 0 && step.session.offers("PIPELINING") {
            let detail = format!("{} to an empty message for nobody", number.unwrap_or_default());
            places.at(connection.place(position, Some(0))).add(RuleId::EMPTY_TRANSACTION_REFUSED, detail);
        }
        asked = verb(step) == Some(Verb::Data) && number == Some(354);
    }
}

/// RFC 3207 §4.2: after the handshake STARTTLS is not offered, and the session begins anew.
fn after_handshake(connection: &Connection<'_>, places: &mut Places) {
    let rule = RuleId::STARTTLS_FORGETS_SESSION;
    for (position, step) in connection.sure().filter(|(_, step)| step.session.tls) {
        let Some(reply) = step.exchange.replies().next().filter(|reply| reply.number() == Some(250)) else {
            continue;
        };
        let place = connection.place(position, Some(0));
        match verb(step) {
            Some(Verb::Ehlo | Verb::Lhlo) if Capabilities::read(&reply).has("STARTTLS") => {
                places.at(place).add(rule, "STARTTLS is listed again");
            }
            Some(Verb::Mail) if step.session.hello.is_none() => {
                places.at(place).add_under(rule, "mail-without-hello", "no EHLO came since the handshake");
            }
            _ => {}
        }
    }
}
