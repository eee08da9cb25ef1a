//! `registry/vendors.toml`: providers whose replies can be recognized, and the replies that mean something else there than
//! in the registry.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::code::{Class, ReplyCode, Status};
use crate::data_file::DataFile;

/// The minimum length, in characters, of a mark, so that no text has it by chance.
const SHORTEST: usize = 4;

/// A provider, or a product of a filter.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// The stable name.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Host names of its servers; `*` is any number of characters.
    pub hosts: Vec<String>,
    /// Marks in the text of its replies.
    pub marks: Vec<Mark>,
    /// Where the marks are known from.
    pub source: String,
    /// The month in which they were last seen: `2026-11`.
    pub seen: String,
    /// The replies that mean something else.
    #[serde(default, rename = "reply")]
    pub replies: Vec<VendorReply>,
}

/// A mark in the text of a reply.
///
/// In its pattern, letters match in either case, `#` is a digit, `#+` one or more of them, and `@` a letter.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The pattern.
    pub text: String,
    /// Where it stands.
    #[serde(default)]
    pub place: Place,
    /// Whether the mark alone shows who it is.
    pub sure: bool,
}

/// Where a mark stands in a text.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// At the start.
    Start,
    /// At the end.
    End,
    /// Anywhere.
    #[default]
    Anywhere,
}

/// A reply that means something else than the registry says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VendorReply {
    /// The reply code; any if `None`.
    pub reply_code: Option<ReplyCode>,
    /// The enhanced status code with its class, or a [`StatusRange`]; any if `None`.
    pub status: Option<String>,
    /// A pattern in the text, as in a [`Mark`]; any text if `None`.
    pub text: Option<String>,
    /// The id of the category.
    pub category: String,
    /// What it means, in one sentence.
    pub meaning: String,
    /// Where that is known from.
    pub source: String,
    /// The month in which it was last seen: `2026-11`.
    pub seen: String,
}

/// Enhanced status codes that differ in their detail only: `4.7.500-699`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The class.
    pub class: Class,
    /// The subject.
    pub subject: u16,
    /// The lowest detail.
    pub first: u16,
    /// The highest detail.
    pub last: u16,
}

impl StatusRange {
    /// Parses a code, or a code, a hyphen and the highest detail.
    pub fn parse(text: &str) -> Option<StatusRange> {
        let (class, rest) = text.split_once('.')?;
        let (low, high) = rest.split_once('-').map_or((rest, None), |(low, high)| (low, Some(high)));
        let status = Status::parse(&format!("X.{low}"))?;
        let last = match high {
            Some(high) => Status::parse(&format!("X.{}.{high}", status.subject))?.detail,
            None => status.detail,
        };
        let range =
            StatusRange { class: Class::parse(class)?, subject: status.subject, first: status.detail, last };
        (high.is_none() || range.first < range.last).then_some(range)
    }
}

/// Parses and checks a file that has been read.
pub fn read(file: &DataFile, categories: &[Category]) -> Result<Vec<Vendor>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        vendor: Vec<toml::Spanned<Vendor>>,
    }
    let mut ids = BTreeSet::new();
    let mut marks = BTreeMap::new();
    let mut vendors = Vec::new();
    for vendor in file.parse::<File>()?.vendor {
        let line = file.line(vendor.span().start);
        let vendor = vendor.into_inner();
        let mut check = || -> Result<()> {
            ensure!(ids.insert(vendor.id.clone()), "{} is there already: remove one of them", vendor.id);
            check_marks(&vendor, &mut marks)?;
            check_replies(&vendor, categories)
        };
        check().map_err(|error| file.error(line, &error))?;
        vendors.push(vendor);
    }
    Ok(vendors)
}

fn check_marks(vendor: &Vendor, sure: &mut BTreeMap<String, String>) -> Result<()> {
    let id = &vendor.id;
    check_origin(id, &vendor.source, &vendor.seen)?;
    ensure!(
        !vendor.hosts.is_empty() || !vendor.marks.is_empty(),
        "{id}: add hosts or marks to recognize it by"
    );
    for mark in &vendor.marks {
        check_pattern(&mark.text).with_context(|| id.clone())?;
        if mark.sure
            && let Some(other) = sure.insert(mark.text.to_lowercase(), id.clone())
        {
            bail!("{id}: {:?} is a sure mark of {other} already: write sure = false for both", mark.text);
        }
    }
    Ok(())
}

fn check_replies(vendor: &Vendor, categories: &[Category]) -> Result<()> {
    let id = &vendor.id;
    let mut seen = BTreeSet::new();
    for reply in &vendor.replies {
        let VendorReply { reply_code, status, text, category, meaning, source, seen: month } = reply;
        check_origin(id, source, month)?;
        ensure!(
            reply_code.is_some() || status.is_some() || text.is_some(),
            "{id}: a reply needs reply-code, status or text"
        );
        ensure!(
            seen.insert((*reply_code, status.clone(), text.as_ref().map(|text| text.to_lowercase()))),
            "{id}: two entries claim the reply {reply_code:?} {status:?} {text:?}: remove one of them"
        );
        if let Some(status) = status {
            ensure!(
                StatusRange::parse(status).is_some(),
                "{id}: status = {status:?}: write it with its class, \"5.7.27\", or a range, \"4.7.500-699\""
            );
        }
        if let Some(text) = text {
            check_pattern(text).with_context(|| id.clone())?;
        }
        ensure!(
            categories.iter().any(|known| known.id == *category),
            "{id}: there is no category {category:?}"
        );
        ensure!(meaning.ends_with('.'), "{id}: meaning has to be a sentence: {meaning:?}");
    }
    Ok(())
}

/// Checks a pattern of a text.
///
/// Whoever looks for patterns looks for four characters first, which must not depend on what the text has there.
pub(crate) fn check_pattern(pattern: &str) -> Result<()> {
    let fixed = pattern.split_once("#+").map_or(pattern.to_owned(), |(before, _)| format!("{before}#"));
    let longest = fixed.split('@').map(str::len).max().unwrap_or_default();
    ensure!(
        longest >= SHORTEST,
        "{pattern:?} is too general: write {SHORTEST} characters or more in a row that are no @, before any #+, so that \
         no text has it by chance"
    );
    ensure!(
        pattern.is_ascii() && !pattern.contains("  "),
        "{pattern:?}: write ASCII, and one space instead of several"
    );
    Ok(())
}

fn check_origin(id: &str, source: &str, seen: &str) -> Result<()> {
    ensure!(!source.is_empty(), "{id}: add source = \"...\", which says where this is known from");
    let is_month = seen.len() == 7
        && seen.char_indices().all(|(place, c)| if place == 4 { c == '-' } else { c.is_ascii_digit() });
    ensure!(is_month, "{id}: seen = {seen:?}: write the year and the month: \"2026-11\"");
    Ok(())
}
