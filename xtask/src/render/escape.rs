//! Escapes text for the place where a template prints it, and makes sure that templates print nothing else.
//!
//! A template can print only [`Escaped`] values of its own target. Each begins with the target's mark, a control
//! character that cannot occur in XML or TOML text. The target's askama escaper (see `askama.toml`) removes the mark
//! and fails on text without it. So a template that prints a raw field cannot be rendered.

use std::fmt::{self, Display, Write};
use std::marker::PhantomData;

use askama::filters::Escaper;

/// A place in a product, with its escaping rules.
pub trait Place {
    /// The target whose templates may print text for this place.
    type Target: Target;

    /// Escapes a text for this place.
    fn escape(text: &str) -> String;
}

/// A file format that templates produce.
pub trait Target {
    /// The mark of text that is escaped for this target.
    const MARK: char;
}

/// Text that is escaped for a place.
pub struct Escaped<P: Place> {
    marked: String,
    place: PhantomData<P>,
}

impl<P: Place> Escaped<P> {
    /// Escapes a value's text.
    pub fn new(text: impl Display) -> Self {
        let escaped = P::escape(&text.to_string());
        Escaped { marked: format!("{}{escaped}", P::Target::MARK), place: PhantomData }
    }
}

impl<P: Place> Display for Escaped<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one write, so that the escaper gets the mark and the text together.
        f.write_str(&self.marked)
    }
}

/// Names, numbers and dates: ASCII letters and digits, `_`, `.` and `-`. Other characters become `_`.
pub struct Word<T>(PhantomData<T>);

impl<T: Target> Place for Word<T> {
    type Target = T;

    fn escape(text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
    }
}

/// Declares a target with its askama escaper, which has the same name.
macro_rules! target {
    ($(#[$doc:meta])* $name:ident, $mark:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name;

        impl Target for $name {
            const MARK: char = $mark;
        }

        impl Escaper for $name {
            fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
                dest.write_str(text.strip_prefix(Self::MARK).ok_or(fmt::Error)?)
            }
        }
    };
}

target!(
    /// Rust source.
    Rust,
    '\u{1}'
);
target!(
    /// C and C++ source.
    C,
    '\u{2}'
);
target!(
    /// GitHub-flavoured Markdown.
    Markdown,
    '\u{3}'
);
target!(
    /// JSON.
    Json,
    '\u{4}'
);
target!(
    /// CSV.
    Csv,
    '\u{5}'
);
target!(
    /// HTML.
    Html,
    '\u{7}'
);
target!(
    /// TOML.
    Toml,
    '\u{e}'
);
target!(
    /// YAML.
    Yaml,
    '\u{f}'
);
target!(
    /// Build files: Makefile, pkg-config, CMake.
    Build,
    '\u{6}'
);

/// Returns whether a character is a control character, or can hide or reorder the text around it.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A string literal of Rust. Everything but ASCII and `§` is escaped.
pub struct RustLiteral;

impl Place for RustLiteral {
    type Target = Rust;

    fn escape(text: &str) -> String {
        let mut literal = String::from("\"");
        for c in text.chars() {
            match c {
                '\'' => literal.push('\''),
                '§' => literal.push('§'),
                _ => literal.extend(c.escape_default()),
            }
        }
        literal.push('"');
        literal
    }
}

/// Text after `//`: one line, with nothing hidden or reordered.
pub struct RustComment;

impl Place for RustComment {
    type Target = Rust;

    fn escape(text: &str) -> String {
        plain_line(text)
    }
}

/// A line of a Rust doc comment, as Markdown text.
pub struct RustDoc;

impl Place for RustDoc {
    type Target = Rust;

    fn escape(text: &str) -> String {
        MarkdownText::escape(text)
    }
}

/// A link in a Rust doc comment.
pub struct RustUrl;

impl Place for RustUrl {
    type Target = Rust;

    fn escape(text: &str) -> String {
        escape_url(text)
    }
}

/// Cells of a C macro call: words and numbers, with the commas and blanks between them.
pub struct CCells;

impl Place for CCells {
    type Target = C;

    fn escape(text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ' ');
        text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
    }
}

/// A string literal of C with the same octets. `?` (because of trigraphs), `%` and everything outside printable ASCII
/// become octal escapes.
pub struct CLiteral;

impl Place for CLiteral {
    type Target = C;

    fn escape(text: &str) -> String {
        let mut literal = String::from("\"");
        for octet in text.bytes() {
            match octet {
                b'"' | b'\\' => literal.extend(['\\', char::from(octet)]),
                b'?' | b'%' | 0..=0x1f | 0x7f..=0xff => {
                    let _ = write!(literal, "\\{octet:03o}");
                }
                _ => literal.push(char::from(octet)),
            }
        }
        literal.push('"');
        literal
    }
}

