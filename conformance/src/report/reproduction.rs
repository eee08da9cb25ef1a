//! How to see a violation again: with this program, and with `nc` or `openssl s_client`.

use std::fmt::Write as _;

use crate::dialogue::{Act, Exchange, Part};
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::record::index::RecordIndex;
use crate::record::origin::{Origin, RunOrigin};
use crate::record::{DialogueRecord, FindingRecord};
use crate::rules::finding::Location;

/// The maximum number of octets that a command line for a shell sends.
const MOST_OCTETS: usize = 4096;

/// Commands that show a violation again, for a POSIX shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reproduction {
    /// Runs the case with this program.
    pub(super) suite: Option<String>,
    /// Says the same without this program: with the name of the program it takes instead.
    pub(super) plain: Option<(&'static str, String)>,
    /// Whether what is sent contains a password that the records mask.
    pub(super) is_masked: bool,
}

impl Reproduction {
    /// Returns the commands for a finding. Records of recordings do not say where the server is, so they have none.
    pub(super) fn of(found: &FindingRecord, index: &RecordIndex<'_>) -> Reproduction {
        let none = Reproduction { suite: None, plain: None, is_masked: false };
        let Some(Origin::Run(server)) = index.header.and_then(|header| header.origin.as_ref()) else {
            return none;
        };
        let Some(dialogue) = index.dialogue(found.location) else { return none };
        if !is_plain(&server.host) {
            return none;
        }
        let exchanges = leading_to(found, dialogue, index);
        Reproduction {
            suite: found.case.as_deref().and_then(|case| suite(case, server, dialogue, index)),
            plain: plain(&exchanges, server, dialogue),
            is_masked: exchanges.iter().any(|exchange| has_password(exchange)),
        }
    }
}

/// Returns whether a word needs no quotes in a shell and is no option. Records may come from anybody.
fn is_plain(word: &str) -> bool {
    !word.starts_with('-')
        && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".:-_/".contains(&octet))
}

/// Returns the exchanges that prepare the session, and those of the finding's case up to the last one that shows it. What
/// other cases said on the same connection is left out.
fn leading_to<'a>(
    found: &FindingRecord,
    dialogue: &DialogueRecord,
    index: &RecordIndex<'a>,
) -> Vec<&'a Exchange> {
    let cases = &dialogue.cases;
    let last = found.location.exchange.max(found.shown.unwrap_or_default());
    let own = Part::position(cases, found.location.exchange).checked_sub(1);
    let own = own.and_then(|position| cases.get(position)).map_or(0, |part| part.first);
    let prepared = cases.first().map_or(0, |part| part.first).min(own);
    let numbers = (0..prepared).chain(own..last.saturating_add(1));
    let exchange = |number| index.exchange(Location { exchange: number, reply: None, ..found.location });
    numbers.map_while(exchange).collect()
}

/// Returns the command that runs the case with this program.
fn suite(
    case: &str,
    server: &RunOrigin,
    dialogue: &DialogueRecord,
    index: &RecordIndex<'_>,
) -> Option<String> {
    if !is_plain(case) {
        return None;
    }
    let scheme = match (dialogue.protocol, dialogue.implicit_tls) {
        (Protocol::Lmtp, _) => "lmtp",
        (Protocol::Submission, true) => "smtps",
        (Protocol::Submission, false) => "submission",
        (Protocol::Smtp, _) => "smtp",
    };
    let address = match server.port {
        Some(_) => format!("{scheme}://{}", server.host_and_port()),
        None => server.host.clone(),
    };
    let safety = index
        .cases
        .iter()
        .find(|outcome| outcome.id == case)
        .and_then(|outcome| outcome.safety.as_deref())
        .filter(|safety| is_plain(safety));
    let allow = safety.map(|safety| format!(" --allow {safety}")).unwrap_or_default();
    Some(format!("smtp-conformance run {address} --case {case}{allow}"))
}

/// Returns a program that connects, and the commands that send the same octets through it.
fn plain(
    exchanges: &[&Exchange],
    server: &RunOrigin,
    dialogue: &DialogueRecord,
) -> Option<(&'static str, String)> {
    let handshake = exchanges.iter().rposition(|exchange| exchange.act == Act::Handshake);
    // openssl says EHLO and STARTTLS itself.
    let is_usual =
        |exchange: &&Exchange| exchange.act == Act::Connect || is_hello(exchange) || is_starttls(exchange);
    let (program, connect, rest) = match (dialogue.implicit_tls, handshake) {
        (true, None) => {
            ("openssl", format!("openssl s_client -quiet -connect {}", server.host_and_port()), exchanges)
        }
        (false, Some(handshake)) if exchanges[..handshake].iter().all(is_usual) => {
            let protocol = if dialogue.protocol == Protocol::Lmtp { "lmtp" } else { "smtp" };
            let connect =
                format!("openssl s_client -quiet -starttls {protocol} -connect {}", server.host_and_port());
            ("openssl", connect, exchanges.get(handshake + 1..).unwrap_or_default())
        }
        (false, None) => ("nc", netcat(server), exchanges),
        _ => return None,
    };
    if program == "openssl" && server.port.is_none() {
        return None;
    }
    let greeting = exchanges.first().filter(|exchange| exchange.act == Act::Connect);
    let wait = greeting.map_or(1, |exchange| pause(exchange));
    Some((program, format!("{{ sleep {wait}\n{}}} | {connect}\n", script(rest)?)))
}

