//! `registry/vendors.toml`: providers whose replies can be recognized, and the replies that mean something else there than
//! in the registry.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use crate::category::Category;
use crate::code::{Class, ReplyCode, Status};
use crate::data_file::DataFile;

/// The minimum length, in characters, of a mark, so that no text has it by chance.
const SHORTEST: usize = 4;

/// A provider, or a product of a filter.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VendorReply {
    /// The reply code; any if `None`.
    pub reply_code: Option<ReplyCode>,
    /// The enhanced status code with its class; any if `None`.
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
        check_pattern(id, &mark.text)?;
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
            let class = status.split('.').next().and_then(Class::parse);
            let row = status.split_once('.').and_then(|(_, rest)| Status::parse(&format!("X.{rest}")));
            ensure!(
                class.is_some() && row.is_some(),
                "{id}: status = {status:?}: write it with its class: \"5.7.27\""
            );
        }
        if let Some(text) = text {
            check_pattern(id, text)?;
        }
        ensure!(
            categories.iter().any(|known| known.id == *category),
            "{id}: there is no category {category:?}"
        );
        ensure!(meaning.ends_with('.'), "{id}: meaning has to be a sentence: {meaning:?}");
    }
    Ok(())
}

fn check_pattern(id: &str, pattern: &str) -> Result<()> {
    ensure!(
        pattern.chars().count() >= SHORTEST,
        "{id}: {pattern:?} is too short: write {SHORTEST} characters or more, so that no text has it by chance"
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
