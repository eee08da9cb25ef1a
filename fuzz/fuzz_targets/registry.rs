//! Parses any octets. The result is a registry that can be judged, or a reason of one plain line.

#![no_main]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xtask::code::{Class, Pair, Pairing, ReplyCode, Status};
use xtask::quirk::Quirks;
use xtask::registry::Registry;

fuzz_target!(|octets: &[u8]| {
    match Registry::read(octets, &mut QUIRKS.clone()) {
        Ok(registry) => {
            assert_unique(&registry);
            assert_judges(&registry);
        }
        Err(error) => {
            let line = error.to_string();
            assert!(!line.chars().any(char::is_control), "{line:?} is not one plain line");
        }
    }
});

static QUIRKS: LazyLock<Quirks> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../registry/quirks.toml");
    Quirks::load(&path).expect("the project's quirks are valid")
});

fn assert_unique(registry: &Registry) {
    let mut statuses = BTreeSet::new();
    let mut subjects = BTreeSet::new();
    let mut classes = BTreeSet::new();
    assert!(registry.statuses.rows.iter().all(|row| statuses.insert(row.key.0)), "a status occurs twice");
    assert!(registry.subjects.rows.iter().all(|row| subjects.insert(row.key)), "a subject occurs twice");
    assert!(registry.classes.rows.iter().all(|row| classes.insert(row.key)), "a class occurs twice");
}

/// Judges every row, and one that does not exist, with every class and each kind of reply code.
fn assert_judges(registry: &Registry) {
    let statuses = registry.statuses.rows.iter().map(|row| row.key.0);
    let absent = (0..=999).map(|detail| Status { subject: 999, detail });
    let absent = absent.into_iter().find(|&status| registry.status(status).is_none());
    for status in statuses.chain(absent) {
        let listed = registry.status(status).map(|row| row.key.1.codes.clone()).unwrap_or_default();
        let others =
            [200, 250, 299, 300, 354, 400, 450, 499, 500, 550, 599].into_iter().filter_map(ReplyCode::new);
        for reply_code in others.chain(listed) {
            for class in Class::ALL {
                assert_judged(registry, Pair { reply_code, class, status });
            }
        }
    }
}

fn assert_judged(registry: &Registry, pair: Pair) {
    let pairing = registry.judge(pair);
    let agrees = pair.reply_code.class() == Some(pair.class);
    assert_eq!(pairing == Pairing::ClassMismatch, !agrees, "{pair}");
    match registry.status(pair.status) {
        _ if !agrees => {}
        None => assert_eq!(pairing, Pairing::Unregistered, "{pair}"),
        Some(row) => {
            let is_listed = row.key.1.listing(pair.reply_code).is_some();
            assert_eq!(pairing == Pairing::Listed, is_listed, "{pair}");
            assert_eq!(pairing == Pairing::NoList, !row.key.1.has_list(), "{pair}");
        }
    }
}