/// Text inside a C comment: printable ASCII that opens or closes no comment, and has no trigraph or backslash.
pub struct CComment;

impl Place for CComment {
    type Target = C;

    fn escape(text: &str) -> String {
        let mut comment = String::new();
        for c in text.chars() {
            match c {
                '/' if comment.ends_with('*') => comment.push_str(" /"),
                '*' if comment.ends_with('/') => comment.push_str(" *"),
                '?' if comment.ends_with('?') => comment.push_str(" ?"),
                '\\' => comment.push_str("<backslash>"),
                '§' => comment.push_str("section "),
                ' '..='~' => comment.push(c),
                _ => {
                    let _ = write!(comment, "<U+{:04X}>", u32::from(c));
                }
            }
        }
        comment
    }
}

/// One line of text in GitHub-flavoured Markdown, inside or outside a table cell. It is shown unchanged.
pub struct MarkdownText;

impl Place for MarkdownText {
    type Target = Markdown;

    fn escape(text: &str) -> String {
        let mut markdown = String::new();
        let start = LineStart::of(text);
        for (index, c) in text.char_indices() {
            let (before, after) = (&text[..index], &text[index + c.len_utf8()..]);
            match c {
                // A blank at the start, at the end or after another blank would be lost.
                ' ' if before.is_empty() || after.is_empty() || before.ends_with(' ') => {
                    markdown.push_str("&#32;");
                }
                '<' => markdown.push_str("&lt;"),
                '&' => markdown.push_str("&amp;"),
                // Markdown finds bare addresses after it has undone escapes, so a comment separates the parts of one.
                '@' if is_inside_address(before, after) => markdown.push_str("<!-- -->@"),
                _ if is_deceptive(c) => {
                    let _ = write!(markdown, "&#x{:X};", u32::from(c));
                }
                _ if needs_backslash(c, &start, before, after) => markdown.extend(['\\', c]),
                _ => markdown.push(c),
            }
        }
        markdown
    }
}

/// How a line begins. It is computed once per line, so that escaping takes linear time.
struct LineStart {
    /// The position of the first word.
    word: usize,
    /// The position after the digits at the start of the first word.
    digits: usize,
}

impl LineStart {
    fn of(text: &str) -> LineStart {
        let trimmed = text.trim_start();
        let word = text.len() - trimmed.len();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        LineStart { word, digits: word + digits }
    }
}

/// Returns whether Markdown would interpret a character here.
fn needs_backslash(c: char, start: &LineStart, before: &str, after: &str) -> bool {
    match c {
        // Emphasis, code, links, tables, strikethrough, headings, GitHub's formulas.
        '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => true,
        // Lists, rules and quotes, at the start of a line only.
        '+' | '-' | '=' | '>' => before.len() <= start.word,
        // `www.` begins a bare address; a number followed by a dot or a parenthesis begins a list.
        '.' if ends_in_www(before) => true,
        '.' | ')' => {
            let after_number = before.len() == start.digits && start.digits > start.word;
            after_number && (after.is_empty() || after.starts_with(' '))
        }
        // Bare addresses, and GitHub's emoji by name.
        ':' => after.starts_with(|c: char| c.is_ascii_graphic()),
        // Before a link, it makes an image.
        '!' => after.is_empty(),
        _ => false,
    }
}

fn ends_in_www(text: &str) -> bool {
    let octets = text.as_bytes();
    octets.len() >= 3 && octets[octets.len() - 3..].eq_ignore_ascii_case(b"www")
}

fn is_inside_address(before: &str, after: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_alphanumeric() || ".+-_:".contains(c))
        && after.starts_with(|c: char| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// The target of a Markdown link, between angle brackets.
pub struct MarkdownUrl;

impl Place for MarkdownUrl {
    type Target = Markdown;

    fn escape(text: &str) -> String {
        escape_url(text)
    }
}

/// A JSON string with its quotes. Deceptive characters become `\u` escapes.
pub struct JsonString;

impl Place for JsonString {
    type Target = Json;

    fn escape(text: &str) -> String {
        visible_json(&serde_json::Value::from(text).to_string())
    }
}

/// Replaces the deceptive characters in a JSON text with `\u` escapes.
pub fn visible_json(json: &str) -> String {
    let mut visible = String::new();
    for c in json.chars() {
        // A line break is between values; inside a string it is already escaped.
        if is_deceptive(c) && c != '\n' {
            let _ = c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(visible, "\\u{unit:04x}"));
        } else {
            visible.push(c);
        }
    }
    visible
}

