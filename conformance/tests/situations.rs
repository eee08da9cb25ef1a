//! Every situation of the specification is provoked by a case, or needs a hand inside the server that `situations.toml`
//! names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use smtp_conformance::case;

/// How many situations the specification has: S1 to S118.
const SITUATIONS: usize = 118;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hands {
    hand: Vec<Hand>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hand {
    situations: Vec<String>,
    needs: String,
}

#[test]
fn every_situation_is_provoked_or_needs_a_hand() {
    let cases = case::built_in().expect("the cases follow the form");
    let provoked: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.situations).map(String::as_str).collect();
    let hands: Hands =
        toml::from_str(include_str!("../situations.toml")).expect("situations.toml has its form");
    let mut needs = BTreeMap::new();
    for hand in &hands.hand {
        assert!(!hand.needs.trim().is_empty(), "{:?}: say what it needs", hand.situations);
        for situation in &hand.situations {
            assert!(needs.insert(situation.as_str(), &hand.needs).is_none(), "{situation} stands twice");
        }
    }
    let known: Vec<String> = (1..=SITUATIONS).map(|number| format!("S{number}")).collect();
    for situation in provoked.iter().chain(needs.keys()) {
        assert!(known.iter().any(|known| known == situation), "there is no situation {situation}");
    }
    for situation in known.iter().map(String::as_str) {
        match (provoked.contains(situation), needs.get(situation)) {
            (false, None) => panic!("{situation}: add a case, or what it needs to situations.toml"),
            (true, Some(needs)) => panic!("{situation}: a case provokes it, so it does not need {needs}"),
            _ => {}
        }
    }
}
