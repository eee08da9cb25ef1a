//! The cases accept the suggested pairs: a reference server that sends them has no error and no warning.

use std::fmt::Write as _;
use std::time::Duration;

use smtp_conformance::case::{self, Safety};
use smtp_conformance::client::Timeouts;
use smtp_conformance::protocol::Protocol;
use smtp_conformance::reference::{Fault, Key, Options, Reference, Tls};
use smtp_conformance::run::{self, Plan};
use smtp_conformance::{Level, RuleId};
use smtp_enhanced_status::suggest::{Situation, Suggestion};

/// The replies of the reference server, the situation of each, and a text. The cases look at some texts, and RFCs demand
/// some. `{}` is a text that no case looks at.
const SUGGESTED: &[(Key, &str, &str)] = &[
    (Key::Greeting, "ready", "{domain} ESMTP"),
    (Key::HelloSyntax, "hello-syntax", "{}"),
    (Key::HelloUnknown, "ehlo-to-lmtp", "{}"),
    (Key::Mail, "sender-accepted", "{}"),
    (Key::MailPriorityChanged, "priority-changed", "{priority} is the priority"),
    (Key::MailBeforeHello, "mail-before-ehlo", "{}"),
    (Key::MailNested, "nested-mail", "{}"),
    (Key::MailSyntax, "sender-syntax", "{}"),
    (Key::MailPath, "sender-syntax", "{}"),
    (Key::MailDomain, "sender-domain-incomplete", "{}"),
    (Key::MailNonAscii, "sender-non-ascii", "{}"),
    (Key::MailParameterSyntax, "mail-parameter-value", "{}"),
    (Key::MailParameterUnknown, "mail-parameter-unknown", "{}"),
    (Key::SizeAboveLimit, "declared-size-too-big", "{}"),
    (Key::SizeValue, "mail-parameter-value", "{}"),
    (Key::BodyValue, "mail-parameter-value", "{}"),
    (Key::MailDsnValue, "mail-parameter-value", "{}"),
    (Key::MailAuthValue, "mail-parameter-value", "{}"),
    (Key::Utf8Value, "mail-parameter-value", "{}"),
    (Key::PriorityValue, "mail-parameter-value", "{}"),
    (Key::Solicitation, "solicitation-refused", "No SOLICIT={mailbox}"),
    (Key::Rcpt, "recipient-accepted", "{}"),
    (Key::RcptForwarded, "recipient-forwarded", "Now <moved@elsewhere.example>"),
    (Key::RcptBeforeMail, "rcpt-before-mail", "{}"),
    (Key::RcptSyntax, "recipient-syntax", "{}"),
    (Key::RcptPath, "recipient-syntax", "{}"),
    (Key::RcptDomain, "recipient-domain-incomplete", "{}"),
    (Key::RcptNonAscii, "recipient-non-ascii", "{}"),
    (Key::RcptParameterSyntax, "rcpt-parameter-value", "{}"),
    (Key::RcptParameterUnknown, "rcpt-parameter-unknown", "{}"),
    (Key::RcptDsnValue, "rcpt-parameter-value", "{}"),
    (Key::RrvsValue, "rcpt-parameter-value", "{}"),
    (Key::OwnerChanged, "mailbox-owner-changed", "{}"),
    (Key::RcptUnknown, "unknown-user", "{}"),
    (Key::RcptFull, "mailbox-full", "{}"),
    (Key::RelayDenied, "relay-denied", "{}"),
    (Key::TooManyRecipients, "too-many-recipients", "{}"),
    (Key::Data, "data-accepted", "{}"),
    (Key::DataArgument, "superfluous-argument", "{}"),
    (Key::DataBeforeMail, "no-valid-recipients", "{}"),
    (Key::DataNoRecipient, "no-valid-recipients", "{}"),
    (Key::DataAfterBdat, "data-after-bdat", "{}"),
    (Key::DataBinarymime, "data-with-binarymime", "{}"),
    (Key::Message, "message-accepted", "{}"),
    (Key::MessageTooBig, "message-too-big", "{}"),
    (Key::MessageLineEnds, "content-malformed", "{}"),
    (Key::MessageLoop, "loop-detected", "{}"),
    (Key::MessageSpam, "content-refused", "{}"),
    (Key::Bdat, "chunk-accepted", "{}"),
    (Key::BdatLast, "message-accepted", "{}"),
    (Key::BdatSyntax, "bdat-syntax", "{}"),
    (Key::BdatBeforeMail, "bdat-without-recipients", "{}"),
    (Key::BdatNoRecipient, "bdat-without-recipients", "{}"),
    (Key::BdatAfterLast, "bdat-after-last", "{}"),
    (Key::BdatTooBig, "message-too-big", "{}"),
    (Key::Rset, "reset", "{}"),
    (Key::RsetArgument, "superfluous-argument", "{}"),
    (Key::Noop, "noop", "{}"),
    (Key::NoopArgument, "noop", "{}"),
    (Key::Quit, "quit", "{domain} closes the connection"),
    (Key::QuitArgument, "superfluous-argument", "{}"),
    (Key::Vrfy, "vrfy-verified", "<{mailbox}>"),
    (Key::VrfyLocal, "vrfy-verified", "<{mailbox}>"),
    (Key::VrfyForwarded, "vrfy-forwarded", "Now <moved@elsewhere.example>"),
    (Key::VrfyForeign, "vrfy-unverifiable", "{}"),
    (Key::VrfyUnknown, "vrfy-unknown", "{}"),
    (Key::VrfyUtf8, "vrfy-needs-utf8", "{}"),
    (Key::Expn, "expn-expanded", "<alice@example.org>"),
    (Key::ExpnUnknown, "expn-unknown", "{}"),
    (Key::Help, "help-sent", "{}"),
    (Key::HelpUnknown, "help-unknown", "{}"),
    (Key::Etrn, "etrn-started", "{}"),
    (Key::EtrnForeign, "etrn-forbidden", "{}"),
    (Key::EtrnSyntax, "etrn-syntax", "{}"),
    (Key::Starttls, "starttls-ready", "{}"),
    (Key::StarttlsArgument, "starttls-argument", "{}"),
    (Key::StarttlsActive, "starttls-active", "{}"),
    (Key::StarttlsBeforeHello, "bad-sequence", "{}"),
    (Key::TlsRequired, "tls-required", "{}"),
    (Key::AuthRequired, "auth-required", "{}"),
    (Key::AuthSuccess, "auth-succeeded", "{}"),
    (Key::AuthFailure, "auth-failed", "{}"),
    (Key::AuthSyntax, "auth-syntax", "{}"),
    (Key::AuthMechanismUnknown, "auth-mechanism-unknown", "{}"),
    (Key::AuthCancelled, "auth-cancelled", "{}"),
    (Key::AuthInitialResponse, "auth-initial-response", "{}"),
    (Key::AuthBase64, "auth-base64", "{}"),
    (Key::AuthLineTooLong, "auth-line-too-long", "{}"),
    (Key::AuthTwice, "auth-twice", "{}"),
    (Key::AuthInTransaction, "auth-in-transaction", "{}"),
    (Key::AuthBeforeHello, "bad-sequence", "{}"),
    (Key::UnknownCommand, "unknown-command", "{}"),
    (Key::UnknownPrivateCommand, "unknown-command", "{}"),
    (Key::NotImplemented, "not-implemented", "{}"),
    (Key::LineTooLong, "line-too-long", "{}"),
    (Key::Idle, "idle-timeout", "{domain} closes the connection"),
    (Key::Shutdown, "shutting-down", "{domain} closes the connection"),
];

