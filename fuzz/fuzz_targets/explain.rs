//! Explains and classifies any octets.
//!
//! The first octet chooses the stage. The answer is the same whether lines end in LF or CRLF, and an address is removed
//! only for something about the recipient.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::explain::answer::Answer;
use smtp_conformance::explain::classify::{self, Form, Settings};
use smtp_conformance::explain::input;
use smtp_enhanced_status::explain::{ListAction, Question, Stage};

const STAGES: [Stage; 8] = [
    Stage::Connect,
    Stage::Hello,
    Stage::StartTls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Message,
];

fuzz_target!(|octets: &[u8]| {
    let Some((choice, reply)) = octets.split_first() else { return };
    let stage = STAGES.get(usize::from(*choice)).copied();
    let ask = |reply| {
        let question = Question::new(reply);
        match stage {
            Some(stage) => question.at(stage).explain(),
            None => question.explain(),
        }
    };
    let answer = ask(reply);
    let is_about_recipient = answer.category().matter().as_str().starts_with("recipient-");
    assert!(is_about_recipient || answer.list() != ListAction::Remove);
    // A longer reply is cut, and CR counts.
    if reply.len() < 700 && !reply.contains(&b'\r') {
        let lines = String::from_utf8_lossy(reply).replace('\n', "\r\n");
        let same = ask(String::from_utf8_lossy(reply).as_bytes());
        let other = ask(lines.as_bytes());
        assert_eq!((same.category(), same.evidence()), (other.category(), other.evidence()));
    }
    for inquiry in input::read(reply).inquiries {
        let _ = Answer::new(&inquiry);
    }
    let settings = Settings { form: Form::JsonLines, stage, host: None, taxonomy: Some("ses") };
    let mut written = Vec::new();
    classify::run(&mut &*reply, &mut written, settings).expect("memory can be written");
    let lines = reply.split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    assert_eq!(written.iter().filter(|octet| **octet == b'\n').count(), lines);
});
