//! Bounces in the forms of the servers that write them, with names and texts of their own.

use super::{mentions, read};
use crate::dsn::Name;

/// A bounce with the parts that most servers write.
fn bounce(text: &str, fields: &str) -> String {
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.test>\n\
         Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"b 1\"\n\n\
         This is a MIME-encapsulated message.\n\n\
         --b 1\nContent-Type: text/plain\n\n{text}\n\
         --b 1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.test\n\n{fields}\n\
         --b 1\nContent-Type: message/rfc822\n\nSubject: Hello\n\n\
         <v@victim.test>: host mx.victim.test said: 550 5.1.1 No\n\
         Final-Recipient: rfc822; v@victim.test\nDiagnostic-Code: smtp; 550 5.1.1 No\n\n\
         --b 1--\n"
    )
}

/// Returns a line for each reply: its recipient, direction, stage, host, line and text.
fn told(message: &str) -> Vec<String> {
    let Some(report) = read(message.as_bytes()) else { return vec!["not a bounce".to_owned()] };
    let tell = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let all = mentions(&report).zip(&report.replies);
    all.map(|(mention, reply)| {
        format!(
            "{} {} {} {} {}: {}",
            tell(&reply.recipient),
            mention.direction.as_str(),
            mention.stage.map_or("-", |stage| stage.as_str()),
            tell(mention.host.unwrap_or(b"-")),
            reply.line,
            tell(&mention.reply).replace('\n', " / ")
        )
    })
    .collect()
}

#[test]
fn a_reply_in_the_text_and_in_the_fields_is_one() {
    let postfix = bounce(
        "I'm sorry to have to inform you.\n\n<a@b.test>: host\n    mx.b.test[192.0.2.1] said: 550-5.1.1 No such\n    \
         mailbox 550 5.1.1\n    here (in reply to RCPT TO command)\n",
        "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.test\n\
         Diagnostic-Code: smtp; 550-5.1.1 No such mailbox\n    550 5.1.1 here\n",
    );
    let told_of_postfix = "a@b.test received rcpt mx.b.test 26: 550-5.1.1 No such mailbox / 550 5.1.1 here";
    assert_eq!(told(&postfix), [told_of_postfix]);
    assert_eq!(told(&postfix.replace('\n', "\r\n")), [told_of_postfix]);

    let exim = bounce(
        "The following address failed:\n\n  a@b.test\n    host mx.b.test [192.0.2.1]\n    SMTP error from remote mail \
         server after end of data:\n    554-5.7.1 Spam\n    554 5.7.1 Go away\n",
        "Action: failed\nFinal-Recipient: rfc822;a@b.test\nStatus: 5.0.0\nRemote-MTA: dns; mx.b.test\n\
         Diagnostic-Code: smtp; 554-5.7.1 Spam\n 554 5.7.1 Go away\n",
    );
    assert_eq!(told(&exim), ["a@b.test received message mx.b.test 27: 554-5.7.1 Spam / 554 5.7.1 Go away"]);
}

#[test]
fn a_reply_in_the_text_alone_is_found() {
    let fields = "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.0.0\n\n\
                  Final-Recipient: rfc822; c@b.test\nAction: failed\nStatus: 5.0.0\n";
    let opensmtpd = bounce(
        "    An error has occurred:\n\na@b.test: 550 5.1.1 No such user\nc@b.test: 554 No\n\n\
         Below is a copy of the original message:\n\nd@b.test: 550 5.1.1 No",
        fields,
    )
    .replace("multipart/report; report-type=delivery-status", "multipart/mixed");
    assert_eq!(
        told(&opensmtpd),
        ["a@b.test received - - 12: 550 5.1.1 No such user", "c@b.test received - - 13: 554 No"]
    );
    let courier = bounce(
        "<a@b.test>:\n     mx.b.test [192.0.2.1]:\n >>> RCPT TO:<a@b.test>\n <<< 451-4.7.1 Please\n <<< 451 4.7.1 wait\n\n\
         <c@b.test>:\n >>> DATA\n <<< 554 5.7.1 No\n",
        fields,
    );
    assert_eq!(
        told(&courier),
        [
            "a@b.test received rcpt mx.b.test 13: 451-4.7.1 Please / 451 4.7.1 wait",
            "c@b.test received data - 18: 554 5.7.1 No",
        ]
    );
}

