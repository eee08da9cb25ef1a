//! Turns `rules.toml` into a table and one constant per rule, so that code naming an unknown rule does not compile, adds
//! to each rule the requirements that it judges, and lists the files of cases and of behaviours.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use serde::Deserialize;
use toml::Spanned;

const CATALOGUE: &str = "rules.toml";
const REGISTER: &str = "requirements.toml";
const CASES: &str = "cases";
const BEHAVIOURS: &str = "behaviours";

fn main() {
    write("rules.rs", &catalogue());
    write("cases.rs", &files(CASES));
    write("behaviours.rs", &files(BEHAVIOURS));
}

fn write(name: &str, text: &str) {
    let folder = env::var("OUT_DIR").unwrap_or_else(|error| fail(&error.to_string()));
    fs::write(Path::new(&folder).join(name), text).unwrap_or_else(|error| fail(&error.to_string()));
}

/// Returns the source of a table of the TOML files in a folder, with the name and text of each.
fn files(folder: &str) -> String {
    println!("cargo::rerun-if-changed={folder}");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|error| fail(&error.to_string()));
    let entries = fs::read_dir(Path::new(&root).join(folder));
    let entries = entries.unwrap_or_else(|error| fail(&format!("{folder}: {error}")));
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let file = |file: &std::path::PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!("({:?}, include_str!({:?})),\n", format!("{folder}/{name}"), file.display().to_string())
    };
    format!("static FILES: &[(&str, &str)] = &[\n{}];\n", files.iter().map(file).collect::<String>())
}

fn catalogue() -> String {
    println!("cargo::rerun-if-changed={CATALOGUE}");
    let source = fs::read_to_string(CATALOGUE).unwrap_or_else(|error| fail(&format!("{CATALOGUE}: {error}")));
    let catalogue: Catalogue =
        toml::from_str(&source).unwrap_or_else(|error| fail(&format!("{CATALOGUE}: {error}")));
    if let Err((offset, reason)) = check(&catalogue) {
        let line = source[..offset].matches('\n').count() + 1;
        fail(&format!("{CATALOGUE}:{line}: {reason}"));
    }
    topics(&catalogue.topic) + &table(&catalogue.rule, &register())
}

/// Reads the register of requirements. `cargo xtask requirements` checks it.
fn register() -> Vec<Requirement> {
    println!("cargo::rerun-if-changed={REGISTER}");
    let source = fs::read_to_string(REGISTER).unwrap_or_else(|error| fail(&format!("{REGISTER}: {error}")));
    let register: Register =
        toml::from_str(&source).unwrap_or_else(|error| fail(&format!("{REGISTER}: {error}")));
    register.requirement
}

fn fail(reason: &str) -> ! {
    println!("cargo::error={}", reason.replace('\n', " | "));
    process::exit(1)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    topic: Vec<Topic>,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    letters: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    id: Spanned<String>,
    label: Spanned<String>,
    statement: String,
    keyword: Keyword,
    level: Option<Spanned<Level>>,
    level_reason: Option<Spanned<String>>,
    kind: Kind,
    left_out: Option<String>,
    sources: Vec<String>,
    why: String,
    #[serde(default)]
    fix: String,
    fix_postfix: Option<String>,
    fix_exim: Option<String>,
    fix_opensmtpd: Option<String>,
    fix_sendmail: Option<String>,
    #[serde(default)]
    yields_to: Vec<Spanned<String>>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Keyword {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "must")]
    LowerCaseMust,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "MAY")]
    May,
    #[serde(rename = "registry")]
    Registry,
    #[serde(rename = "practice")]
    Practice,
}

