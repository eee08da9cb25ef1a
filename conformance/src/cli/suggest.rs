//! `smtp-conformance suggest`: says which reply code and which enhanced status code to send in a situation.

use std::cmp::Reverse;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use smtp_enhanced_status::suggest::{Command, Situation, Suggestion, situations};
use smtp_enhanced_status::{Class, EnhancedStatusCode, ReplyCode};

use super::misused;
use super::terminal::{print_report, say};
use crate::data_file::did_you_mean;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance suggest                             List all situations, with the pair to send
  smtp-conformance suggest --command RCPT              List those of RCPT, and of any command
  smtp-conformance suggest --situation unknown-user    Say what to send for an unknown user, and why

The level says how strongly the reply code is demanded:
  must    The RFC says MUST, or leaves no other reply code
  should  The RFC says SHOULD, or names the reply code and leaves others possible
  may     The RFC permits the reply code, among others
  seen    No RFC names it here, or the row's text excludes the class; servers send it";

#[derive(Args)]
pub(super) struct Options {
    /// Id of a situation to explain. Without it, the situations are listed.
    #[arg(long, value_name = "ID")]
    situation: Option<String>,
    /// Command that the reply answers: `RCPT`, or `connect` for the greeting, or `message` for the end of the data.
    #[arg(long, value_parser = command)]
    command: Option<Command>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Console)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Text for people.
    Console,
    /// One JSON object for a situation, and an array of them for a list.
    Json,
}

/// Prints one situation, or a list, and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let Some(id) = &options.situation else {
        let listed: Vec<&Situation> =
            situations().iter().filter(|situation| is_about(situation, options.command)).collect();
        match options.format {
            Format::Console => print_list(&listed),
            Format::Json => print_json(&listed.into_iter().map(Described::new).collect::<Vec<_>>())?,
        }
        return Ok(0);
    };
    let situation = match find(id, options.command) {
        Ok(situation) => situation,
        Err(error) => return Ok(misused(&error)),
    };
    match options.format {
        Format::Console => print_situation(situation),
        Format::Json => print_json(&Described::new(situation))?,
    }
    Ok(0)
}

/// Reads the name of a command. HELO and LHLO are answered as EHLO is.
fn command(name: &str) -> Result<Command> {
    if ["HELO", "LHLO"].iter().any(|other| other.eq_ignore_ascii_case(name)) {
        return Ok(Command::Ehlo);
    }
    let Some(command) = Command::from_name(name) else {
        let names: Vec<&str> = Command::ALL.iter().map(|command| command.as_str()).collect();
        bail!("there are no situations of this command: write one of {}", names.join(", "));
    };
    Ok(command)
}

/// Returns whether a situation can arise with a command. With none, all situations can.
fn is_about(situation: &Situation, command: Option<Command>) -> bool {
    command.is_none_or(|command| [command, Command::Any].contains(&situation.command))
}

fn find(id: &str, command: Option<Command>) -> Result<&'static Situation> {
    let Some(situation) = Situation::from_id(id) else { bail!(unknown(id)) };
    if is_about(situation, command) {
        return Ok(situation);
    }
    let right = situation.command;
    Err(anyhow!("{id} answers another command: leave --command out, or write --command {right}"))
}

/// Returns the error message for an id that no situation has. It names the id that looks most like it, or those that
/// share a word with it.
fn unknown(id: &str) -> String {
    const MOST: usize = 5;
    let ids = || situations().iter().map(|situation| situation.id);
    let mut near = did_you_mean(id, ids());
    if near.is_empty() {
        let is_written = |word: &&str| id.split(['-', '_', ' ']).any(|written| written == *word);
        let shared = |other: &str| other.split('-').filter(is_written).count();
        let mut sharing: Vec<&str> = ids().filter(|other| shared(other) > 0).collect();
        sharing.sort_by_key(|other| Reverse(shared(other)));
        sharing.truncate(MOST);
        if !sharing.is_empty() {
            near = format!(" (similar: {})", sharing.join(", "));
        }
    }
    format!("there is no situation {id:?}{near}; `smtp-conformance suggest` lists the situations")
}

/// Prints a line for each situation, below the command that the replies answer.
fn print_list(listed: &[&Situation]) {
    let width = listed.iter().map(|situation| situation.id.len()).max().unwrap_or_default();
    for (position, group) in listed.chunk_by(|one, other| one.command == other.command).enumerate() {
        if position > 0 {
            say!("");
        }
        say!("{}\n", occasion(group[0].command));
        for situation in group {
            say!("  {:<width$}  {:<11}  {}", situation.id, situation.best.to_string(), situation.title);
        }
    }
}