#[test]
fn old_exim_has_the_host_between_the_command_and_the_reply() {
    let exim = "From: Mail Delivery System <Mailer-Daemon@c.test>\nSubject: Mail delivery failed\n\nA message could not \
                be delivered. The following address(es) failed:\n\n  a@b.test\n    SMTP error from remote mail server \
                after RCPT TO:<a@b.test>:\n    host mx.b.test [192.0.2.1]: 550-No such\n    550 user\n\n------ This is a \
                copy of the message, including all the headers. ------\n\n550 5.1.1 No\n";
    assert_eq!(told(exim), ["a@b.test received rcpt mx.b.test 8: 550-No such / 550 user"]);
}

#[test]
fn a_reply_that_the_text_announces_is_found() {
    let fields = "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.2.2\n";
    for announcement in ["The response was:\n\n", "The response from the remote server was:\n"] {
        let gmail = bounce(
            &format!(
                "Your message wasn't delivered to a@b.test.\n\n{announcement}552 5.2.2 Full\n\n554 5.7.1 No\n"
            ),
            fields,
        );
        let line = 12 + announcement.matches('\n').count();
        assert_eq!(told(&gmail), [format!("a@b.test received - - {line}: 552 5.2.2 Full")]);
    }
    let named = bounce("a@b.test\nIt failed. The response was:\n\n552-5.2.2 Full\n552 5.2.2 now\n", fields);
    assert_eq!(told(&named), ["a@b.test received - - 13: 552-5.2.2 Full / 552 5.2.2 now"]);
    let exchange = "Delivery has failed to these recipients:\n\na@b.test\nThe mailbox is full.\n\nDiagnostic information \
                    for administrators:\n\nGenerating server: mx.c.test\n\n";
    for rest in [
        "a@b.test\nmx.b.test\nRemote Server returned '552 5.2.2 Full, isn't it'\n",
        "a@b.test\n4/1/2026 10:00:00 AM - Server at mx\nRemote server returned '552 5.2.2 Full, isn't it'\n",
        "\n\nRemote Server at b.test (192.0.2.1) returned '552 5.2.2 Full, isn't it'\n",
    ] {
        let text =
            format!("{exchange}{rest}\nOriginal message headers:\n\nRemote Server returned '554 5.7.1 No'\n");
        assert_eq!(
            told(&bounce(&text, fields)),
            ["a@b.test received - - 21: 552 5.2.2 Full, isn't it"],
            "{rest}"
        );
    }
    let person = bounce("He wrote about the response was:\nnothing\n\n554 5.7.1 No\n", fields);
    assert_eq!(told(&person), Vec::<String>::new());
}

#[test]
fn an_empty_field_leaves_the_reply_to_the_text() {
    let text = "   ----- Transcript of session follows -----\n... while talking to mx.b.test.:\n>>> DATA\n<<< 552 5.2.2 \
                Full\n554 5.0.0 Service unavailable\n";
    let fields = "Final-Recipient: RFC822; a@b.test\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp;\n";
    assert_eq!(told(&bounce(text, fields)), ["a@b.test received - mx.b.test 13: 552 5.2.2 Full"]);
}

