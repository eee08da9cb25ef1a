//! Escapes text from outside for reports.
//!
//! A Markdown template prints only [`Markdown`]. Its text begins with a mark that escaped text cannot contain. The
//! escaper removes the mark and fails on text without it. An HTML template escapes everything that it prints.

use std::fmt::{self, Display, Write};

use askama::filters::Escaper;

/// Returns a text with every character escaped that is not printable ASCII or one of a few punctuation marks. Control
/// characters and those that reverse the direction of the text are thus visible.
pub(crate) fn escaped(text: &str) -> String {
    let harmless =
        |character: char| character.is_ascii_graphic() || character == ' ' || "§–—’“”".contains(character);
    text.chars()
        .flat_map(
            |character| {
                if harmless(character) { vec![character] } else { character.escape_default().collect() }
            },
        )
        .collect()
}

/// Splits a text at its first pair of backticks.
pub(super) fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

const MARK: char = '\u{3}';

/// Text escaped for GitHub-flavoured Markdown.
pub(crate) struct Markdown {
    marked: String,
}

impl Markdown {
    /// Returns a text that can be inserted within a line or a table cell, but not at the start of a line. It is
    /// [`escaped`], and appears without markup, links or mentions.
    pub(crate) fn text(text: impl Display) -> Markdown {
        let shown = escaped(&text.to_string());
        let mut marked = String::from(MARK);
        let mut before = ' ';
        for (index, character) in shown.char_indices() {
            let blank_is_lost = before == ' ' || index + 1 == shown.len();
            match character {
                ' ' if blank_is_lost => marked.push_str("&#32;"),
                ' ' => marked.push(' '),
                // A mention or a reference needs its name directly after this character, so a comment separates them.
                '@' | '#' => {
                    let _ = write!(marked, "&#{};<!-- -->", u32::from(character));
                }
                // Directly after a bracket of the template, it would begin the name of a footnote.
                '^' if index == 0 => marked.push_str("<!-- -->&#94;"),
                _ if is_plain(character, before) => marked.push(character),
                _ => {
                    let _ = write!(marked, "&#{};", u32::from(character));
                }
            }
            before = character;
        }
        Markdown { marked }
    }

    /// Returns the name of an anchor, which consists of ASCII letters, digits and hyphens.
    pub(super) fn anchor(text: &str) -> Markdown {
        let part = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
        Markdown { marked: std::iter::once(MARK).chain(text.chars().map(part)).collect() }
    }

    /// Returns a text in which the parts between backticks become code. All of it is escaped, as in [`Markdown::text`].
    pub(super) fn coded(text: &str) -> Markdown {
        let mut marked = String::from(MARK);
        // A blank next to code is not lost.
        let part = |text: &str| Markdown::text(text).marked.trim_start_matches(MARK).replace("&#32;", " ");
        let mut rest = text;
        while let Some((before, code, after)) = quoted(rest) {
            let _ = write!(marked, "{}<code>{}</code>", part(before), part(code));
            rest = after;
        }
        marked.push_str(&part(rest));
        Markdown { marked }
    }

    /// Returns the target of a link, in which only what is usual in addresses of RFCs stays.
    pub(super) fn url(text: &str) -> Markdown {
        let is_usual = |character: &char| character.is_ascii_alphanumeric() || ":/.#-".contains(*character);
        Markdown { marked: std::iter::once(MARK).chain(text.chars().filter(is_usual)).collect() }
    }

    /// Returns a code block of commands for a shell, which must be printable.
    pub(super) fn shell(commands: &str) -> Markdown {
        let block = Markdown::block(commands.lines());
        Markdown { marked: block.marked.replacen("text\n", "sh\n", 1) }
    }

    /// Returns a code block of [`escaped`] lines, with a fence that none of them contains.
    pub(super) fn block(lines: impl IntoIterator<Item = impl Display>) -> Markdown {
        let lines: Vec<String> = lines.into_iter().map(|line| escaped(&line.to_string())).collect();
        let longest =
            lines.iter().flat_map(|line| line.split(|character| character != '`')).map(str::len).max();
        let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Markdown { marked: format!("{MARK}{fence}text\n{lines}{fence}") }
    }
}

/// Returns whether a character has no special meaning within a line of Markdown.
fn is_plain(character: char, before: char) -> bool {
    match character {
        // `www.` begins a link.
        '.' => !before.eq_ignore_ascii_case(&'w'),
        ',' | ';' | '(' | ')' | '"' | '\'' | '/' | '?' | '+' | '%' | '=' | '-' => true,
        _ => character.is_ascii_alphanumeric() || !character.is_ascii(),
    }
}

impl Display for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One write, so that the escaper sees the mark and the text together.
        f.write_str(&self.marked)
    }
}

/// The escaper of Markdown templates, which fails on text that is not [`Markdown`].
#[derive(Clone, Copy)]
pub(crate) struct MarkdownOnly;

