//! The answer to an inquiry, in a form for programs.

use std::fmt::Write as _;

use serde::Serialize;
use smtp_enhanced_status::explain::{Category, CodePlace, Explanation, ListAction, Retry, Stage};
use smtp_enhanced_status::{Class, EnhancedStatusCode, Pairing, ReplyCode};

use super::inquiry::Inquiry;
use crate::dialogue::{Act, Answer as Received, Dialogue, Exchange};
use crate::knowledge::Knowledge;
use crate::rules::catalogue::Level;
use crate::rules::{Strictness, judge};

/// What a reply means, who meant it, and what to do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// The reply as it was asked; octets that are no UTF-8 are replaced.
    pub reply: String,
    /// How it was read, if not as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
    /// Whom the message was for, if a report says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The reply code.
    pub reply_code: Option<u16>,
    /// What the reply code means by the RFCs.
    pub reply_code_meaning: Option<&'static str>,
    /// The enhanced status code.
    pub enhanced_status_code: Option<String>,
    /// Where the enhanced status code is.
    pub place: Option<&'static str>,
    /// The codes of the reply that quotes this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outer: Option<String>,
    /// The enhanced status code that the reply code looks like without its dots, if no RFC has the reply code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_dots: Option<String>,
    /// The command that was answered.
    pub stage: Option<&'static str>,
    /// The category.
    pub category: &'static str,
    /// Whose matter it is.
    pub matter: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// What the sender does.
    pub sender: &'static str,
    /// What the administrator of the receiving server does.
    pub administrator: &'static str,
    /// Whether to try again.
    pub retry: Option<&'static str>,
    /// How long until another try makes sense.
    pub wait: Option<&'static str>,
    /// What the owner of a list does with the address.
    pub list: &'static str,
    /// What decided.
    pub evidence: &'static str,
    /// How sure that is.
    pub certainty: &'static str,
    /// The vendor that the reply looks like.
    pub vendor: Option<VendorName>,
    /// Where it is known from what the vendor means.
    pub source: Option<String>,
    /// The registry's row.
    pub registry: Option<Row>,
    /// What the registry says of the pair.
    pub pairing: Option<&'static str>,
    /// The rules that the reply breaks, whatever it answers.
    pub rules: Vec<BrokenRule>,
    /// The category that the registry's row has by itself.
    pub category_of_row: Option<&'static str>,
    /// Whether some vendor uses the enhanced status code for something else than the row.
    pub disputed: bool,
}

/// A vendor.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VendorName {
    /// The stable name.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// Whether the host or a sure mark shows it.
    pub sure: bool,
}

/// A row of the registry.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The code without a class.
    pub status: String,
    /// The sample text.
    pub sample_text: &'static str,
    /// The description, in this project's words.
    pub description: &'static str,
    /// The documents that define it.
    pub reference: &'static str,
    /// The associated reply codes.
    pub associated: &'static str,
    /// Whether the row's text allows the class of the reply.
    pub class_allowed: bool,
}

/// A rule that a reply breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BrokenRule {
    /// The id.
    pub id: &'static str,
    /// The level: `error`, `warning` or `note`.
    pub level: Level,
    /// What the rule says.
    pub statement: &'static str,
}

impl Answer {
    /// Answers an inquiry.
    #[must_use]
    pub fn new(inquiry: &Inquiry) -> Answer {
        let explanation = inquiry.explain();
        let code = explanation.enhanced();
        let reply_code = explanation.reply_code();
        Answer {
            reply: String::from_utf8_lossy(&inquiry.reply).into_owned(),
            read_as: inquiry.read_as.clone(),
            recipient: inquiry.recipient.clone(),
            reply_code: reply_code.map(ReplyCode::as_u16),
            reply_code_meaning: reply_code.and_then(ReplyCode::entry).map(|entry| entry.meaning),
            enhanced_status_code: code.map(|code| code.to_string()),
            place: explanation.place().map(CodePlace::as_str),
            outer: outer(&explanation),
            without_dots: explanation.without_dots().map(|code| code.to_string()),
            stage: explanation.stage().map(Stage::as_str),
            category: explanation.category().id(),
            matter: explanation.category().matter().as_str(),
            happened: explanation.happened(),
            sender: explanation.sender(),
            administrator: explanation.administrator(),
            retry: explanation.retry().map(Retry::as_str),
            wait: explanation.category().wait(),
            list: match explanation.list() {
                ListAction::Remove if inquiry.is_from_status => ListAction::Pause.as_str(),
                list => list.as_str(),
            },
            evidence: explanation.evidence().as_str(),
            certainty: explanation.certainty().as_str(),
            vendor: explanation.vendor().map(|vendor| VendorName {
                id: vendor.id(),
                name: vendor.name(),
                sure: explanation.is_vendor_sure(),
            }),
            source: explanation.source().map(|(source, seen)| format!("{source}, seen {seen}")),
            registry: code.and_then(Row::of),
            pairing: explanation.pairing().map(Pairing::as_str),
            rules: broken_rules(&inquiry.reply, &explanation),
            category_of_row: explanation.category_of_row().map(Category::id),
            disputed: explanation.is_disputed(),
        }
    }
}