#[test]
fn a_transcript_of_sendmail_has_the_whole_reply() {
    let text = "   ----- The following addresses had permanent fatal errors -----\n<a@b.test>\n    (reason: 550-5.7.1 \
                Spam)\n\n   ----- Transcript of session follows -----\n... while talking to mx.b.test.:\n>>> DATA\n\
                <<< 550-5.7.1 Spam\n<<< 550 5.7.1 Go away\n554 5.0.0 Service unavailable\n<<< 503 5.5.1 Need RCPT\n";
    let fields = "Final-Recipient: RFC822; a@b.test\nAction: failed\nStatus: 5.7.1\nRemote-MTA: DNS; mx.b.test\n\
                  Diagnostic-Code: SMTP; 550-5.7.1 Spam\n";
    assert_eq!(
        told(&bounce(text, fields)),
        ["a@b.test received - mx.b.test 17: 550-5.7.1 Spam / 550 5.7.1 Go away"]
    );

    let differing = "   ----- Transcript of session follows -----\n... while talking to mx.b.test.:\n>>> DATA\n\
                     <<< 452 4.2.2 Full\n<c@b.test>... Deferred: 452 4.2.2 Full\n<<< 550 4.2.2 Full\n\
                     550 5.1.1 <a@b.test>... User unknown\n<<< 503 5.5.1 Need RCPT\n";
    let fields = "Final-Recipient: RFC822; a@b.test\nAction: failed\nStatus: 5.1.1\n";
    assert_eq!(told(&bounce(differing, fields)), ["a@b.test received - mx.b.test 15: 550 4.2.2 Full"]);

    let own = "   ----- Transcript of session follows -----\n... while talking to mx.b.test.:\n>>> STARTTLS\n\
               <<< 454 4.7.0 No TLS\n<a@b.test>... Deferred: 454 4.7.0 encryption too weak 0 less than 112\n";
    let fields = "Final-Recipient: RFC822; a@b.test\nAction: failed\nStatus: 4.4.7\n\
                  Diagnostic-Code: SMTP; 454 4.7.0 encryption too weak 0 less than 112\n";
    assert_eq!(told(&bounce(own, fields)), ["a@b.test received - mx.b.test 13: 454 4.7.0 No TLS"]);
}

#[test]
fn the_field_says_who_wrote_the_reply() {
    for (diagnostic, reply) in [
        ("smtp; 550 5.1.1 No", Some("received 550 5.1.1 No")),
        ("SMTP;550 No", Some("received 550 No")),
        ("lmtp; 550 5.1.1 No", Some("received 550 5.1.1 No")),
        ("550 5.1.1 No", Some("received 550 5.1.1 No")),
        ("smtp; 550", Some("received 550")),
        ("smtp; 550 5.1.1 No; 551 no", Some("received 550 5.1.1 No; 551 no")),
        ("smtp; What do you mean 503 5.5.1 Need RCPT", Some("received 503 5.5.1 Need RCPT")),
        ("x-tool; smtp: Failed: 550 5.1.1 No", Some("unknown 550 5.1.1 No")),
        ("smtp: Failed: 550 5.1.1 No", Some("received 550 5.1.1 No")),
        (
            "smtp; 451 4.4.1 reply: read error from mx.b.test.",
            Some("unknown 451 4.4.1 reply: read error from mx.b.test."),
        ),
        ("X-Postfix; 550 5.1.1 No", Some("unknown 550 5.1.1 No")),
        (
            "X-Postfix; delivery temporarily suspended: host mx.b.test said: 421 4.3.2 No",
            Some("received 421 4.3.2 No"),
        ),
        ("X-Postfix; connect to mx.b.test[192.0.2.1]:25: Connection refused", None),
        ("X-Unix; 75", None),
        ("x-unix; 550 5.1.1 printed by a program", None),
        ("smtp; timed out after 550 seconds", None),
        // An empty field says nothing, so the text counts.
        ("smtp;", Some("received 550 5.1.1 No")),
        ("", Some("received 550 5.1.1 No")),
    ] {
        let text = "<a@b.test>: host mx.b.test[192.0.2.1] said: 550 5.1.1 No\n";
        let message =
            bounce(text, &format!("Final-Recipient: rfc822; a@b.test\nDiagnostic-Code: {diagnostic}\n"));
        let report = read(message.as_bytes()).unwrap();
        let found: Vec<String> = mentions(&report)
            .map(|one| format!("{} {}", one.direction.as_str(), String::from_utf8_lossy(&one.reply)))
            .collect();
        assert_eq!(found, Vec::from_iter(reply.map(str::to_owned)), "{diagnostic}");
    }
}

