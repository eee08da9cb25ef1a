//! Judges any transcript. Each finding is about an exchange of it, they are in order, the same text is judged the same
//! way again, and the records of the judgement can be written and read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::dialogue::Dialogue;
use smtp_conformance::readers::transcript;
use smtp_conformance::record::outcome::Outcome;
use smtp_conformance::record::{self, Subject};
use smtp_conformance::{Judgement, Knowledge, Policy, Protocol, Strictness, judge};

fuzz_target!(|text: &str| {
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        let Ok(dialogues) = transcript::read("session", protocol, text) else { return };
        for knowledge in [Knowledge::default(), known()] {
            let judgement = judge(&dialogues, &knowledge, Strictness::default());
            assert_eq!(judge(&dialogues, &knowledge, Strictness::default()), judgement);
            assert_located(&judgement, &dialogues);
            assert_recorded(dialogues.clone(), judgement);
        }
    }
});

/// A server about which everything is known. The dictionary has its mailboxes.
fn known() -> Knowledge {
    let mailbox = |name: &str| Some(format!("{name}@example.test"));
    Knowledge {
        valid: mailbox("valid"),
        unknown: mailbox("unknown"),
        foreign: mailbox("foreign"),
        forwarded: mailbox("forwarded"),
        full: mailbox("full"),
        sender: mailbox("sender"),
        port: Some(25),
        size_limit: Some(1000),
        policies: vec![Policy::Recipients, Policy::Tls, Policy::Lemonade, Policy::Vpim],
        ..Knowledge::default()
    }
}

fn assert_located(judgement: &Judgement, dialogues: &[Dialogue]) {
    assert!(judgement.findings.is_sorted_by_key(|finding| finding.location));
    for finding in &judgement.findings {
        let exchanges = &dialogues[finding.location.dialogue].exchanges;
        let exchange = &exchanges[finding.location.exchange];
        assert!(finding.location.reply.is_none_or(|reply| reply < exchange.answers.len()), "{finding:?}");
        assert!(!finding.detail.chars().any(char::is_control), "{:?}", finding.detail);
    }
}

fn assert_recorded(dialogues: Vec<Dialogue>, judgement: Judgement) {
    let outcome = Outcome::of_recordings(dialogues, judgement);
    let records = record::records(&Subject::named("fuzz"), outcome.without_baseline());
    let mut lines = Vec::new();
    record::write(&records, &mut lines).expect("records can be written");
    let lines = String::from_utf8(lines).expect("records are text");
    assert_eq!(record::read("fuzz", &lines).expect("what is written can be read"), records);
}
