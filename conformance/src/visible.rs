//! Makes hidden characters visible, such as those that move a cursor, set a title or reverse the text.

use std::fmt::Write as _;

/// Returns the text with hidden characters, except line feeds, replaced by escapes such as `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || is_visible(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Like `visible`, but for JSON text, which has its own escapes, and hidden characters only within strings.
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character == '\n' || is_visible(character) {
            shown.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

fn is_visible(character: char) -> bool {
    // `escape_debug` escapes quotes and backslashes as well, which are visible.
    matches!(character, '"' | '\'' | '\\') || character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_json};

    #[test]
    fn hidden_characters_become_visible() {
        assert_eq!(visible("a \"b\" c:\\d\n§5 é “x”"), "a \"b\" c:\\d\n§5 é “x”");
        assert_eq!(visible("\u{1b}[2J\u{7}\r\t\0"), "\\u{1b}[2J\\u{7}\\r\\t\\u{0}");
        for hidden in
            ["\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}", "\u{9b}", "\u{feff}", "\u{2028}", "\u{e0041}"]
        {
            assert!(visible(hidden).starts_with("\\u{"), "{hidden:?}");
            let json = visible_json(&serde_json::to_string(hidden).expect("a string"));
            assert!(json.is_ascii(), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(hidden));
        }
    }
}
