//! Writes answers for people: on a terminal, and as Markdown.

use std::fmt::Write as _;

use anyhow::Result;
use askama::Template;

use super::answer::{Answer, BrokenRule, Row};
use crate::report::Style;
use crate::report::escape::Markdown;
use crate::visible::visible;

/// Writes answers for a terminal.
#[must_use]
pub fn console(answers: &[Answer], style: Style) -> String {
    let pages: Vec<String> = answers.iter().map(|answer| style.wrapped(&page(answer, style))).collect();
    pages.join("\n")
}

fn page(answer: &Answer, style: Style) -> String {
    let mut text = String::new();
    if let Some(recipient) = &answer.recipient {
        let _ = writeln!(text, "{}", style.bold(&visible(recipient)));
    }
    let _ = writeln!(text, "{}", style.bold(&visible(&title(answer))));
    for (name, value) in facts(answer) {
        let _ = writeln!(text, "  {:<15}{}", name, visible(&value));
    }
    text
}

/// Writes answers as Markdown.
///
/// # Errors
///
/// Fails if the template prints text that is not escaped, which would be a fault of this program.
pub fn markdown(answers: &[Answer]) -> Result<String> {
    Ok(Pages { pages: answers.iter().map(Page::new).collect() }.render()?)
}

#[derive(Template)]
#[template(path = "explain.md")]
struct Pages {
    pages: Vec<Page>,
}

struct Page {
    title: Markdown,
    facts: Vec<(Markdown, Markdown)>,
}

impl Page {
    fn new(answer: &Answer) -> Page {
        let title = match &answer.recipient {
            Some(recipient) => format!("{recipient}: {}", title(answer)),
            None => title(answer),
        };
        let facts = facts(answer).into_iter();
        Page {
            title: Markdown::text(title),
            facts: facts.map(|(name, value)| (Markdown::text(name), Markdown::text(value))).collect(),
        }
    }
}

/// Returns the codes, and the name of the row or of the reply code.
fn title(answer: &Answer) -> String {
    let codes = [answer.reply_code.map(|code| code.to_string()), answer.enhanced_status_code.clone()];
    let codes: Vec<String> = codes.into_iter().flatten().collect();
    let codes = if codes.is_empty() { "no code".to_owned() } else { codes.join(" ") };
    format!("{codes}: {}", answer.category)
}

/// Returns what there is to say, each with its name.
fn facts(answer: &Answer) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("Read as", answer.read_as.as_ref().map(|read| read.trim_start_matches("read as ").to_owned()));
    add("What happened", Some(answer.happened.to_owned()));
    add("Sender", Some(answer.sender.to_owned()));
    add("Administrator", Some(answer.administrator.to_owned()));
    add("Try again", answer.retry.map(|retry| retry_in_words(retry, answer.wait)));
    add("On a list", answer.retry.map(|_| list_in_words(answer.list).to_owned()));
    add("Category", Some(format!("{}; {}", answer.category, matter_in_words(answer.matter))));
    add(
        "Looks like",
        answer.vendor.as_ref().map(|vendor| {
            let sure = if vendor.sure { "" } else { ", though others write such words too" };
            format!("{}{sure}", vendor.name)
        }),
    );
    add("Decided by", Some(evidence_in_words(answer)));
    add("Source", answer.source.clone());
    add(
        "Quoted in",
        answer
            .outer
            .as_ref()
            .map(|outer| format!("a reply with {outer}, whose server decides whether to try again")),
    );
    add("Reply code", answer.reply_code.map(|code| reply_code_in_words(code, answer)));
    add("Registry", answer.registry.as_ref().map(|row| row_in_words(row, answer)));
    for rule in &answer.rules {
        add("Breaks", Some(rule_in_words(rule)));
    }
    facts
}

fn retry_in_words(retry: &str, wait: Option<&str>) -> String {
    let words = match retry {
        "never" => "No, not to this recipient.",
        "later" => "Yes, later.",
        "later-and-fix" => "Later, but it helps only after something was changed.",
        _ => "Not before something was changed.",
    };
    match wait.filter(|_| retry != "never") {
        Some(wait) => format!("{words} Wait {wait}."),
        None => words.to_owned(),
    }
}

fn list_in_words(list: &str) -> &'static str {
    match list {
        "remove" => "Remove the address.",
        "pause" => "Keep the address for now; remove it if this goes on.",
        _ => "Keep the address.",
    }
}

fn matter_in_words(matter: &str) -> String {
    match matter {
        "nobody" => "nothing is wrong".to_owned(),
        "unknown" => "it cannot be told whose matter it is".to_owned(),
        matter => format!("a matter of the {}", matter.replace('-', "'s ")),
    }
}

fn evidence_in_words(answer: &Answer) -> String {
    let evidence = match answer.evidence {
        "vendor-text" => "words that this vendor uses for it",
        "vendor-pair" => "what this vendor means by the two codes",
        "vendor-code" => "what this vendor means by the code",
        "pair" => "the two codes, which usually mean something else than the row",
        "enhanced-code" => "the enhanced status code",
        "text" => "the words of the reply",
        "stage" => "the reply code, and the command that it answers",
        "subject" => "the subject of the enhanced status code, which is not registered",
        "without-dots" => "the reply code, read as an enhanced status code without dots",
        "reply-code" => "the reply code alone",
        "first-digit" => "the first digit alone",
        _ => "nothing that is known",
    };
    let certainty = match answer.certainty {
        "sure" => "this is sure",
        "likely" => "this is likely",
        _ => "this is a guess",
    };
    format!("{evidence}; {certainty}")
}

fn reply_code_in_words(code: u16, answer: &Answer) -> String {
    match (answer.reply_code_meaning, &answer.without_dots) {
        (Some(meaning), _) => format!("{code}: {meaning}"),
        (None, Some(dotted)) => {
            format!("{code} is no reply code of any RFC; it looks like {dotted} without dots")
        }
        (None, None) => format!("{code} is no reply code of any RFC; only its first digit counts"),
    }
}

fn row_in_words(row: &Row, answer: &Answer) -> String {
    let Row { status, sample_text, description, reference, associated, class_allowed } = row;
    let mut words = format!("{status}: {sample_text}. {description} {reference}");
    if let Some(pairing) = answer.pairing {
        let pairing = match pairing {
            "class-mismatch" => {
                "The first digits of the two codes differ, which RFC 2034 §4 forbids.".to_owned()
            }
            "listed" => "The pair is listed.".to_owned(),
            "unlisted" => format!("The pair is not listed ({associated}), which is no error."),
            _ => String::new(),
        };
        if !pairing.is_empty() {
            words = format!("{words} {pairing}");
        }
    }
    if answer.category_of_row.is_some_and(|category| category != answer.category) {
        words.push_str(" The reply means something else than the row.");
    } else if answer.disputed {
        words.push_str(" Some vendors use this code for something else.");
    }
    if !class_allowed {
        words.push_str(" The text of the row does not allow this class.");
    }
    match answer.place {
        Some("start") | None => {}
        Some(_) => words.push_str(
            " The code is not at the start of the text, where RFC 2034 §4 wants it: most programs do not see it.",
        ),
    }
    words
}

fn rule_in_words(rule: &BrokenRule) -> String {
    format!("{} ({}): {}", rule.id, rule.level, rule.statement)
}
