//! Reads any octets as a reply, and writes any text as one.
//!
//! The first octet chooses a reply code for writing. A reply that is read is made of its lines; one that is written is
//! read again, with the same codes on every line, none of which is too long.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_enhanced_status::{Reply, ReplyCode, ReplyWriter, Status};

fuzz_target!(|octets: &[u8]| {
    read(octets);
    if let [number, text @ ..] = octets {
        write(200 + u16::from(*number), &String::from_utf8_lossy(text));
    }
});

fn read(octets: &[u8]) {
    match Reply::parse_prefix(octets) {
        Ok((reply, rest)) => {
            assert_eq!([reply.octets(), rest].concat(), octets);
            assert_eq!(Reply::from_bytes(reply.octets()), Ok(reply));
            assert!(reply.lines().all(|line| line.code() == reply.code()));
            assert_eq!(reply.lines().filter(|line| line.is_last()).count(), 1);
        }
        Err(error) => assert!(error.position() <= octets.len(), "{error:?}"),
    }
}

fn write(number: u16, text: &str) {
    let Some(reply_code) = ReplyCode::new(number) else { return };
    let code = reply_code.class().map(|class| Status::OTHER.with_class(class));
    let mut writer = ReplyWriter::new(reply_code, text);
    if let Some(code) = code {
        writer = writer.with_enhanced(code).expect("the classes agree");
    }
    let written = writer.to_string();
    assert_eq!(writer.encoded_len(), written.len());
    assert!(written.split_inclusive("\r\n").all(|line| line.len() <= ReplyWriter::MAX_LINE_LEN));
    let reply = Reply::from_bytes(written.as_bytes()).expect("what is written can be read");
    assert_eq!(reply.code(), reply_code);
    assert!(code.is_none() || reply.lines().all(|line| line.enhanced() == code));
}
