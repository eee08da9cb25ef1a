//! Rules about NO-SOLICITING (RFC 3865).

use crate::protocol::command::Verb;
use crate::protocol::reply::Line;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::refusal::{blames_parameter, has_parameter, is_about_mail};

/// RFC 3865 §2.4: the text of a refusal has the SOLICIT parameter with the classes that matched. Only the text shows that
/// they are the reason. The codes are free: 550 and 5.7.1 are usual.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 4] = ["solicit", "advert", "commercial", "marketing"];
    let asked = is_about_mail(observation)
        && has_parameter(observation, "SOLICIT")
        && observation.session.offers("NO-SOLICITING");
    let refused = observation.is_turned_down() && !blames_parameter(observation);
    if !asked || !refused || !observation.says(&WORDS) {
        return;
    }
    declared(observation, findings);
    let rule = RuleId::NO_SOLICITING_550;
    let named = named_classes(observation);
    let sent = sent_classes(observation);
    if !observation.says(&["solicit="]) {
        findings.add(rule, format!("{} without SOLICIT= in its text", observation.codes()));
    } else if !named.iter().any(|class| sent.contains(class)) {
        findings.add(rule, format!("{} without a class that the client named", observation.codes()));
    }
}

/// RFC 3865 §2.3: the classes for which mail is refused are declared in the EHLO reply or in those to RCPT. Before RCPT, only
/// the former can be.
fn declared(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() != Some(Verb::Mail) {
        return;
    }
    let offered = observation.session.offered.as_ref();
    let mut listed = offered.and_then(|offered| offered.parameters("NO-SOLICITING")).into_iter().flatten();
    let listed = listed.next().unwrap_or_default().to_ascii_lowercase();
    let is_listed = |class: &Vec<u8>| listed.split(',').any(|one| one.as_bytes() == class.as_slice());
    let (named, sent) = (named_classes(observation), sent_classes(observation));
    let matching: Vec<&Vec<u8>> = named.iter().filter(|class| sent.contains(class)).collect();
    if !matching.is_empty() && !matching.into_iter().any(is_listed) {
        let detail = format!("{} for classes that EHLO does not list", observation.codes());
        findings.add(RuleId::NO_SOLICITING_DECLARED, detail);
    }
}

/// Returns the classes after SOLICIT= in the text of a reply, in lower case.
fn named_classes(observation: &Observation<'_>) -> Vec<Vec<u8>> {
    const KEYWORD: &[u8] = b"solicit=";
    let lower = |line: Line<'_>| line.text().to_ascii_lowercase();
    let mut classes = Vec::new();
    for text in observation.reply.lines().map(lower) {
        let start = text.windows(KEYWORD.len()).position(|octets| octets == KEYWORD);
        let Some(rest) = start.and_then(|start| text.get(start + KEYWORD.len()..)) else { continue };
        let list = rest.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let is_of_class = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_:".contains(octet);
        classes.extend(list.split(|octet| !is_of_class(octet)).map(<[u8]>::to_vec));
    }
    classes
}

/// Returns the classes that MAIL has in SOLICIT, in lower case.
fn sent_classes(observation: &Observation<'_>) -> Vec<Vec<u8>> {
    let own = observation.command.and_then(|command| command.envelope()?.value("SOLICIT"));
    let begun = observation.session.transaction.as_deref();
    let earlier = begun.and_then(|begun| begun.command().envelope()?.value("SOLICIT"));
    let list = own.or(earlier).unwrap_or_default().to_ascii_lowercase();
    list.split(|octet| *octet == b',').filter(|class| !class.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org> SOLICIT=a:b,org.example:ADV\nS: 250 2.1.0 Ok";

    #[test]
    fn refusals() {
        let ehlo = offers("NO-SOLICITING org.example:ADV");
        let solicit = "C: MAIL FROM:<bob@example.org> SOLICIT=org.example:ADV";
        let rows: &[Row<'_>] = &[
            (&[solicit, "S: 550 5.7.1 SOLICIT=org.example:ADV"], ""),
            (&[solicit, "S: 554 5.7.1 SOLICIT=org.example:ADV"], ""),
            (&[solicit, "S: 552 5.3.4 SOLICIT=org.example:ADV too big for its class"], ""),
            (&[solicit, "S: 550 5.7.1 No advertising here"], "no-soliciting-550 warning"),
            (&[solicit, "S: 550 5.7.1 SOLICIT=net.example:ADULT"], "no-soliciting-550 warning"),
            (&[solicit, "S: 550 5.7.1 (SOLICIT=net.example:ADULT,org.example:adv)"], ""),
            (&[MAIL, "C: RCPT TO:<amy@example.org>", "S: 550 5.7.1 SOLICIT=org.example:ADV"], ""),
            (&[solicit, "S: 450 4.7.1 No solicitations now"], "no-soliciting-550 warning"),
            (&[solicit, "S: 555 5.5.4 What is SOLICIT?"], ""),
            (&[solicit, "S: 554 5.7.1 Not you"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        let rule = "no-soliciting-declared warning";
        for (list, expected) in [
            ("NO-SOLICITING", rule),
            ("NO-SOLICITING net.example:ADULT", rule),
            ("NO-SOLICITING b,ORG.example:adv", ""),
        ] {
            let ehlo = offers(list);
            let refusal = "S: 550 5.7.1 SOLICIT=org.example:ADV";
            let rows: &[Row<'_>] =
                &[(&[solicit, refusal], expected), (&[MAIL, "C: RCPT TO:<amy@example.org>", refusal], "")];
            check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
        }
    }
}
