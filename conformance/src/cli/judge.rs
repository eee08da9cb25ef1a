//! `smtp-conformance judge`: judges recorded connections.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::{FailOn, Form, ProtocolName, input};
use crate::dialogue::Dialogue;
use crate::knowledge::Knowledge;
use crate::limits::{JUDGED_EXCHANGES, TRANSCRIPT_OCTETS};
use crate::readers;
use crate::record::index::RecordIndex;
use crate::record::outcome::Outcome;
use crate::record::status::Status;
use crate::record::{self, Subject};
use crate::report::Source;
use crate::rules::{Strictness, judge};

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance judge session.txt
  smtp-conformance judge recordings/ --protocol submission --fail-on warning
  smtp-conformance judge - < session.txt

A transcript begins with the line \"#: connected\". Each line after that begins with \"C: \" if the client sent it, \
\"S: \" if the server sent it, or \"#: \" for an event such as \"tls\", \"timeout\" or \"closed by server\".

Also read is what these clients print, recognized by its content: swaks, curl -v and --trace, telnet, nc, openssl s_client, \
msmtp --debug, s-nail -vv, MailKit, nodemailer, PHPMailer, Jakarta Mail, and the SMTP libraries of Python, Ruby and Perl. \
docs/transcripts.md says how to record them. Records of a run or of this command are judged again.";

#[derive(Args)]
pub(super) struct Options {
    /// Transcripts, recordings of mail clients, records, or folders of them. `-` reads standard input.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Protocol that the recorded server speaks.
    #[arg(long, value_enum, default_value_t = ProtocolName::Smtp, help_heading = "Judging")]
    protocol: ProtocolName,
    #[command(flatten)]
    form: Form,
    /// Treat a pair of codes that the registry does not list as an error.
    #[arg(long, help_heading = "Judging")]
    strict_registry: bool,
    /// Lowest level at which a finding fails.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Error, help_heading = "Judging")]
    fail_on: FailOn,
}

/// Judges the recordings, prints the report and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let mut dialogues: Vec<Dialogue> = Vec::new();
    let mut exchanges = 0;
    for path in &options.paths {
        for file in input::files(path)? {
            let name = file.display().to_string();
            let text = input::text(&file, TRANSCRIPT_OCTETS)?;
            let mut read = readers::read(&name, options.protocol.into(), &text)?;
            exchanges += read.iter().map(|dialogue| dialogue.exchanges.len()).sum::<usize>();
            ensure!(
                exchanges <= JUDGED_EXCHANGES,
                "{name}: more than {JUDGED_EXCHANGES} exchanges in all; judge fewer files at a time"
            );
            dialogues.append(&mut read);
        }
    }
    ensure!(
        !dialogues.is_empty(),
        "no connection to judge in what was given; see `smtp-conformance judge --help` for the recordings that are read"
    );
    let strictness = Strictness { registry: options.strict_registry };
    let judgement = judge(&dialogues, &Knowledge::default(), strictness);
    let target = options.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let outcome = Outcome::of_recordings(dialogues, judgement);
    let records = record::records(&Subject::named(&target), outcome.without_baseline());
    options.form.print(&[Source { name: "", records: &records }], options.fail_on)?;
    Ok(Status::of(&RecordIndex::of(&records), options.fail_on.level()).code())
}