/// Returns a variation of the reference server that sends what `choose` takes from each situation.
fn variation(choose: impl Fn(&Situation) -> Suggestion) -> &'static Fault {
    let mut text =
        "[[variation]]\nname = \"suggested\"\nabout = \"sends suggested pairs\"\n[variation.replies]\n"
            .to_owned();
    for (key, id, words) in SUGGESTED {
        let situation = Situation::from_id(id).unwrap_or_else(|| panic!("there is no situation {id}"));
        let words = if *words == "{}" { "Words" } else { words };
        let reply = choose(situation).reply(words).to_string();
        let _ = writeln!(text, "{} = {:?}", key.name(), reply);
    }
    let variation = Fault::read("suggested", &text).expect("it follows the form").remove(0);
    // The server needs it to the end of the program.
    Box::leak(Box::new(variation))
}

/// Fails if a run against this server has an error or a warning.
async fn assert_accepted(protocol: Protocol, tls: Tls, variation: &'static Fault) {
    let options = Options { protocol, tls, faults: vec![variation], ..Options::default() };
    let server = Reference::start(options).await.expect("the reference server starts");
    let mut target = server.target();
    target.knowledge.sender = Some("sender@elsewhere.example".to_owned());
    let plan = Plan {
        allowed: vec![Safety::Auth, Safety::Delivers, Safety::Intrusive, Safety::Floods],
        timeouts: Timeouts {
            reply: Duration::from_secs(1),
            connection: Duration::from_secs(20),
            ..Timeouts::default()
        },
        parallel: 16,
        ..Plan::default()
    };
    let cases = case::built_in().expect("the cases follow the form");
    let outcome = run::run(&target, &cases, &plan).await.expect("TLS can be set up");
    let findings = outcome.judgement.findings.iter().filter(|finding| finding.level >= Level::Warning);
    let wrong: Vec<(RuleId, &str, &str)> = findings
        .map(|finding| (finding.rule, outcome.case_of(finding.location), finding.detail.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{protocol:?} {tls:?}: {wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_accept_the_pairs_to_send() {
    let best = variation(|situation| situation.best);
    for (protocol, tls) in
        [(Protocol::Smtp, Tls::StartTls), (Protocol::Submission, Tls::StartTls), (Protocol::Lmtp, Tls::None)]
    {
        assert_accepted(protocol, tls, best).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_accept_the_other_right_pairs() {
    for (rank, protocol) in [(0, Protocol::Smtp), (0, Protocol::Submission), (1, Protocol::Smtp)] {
        let other = variation(|situation| *situation.alternatives.get(rank).unwrap_or(&situation.best));
        assert_accepted(protocol, Tls::StartTls, other).await;
    }
}