impl Row {
    fn of(code: EnhancedStatusCode) -> Option<Row> {
        let entry = code.entry()?;
        Some(Row {
            status: code.status().to_string(),
            sample_text: entry.sample_text,
            description: entry.description,
            reference: entry.reference,
            associated: entry.raw.associated,
            class_allowed: entry.classes.contains(code.class()),
        })
    }
}

fn outer(explanation: &Explanation) -> Option<String> {
    let (reply_code, code) = explanation.outer()?;
    let codes = [reply_code.map(|code| code.to_string()), code.map(|code| code.to_string())];
    let codes: Vec<String> = codes.into_iter().flatten().collect();
    (!codes.is_empty()).then(|| codes.join(" "))
}

/// The rules that hold for a reply whatever command it answers.
const JUDGED: [&str; 3] = ["RS-", "ES-", "RG-"];

/// Judges a reply as that to RCPT, and returns what it breaks whatever it answers.
fn broken_rules(reply: &[u8], explanation: &Explanation) -> Vec<BrokenRule> {
    if explanation.outer().is_some() || explanation.reply_code().is_none() {
        return Vec::new();
    }
    let mut octets = Vec::new();
    for line in reply.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            octets.extend_from_slice(line);
            octets.extend_from_slice(b"\r\n");
        }
    }
    let extensions: &[u8] = match explanation.enhanced() {
        Some(_) => b"250-mx.example.test\r\n250 ENHANCEDSTATUSCODES\r\n",
        None => b"250 mx.example.test\r\n",
    };
    let command = |line: &[u8]| Act::Command(line.to_vec());
    let dialogue = Dialogue {
        exchanges: vec![
            exchange(Act::Connect, b"220 mx.example.test\r\n"),
            exchange(command(b"EHLO client.example.org\r\n"), extensions),
            exchange(command(b"MAIL FROM:<a@example.org>\r\n"), b"250 2.1.0 ok\r\n"),
            exchange(command(b"RCPT TO:<b@example.test>\r\n"), &octets),
        ],
        ..Dialogue::default()
    };
    let last = dialogue.exchanges.len() - 1;
    let judgement = judge(&[dialogue], &Knowledge::default(), Strictness::default());
    let mut broken: Vec<BrokenRule> = Vec::new();
    for finding in judgement.findings {
        let rule = finding.rule.rule();
        let is_judged = JUDGED.iter().any(|prefix| rule.label.starts_with(prefix));
        if finding.location.exchange == last && is_judged && broken.iter().all(|other| other.id != rule.id) {
            broken.push(BrokenRule { id: rule.id, level: finding.level, statement: rule.statement });
        }
    }
    broken
}

fn exchange(act: Act, reply: &[u8]) -> Exchange {
    Exchange { answers: vec![Received { octets: reply.to_vec(), millis: 0 }], ..Exchange::new(act) }
}

/// Writes an answer as JSON. Characters that control a terminal or reorder text are escaped.
///
/// # Errors
///
/// Fails only if the answer cannot be serialized, which would be a fault of this program.
pub fn json(answers: &[Answer], form: Json) -> serde_json::Result<String> {
    let text = match form {
        Json::Array => format!("{}\n", serde_json::to_string_pretty(answers)?),
        Json::Lines => {
            let lines = answers.iter().map(|answer| Ok(format!("{}\n", serde_json::to_string(answer)?)));
            lines.collect::<serde_json::Result<String>>()?
        }
    };
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(character));
            }
            character => escaped.push(character),
        }
    }
    Ok(escaped)
}

/// The form of answers in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// An array.
    Array,
    /// An object on each line.
    Lines,
}

/// Returns the answers for the classes 4 and 5 of a row.
#[must_use]
pub fn of_row(inquiry: &Inquiry) -> Vec<Answer> {
    let Some(row) = inquiry.row() else { return vec![Answer::new(inquiry)] };
    [Class::Transient, Class::Permanent]
        .map(|class| {
            let reply = row.with_class(class).to_string().into_bytes();
            Answer::new(&Inquiry { reply, ..inquiry.clone() })
        })
        .to_vec()
}
