//! Tests of the dialogue rules.

mod closing;
mod counts;
mod kept;
mod line_ends;
mod state;
mod stray;

use crate::protocol::Protocol;
use crate::readers::testing::{Place, Row, Table, dialogue};
use crate::rules::catalogue::{Kind, Rule, RuleId};

pub(in crate::rules) const GREETING: &str = "S: 220 mx.example.org";
pub(in crate::rules) const EHLO: &str = "\
C: EHLO me.example.org
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-DSN
S: 250-SIZE 1000
S: 250-VRFY
S: 250-AUTH PLAIN
S: 250-STARTTLS
S: 250 ENHANCEDSTATUSCODES";
pub(in crate::rules) const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
const RCPT: &str = "C: RCPT TO:<u0@example.org>\nS: 250 2.1.5 Ok";
const RCPT_TOO: &str = "C: RCPT TO:<u1@example.org>\nS: 250 2.1.5 Ok";
const DATA: &str = "C: DATA\nS: 354 Go";
const MESSAGE: &str = "C: x\nC: .";
const NOOP: &str = "C: NOOP\nS: 250 2.0.0 Ok";
const STARTTLS: &str = "C: STARTTLS\nS: 220 2.0.0 Go";
const TLS: &str = "#: tls";
const QUIT: &str = "C: QUIT\nS: 221 2.0.0 Bye\n#: closed by server";
const CLOSED: &str = "#: closed by server";
const TIMEOUT: &str = "#: timeout";

/// Checks rows of what comes after the greeting. The first piece of a row is its name.
#[track_caller]
fn check(protocol: Protocol, rows: &[Row<'_>]) {
    Table { protocol, before: &[GREETING], ..table() }.check(rows);
}

/// A table of connections, about the dialogue rules.
pub(in crate::rules) fn table() -> Table<'static> {
    Table {
        protocol: Protocol::Smtp,
        knowledge: crate::Knowledge::default(),
        before: &[],
        rules: is_ours,
        place: Place::Anywhere,
    }
}

/// Returns whether a rule is about exchanges, or about one reply by what came before it.
fn is_ours(rule: &Rule) -> bool {
    let compared =
        [RuleId::LISTED_CAPABILITY_WORKS, RuleId::STARTTLS_FORGETS_SESSION, RuleId::RSET_ANSWERED_250];
    rule.kind == Kind::Dialogue || compared.map(|id| id.rule().id).contains(&rule.id)
}
