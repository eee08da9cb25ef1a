//! What the library says of replies, held against judgements by hand.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use proptest::prelude::*;
use smtp_enhanced_status::explain::{
    Category, Certainty, CodePlace, Evidence, Explanation, ListAction, Question, Retry, Stage, Vendor,
    explain,
};
use smtp_enhanced_status::{Class, EnhancedStatusCode, Pairing, entries, judge, reply_codes};

/// Recorded replies of vendors: host, category, reply.
const VENDOR_REPLIES: &str = include_str!("explain/vendor-replies.tsv");

fn vendor_replies() -> impl Iterator<Item = [&'static str; 3]> {
    VENDOR_REPLIES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut cells = line.splitn(3, '\t');
        [(); 3].map(|()| cells.next().expect("three cells"))
    })
}

#[test]
fn vendors_are_understood() {
    let mut wrong = Vec::new();
    for [host, category, reply] in vendor_replies() {
        let answer = Question::new(reply.as_bytes()).from_host(host).explain();
        if answer.category().id() != category {
            wrong.push(format!("{host}: {reply}: {category}, not {}", line(&answer)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_address_is_removed_for_something_else() {
    for [host, category, reply] in vendor_replies() {
        let category = Category::from_id(category).expect("a category");
        for question in [Question::new(reply.as_bytes()), Question::new(reply.as_bytes()).from_host(host)] {
            let answer = question.explain();
            let is_about_recipient = category.matter().as_str().starts_with("recipient-");
            assert!(is_about_recipient || answer.list() != ListAction::Remove, "{reply}: {}", line(&answer));
        }
    }
}

/// The answers to everything that the data files have, read by eye. With `SMTP_TEST_BLESS=1` the file is written anew.
#[test]
fn the_answers_are_the_ones_that_were_read() {
    let mut text = String::from(
        "# The answers to codes, pairs and recorded replies: category, retry, list, evidence, certainty.\n",
    );
    let mut add = |reply: &str, host: &str| {
        let mut question = Question::new(reply.as_bytes());
        if !host.is_empty() {
            question = question.from_host(host);
        }
        let _ = writeln!(
            text,
            "{reply}{}{host}\t{}",
            if host.is_empty() { "" } else { " from " },
            line(&question.explain())
        );
    };
    for entry in entries() {
        for class in [Class::Transient, Class::Permanent] {
            add(&entry.status.with_class(class).to_string(), "");
        }
    }
    for code in 400..600 {
        add(&code.to_string(), "");
    }
    for entry in entries() {
        for code in reply_codes().iter().map(|entry| entry.code) {
            let Some(class @ (Class::Transient | Class::Permanent)) = code.class() else { continue };
            let enhanced = entry.status.with_class(class);
            let reply = format!("{code} {enhanced}");
            if judge(code, enhanced) == Pairing::Listed
                || explain(reply.as_bytes()).evidence() == Evidence::Pair
            {
                add(&reply, "");
            }
        }
    }
    for [host, _, reply] in vendor_replies() {
        add(reply, "");
        add(reply, host);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("explain/answers.tsv");
    if env::var_os("SMTP_TEST_BLESS").is_some() {
        fs::write(&file, &text).expect("the file can be written");
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<&str> =
        text.lines().filter(|line| !known.lines().any(|known| known == *line)).take(20).collect();
    assert!(
        known == text,
        "{} differs; if the answers are right, write it with SMTP_TEST_BLESS=1:\n{}",
        file.display(),
        changed.join("\n")
    );
}

fn line(answer: &Explanation) -> String {
    let retry = answer.retry().map_or("-", Retry::as_str);
    let (category, list) = (answer.category(), answer.list());
    format!("{category}\t{retry}\t{list}\t{}\t{}", answer.evidence(), answer.certainty())
}

#[test]
fn quoted_replies_decide() {
    let gmail = "host gmail-smtp-in.l.google.com[192.0.2.1] said: 550-5.1.1 The account that you tried to reach does \
                 not exist. Please try 550-5.1.1 double-checking the address 550 5.1.1 \
                 https://support.google.com/mail/?p=NoSuchUser a1-2b.3 - gsmtp (in reply to RCPT TO command)";
    let answer = explain(gmail.as_bytes());
    assert_eq!(answer.category(), Category::NoSuchRecipient);
    assert_eq!((answer.stage(), answer.list()), (Some(Stage::Rcpt), ListAction::Remove));
    assert_eq!(answer.vendor().map(Vendor::id), Some("google"));

    // Postfix tries again, because it makes a refusal at the connection temporary.
    let answer =
        explain(b"4.0.0 host mx.example.net[192.0.2.1] refused to talk to me: 554 5.7.1 Blocked by our list");
    assert_eq!((answer.category(), answer.stage()), (Category::BadReputation, Some(Stage::Connect)));
    assert_eq!((answer.retry(), answer.list()), (Some(Retry::LaterAndFix), ListAction::Keep));

    // Exim names the command, and the reply comes on the next line.
    let exim = b"SMTP error from remote mail server after RCPT TO:<a@example.net>:\n550 5.1.1 No such user";
    assert_eq!(explain(exim).stage(), Some(Stage::Rcpt));
    assert_eq!(explain(exim).category(), Category::NoSuchRecipient);

    // The quoted reply is about the sender's address.
    let sender = b"450 4.1.7 <a@example.org>: Sender address rejected: undeliverable address: host \
                   mx.example.org[192.0.2.1] said: 550 5.1.1 No such user (in reply to RCPT TO command)";
    let answer = explain(sender);
    assert_eq!((answer.category(), answer.outer()), (Category::SenderIdentity, None));
    assert_eq!(answer.list(), ListAction::Keep);
}

#[test]
fn replies_without_a_useful_code_are_read() {
    for (reply, category, evidence) in [
        ("550 No such user here", Category::NoSuchRecipient, Evidence::Text),
        ("550 sorry, no mailbox here by that name", Category::NoSuchRecipient, Evidence::Text),
        ("554 5.7.1 <a@example.net>: Relay access denied", Category::RelayDenied, Evidence::Text),
        ("451 4.7.1 Greylisting in action", Category::Greylisted, Evidence::EnhancedCode),
        ("550 5.7.1 SPF check failed", Category::SenderUnauthenticated, Evidence::Text),
        ("450 4.7.3 Organization queue quota exceeded", Category::RateLimited, Evidence::Text),
        ("421 Too many connections", Category::RateLimited, Evidence::Text),
        ("554 Message contains a virus", Category::Malware, Evidence::Text),
        ("552 Requested mail action aborted", Category::MailboxFull, Evidence::ReplyCode),
        ("550 Requested action not taken", Category::Unknown, Evidence::ReplyCode),
        ("530 Authentication required", Category::Login, Evidence::Text),
        ("354 Go on", Category::Accepted, Evidence::FirstDigit),
        ("599 What", Category::Unknown, Evidence::FirstDigit),
        ("5.7.999 What", Category::Policy, Evidence::Subject),
        ("441 What", Category::Unreachable, Evidence::WithoutDots),
        ("hello", Category::Unknown, Evidence::Nothing),
        ("", Category::Unknown, Evidence::Nothing),
    ] {
        let answer = explain(reply.as_bytes());
        assert_eq!((answer.category(), answer.evidence()), (category, evidence), "{reply}");
    }
}

#[test]
fn a_misplaced_code_is_found_and_named() {
    for (reply, place) in [
        ("550 5.1.1 No", CodePlace::Start),
        ("550 No (#5.1.1)", CodePlace::Marked),
        ("550 #5.1.1 No", CodePlace::Marked),
        ("550 cuda_nsu 5.1.1 No", CodePlace::AfterTag),
        ("550 No such user: 5.1.1", CodePlace::End),
    ] {
        let answer = explain(reply.as_bytes());
        assert_eq!(answer.place(), Some(place), "{reply}");
        assert_eq!(answer.category(), Category::NoSuchRecipient, "{reply}");
    }
    assert_eq!(explain(b"550 4.1.1 No").pairing(), Some(Pairing::ClassMismatch));
    assert_eq!(explain(b"550 4.1.1 No").certainty(), Certainty::Guess);
}

#[test]
fn a_log_says_whether_the_server_tries_again() {
    let (never, later, fix) = (Some(Retry::Never), Some(Retry::Later), Some(Retry::LaterAndFix));
    for (line, category, retry) in [
        (
            "A1: to=<a@example.net>, relay=local, dsn=5.1.1, status=bounced (unknown user: \"a\")",
            "no-such-recipient",
            never,
        ),
        (
            "A1: to=<a@example.net>, delay=00:00:00, mailer=local, dsn=5.1.1, stat=User unknown",
            "no-such-recipient",
            never,
        ),
        ("status=bounced (unknown user: \"a\")", "no-such-recipient", never),
        (
            "2026-11-29 05:00:00 1abc23-000000-00 ** a@example.net: Unrouteable address",
            "no-such-recipient",
            never,
        ),
        (
            "1abc23-000000-00 == a@example.net R=dnslookup defer (-1): host lookup did not complete",
            "unknown",
            None,
        ),
        ("dsn=4.4.3, status=deferred (Name service error for name=example.net)", "unreachable", later),
        (
            "dsn=4.7.1, status=deferred (host mx.example.net[192.0.2.1] said: 554 5.7.1 Spam source)",
            "bad-reputation",
            fix,
        ),
        (
            "1abc23 == a@example.net defer (-45): SMTP error from remote mail server: 554 Spam source",
            "bad-reputation",
            fix,
        ),
        ("dsn=2.0.0, status=sent (250 2.0.0 ok)", "accepted", None),
    ] {
        let answer = explain(line.as_bytes());
        assert_eq!((answer.category().id(), answer.retry()), (category, retry), "{line}");
    }
}

#[test]
fn an_undefined_code_says_less_than_the_reply_code() {
    for (reply, category) in [
        ("535 5.0.0 No", Category::Login),
        ("452 4.0.0 No", Category::ReceiverFault),
        ("550 5.0.0 No", Category::Unknown),
        ("535 4.0.0 No", Category::Unknown),
    ] {
        assert_eq!(explain(reply.as_bytes()).category(), category, "{reply}");
    }
}

#[test]
fn codes_about_the_recipient_yield_to_words_about_the_sender() {
    for (host, reply, category) in [
        ("mx.example.net", "550 5.1.6 Your IP is on our blacklist", Category::BadReputation),
        ("mx.example.net", "550 5.2.1 DMARC policy", Category::SenderUnauthenticated),
        ("mx.example.net", "550 5.7.17 Rate limit exceeded", Category::RateLimited),
        ("mx.olc.protection.outlook.com", "550 5.5.0 Rejected as spam", Category::SpamContent),
        ("mx.olc.protection.outlook.com", "550 5.5.0 Mailbox unavailable", Category::NoSuchRecipient),
        ("x.mail.protection.outlook.com", "550 5.4.1 Your IP is on our blacklist", Category::BadReputation),
    ] {
        let answer = Question::new(reply.as_bytes()).from_host(host).explain();
        assert_eq!(answer.category(), category, "{host}: {reply}");
        assert_eq!(
            answer.list() == ListAction::Remove,
            category == Category::NoSuchRecipient,
            "{host}: {reply}"
        );
    }
}

#[test]
fn one_unsure_mark_does_not_make_a_vendor() {
    let answer = explain(b"554 5.7.1 Access denied");
    assert_eq!(answer.vendor().map(Vendor::id), None);
}

#[test]
fn a_code_that_is_not_registered_shows_the_vendor() {
    for reply in [
        "550 5.7.708 Service unavailable",
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
    ] {
        let answer = explain(reply.as_bytes());
        assert_eq!(answer.category(), Category::BadReputation, "{reply}");
        assert_eq!(answer.certainty(), Certainty::Likely, "{reply}");
        assert_eq!(answer.vendor().map(Vendor::id), Some("microsoft-365"), "{reply}");
        assert!(!answer.is_vendor_sure(), "{reply}");
    }
    let answer =
        explain(b"#550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required");
    assert_eq!(answer.category(), Category::RecipientRefuses);
    // A vendor has it, but means a registered code by the registry's row.
    assert_eq!(explain(b"550 5.7.24 No").vendor().map(Vendor::id), None);
    assert_eq!(explain(b"550 5.9.999 No").vendor().map(Vendor::id), None);
}

#[test]
fn a_host_that_contradicts_a_mark_makes_the_answer_less_sure() {
    let google = "550 5.7.27 SPF did not pass - gsmtp";
    for (host, reply, category, certainty) in [
        ("mx.l.google.com", google, Category::SenderUnauthenticated, Certainty::Sure),
        ("mx.example.net", google, Category::SenderUnauthenticated, Certainty::Likely),
        ("mx.l.google.com", "421 4.7.0 [TSS04] Deferred", Category::RateLimited, Certainty::Likely),
        ("mx.example.net", "421 4.7.0 [TSS04] Deferred", Category::RateLimited, Certainty::Likely),
        ("mx.yahoodns.net", "421 4.7.0 [TSS04] Deferred", Category::RateLimited, Certainty::Sure),
        // Anybody may quote a list.
        ("mx.example.net", "554 5.7.1 see zen.spamhaus.org", Category::BadReputation, Certainty::Sure),
    ] {
        let answer = Question::new(reply.as_bytes()).from_host(host).explain();
        assert_eq!((answer.category(), answer.certainty()), (category, certainty), "{host}: {reply}");
    }
    let answer = Question::new(b"550 5.5.0 LPN007_416 gone").from_host("mx.example.net").explain();
    assert_eq!((answer.is_vendor_sure(), answer.list()), (false, ListAction::Pause));
}

proptest! {
    /// Hostile input gives some answer, and never takes an address off a list without evidence about the recipient.
    #[test]
    fn any_octets_are_explained(octets in proptest::collection::vec(any::<u8>(), 0..4000)) {
        let answer = explain(&octets);
        prop_assert!(
            answer.list() != ListAction::Remove
                || answer.category().matter().as_str().starts_with("recipient-")
        );
    }

    #[test]
    fn line_ends_do_not_matter(index in 0..usize::MAX, at in 0..usize::MAX) {
        let replies: Vec<[&str; 3]> = vendor_replies().collect();
        let [host, _, reply] = replies[index % replies.len()];
        // Only replies with both codes at their places can be continued on another line.
        let mut words = reply.split(' ');
        let (Some(code), Some(enhanced)) = (words.next(), words.next()) else { return Ok(()) };
        if code.len() != 3 || enhanced.parse::<EnhancedStatusCode>().is_err() {
            return Ok(());
        }
        let words: Vec<&str> = words.collect();
        if words.is_empty() {
            return Ok(());
        }
        let (first, last) = words.split_at(at % words.len());
        let lines = |end: &str| {
            format!("{code}-{enhanced} {}{end}{code} {enhanced} {}{end}", first.join(" "), last.join(" "))
        };
        let whole = line(&Question::new(reply.as_bytes()).from_host(host).explain());
        for end in ["\r\n", "\n", " "] {
            let lines = lines(end);
            prop_assert_eq!(&line(&Question::new(lines.as_bytes()).from_host(host).explain()), &whole, "{}", lines);
        }
    }
}
