//! Chooses cases and prints them.

use std::ascii;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use globset::GlobMatcher;

use super::input;
use super::terminal::say;
use crate::case::template::Template;
use crate::case::{self, Action, Case, Start, Step};
use crate::limits::FILE_OCTETS;
use crate::target::Target;

/// The options that choose cases.
#[derive(Args)]
#[command(next_help_heading = "Target and cases")]
pub(super) struct Choice {
    /// Run only the cases whose id matches, and the canary, which checks that the server still answers. A case given by
    /// its full id runs alone.
    #[arg(long, value_name = "GLOB", value_parser = super::glob)]
    case: Option<GlobMatcher>,
    /// Run only the cases that test a matching rule, and the canary.
    #[arg(long, value_name = "GLOB", value_parser = super::glob)]
    rule: Option<GlobMatcher>,
    /// Folder with TOML files of your own cases, which are added to the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
}

impl Choice {
    /// Returns the chosen cases, including the canary unless `--case` is a full id.
    pub(super) fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = case::built_in()?;
        if let Some(folder) = &self.cases {
            ensure!(folder.is_dir(), "{}: no such folder", folder.display());
            let files = input::files(folder)?.into_iter();
            let files: Vec<PathBuf> =
                files.filter(|file| file.extension() == Some("toml".as_ref())).collect();
            ensure!(!files.is_empty(), "{}: the folder has no .toml file with cases", folder.display());
            for file in files {
                cases.extend(case::read(&file.display().to_string(), &input::text(&file, FILE_OCTETS)?)?);
            }
            case::check(&cases)?;
        }
        let named =
            self.case.as_ref().is_some_and(|glob| cases.iter().any(|case| case.id == glob.glob().glob()));
        cases.retain(|case| (case.id == "canary" && !named) || self.fits(case));
        cases.sort_by_key(|case| case.safety);
        Ok(cases)
    }

    /// Returns whether a case matches `--case` and `--rule`.
    pub(super) fn fits(&self, case: &Case) -> bool {
        self.case.as_ref().is_none_or(|glob| glob.is_match(&case.id))
            && self
                .rule
                .as_ref()
                .is_none_or(|glob| case.rules.iter().any(|rule| glob.is_match(rule.rule().id)))
    }

    /// Returns whether `--case` or `--rule` may leave cases out.
    pub(super) fn is_narrow(&self) -> bool {
        self.case.is_some() || self.rule.is_some()
    }
}

/// Prints a case on one line.
pub(super) fn print_line(case: &Case) {
    say!("{:<9} {:<40} {}", case.safety, case.id, case.title);
}

/// Prints what a case would send to a target. Without a target, placeholders are printed as they are written.
pub(super) fn print_octets(case: &Case, target: Option<&Target>) {
    let start = match case.start {
        Start::Early | Start::Connect => "",
        Start::Helo => " after HELO",
        Start::Hello => " after EHLO or LHLO",
        Start::Transaction => " after MAIL",
        Start::Recipient => " after RCPT",
        Start::Tls => " under TLS",
        Start::Authenticated => " after AUTH",
    };
    say!("# {} ({}): {}{start}", case.id, case.safety, case.title);
    for (index, step) in case.steps.iter().enumerate() {
        let ahead = case.steps.get(index + 1).map_or(&[][..], Step::early_octets);
        let ahead = String::from_utf8_lossy(ahead);
        let times = if step.repeat > 1 { format!(" ({} times)", step.repeat) } else { String::new() };
        let line = |text: &str| say!("C: {}{times}", visible(&filled(text, target)));
        match &step.action {
            Action::Send(text) => {
                line(&format!("{}\r\n{ahead}", text.get(step.early..).unwrap_or_default()));
            }
            Action::Response(text) => line(&format!("{text}\r\n")),
            Action::Raw(text, _) | Action::RawMessage(text) => line(text),
            Action::Message(text) => line(&format!("{text}.\r\n")),
            Action::Pipeline(lines) => line(&format!("{}{ahead}", joined(lines))),
            Action::MessageThen(texts) => {
                let (message, lines) = texts.split_at(1);
                line(&format!("{}.\r\n{}", message.concat(), joined(lines)));
            }
            Action::Chunk(text, last) => {
                // Not every placeholder has a value here.
                let size = if text.contains('{') { "N".to_owned() } else { text.len().to_string() };
                line(&format!("BDAT {size}{}\r\n{text}", if *last { " LAST" } else { "" }));
            }
            Action::StartTls => say!("# TLS handshake"),
            Action::Pause(seconds) => say!("# {seconds} s pause"),
            Action::Listen(seconds) => say!("# {seconds} s listening"),
        }
    }
}

/// Returns lines with their ends.
fn joined(lines: &[String]) -> String {
    lines.iter().map(|text| format!("{text}\r\n")).collect()
}

/// Returns what is sent on one line, with escapes such as `\r\n`.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'\'' | b'"' => visible.push(char::from(octet)),
            octet => visible.extend(ascii::escape_default(octet).map(char::from)),
        }
    }
    visible
}

/// Returns a text in which the placeholders that have a value for the target are filled.
fn filled(text: &str, target: Option<&Target>) -> String {
    let fill = |target: &Target| {
        let limit = target.knowledge.size_limit.filter(|limit| *limit < u64::MAX);
        Template { target, size_limit: limit, solicitation: None, markers: None }.fill_known(text).ok()
    };
    target.and_then(fill).unwrap_or_else(|| text.to_owned())
}
