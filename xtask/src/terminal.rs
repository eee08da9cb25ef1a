//! Standard output and standard error. Only this module writes to them.
//!
//! Messages quote registries, servers, file names and arguments. A terminal must not execute control sequences in them,
//! and must not reorder or hide text. So [`say`] and [`remark`] escape such characters, even in a pipe, because its
//! reader may print to a terminal.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use crate::render::escape::is_deceptive;

/// Prints a line of the result to standard output. It is not an error if the reader has closed the pipe. If the result
/// cannot be written for another reason, the process exits at once.
pub fn say(line: impl Display) {
    match writeln!(std::io::stdout(), "{}", visible(line)) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            remark(format_args!("error: cannot write to standard output: {error}"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Prints a line that is not part of the result to standard error.
pub fn remark(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", visible(line));
}

/// Escapes characters that are invisible or that reorder text. Line breaks are kept.
pub fn visible(text: impl Display) -> String {
    let mut visible = String::new();
    for c in text.to_string().chars() {
        match c {
            '\n' => visible.push(c),
            c if is_deceptive(c) => visible.extend(c.escape_default()),
            c => visible.push(c),
        }
    }
    visible
}

/// Shortens a text for a message: if it is long, keeps only its beginning and its end.
pub fn excerpt(text: &str) -> String {
    const BEGINNING: usize = 350;
    const END: usize = 150;
    let length = text.chars().count();
    if length <= BEGINNING + END {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(BEGINNING).collect();
    let end: String = text.chars().skip(length - END).collect();
    format!("{beginning} ... {end}")
}

#[cfg(test)]
mod tests {
    use super::{excerpt, visible};

    #[test]
    fn control_and_direction_characters_are_escaped() {
        let commands = (0..0x20).chain(0x7f..0xa0).filter(|&c| c != u32::from('\n'));
        let directions = [0x61c, 0x200e, 0x200f].into_iter().chain(0x202a..=0x202e).chain(0x2066..=0x2069);
        for c in commands.chain(directions).filter_map(char::from_u32) {
            let shown = visible(c);
            assert!(shown.starts_with('\\') && shown.is_ascii(), "{c:?} is shown as {shown:?}");
        }
    }

    #[test]
    fn an_excerpt_has_the_beginning_and_the_end() {
        assert_eq!(excerpt(&"é".repeat(500)), "é".repeat(500));
        let short = excerpt(&format!("a{}z", "é".repeat(100_000)));
        assert!(short.starts_with("aé") && short.ends_with("éz") && short.chars().count() < 510, "{short}");
    }

    #[test]
    fn readable_text_is_unchanged() {
        let text = "§4.2 – “café”, 日本, 🦀\n  two blanks, a \\ and a \"quote\"";
        assert_eq!(visible(text), text);
    }
}
