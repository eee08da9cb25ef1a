//! The style of text on a terminal: its colours, and the width to which its lines are wrapped.

use anstyle::{AnsiColor, Style as Ansi};
use textwrap::{Options, WordSplitter, WrapAlgorithm};

use crate::rules::catalogue::Level;

/// The style of text for people. By default, it has no colours and its lines are not wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether levels and headings have colours.
    pub colour: bool,
    /// The number of columns to which lines are wrapped, or `None` to leave them alone. A longer word is not broken.
    pub width: Option<usize>,
}

/// The narrowest width that lines are wrapped to.
const NARROWEST: usize = 20;

impl Style {
    /// Returns a text in the colour of a level.
    pub(crate) fn level(self, level: Level, text: &str) -> String {
        let colour = match level {
            Level::Error => AnsiColor::Red,
            Level::Warning => AnsiColor::Yellow,
            Level::Note => AnsiColor::Cyan,
        };
        self.paint(colour.on_default().bold(), text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    fn paint(self, style: Ansi, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Wraps each line of a text between words. Continuation lines are indented further than the beginning of the line.
    pub(crate) fn wrapped(self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let mut wrapped = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            wrapped.push_str(&wrapped_line(line, width.max(NARROWEST)));
            wrapped.push_str(end);
        }
        wrapped
    }
}

fn wrapped_line(line: &str, width: usize) -> String {
    let text = line.trim_start_matches(' ');
    let indent = " ".repeat(line.len() - text.len());
    let hanging = format!("{indent}{}", " ".repeat(hang(text)));
    let options = Options::new(width)
        .initial_indent(&indent)
        .subsequent_indent(&hanging)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).join("\n")
}

/// Returns how much further than the beginning of a line its continuation lines are indented.
fn hang(text: &str) -> usize {
    // What client and server said is aligned after the speaker.
    if text.starts_with("C: ") || text.starts_with("S: ") {
        return 3;
    }
    // Columns are separated by two spaces. The continuation lines are aligned with the last column.
    let columns = text.get(..COLUMNS).and_then(|columns| columns.rfind("  "));
    columns.map_or(2, |end| end + 2)
}

/// The number of octets at the beginning of a line in which columns are looked for.
const COLUMNS: usize = 20;

#[cfg(test)]
mod tests {
    use super::Style;
    use crate::rules::catalogue::Level;

    #[test]
    fn lines_are_wrapped_between_words_and_indented() {
        let style = Style { colour: false, width: Some(24) };
        assert_eq!(
            style.wrapped("error enhanced-code-present, 12 times\n\n    S: 250 one two three four\n"),
            "error\n  enhanced-code-present,\n  12 times\n\n    S: 250 one two three\n       four\n"
        );
        let long = "x".repeat(80);
        assert_eq!(style.wrapped(&format!("  a {long} b\n")), format!("  a\n    {long}\n    b\n"));
        assert_eq!(
            Style { colour: false, width: Some(40) }
                .wrapped("skipped       12  needs the target's mailbox\n"),
            "skipped       12  needs the target's\n                  mailbox\n"
        );
        assert_eq!(style.wrapped(""), "");
        let short = "  250-Ok  two spaces\n";
        assert_eq!(style.wrapped(short), short);
        assert_eq!(Style::default().wrapped(&long), long);
    }

    #[test]
    fn colours_do_not_count_towards_the_width() {
        let style = Style { colour: true, width: Some(24) };
        let coloured = style.level(Level::Error, "error");
        assert_eq!(coloured, "\u{1b}[1m\u{1b}[31merror\u{1b}[0m");
        let line = format!("{coloured} lines-end-crlf, 12");
        assert_eq!(style.wrapped(&line), line);
        assert_eq!(Style::default().level(Level::Error, "error"), "error");
    }
}