#[test]
fn further_lines_may_lack_the_indentation() {
    let nullmailer = bounce(
        "",
        "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 No such\n\
         550-5.1.1 user:\n550 5.1.1  https://b.test/help\nLast-Attempt-Date: Sun, 29 Nov 2026 05:00:00 +0000\n",
    );
    let reply = "550-5.1.1 No such / 550-5.1.1 user: / 550 5.1.1  https://b.test/help";
    assert_eq!(told(&nullmailer), [format!("a@b.test received - - 19: {reply}")]);
    let report = read(nullmailer.as_bytes()).unwrap();
    assert_eq!(report.recipients[0].stray, Some(20));
    assert_eq!(report.recipients[0].get(Name::LastAttemptDate).unwrap().line, 22);

    let queued = format!("\nalice@c.test\n\n{nullmailer}");
    assert_eq!(told(&queued), [format!("a@b.test received - - 22: {reply}")]);
}

#[test]
fn texts_without_fields_are_read() {
    let dma = "From: MAILER-DAEMON <>\nSubject: Mail delivery failed\n\nThis is the DragonFly Mail Agent v0.13 at c.test.\n\n\
               There was an error delivering your mail to <a@b.test>.\n\nmx.b.test [192.0.2.1] did not like our RCPT \
               TO:\n550-5.1.1 No such\r\n550 5.1.1 user\n\nMessage headers follow.\n\n<v@victim.test>: 550 5.1.1 No\n";
    assert_eq!(told(dma), ["a@b.test received rcpt mx.b.test 9: 550-5.1.1 No such / 550 5.1.1 user"]);
    let qmail = "Subject: failure notice\n\nHi. This is the qmail-send program at c.test.\nI've given up.\n\n<a@b.test>:\n\
                 192.0.2.1 does not like recipient.\nRemote host said: 550-5.1.1 No such\n550 5.1.1 user\n\
                 Giving up on 192.0.2.1.\n\n<d@b.test>:\nSorry, I couldn't find any host named b.test. (#5.1.2)\n\n\
                 --- Below this line is a copy of the message.\n\n<v@victim.test>:\nRemote host said: 550 5.1.1 No\n";
    assert_eq!(told(qmail), ["a@b.test received rcpt - 8: 550-5.1.1 No such / 550 5.1.1 user"]);
    let person = "From: Bob <bob@b.test>\nSubject: Help\n\n<a@b.test>: host mx.b.test said: 550 5.1.1 No\n";
    assert_eq!(told(person), ["not a bounce"]);
    assert_eq!(told(&person.replace("Bob <bob", "Postmaster <postmaster")).len(), 1);
    assert_eq!(told(""), ["not a bounce"]);
}

#[test]
fn encoded_parts_are_decoded() {
    let plain = "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No\n";
    let quoted = bounce("", plain)
        .replace(
            "message/delivery-status\n",
            "message/delivery-status\nContent-Transfer-Encoding: Quoted-Printable\n",
        )
        .replace("smtp; 550 5", "smtp=3B 550=\n 5");
    assert_eq!(told(&quoted), ["a@b.test received - - 20: 550 5.1.1 No"]);
    let base64 = "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n\
                  RmluYWwtUmVjaXBpZW50OiB1dGYtODsgYUBiLnRlc3QKRGlhZ25vc3RpYy1Db2RlOiBzbXRw\nOyA1NTAgTsO2Cg==\n";
    assert_eq!(told(base64), ["a@b.test received - - 4: 550 Nö"]);
    let report = read(base64.as_bytes()).unwrap();
    assert!(report.status_part.as_ref().unwrap().is_global);
    assert_eq!(report.status_part.unwrap().eight_bit, Some(4));
}

#[test]
fn fields_about_recipients_make_a_group() {
    let message = bounce("", "X-Note: no recipient\n\n\n\nSTATUS : 5.1.1\nStatus: 5.2.2\n\nAction: failed\n");
    let report = read(message.as_bytes()).unwrap();
    assert_eq!(report.recipients.len(), 2);
    assert_eq!(report.recipients[0].get(Name::Status).unwrap().unfolded(), "5.1.1");
    assert_eq!(report.recipients[0].status().unwrap().to_string(), "5.1.1");
    assert_eq!(report.message.get(Name::ReportingMta).unwrap().unfolded(), "dns; mx.example.test");
}

