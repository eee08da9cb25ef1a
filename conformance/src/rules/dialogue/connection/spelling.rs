//! Whether a server takes another spelling of a mailbox for the same mailbox (RFC 5321 §2.4, §3.5.1, §4.1.2).

use crate::protocol::command::{Command, Envelope, Verb, is_mailbox};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Location;
use crate::rules::observation::Observation;

use super::{Connection, LocatedFindings};

/// Compares what is refused with what is accepted under the same circumstances, and reports each kind of difference once.
pub(super) fn judge(connection: &Connection<'_>, findings: &mut LocatedFindings) {
    let named: Vec<Named<'_>> = connection
        .observations()
        .filter(|(location, _)| location.reply == Some(0))
        .filter_map(|(location, observation)| Named::of(location, &observation))
        .collect();
    let mut reported = Vec::new();
    for refused in named.iter().filter(|named| named.is_refused()) {
        let alike = named.iter().filter(|other| other.is_accepted() && other.is_as(refused));
        let Some(difference) = alike.into_iter().find_map(|other| refused.difference(other)) else {
            continue;
        };
        if !reported.contains(&difference) {
            reported.push(difference);
            difference.report(refused, findings.at(refused.location));
        }
    }
}

/// A RCPT or VRFY of a mailbox.
struct Named<'a> {
    location: Location,
    verb: Verb,
    mailbox: &'a [u8],
    number: u16,
    tls: bool,
    authenticated: bool,
    /// The MAIL of the transaction.
    begun: Option<&'a [u8]>,
}

/// How the spelling of a mailbox differs from another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    DomainCase,
    Quoting,
    NoDomain,
}

impl<'a> Named<'a> {
    /// `None` if something other than the mailbox can be the reason of the reply.
    fn of(location: Location, observation: &Observation<'a>) -> Option<Named<'a>> {
        let command = observation.command.filter(Command::is_plain)?;
        let session = observation.session;
        let transaction = session.transaction.as_ref();
        let mailbox = match command.verb() {
            Verb::Rcpt => {
                transaction
                    .filter(|transaction| transaction.chunked.is_none() && !transaction.is_in_doubt())?;
                let envelope = command.envelope().filter(Envelope::is_well_formed)?;
                envelope.path().filter(|path| is_mailbox(path) && envelope.parameters().next().is_none())?
            }
            Verb::Vrfy => {
                let mut words = command.words();
                words.next().filter(|_| words.next().is_none())?
            }
            _ => return None,
        };
        let other =
            observation.says(&["too many", "duplicate", "already", "auth", "login", "helo", "ehlo", "tls"]);
        (observation.exchange.sure && !other).then_some(Named {
            location,
            verb: command.verb(),
            mailbox,
            number: observation.number()?,
            tls: session.tls,
            authenticated: session.authenticated,
            begun: transaction.map(|transaction| transaction.mail.as_slice()),
        })
    }

    fn is_accepted(&self) -> bool {
        matches!(self.number, 250 | 251)
    }

    fn is_refused(&self) -> bool {
        match self.verb {
            Verb::Vrfy => matches!(self.number, 501 | 550 | 551 | 553),
            _ => self.number >= 500 && !matches!(self.number, 503 | 521 | 530 | 552 | 555),
        }
    }

    fn is_as(&self, other: &Named<'_>) -> bool {
        (self.verb, self.tls, self.authenticated, self.begun)
            == (other.verb, other.tls, other.authenticated, other.begun)
    }

    fn difference(&self, other: &Named<'_>) -> Option<Difference> {
        let (local, domain) = split(other.mailbox)?;
        if self.verb == Verb::Vrfy {
            return (self.mailbox == local).then_some(Difference::NoDomain);
        }
        let (own_local, own_domain) = split(self.mailbox)?;
        if own_local == local && own_domain != domain && own_domain.eq_ignore_ascii_case(domain) {
            Some(Difference::DomainCase)
        } else if own_local != local && own_domain == domain && unquoted(own_local) == unquoted(local) {
            Some(Difference::Quoting)
        } else {
            None
        }
    }
}

impl Difference {
    fn report(self, refused: &Named<'_>, findings: &mut crate::rules::finding::Findings) {
        let number = refused.number;
        match self {
            Difference::DomainCase => {
                let detail = format!("{number} for the domain in the other letter case");
                findings.add(RuleId::DOMAIN_CASE_IGNORED, detail);
            }
            Difference::Quoting => {
                findings
                    .add(RuleId::QUOTING_IGNORED, format!("{number} for the local part in another quoting"));
            }
            Difference::NoDomain => {
                let detail = format!("{number} for the local part alone");
                findings.add_under(RuleId::VRFY_TRUTHFUL, "local-part", detail);
            }
        }
    }
}

/// Returns the local part and the domain of a mailbox.
fn split(mailbox: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = mailbox.iter().rposition(|octet| *octet == b'@')?;
    Some((mailbox.get(..at)?, mailbox.get(at + 1..)?))
}

/// Returns a local part without its quotes and backslashes.
fn unquoted(local: &[u8]) -> Vec<u8> {
    let Some(inner) = local.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return local.to_vec();
    };
    let mut octets = inner.iter();
    let mut plain = Vec::with_capacity(inner.len());
    while let Some(octet) = octets.next() {
        let octet = if *octet == b'\\' { octets.next().unwrap_or(octet) } else { octet };
        plain.push(*octet);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EHLO, GREETING, MAIL, table};
    use crate::readers::testing::{Row, Table};

