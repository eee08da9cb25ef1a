//! Lints any octets, as each kind of input.
//!
//! The first octet chooses the kind. What is counted can be written and read again, and no reply is counted twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::lint::counts::Counts;
use smtp_conformance::lint::summary::{Manner, Summary};
use smtp_conformance::lint::{Kind, Settings, observe};

const KINDS: [Kind; 5] = [Kind::Log, Kind::Message, Kind::Mailbox, Kind::Recording, Kind::Source];

fuzz_target!(|octets: &[u8]| {
    let Some((choice, text)) = octets.split_first() else { return };
    let kind = KINDS[usize::from(*choice) % KINDS.len()];
    let settings = Settings { with_places: true, ..Settings::default() };
    let mut seen = 0;
    let counts = observe(kind, text, &settings, &mut |one| {
        assert!(one.line() >= 1);
        seen += 1;
    });
    let json = counts.clone().to_json(false).expect("counts can be written");
    let read = Counts::from_json("counts", &json).expect("counts can be read");
    assert_eq!(read.to_json(false).expect("counts can be written"), json);
    let _ = Summary::of(counts, Manner::default());
    assert!(seen <= text.len());
});