fn netcat(server: &RunOrigin) -> String {
    match server.port {
        Some(port) => format!("nc {} {port}", server.host),
        None => format!("nc -U {}", server.host.trim_start_matches("unix:")),
    }
}

/// Returns the commands that send what the client sent, with a pause for each reply.
fn script(exchanges: &[&Exchange]) -> Option<String> {
    let mut script = String::new();
    let mut is_over = false;
    let mut early = 0;
    for exchange in exchanges {
        let octets = exchange.act.parts().concat();
        if octets.is_empty() {
            continue;
        }
        let octets = [octets.get(early..).unwrap_or_default(), &exchange.ahead].concat();
        early = exchange.ahead.len();
        if octets.len() > MOST_OCTETS {
            return None;
        }
        let wait = if exchange.pipelined { String::new() } else { format!("; sleep {}", pause(exchange)) };
        let _ = writeln!(script, "  printf '{}'{wait}", quoted(&octets));
        is_over = exchange.command().is_some_and(|command| command.verb() == Verb::Quit);
    }
    if !is_over {
        script.push_str("  printf 'QUIT\\r\\n'; sleep 1\n");
    }
    Some(script)
}

/// Returns the seconds to wait for the replies, which is longer than they took.
fn pause(exchange: &Exchange) -> u64 {
    let millis = exchange.answers.iter().map(|answer| answer.millis).max().unwrap_or_default();
    // Half a second for a server that is a little slower than it was.
    millis.saturating_add(500).div_ceil(1000)
}

/// Returns octets as a format of `printf` between single quotes.
fn quoted(octets: &[u8]) -> String {
    let mut text = String::new();
    for &octet in octets {
        match octet {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b'%' => text.push_str("%%"),
            b'\'' => text.push_str("'\\''"),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => {
                let _ = write!(text, "\\{octet:03o}");
            }
        }
    }
    text
}

fn is_hello(exchange: &Exchange) -> bool {
    exchange.command().is_some_and(|command| command.verb().is_hello())
}

fn is_starttls(exchange: &Exchange) -> bool {
    matches!(&exchange.act, Act::Command(line) if line.eq_ignore_ascii_case(b"STARTTLS\r\n"))
}

/// Returns whether an act belongs to a login.
fn has_password(exchange: &Exchange) -> bool {
    let is_auth = exchange.command().is_some_and(|command| command.verb() == Verb::Auth);
    is_auth || matches!(exchange.act, Act::Response(_))
}

#[cfg(test)]
mod tests {
    use super::{is_plain, quoted, script};
    use crate::readers::testing::dialogue;

    #[test]
    fn a_part_of_a_command_is_sent_early() {
        let spoken = dialogue("S: 220 mx\nC: RSET\nC: NO\\+\n#: timeout\nC: OP\nS: 250 Ok\nS: 250 Ok");
        let exchanges: Vec<_> = spoken.exchanges.iter().skip(1).collect();
        let expected = "  printf 'RSET\\r\\nNO'; sleep 1\n  printf 'OP\\r\\n'; sleep 1\n  printf 'QUIT\\r\\n'; sleep 1\n";
        assert_eq!(script(&exchanges).as_deref(), Some(expected));
    }

    #[test]
    fn words_that_a_shell_would_interpret_are_not_plain() {
        for word in ["mx.example.org", "2001:db8::1", "unix:/run/lmtp.sock", "delivers"] {
            assert!(is_plain(word), "{word}");
        }
        for word in ["-e/bin/sh", "a b", "a;b", "$(id)", "a`id`", "a\nb", "a|b", "a'b", "é"] {
            assert!(!is_plain(word), "{word}");
        }
    }

    #[test]
    fn octets_are_quoted_for_printf() {
        assert_eq!(quoted(b"MAIL FROM:<o'a%b\\c@d>\r\n"), "MAIL FROM:<o'\\''a%%b\\\\c@d>\\r\\n");
        assert_eq!(quoted(b"\x00\xff1"), "\\000\\3771");
    }
}