/// A part of a JSON string, without the quotes.
pub struct JsonStringPart;

impl Place for JsonStringPart {
    type Target = Json;

    fn escape(text: &str) -> String {
        let quoted = JsonString::escape(text);
        quoted[1..quoted.len() - 1].to_owned()
    }
}

/// A field of a CSV record with several fields (RFC 4180), quoted if necessary.
///
/// A spreadsheet takes the field for text, and shows all its characters:
///
/// * A field that a spreadsheet would take for a formula, or that begins with an apostrophe, gets an apostrophe in
///   front of it.
/// * A deceptive character other than LF is written as an escape such as `\u{202e}`. If the text itself has `\u{`, its
///   backslash is written as `\u{5c}`.
///
/// To get the text back, remove one leading apostrophe and undo the escapes.
pub struct CsvField;

impl Place for CsvField {
    type Target = Csv;

    fn escape(text: &str) -> String {
        let mut field = String::new();
        if text.trim_start().starts_with(BEGINS_FORMULA) || text.starts_with('\'') {
            field.push('\'');
        }
        for (index, c) in text.char_indices() {
            let looks_escaped = c == '\\' && text[index..].starts_with("\\u{");
            if looks_escaped || (is_deceptive(c) && c != '\n') {
                field.extend(c.escape_unicode());
            } else {
                field.push(c);
            }
        }
        let quoted = field.contains([',', '"', '\n']) || field.starts_with('#') || field.trim() != field;
        if quoted { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    }
}

/// The first characters of formulas. Some spreadsheets accept the full-width forms too.
const BEGINS_FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A string of TOML: literal, if that can have the text, because patterns are easier to read so.
pub struct TomlString;

impl Place for TomlString {
    type Target = Toml;

    fn escape(text: &str) -> String {
        if !text.contains('\'') && !text.chars().any(is_deceptive) {
            return format!("'{text}'");
        }
        let mut string = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => string.extend(['\\', c]),
                _ if is_deceptive(c) => {
                    let _ = write!(string, "\\U{:08X}", u32::from(c));
                }
                _ => string.push(c),
            }
        }
        string.push('"');
        string
    }
}

/// Text after `#` in TOML.
pub struct TomlComment;

impl Place for TomlComment {
    type Target = Toml;

    fn escape(text: &str) -> String {
        plain_line(text)
    }
}

/// A string of YAML in double quotes, on one line.
pub struct YamlString;

impl Place for YamlString {
    type Target = Yaml;

    fn escape(text: &str) -> String {
        let mut string = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => string.extend(['\\', c]),
                _ if is_deceptive(c) => {
                    let _ = write!(string, "\\U{:08X}", u32::from(c));
                }
                _ => string.push(c),
            }
        }
        string.push('"');
        string
    }
}

/// Text after `#` in YAML.
pub struct YamlComment;

impl Place for YamlComment {
    type Target = Yaml;

    fn escape(text: &str) -> String {
        plain_line(text)
    }
}

/// Text after `#` in a build file.
pub struct BuildComment;

impl Place for BuildComment {
    type Target = Build;

    fn escape(text: &str) -> String {
        plain_line(text)
    }
}

/// Text after `#` at the start of a CSV file.
pub struct CsvComment;

impl Place for CsvComment {
    type Target = Csv;

    fn escape(text: &str) -> String {
        plain_line(text)
    }
}

/// Text inside a Markdown comment, which ends at `-->`.
pub struct MarkdownComment;

impl Place for MarkdownComment {
    type Target = Markdown;

    fn escape(text: &str) -> String {
        plain_line(text).replace('>', "&gt;")
    }
}

/// Text in HTML, also in a quoted attribute. It is shown unchanged.
pub struct HtmlText;

impl Place for HtmlText {
    type Target = Html;

    fn escape(text: &str) -> String {
        let mut html = String::new();
        for c in text.chars() {
            match c {
                '<' | '>' | '&' | '"' | '\'' => {
                    let _ = write!(html, "&#{};", u32::from(c));
                }
                // HTML has no reference to most control characters.
                _ if c.is_control() => html.extend(c.escape_unicode()),
                _ if is_deceptive(c) => {
                    let _ = write!(html, "&#x{:X};", u32::from(c));
                }
                _ => html.push(c),
            }
        }
        html
    }
}

/// The address of a link in HTML.
pub struct HtmlUrl;

impl Place for HtmlUrl {
    type Target = Html;

    fn escape(text: &str) -> String {
        HtmlText::escape(&escape_url(text))
    }
}

