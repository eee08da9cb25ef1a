//! What happened and what to do, for rows, pairs and reply codes.

use crate::explain::Stage;
use crate::explain::category::{Category, ListAction, Retry};
use crate::generated::explain::{ADVICE, CLASSES, PAIRS, REPLY_CODES, ROWS};
use crate::{Class, EnhancedStatusCode, ReplyCode, Status};

/// An entry of advice.
#[derive(Debug)]
pub(crate) struct Advice {
    pub(crate) category: Category,
    /// Whether to try again, if that differs from the category.
    pub(crate) retry: Option<Retry>,
    /// What the owner of a list does, if that differs from the category.
    pub(crate) list: Option<ListAction>,
    /// Whether some vendor means another category by the same code.
    pub(crate) is_disputed: bool,
    pub(crate) happened: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) administrator: &'static str,
}

impl Advice {
    /// Returns the advice for a row with a class, or `None` if the row is not registered or the class is a success.
    pub(crate) fn of_row(status: Status, class: Class) -> Option<&'static Advice> {
        let row = ROWS.get(status.position()?)?;
        match class {
            Class::Success => None,
            Class::Transient => ADVICE.get(usize::from(row[0])),
            Class::Permanent => ADVICE.get(usize::from(row[1])),
        }
    }

    /// Returns the advice for a pair that means something else than its row.
    pub(crate) fn of_pair(reply_code: ReplyCode, code: EnhancedStatusCode) -> Option<&'static Advice> {
        if reply_code.class() != Some(code.class()) {
            return None;
        }
        let key = (reply_code.as_u16(), code.subject(), code.detail());
        let index =
            PAIRS.binary_search_by_key(&key, |&(code, subject, detail, _)| (code, subject, detail)).ok()?;
        ADVICE.get(usize::from(PAIRS.get(index)?.3))
    }

    /// Returns the advice for a reply code at a stage, and whether it is about this very stage.
    pub(crate) fn of_reply_code(
        reply_code: ReplyCode,
        stage: Option<Stage>,
    ) -> Option<(&'static Advice, bool)> {
        let number = reply_code.as_u16();
        let first = REPLY_CODES.partition_point(|&(code, ..)| code < number);
        let entries = REPLY_CODES.get(first..)?.iter().take_while(|(code, ..)| *code == number);
        best(entries.map(|&(_, at, position)| (at, position)), stage)
    }

    /// Returns the advice for a class at a stage, and whether it is about this very stage.
    pub(crate) fn of_class(class: Class, stage: Option<Stage>) -> Option<(&'static Advice, bool)> {
        let entries = CLASSES.iter().filter(|(other, ..)| *other == class);
        best(entries.map(|&(_, at, position)| (at, position)), stage)
    }
}

/// Chooses the entry of the stage, or else the one of any stage.
fn best(
    entries: impl Iterator<Item = (Option<Stage>, u16)>,
    stage: Option<Stage>,
) -> Option<(&'static Advice, bool)> {
    let mut found = None;
    for (at, position) in entries {
        if at.is_none() || at == stage {
            found = Some((ADVICE.get(usize::from(position))?, at.is_some()));
        }
    }
    found
}
