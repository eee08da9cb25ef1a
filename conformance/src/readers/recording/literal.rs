//! String literals, in which Python and Ruby print octets.

/// Returns the octets of a literal, which a quote begins and the same quote ends, and what follows it.
pub(super) fn octets(text: &str) -> Option<(Vec<u8>, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut octets = Vec::new();
    let mut rest = text[1..].chars();
    loop {
        match rest.next()? {
            '\\' => escape(&mut rest, &mut octets)?,
            character if character == quote => return Some((octets, rest.as_str())),
            character => push(character, &mut octets),
        }
    }
}

/// Reads what follows a backslash. Unknown escapes are kept, as Python does.
fn escape(rest: &mut std::str::Chars<'_>, octets: &mut Vec<u8>) -> Option<()> {
    match rest.next()? {
        'n' => octets.push(b'\n'),
        'r' => octets.push(b'\r'),
        't' => octets.push(b'\t'),
        'a' => octets.push(7),
        'b' => octets.push(8),
        'v' => octets.push(11),
        'f' => octets.push(12),
        'e' => octets.push(27),
        'x' => octets.push(u8::try_from(digits(rest, 2)?).ok()?),
        'u' if rest.as_str().starts_with('{') => {
            let (digits, after) = rest.as_str()[1..].split_once('}')?;
            push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, octets);
            *rest = after.chars();
        }
        'u' => push(char::from_u32(digits(rest, 4)?)?, octets),
        'U' => push(char::from_u32(digits(rest, 8)?)?, octets),
        character @ ('\\' | '\'' | '"' | '#') => push(character, octets),
        character => {
            octets.push(b'\\');
            push(character, octets);
        }
    }
    Some(())
}

fn digits(rest: &mut std::str::Chars<'_>, count: usize) -> Option<u32> {
    let (digits, after) = rest.as_str().split_at_checked(count)?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    *rest = after.chars();
    Some(value)
}

fn push(character: char, octets: &mut Vec<u8>) {
    octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::octets;

    #[test]
    fn escapes_are_read() {
        for (text, expected, rest) in [
            (r"'a\r\n'", &b"a\r\n"[..], ""),
            (r#""say \"hi\" \#{x} \e[1m" and"#, b"say \"hi\" #{x} \x1b[1m", " and"),
            (r"'\xe4\\it\'s'", b"\xe4\\it's", ""),
            (r#""\u00e4\u{1F600}ö\q""#, "ä😀ö\\q".as_bytes(), ""),
        ] {
            assert_eq!(octets(text), Some((expected.to_vec(), rest)), "{text}");
        }
        for broken in ["", "a", "'a", r"'\", r"'\x", r"'\x1", r"'\u{12'", r"'\u{110000}'", r"'\ud800'"] {
            assert_eq!(octets(broken), None, "{broken}");
        }
    }
}