impl Keyword {
    /// Returns the level of a rule whose source says nothing that lowers it.
    fn level(self) -> Level {
        match self {
            Keyword::Must | Keyword::LowerCaseMust => Level::Error,
            Keyword::Should => Level::Warning,
            Keyword::May | Keyword::Registry | Keyword::Practice => Level::Note,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    /// Returns the level as rules.toml writes it.
    fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Reply,
    Dialogue,
    Report,
    Client,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    name: Spanned<String>,
    level: Level,
    #[serde(rename = "level-reason")]
    level_reason: Option<String>,
    when: String,
}

#[derive(Deserialize)]
struct Register {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
struct Requirement {
    id: String,
    #[serde(default)]
    words: Vec<String>,
    strength: Option<String>,
    asks: String,
    #[serde(default)]
    rules: Vec<String>,
}

/// Checks the rules. The error is the byte offset of the first problem and a message.
fn check(Catalogue { topic: topics, rule: rules }: &Catalogue) -> Result<(), (usize, String)> {
    let mut seen = HashSet::new();
    for rule in rules {
        let (id, place) = (rule.id.get_ref().as_str(), rule.id.span().start);
        if id.is_empty() || !id.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err((place, format!("id {id:?}: write lower case letters, digits and hyphens")));
        }
        for (key, value) in [("id", &rule.id), ("label", &rule.label)] {
            if !seen.insert((key, value.get_ref().as_str())) {
                return Err((
                    value.span().start,
                    format!("duplicate {key} {:?}: write another", value.get_ref()),
                ));
            }
        }
        let (label, number) = (&rule.label, rule.label.get_ref().split_once('-'));
        if !number.is_some_and(|(letters, _)| topics.iter().any(|topic| topic.letters == letters)) {
            return Err((
                label.span().start,
                format!(
                    "label {:?}: write the letters of a [[topic]], a hyphen, and a number",
                    label.get_ref()
                ),
            ));
        }
        if (rule.kind == Kind::None) != rule.left_out.is_some() {
            let problem = "write both kind = \"none\" and left-out = \"the reason\", or neither";
            return Err((place, format!("rule {id}: {problem}")));
        }
        if rule.kind != Kind::None && rule.level.is_none() {
            return Err((place, format!("rule {id}: add level = \"error\", \"warning\" or \"note\"")));
        }
        if let Some(level) = &rule.level {
            check_level(rule, level)?;
        }
    }
    for (rule, other) in rules.iter().flat_map(|rule| rule.yields_to.iter().map(move |other| (rule, other))) {
        if other.get_ref() == rule.id.get_ref() || !seen.contains(&("id", other.get_ref().as_str())) {
            return Err((
                other.span().start,
                format!("yields-to {:?}: write the id of another rule", other.get_ref()),
            ));
        }
    }
    Ok(())
}

/// Checks that the level of a rule is that of its keyword, or that a reason is given, and that conditions lower it.
fn check_level(rule: &Rule, level: &Spanned<Level>) -> Result<(), (usize, String)> {
    let (id, is, due) = (rule.id.get_ref(), *level.get_ref(), rule.keyword.level());
    match &rule.level_reason {
        None if is != due => {
            let problem = format!(
                "rule {id}: level {:?} is not that of its keyword: write level = {:?}, or add level-reason = \"...\" \
                 with the words of the source that permit it",
                is.name(),
                due.name()
            );
            return Err((level.span().start, problem));
        }
        Some(reason) if is == due => {
            let problem =
                format!("rule {id}: level {:?} is that of its keyword: remove level-reason", is.name());
            return Err((reason.span().start, problem));
        }
        _ => {}
    }
    for condition in &rule.conditions {
        if condition.level >= is {
            let name = condition.name.get_ref();
            let place = condition.name.span().start;
            let problem = match is {
                Level::Note => format!("condition {name:?} lowers nothing: remove it, as the rule is a note"),
                _ => format!(
                    "condition {name:?} lowers nothing: write a level below {:?}, or remove it",
                    is.name()
                ),
            };
            return Err((place, problem));
        }
    }
    Ok(())
}

fn topics(topics: &[Topic]) -> String {
    let mut text = String::from("pub(super) static TOPICS: &[Topic] = &[\n");
    for Topic { letters, title } in topics {
        let _ = writeln!(text, "Topic {{ letters: {letters:?}, title: {title:?} }},");
    }
    text + "];\n\n"
}

fn table(rules: &[Rule], register: &[Requirement]) -> String {
    let positions: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(position, rule)| (rule.id.get_ref().as_str(), position)).collect();
    let mut text = String::from("pub(super) static RULES: &[Rule] = &[\n");
    for rule in rules {
        let fixes: Vec<(&str, &str)> = [
            ("Postfix", &rule.fix_postfix),
            ("Exim", &rule.fix_exim),
            ("OpenSMTPD", &rule.fix_opensmtpd),
            ("Sendmail", &rule.fix_sendmail),
        ]
        .into_iter()
        .filter_map(|(server, fix)| Some((server, fix.as_deref()?)))
        .collect();
        let yields_to: String = rule
            .yields_to
            .iter()
            .filter_map(|other| positions.get(other.get_ref().as_str()))
            .map(|position| format!("RuleId({position}), "))
            .collect();
        let conditions: String = rule
            .conditions
            .iter()
            .map(|Condition { name, level, level_reason, when }| {
                format!(
                    "Condition {{ name: {:?}, level: Level::{level:?}, level_reason: {level_reason:?}, when: {when:?} }}, ",
                    name.get_ref()
                )
            })
            .collect();
        let requirements: String = register
            .iter()
            .filter(|requirement| requirement.rules.contains(rule.id.get_ref()))
            .map(|Requirement { id, words, strength, asks, .. }| {
                let words = strength.clone().unwrap_or_else(|| words.join(", "));
                format!("Requirement {{ id: {id:?}, words: {words:?}, asks: {asks:?} }}, ")
            })
            .collect();
        let level = rule.level.as_ref().map(Spanned::get_ref);
        let level = level.map_or(String::from("None"), |level| format!("Some(Level::{level:?})"));
        let _ = writeln!(
            text,
            "Rule {{ id: {:?}, label: {:?}, statement: {:?}, keyword: Keyword::{:?}, level: {level}, \
             level_reason: {:?}, kind: Kind::{:?}, left_out: {:?}, sources: &{:?}, requirements: &[{requirements}], why: {:?}, \
             fix: {:?}, fixes: &{fixes:?}, yields_to: &[{yields_to}], conditions: &[{conditions}] }},",
            rule.id.get_ref(),
            rule.label.get_ref(),
            rule.statement,
            rule.keyword,
            rule.level_reason.as_ref().map(Spanned::get_ref),
            rule.kind,
            rule.left_out,
            rule.sources,
            rule.why,
            rule.fix,
        );
    }
    text.push_str("];\n\nimpl RuleId {\n");
    for (position, rule) in rules.iter().enumerate() {
        let id = rule.id.get_ref();
        let name = id.to_uppercase().replace('-', "_");
        let name =
            if name.starts_with(|first: char| first.is_ascii_digit()) { format!("N{name}") } else { name };
        let _ = writeln!(text, "    /// `{id}`.\n    pub const {name}: RuleId = RuleId({position});");
    }
    text.push_str("}\n");
    text
}
