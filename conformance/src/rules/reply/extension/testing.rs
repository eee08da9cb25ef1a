//! What the tests of these rules have in common.

use crate::knowledge::Knowledge;
use crate::protocol::Protocol;
use crate::readers::testing::{Place, Row, Table};
use crate::rules::catalogue::Rule;

/// Checks rows about the rules of this module.
#[track_caller]
pub(super) fn check(protocol: Protocol, before: &[&str], rows: &[Row<'_>]) {
    Table { protocol, ..table(before) }.check(rows);
}

/// A table of replies to SMTP commands, about the rules of this module.
pub(super) fn table<'a>(before: &'a [&'a str]) -> Table<'a> {
    Table {
        protocol: Protocol::Smtp,
        knowledge: Knowledge::default(),
        before,
        rules: is_ours,
        place: Place::Last,
    }
}

fn is_ours(rule: &Rule) -> bool {
    rule.label.starts_with("EX-") || matches!(rule.label, "RG-07" | "RG-08" | "RG-09" | "RG-13" | "RG-14")
}

/// The EHLO reply of a server that offers these keywords, one per line, and enhanced status codes.
pub(super) fn offers(keywords: &str) -> String {
    let keywords = keywords.replace('\n', "\nS: 250-");
    format!("S: 250-mx.example.org\nS: 250-{keywords}\nS: 250 ENHANCEDSTATUSCODES")
}
