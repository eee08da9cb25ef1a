//! Reads codes that somebody typed wrongly.

use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode, Status};

/// Words in front of a code that say nothing.
const WORDS: [&str; 9] = ["smtp", "error", "code", "status", "enhanced", "esmtp", "reply", "#", ":"];

/// Returns what a text most likely means, and how it was read; `None` if it is read as it is written.
pub(super) fn read(text: &str) -> Option<(String, String)> {
    let asked = text.trim();
    let bare = without_words(asked);
    let words: Vec<&str> = bare.split_ascii_whitespace().collect();
    let meant = match words.as_slice() {
        [code] => single(code),
        [reply_code, code] => pair(reply_code, code),
        _ => None,
    };
    let meant = meant.or_else(|| (bare != asked && is_code(bare)).then(|| bare.to_owned()))?;
    (meant != asked).then(|| (meant.clone(), format!("read as {meant}")))
}

fn without_words(mut text: &str) -> &str {
    loop {
        let before = text;
        for word in WORDS {
            if let Some((start, rest)) = text.split_at_checked(word.len())
                && start.eq_ignore_ascii_case(word)
                && !rest.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                text = rest.trim_start();
            }
        }
        if text == before {
            return text;
        }
    }
}

fn is_code(text: &str) -> bool {
    ReplyCode::from_bytes(text.as_bytes()).is_ok() || is_enhanced(text)
}

fn is_enhanced(text: &str) -> bool {
    EnhancedStatusCode::from_bytes(text.as_bytes()).is_ok() || Status::from_bytes(text.as_bytes()).is_ok()
}

/// Reads a word that is nearly a code.
fn single(word: &str) -> Option<String> {
    if is_code(word) {
        return Some(word.to_owned());
    }
    let digits = word.trim_end_matches(['.', ',', ':', ';']).replace([',', '_'], ".");
    let digits: String = digits.chars().map(digit).collect();
    if is_code(&digits) {
        return Some(digits);
    }
    without_zeros(&digits).or_else(|| with_a_dot(&digits))
}

/// Returns the digit that a letter looks like; `x` for any class is in upper case.
fn digit(c: char) -> char {
    match c {
        'l' | 'I' | '|' | 'i' => '1',
        'O' | 'o' => '0',
        'x' => 'X',
        c => c,
    }
}

/// Removes leading zeros: `X.1.01`.
fn without_zeros(code: &str) -> Option<String> {
    let parts: Vec<&str> = code.split('.').collect();
    let [class, subject, detail] = parts.as_slice() else { return None };
    let number = |part: &str| part.parse::<u16>().ok();
    let code = format!("{class}.{}.{}", number(subject)?, number(detail)?);
    is_enhanced(&code).then_some(code)
}

/// Adds the dot that is missing: `5.71`, `57.1`.
fn with_a_dot(code: &str) -> Option<String> {
    let plain: String = code.chars().filter(|c| *c != '.').collect();
    if plain.len() == code.len() || !plain.is_ascii() || plain.len() < 3 {
        return None;
    }
    let code = format!("{}.{}.{}", &plain[..1], &plain[1..2], &plain[2..]);
    let read = EnhancedStatusCode::from_bytes(code.as_bytes()).ok()?;
    read.entry().map(|_| code)
}

/// Reads a reply code with an enhanced status code that has no dots, or is nearly one: `550 511`.
fn pair(reply_code: &str, word: &str) -> Option<String> {
    let reply_code = ReplyCode::from_bytes(reply_code.as_bytes()).ok()?;
    let code = match ReplyCode::from_bytes(word.as_bytes()) {
        Ok(number) => {
            let number = number.as_u16();
            let status = Status::new(number / 10 % 10, number % 10)?;
            status.entry()?;
            status.with_class(ReplyCode::new(number)?.class()?).to_string()
        }
        Err(_) => single(word).filter(|code| is_enhanced(code))?,
    };
    Some(format!("{reply_code} {code}"))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn near_misses_are_read_as_what_they_mean() {
        for (text, expected) in [
            ("5.1.l", Some("5.1.1")),
            ("5.71", Some("5.7.1")),
            ("550 511", Some("550 5.1.1")),
            ("SMTP Error 221", Some("221")),
            ("SMTP error code: 550", Some("550")),
            ("X.1.01", Some("X.1.1")),
            ("x.1.1", Some("X.1.1")),
            ("5,1,1", Some("5.1.1")),
            ("550 5.1.l", Some("550 5.1.1")),
            ("#5.1.1", Some("5.1.1")),
            ("5.1.1.", Some("5.1.1")),
            ("5.O.0", Some("5.0.0")),
            ("441", None),
            ("550", None),
            ("5.1.1", None),
            ("550 5.1.1", None),
            ("550 No such user", None),
            ("Error", None),
            ("", None),
            ("5.99", None),
            ("errors 550", None),
        ] {
            assert_eq!(read(text).map(|(meant, _)| meant).as_deref(), expected, "{text}");
        }
    }
}
