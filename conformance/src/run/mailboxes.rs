//! Finds mailboxes that the target states and that the server does not seem to have.

use crate::dialogue::{Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::protocol::command::Verb;
use crate::protocol::notation::shown;
use crate::protocol::reply::Reply;

/// Returns a hint for each mailbox that the target states to exist, but that the server always refuses in RCPT. The
/// target file may name the wrong mailbox.
#[must_use]
pub(super) fn suspect_mailboxes(knowledge: &Knowledge, dialogues: &[Dialogue]) -> Vec<String> {
    let doubt = |name: &&str| {
        let mailbox = knowledge.mailbox(name)?;
        let mut refused = None;
        for reply in replies_to(mailbox, dialogues) {
            match reply.number()? {
                200..300 => return None,
                _ if *name == "forwarded" && has_moved(&reply) => return None,
                550 | 553 | 554 if is_about_mailbox(&reply) => refused = refused.or(Some(reply)),
                _ => {}
            }
        }
        let line = refused?.lines().next()?.octets();
        let reply = shown(line.get(..SHOWN).unwrap_or(line));
        Some(format!("{name} = {mailbox:?}: RCPT is always refused ({reply}); is it the right mailbox?"))
    };
    ["valid", "forwarded", "full"].iter().filter_map(doubt).collect()
}

/// The maximum number of octets of a reply that a hint shows.
const SHOWN: usize = 200;

/// Returns whether a refusal is about the mailbox or its domain, and not about the client, the session, or a full
/// mailbox.
fn is_about_mailbox(reply: &Reply<'_>) -> bool {
    let relaying = || reply.says(&["relay"]);
    match reply.enhanced().map(|code| (code.subject(), code.detail())) {
        None => reply.number() != Some(554) || relaying(),
        Some((1, _)) => true,
        Some((2, detail)) => detail != 2,
        Some((7, _)) => relaying(),
        Some(_) => false,
    }
}

/// Returns whether a reply says that the mailbox has moved (RFC 5321 §3.4). A server that does not forward mail replies
/// this way for a mailbox that has a new address.
fn has_moved(reply: &Reply<'_>) -> bool {
    let code = reply.enhanced().map(|code| (code.subject(), code.detail()));
    reply.number() == Some(551) || code == Some((1, 6)) || reply.says(&["moved"])
}

/// Returns the replies to RCPT commands that name a mailbox and have no parameters.
fn replies_to<'d>(mailbox: &str, dialogues: &'d [Dialogue]) -> impl Iterator<Item = Reply<'d>> {
    let is_about = move |exchange: &&Exchange| {
        let command = exchange.command().filter(|command| exchange.sure && command.verb() == Verb::Rcpt);
        let envelope = command.and_then(|command| command.envelope());
        let envelope = envelope.filter(|envelope| envelope.parameters().next().is_none());
        envelope.and_then(|envelope| envelope.path()) == Some(mailbox.as_bytes())
    };
    let exchanges = dialogues.iter().flat_map(|dialogue| &dialogue.exchanges);
    exchanges.filter(is_about).filter_map(|exchange| exchange.replies().next())
}

#[cfg(test)]
mod tests {
    use super::suspect_mailboxes;
    use crate::knowledge::Knowledge;
    use crate::readers::testing::dialogues;

    #[test]
    fn a_mailbox_that_has_moved_gets_a_hint_unless_it_is_forwarded() {
        let doubts = |name: &str| {
            let known: Knowledge =
                toml::from_str(&format!("{name} = \"amy@example.org\"")).expect("it is valid");
            let tried = "S: 220 mx\nC: RCPT TO:<amy@example.org>\nS: 550 5.1.6 User has moved\n";
            suspect_mailboxes(&known, &dialogues(tried)).len()
        };
        assert_eq!([doubts("forwarded"), doubts("valid")], [0, 1]);
    }

    #[test]
    fn a_mailbox_that_is_always_refused_gets_a_hint() {
        let known: Knowledge = toml::from_str("valid = \"amy@example.org\"").expect("it is valid");
        let doubts = |replies: &[&str]| {
            let tried = replies.iter().map(|reply| format!("\nC: RCPT TO:<amy@example.org>\n{reply}"));
            suspect_mailboxes(&known, &dialogues(&format!("S: 220 mx{}", tried.collect::<String>())))
        };
        let doubt =
            "valid = \"amy@example.org\": RCPT is always refused (550 5.1.1 Who?); is it the right mailbox?";
        assert_eq!(doubts(&["S: 503 5.5.1 MAIL first", "S: 550 5.1.1 Who?", "S: 550 No"]), [doubt]);
        assert_eq!(doubts(&["S: 554 5.7.1 Relay access denied"]).len(), 1);
        assert!(doubts(&[&format!("S: 550 {}", "a".repeat(9000))]).concat().len() < 400);
        for replies in [
            &["S: 550 5.1.1 Who?", "S: 250 2.1.5 Ok"][..],
            &["S: 530 5.7.0 Login"],
            &["S: 554 5.7.1 Client host blocked"],
            &["S: 554 5.2.2 Mailbox full"],
            &["S: 554 5.5.1 MAIL first"],
            &["S: 450 4.1.1 Later"],
            &[],
        ] {
            assert_eq!(doubts(replies), [""; 0], "{replies:?}");
        }
    }
}
