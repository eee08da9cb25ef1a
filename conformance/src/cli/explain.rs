//! `smtp-conformance explain`: says what replies mean.

use std::io::{self, BufRead as _, ErrorKind, Read as _, Write as _};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use smtp_enhanced_status::explain::Stage;

use super::terminal::{self, remark};
use crate::explain::answer::{self, Answer, Json};
use crate::explain::encoding::decoded;
use crate::explain::input::{self, Input};
use crate::explain::inquiry::Inquiry;
use crate::explain::page;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance explain 550 5.7.27 SPF did not pass - gsmtp
      Explain a reply.
  smtp-conformance explain 5.7.27
      Explain a code.
  smtp-conformance explain X.7.27
      Explain a row of the registry, as a temporary and as a permanent failure.
  smtp-conformance explain --stage rcpt --host mx.example.net 550 No
      Say which command was answered, and by whom.
  smtp-conformance explain --format json < bounce.eml
      Explain the report of a failed delivery, or a reply on each line.";

/// The maximum number of octets that are read from standard input.
const LONGEST: u64 = 16 << 20;

#[derive(Args)]
pub(super) struct Options {
    /// A reply, or a code. Without it, standard input is read: a report of failed deliveries, or a reply on each line.
    text: Vec<String>,
    /// The command that was answered.
    #[arg(long, value_enum)]
    stage: Option<StageName>,
    /// Name of the host that sent the reply.
    #[arg(long)]
    host: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Sentences for people.
    Text,
    /// A JSON array.
    Json,
    /// A JSON object on each line.
    Jsonl,
    /// Markdown.
    Markdown,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StageName {
    /// The connection.
    Connect,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA or BDAT.
    Data,
    /// The end of the message.
    Message,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Stage {
        match name {
            StageName::Connect => Stage::Connect,
            StageName::Hello => Stage::Hello,
            StageName::Starttls => Stage::StartTls,
            StageName::Auth => Stage::Auth,
            StageName::Mail => Stage::Mail,
            StageName::Rcpt => Stage::Rcpt,
            StageName::Data => Stage::Data,
            StageName::Message => Stage::Message,
        }
    }
}

/// Explains what is asked, prints the answers and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let mut inquiries = if options.text.is_empty() {
        asked_on_standard_input().context("cannot read standard input")?
    } else {
        vec![Inquiry::typed(&options.text.join(" "))]
    };
    for inquiry in &mut inquiries {
        inquiry.stage = inquiry.stage.or(options.stage.map(Stage::from));
        inquiry.host = inquiry.host.take().or_else(|| options.host.as_deref().map(without_port));
    }
    inquiries.retain(|inquiry| !inquiry.reply.is_empty());
    if inquiries.is_empty() {
        return Ok(super::misused(&anyhow::anyhow!(
            "there is nothing to explain; write a reply or a code, or give some on standard input"
        )));
    }
    let answers: Vec<Answer> = inquiries.iter().flat_map(answer::of_row).collect();
    let text = match options.format {
        Format::Text => page::console(&answers, terminal::style(&io::stdout())),
        Format::Markdown => page::markdown(&answers)?,
        Format::Json => answer::json(&answers, Json::Array)?,
        Format::Jsonl => answer::json(&answers, Json::Lines)?,
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // A reader such as head has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        result => result.map(|()| 0).context("cannot write to standard output"),
    }
}

/// Reads what is asked on standard input, and says so if that is not all.
fn asked_on_standard_input() -> io::Result<Vec<Inquiry>> {
    let mut text = Vec::new();
    let mut input = decoded(io::stdin().lock())?;
    (&mut input).take(LONGEST).read_to_end(&mut text)?;
    if !input.fill_buf()?.is_empty() {
        remark!("only the first {} MiB of standard input are read", LONGEST >> 20);
    }
    let Input { inquiries, is_cut } = input::read(&text);
    if is_cut {
        remark!(
            "only the first {} replies are explained; `smtp-conformance classify` takes any number of replies, one on \
             each line",
            input::MOST
        );
    }
    Ok(inquiries)
}

/// Removes the port from the name of a host: `mx.example.net:25`.
pub(super) fn without_port(host: &str) -> String {
    host.split_once(':').map_or(host, |(name, _)| name).to_owned()
}
