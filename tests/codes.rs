//! Parses and formats codes: every value where there are few enough, and the inputs that other parsers get wrong.

use std::mem::size_of;

use proptest::prelude::*;
use smtp_enhanced_status::ParseErrorKind::{
    Class as NoClass, Digit, Dot, LeadingZero, NoX, TooManyDigits, Trailing,
};
use smtp_enhanced_status::{
    Class, Classes, EnhancedStatusCode, Forgiven, LenientCode, ParseErrorKind, ReplyCode, Status,
};

#[test]
fn all_three_million_codes_survive_a_round_trip() {
    let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
    for class in Class::ALL {
        for subject in 0..=999 {
            for detail in 0..=999 {
                let code = EnhancedStatusCode::new(class, subject, detail).unwrap();
                let text = code.encode(&mut buffer);
                assert_eq!(EnhancedStatusCode::from_bytes(text.as_bytes()), Ok(code));
            }
        }
    }
}

#[test]
fn text_is_the_plain_decimal_form() {
    for class in Class::ALL {
        for (subject, detail) in [(0, 0), (1, 10), (7, 509), (10, 7), (99, 100), (999, 999)] {
            let code = EnhancedStatusCode::new(class, subject, detail).unwrap();
            assert_eq!(code.to_string(), format!("{}.{subject}.{detail}", class.digit()));
            assert_eq!(code.status().to_string(), format!("X.{subject}.{detail}"));
            assert_eq!(Status::from_bytes(code.status().to_string().as_bytes()), Ok(code.status()));
        }
    }
    let code = EnhancedStatusCode::from_bytes(b"5.7.1").unwrap();
    assert_eq!(
        format!("[{code:>9}] [{code:<7}] {code:?}"),
        "[    5.7.1] [5.7.1  ] EnhancedStatusCode(5.7.1)"
    );
}

#[test]
fn all_reply_codes_survive_a_round_trip() {
    for number in 0..=u16::MAX {
        let code = ReplyCode::new(number);
        assert_eq!(code.is_some(), (200..=599).contains(&number), "{number}");
        if let Some(code) = code {
            assert_eq!(code.to_string().parse(), Ok(code));
            assert_eq!(ReplyCode::try_from(u16::from(code)), Ok(code));
        } else {
            assert!(number.to_string().parse::<ReplyCode>().is_err(), "{number}");
        }
    }
    for text in ["", "25", "2500", " 250", "250 ", "2a0", "+25", "250-", "\u{0662}50"] {
        assert!(text.parse::<ReplyCode>().is_err(), "{text:?}");
    }
}

#[test]
fn values_are_small() {
    assert!(size_of::<EnhancedStatusCode>() <= 8);
    assert_eq!(size_of::<Option<EnhancedStatusCode>>(), size_of::<EnhancedStatusCode>());
    assert_eq!(size_of::<Option<ReplyCode>>(), 2);
}

#[test]
fn codes_are_ordered_numerically() {
    let code = |text: &str| text.parse::<EnhancedStatusCode>().unwrap();
    assert!(code("5.7.2") < code("5.7.10"));
    assert!(code("5.7.1") != code("5.7.10"));
    assert!(code("4.7.10") < code("5.1.1"));
}

