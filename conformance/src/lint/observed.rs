//! Observed replies: mentions with what can be said of them.

use smtp_enhanced_status::explain::{Category, ListAction, Question, Stage, Vendor};

use super::finder;
use super::head::Head;
use super::hour::Hour;
use super::key::{Basis, RowKey};
use crate::readers::log;
use crate::readers::mention::Mention;
use memchr::{memchr, memrchr};

/// A reply that a text mentions, with its codes and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) mention: Mention<'a>,
    pub(crate) key: RowKey,
    pub(crate) hour: Option<Hour>,
    /// What is around the mention: addresses in it are personal data that the reply may repeat a part of.
    pub(crate) context: &'a [u8],
}

impl<'a> Observed<'a> {
    #[inline]
    pub(crate) fn new(mention: Mention<'a>, context: &'a [u8]) -> Observed<'a> {
        let head = Head::of(&mention.reply);
        let key = RowKey {
            head,
            direction: mention.direction,
            basis: Basis::Codes,
            is_opening: matches!(mention.stage, Some(Stage::Connect | Stage::Hello)),
            category: Category::Accepted,
            retry: None,
            list: ListAction::Keep,
            vendor: None,
        };
        // What was accepted needs no explanation, and is most of what logs show.
        let key = if head.digit() == Some(b'2') { key } else { explained(key, &mention) };
        Observed { mention, key, hour: None, context }
    }
}

/// Adds to a key what a reply means.
fn explained(key: RowKey, mention: &Mention<'_>) -> RowKey {
    let mut question = Question::new(&mention.reply);
    if let Some(stage) = mention.stage {
        question = question.at(stage);
    }
    if let Some(host) = mention.host.and_then(|host| str::from_utf8(host).ok()) {
        question = question.from_host(host);
    }
    let answer = question.explain();
    RowKey {
        category: answer.category(),
        retry: answer.retry(),
        list: answer.list(),
        vendor: answer.vendor().map(Vendor::id),
        ..key
    }
}

/// Observes the replies that the lines of a log mention. `offset` of a mention counts from the start of `text`.
pub(crate) fn observe_log<'a>(text: &'a [u8], with_hours: bool, each: &mut impl FnMut(Observed<'a>)) {
    let mut position = 0;
    while let Some(candidate) = finder::find(text, position) {
        let start = memrchr(b'\n', &text[position..candidate]).map_or(position, |end| position + end + 1);
        let line = &text[start..];
        let hour = if with_hours { Hour::of(line) } else { None };
        let length = log::read(line, &mut |mut mention: Mention<'a>| {
            mention.offset += start;
            let end = memchr(b'\n', line).unwrap_or(line.len());
            each(Observed { hour, ..Observed::new(mention, &line[..end]) });
        });
        position = start + length.max(1);
    }
}
