//! The pairs on which other implementations are compared with the library, and one letter for each verdict.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use smtp_enhanced_status::{Class, EnhancedStatusCode, Pairing, ReplyCode, judge};

/// Statuses outside the dense range: the limits of the sub-codes, and codes that vendors send.
pub const EDGES: [(u16, u16); 8] =
    [(0, 999), (1, 351), (7, 509), (7, 606), (10, 0), (99, 99), (999, 0), (999, 999)];

/// Returns subjects 0 to 9 with details 0 to 40, then [`EDGES`].
pub fn statuses() -> impl Iterator<Item = (u16, u16)> {
    (0..=9).flat_map(|subject| (0..=40).map(move |detail| (subject, detail))).chain(EDGES)
}

/// Returns every reply code 200 to 599, with every class, with every status of [`statuses`], in this order.
pub fn pairs() -> impl Iterator<Item = (ReplyCode, EnhancedStatusCode)> {
    (200..=599).flat_map(|reply_code| {
        Class::ALL.into_iter().flat_map(move |class| {
            statuses().map(move |(subject, detail)| {
                let code = EnhancedStatusCode::new(class, subject, detail).unwrap();
                (ReplyCode::new(reply_code).unwrap(), code)
            })
        })
    })
}

/// Returns the letter of a pairing.
pub fn letter(pairing: Pairing) -> u8 {
    match pairing {
        Pairing::ClassMismatch => b'C',
        Pairing::Unregistered => b'U',
        Pairing::Listed => b'L',
        Pairing::Unlisted => b'N',
        Pairing::NoList => b'-',
    }
}

/// Returns the library's verdicts on [`pairs`], as letters.
pub fn library_verdicts() -> Vec<u8> {
    pairs().map(|(reply_code, code)| letter(judge(reply_code, code))).collect()
}

/// Fails at the first pair whose verdict is not the library's.
pub fn assert_agree(who: &str, verdicts: &[u8]) {
    let expected = library_verdicts();
    assert_eq!(verdicts.len(), expected.len(), "{who} has a different number of verdicts");
    for ((pair, verdict), expected) in pairs().zip(verdicts).zip(&expected) {
        let (verdict, expected) = (char::from(*verdict), char::from(*expected));
        assert_eq!(verdict, expected, "{who} and the library differ on {} {}", pair.0, pair.1);
    }
}
