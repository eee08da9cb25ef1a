//! Rules about AUTH (RFC 4954).

use crate::counted::counted;
use crate::dialogue::Act;
use crate::dialogue::session::Session;
use crate::knowledge::{Policy, ends_in_wrong_password};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{Command, Verb, is_mailbox};
use crate::protocol::notation::{quoted, shown};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::{decode_base64, decode_xtext};
use super::refusal::{blames_parameter, differs, envelope, is_sound, promised};

/// Codes that blame the command, its syntax or its place, the mechanism, or the password. A refusal by policy has other
/// codes.
const PROTOCOL: [u16; 6] = [500, 501, 502, 504, 535, 555];
/// Codes that RFC 5321 defines only for mailboxes.
const MAILBOX: [u16; 4] = [551, 552, 553, 556];
/// The octets that fit in a command line.
const COMMAND_LENGTH: usize = 512;
/// The octets that were enough for a response to any mechanism when RFC 4954 was written (§4).
const RESPONSE_LENGTH: usize = 12288;
/// The failed attempts that a client should have on one connection (RFC 4954 §9).
const LEAST_ATTEMPTS: usize = 3;
/// Mechanisms that send the password as it is.
const PLAINTEXT: [&[u8]; 2] = [b"PLAIN", b"LOGIN"];
/// Words that give wrong credentials as the reason of a refusal.
const FAILED: [&str; 17] = [
    "authentication failed",
    "authentication failure",
    "authentication unsuccessful",
    "auth failed",
    "auth failure",
    "login failed",
    "login failure",
    "login incorrect",
    "logon failure",
    "credentials",
    "wrong password",
    "bad password",
    "invalid password",
    "incorrect password",
    "password incorrect",
    "password not accepted",
    "failed login",
];

