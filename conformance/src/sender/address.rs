//! Whether an address can be put into a command.

/// Returns why an address cannot be put between angle brackets in MAIL or RCPT. `None` if it can.
///
/// A control character could end the command and begin another one. A space or an angle bracket could end the path and
/// begin a parameter, except within a quoted string (RFC 5321 §4.1.2).
pub(super) fn problem(address: &str) -> Option<String> {
    if let Some(control) = address.chars().find(|character| character.is_control()) {
        return Some(format!(
            "the address has the control character U+{:04X}, and is not sent",
            u32::from(control)
        ));
    }
    let mut quoted = false;
    let mut characters = address.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => drop(characters.next()),
            ' ' | '<' | '>' if !quoted => {
                return Some(format!(
                    "the address has {character:?} outside a quoted string, and is not sent"
                ));
            }
            _ => {}
        }
    }
    quoted.then(|| "the address has a quoted string without an end, and is not sent".to_owned())
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn what_could_end_a_command_or_a_path_is_a_problem() {
        for good in [
            "",
            "postmaster",
            "a@example.org",
            "\"a b<>\"@example.org",
            r#""a\" b"@example.org"#,
            "\u{fc}@example.org",
            "a@[192.0.2.1]",
        ] {
            assert_eq!(problem(good), None, "{good:?}");
        }
        for (bad, expected) in [
            ("a@example.org>\r\nRSET", "U+000D"),
            ("\"a\nb\"@example.org", "U+000A"),
            ("a\0@example.org", "U+0000"),
            ("a\u{85}@example.org", "U+0085"),
            ("a@example.org> SIZE=1", "'>'"),
            ("a b@example.org", "' '"),
            (r#""a\"@example.org> SIZE=1"#, "quoted string without an end"),
            (r#""a\\"@example.org> SIZE=1"#, "'>'"),
        ] {
            let found = problem(bad).unwrap_or_default();
            assert!(found.contains(expected), "{bad:?}: {found}");
        }
    }
}
