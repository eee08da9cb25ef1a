//! Keys: what replies are counted by, and what rules are.

use smtp_enhanced_status::explain::{Category, ListAction, Retry};

use super::head::Head;
use crate::readers::mention::Direction;
use crate::rules::catalogue::{Level, RuleId};

/// What replies of one row have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowKey {
    pub(crate) head: Head,
    pub(crate) direction: Direction,
    pub(crate) basis: Basis,
    /// Whether the replies need no enhanced status code: they answer the connection, or EHLO, HELO or LHLO.
    pub(crate) is_opening: bool,
    pub(crate) category: Category,
    pub(crate) retry: Option<Retry>,
    pub(crate) list: ListAction,
    pub(crate) vendor: Option<&'static str>,
}

/// What replies are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Basis {
    /// Their codes alone. Whether the server announced enhanced status codes is not known.
    Codes,
    /// Their codes alone, which are those of a program whose source code has them, so that it announces them.
    OwnCodes,
    /// They were judged already, with all that was said on their connection.
    Dialogue,
}

impl Basis {
    /// Returns its name in files of counts.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Basis::Codes => "codes",
            Basis::OwnCodes => "own-codes",
            Basis::Dialogue => "dialogue",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Basis> {
        [Basis::Codes, Basis::OwnCodes, Basis::Dialogue].into_iter().find(|basis| basis.as_str() == name)
    }
}

/// A rule that something other than the codes of one reply broke, at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleKey {
    pub(crate) rule: RuleId,
    pub(crate) level: Level,
}