impl Escaper for MarkdownOnly {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        dest.write_str(text.strip_prefix(MARK).ok_or(fmt::Error)?)
    }
}

/// The escaper of HTML templates, for text and quoted attributes. Text is [`escaped`], and characters that could be
/// markup become entities.
#[derive(Clone, Copy)]
pub(super) struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, dest: W, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(dest, &escaped(text))
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;
    use comrak::nodes::NodeValue;
    use comrak::{Arena, Options};
    use proptest::prelude::*;

    use super::*;

    #[derive(Template)]
    #[template(source = "[{{ text }}]", ext = "md")]
    struct Page<T: Display> {
        text: T,
    }

    #[derive(Template)]
    #[template(source = "<p title=\"{{ text }}\">{{ text }}</p>", ext = "html")]
    struct HtmlPage<'a> {
        text: &'a str,
    }

    #[test]
    fn markdown_refuses_raw_text() {
        assert_eq!(Page { text: Markdown::text("a") }.render().unwrap(), "[a]");
        assert!(Page { text: "a" }.render().is_err(), "raw text was accepted");
        assert!(Page { text: 1 }.render().is_err(), "a raw number was accepted");
    }

    #[test]
    fn html_escapes_text() {
        let page = HtmlPage { text: "\"><script>'&\u{202e}\u{1b}" }.render().unwrap();
        assert!(
            !page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{1b}'),
            "{page}"
        );
        assert_eq!(page.matches('"').count(), 2, "{page}");
    }

    /// Returns the extensions that GitHub applies to a Markdown file, if comrak has them.
    fn options() -> Options<'static> {
        let mut options = Options::default();
        let extension = &mut options.extension;
        extension.table = true;
        extension.autolink = true;
        extension.strikethrough = true;
        extension.tasklist = true;
        extension.footnotes = true;
        extension.alerts = true;
        extension.math_dollars = true;
        extension.math_code = true;
        extension.shortcodes = true;
        options
    }

    /// Returns what a reader sees of the cell `<code>TEXT</code>`. Fails if there is any markup.
    fn seen(text: &str) -> String {
        let cell = Page { text: Markdown::text(text) }.render().unwrap();
        let page = format!("| a | b |\n| --- | --- |\n| <code>{cell}</code> | b |\n");
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, &page, &options());
        let (mut seen, mut cells) = (String::new(), 0);
        for node in root.descendants() {
            match &node.data().value {
                NodeValue::Text(text) => seen.push_str(text),
                NodeValue::HtmlInline(html) => {
                    assert!(["<code>", "</code>", "<!-- -->"].contains(&html.as_str()), "{page}");
                }
                NodeValue::TableCell => cells += 1,
                NodeValue::Document | NodeValue::Table(_) | NodeValue::TableRow(_) => {}
                other => panic!("{other:?} in {page}"),
            }
        }
        assert_eq!(cells, 4, "{page}");
        seen.strip_prefix("ab[").and_then(|seen| seen.strip_suffix("]b")).expect("the cell").to_owned()
    }

    #[test]
    fn markup_stays_text() {
        for text in [
            "",
            " ",
            "  a  b ",
            "*a* _b_ ~~c~~ `d` ``",
            "[a](http://b) ![a](b) [^1] [x]",
            "<b>a</b> <!-- a --> &amp; &#64;",
            "a | b \\| c \\",
            "http://a.example https://b www.example.org WWW.example.org",
            "a@example.org @maintainer",
            "mailto:a@b.example xmpp:a@b",
            "#123 GH-1 a/b#1",
            ":smile: $a$ $`a`$",
            "- a\n1. b\n> c\n# d\n---\n| e |",
            "\u{202e}\u{1b}[2J\u{0}",
            "\\*a\\*",
            "a<br>b",
            "</code><script>",
            "[!NOTE]",
            "^#",
            "^1",
        ] {
            assert_eq!(seen(text), escaped(text));
        }
    }

    proptest! {
        #[test]
        fn any_text_stays_text(text in "[ -~\\n]{0,40}|\\PC{0,20}|([*_`\\[\\]()<>@#|:.&;!$~w/-]|www|http|code|a ){0,20}") {
            prop_assert_eq!(seen(&text), escaped(&text));
        }

        #[test]
        fn no_line_closes_a_block(lines in prop::collection::vec("[`~ a-c<>|]{0,12}", 0..5)) {
            let block = Page { text: Markdown::block(&lines) }.render().unwrap();
            let page = block.trim_matches(['[', ']']);
            let arena = Arena::new();
            let root = comrak::parse_document(&arena, page, &options());
            let children: Vec<_> = root.children().collect();
            prop_assert_eq!(children.len(), 1, "{}", page);
            let value = &children[0].data().value;
            let NodeValue::CodeBlock(block) = value else { panic!("{page}") };
            prop_assert_eq!(&block.literal, &lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        }
    }
}
