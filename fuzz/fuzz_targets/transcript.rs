//! Reads any text as a transcript. The result has no more octets than the text, and its exchanges begin on its lines;
//! or there is a reason of one plain line that names a line of the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::Protocol;
use smtp_conformance::dialogue::Dialogue;
use smtp_conformance::readers::transcript;

fuzz_target!(|text: &str| {
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        match transcript::read("session", protocol, text) {
            Ok(dialogues) => assert_within(&dialogues, text),
            Err(error) => assert_plain(&format!("{error:#}"), text),
        }
    }
});

fn assert_within(dialogues: &[Dialogue], text: &str) {
    let lines = text.lines().count();
    // A line may get the CR LF that the transcript does not show.
    let most = text.len() + 2 * lines;
    let octets: usize =
        dialogues.iter().map(|dialogue| dialogue.received_octets() + dialogue.sent_octets()).sum();
    assert!(octets <= most, "{octets} octets from a text of {}", text.len());
    assert_eq!(dialogues.len(), text.lines().filter(|line| is_connected(line)).count());
    for exchange in dialogues.iter().flat_map(|dialogue| &dialogue.exchanges) {
        let line = exchange.line.expect("an exchange of a recording has a line");
        assert!((1..=lines).contains(&line), "line {line} of {lines}");
    }
}

fn is_connected(line: &str) -> bool {
    let event = line.strip_prefix("#:").map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    event.is_some_and(|event| event.split(' ').next() == Some("connected"))
}

fn assert_plain(error: &str, text: &str) {
    assert!(!error.chars().any(char::is_control), "{error:?} is not one plain line");
    let line = error.strip_prefix("session:").and_then(|rest| rest.split(':').next()?.parse().ok());
    assert!(line.is_some_and(|line: usize| (1..=text.lines().count()).contains(&line)), "{error}");
}
