//! Reports, each made from the records of a run.

pub mod comparison;
pub mod console;
pub mod conversation;
mod digest;
pub(crate) mod escape;
mod evidence;
pub mod html;
pub mod junit;
pub mod markdown;
mod matrix;
mod normalise;
pub mod results;
pub mod sarif;
pub mod style;

use anyhow::{Result, bail};

use crate::record::{self, Record};
use crate::rules::catalogue::Level;

pub use style::Style;

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// For people.
    Console,
    /// Records, one JSON object a line.
    Jsonl,
    /// JUnit XML.
    Junit,
    /// GitHub-flavoured Markdown, for the summary of a CI run.
    Markdown,
    /// One page of HTML: a matrix of servers and rules, with the exchanges.
    Html,
    /// One page of Markdown to be kept: servers, rules against servers, and an exchange each.
    Results,
    /// SARIF 2.1.0, for code scanning services and editors.
    Sarif,
}

/// Records to make a report of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file that they come from; empty if they come from a run.
    pub name: &'a str,
    /// The records of one run.
    pub records: &'a [Record],
}

impl Format {
    /// Returns whether a report of this form can be of several runs.
    #[must_use]
    pub fn takes_several(self) -> bool {
        !matches!(self, Format::Jsonl | Format::Junit)
    }

    /// Returns whether a report of this form shows the [hints](crate::record::Summary::hints) of a run.
    #[must_use]
    pub fn shows_hints(self) -> bool {
        matches!(self, Format::Console | Format::Markdown | Format::Html)
    }

    /// The report of some runs. `fails` is the lowest level that is a failure in JUnit.
    ///
    /// # Errors
    ///
    /// A form that takes one run refuses another number of them. Other errors are faults of ours.
    pub fn render(self, sources: &[Source<'_>], fails: Option<Level>) -> Result<String> {
        let each = |render: fn(&[Record]) -> Result<String>| {
            Ok(sources.iter().map(|source| render(source.records)).collect::<Result<Vec<_>>>()?.join("\n"))
        };
        match self {
            Format::Console => each(|run| Ok(console::render(run, Style::default()))),
            Format::Markdown => each(markdown::render),
            Format::Html => html::render(sources),
            Format::Results => results::render(sources),
            Format::Sarif => sarif::render(sources, None),
            Format::Jsonl => lines(self.only(sources)?),
            Format::Junit => junit::render(self.only(sources)?, fails),
        }
    }

    fn only<'a>(self, sources: &[Source<'a>]) -> Result<&'a [Record]> {
        let [source] = sources else {
            bail!("{self:?} takes the records of one run, not of {}: take another --format", sources.len());
        };
        Ok(source.records)
    }
}

fn lines(run: &[Record]) -> Result<String> {
    let mut octets = Vec::new();
    record::write(run, &mut octets)?;
    Ok(String::from_utf8(octets)?)
}
