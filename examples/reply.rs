//! The replies of a small mail server: `cargo run --example reply`

use smtp_enhanced_status::{ClassMismatch, ReplyCode, ReplyWriter, Status};

enum Event<'a> {
    SenderAccepted,
    RecipientAccepted,
    RecipientUnknown(&'a str),
    MailboxFull,
    TooManyRecipients,
    PolicyRefusal,
    DataExpected,
    MessageQueued,
}

fn main() -> Result<(), ClassMismatch> {
    print!("{}", ReplyWriter::new(ReplyCode::READY, "mx.example ESMTP"));
    print!("{}", ReplyWriter::new(ReplyCode::OK, "mx.example\nENHANCEDSTATUSCODES"));
    for event in [
        Event::SenderAccepted,
        Event::RecipientAccepted,
        // The client's text does not end the reply.
        Event::RecipientUnknown("<nobody@example.com>\r\n250 2.1.5 Recipient accepted"),
        Event::MailboxFull,
        Event::TooManyRecipients,
        Event::PolicyRefusal,
        Event::DataExpected,
        Event::MessageQueued,
    ] {
        print_reply(&event)?;
    }
    Ok(())
}

fn print_reply(event: &Event<'_>) -> Result<(), ClassMismatch> {
    let text;
    let (reply_code, code, text) = match event {
        Event::SenderAccepted => (ReplyCode::OK, Status::ADDR_OTHER.success(), "Sender accepted"),
        Event::RecipientAccepted => (ReplyCode::OK, Status::ADDR_DEST_VALID.success(), "Recipient accepted"),
        Event::RecipientUnknown(recipient) => {
            text = format!("No such user here: {recipient}");
            (ReplyCode::MAILBOX_UNAVAIL, Status::ADDR_DEST_MAILBOX.permanent(), text.as_str())
        }
        Event::MailboxFull => (ReplyCode::NO_STORAGE, Status::MBOX_FULL.transient(), "Mailbox full"),
        // RFC 5321 §4.5.3.1.10 requires 452. The registry lists only 451, but its list is not exclusive.
        Event::TooManyRecipients => (
            ReplyCode::NO_STORAGE,
            Status::PROTO_TOO_MANY_RCPTS.transient(),
            "Too many recipients; send the rest in another transaction",
        ),
        Event::PolicyRefusal => (
            ReplyCode::MAILBOX_UNAVAIL,
            Status::SEC_UNAUTHORIZED.permanent(),
            "Message refused by local policy\nSee https://example.com/policy",
        ),
        Event::DataExpected => {
            // A 3yz reply has no enhanced status code (RFC 2034 §4).
            print!(
                "{}",
                ReplyWriter::new(ReplyCode::START_MAIL_INPUT, "End with a dot on a line of its own")
            );
            return Ok(());
        }
        Event::MessageQueued => (ReplyCode::OK, Status::OTHER.success(), "Message queued"),
    };
    print!("{}", ReplyWriter::new(reply_code, text).with_enhanced(code)?);
    Ok(())
}
