//! Rules about the envelope of a message that arrived, and about the number of copies.

use super::{Delivered, Findings, RuleId};
use crate::counted::counted;
use crate::dialogue::arrival::By;
use crate::dialogue::batch::due;
use crate::dialogue::session::Step;
use crate::protocol::Protocol;
use crate::protocol::command::Verb;
use crate::protocol::reply::Reply;

/// The envelope that the client gave, by the replies to it.
pub(super) struct Envelope {
    sender: String,
    /// Whether the sender had a source route.
    has_route: bool,
    accepted: Vec<String>,
    refused: Vec<String>,
}

impl Envelope {
    /// Returns the envelope of a message. `None` if the recording does not have its MAIL.
    pub(super) fn of(steps: &[Step<'_>], message: usize) -> Option<Envelope> {
        let before = steps.get(..message)?;
        let start = before.iter().rposition(|step| step.verb() == Some(Verb::Mail) && is_accepted(step))?;
        let mail = before.get(start)?;
        let mut envelope = Envelope {
            sender: path(mail)?,
            has_route: mail.command?.envelope()?.path()?.starts_with(b"@"),
            accepted: Vec::new(),
            refused: Vec::new(),
        };
        for step in before.get(start + 1..)?.iter().filter(|step| step.verb() == Some(Verb::Rcpt)) {
            let Some(path) = path(step) else { continue };
            match step.number()? {
                200..300 => envelope.accepted.push(path),
                400..600 => envelope.refused.push(path),
                _ => {}
            }
        }
        Some(envelope)
    }

    pub(super) fn judge(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        self.refused_message(delivered, findings);
        self.copies(delivered, findings);
        self.refused_recipients(delivered, findings);
        self.sender(delivered, findings);
        self.recipients(delivered, findings);
        self.routes(delivered, findings);
        self.sender_domain(delivered, findings);
        self.disclosure(delivered, findings);
        self.header_recipients(delivered, findings);
    }

    /// RFC 5321 §4.2.5: a server does not deliver a message that it refused. In LMTP there is a reply for each recipient
    /// (RFC 2033 §4.2).
    fn refused_message(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let numbers: Vec<u16> = delivered.step.replies.iter().filter_map(Reply::number).collect();
        let refusal = |number: &u16| (400..600).contains(number);
        if delivered.step.exchange.pipelined || numbers.len() != *due(delivered.step).end() {
            return;
        }
        let deliveries = delivered.arrived.deliveries();
        let detail = match numbers.as_slice() {
            [first, rest @ ..] if refusal(first) && rest.iter().all(refusal) => {
                format!("{first} after the message, but {} arrived", counted(deliveries, "copy"))
            }
            numbers if delivered.protocol() == Protocol::Lmtp && numbers.len() == self.accepted.len() => {
                let all = || self.accepted.iter().zip(numbers);
                let is_taken =
                    |path: &str| all().any(|(other, number)| is_same(other, path) && !refusal(number));
                let refused = all()
                    .find(|(path, number)| refusal(number) && !is_taken(path) && delivered.count(path) > 0);
                let Some((path, number)) = refused else { return };
                format!("{number} for <{path}> after the message, but a copy arrived")
            }
            _ => return,
        };
        findings.add(RuleId::REFUSED_NOT_DELIVERED, detail);
    }

    /// More copies than recipients. In a mailbox, the recipient of a copy is not known.
    fn copies(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let wanted = |path: &str| self.accepted.iter().filter(|other| is_same(other, path)).count();
        let (deliveries, recipients) = (delivered.arrived.deliveries(), self.accepted.len());
        let detail = if delivered.arrived.by.is_mailbox() {
            if recipients == 0 || deliveries <= recipients {
                return;
            }
            format!("{} for {}", counted(deliveries, "copy"), counted(recipients, "recipient"))
        } else {
            let twice = self.accepted.iter().find(|path| delivered.count(path) > wanted(path));
            let Some(path) = twice else { return };
            format!("{} for <{path}>", counted(delivered.count(path), "copy"))
        };
        findings.add(RuleId::ONE_COPY_PER_RECIPIENT, detail);
    }

    /// RFC 5321 §4.2.1: after 4yz or 5yz to RCPT, the action did not occur.
    fn refused_recipients(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let is_accepted = |path: &str| self.accepted.iter().any(|other| is_same(other, path));
        let refused = self.refused.iter().find(|path| !is_accepted(path) && delivered.count(path) > 0);
        if let Some(path) = refused {
            let detail = format!("RCPT for <{path}> was refused, but a copy arrived");
            findings.add(RuleId::REFUSED_RECIPIENT_NOT_DELIVERED, detail);
        }
    }

    /// RFC 5321 §4.4, §4.5.5, §2.4: the address in MAIL becomes that of the next MAIL, or Return-Path.
    fn sender(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        for copy in &delivered.arrived.copies {
            let Some(arrived) = copy.sender.clone().or_else(|| return_path(delivered, copy)) else {
                continue;
            };
            if self.sender.is_empty() && !arrived.is_empty() {
                let detail = format!("the null sender arrived as <{arrived}>");
                findings.add(RuleId::NULL_SENDER_KEPT, detail);
            } else if differs_in_case(&self.sender, &arrived) {
                let is_own =
                    self.accepted.iter().any(|path| domain(path).eq_ignore_ascii_case(domain(&self.sender)));
                let detail = format!("the sender <{}> arrived as <{arrived}>", self.sender);
                findings.add_if(is_own, RuleId::LOCAL_PART_CASE_KEPT, "own-domain", detail);
                return;
            }
        }
    }

    /// RFC 5321 §2.4: servers preserve the case of local parts. The host of the mailbox may interpret it (§2.3.11).
    fn recipients(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let all = || delivered.arrived.copies.iter().flat_map(|copy| &copy.recipients);
        for path in self.accepted.iter().filter(|path| !all().any(|other| other == *path)) {
            if let Some(arrived) = all().find(|other| differs_in_case(path, other)) {
                let is_final = delivered.arrived.by == By::Lmtp;
                let detail = format!("the recipient <{path}> arrived as <{arrived}>");
                findings.add_if(is_final, RuleId::LOCAL_PART_CASE_KEPT, "own-domain", detail);
                return;
            }
        }
    }
}

/// Rules about what a server makes of addresses, and where it puts them.
impl Envelope {
    /// RFC 5321 §3.6.1, §4.1.1.3 and Appendix C: a server passes on neither a source route nor one of its own.
    fn routes(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let rule = RuleId::SOURCE_ROUTE_NOT_PASSED_ON;
        for copy in &delivered.arrived.copies {
            let sender = copy.sender.clone().or_else(|| return_path(delivered, copy));
            if !self.has_route && sender.as_deref().is_some_and(|path| route(path).is_some()) {
                let detail =
                    format!("the sender <{}> arrived as <{}>", self.sender, sender.unwrap_or_default());
                findings.add(rule, detail);
                return;
            }
            let routed = copy.recipients.iter().find_map(|path| Some((path, route(path)?)));
            if let Some((path, route)) = routed {
                let is_own = route.eq_ignore_ascii_case(domain(path));
                findings.add_if(!is_own, rule, "recipient", format!("the recipient arrived as <{path}>"));
                return;
            }
        }
    }

