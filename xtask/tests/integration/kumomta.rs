//! The rules for KumoMTA's bounce classifier, run as KumoMTA runs them.

use std::collections::BTreeSet;
use std::fs;

use regex::RegexSet;
use toml_edit::DocumentMut;
use xtask::advice::Subject;
use xtask::code::{Class, Pair, ReplyCode};
use xtask::model::Model;

use crate::support::root;

/// The labels that KumoMTA defines and that are for replies.
const LABELS: [&str; 25] = [
    "InvalidRecipient",
    "DNSFailure",
    "SpamBlock",
    "SpamContent",
    "ProhibitedAttachment",
    "RelayDenied",
    "TransientFailure",
    "BadConfiguration",
    "BadConnection",
    "BadDomain",
    "ContentRelated",
    "InactiveMailbox",
    "InvalidSender",
    "MessageExpired",
    "NoAnswerFromHost",
    "PolicyRelated",
    "ProtocolErrors",
    "QuotaIssues",
    "RelayingIssues",
    "RoutingErrors",
    "SpamRelated",
    "VirusRelated",
    "AuthenticationFailed",
    "TooManyRecipients",
    "Uncategorized",
];

/// A classifier with the rules of a file.
struct Classifier {
    patterns: RegexSet,
    /// The label of each pattern.
    labels: Vec<String>,
}

impl Classifier {
    fn read() -> Classifier {
        let text = fs::read_to_string(root().join("generated/kumomta/iana.toml")).unwrap();
        let file: DocumentMut = text.parse().unwrap();
        assert_eq!(file.len(), 1, "there is more than [rules]");
        let (mut patterns, mut labels) = (Vec::new(), Vec::new());
        for (label, rules) in file["rules"].as_table().unwrap() {
            for rule in rules.as_array().unwrap() {
                patterns.push(rule.as_str().unwrap().to_owned());
                labels.push(label.to_owned());
            }
        }
        Classifier { patterns: RegexSet::new(patterns).unwrap(), labels }
    }

    /// Returns the label of the first pattern that matches. Fails if a pattern of another label matches too: then the
    /// order in which KumoMTA tries labels, which has changed once, would matter.
    fn classify(&self, reply: &str) -> Option<&str> {
        let matched: Vec<&str> =
            self.patterns.matches(reply).iter().map(|index| self.labels[index].as_str()).collect();
        let labels: BTreeSet<&str> = matched.iter().copied().collect();
        assert!(labels.len() <= 1, "{reply} has the labels {labels:?}");
        matched.first().copied()
    }
}

/// Returns the label of a pair, looked up in the data files.
fn expected(model: &Model, pair: Pair) -> Option<&str> {
    let find =
        |subject: Subject| model.explanation.advice.iter().find(|entry| entry.subject().unwrap() == subject);
    let own = find(Subject::Pair(pair.reply_code, pair.status, pair.class));
    let entry = own.or_else(|| find(Subject::Row(pair.status, pair.class))).unwrap();
    let category =
        model.explanation.categories.iter().find(|category| category.id == entry.category).unwrap();
    let label = category.names["kumomta"].as_str();
    Some(label).filter(|label| *label != "Uncategorized")
}

fn pair(number: u16, pair: Pair) -> Pair {
    Pair { reply_code: ReplyCode::new(number).unwrap(), ..pair }
}

#[test]
fn every_pair_has_the_label_of_its_category() {
    let model = Model::load(&root()).unwrap();
    let classifier = Classifier::read();
    let (mut listed, mut own) = (0, 0);
    for entry in &model.entries {
        for reply_code in &entry.associated.codes {
            let Some(class) = reply_code.class().filter(|class| class.digit() != 2) else { continue };
            let pair = Pair { reply_code: *reply_code, class, status: entry.status };
            assert_eq!(classifier.classify(&format!("{pair} Some words")), expected(&model, pair), "{pair}");
            listed += 1;
        }
    }
    for advice in &model.explanation.advice {
        if let Subject::Pair(reply_code, status, class) = advice.subject().unwrap() {
            let pair = Pair { reply_code, class, status };
            assert_eq!(classifier.classify(&format!("{pair} Some words")), expected(&model, pair), "{pair}");
            own += 1;
        }
    }
    assert!(listed >= 105 && own >= 40, "{listed} pairs are listed, {own} have advice of their own");
}

#[test]
fn every_reply_code_of_a_row_has_the_label_of_the_row_or_of_the_pair() {
    let model = Model::load(&root()).unwrap();
    let classifier = Classifier::read();
    for entry in &model.entries {
        for class in [4, 5].map(|digit| Class::new(digit).unwrap()) {
            let any = Pair { reply_code: ReplyCode::new(500).unwrap(), class, status: entry.status };
            let first = u16::from(class.digit()) * 100;
            for number in first..first + 100 {
                let pair = pair(number, any);
                // A reply without text ends after the code.
                let text = if number % 2 == 0 { format!("{pair} Some words") } else { pair.to_string() };
                assert_eq!(classifier.classify(&text), expected(&model, pair), "{pair}");
            }
            for other in [200, 350, 900 - first] {
                let pair = pair(other, any);
                assert_eq!(classifier.classify(&format!("{pair} Some words")), None, "{pair}");
            }
        }
    }
}

#[test]
fn nothing_else_has_a_label() {
    let classifier = Classifier::read();
    for reply in [
        "552 Too many recipients",
        "452 Too many recipients",
        "552 ",
        "452",
        "550 No such user",
        "552 said: 550 5.1.1 No such user",
        "550 5.1.999 Words",
        "550 5.1.1.1 Words",
        "550 5.1.11 Words",
        "1550 5.1.1 Words",
        "550 5.0.0 Words",
        "250 2.1.5 OK",
    ] {
        assert_eq!(classifier.classify(reply), None, "{reply}");
    }
    assert_eq!(classifier.classify("550 5.1.1 No such user"), Some("InvalidRecipient"));
}

#[test]
fn all_labels_are_those_of_kumomta() {
    let model = Model::load(&root()).unwrap();
    for category in model.explanation.categories.iter().filter(|category| category.transient.is_some()) {
        let label = category.names.get("kumomta").map(String::as_str);
        assert!(label.is_some_and(|label| LABELS.contains(&label)), "{}: {label:?}", category.id);
    }
    let classifier = Classifier::read();
    assert!(classifier.labels.iter().all(|label| label != "Uncategorized"));
}