    #[test]
    fn other_spellings_are_the_same_mailbox() {
        let good = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
        let refused = |path: &str, reply: &str| format!("C: RCPT TO:<{path}>\nS: {reply}");
        let domain = refused("amy@EXAMPLE.ORG", "550 5.7.1 No relaying");
        let quoted = refused("\"amy\"@example.org", "550 5.1.1 Who?");
        let escaped = refused("\"\\\\amy\"@example.org", "550 5.1.1 Who?");
        let malformed = refused("\"\\\\amy\"@example.org", "501 5.1.3 What?");
        let rows: &[Row<'_>] = &[
            (&[MAIL, good, &domain], "domain-case-ignored error at 4"),
            (&[MAIL, &domain], ""),
            (&[MAIL, good, "C: RCPT TO:<amy@EXAMPLE.org>", "S: 450 4.7.1 Later"], ""),
            (&[MAIL, good, "C: RCPT TO:<AMY@example.org>", "S: 550 5.1.1 Who?"], ""),
            (&[MAIL, good, &refused("amy@EXAMPLE.ORG", "550 5.5.0 Duplicate recipient")], ""),
            (&[MAIL, good, &quoted], "quoting-ignored error at 4"),
            (&[MAIL, good, &escaped, &quoted], "quoting-ignored error at 4"),
            // This is a finding of well-formed-path-accepted.
            (&[MAIL, good, &malformed], ""),
            (&[MAIL, good, &refused("\"a my\"@example.org", "550 5.1.1 Who?")], ""),
            (
                &["C: VRFY amy@example.org\nS: 250 <amy@example.org>", "C: VRFY amy", "S: 550 5.1.1 Who?"],
                "vrfy-truthful/local-part warning at 3",
            ),
            (&["C: VRFY amy@example.org\nS: 252 2.1.5 Perhaps", "C: VRFY amy", "S: 550 5.1.1 Who?"], ""),
            (&["C: VRFY amy@example.org\nS: 250 <amy@example.org>", "C: VRFY bob", "S: 550 5.1.1 Who?"], ""),
        ];
        let ours = |rule: &crate::rules::catalogue::Rule| {
            ["domain-case-ignored", "quoting-ignored", "vrfy-truthful"].contains(&rule.id)
        };
        Table { before: &[GREETING, EHLO], rules: ours, ..table() }.check(rows);
    }
}