    /// RFC 5321 §5.1: a relay does not complete a domain. RFC 6409 §4.2: a submission server lets none pass incomplete,
    /// and refuses one of several labels rather than complete it.
    fn sender_domain(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let sent = domain(&self.sender);
        if sent.is_empty() || sent.starts_with('[') || !sent.is_ascii() {
            return;
        }
        let is_single = !sent.contains('.');
        let is_submission = delivered.protocol() == Protocol::Submission;
        for copy in &delivered.arrived.copies {
            let Some(path) = copy.sender.clone().or_else(|| return_path(delivered, copy)) else { continue };
            let arrived = domain(&path);
            let start = arrived.get(..sent.len()).unwrap_or_default();
            let more = arrived.get(sent.len()..).unwrap_or_default();
            let is_same = start.eq_ignore_ascii_case(sent);
            let is_completed = is_same && more.len() > 1 && more.starts_with('.');
            let is_incomplete = is_submission && is_single && is_same && more.is_empty();
            if is_incomplete || is_completed && !(is_submission && is_single) {
                let detail = format!("the sender <{}> arrived as <{path}>", self.sender);
                findings.add(RuleId::SENDER_DOMAIN_COMPLETED, detail);
                return;
            }
        }
    }

    /// RFC 5321 §7.2: a server writes neither Apparently-To nor all recipients into the header.
    fn disclosure(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let sent = delivered.sent();
        let has = |message: &super::Message<'_>, path: &str| {
            message.fields.iter().flatten().any(|field| contains(&field.unfolded(), path))
        };
        let first = self.accepted.first();
        let are_several = self.accepted.iter().any(|path| first.is_some_and(|first| !is_same(path, first)));
        let are_blind = are_several && !self.accepted.iter().any(|path| has(&sent, path));
        for copy in &delivered.arrived.copies {
            let arrived = delivered.read(copy);
            // Another rule judges Received.
            let names_all = |field: &&super::message::Field<'_>| {
                let text = field.unfolded();
                !field.is("Received") && self.accepted.iter().all(|path| contains(&text, path))
            };
            let detail = if sent.named("Apparently-To").next().is_none()
                && arrived.named("Apparently-To").next().is_some()
            {
                "an Apparently-To field was added".to_owned()
            } else if are_blind && let Some(field) = arrived.fields.iter().flatten().find(names_all) {
                format!("{} names all recipients", field.name().escape_ascii())
            } else {
                continue;
            };
            findings.add(RuleId::RECIPIENTS_NOT_DISCLOSED, detail);
            return;
        }
    }

    /// RFC 5321 Appendix C: the header does not decide who gets a message.
    fn header_recipients(&self, delivered: &Delivered<'_>, findings: &mut Findings) {
        let sent = delivered.sent();
        let is_named = |path: &str| {
            let names = ["To", "Cc", "Bcc"];
            names.iter().any(|name| sent.named(name).any(|field| contains(&field.unfolded(), path)))
        };
        let is_known = |path: &str| self.accepted.iter().chain(&self.refused).any(|one| is_same(one, path));
        let mut all = delivered.arrived.copies.iter().flat_map(|copy| &copy.recipients);
        if let Some(path) = all.find(|path| path.contains('@') && !is_known(path) && is_named(path)) {
            let detail = format!("a copy for <{path}>, which only the header names, arrived");
            findings.add(RuleId::HEADER_DOES_NOT_ROUTE, detail);
        }
    }
}

