//! Rules about AUTH (RFC 4954).

use crate::dialogue::Act;
use crate::dialogue::session::Session;
use crate::protocol::command::{Command, Verb};
use crate::protocol::notation::quoted;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::{Xtext, decode_base64, xtext};
use super::refusal::{blames_parameter, differs, envelope, has_only, promised};

/// Codes that blame the command, its syntax or its place, the mechanism, or the password. A refusal by policy has other
/// codes.
const PROTOCOL: [u16; 6] = [500, 501, 502, 504, 535, 555];
/// Codes that RFC 5321 defines only for mailboxes.
const MAILBOX: [u16; 4] = [551, 552, 553, 556];
/// The octets that fit in a command line.
const COMMAND_LENGTH: usize = 512;
/// The octets that a server is expected to accept in a response (RFC 4954 §4).
const RESPONSE_LENGTH: usize = 12288;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.verb() == Some(Verb::Mail) {
        parameter(observation, findings);
    }
    if !observation.is_authentication() {
        return;
    }
    challenge(observation, findings);
    enhanced(observation, findings);
    registry(observation, findings);
    let command = observation.command.filter(Command::is_plain);
    let whole = command.filter(|command| (1..=2).contains(&command.words().count()));
    if let (Some(command), Some(rule)) = (whole, misplaced(observation.session)) {
        return out_of_place(observation, &command, rule, findings);
    }
    if let Some(attempt) = Attempt::read(observation) {
        success(observation, findings);
        mechanism(observation, &attempt, findings);
        cancelled(observation, &attempt, findings);
        initial_response(observation, &attempt, findings);
        base64(observation, &attempt, findings);
        length(observation, &attempt, findings);
        failure(observation, &attempt, findings);
        encryption(observation, &attempt, findings);
    }
}

/// An AUTH command after AUTH was offered, or a response to a challenge.
struct Attempt<'a> {
    mechanism: &'a [u8],
    /// Whether EHLO offers the mechanism, or the server has continued with it.
    offered: bool,
    /// The response, or the initial response.
    response: Option<&'a [u8]>,
    /// Whether it is an AUTH command, whose response is the initial one.
    initial: bool,
}