/// Text inside an HTML comment, which ends at `-->` or `--!>`.
pub struct HtmlComment;

impl Place for HtmlComment {
    type Target = Html;

    fn escape(text: &str) -> String {
        plain_line(text).replace('>', "&gt;")
    }
}

/// A JSON text inside a script element. Outside its strings, JSON has none of the characters that are escaped.
pub struct HtmlJson;

impl Place for HtmlJson {
    type Target = Html;

    fn escape(json: &str) -> String {
        visible_json(json).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

/// A script or a style sheet of this project, inside its element. What would end the element, or begin a comment, is
/// only in strings, where the backslash changes nothing.
pub struct HtmlSource;

impl Place for HtmlSource {
    type Target = Html;

    fn escape(source: &str) -> String {
        source.replace("</", "<\\/").replace("<!--", "<\\!--")
    }
}

/// Returns the text with its deceptive characters escaped, as one line.
fn plain_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if is_deceptive(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

/// Percent-encodes every octet that could end the link or be misread.
fn escape_url(text: &str) -> String {
    let mut url = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(octet)),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'#' | b'&' | b'=' | b'+' | b'%' | b','
            | b';' => {
                url.push(char::from(octet));
            }
            _ => {
                let _ = write!(url, "%{octet:02X}");
            }
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;

    macro_rules! refuses_raw_text {
        ($test:ident, $extension:literal, $place:ty) => {
            #[test]
            fn $test() {
                #[derive(Template)]
                #[template(source = "[{{ text }}]", ext = $extension)]
                struct Page<T: Display> {
                    text: T,
                }
                let escaped = Page { text: Escaped::<$place>::new("a") }.render().unwrap();
                assert!(escaped == "[a]" || escaped == "[\"a\"]", "{escaped}");
                assert!(Page { text: "a" }.render().is_err(), "a template printed raw text");
                assert!(Page { text: 1 }.render().is_err(), "a template printed a raw number");
                let other = Page { text: Escaped::<Word<Other>>::new("a") };
                assert!(other.render().is_err(), "a template printed text of another target");
            }
        };
    }

    target!(
        /// A target without templates.
        #[allow(unreachable_pub, reason = "the macro declares public targets")]
        Other,
        '\u{8}'
    );

    #[test]
    fn escaping_takes_linear_time() {
        for unit in ["a.", "\u{a0}", "-", "1", "www.", ":a", "@a", " "] {
            // With a million of them, a scan of the whole line for each would take minutes.
            let long = unit.repeat(1_000_000);
            assert!(MarkdownText::escape(&long).len() >= long.len());
            assert!(
                MarkdownText::escape(&format!("{}{}", "\u{a0}".repeat(100_000), "-".repeat(100_000))).len()
                    > 100_000
            );
        }
    }

    refuses_raw_text!(rust_refuses_raw_text, "rs", RustLiteral);
    refuses_raw_text!(c_refuses_raw_text, "h", CLiteral);
    refuses_raw_text!(markdown_refuses_raw_text, "md", MarkdownText);
    refuses_raw_text!(json_refuses_raw_text, "json", JsonString);
    refuses_raw_text!(csv_refuses_raw_text, "csv", CsvField);
    refuses_raw_text!(html_refuses_raw_text, "html", HtmlText);

    #[test]
    fn html_shows_text_and_keeps_elements_open() {
        assert_eq!(HtmlText::escape("<a b='c'>&\"\u{202e}"), "&#60;a b=&#39;c&#39;&#62;&#38;&#34;&#x202E;");
        assert_eq!(HtmlUrl::escape("https://a.example/?b=\"<c>&d"), "https://a.example/?b=%22%3Cc%3E&#38;d");
        assert_eq!(HtmlComment::escape("a --> b"), "a --&gt; b");
        assert_eq!(
            HtmlJson::escape("[\"</script>&<!--\u{2028}\"]"),
            "[\"\\u003c/script\\u003e\\u0026\\u003c!--\\u2028\"]"
        );
        assert_eq!(HtmlSource::escape("'</script><!--'"), "'<\\/script><\\!--'");
    }
    refuses_raw_text!(toml_refuses_raw_text, "toml", TomlComment);
    refuses_raw_text!(yaml_refuses_raw_text, "yaml", YamlString);
    refuses_raw_text!(makefile_refuses_raw_text, "mk", BuildComment);
    refuses_raw_text!(pkg_config_refuses_raw_text, "in", BuildComment);
    refuses_raw_text!(cmake_refuses_raw_text, "cmake", BuildComment);
    refuses_raw_text!(cmake_lists_refuse_raw_text, "txt", BuildComment);
}
