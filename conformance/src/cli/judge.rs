//! `smtp-conformance judge`: recorded connections, judged.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::{FailOn, Form, ProtocolName, input};
use crate::dialogue::Dialogue;
use crate::knowledge::Knowledge;
use crate::limits::{JUDGED_EXCHANGES, TRANSCRIPT_OCTETS};
use crate::readers::transcript;
use crate::record;
use crate::record::outcome::Outcome;
use crate::report::Source;
use crate::rules::{Strictness, judge};

#[derive(Args)]
pub(super) struct Options {
    /// Transcripts (see the documentation of the module `transcript`), or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What the recorded server speaks.
    #[arg(long, value_enum, default_value_t = ProtocolName::Smtp)]
    protocol: ProtocolName,
    #[command(flatten)]
    form: Form,
    /// Takes a pair that the registry does not list for an error.
    #[arg(long)]
    strict_registry: bool,
    /// The lowest level that fails.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
}

/// Judges, reports, and gives the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let mut dialogues: Vec<Dialogue> = Vec::new();
    let mut exchanges = 0;
    for path in &options.paths {
        for file in input::files(path)? {
            let name = file.display().to_string();
            let text = input::text(&file, TRANSCRIPT_OCTETS)?;
            let mut read = transcript::read(&name, options.protocol.into(), &text)?;
            exchanges += read.iter().map(|dialogue| dialogue.exchanges.len()).sum::<usize>();
            ensure!(
                exchanges <= JUDGED_EXCHANGES,
                "{name}: more than {JUDGED_EXCHANGES} exchanges: judge fewer files"
            );
            dialogues.append(&mut read);
        }
    }
    ensure!(!dialogues.is_empty(), "there is no transcript to judge");
    let strictness = Strictness { registry: options.strict_registry };
    let judgement = judge(&dialogues, &Knowledge::default(), strictness);
    let target = options.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let outcome = Outcome { dialogues, judgement, ..Outcome::default() };
    let fails = options.fail_on.level().is_some_and(|level| outcome.fails(level));
    let records = record::records(&target, outcome);
    options.form.print(&[Source { name: "", records: &records }], options.fail_on)?;
    Ok(u8::from(fails))
}
