//! Writes and reads replies: by examples, and for any input.

use proptest::prelude::*;
use smtp_enhanced_status::{
    Class, EnhancedStatusCode, Pairing, Reply, ReplyCode, ReplyErrorKind, ReplyWriter, Status, judge,
};

#[test]
fn both_codes_are_on_every_line() {
    let reply = written(550, Some("5.7.1"), "Refused\r\nSee https://example.com/\n");
    assert_eq!(reply, "550-5.7.1 Refused\r\n550 5.7.1 See https://example.com/\r\n");
    assert_eq!(written(220, None, "mx.example ESMTP"), "220 mx.example ESMTP\r\n");
    assert_eq!(
        written(250, None, "mx.example\nSIZE 1000\nHELP"),
        "250-mx.example\r\n250-SIZE 1000\r\n250 HELP\r\n"
    );
    assert_eq!(written(250, None, ""), "250 \r\n");
    assert_eq!(written(250, Some("2.0.0"), ""), "250 2.0.0 \r\n");
    assert_eq!(written(214, Some("2.0.0"), "a\n\nb"), "214-2.0.0 a\r\n214-2.0.0 \r\n214 2.0.0 b\r\n");
}

#[test]
fn text_from_outside_cannot_end_a_reply() {
    let hostile = "a\r\n250 2.0.0 ok\r\0\u{1b}[2Jb\u{7f}\u{85}\u{e9}\tc\n";
    assert_eq!(
        written(550, Some("5.1.1"), hostile),
        "550-5.1.1 a\r\n550 5.1.1 250 2.0.0 ok???[2Jb???\tc\r\n"
    );
    assert_eq!(written(250, None, "a\r"), "250 a?\r\n");
    assert_eq!(written(250, None, "a\r\r\nb"), "250-a?\r\n250 b\r\n");
}

#[test]
fn long_lines_are_folded_at_a_space() {
    let room = 512 - "550 5.1.1 \r\n".len();
    let full = "x".repeat(room);
    assert_eq!(written(550, Some("5.1.1"), &full), format!("550 5.1.1 {full}\r\n"));
    assert_eq!(written(550, Some("5.1.1"), &format!("{full}\n")), format!("550 5.1.1 {full}\r\n"));
    assert_eq!(written(550, Some("5.1.1"), &format!("{full}\r\n")), format!("550 5.1.1 {full}\r\n"));
    assert_eq!(
        written(550, Some("5.1.1"), &format!("{full}y")),
        format!("550-5.1.1 {full}\r\n550 5.1.1 y\r\n")
    );
    let words = format!("one two {full}");
    assert_eq!(written(550, Some("5.1.1"), &words), format!("550-5.1.1 one two \r\n550 5.1.1 {full}\r\n"));
    let without_code = written(550, None, &"y".repeat(507));
    assert_eq!(without_code.lines().map(str::len).collect::<Vec<_>>(), [510, 5]);
}

#[test]
fn codes_whose_first_digits_differ_are_refused() {
    for number in 200..=599 {
        let reply_code = ReplyCode::new(number).unwrap();
        for class in Class::ALL {
            let code = Status::OTHER.with_class(class);
            let accepted = ReplyWriter::new(reply_code, "x").with_enhanced(code).is_ok();
            assert_eq!(accepted, judge(reply_code, code) != Pairing::ClassMismatch, "{reply_code} {code}");
        }
    }
}