#[test]
fn nothing_crashes_on_a_truncated_bounce() {
    let fields = "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1 (x)\nRemote-MTA: dns; mx.b.test [192.0.2.1]\n\
                  Diagnostic-Code: smtp; 550-5.1.1 No\n550 5.1.1 \u{fc} 550-5.1.1 such\n";
    let sendmail = "   ----- Transcript of session follows -----\n... while talking to mx.b.test.:\n>>> DATA\n\
                    <<< 550-4.2.2 Full\n<<< 550 4.2.2\n550 5.1.1 <a@b.test>... User unknown\n";
    let postfix = "<a@b.test> (expanded from <c@b.test>): host mx.b.test[192.0.2.1] said: 550-5.1.1 No\n    550 5.1.1 such (in \
                   reply to end of DATA command)\n";
    let dma = "From: MAILER-DAEMON <>\n\nThis is the DragonFly Mail Agent.\n\nThere was an error delivering your mail to \
               <a@b.test>.\n\nmx [192.0.2.1] did not like our RCPT TO:\n550-5.1.1 No\n550 5.1.1 such\n";
    let base64 = bounce("", "RmluYWwtUmVjaXBpZW50OiBhCg==")
        .replace("delivery-status\n\n", "delivery-status\nContent-Transfer-Encoding: base64\n\n");
    for whole in [
        bounce(sendmail, fields),
        bounce(postfix, fields),
        format!("\na@b.test\n\n{}", bounce("", fields)),
        dma.into(),
        base64,
    ] {
        for end in 0..=whole.len() {
            let cut = &whole.as_bytes()[..end];
            let report = read(cut);
            assert!(report.is_none_or(|report| mentions(&report).all(|one| one.offset <= end)));
        }
    }
}

#[test]
fn hostile_messages_take_little_memory_and_time() {
    let started = std::time::Instant::now();
    let header = "From: <>\nContent-Type: message/delivery-status\n\n";
    let groups = format!("{header}{}", "Status:5\n\n".repeat(100_000));
    let report = read(groups.as_bytes()).unwrap();
    assert_eq!(report.recipients.len() + report.left_out, 100_000);
    assert_eq!(report.recipients.len(), crate::limits::BOUNCE_RECIPIENTS);

    let nested: String = (0..15_000)
        .map(|depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n"))
        .collect();
    assert_eq!(told(&nested), ["not a bounce"]);
    let parts = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n".repeat(200_000));
    assert_eq!(told(&parts), ["not a bounce"]);
    let fields = "a:\n".repeat(300_000);
    assert_eq!(told(&fields), ["not a bounce"]);
    let folded = format!("{header}Diagnostic-Code: smtp; 550-5.1.1 a\n{}", " 550-5.1.1 a\n".repeat(70_000));
    assert_eq!(told(&folded).len(), 1);
    let same = "Final-Recipient: rfc822; a@b.test\nDiagnostic-Code: smtp; 550 5.1.1 No\n\n".repeat(10_100);
    let texts = "<a@b.test>: 550 5.1.1 No\n\n".repeat(10_100);
    assert_eq!(
        read(bounce(&texts, &same).as_bytes()).unwrap().replies.len(),
        crate::limits::BOUNCE_RECIPIENTS
    );
    let long = bounce(&format!("<a@b.test>:\n{}", "x 550 ".repeat(160_000)), "");
    assert!(read(long.as_bytes()).is_some());
    let paragraph = bounce(&format!("<a@b.test>:\n{}", "x\n".repeat(500_000)), "");
    assert!(read(paragraph.as_bytes()).is_some());
    assert!(read(&vec![b'x'; crate::limits::MESSAGE_OCTETS + 1]).is_none());
    assert!(started.elapsed().as_secs() < 60, "took {:?}", started.elapsed());
}
