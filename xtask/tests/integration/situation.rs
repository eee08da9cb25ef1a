//! Situations: the project's own suggestions are sound, and errors name the line and what to write.

use std::fs;
use std::path::Path;

use xtask::annotation::Annotations;
use xtask::data_file::DataFile;
use xtask::model::Model;
use xtask::reply_code::ReplyCodeEntry;
use xtask::situation::{self, Situation};

use crate::support::root;

fn file(name: &str) -> DataFile {
    DataFile::read(&root().join("registry").join(name)).unwrap()
}

fn reply_codes() -> Vec<ReplyCodeEntry> {
    xtask::reply_code::read(&file("reply-codes.toml")).unwrap()
}

/// Returns what is unsound in a file of situations.
fn unsound(file: &DataFile) -> Vec<String> {
    let situations = situation::read(file).unwrap();
    let annotations = Annotations::read(&self::file("annotations.toml")).unwrap();
    situation::unsound(file, &situations, &Model::load(&root()).unwrap().registry, &annotations)
}

#[test]
fn every_suggestion_is_sound() {
    let file = file("situations.toml");
    let wrong = unsound(&file);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let situations: Vec<Situation> = situation::read(&file).unwrap();
    assert_eq!(Model::load(&root()).unwrap().situations.len(), situations.len());
}

/// Returns the project's file with a text replaced.
fn edited(from: &str, to: &str) -> DataFile {
    let text = fs::read_to_string(root().join("registry/situations.toml")).unwrap();
    assert!(text.contains(from), "situations.toml has no {from:?}");
    DataFile::new(Path::new("situations.toml"), &text.replacen(from, to, 1))
}

#[test]
fn errors_say_what_to_write() {
    for (from, to, said) in [
        ("id = \"ready\"", "id = \"Ready\"", "write lower case letters, digits and hyphens"),
        ("id = \"client-refused\"", "id = \"ready\"", "ready is there already"),
        ("command = \"connect\"", "command = \"greeting\"", "unknown variant `greeting`"),
        ("accepts the connection\"", "accepts the connection.\"", "title has to be a clause"),
        ("after QUIT.\"", "after QUIT\"", "note has to be a sentence"),
        ("to be the first word of the greeting.\"", "\"", "reason has to be a sentence"),
        ("pair = \"220\"", "pair = \"220 2.0\"", "\"220 2.0\" is neither a pair such as \"550 5.1.1\""),
        ("pair = \"554\",", "pair = \"554 5.7.1\",", "554 5.7.1 is there already"),
        ("pair = \"550 5.1.1\", level", "pair = \"550 4.1.1\", level", "differ: write 550 5.1.1"),
        (
            "pair = \"550 5.1.1\", level",
            "pair = \"550\", level",
            "write \"550 5.0.0\", or a code that says more",
        ),
        ("pair = \"334\"", "pair = \"334 2.0.0\"", "write \"334\""),
        ("level = \"must\"", "level = \"shall\"", "unknown variant `shall`"),
        ("source = \"RFC 5321 §4.2\"", "source = \"RFC 5321\"", "is not a source: write \"RFC 5321 §4.3.2\""),
        ("sources = [\"RFC 5321 §3.1, §4.2\", \"RFC 2034 §4\"]", "sources = []", "write sources = "),
    ] {
        let error = situation::read(&edited(from, to)).err();
        let error = error.unwrap_or_else(|| panic!("{to} is accepted")).to_string();
        assert!(error.starts_with("situations.toml:") && error.contains(said), "{to}: {error}");
    }
}

#[test]
fn a_reply_code_that_is_not_in_the_table_is_named_once() {
    let text =
        fs::read_to_string(root().join("registry/situations.toml")).unwrap().replace("\"503 ", "\"509 ");
    let situations = situation::read(&DataFile::new(Path::new("situations.toml"), &text)).unwrap();
    let unknown = situation::unknown_reply_codes(&situations, &reply_codes());
    let [unknown] = unknown.as_slice() else { panic!("{unknown:?}") };
    let situation = situations.iter().find(|situation| situation.id == "starttls-active").unwrap();
    let place =
        format!("registry/situations.toml:{}: starttls-active has the reply code 509, which", situation.line);
    assert!(unknown.starts_with(&place) && unknown.contains("add it there"), "{unknown}");
}

#[test]
fn unsound_pairs_are_named_with_their_line() {
    for (from, to, said) in [
        ("pair = \"550 5.1.1\", level", "pair = \"550 5.1.11\", level", "the registry has no X.1.11"),
        ("pair = \"452 4.2.2\", level", "pair = \"452 4.2.3\", level", "the text of X.2.3 excludes class 4"),
        ("pair = \"450 4.1.1\", reason", "pair = \"450 4.1.11\", reason", "the registry has no X.1.11"),
        ("\"552 5.2.2\", level = \"seen\"", "\"552 5.2.2\", level = \"may\"", "or level = \"seen\""),
    ] {
        let wrong = unsound(&edited(from, to));
        let [wrong] = wrong.as_slice() else { panic!("{to}: {wrong:?}") };
        assert!(wrong.starts_with("situations.toml:") && wrong.contains(said), "{to}: {wrong}");
    }
}
