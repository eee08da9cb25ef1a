//! Rules about the header fields of a message.

use super::message::{Field, Message};
use super::trace;
use super::{Delivered, Findings, RuleId};
use crate::protocol::Protocol;
use crate::protocol::header::{ADDRESS_FIELDS, address, is_incomplete, is_malformed};

/// Fields that a server may remove.
const EXEMPT: [&str; 4] = ["Received", "Return-Path", "Bcc", "Require-Recipient-Valid-Since"];

/// A header section, with the place in it of each field that was sent.
struct Compared<'a, 'm> {
    sent: &'a [Field<'m>],
    arrived: &'a [Field<'m>],
    /// For each field that was sent, its index in the header section that arrived.
    places: Vec<Option<usize>>,
}

pub(super) fn judge(
    delivered: &Delivered<'_>,
    sent: &Message<'_>,
    arrived: &Message<'_>,
    findings: &mut Findings,
) {
    let (Some(sent), Some(arrived)) = (&sent.fields, &arrived.fields) else { return };
    let compared = Compared { sent, arrived, places: places(sent, arrived) };
    compared.received_kept(findings);
    compared.received_added(delivered.protocol(), findings);
    if let Some(received) = compared.own_received() {
        trace::judge(delivered, received, findings);
    }
    // A submission server may change header fields (RFC 6409 §8).
    if delivered.protocol() == Protocol::Submission {
        compared.completed(findings);
        compared.addresses_passed_on(findings);
    } else {
        compared.fields_kept(findings);
    }
    if delivered.arrived.by.is_mailbox() {
        compared.return_path(findings);
        compared.rrvs_removed(delivered, findings);
    }
}

/// Finds each field that was sent in what arrived, in order.
fn places(sent: &[Field<'_>], arrived: &[Field<'_>]) -> Vec<Option<usize>> {
    let arrived: Vec<Vec<u8>> = arrived.iter().map(Field::solid).collect();
    let mut taken = vec![false; arrived.len()];
    let mut place = |field: &Field<'_>| {
        let wanted = field.solid();
        // Of several equal fields, those that the server added come first.
        let found = (0..arrived.len())
            .rev()
            .find(|index| arrived.get(*index) == Some(&wanted) && taken.get(*index) == Some(&false))?;
        taken.get_mut(found).into_iter().for_each(|taken| *taken = true);
        Some(found)
    };
    let mut places: Vec<Option<usize>> = sent.iter().rev().map(&mut place).collect();
    places.reverse();
    places
}

impl Compared<'_, '_> {
    /// RFC 5321 §4.4: a server neither changes nor deletes nor reorders Received fields.
    fn received_kept(&self, findings: &mut Findings) {
        let own = self.sent.iter().zip(&self.places).filter(|(field, _)| field.is("Received"));
        let places: Vec<Option<usize>> = own.map(|(_, place)| *place).collect();
        let detail = if places.contains(&None) {
            "a Received field of the message was changed or removed"
        } else if !places.is_sorted() {
            "the Received fields of the message arrived in another order"
        } else {
            return;
        };
        findings.add(RuleId::RECEIVED_KEPT, detail);
    }

    /// RFC 5321 §4.4: a server adds Received at the beginning.
    fn received_added(&self, protocol: Protocol, findings: &mut Findings) {
        let all = self.arrived.iter().enumerate();
        let is_new = |index: &usize| !self.places.contains(&Some(*index));
        let new: Vec<usize> =
            all.filter(|(_, field)| field.is("Received")).map(|(index, _)| index).filter(is_new).collect();
        let first = self.places.iter().flatten().min().copied().unwrap_or(usize::MAX);
        let detail = if new.is_empty() {
            "no Received field was added"
        } else if new.iter().all(|index| *index > first) {
            "Received was added after fields of the message"
        } else {
            return;
        };
        findings.add_if(protocol == Protocol::Lmtp, RuleId::RECEIVED_ADDED, "lmtp", detail);
    }

    /// Returns the Received field that was added first: programs that the message passes later add theirs above. `None` if
    /// there is doubt which one that is.
    fn own_received(&self) -> Option<&Field<'_>> {
        let is_lost = |(field, place): (&Field<'_>, &Option<usize>)| field.is("Received") && place.is_none();
        if self.sent.iter().zip(&self.places).any(is_lost) {
            return None;
        }
        let first = self.places.iter().flatten().min().copied().unwrap_or(self.arrived.len());
        self.arrived.get(..first)?.iter().rfind(|field| field.is("Received"))
    }

