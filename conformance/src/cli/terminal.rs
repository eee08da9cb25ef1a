//! What is printed: whatever a message quotes, nothing in it can move the cursor, set a title or turn the text around.

use std::io::{self, Write as _};

use anyhow::{Context as _, Error, Result};

/// Characters of each cause that an error message shows.
const SHOWN: usize = 1000;

/// Prints a line. A reader that has gone, as `head` does, wants no more of it, and that is no fault.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_line(&format!($($text)*))
    };
}
pub(super) use say;

/// Prints a line on standard error, behind the name of the program.
macro_rules! remark {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_remark(&format!($($text)*))
    };
}
pub(super) use remark;

pub(super) fn print_line(text: &str) {
    let _ = writeln!(io::stdout(), "{}", visible(text));
}

pub(super) fn print_remark(text: &str) {
    let _ = writeln!(io::stderr(), "smtp-conformance: {}", visible(text));
}

/// Says what went wrong, and why.
pub(super) fn print_error(error: &Error) {
    let causes: Vec<String> = error.chain().map(|cause| shortened(&cause.to_string())).collect();
    print_remark(&causes.join(": "));
}

/// Prints a report as it is. Its format escapes what stands in it.
pub(super) fn print_report(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("standard output")
}

/// Prints help, or what is wrong with the command line; the exit status of that.
pub(super) fn print_usage(error: &clap::Error) -> u8 {
    let plain = error.to_string();
    if visible(&plain) == plain {
        // It has colours of its own.
        let _ = error.print();
    } else {
        let _ = write!(io::stderr(), "{}", visible(&plain));
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text in which every character can be seen, except for blanks and line feeds: others stand there as escapes, such
/// as `\u{1b}`.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_visible(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

fn is_visible(character: char) -> bool {
    // Rust escapes quotes and backslashes as well, and what has no shape of its own.
    matches!(character, '\n' | '"' | '\'' | '\\') || character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_invisible_is_printed() {
        assert_eq!(visible("a \"b\" c:\\d\n§5 é “x”"), "a \"b\" c:\\d\n§5 é “x”");
        assert_eq!(visible("\u{1b}[2J\u{7}\r\t\0"), "\\u{1b}[2J\\u{7}\\r\\t\\u{0}");
        for hidden in ["\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}", "\u{9b}", "\u{feff}", "\u{2028}"] {
            assert!(visible(hidden).starts_with("\\u{"), "{hidden:?}");
        }
    }
}
