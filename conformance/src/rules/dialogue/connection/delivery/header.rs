//! Rules about the header fields of a message.

use super::message::{Field, Message};
use super::{Delivered, Findings, RuleId};
use crate::protocol::Protocol;

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
    // A submission server may change header fields (RFC 6409 §8).
    if delivered.protocol() != Protocol::Submission {
        compared.fields_kept(findings);
    }
    if delivered.arrived.by.is_mailbox() {
        compared.return_path(findings);
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

    /// RFC 5321 §4.5.2: everything is delivered. A server may remove Return-Path (§4.4), and Bcc is not for the reader
    /// (RFC 5322 §3.6.3).
    fn fields_kept(&self, findings: &mut Findings) {
        let is_compared = |field: &Field<'_>| {
            let exempt = ["Received", "Return-Path", "Bcc"].iter().any(|name| field.is(name));
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

    /// RFC 5321 §4.4: on final delivery there is exactly one Return-Path.
    fn return_path(&self, findings: &mut Findings) {
        let rule = RuleId::RETURN_PATH_ADDED;
        let is = |field: &&Field<'_>| field.is("Return-Path");
        match self.arrived.iter().filter(is).count() {
            0 => findings.add(rule, "no Return-Path field was added"),
            1 => {}
            // A server may, but need not, remove one that was there before.
            count if !self.sent.iter().any(|field| is(&field)) => {
                findings.add_under(rule, "several", format!("{count} Return-Path fields were added"));
            }
            _ => {}
        }
    }
}