/// The strict parsers return the reason and its position, or the code.
#[test]
fn strict_parsing_names_every_reason() {
    let refused: &[(&str, ParseErrorKind, usize)] = &[
        ("", NoClass, 0),
        ("no code here", NoClass, 0),
        ("1.2.3", NoClass, 0),
        ("3.0.0", NoClass, 0),
        ("9.1.1", NoClass, 0),
        ("05.7.1", NoClass, 0),
        ("#5.1.1", NoClass, 0),
        ("(#5.1.1)", NoClass, 0),
        (" 5.1.1", NoClass, 0),
        ("X.1.1", NoClass, 0),
        ("5", Dot, 1),
        ("55.1.1", Dot, 1),
        ("5.7", Dot, 3),
        ("5..1", Digit, 2),
        ("5.7.", Digit, 4),
        ("5.+7.+1", Digit, 2),
        ("5.-1.0", Digit, 2),
        ("5. 7.1", Digit, 2),
        ("5.07.1", LeadingZero, 2),
        ("5.7.01", LeadingZero, 4),
        ("4.00.0", LeadingZero, 2),
        ("5.7.1000", TooManyDigits, 4),
        ("5.1234567890123456789.1", TooManyDigits, 2),
        ("5.7.1.4", Trailing, 5),
        ("5.7.1:", Trailing, 5),
        ("5.7.1 ", Trailing, 5),
        ("5.7.1\t", Trailing, 5),
        ("5.7.1\0", Trailing, 5),
    ];
    for &(text, kind, position) in refused {
        let error = EnhancedStatusCode::from_bytes(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{text:?}");
        assert_eq!(text.parse::<EnhancedStatusCode>(), Err(error));
    }
    for text in ["5.7.606", "5.7.509", "5.1.351", "5.1.999", "2.0.0", "4.999.999"] {
        assert_eq!(EnhancedStatusCode::from_bytes(text.as_bytes()).unwrap().to_string(), text);
    }
    assert_eq!(Status::from_bytes(b"x.1.1").unwrap_err().kind(), NoX);
    assert_eq!(Status::from_bytes(b"X.01.1").unwrap_err().kind(), LeadingZero);
}

#[test]
fn a_prefix_needs_a_space_or_the_end_after_it() {
    let read = |text: &'static str| {
        EnhancedStatusCode::parse_prefix(text.as_bytes())
            .map(|(code, rest)| (code.to_string(), String::from_utf8(rest.to_vec()).unwrap()))
    };
    for (text, code, rest) in [
        ("5.7.606 x", "5.7.606", " x"),
        ("5.7.1", "5.7.1", ""),
        ("2.1.0  ok", "2.1.0", "  ok"),
        ("4.2.0 5.1.1 x", "4.2.0", " 5.1.1 x"),
    ] {
        assert_eq!(read(text), Some((code.to_owned(), rest.to_owned())), "{text:?}");
    }
    for text in [
        "no code here",
        "5.7.1000 x",
        "1.2.3 x",
        "9.1.1",
        "3.0.0",
        "5.07.1 x",
        "5.7.1\tx",
        "5.7.1: x",
        "#5.1.1 x",
        "(#5.1.1) x",
        "5.7.1.4 x",
        "10.0.0.1 hi",
        "version 1.2",
        "5.7.1-x",
        " 5.1.1 x",
        "",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn lenient_parsing_names_every_defect() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("5.1.1 x", "5.1.1", "", " x"),
        ("5.7.1\tx", "5.7.1", "tab", "\tx"),
        ("5.7.1: x", "5.7.1", "closing punctuation", " x"),
        ("#5.1.1 x", "5.1.1", "opening punctuation", " x"),
        ("(#5.1.1)", "5.1.1", "opening punctuation, closing punctuation", ""),
        ("  5.1.1 x", "5.1.1", "leading blank", " x"),
        ("5.07.001 x", "5.7.1", "leading zero", " x"),
        ("5. 7.1 x", "5.7.1", "inner blank", " x"),
        ("5.7.1.", "5.7.1", "closing punctuation", ""),
        ("5.7.1; x", "5.7.1", "closing punctuation", " x"),
        ("5.7.1, x", "5.7.1", "closing punctuation", " x"),
        ("5.7.1) x", "5.7.1", "closing punctuation", " x"),
        ("5.7.1- 4", "5.7.1", "closing punctuation", " 4"),
        ("\t5.7.1 x", "5.7.1", "leading blank", " x"),
        ("5.7.\t1 x", "5.7.1", "inner blank", " x"),
        ("5.7.1\r\n", "5.7.1", "line end", "\r\n"),
        ("5.7.1\n", "5.7.1", "line end", "\n"),
        ("4.00.0", "4.0.0", "leading zero", ""),
        ("5.1.0000000000000000000000000000001", "5.1.1", "leading zero", ""),
    ];
    for &(text, code, forgiven, rest) in cases {
        let read = EnhancedStatusCode::parse_lenient(text.as_bytes()).unwrap_or_else(|| panic!("{text:?}"));
        assert_eq!(
            (read.code.to_string().as_str(), read.forgiven.to_string().as_str()),
            (code, forgiven),
            "{text:?}"
        );
        assert_eq!(read.rest, rest.as_bytes(), "{text:?}");
    }
    for text in [
        "",
        "x",
        "3.0.0",
        "9.1.1",
        "05.7.1",
        "5.+7.+1",
        "5.-1.0",
        "5..1",
        "5.7.",
        "5.7",
        "5.7.1000",
        "5.7.1.4 x",
        "10.0.0.1",
        "5.7.1x",
        "5.7.1:denied",
        "5. 7. 1 x",
        "4. 5. 6 items",
        "5.7.1. 4 x",
        "5.7.1.- 4",
        "550 5.1.1",
    ] {
        assert_eq!(EnhancedStatusCode::parse_lenient(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn every_conversion_agrees_with_the_parser() {
    for text in ["", "5", "5.1.1", "5.07.1", "3.0.0", "X.1.1", "550", "150", "2500", "5.1.1 "] {
        let octets = text.as_bytes();
        let code = EnhancedStatusCode::from_bytes(octets);
        assert_eq!(
            [text.parse(), EnhancedStatusCode::try_from(text), octets.try_into()],
            [code; 3],
            "{text}"
        );
        let status = Status::from_bytes(octets);
        assert_eq!([text.parse(), Status::try_from(text), octets.try_into()], [status; 3], "{text}");
        let reply_code = ReplyCode::from_bytes(octets);
        assert_eq!([text.parse(), ReplyCode::try_from(text), octets.try_into()], [reply_code; 3], "{text}");
    }
}

#[test]
fn prefixes_of_strings_are_those_of_octets() {
    for text in
        ["5.1.1 No such user", "5.1.1", "5.1.1 \u{e9}", "(#5.1.01) \u{e9}", "\u{e9}", "5.1.1\u{e9}", ""]
    {
        let whole = EnhancedStatusCode::parse_prefix(text.as_bytes());
        let string = EnhancedStatusCode::parse_prefix_str(text);
        assert_eq!(string.map(|(code, rest)| (code, rest.as_bytes())), whole, "{text}");
        let lenient = EnhancedStatusCode::parse_lenient(text.as_bytes());
        let string = EnhancedStatusCode::parse_lenient_str(text);
        let parts = |read: LenientCode<&str>| (read.code, read.forgiven, read.rest.as_bytes().to_vec());
        assert_eq!(
            string.map(parts),
            lenient.map(|read| (read.code, read.forgiven, read.rest.to_vec())),
            "{text}"
        );
    }
}

#[test]
fn every_reply_code_has_the_kind_of_its_first_digit() {
    for number in 200..=599 {
        let code = ReplyCode::new(number).unwrap();
        let kinds = [code.is_success(), code.is_intermediate(), code.is_transient(), code.is_permanent()];
        let first = usize::from(number / 100);
        assert_eq!(kinds, [2, 3, 4, 5].map(|digit| digit == first), "{code}");
        assert_eq!((code.is_positive(), code.is_negative()), (first < 4, first > 3), "{code}");
        assert_eq!((code == number, code == number + 1), (true, false), "{code}");
        assert_eq!((number == code, number + 1 == code), (true, false), "{code}");
        if let Some(entry) = code.entry() {
            assert_eq!(ReplyCode::from_identifier(entry.identifier), Some(code));
        }
    }
    assert_eq!(ReplyCode::from_identifier(""), None);
}

#[test]
fn every_set_of_classes_is_made_of_its_classes() {
    for digit in 0..=u8::MAX {
        let class = Class::from_digit(digit);
        assert_eq!(Class::try_from(digit).ok(), class);
        assert_eq!(digit.to_string().parse::<Class>().ok(), class, "{digit}");
    }
    for bits in 0..8_u8 {
        let chosen: Vec<Class> =
            (0..).zip(Class::ALL).filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, class)| class).collect();
        let classes: Classes = chosen.iter().copied().collect();
        assert_eq!(classes.into_iter().collect::<Vec<_>>(), chosen);
        assert_eq!(
            classes.into_iter().rev().collect::<Vec<_>>(),
            chosen.iter().rev().copied().collect::<Vec<_>>()
        );
        assert_eq!((classes.len(), classes.iter().len()), (chosen.len(), chosen.len()));
        assert_eq!(chosen.iter().fold(Classes::NONE, |set, &class| set | class), classes);
        assert_eq!(classes | Classes::ALL, Classes::ALL);
        let mut extended = Classes::NONE;
        extended.extend(chosen);
        assert_eq!(extended, classes);
    }
    assert_eq!(Class::Success | Class::Permanent, Classes::NONE.with(Class::Success).with(Class::Permanent));
    assert_eq!("55".parse::<Class>().unwrap_err().to_string(), "something follows the code, at octet 1");
    assert_eq!(Class::try_from(3_u8).unwrap_err().to_string(), "the class is not 2, 4 or 5");
    assert_eq!(
        ReplyCode::try_from(600).unwrap_err().to_string(),
        "a reply code must be three digits, 200 to 599"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The three parsers agree on any octets, and none panics.
    #[test]
    fn parsers_agree(octets in prop::collection::vec(prop_oneof![Just(b'.'), Just(b' '), Just(b'5'), b'0'..=b'9', any::<u8>()], 0..14)) {
        let whole = EnhancedStatusCode::from_bytes(&octets).ok();
        let prefix = EnhancedStatusCode::parse_prefix(&octets);
        let lenient = EnhancedStatusCode::parse_lenient(&octets);
        if let Some(code) = whole {
            prop_assert_eq!(prefix, Some((code, &[][..])));
            prop_assert_eq!(code.to_string().into_bytes(), octets.clone());
        }
        if let Some((code, rest)) = prefix {
            prop_assert!(rest.is_empty() || rest[0] == b' ');
            prop_assert_eq!(EnhancedStatusCode::from_bytes(&octets[..octets.len() - rest.len()]), Ok(code));
            let lenient = lenient.expect("the lenient parser accepts what a stricter one accepts");
            prop_assert_eq!((lenient.code, lenient.rest, lenient.forgiven), (code, rest, Forgiven::NOTHING));
        } else if let Some(lenient) = lenient {
            prop_assert!(!lenient.forgiven.is_empty());
            prop_assert!(octets.ends_with(lenient.rest));
        }
        let status: Vec<u8> = [b"X", octets.get(1..).unwrap_or_default()].concat();
        if let Ok(code) = EnhancedStatusCode::from_bytes(&octets) {
            prop_assert_eq!(Status::from_bytes(&status), Ok(code.status()));
        }
    }
}
