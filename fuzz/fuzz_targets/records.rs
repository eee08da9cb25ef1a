//! Reads any text as records. Records that are read can be written, compared and reported, and what is written is read
//! as the same again. Other texts get a reason of one plain line that names the line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::Level;
use smtp_conformance::record::comparison::Comparison;
use smtp_conformance::record::index::RecordIndex;
use smtp_conformance::record::status::Status;
use smtp_conformance::record::{self, Record};
use smtp_conformance::report::{Format, Source};

fuzz_target!(|text: &str| {
    match record::read("run", text) {
        Ok(records) => {
            assert_reported(&records);
            assert_equals_itself(&records);
        }
        Err(error) => {
            let line = format!("{error:#}");
            assert!(line.starts_with("run:"), "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?} is not one plain line");
        }
    }
});

fn assert_reported(records: &[Record]) {
    let source = Source { name: "run.jsonl", records };
    for format in
        [Format::Console, Format::Markdown, Format::Html, Format::Results, Format::Sarif, Format::Junit]
    {
        format.render(&[source], Some(Level::Warning)).expect("a report is made of all records");
    }
    let lines = Format::Jsonl.render(&[source], None).expect("records can be written");
    assert!(lines.is_ascii() || !lines.chars().any(|c| c.is_control() && c != '\n'));
    assert_eq!(record::read("run", &lines).expect("what is written can be read"), records);
}

fn assert_equals_itself(records: &[Record]) {
    let index = RecordIndex::of(records);
    let _ = Status::of(&index, Some(Level::Error));
    let comparison = Comparison::of(&index, &index);
    assert!(comparison.worst().is_none(), "records differ from themselves");
}