impl<'a> Attempt<'a> {
    fn read(observation: &Observation<'a>) -> Option<Attempt<'a>> {
        let session = observation.session;
        match &observation.exchange.act {
            Act::Response(octets) => {
                let response = octets.strip_suffix(b"\r\n")?;
                // QUIT is valid base64, too. A server that answers 221 has read it as the command.
                if response.eq_ignore_ascii_case(b"QUIT") && observation.is(&[221]) {
                    return None;
                }
                let plain = response.iter().all(|octet| matches!(octet, b' '..=b'~'));
                let mechanism = session.authenticating.as_deref().filter(|_| plain)?;
                Some(Attempt {
                    mechanism,
                    offered: true,
                    response: Some(response.trim_ascii()),
                    initial: false,
                })
            }
            Act::Command(octets) => {
                let command = Command::read(octets);
                let mut words = command.words();
                let mechanism = words.next()?;
                let response = words.next();
                let whole = words.next().is_none() && command.is_plain() && session.offers("AUTH");
                let offered = is_offered(session, mechanism);
                whole.then_some(Attempt { mechanism, offered, response, initial: true })
            }
            _ => None,
        }
    }

    /// Returns whether there is a response and it is base64.
    fn is_decoded(&self) -> bool {
        self.response.is_some_and(|response| decode_base64(response).is_some())
    }

    /// Returns whether there is a response that is neither base64 nor `*` or `=` (RFC 4954 §4).
    fn is_garbled(&self) -> bool {
        self.response
            .is_some_and(|response| !matches!(response, b"*" | b"=") && decode_base64(response).is_none())
    }
}

/// RFC 4954 §4: the text of 334 is only base64.
fn challenge(observation: &Observation<'_>, findings: &mut Findings) {
    if !observation.is(&[334]) {
        return;
    }
    let rule = RuleId::AUTH_CHALLENGE_BASE64;
    let mut lines = observation.reply.lines();
    match (lines.next(), lines.next()) {
        (Some(line), None) if line.separator().is_none() => {
            findings.add_under(rule, "bare-334", "no space after 334");
        }
        (Some(line), None) if decode_base64(line.text()).is_some() => {}
        (Some(line), None) => {
            let shown = &line.text()[..line.text().len().min(20)];
            findings.add(rule, format!("not base64: {}", quoted(shown)));
        }
        _ => findings.add(rule, "more than one line"),
    }
}

/// RFC 4954 §6: the enhanced status codes for AUTH. Other rules judge 535 and 500.
fn enhanced(observation: &Observation<'_>, findings: &mut Findings) {
    const OWN: [(u16, (u16, u16)); 5] =
        [(235, (7, 0)), (432, (7, 12)), (454, (7, 0)), (534, (7, 9)), (538, (7, 11))];
    let own = OWN.iter().find(|(number, _)| observation.is(&[*number]));
    if own.is_some_and(|(_, code)| differs(observation, &[*code])) {
        findings.add(RuleId::AUTH_ENHANCED_CODES, observation.codes());
    }
}

/// RFC 5248 §2.4: 523 5.7.10 and 525 5.7.13. RFC 4954 uses 535 for a closed account.
fn registry(observation: &Observation<'_>, findings: &mut Findings) {
    let encryption = observation.has_detail(&[(7, 10)]) && !observation.is(&[523]);
    let account = observation.has_detail(&[(7, 13)]) && !observation.is(&[525, 535]);
    if observation.is_refused() && (encryption || account) {
        findings.add(RuleId::AUTH_REGISTRY_CODES, observation.codes());
    }
    // With an enhanced status code, a rule about the registry reports it.
    if observation.is(&[422, 524]) && observation.enhanced().is_none() {
        findings.add(RuleId::AUTH_REGISTRY_CODES, format!("{} is not defined anywhere", observation.codes()));
    }
}

/// Returns the rule that a server breaks if it accepts AUTH in this state (RFC 4954 §4).
fn misplaced(session: &Session) -> Option<RuleId> {
    match &session.transaction {
        _ if session.authenticated => Some(RuleId::AUTH_TWICE_503),
        Some(transaction) if !transaction.is_in_doubt() => Some(RuleId::AUTH_IN_TRANSACTION_503),
        _ => None,
    }
}

/// RFC 4954 §4: 503, whatever else is wrong, although a server may report something else first.
fn out_of_place(observation: &Observation<'_>, command: &Command<'_>, rule: RuleId, findings: &mut Findings) {
    let session = observation.session;
    let mut words = command.words();
    let mechanism = words.next().is_some_and(|mechanism| is_offered(session, mechanism));
    let response = words.next().is_none_or(|response| decode_base64(response).is_some());
    let only_place = mechanism && response && observation.is(&PROTOCOL);
    if only_place || matches!(observation.digit(), Some(2 | 3)) {
        findings.add(rule, observation.codes());
    }
}

/// RFC 4954 §4: success is 235, without data from the mechanism.
fn success(observation: &Observation<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_SUCCESS_235;
    if !observation.is_accepted() {
        return;
    }
    if !observation.is(&[235]) {
        return findings.add(rule, format!("{} to AUTH", observation.codes()));
    }
    // The final data of DIGEST-MD5 and SCRAM.
    let is_data = |word: &[u8]| {
        let decoded = decode_base64(word).unwrap_or_default();
        decoded.starts_with(b"rspauth=") || (decoded.starts_with(b"v=") && decoded.len() > 20)
    };
    let mut words = observation.reply.lines().flat_map(|line| line.text().split(|octet| *octet == b' '));
    if words.any(is_data) {
        findings.add(rule, "235 with data from the mechanism");
    }
}

/// RFC 4954 §4: 504 for an unsupported mechanism. 534, 538 and 523 say why a mechanism cannot be used.
fn mechanism(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_MECHANISM_504;
    if attempt.offered || !is_mechanism(attempt.mechanism) || has_legacy_list(observation.session) {
        return;
    }
    let shown = attempt.mechanism.escape_ascii();
    // A server may support a common mechanism without listing it.
    let taken = matches!(observation.digit(), Some(2 | 3)) && !is_common(attempt.mechanism);
    let mistaken = match observation.number() {
        // The response may be what is wrong.
        Some(501) => attempt.response.is_none(),
        Some(number) => [500, 502, 535, 555].contains(&number),
        None => false,
    };
    if taken || mistaken {
        findings.add(rule, format!("{} to AUTH {shown}, which is not offered", observation.codes()));
    } else if observation.is(&[504]) && differs(observation, &[(5, 4)]) {
        findings.add_under(rule, "enhanced-code", observation.codes());
    }
}

/// RFC 4954 §4: `*` gets 501.
fn cancelled(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let cancelled = attempt.response == Some(b"*") && !attempt.initial;
    if cancelled && matches!(observation.digit(), Some(2 | 3 | 5)) && !observation.is(&[501]) {
        findings.add(RuleId::AUTH_CANCEL_501, format!("{} to *", observation.codes()));
    }
}

/// RFC 4954 §4: an initial response gets 501 if the mechanism has the server speak first.
fn initial_response(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    // RFC 2195 §2, RFC 2222 §7.1. DIGEST-MD5 lets a returning client speak first.
    const SERVER_FIRST: [&str; 2] = ["CRAM-MD5", "KERBEROS_V4"];
    let rule = RuleId::AUTH_INITIAL_RESPONSE_501;
    let server_first =
        SERVER_FIRST.iter().any(|name| attempt.mechanism.eq_ignore_ascii_case(name.as_bytes()));
    if !attempt.initial || !attempt.offered || !server_first || !attempt.is_decoded() {
        return;
    }
    if observation.is(&[501]) {
        if differs(observation, &[(7, 0)]) {
            findings.add_under(rule, "enhanced-code", observation.codes());
        }
    } else if matches!(observation.digit(), Some(2 | 3))
        || observation.is(&PROTOCOL)
        || observation.is(&MAILBOX)
    {
        findings.add(rule, format!("{} to an initial response", observation.codes()));
    }
}

/// RFC 4954 §4: a response that is not base64 gets 501.
fn base64(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_BASE64_501;
    if !attempt.offered || !attempt.is_garbled() {
        return;
    }
    let long = observation.exchange.act.length() > COMMAND_LENGTH && observation.is(&[500]);
    if observation.is(&[501]) {
        if differs(observation, &[(5, 2)]) {
            findings.add_under(rule, "enhanced-code", observation.codes());
        }
    } else if matches!(observation.digit(), Some(2 | 3)) || (observation.is(&PROTOCOL) && !long) {
        let response = attempt.response.unwrap_or_default();
        let shown = &response[..response.len().min(20)];
        findings.add(rule, format!("{} to {}", observation.codes(), quoted(shown)));
    }
}

/// RFC 4954 §4: a response that is too long gets 500 and 5.5.6, and 12288 octets are not too long. AUTH itself is a
/// command and has the length of one.
fn length(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_LINE_LENGTH;
    let length = attempt.response.map_or(0, <[u8]>::len);
    let too_long = observation.has_detail(&[(5, 6)]);
    if observation.is_refused() && too_long && !observation.is(&[500]) {
        findings.add(rule, observation.codes());
    } else if attempt.initial || length <= COMMAND_LENGTH || !observation.is(&[500]) {
    } else if length <= RESPONSE_LENGTH && attempt.is_decoded() {
        findings.add(rule, format!("{} to a response of {length} octets", observation.codes()));
    } else if differs(observation, &[(5, 6)]) {
        findings.add_under(rule, "enhanced-code", observation.codes());
    }
}

/// RFC 4954 §4, §6: wrong credentials get 535 and 5.7.8. They are the reason if the reply has 535, X.7.8, or a code
/// that RFC 5321 defines only for mailboxes.
fn failure(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    // The registry has more precise codes for a closed account and for a server that is not trusted.
    const PRECISE: [(u16, u16); 4] = [(7, 8), (7, 10), (7, 13), (7, 14)];
    let rule = RuleId::AUTH_FAILURE_535;
    if observation.is(&[535]) {
        if differs(observation, &PRECISE) {
            let security = promised(observation).is_some_and(|code| code.subject() == 7);
            findings.add_if(security, rule, "enhanced-code", observation.codes());
        }
        return;
    }
    let credentials = observation.has_detail(&[(7, 8)]) || observation.is(&MAILBOX);
    if observation.is_refused() && attempt.is_decoded() && credentials {
        findings.add(rule, format!("{} to credentials", observation.codes()));
    }
}

/// RFC 4954 §6: no 538, and no mechanism is offered that needs TLS first.
fn encryption(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let clear = attempt.offered && attempt.initial && !observation.session.tls;
    let shown = observation.is(&[523]) || observation.has_detail(&[(7, 10), (7, 11)]);
    if observation.is(&[538]) || (clear && shown && observation.is_refused()) {
        let shown = attempt.mechanism.escape_ascii();
        findings.add(RuleId::AUTH_WITHOUT_TLS_538, format!("{} to AUTH {shown}", observation.codes()));
    }
}

/// RFC 4954 §5: the AUTH parameter of MAIL is accepted.
fn parameter(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation).filter(|envelope| has_only(envelope, &["AUTH"])) else {
        return;
    };
    let valid = envelope.value("AUTH").is_some_and(|value| !value.is_empty() && xtext(value) == Xtext::Valid);
    let blamed = valid && !envelope.repeats("AUTH") && blames_parameter(observation);
    if blamed && observation.session.offers("AUTH") {
        findings
            .add(RuleId::AUTH_PARAMETER_ACCEPTED, format!("{} to the AUTH parameter", observation.codes()));
    }
}