fn print_situation(situation: &Situation) {
    say!("{}: {}\n", situation.id, situation.title);
    say!("{}", occasion(situation.command));
    say!("\nSend");
    print_suggestion(&situation.best);
    if !situation.alternatives.is_empty() {
        say!("\nAlso right");
        situation.alternatives.iter().for_each(print_suggestion);
    }
    if !situation.avoid.is_empty() {
        say!("\nAvoid");
        for mistake in situation.avoid {
            say!("  {:<11}  {}", mistake.to_string(), mistake.reason);
        }
    }
    if let Some(note) = situation.note {
        say!("\nNote: {note}");
    }
    say!("\nSources: {}", situation.sources.join("; "));
}

fn print_suggestion(suggestion: &Suggestion) {
    let without = if suggestion.code.is_none() { "; no enhanced status code (RFC 2034 §4)" } else { "" };
    say!("  {:<11}  {}, {}{without}", suggestion.to_string(), suggestion.level, suggestion.source);
    let Constants { rust, c } = Constants::new(suggestion);
    say!("    Rust  {}", rust.in_words());
    say!("    C     {}", c.in_words());
}

/// Returns when a reply is sent: `In reply to RCPT`.
fn occasion(command: Command) -> String {
    match command {
        Command::Connect => "When a client connects".to_owned(),
        Command::Ehlo => "In reply to EHLO, HELO or LHLO".to_owned(),
        Command::Message => "In reply to the end of the data".to_owned(),
        Command::Any => "In reply to any command".to_owned(),
        _ => format!("In reply to {}", command.as_str().to_uppercase()),
    }
}

fn print_json(value: &impl Serialize) -> Result<()> {
    print_report(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// A situation as JSON.
#[derive(Serialize)]
struct Described {
    id: &'static str,
    command: &'static str,
    title: &'static str,
    send: Pair,
    alternatives: Vec<Pair>,
    avoid: Vec<Avoided>,
    note: Option<&'static str>,
    sources: &'static [&'static str],
}

#[derive(Serialize)]
struct Pair {
    reply_code: u16,
    enhanced_status_code: Option<String>,
    level: &'static str,
    source: &'static str,
    #[serde(flatten)]
    constants: Constants,
}

#[derive(Serialize)]
struct Avoided {
    reply_code: u16,
    enhanced_status_code: Option<String>,
    reason: &'static str,
}

/// The names of the codes in each language.
#[derive(Serialize)]
struct Constants {
    rust: Names,
    c: Names,
}

#[derive(Serialize)]
struct Names {
    reply_code: String,
    enhanced_status_code: Option<String>,
}

impl Described {
    fn new(situation: &Situation) -> Described {
        let avoid = situation.avoid.iter().map(|mistake| Avoided {
            reply_code: mistake.reply_code.as_u16(),
            enhanced_status_code: mistake.code.map(|code| code.to_string()),
            reason: mistake.reason,
        });
        Described {
            id: situation.id,
            command: situation.command.as_str(),
            title: situation.title,
            send: Pair::new(&situation.best),
            alternatives: situation.alternatives.iter().map(Pair::new).collect(),
            avoid: avoid.collect(),
            note: situation.note,
            sources: situation.sources,
        }
    }
}

impl Pair {
    fn new(suggestion: &Suggestion) -> Pair {
        Pair {
            reply_code: suggestion.reply_code.as_u16(),
            enhanced_status_code: suggestion.code.map(|code| code.to_string()),
            level: suggestion.level.as_str(),
            source: suggestion.source,
            constants: Constants::new(suggestion),
        }
    }
}

impl Constants {
    fn new(suggestion: &Suggestion) -> Constants {
        let reply_code = name(suggestion.reply_code);
        Constants {
            rust: Names {
                reply_code: format!("ReplyCode::{reply_code}"),
                enhanced_status_code: suggestion.code.map(in_rust),
            },
            c: Names {
                reply_code: format!("SMTP_ESC_REPLY_{reply_code}"),
                enhanced_status_code: suggestion.code.map(in_c),
            },
        }
    }
}

impl Names {
    fn in_words(&self) -> String {
        match &self.enhanced_status_code {
            Some(code) => format!("{}, {code}", self.reply_code),
            None => self.reply_code.clone(),
        }
    }
}

/// Returns the name of a reply code's constants. Every suggested code has one.
fn name(reply_code: ReplyCode) -> &'static str {
    reply_code.entry().map_or("", |entry| entry.identifier)
}

fn in_rust(code: EnhancedStatusCode) -> String {
    let method = match code.class() {
        Class::Success => "success",
        Class::Transient => "transient",
        Class::Permanent => "permanent",
    };
    format!("Status::{}.{method}()", identifier(code))
}

fn in_c(code: EnhancedStatusCode) -> String {
    let class = match code.class() {
        Class::Success => "SUCCESS",
        Class::Transient => "TRANSIENT",
        Class::Permanent => "PERMANENT",
    };
    format!("SMTP_ESC_{class}(SMTP_ESC_{})", identifier(code))
}

/// Returns the name of a row's constants. Every suggested code has one.
fn identifier(code: EnhancedStatusCode) -> &'static str {
    code.entry().map_or("", |entry| entry.identifier)
}
