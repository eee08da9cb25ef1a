//! Observed replies: mentions with what can be said of them.

use smtp_enhanced_status::explain::{Category, Question, Stage};

use super::counts::{Basis, RowKey};
use super::finder;
use super::head::Head;
use super::hour::Hour;
use crate::readers::log;
use crate::readers::mention::Mention;
use memchr::memrchr;

/// A reply that a text mentions, with its codes and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) mention: Mention<'a>,
    pub(crate) key: RowKey,
    pub(crate) hour: Option<Hour>,
}

impl<'a> Observed<'a> {
    #[inline]
    pub(crate) fn new(mention: Mention<'a>) -> Observed<'a> {
        let head = Head::of(&mention.reply);
        // What was accepted needs no explanation, and is most of what logs show.
        let (category, vendor) =
            if head.digit() == Some(b'2') { (Category::Accepted, None) } else { explain(&mention) };
        let key = RowKey {
            head,
            direction: mention.direction,
            basis: Basis::Codes,
            is_opening: matches!(mention.stage, Some(Stage::Connect | Stage::Hello)),
            category,
            vendor,
        };
        Observed { mention, key, hour: None }
    }
}

fn explain(mention: &Mention<'_>) -> (Category, Option<&'static str>) {
    let mut question = Question::new(&mention.reply);
    if let Some(stage) = mention.stage {
        question = question.at(stage);
    }
    if let Some(host) = mention.host.and_then(|host| str::from_utf8(host).ok()) {
        question = question.from_host(host);
    }
    let explanation = question.explain();
    (explanation.category(), explanation.vendor().map(|vendor| vendor.id()))
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
            let mut observed = Observed::new(mention);
            observed.hour = hour;
            each(observed);
        });
        position = start + length.max(1);
    }
}