    /// RFC 5321 §4.5.2: everything is delivered. A server may remove Return-Path (§4.4), and Bcc is not for the reader
    /// (RFC 5322 §3.6.3). RFC 7293 §5.2 recommends to remove Require-Recipient-Valid-Since.
    fn fields_kept(&self, findings: &mut Findings) {
        let is_compared = |field: &Field<'_>| {
            let exempt = EXEMPT.iter().any(|name| field.is(name));
            !exempt && field.solid().is_ascii()
        };
        let lost =
            self.sent.iter().zip(&self.places).find(|(field, place)| place.is_none() && is_compared(field));
        if let Some((field, _)) = lost {
            let name = field.name().escape_ascii();
            let is_there = self.arrived.iter().any(|other| other.name().eq_ignore_ascii_case(field.name()));
            let detail = if is_there { format!("{name} was changed") } else { format!("{name} was removed") };
            findings.add(RuleId::DELIVERED_FIELDS_KEPT, detail);
        }
    }

    /// RFC 6409 §8: what a submission server passes on follows RFC 5322. It adds Message-ID (§8.3), and in Sender only a
    /// valid address (§8.1).
    fn completed(&self, findings: &mut Findings) {
        let rule = RuleId::SUBMITTED_HEADER_COMPLETE;
        let find = |name: &str| self.arrived.iter().find(|field| field.is(name));
        if let Some(name) = ["Date", "From"].into_iter().find(|name| find(name).is_none()) {
            findings.add(rule, format!("the message has no {name} field"));
        }
        let is_sent = self.sent.iter().any(|field| field.is("Sender"));
        if let Some(sender) = find("Sender").filter(|field| !is_sent && !field.unfolded().contains(&b'@')) {
            let value = sender.unfolded();
            findings
                .add(rule, format!("the Sender field has no address: {}", value.trim_ascii().escape_ascii()));
        }
        if find("Message-ID").is_none() {
            findings.add_under(rule, "message-id", "the message has no Message-ID field");
        }
    }

    /// RFC 6409 §4.2, §5.1: a submission server that changes more than trace fields lets no address pass whose domain is
    /// incomplete, and none with bad syntax. A program that the message passes later may add other fields.
    fn addresses_passed_on(&self, findings: &mut Findings) {
        let has = |fields: &[Field<'_>], name: &str| fields.iter().any(|field| field.is(name));
        let is_added = |name: &&str| has(self.arrived, name) && !has(self.sent, name);
        let Some(added) = ["From", "Date", "Message-ID"].into_iter().find(is_added) else { return };
        let kept = self.sent.iter().zip(&self.places).filter(|(_, place)| place.is_some());
        for (field, _) in kept.filter(|(field, _)| ADDRESS_FIELDS.iter().any(|name| field.is(name))) {
            let value = field.unfolded();
            let Some(address) = address(&value) else { continue };
            let condition = match address {
                address if is_malformed(address) => "address-syntax",
                address if is_incomplete(address) => "incomplete-domain",
                _ => continue,
            };
            let name = field.name().escape_ascii();
            let detail = format!("{added} was added, and {name} arrived with <{}>", address.escape_ascii());
            findings.add_under(RuleId::SUBMITTED_HEADER_COMPLETE, condition, detail);
            return;
        }
    }

    /// RFC 5321 §4.4: on final delivery there is exactly one Return-Path, at the very beginning.
    fn return_path(&self, findings: &mut Findings) {
        let rule = RuleId::RETURN_PATH_ADDED;
        let is = |field: &&Field<'_>| field.is("Return-Path");
        match self.arrived.iter().filter(is).count() {
            0 => findings.add(rule, "no Return-Path field was added"),
            1 => self.only_return_path(findings),
            // A server may, but need not, remove one that was there before.
            count if !self.sent.iter().any(|field| is(&field)) => {
                findings.add_under(rule, "several", format!("{count} Return-Path fields were added"));
            }
            _ => {}
        }
    }

    /// RFC 7293 §5.2 recommends to remove the field before a message goes into a mailbox, and says that this is not
    /// mandatory.
    fn rrvs_removed(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let is = |field: &Field<'_>| field.is("Require-Recipient-Valid-Since");
        if delivered.step.session.offers("RRVS") && self.arrived.iter().any(is) {
            findings.add(RuleId::RRVS_FIELD_REMOVED, "Require-Recipient-Valid-Since is in the mailbox");
        }
    }

    fn only_return_path(&self, findings: &mut Findings) {
        let place = self.arrived.iter().position(|field| field.is("Return-Path"));
        let Some((place, field)) = place.and_then(|place| Some((place, self.arrived.get(place)?))) else {
            return;
        };
        if self.places.contains(&Some(place)) {
            return;
        }
        let path = field.unfolded();
        let path = path.trim_ascii();
        let mut above = self.arrived.iter().enumerate().take(place);
        let is_below =
            |index: usize, field: &Field<'_>| self.places.contains(&Some(index)) || field.is("Received");
        if !path.starts_with(b"<") || !path.contains(&b'>') {
            let detail = format!("Return-Path has no path in angle brackets: {}", path.escape_ascii());
            findings.add(RuleId::RETURN_PATH_ADDED, detail);
        } else if let Some((_, field)) = above.find(|(index, field)| is_below(*index, field)) {
            let detail = format!("Return-Path follows {}", field.name().escape_ascii());
            findings.add_under(RuleId::RETURN_PATH_ADDED, "below", detail);
        }
    }
}
