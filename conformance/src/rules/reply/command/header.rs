//! Rules about refusals because of the header of a message.

use crate::dialogue::Act;
use crate::dialogue::octets::is_shortened;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::seen;

/// The number of Received fields from which on a server should suspect a loop (RFC 5321 §6.3).
const HOPS: usize = 100;

/// Judges the replies after the final dot and to the last chunk. RFC 6409 §6.3 and §8 let a submission server look at the
/// header.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    let (Act::Message(octets) | Act::Chunk { octets, .. }) = &observation.exchange.act else { return };
    if !observation.is_turned_down() {
        return;
    }
    hops(observation, octets, findings);
    if observation.is_submission() {
        return;
    }
    let text = observation.reply.text();
    // RFC 5321 §3.3: Resent fields are not a reason to refuse a message.
    if has_word(&text, "resent") && count(octets, b"Resent-") > 0 {
        findings.add(RuleId::RESENT_FIELDS_NOT_REFUSED, seen(observation));
    }
    if blames_trace(observation, &text, octets) {
        findings.add(RuleId::TRACE_FIELDS_NOT_REFUSED, seen(observation));
    } else if blames_header(observation, &text) {
        findings.add(RuleId::HEADER_DEFECTS_NOT_REFUSED, seen(observation));
    }
}

/// RFC 5321 §6.3: the number of Received fields shows a loop only if it is large. A server may count its own.
fn hops(observation: &Observation<'_>, octets: &[u8], findings: &mut Findings) {
    let says = observation.says(&["too many hops", "hop count", "hops exceeded", "too many received"]);
    let hops = count(octets, b"Received:");
    let shortened = octets.split(|octet| *octet == b'\n').any(is_shortened);
    if says && !shortened && hops + 1 < HOPS {
        findings
            .add(RuleId::LOOP_THRESHOLD_100, format!("{} with {hops} Received fields", seen(observation)));
    }
}

/// Returns whether a text gives a defect of the header as the reason. Policy, spam, loops, lengths and characters are
/// other reasons.
fn blames_header(observation: &Observation<'_>, text: &str) -> bool {
    const FIELDS: [&str; 9] =
        ["header", "headers", "date", "from", "message-id", "subject", "sender", "rfc5322", "rfc822"];
    const DEFECTS: [&str; 13] = [
        "missing",
        "lack",
        "no valid",
        "invalid",
        "malformed",
        "bad ",
        "duplicate",
        "multiple",
        "required",
        "syntax",
        "must contain",
        "must have",
        "without",
    ];
    const OTHERS: [&str; 14] = [
        "spam", "score", "virus", "policy", "dkim", "dmarc", "spf", "hop", "loop", "too long", "too big",
        "8bit", "8-bit", "ascii",
    ];
    let about_policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let standard = text.contains("rfc 5322") || text.contains("rfc 822") || text.contains("rfc 2822");
    let field =
        standard || FIELDS.iter().any(|field| has_word(text, field)) && !text.contains("sender address");
    let defect = DEFECTS.iter().any(|defect| text.contains(defect));
    let other = about_policy || OTHERS.iter().any(|other| text.contains(other));
    field
        && defect
        && !other
        && (text.contains("header") || text.contains("field") || standard || names_field(text))
}

/// RFC 5321 §3.7.2: the form of a trace field is not a reason to refuse a message. A loop is one (§6.3).
fn blames_trace(observation: &Observation<'_>, text: &str, octets: &[u8]) -> bool {
    const DEFECTS: [&str; 5] = ["malformed", "invalid", "syntax", "unparsable", "bad "];
    let names = [("received", &b"Received:"[..]), ("return-path", b"Return-Path:")];
    let names_field = names.iter().any(|(name, field)| has_word(text, name) && count(octets, field) > 0);
    let about_field = text.contains("header") || text.contains("field") || text.contains("received:");
    let about_policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let is_loop = text.contains("hop") || text.contains("loop") || text.contains("too many");
    names_field
        && about_field
        && !about_policy
        && !is_loop
        && DEFECTS.iter().any(|defect| text.contains(defect))
}

/// Returns whether a text names a field with its colon, or Date or Message-ID.
fn names_field(text: &str) -> bool {
    ["from:", "date:", "subject:", "message-id", "missing date", "no date"]
        .iter()
        .any(|name| text.contains(name))
}

/// Returns whether a text has a word of its own, not only within another, such as "represented".
fn has_word(text: &str, wanted: &str) -> bool {
    let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    parts.into_iter().any(|word| word == wanted)
}

/// Counts the lines of the header that begin with a name.
fn count(message: &[u8], name: &[u8]) -> usize {
    let header = message.split(|octet| *octet == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    header.filter(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))).count()
}