/// Judges any reply, including those that are not about their command.
pub(super) fn judge_anywhere(observation: &Observation<'_>, findings: &mut Findings) {
    too_few_attempts(observation, findings);
}

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    match observation.verb() {
        Some(Verb::Ehlo) if observation.is(&[250]) => list(observation, findings),
        Some(Verb::Mail) => parameter(observation, findings),
        _ => {}
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
    if let Some(command) = command.filter(|command| command.verb() == Verb::Auth) {
        syntax(observation, &command, findings);
    }
    if let Some(attempt) = Attempt::read(observation) {
        success(observation, findings);
        unlisted(observation, &attempt, findings);
        plaintext(observation, &attempt, findings);
        mechanism(observation, &attempt, findings);
        cancelled(observation, &attempt, findings);
        initial_response(observation, &attempt, findings);
        empty_response(observation, &attempt, findings);
        base64(observation, &attempt, findings);
        length(observation, &attempt, findings);
        failure(observation, &attempt, findings);
        identity(observation, &attempt, findings);
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

    /// Returns the response, decoded. `None` if there is none or it is not base64.
    fn decoded(&self) -> Option<Vec<u8>> {
        decode_base64(self.response?)
    }

    /// Returns the authorization identity in a message of SASL PLAIN (RFC 4616 §2). What follows may be masked.
    fn identity(&self) -> Option<String> {
        let octets = self.decoded().filter(|_| self.is_for(&[b"PLAIN"]))?;
        let (identity, _) = octets.split_at(octets.iter().position(|octet| *octet == 0)?);
        String::from_utf8(identity.to_vec()).ok()
    }

    fn is_decoded(&self) -> bool {
        self.decoded().is_some()
    }

    fn is_for(&self, mechanisms: &[&[u8]]) -> bool {
        mechanisms.iter().any(|mechanism| self.mechanism.eq_ignore_ascii_case(mechanism))
    }

    /// Returns whether the response has a password that is certainly wrong, sent as it is.
    fn has_wrong_password(&self) -> bool {
        self.is_for(&PLAINTEXT) && self.decoded().is_some_and(|octets| ends_in_wrong_password(&octets))
    }

    /// Returns whether the response certainly follows the grammar of its mechanism. A response to LOGIN is a name or a
    /// password, so any octets do.
    fn is_grammatical(&self) -> bool {
        let Some(octets) = self.decoded() else { return false };
        self.is_for(&[b"PLAIN"]) && is_plain_message(&octets)
            || self.is_for(&[b"LOGIN"]) && !octets.is_empty()
    }

    /// Returns whether there is a response that is neither base64 nor `*` or `=` (RFC 4954 §4).
    fn is_garbled(&self) -> bool {
        self.response
            .is_some_and(|response| !matches!(response, b"*" | b"=") && decode_base64(response).is_none())
    }
}

/// Returns whether octets are a message of SASL PLAIN whose parts have at most 255 octets, which every server accepts
/// (RFC 4616 §2): optionally an identity, NUL, a name, NUL, a password.
fn is_plain_message(octets: &[u8]) -> bool {
    let parts: Vec<&[u8]> = octets.split(|octet| *octet == 0).collect();
    let [identity, name, password] = parts.as_slice() else { return false };
    identity.len() <= 255 && (1..=255).contains(&name.len()) && (1..=255).contains(&password.len())
}

/// Returns whether SASLprep refuses an authorization identity, or leaves nothing of it. Of what it refuses and removes,
/// only control characters and soft hyphens are looked for (RFC 4013 §2.1, §2.3).
fn is_unprepared(identity: &str) -> bool {
    const SOFT_HYPHEN: char = '\u{ad}';
    !identity.is_empty()
        && (identity.chars().any(char::is_control) || identity.chars().all(|letter| letter == SOFT_HYPHEN))
}

/// RFC 4954 §9: a client has three attempts before it is disconnected, and 421 disconnects it. Only the text shows that
/// failed attempts are the reason.
fn too_few_attempts(observation: &Observation<'_>, findings: &mut Findings) {
    const MANY: [&str; 2] = ["too many", "maximum"];
    if !observation.is(&[421]) {
        return;
    }
    let before = observation.session.failed_authentications;
    let attempt = observation.is_authentication();
    let failed = observation.says(&FAILED) || observation.has_detail(&[(7, 8)]);
    let many = observation.says(&MANY) && observation.says(&["auth", "login", "logon", "password"]);
    let attempts = before + usize::from(attempt);
    if (1..LEAST_ATTEMPTS).contains(&attempts) && (many || attempt && failed) {
        let detail = format!("421 after {}", counted(attempts, "failed attempt"));
        findings.add(RuleId::AUTH_THREE_ATTEMPTS, detail);
    }
}

/// RFC 4954 §3 (3): AUTH has a list of mechanisms. After a login none is available (§4).
fn list(observation: &Observation<'_>, findings: &mut Findings) {
    let offered = Capabilities::read(&observation.reply);
    let is_empty = offered.parameters("AUTH").is_some_and(|mut mechanisms| mechanisms.next().is_none());
    if is_empty && !observation.session.authenticated {
        findings.add(RuleId::AUTH_MECHANISMS_LISTED, "AUTH is listed without a mechanism");
    }
}

/// RFC 4954 §3 (3): the list has the mechanisms that are available.
fn unlisted(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let session = observation.session;
    let listed = is_offered(session, attempt.mechanism) || has_legacy_list(session);
    if observation.is(&[235]) && session.offers("AUTH") && !listed {
        let mechanism = shown(attempt.mechanism);
        findings.add(RuleId::AUTH_MECHANISMS_LISTED, format!("{mechanism} works, but is not listed"));
    }
}

/// RFC 4954 §4: no password travels in clear. A site may protect its sessions otherwise, which replies do not show, so
/// it declares the policy `cleartext`. A refusal before the server has judged the password may be what protects it.
fn plaintext(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let exposed = is_in_clear(observation)
        && attempt.is_for(&PLAINTEXT)
        && attempt.response.is_some_and(|response| !matches!(response, b"*" | b"="))
        && !observation.knowledge.has_policy(Policy::Cleartext);
    if exposed && observation.is(&[235, 535]) {
        let detail = format!("{} to AUTH {} without TLS", observation.codes(), shown(attempt.mechanism));
        findings.add(RuleId::AUTH_PLAINTEXT_NEEDS_TLS, detail);
    }
}

/// Returns whether the connection is certainly not under TLS. A recording may be of a connection that was under TLS from
/// the start without saying so, unless STARTTLS is offered or the port is known.
fn is_in_clear(observation: &Observation<'_>) -> bool {
    const SUBMISSIONS_PORT: u16 = 465;
    let session = observation.session;
    let port = observation.knowledge.port.or(session.port);
    !session.tls && (session.offers("STARTTLS") || port.is_some_and(|port| port != SUBMISSIONS_PORT))
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

/// RFC 4954 §4: the authentication fails if the authorization identity cannot be prepared, or nothing is left of it.
fn identity(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let unprepared = attempt.identity().filter(|identity| is_unprepared(identity));
    if let Some(identity) = unprepared.filter(|_| observation.is(&[235])) {
        let detail =
            format!("{} to the authorization identity {}", observation.codes(), quoted(identity.as_bytes()));
        findings.add(RuleId::AUTH_IDENTITY_PREPARED, detail);
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
    // A server may support a common mechanism without listing it.
    let taken = matches!(observation.digit(), Some(2 | 3)) && !is_common(attempt.mechanism);
    let mistaken = match observation.number() {
        // The response may be what is wrong.
        Some(501) => attempt.response.is_none(),
        Some(number) => [500, 502, 535, 555].contains(&number),
        None => false,
    };
    if taken || mistaken {
        findings.add(
            rule,
            format!("{} to AUTH {}, which is not offered", observation.codes(), shown(attempt.mechanism)),
        );
    } else if observation.is(&[504]) && differs(observation, &[(5, 4), (7, 4)]) {
        // The registry's row X.7.4, security features not supported, lists 504.
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

/// RFC 4954 §8: AUTH has a mechanism and at most one more word. RFC 5321 §4.3.2 has 501 for a syntax error.
fn syntax(observation: &Observation<'_>, command: &Command<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_SYNTAX_501;
    let what = match command.words().count() {
        0 => "no mechanism",
        1 | 2 => return,
        _ => "more than one word after the mechanism",
    };
    if !observation.session.offers("AUTH") || misplaced(observation.session).is_some() {
        return;
    }
    let detail = format!("{} to AUTH with {what}", observation.codes());
    let policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    if matches!(observation.digit(), Some(2 | 3)) {
        findings.add(rule, detail);
    } else if observation.is_refused() && !policy && !observation.is(&[500, 501, 504]) {
        findings.add_under(rule, "other-refusal", detail);
    }
}

/// RFC 4954 §4, §8: a lone equals sign is an initial response without octets. In these mechanisms the client speaks first
/// and the server never asks, so a challenge shows that the server took it for none. EXTERNAL permits an empty response.
fn empty_response(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let empty = attempt.initial && attempt.offered && attempt.response == Some(b"=");
    if !empty || !attempt.is_for(&[b"PLAIN", b"EXTERNAL"]) {
        return;
    }
    let external = attempt.is_for(&[b"EXTERNAL"]);
    let as_base64 = external && observation.is(&[501]) && observation.has_detail(&[(5, 2)]);
    if observation.digit() == Some(3) || as_base64 {
        let detail = format!("{} to a lone equals sign", observation.codes());
        findings.add(RuleId::AUTH_EMPTY_INITIAL_RESPONSE, detail);
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

/// RFC 4954 §4: a response that is too long gets 500 and 5.5.6, and none is too long that a listed mechanism can
/// generate. For PLAIN, RFC 4616 §2 gives the lengths. For mechanisms that send tokens there is only the remark that
/// 12288 octets suffice. AUTH itself is a command and has the length of one.
fn length(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    const TOKENS: [&[u8]; 6] = [b"EXTERNAL", b"GSSAPI", b"GSS-SPNEGO", b"NTLM", b"OAUTHBEARER", b"XOAUTH2"];
    let rule = RuleId::AUTH_LINE_LENGTH;
    let length = attempt.response.map_or(0, <[u8]>::len);
    let too_long = observation.has_detail(&[(5, 6)]);
    let detail = || format!("{} to a response of {length} octets", observation.codes());
    if observation.is_refused() && too_long && !observation.is(&[500]) {
        findings.add_under(rule, "reply-code", observation.codes());
    } else if attempt.initial || length <= COMMAND_LENGTH || !observation.is(&[500]) {
    } else if attempt.is_for(&[b"PLAIN"]) && attempt.is_grammatical() {
        findings.add(rule, detail());
    } else if attempt.is_for(&TOKENS) && length <= RESPONSE_LENGTH && attempt.is_decoded() {
        findings.add_under(rule, "token", detail());
    } else if differs(observation, &[(5, 6)]) {
        findings.add_under(rule, "enhanced-code", observation.codes());
    }
}

/// RFC 4954 §4, §6: wrong credentials get 535 and 5.7.8.
fn failure(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_FAILURE_535;
    if observation.is_accepted() {
        if attempt.has_wrong_password() {
            let detail = format!("{} to a wrong password", observation.codes());
            findings.add(RuleId::AUTH_WRONG_PASSWORD_REFUSED, detail);
        }
    } else if observation.is(&[535]) {
        if differs(observation, &PRECISE) {
            let security = promised(observation).is_some_and(|code| code.subject() == 7);
            findings.add_if(security, rule, "enhanced-code", observation.codes());
        }
    } else if let Some(why) = credentials_blamed(observation, attempt) {
        findings.add(rule, format!("{} to {why}", observation.codes()));
    }
}

/// Subjects and details that fit 535, or are more precise. The registry has some for a closed account and for a server
/// that is not trusted.
const PRECISE: [(u16, u16); 4] = [(7, 8), (7, 10), (7, 13), (7, 14)];

/// Returns what shows that a refusal without 535 is about the credentials: X.7.8, a code that RFC 5321 defines only for
/// mailboxes, or the text. They must also be the reason if nothing else can be: if the response is grammatical and the
/// code blames its form, or if the password is certainly wrong and no policy is given as the reason.
fn credentials_blamed(observation: &Observation<'_>, attempt: &Attempt<'_>) -> Option<&'static str> {
    // A mechanism that is too weak, a closed account, and missing encryption.
    const MORE_PRECISE: [u16; 5] = [523, 525, 530, 534, 538];
    let other = observation.is(&MORE_PRECISE)
        || observation.has_detail(&[(7, 9), (7, 10), (7, 11), (7, 13), (7, 14), (5, 6)])
        || observation.says(&["tls", "encrypt"]);
    if !observation.is_refused() || !attempt.is_decoded() || other {
        return None;
    }
    if observation.has_detail(&[(7, 8)]) || observation.is(&MAILBOX) || observation.says(&FAILED) {
        return Some("credentials");
    }
    // In clear, 504 may mean that the mechanism needs encryption (RFC 4954 §4).
    let encryption = observation.is(&[504]) && !observation.session.tls;
    let long = observation.exchange.act.length() > COMMAND_LENGTH;
    let form = observation.is(&[500, 501, 502, 504, 555]) && !encryption && !long;
    if form && attempt.offered && attempt.is_grammatical() {
        return Some("well-formed credentials");
    }
    let policy = observation.has_detail(&[(7, 1), (7, 2)]);
    let general = observation.is(&[550, 554]) && !policy;
    (general && attempt.has_wrong_password()).then_some("a wrong password")
}

/// RFC 4954 §6: no mechanism is offered that needs TLS first, and 538 is historical.
fn encryption(observation: &Observation<'_>, attempt: &Attempt<'_>, findings: &mut Findings) {
    let rule = RuleId::AUTH_WITHOUT_TLS_538;
    let listed = is_offered(observation.session, attempt.mechanism) && attempt.initial;
    let clear = listed && !observation.session.tls;
    let demanded = observation.is(&[523, 538]) || observation.has_detail(&[(7, 10), (7, 11)]);
    let detail = || format!("{} to AUTH {}", observation.codes(), shown(attempt.mechanism));
    if clear && demanded && observation.is_refused() {
        findings.add(rule, detail());
    } else if observation.is(&[538]) {
        findings.add_under(rule, "not-listed", detail());
    }
}

/// RFC 4954 §5: the AUTH parameter of MAIL is accepted. Its value is a mailbox or `<>`, as xtext (§8).
fn parameter(observation: &Observation<'_>, findings: &mut Findings) {
    let Some(envelope) = envelope(observation).filter(|envelope| is_sound(envelope, &["AUTH"])) else {
        return;
    };
    let decoded = envelope.value("AUTH").and_then(decode_xtext);
    let valid = decoded.is_some_and(|value| value == b"<>" || is_mailbox(&value));
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
    use crate::knowledge::{Knowledge, Policy};
    use crate::protocol::Protocol;
    use crate::readers::judge_transcript;
    use crate::readers::testing::{Row, Table};
    use crate::rules::reply::extension::testing::{check, offers, table};

    const CHALLENGE: &str = "C: AUTH PLAIN\nS: 334 ";
    const PASSWORD: &str = "C: AUTH PLAIN AGEAYg==";
    const LOGGED_IN: &str = "C: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 Ok";

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers("AUTH PLAIN CRAM-MD5");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    /// RFC 4954 §4, §8.
    #[test]
    fn the_form_of_auth() {
        let external = offers("AUTH PLAIN EXTERNAL");
        let rows: &[Row<'_>] = &[
            (&["C: AUTH", "S: 501 5.5.4 What?"], ""),
            (&["C: AUTH", "S: 504 5.5.4 What?"], ""),
            (&["C: AUTH", "S: 334 "], "auth-syntax-501 error"),
            (&["C: AUTH", "S: 550 5.5.4 What?"], "auth-syntax-501/other-refusal note"),
            (&["C: AUTH", "S: 550 5.7.1 No"], ""),
            (&["C: AUTH PLAIN AGE= AGE=", "S: 235 2.7.0 Ok"], "auth-syntax-501 error"),
            (&["C: AUTH PLAIN AGE= AGE=", "S: 501 5.5.4 What?"], ""),
            (&["C: AUTH PLAIN =", "S: 334 "], "auth-empty-initial-response error"),
            (&["C: AUTH PLAIN =", "S: 535 5.7.8 No"], ""),
            (&["C: AUTH PLAIN =", "S: 501 5.5.2 What?"], ""),
            (&["C: AUTH EXTERNAL =", "S: 501 5.5.2 What?"], "auth-empty-initial-response error"),
            (&["C: AUTH EXTERNAL =", "S: 535 5.7.8 No"], ""),
        ];
        check(Protocol::Smtp, &["S: 220 mx", "C: EHLO me", &external], rows);
        // An empty response has no password that anyone could read.
        let clear = offers("AUTH PLAIN\nSTARTTLS");
        let before = ["S: 220 mx", "C: EHLO me", &clear];
        check(Protocol::Smtp, &before, &[(&["C: AUTH PLAIN =", "S: 535 5.7.8 No"], "")]);
    }

    /// RFC 4954 §4: the identities are a soft hyphen, a name with BEL, a name, and a name with a soft hyphen.
    #[test]
    fn authorization_identities() {
        let rule = "auth-identity-prepared warning";
        run(&[
            (&["C: AUTH PLAIN wq0AYQBi", "S: 235 2.7.0 Ok"], rule),
            (&["C: AUTH PLAIN YQcAYQBi", "S: 235 2.7.0 Ok"], rule),
            (&[CHALLENGE, "C: YQcAYQBi\nS: 235 2.7.0 Ok"], rule),
            (&["C: AUTH PLAIN wq0AYQBi", "S: 535 5.7.8 No"], ""),
            (&["C: AUTH PLAIN YQBhAGI=", "S: 235 2.7.0 Ok"], ""),
            (&["C: AUTH PLAIN YcKtAGEAYg==", "S: 235 2.7.0 Ok"], ""),
            (&["C: AUTH PLAIN AGEAYg==", "S: 235 2.7.0 Ok"], ""),
        ]);
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
            (&["C: AUTH XNOSUCH", "S: 504 5.7.4 What?"], ""),
            (&["C: AUTH XNOSUCH", "S: 504 5.5.1 What?"], "auth-mechanism-504/enhanced-code warning"),
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
            (&["C: AUTH PLAIN", "S: 538 5.7.11 Encrypt"], "auth-without-tls-538 warning"),
            (&["C: AUTH PLAIN", "S: 523 5.7.10 Encrypt"], "auth-without-tls-538 warning"),
            (&["C: AUTH PLAIN", "S: 550 5.7.10 Encrypt"], "auth-without-tls-538 warning"),
            (&["C: AUTH LOGIN", "S: 538 5.7.11 Encrypt"], "auth-without-tls-538/not-listed note"),
            (&["C: AUTH LOGIN", "S: 504 5.5.4 Encrypt"], ""),
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
        let plain = |length: usize| {
            use base64::Engine as _;
            let message = format!("\0{}\0{}", "a".repeat(length), "b".repeat(length));
            format!("C: {}", base64::engine::general_purpose::STANDARD.encode(message))
        };
        let (fitting, oversized) = (plain(255), plain(256));
        let long = format!("C: {}", "AAAA".repeat(1000));
        let longer = format!("C: {}", "AAAA".repeat(5000));
        let token = "C: AUTH GSSAPI\nS: 334 ";
        let note = "auth-line-length/token note";
        run(&[
            (&[CHALLENGE, &fitting, "S: 500 5.5.6 Too long"], "auth-line-length error"),
            (&[CHALLENGE, &oversized, "S: 500 5.5.6 Too long"], ""),
            (&[CHALLENGE, &long, "S: 500 5.5.6 Too long"], ""),
            (&[token, &long, "S: 500 5.5.6 Too long"], note),
            (&[token, &longer, "S: 500 5.5.6 Too long"], ""),
            (&[CHALLENGE, &long, "S: 535 5.7.8 No"], ""),
            (&[CHALLENGE, &longer, "S: 500 5.5.6 Too long"], ""),
            (&[CHALLENGE, &longer, "S: 500 5.5.2 Too long"], "auth-line-length/enhanced-code warning"),
            (&[CHALLENGE, &longer, "S: 501 5.5.6 Too long"], "auth-line-length/reply-code warning"),
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
            (&[PASSWORD, "S: 550 5.7.1 Authentication failed"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 554 5.7.0 Invalid credentials"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 501 5.5.4 Bad"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 500 5.5.1 No"], "auth-failure-535 warning"),
            (&[PASSWORD, "S: 504 5.5.4 No"], ""),
            (&[PASSWORD, "S: 534 5.7.9 Too weak"], ""),
            (&["C: AUTH PLAIN eA==", "S: 501 5.5.4 Not a message of PLAIN"], ""),
            (&["C: AUTH LOGIN eA==", "S: 501 5.5.4 No"], ""),
            (&["C: AUTH CRAM-MD5\nS: 334 PDEyMz4=", "C: eA==", "S: 501 5.5.4 No"], ""),
            (
                &["C: AUTH CRAM-MD5\nS: 334 PDEyMz4=", "C: eA==", "S: 550 Login failed"],
                "auth-failure-535 warning",
            ),
            (&[PASSWORD, "S: 550 5.7.13 Closed"], "auth-registry-codes note"),
            (&[PASSWORD, "S: 454 4.3.0 Later"], "auth-enhanced-codes warning"),
            (&[PASSWORD, "S: 421 4.7.0 Bye"], ""),
        ]);
    }

    /// The passwords that the suite sends as wrong ones are known.
    #[test]
    fn wrong_passwords() {
        let wrong = "C: AUTH PLAIN AGFsaWNlAG5vdC10aGUtcGFzc3dvcmQ=";
        let masked = "C: AUTH PLAIN xxxxxxxxxG5vdC10aGUtcGFzc3dvcmQ=";
        let (accepted, refused) = ("auth-wrong-password-refused error", "auth-failure-535 warning");
        run(&[
            (&[wrong, "S: 235 2.7.0 Ok"], accepted),
            (&[CHALLENGE, "C: AGFsaWNlAG5vdC10aGUtcGFzc3dvcmQ=", "S: 235 2.7.0 Ok"], accepted),
            (&[masked, "S: 235 2.7.0 Ok"], accepted),
            (&[wrong, "S: 535 5.7.8 No"], ""),
            (&[wrong, "S: 550 5.7.0 No"], refused),
            (&[wrong, "S: 554 No"], refused),
            (&[wrong, "S: 550 5.7.1 Not from there"], ""),
            (&[wrong, "S: 550 5.7.0 Must issue a STARTTLS command first"], ""),
            (&[wrong, "S: 454 4.7.0 Later"], ""),
        ]);
        let ehlo = offers("AUTH LOGIN");
        let asked = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2U=\nS: 334 UGFzc3dvcmQ6";
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo, asked];
        check(
            Protocol::Smtp,
            &before,
            &[
                (&["C: bm90LXRoZS1wYXNzd29yZA==", "S: 235 2.7.0 Ok"], accepted),
                (&["C: bm90LXRoZS1wYXNzd29yZA==", "S: 501 5.5.4 No"], refused),
                (&["C: c2VjcmV0", "S: 235 2.7.0 Ok"], ""),
            ],
        );
    }

    #[test]
    fn attempts() {
        let failed = "C: AUTH PLAIN AGEAYg==\nS: 535 5.7.8 No";
        let rule = "auth-three-attempts warning";
        run(&[
            (&[PASSWORD, "S: 421 4.7.0 Login failed, bye"], rule),
            (&[failed, PASSWORD, "S: 421 4.7.0 Login failed, bye"], rule),
            (&[failed, "C: NOOP", "S: 421 4.7.0 Too many failed logins"], rule),
            (&[failed, failed, PASSWORD, "S: 421 4.7.0 Login failed, bye"], ""),
            (&[PASSWORD, "S: 421 4.3.0 Shutting down"], ""),
            (&["C: NOOP", "S: 421 4.7.0 Too many connections"], ""),
        ]);
    }

    #[test]
    fn lists() {
        let (none, rule) = ("S: 250-mx.example.org\nS: 250 AUTH", "auth-mechanisms-listed warning");
        let before = ["S: 220 mx.example.org", "C: EHLO me"];
        let login = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YQ==\nS: 334 UGFzc3dvcmQ6\nC: Yg==";
        check(
            Protocol::Smtp,
            &before,
            &[
                (&[none], rule),
                (&["S: 250-mx.example.org\nS: 250 AUTH PLAIN"], ""),
                (&[none, login, "S: 235 2.7.0 Ok"], rule),
                (&["S: 250 mx.example.org", login, "S: 235 2.7.0 Ok", "C: EHLO me", none], ""),
                (&["S: 250-mx.example.org\nS: 250 AUTH LOGIN", login, "S: 235 2.7.0 Ok"], ""),
                (&["S: 250-mx.example.org\nS: 250-AUTH\nS: 250 AUTH=LOGIN", login, "S: 235 2.7.0 Ok"], ""),
                (&["S: 250-mx.example.org\nS: 250 AUTH PLAIN", login, "S: 535 5.7.8 No"], ""),
            ],
        );
    }

    #[test]
    fn mechanisms_look_as_in_a_transcript() {
        let text = "S: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250 AUTH PLAIN\nC: AUTH O'HARA YQ==\n\
                    S: 235 2.7.0 Ok";
        let judgement = judge_transcript(Protocol::Smtp, text).expect("the transcript is well-formed");
        let details: Vec<&str> = judgement.findings.iter().map(|finding| finding.detail.as_str()).collect();
        assert!(details.contains(&"O'HARA works, but is not listed"), "{details:?}");
    }

    #[test]
    fn passwords_in_clear() {
        let rule = "auth-plaintext-needs-tls warning";
        let ehlo = offers("AUTH PLAIN LOGIN CRAM-MD5\nSTARTTLS");
        let before = ["S: 220 mx.example.org", "C: EHLO me", &ehlo];
        let tls =
            "C: STARTTLS\nS: 220 2.0.0 Go\n#: tls\nC: EHLO me\nS: 250-mx.example.org\nS: 250 AUTH PLAIN";
        let rows: &[Row<'_>] = &[
            (&[LOGGED_IN], rule),
            (&[PASSWORD, "S: 535 5.7.8 No"], rule),
            (&[CHALLENGE, "C: AGEAYg==", "S: 535 5.7.8 No"], rule),
            (&[CHALLENGE, "C: *", "S: 501 5.7.0 Cancelled"], ""),
            (&[CHALLENGE], ""),
            (&[PASSWORD, "S: 530 5.7.0 Must issue a STARTTLS command first"], ""),
            (&["C: AUTH CRAM-MD5\nS: 334 PDEyMz4=", "C: eA==", "S: 235 2.7.0 Ok"], ""),
            (&[tls, LOGGED_IN], ""),
        ];
        check(Protocol::Smtp, &before, rows);
        let knowledge = Knowledge { policies: vec![Policy::Cleartext], ..Knowledge::default() };
        Table { knowledge, ..table(&before) }.check(&[(&[LOGGED_IN], "")]);
        let plain = offers("AUTH PLAIN");
        let before = ["#: connected to port 587", "S: 220 mx.example.org", "C: EHLO me", &plain];
        check(Protocol::Submission, &before, &[(&[LOGGED_IN], rule)]);
        let before = ["#: connected to port 465", "S: 220 mx.example.org", "C: EHLO me", &plain];
        check(Protocol::Submission, &before, &[(&[LOGGED_IN], "")]);
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
            (&["C: MAIL FROM:<bob@example.org> AUTH=bob", "S: 501 5.5.4 Not a mailbox"], ""),
            (&["C: MAIL FROM:<bob@example.org> AUTH=", "S: 501 5.5.4 What?"], ""),
            (
                &["C: MAIL FROM:<bob@example.org> AUTH=a+2Bb@example.org", "S: 501 5.5.4 No"],
                "auth-parameter-accepted error",
            ),
            (&["C: MAIL FROM:<bob@example.org> AUTH=<> FOO=1", "S: 555 5.5.4 What?"], ""),
        ]);
    }
}
