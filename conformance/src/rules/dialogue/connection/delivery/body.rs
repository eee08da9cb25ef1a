//! Rules about the lines of a message.

use std::collections::HashSet;

use super::message::{Field, Message};
use super::{Delivered, Findings, RuleId};
use crate::counted::counted;
use crate::dialogue::arrival::By;

/// The longest line that a server must take, without CR LF (RFC 5321 §4.5.3.1.6).
const LINE: usize = 998;
/// How much of a line is quoted.
const SHOWN: usize = 60;

pub(super) fn judge(
    delivered: &Delivered<'_>,
    sent: &Message<'_>,
    arrived: &Message<'_>,
    findings: &mut Findings,
) {
    if sent.has_bare_ends {
        bare_ends(delivered, sent, arrived, findings);
    } else if arrived.has_bare_ends {
        let detail = "a CR or LF that the client did not send is part of a line that arrived";
        findings.add(RuleId::DELIVERED_LINE_ENDS_CRLF, detail);
    } else if has_same_encoding(sent, arrived) {
        text(delivered, sent, arrived, findings);
    }
}

/// RFC 5321 §2.3.8, §4.1.1.4: CR and LF alone end no line. How a mailbox ends its lines is not known.
fn bare_ends(delivered: &Delivered<'_>, sent: &Message<'_>, arrived: &Message<'_>, findings: &mut Findings) {
    if delivered.arrived.by.is_mailbox() || sent.body.len() >= arrived.body.len() {
        return;
    }
    let split = |message: &Message<'_>| -> Vec<Vec<u8>> {
        let whole = message.body.join(&b"\r\n"[..]);
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        let mut before = 0;
        for octet in whole {
            match octet {
                b'\n' if before == b'\r' => {}
                b'\r' | b'\n' => lines.push(Vec::new()),
                octet => lines.last_mut().into_iter().for_each(|line| line.push(octet)),
            }
            before = octet;
        }
        lines
    };
    if split(sent) == split(arrived) {
        let (before, after) = (counted(sent.body.len(), "line"), arrived.body.len());
        findings.add(RuleId::BARE_LINE_END_NOT_RECOGNIZED, format!("{before} arrived as {after}"));
    }
}

/// Returns whether the fields that say how the body is encoded are the same. A submission server may encode, sign and
/// encrypt (RFC 6409 §8.4 to §8.6), and a client may convert 8-bit text for a server without 8BITMIME (RFC 6152 §3).
fn has_same_encoding(sent: &Message<'_>, arrived: &Message<'_>) -> bool {
    let solid = |message: &Message<'_>| {
        let names = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        names.map(|name| message.named(name).map(Field::solid).collect::<Vec<_>>())
    };
    solid(sent) == solid(arrived)
}

fn text(delivered: &Delivered<'_>, sent: &Message<'_>, arrived: &Message<'_>, findings: &mut Findings) {
    let by = delivered.arrived.by;
    let pairs =
        || sent.body.iter().zip(&arrived.body).map(|(sent, arrived)| (plain(sent, by), plain(arrived, by)));
    if sent.body.len() != arrived.body.len() {
        // A server may limit lines beyond the length that it must take.
        if sent.body.iter().all(|line| line.len() <= LINE) {
            let place = pairs().position(|(sent, arrived)| sent != arrived);
            let place = place.unwrap_or(sent.body.len().min(arrived.body.len())) + 1;
            let (before, after) = (counted(sent.body.len(), "line"), arrived.body.len());
            let detail =
                format!("{before} of the body arrived as {after}, which differ from line {place} on");
            findings.add(RuleId::DELIVERED_LINES_KEPT, detail);
        }
        return;
    }
    let offers_8bit = delivered.step.session.offers("8BITMIME");
    let mut broken = HashSet::new();
    for (number, (sent, arrived)) in (1..).zip(pairs()) {
        let rule = match () {
            () if sent == arrived => continue,
            () if without_dots(sent) == without_dots(arrived) => RuleId::DELIVERED_DOTS_UNSTUFFED,
            () if sent.is_ascii() => RuleId::DELIVERED_OCTETS_KEPT,
            () if offers_8bit => RuleId::DELIVERED_8BIT_KEPT,
            // Without 8BITMIME, a server may clear the high-order bit (RFC 5321 §2.4).
            () => continue,
        };
        if broken.insert(rule) {
            let detail =
                format!("line {number} of the body: {} arrived as {}", quoted(sent), quoted(arrived));
            findings.add(rule, detail);
        }
    }
}

/// Returns a line without the quoting of mbox, which puts `>` before `From ` and, in some variants, before `>From `.
fn plain(line: &[u8], by: By) -> &[u8] {
    let quotes = line.iter().take_while(|octet| **octet == b'>').count();
    match line.get(quotes..) {
        Some(text) if by == By::Mbox && text.starts_with(b"From ") => text,
        _ => line,
    }
}

fn without_dots(line: &[u8]) -> &[u8] {
    let dots = line.iter().take_while(|octet| **octet == b'.').count();
    line.get(dots..).unwrap_or_default()
}

fn quoted(line: &[u8]) -> String {
    match line.get(..SHOWN) {
        Some(start) if line.len() > SHOWN => {
            format!("\"{}...\" ({} octets)", start.escape_ascii(), line.len())
        }
        _ => format!("\"{}\"", line.escape_ascii()),
    }
}
