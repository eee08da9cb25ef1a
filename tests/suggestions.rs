//! The situations of the library are those of `registry/situations.toml`, and each suggestion makes a reply.

use smtp_enhanced_status::suggest::{Command, Mistake, Situation, Suggestion, situations};
use smtp_enhanced_status::{Pairing, Reply, judge};
use xtask::model::Model;
use xtask::situation;

use crate::support;

#[test]
fn situations_are_those_of_the_file() {
    let model = Model::load(&support::root()).unwrap();
    assert_eq!(situations().len(), model.situations.len());
    for (found, written) in situations().iter().zip(&model.situations) {
        assert_eq!((found.id, found.title), (written.id.as_str(), written.title.as_str()));
        assert_eq!(found.command.as_str(), format!("{:?}", written.command).to_lowercase());
        let suggestions: Vec<String> = found.suggestions().map(|pair| in_words(&pair)).collect();
        let expected: Vec<String> = written.suggestions().map(expected_in_words).collect();
        assert_eq!(suggestions, expected, "{}", found.id);
        let mistake = |mistake: &Mistake| format!("{mistake}: {}", mistake.reason);
        let expected = |mistake: &situation::Mistake| format!("{}: {}", mistake.codes, mistake.reason);
        assert_eq!(
            found.avoid.iter().map(mistake).collect::<Vec<_>>(),
            written.avoid.iter().map(expected).collect::<Vec<_>>()
        );
        assert_eq!(found.note, written.note.as_deref());
        assert_eq!(found.sources, written.sources);
    }
}

fn in_words(suggestion: &Suggestion) -> String {
    format!("{suggestion} {} {}", suggestion.level, suggestion.source)
}

fn expected_in_words(suggestion: &situation::Suggestion) -> String {
    let level = format!("{:?}", suggestion.level).to_lowercase();
    format!("{} {level} {}", suggestion.codes, suggestion.source)
}

#[test]
fn every_situation_is_found_by_its_id() {
    for situation in situations() {
        assert_eq!(Situation::from_id(situation.id), Some(situation));
    }
}

#[test]
fn every_command_has_its_name_and_a_situation() {
    for &command in Command::ALL {
        assert_eq!(Command::from_name(&command.as_str().to_uppercase()), Some(command));
        assert!(situations().iter().any(|situation| situation.command == command), "{command}");
    }
}

#[test]
fn every_suggestion_makes_a_reply_with_both_codes() {
    for suggestion in situations().iter().flat_map(Situation::suggestions) {
        let text = suggestion.reply("Words").to_string();
        assert_eq!(text, format!("{suggestion} Words\r\n"));
        let reply = Reply::try_from(text.as_str()).unwrap();
        assert_eq!((reply.code(), reply.enhanced()), (suggestion.reply_code, suggestion.code));
        let Some(code) = suggestion.code else { continue };
        let pairing = judge(suggestion.reply_code, code);
        assert!(
            !matches!(pairing, Pairing::ClassMismatch | Pairing::Unregistered),
            "{suggestion}: {pairing:?}"
        );
    }
}
