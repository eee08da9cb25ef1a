//! `smtp-conformance classify`: says what category each of many replies is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use smtp_enhanced_status::explain::{Stage, TAXONOMIES};

use super::explain::{StageName, without_port};
use crate::explain::classify::{self, Form, Settings};
use crate::explain::encoding::decoded;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance classify replies.txt
      Write a line of JSON for each line of a file.
  zcat mail.log.gz | grep -o 'host .* said: .*' | smtp-conformance classify --format csv -
      Classify the replies in the log of a Postfix server.
  smtp-conformance classify --taxonomy kumomta replies.txt
      Add the names that KumoMTA has for the categories.";

#[derive(Args)]
pub(super) struct Options {
    /// A file with a reply on each line. `-` reads standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Taxonomy whose names are added.
    #[arg(long, value_parser = PossibleValuesParser::new(TAXONOMIES))]
    taxonomy: Option<String>,
    /// The command that all replies answer.
    #[arg(long, value_enum)]
    stage: Option<StageName>,
    /// Name of the host that sent all replies.
    #[arg(long)]
    host: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// Classifies the replies, and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    let host = options.host.as_deref().map(without_port);
    let settings = Settings {
        form: match options.format {
            Format::Jsonl => Form::JsonLines,
            Format::Csv => Form::Csv,
        },
        stage: options.stage.map(Stage::from),
        host: host.as_deref(),
        taxonomy: options.taxonomy.as_deref(),
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let input: Box<dyn BufRead> = if options.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&options.file).with_context(|| options.file.display().to_string())?;
        Box::new(BufReader::new(file))
    };
    let result = decoded(input).and_then(|mut input| classify::run(&mut input, &mut output, settings));
    match result {
        // A reader such as head has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        result => result.map(|()| 0).context("cannot classify all replies"),
    }
}
