//! Reports, which are made from the records of runs.

mod behaviours;
pub mod comparison;
pub mod console;
pub mod conversation;
mod digest;
pub(crate) mod escape;
mod evidence;
pub mod html;
pub mod issue;
pub mod junit;
pub mod markdown;
mod matrix;
mod normalise;
mod reproduction;
pub mod results;
pub mod sarif;
pub mod style;

use anyhow::{Result, bail};

use crate::record::{self, Record};
use crate::rules::catalogue::Level;

pub use style::Style;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// Text for people.
    Console,
    /// Records, one JSON object per line.
    Jsonl,
    /// JUnit XML.
    Junit,
    /// GitHub-flavoured Markdown for the summary of a CI run.
    Markdown,
    /// One HTML page with a matrix of servers and rules, and the exchanges.
    Html,
    /// One Markdown page to keep: the servers, a matrix of rules and servers, and one exchange per cell.
    Results,
    /// Markdown texts for the maintainers of a server, one for each rule that is broken at or above --fail-on.
    Issue,
    /// SARIF 2.1.0 for code scanning services and editors.
    Sarif,
}

/// Records that a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of the file that holds them, or an empty string if they come straight from a run.
    pub name: &'a str,
    /// The records of one run.
    pub records: &'a [Record],
}

impl Format {
    /// Returns whether a report in this format can cover several runs.
    #[must_use]
    pub fn takes_several(self) -> bool {
        !matches!(self, Format::Jsonl | Format::Junit)
    }

    /// Returns whether a report in this format shows the [hints](crate::record::Summary::hints) of a run.
    #[must_use]
    pub fn shows_hints(self) -> bool {
        matches!(self, Format::Console | Format::Markdown | Format::Html)
    }

    /// Returns the report on one or more runs. `fails` is the lowest level that is a failure in JUnit and
    /// that [`Format::Issue`] reports.
    ///
    /// # Errors
    ///
    /// Returns an error if the format takes exactly one run and `sources` has another number of them. Any other error
    /// is a bug in this program.
    pub fn render(self, sources: &[Source<'_>], fails: Option<Level>) -> Result<String> {
        let each = |render: fn(&[Record]) -> Result<String>| {
            Ok(sources.iter().map(|source| render(source.records)).collect::<Result<Vec<_>>>()?.join("\n"))
        };
        match self {
            Format::Console => each(|run| Ok(console::render(run, Style::default()))),
            Format::Markdown => each(markdown::render),
            Format::Html => html::render(sources),
            Format::Results => results::render(sources),
            Format::Issue => issue::render(sources, fails),
            Format::Sarif => sarif::render(sources, None),
            Format::Jsonl => lines(self.only(sources)?),
            Format::Junit => junit::render(self.only(sources)?, fails),
        }
    }

    fn only<'a>(self, sources: &[Source<'a>]) -> Result<&'a [Record]> {
        let [source] = sources else {
            bail!("{self:?} takes the records of one run, not of {}; choose another --format", sources.len());
        };
        Ok(source.records)
    }
}

fn lines(run: &[Record]) -> Result<String> {
    let mut octets = Vec::new();
    record::write(run, &mut octets)?;
    Ok(String::from_utf8(octets)?)
}