/// Returns the first domain of the source route of a path.
fn route(path: &str) -> Option<&str> {
    let (route, _) = path.strip_prefix('@')?.split_once(':')?;
    route.split(',').next()
}

/// Returns whether a text has an address, without regard to case, and not as a part of a longer one.
fn contains(text: &[u8], path: &str) -> bool {
    let is_separator = |letter: char| letter.is_whitespace() || "<>,;:()\"".contains(letter);
    String::from_utf8_lossy(text).split(is_separator).any(|word| is_same(word, path))
}

impl Delivered<'_> {
    /// Returns how many deliveries there were for a recipient.
    fn count(&self, path: &str) -> usize {
        let all = self.arrived.copies.iter().flat_map(|copy| &copy.recipients);
        all.filter(|other| is_same(other, path)).count()
    }
}

fn is_accepted(step: &Step<'_>) -> bool {
    step.number().is_some_and(|number| (200..300).contains(&number))
}

/// Returns the address in MAIL or RCPT, without a source route, which servers ignore (RFC 5321 Appendix F.2).
fn path(step: &Step<'_>) -> Option<String> {
    let path = String::from_utf8_lossy(step.command?.envelope()?.path()?).into_owned();
    match path.split_once(':') {
        Some((_, mailbox)) if path.starts_with('@') => Some(mailbox.to_owned()),
        _ => Some(path),
    }
}

/// Returns the address in the only Return-Path field.
fn return_path(delivered: &Delivered<'_>, copy: &crate::dialogue::arrival::Arrival) -> Option<String> {
    let message = delivered.read(copy);
    let mut fields = message.named("Return-Path");
    let value = fields.next()?.value();
    let path = value.strip_prefix(b"<").and_then(|value| value.strip_suffix(b">"))?;
    fields.next().is_none().then(|| String::from_utf8_lossy(path).into_owned())
}

fn domain(path: &str) -> &str {
    path.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Returns whether two addresses are the same but for the case of their local parts.
fn differs_in_case(one: &str, other: &str) -> bool {
    let local = |path: &str| path.rsplit_once('@').map(|(local, _)| local.to_owned());
    is_same(one, other) && local(one) != local(other)
}
