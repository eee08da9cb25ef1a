//! Rules about the Received field that the server added.

use super::message::Field;
use super::stamp::{Fault, Stamp};
use super::{Delivered, Findings, RuleId};
use crate::protocol::Protocol;

pub(super) fn judge(delivered: &Delivered<'_>, received: &Field<'_>, findings: &mut Findings) {
    let stamp = Stamp::read(&received.unfolded());
    well_formed(delivered, &stamp, findings);
    protocol(delivered, &stamp, findings);
    priority(delivered, &stamp, findings);
}

/// RFC 5321 §4.4. FROM is demanded "in an SMTP environment", and RFC 2033 says nothing of it.
fn well_formed(delivered: &Delivered<'_>, stamp: &Stamp, findings: &mut Findings) {
    let rule = RuleId::RECEIVED_WELL_FORMED;
    let is_lmtp = delivered.protocol() == Protocol::Lmtp;
    match stamp.fault(!is_lmtp) {
        Some(Fault::Form(detail)) => findings.add_if(is_lmtp, rule, "lmtp", detail),
        Some(Fault::Zone(detail)) => findings.add_under(rule, "zone", detail),
        Some(Fault::Unregistered(detail)) => findings.add_under(rule, "unregistered", detail),
        None if !is_lmtp => client(delivered, stamp, findings),
        None => {}
    }
}

/// A server may write a name in another way if it is not a domain or an address literal.
fn client(delivered: &Delivered<'_>, stamp: &Stamp, findings: &mut Findings) {
    let is_plain =
        |name: &&str| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-'));
    let detail = match delivered.client.as_deref().filter(is_plain) {
        Some(name) if !stamp.comes_from(name) => format!("the client's name {name} is not in it"),
        _ if !stamp.has_address() => "no IP address of the client is in it".to_owned(),
        _ => return,
    };
    findings.add_under(RuleId::RECEIVED_WELL_FORMED, "client", detail);
}

/// RFC 4954 §7, RFC 6531 §3.7.3. What else a protocol means is for no rule.
fn protocol(delivered: &Delivered<'_>, stamp: &Stamp, findings: &mut Findings) {
    let rule = RuleId::RECEIVED_NAMES_PROTOCOL;
    let Some(name) = stamp.clause("with") else { return };
    let written = name.to_ascii_uppercase();
    let plain = written.strip_prefix("UTF8").unwrap_or(&written);
    let is_utf8 = delivered.has_parameter("SMTPUTF8");
    if delivered.step.session.authenticated && plain.contains("SMTP") && !plain.ends_with('A') {
        findings.add(rule, format!("\"with {name}\" after a successful AUTH"));
    } else if is_utf8 && plain.len() == written.len() {
        findings.add(rule, format!("\"with {name}\" after MAIL with SMTPUTF8"));
    }
}

/// RFC 6710 §4.1, §7.
fn priority(delivered: &Delivered<'_>, stamp: &Stamp, findings: &mut Findings) {
    let rule = RuleId::RECEIVED_NAMES_PRIORITY;
    if !delivered.step.session.offers("MT-PRIORITY") || !delivered.has_parameter("MT-PRIORITY") {
        return;
    }
    match stamp.clause("priority") {
        None => findings.add_under(rule, "missing", "there is no PRIORITY clause"),
        Some(value) if !is_priority(value) => {
            findings.add(rule, format!("PRIORITY is followed by {value}"));
        }
        Some(_) => {}
    }
}

/// RFC 6710 §6: a digit, or a digit other than 0 after a hyphen.
fn is_priority(value: &str) -> bool {
    matches!(value.as_bytes(), [b'0'..=b'9'] | [b'-', b'1'..=b'9'])
}