/// Returns whether EHLO offers a mechanism.
fn is_offered(session: &Session, mechanism: &[u8]) -> bool {
    let name = str::from_utf8(mechanism).unwrap_or_default();
    session.offered.as_ref().is_some_and(|offered| offered.has_mechanism(name))
}

/// Returns whether EHLO has the line `AUTH=` of old servers, which may list other mechanisms.
fn has_legacy_list(session: &Session) -> bool {
    let legacy = |keyword: &str| keyword.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("AUTH="));
    session.offered.as_ref().is_some_and(|offered| offered.keywords().any(legacy))
}

/// Returns whether octets are a `sasl-mech` (RFC 4422 §3.1) in any letter case.
fn is_mechanism(octets: &[u8]) -> bool {
    let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    (1..=20).contains(&octets.len()) && octets.iter().all(allowed)
}

/// Returns whether some server supports a mechanism: the registered ones and those of vendors.
fn is_common(mechanism: &[u8]) -> bool {
    const NAMES: [&str; 16] = [
        "ANONYMOUS",
        "CRAM-MD5",
        "DIGEST-MD5",
        "EXTERNAL",
        "GSSAPI",
        "GSS-SPNEGO",
        "KERBEROS_V4",
        "LOGIN",
        "NTLM",
        "OAUTHBEARER",
        "OTP",
        "PLAIN",
        "SECURID",
        "SKEY",
        "XOAUTH",
        "XOAUTH2",
    ];
    const FAMILIES: [&str; 7] = ["9798-", "ECDSA-", "EAP-", "GS2-", "SAML", "SCRAM-", "X-"];
    let name = mechanism.to_ascii_uppercase();
    NAMES.iter().any(|known| name == known.as_bytes())
        || FAMILIES.iter().any(|family| name.starts_with(family.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const CHALLENGE: &str = "C: AUTH PLAIN\nS: 334 ";
    const PASSWORD: &str = "C: AUTH PLAIN AGEAYg==";
    const LOGGED_IN: &str = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers("AUTH PLAIN CRAM-MD5");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn auth_out_of_place() {
        let mail = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
        run(&[
            (&[LOGGED_IN, PASSWORD, "S: 503 5.5.1 Already"], ""),
            (&[LOGGED_IN, LOGGED_IN], "auth-twice-503 error"),
            (&[LOGGED_IN, CHALLENGE], "auth-twice-503 error"),
            (&[LOGGED_IN, PASSWORD, "S: 501 5.5.1 Already"], "auth-twice-503 error"),
            (&[LOGGED_IN, "C: AUTH PLAIN !", "S: 501 5.5.2 What?"], ""),
            (&[LOGGED_IN, "C: AUTH FOO", "S: 504 5.5.4 What?"], ""),
            (&[LOGGED_IN, PASSWORD, "S: 550 5.7.1 No"], ""),
            (&[mail, PASSWORD, "S: 503 5.5.1 No"], ""),
            (&[mail, LOGGED_IN], "auth-in-transaction-503 error"),
            (&[mail, PASSWORD, "S: 535 5.7.8 No"], "auth-in-transaction-503 error"),
            (&[mail, PASSWORD, "S: 454 4.7.0 Later"], ""),
            (&[mail, "C: RSET", "S: 250 2.0.0 Ok", LOGGED_IN], ""),
        ]);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &["S: 220 mx", "C: EHLO me", &plain],
            &[(&[PASSWORD, "S: 502 5.5.1 No"], ""), (&[PASSWORD, "S: 503 5.5.1 No"], "")],
        );
    }

    #[test]
    fn mechanisms() {
        run(&[
            (&["C: AUTH XNOSUCH", "S: 504 5.5.4 What?"], ""),
            (&["C: AUTH XNOSUCH", "S: 504 5.7.4 What?"], "auth-mechanism-504/enhanced-code warning"),
            (&["C: AUTH XNOSUCH", "S: 535 5.7.8 What?"], "auth-mechanism-504 error"),
            (&["C: AUTH XNOSUCH", "S: 501 5.5.4 What?"], "auth-mechanism-504 error"),
            (&["C: AUTH XNOSUCH", "S: 334 "], "auth-mechanism-504 error"),
            (&["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6"], ""),
            (&["C: AUTH XNOSUCH", "S: 250 2.0.0 Ok"], "auth-mechanism-504 error"),
            (&["C: AUTH XNOSUCH eA=", "S: 501 5.5.2 What?"], ""),
            (&["C: AUTH XNOSUCH", "S: 534 5.7.9 No"], ""),
            (&["C: AUTH XNOSUCH", "S: 454 4.7.0 No"], ""),
            (&["C: AUTH =", "S: 501 5.5.4 What?"], ""),
            (&["C: AUTH", "S: 501 5.5.4 What?"], ""),
            (&["C: AUTH CRAM-MD5 eA==", "S: 501 5.7.0 No"], ""),
            (
                &["C: AUTH CRAM-MD5 eA==", "S: 501 5.5.2 No"],
                "auth-initial-response-501/enhanced-code warning",
            ),
            (&["C: AUTH CRAM-MD5 eA==", "S: 334 PDEyMz4="], "auth-initial-response-501 error"),
            (
                &["C: AUTH CRAM-MD5 abcd", "S: 553 Initial data not expected"],
                "auth-initial-response-501 error",
            ),
            (&["C: AUTH CRAM-MD5 abcd", "S: 550 5.7.1 Not from there"], ""),
            (&["C: AUTH CRAM-MD5", "S: 334 PDEyMz4="], ""),
            (&["C: AUTH PLAIN", "S: 538 5.7.11 Encrypt"], "auth-without-tls-538 note"),
            (&["C: AUTH PLAIN", "S: 523 5.7.10 Encrypt"], "auth-without-tls-538 note"),
            (
                &["C: AUTH PLAIN", "S: 550 5.7.10 Encrypt"],
                "auth-without-tls-538 note, auth-registry-codes note",
            ),
        ]);
    }

    #[test]
    fn responses() {
        run(&[
            (&[CHALLENGE, "C: *", "S: 501 5.7.0 Cancelled"], ""),
            (&[CHALLENGE, "C: QUIT", "S: 221 2.0.0 Bye"], ""),
            (&[CHALLENGE, "C: QUIT", "S: 250 2.0.0 Ok"], "auth-success-235 error"),
            (&[CHALLENGE, "C: *", "S: 535 5.7.8 Cancelled"], "auth-cancel-501 error"),
            (&[CHALLENGE, "C: *", "S: 500 5.5.2 What?"], "auth-cancel-501 error"),
            (&[CHALLENGE, "C: !!!!", "S: 501 5.5.2 No"], ""),
            (&[CHALLENGE, "C: !!!!", "S: 501 5.5.4 No"], "auth-base64-501/enhanced-code warning"),
            (&[CHALLENGE, "C: !!!!", "S: 535 5.7.8 No"], "auth-base64-501 error"),
            (&[CHALLENGE, "C: !!!!", "S: 334 "], "auth-base64-501 error"),
            (&["C: AUTH PLAIN !!!!", "S: 250 2.0.0 Ok"], "auth-base64-501 error"),
            (&[CHALLENGE, "C: !!!!", "S: 454 4.7.0 No"], ""),
            (&[CHALLENGE, "C: ", "S: 535 5.7.8 No"], ""),
            (&[CHALLENGE, "C: =", "S: 535 5.7.8 No"], ""),
            (&[CHALLENGE, "C: AAA=BBB", "S: 535 5.7.8 No"], "auth-base64-501 error"),
            (&["C: AUTH PLAIN eA", "S: 504 5.5.4 No"], "auth-base64-501 error"),
            (&["C: AUTH LOGIN eA", "S: 504 5.5.4 No"], ""),
        ]);
        let long = format!("C: {}", "AAAA".repeat(1000));
        let longer = format!("C: {}", "AAAA".repeat(5000));
        run(&[
            (&[CHALLENGE, &long, "S: 500 5.5.6 Too long"], "auth-line-length warning"),
            (&[CHALLENGE, &long, "S: 535 5.7.8 No"], ""),
            (&[CHALLENGE, &longer, "S: 500 5.5.6 Too long"], ""),
            (&[CHALLENGE, &longer, "S: 500 5.5.2 Too long"], "auth-line-length/enhanced-code warning"),
            (&[CHALLENGE, &longer, "S: 501 5.5.6 Too long"], "auth-line-length warning"),
            (&[CHALLENGE, &longer, "S: 535 5.7.8 No"], ""),
        ]);
    }

    #[test]
    fn outcomes() {
        run(&[
            (&[CHALLENGE], ""),
            (&["C: AUTH PLAIN", "S: 334"], "auth-challenge-base64/bare-334 warning"),
            (&["C: AUTH PLAIN", "S: 334  "], "auth-challenge-base64 error"),
            (&["C: AUTH PLAIN", "S: 334 Go on"], "auth-challenge-base64 error"),
            (&["C: AUTH PLAIN", "S: 334 2.7.0 eA=="], "auth-challenge-base64 error"),
            (&["C: AUTH PLAIN", "S: 334-eA==\nS: 334 eA=="], "auth-challenge-base64 error"),
            (&[LOGGED_IN], ""),
            (&[PASSWORD, "S: 235 2.0.0 Ok"], "auth-enhanced-codes warning"),
            (&[PASSWORD, "S: 250 2.7.0 Ok"], "auth-success-235 error"),
            (&[PASSWORD, "S: 235 2.7.0 cnNwYXV0aD0wMDAw"], "auth-success-235 error"),
            (&[PASSWORD, "S: 535 5.7.8 No"], ""),
            (&[PASSWORD, "S: 535 5.7.3 No"], "auth-failure-535/enhanced-code note"),
            (&[PASSWORD, "S: 535 5.5.4 No"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 535 5.7.13 Closed"], ""),
            (&[PASSWORD, "S: 550 5.7.8 No"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 553 5.1.1 Who?"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 550 5.7.1 Not from there"], ""),
            (&[PASSWORD, "S: 550 5.7.13 Closed"], "auth-registry-codes note"),
            (&[PASSWORD, "S: 454 4.3.0 Later"], "auth-enhanced-codes warning"),
            (&[PASSWORD, "S: 421 4.7.0 Bye"], ""),
        ]);
    }

    #[test]
    fn parameter_of_mail() {
        let auth = "C: MAIL FROM:<bob@example.org> AUTH=<>";
        run(&[
            (&[auth, "S: 250 2.1.0 Ok"], ""),
            (&[auth, "S: 555 5.5.4 What?"], "auth-parameter-accepted error"),
            (&[auth, "S: 501 5.5.4 What?"], "auth-parameter-accepted error"),
            (&[auth, "S: 501 5.1.7 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org> AUTH=a+ZZ", "S: 501 5.5.4 What?"], ""),
            (&["C: MAIL FROM:<bob@example.org> AUTH=<> FOO=1", "S: 555 5.5.4 What?"], ""),
        ]);
    }
}