#[test]
fn replies_are_read() {
    let read = |text: &str| {
        let reply = Reply::try_from(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        reply
            .lines()
            .map(|line| {
                (
                    line.code().as_u16(),
                    line.enhanced().map(|code| code.to_string()),
                    String::from_utf8(line.text_after_code().to_vec()).unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let line = |number, code: &str, text: &str| {
        (number, Some(code.to_owned()).filter(|code| !code.is_empty()), text.to_owned())
    };
    assert_eq!(read("250 ok\r\n"), [line(250, "", "ok")]);
    assert_eq!(read("250\r\n"), [line(250, "", "")]);
    assert_eq!(read("250 \r\n"), [line(250, "", "")]);
    assert_eq!(read("571 5.7.1\r\n"), [line(571, "5.7.1", "")]);
    assert_eq!(read("250-\r\n250\r\n"), [line(250, "", ""), line(250, "", "")]);
    assert_eq!(read("551-5.7.1 a\r\n551 5.7.1  b\r\n"), [line(551, "5.7.1", "a"), line(551, "5.7.1", " b")]);
    assert_eq!(read("354 \0\t\u{e9}\r\n"), [line(354, "", "\0\t\u{e9}")]);
    assert_eq!(read("550 5.7.1.4 x\r\n"), [line(550, "", "5.7.1.4 x")]);
}

#[test]
fn everything_else_has_a_named_error() {
    use ReplyErrorKind::{
        BareCr, BareLf, BlankLine, DigitCount, FirstDigit, Incomplete, MixedCodes, NoCode, Separator,
        Trailing,
    };
    for (text, kind, position) in [
        ("", Incomplete, 0),
        ("2", Incomplete, 1),
        ("25", Incomplete, 2),
        ("250", Incomplete, 3),
        ("250 ok", Incomplete, 6),
        ("250 ok\r", Incomplete, 7),
        ("250-ok\r\n", Incomplete, 8),
        ("250-ok\r\n25", Incomplete, 10),
        ("\r\n", BlankLine, 0),
        ("\n", BlankLine, 0),
        ("250-ok\r\n\r\n", BlankLine, 8),
        ("hello", NoCode, 0),
        (" 250 ok\r\n", NoCode, 0),
        ("250-ok\r\nok\r\n", NoCode, 8),
        ("25 ok\r\n", DigitCount, 0),
        ("25\r\n", DigitCount, 0),
        ("2500", DigitCount, 0),
        ("150 ok\r\n", FirstDigit, 0),
        ("600 ok\r\n", FirstDigit, 0),
        ("250_ok\r\n", Separator, 3),
        ("250\tok", Separator, 3),
        ("250-a\r\n251 b\r\n", MixedCodes, 7),
        ("250 a\rb\r\n", BareCr, 5),
        ("250 a\r\r\n", BareCr, 5),
        ("250 a\n", BareLf, 5),
        ("250-a\n250 b\r\n", BareLf, 5),
        ("250 a\r\n250 b\r\n", Trailing, 7),
    ] {
        let error = Reply::try_from(text).expect_err(text);
        assert_eq!((error.kind(), error.position()), (kind, position), "{text:?}");
        assert!(error.to_string().ends_with(&format!(", at octet {position}")), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written is read again, line by line, and no line is too long.
    #[test]
    fn what_is_written_is_read(
        number in 200_u16..=599,
        sub_codes in prop::option::of((0_u16..=999, 0_u16..=999)),
        text in "([ -~\n\r\u{0}\u{e9}]|[a-z ]{1,40}|x{480,530}){0,40}",
    ) {
        let reply_code = ReplyCode::new(number).unwrap();
        let code = reply_code.class().zip(sub_codes).map(|(class, (subject, detail))| {
            EnhancedStatusCode::new(class, subject, detail).unwrap()
        });
        let mut writer = ReplyWriter::new(reply_code, &text);
        if let Some(code) = code {
            writer = writer.with_enhanced(code).unwrap();
        }
        let written = writer.to_string();
        prop_assert_eq!(writer.encoded_len(), written.len());
        let mut buffer = vec![0; written.len()];
        prop_assert_eq!(writer.encode(&mut buffer), Some(written.as_str()));
        prop_assert_eq!(writer.encode(&mut buffer[1..]), None);
        prop_assert!(written.split_inclusive("\r\n").all(|line| line.len() <= ReplyWriter::MAX_LINE_LEN));

        let reply = Reply::try_from(written.as_str()).unwrap();
        prop_assert_eq!(reply.code(), reply_code);
        let mut joined = String::new();
        for line in reply.lines() {
            prop_assert_eq!(line.code(), reply_code);
            if code.is_some() {
                prop_assert_eq!(line.enhanced(), code);
            }
            let text = if code.is_some() { line.text_after_code() } else { line.text() };
            joined.push_str(std::str::from_utf8(text).unwrap());
        }
        let expected: String = text.lines().flat_map(str::chars)
            .map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
        prop_assert_eq!(joined, expected);
    }

    /// Any octets are a reply or give an error, and a reply is made of its lines.
    #[test]
    fn any_octets_can_be_read(octets in prop::collection::vec(
        prop_oneof![
            Just(b"250-".to_vec()), Just(b"250 ".to_vec()), Just(b"550 5.1.1".to_vec()), Just(b"\r\n".to_vec()),
            Just(b"\n".to_vec()), Just(b"\r".to_vec()), prop::collection::vec(any::<u8>(), 0..3),
        ],
        0..12,
    )) {
        let octets = octets.concat();
        match Reply::parse_prefix(&octets) {
            Ok((reply, rest)) => {
                prop_assert_eq!([reply.octets(), rest].concat(), octets.clone());
                prop_assert_eq!(Reply::from_bytes(reply.octets()), Ok(reply));
                let ends: Vec<bool> = reply.lines().map(|line| line.is_last()).collect();
                prop_assert_eq!(ends.iter().filter(|last| **last).count(), 1);
                prop_assert_eq!(ends.last(), Some(&true));
                prop_assert_eq!(ends.len(), reply.octets().split(|octet| *octet == b'\n').count() - 1);
            }
            Err(error) => {
                prop_assert!(error.position() <= octets.len());
                if error.kind() == ReplyErrorKind::Incomplete {
                    prop_assert_eq!(error.position(), octets.len());
                    // Ends the line that the octets end in, and gives the reply a last line.
                    let code: Vec<u8> = octets.iter().copied().chain(*b"250").take(3).collect();
                    let last_line = [&code, &b" x\r\n"[..]].concat();
                    let can_go_on = ["", "\n", "\r\n"].iter().any(|end| {
                        (0..5).any(|from| {
                            let whole = [&octets, end.as_bytes(), &last_line[from..]].concat();
                            // The code of an unfinished line is checked when the line is whole.
                            Reply::parse_prefix(&whole).map_or_else(
                                |error| matches!(error.kind(), ReplyErrorKind::MixedCodes | ReplyErrorKind::FirstDigit),
                                |_| true,
                            )
                        })
                    });
                    prop_assert!(can_go_on, "{:?}", octets);
                }
            }
        }
    }
}

fn written(number: u16, code: Option<&str>, text: &str) -> String {
    let mut writer = ReplyWriter::new(ReplyCode::new(number).unwrap(), text);
    if let Some(code) = code {
        writer = writer.with_enhanced(code.parse().unwrap()).unwrap();
    }
    writer.to_string()
}
