//! `situations.toml` explains every situation that a case names. Each situation has a case, or says what it needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use smtp_conformance::case;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situations {
    situation: Vec<Situation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Situation {
    id: String,
    in_reply_to: String,
    what: String,
    needs: Option<String>,
}

#[test]
fn every_situation_has_a_case_or_says_what_it_needs() {
    let cases = case::built_in().expect("the cases follow the form");
    let provoked: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.situations).map(String::as_str).collect();
    let Situations { situation: situations } =
        toml::from_str(include_str!("../../situations.toml")).expect("situations.toml follows its form");
    let mut explained = BTreeMap::new();
    for (number, situation) in (1..).zip(&situations) {
        let id = situation.id.as_str();
        assert_eq!(id, format!("S{number}"), "the situations are numbered in order");
        for text in [Some(&situation.in_reply_to), Some(&situation.what), situation.needs.as_ref()] {
            assert!(text.is_none_or(|text| !text.trim().is_empty()), "{id}: an empty text");
        }
        explained.insert(id, situation);
        match (provoked.contains(id), &situation.needs) {
            (false, None) => panic!("{id}: add a case, or write in situations.toml what it needs"),
            (true, Some(needs)) => panic!("{id}: a case provokes it, so delete needs = {needs:?}"),
            _ => {}
        }
    }
    for case in &cases {
        for id in &case.situations {
            assert!(explained.contains_key(id.as_str()), "case {}: there is no situation {id}", case.id);
        }
    }
}
