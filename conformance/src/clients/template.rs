//! Command lines with placeholders.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail, ensure};

/// A command line with placeholders. No shell runs it.
///
/// It is split at blanks, and quotes and backslashes work as in a shell. Then placeholders are filled in, so that what is
/// filled in is never split.
///
/// ```
/// use smtp_conformance::clients::template::Template;
///
/// assert!(Template::read("send --to {to} --subject 'Two words'").is_ok());
/// let error = Template::read("send {recipient}").unwrap_err();
/// assert!(error.to_string().starts_with("there is no placeholder {recipient}: use {host}, {port}"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Pieces(Vec<Piece>),
    /// One argument for each recipient, perhaps each after an option.
    EachRecipient {
        option: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

/// What a placeholder is replaced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Host,
    Port,
    From,
    To,
    Recipients,
    Message,
    MessageLf,
    Certificate,
    User,
    Password,
}

const PLACEHOLDERS: [(&str, Placeholder); 10] = [
    ("host", Placeholder::Host),
    ("port", Placeholder::Port),
    ("from", Placeholder::From),
    ("to", Placeholder::To),
    ("rcpts,", Placeholder::Recipients),
    ("message", Placeholder::Message),
    ("message-lf", Placeholder::MessageLf),
    ("ca", Placeholder::Certificate),
    ("user", Placeholder::User),
    ("password", Placeholder::Password),
];

/// The values of the placeholders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) from: &'a str,
    pub(super) recipients: &'a [String],
    /// The message with CR LF at the ends of its lines.
    pub(super) message: &'a Path,
    /// The message with LF at the ends of its lines.
    pub(super) message_lf: &'a Path,
    /// The certificate of the server.
    pub(super) certificate: &'a Path,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// If a quote is not closed, if a placeholder is not known, or if there is no program.
    pub fn read(text: &str) -> Result<Template> {
        let words = words(text)?;
        ensure!(!words.is_empty(), "the command is empty: write the program and its arguments");
        let arguments = words.iter().map(|word| Argument::read(word)).collect::<Result<_>>()?;
        Ok(Template { text: text.to_owned(), arguments })
    }

    /// Returns the template as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the name of the program, without its folders.
    #[must_use]
    pub fn program(&self) -> String {
        let first = self.text.split_whitespace().next().unwrap_or_default();
        first.rsplit('/').next().unwrap_or(first).to_owned()
    }

    /// Returns the program and its arguments.
    pub(super) fn filled(&self, values: &Values<'_>) -> Vec<OsString> {
        self.arguments.iter().flat_map(|argument| argument.filled(values)).collect()
    }
}

impl Argument {
    fn read(word: &str) -> Result<Argument> {
        if let Some(inside) = word.strip_prefix("{rcpts").and_then(|rest| rest.strip_suffix('}')) {
            match inside.strip_prefix(':') {
                _ if inside.is_empty() => return Ok(Argument::EachRecipient { option: None }),
                Some(option) => return Ok(Argument::EachRecipient { option: Some(option.to_owned()) }),
                None => {}
            }
        }
        let mut pieces = Vec::new();
        let mut rest = word;
        while let Some(start) = rest.find('{') {
            let (text, after) = rest.split_at(start);
            let Some(end) = after.find('}') else {
                bail!("{word}: a brace is not closed; {{ and }} enclose placeholders");
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(text.to_owned()));
            }
            pieces.push(Piece::Value(placeholder(&after[1..end])?));
            rest = &after[end + 1..];
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Argument::Pieces(pieces))
    }

    fn filled(&self, values: &Values<'_>) -> Vec<OsString> {
        match self {
            Argument::EachRecipient { option } => {
                let each =
                    |recipient: &String| option.iter().chain([recipient]).map(OsString::from).collect();
                values.recipients.iter().flat_map(|recipient| -> Vec<OsString> { each(recipient) }).collect()
            }
            Argument::Pieces(pieces) => {
                let mut argument = OsString::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => argument.push(text),
                        Piece::Value(placeholder) => argument.push(placeholder.value(values)),
                    }
                }
                vec![argument]
            }
        }
    }
}

impl Placeholder {
    fn value(self, values: &Values<'_>) -> OsString {
        match self {
            Placeholder::Host => values.host.into(),
            Placeholder::Port => values.port.to_string().into(),
            Placeholder::From => values.from.into(),
            Placeholder::To => values.recipients.first().map(OsString::from).unwrap_or_default(),
            Placeholder::Recipients => values.recipients.join(",").into(),
            Placeholder::Message => values.message.into(),
            Placeholder::MessageLf => values.message_lf.into(),
            Placeholder::Certificate => values.certificate.into(),
            Placeholder::User => values.user.into(),
            Placeholder::Password => values.password.into(),
        }
    }
}

fn placeholder(name: &str) -> Result<Placeholder> {
    if let Some((_, placeholder)) = PLACEHOLDERS.iter().find(|(known, _)| *known == name) {
        return Ok(*placeholder);
    }
    ensure!(
        name != "rcpts" && !name.starts_with("rcpts:"),
        "{{{name}}} becomes several arguments: put blanks around it, or write {{rcpts,}} for a list with commas"
    );
    let names = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(", ");
    bail!("there is no placeholder {{{name}}}: use {names}, {{rcpts}} or {{rcpts:OPTION}}")
}

/// Splits a command line at blanks. A backslash takes the meaning from the next character, and quotes from all that they
/// enclose, but that a backslash works within double quotes.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('"') | None, '\\') => match characters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => bail!("nothing follows the last backslash: write two for one"),
            },
            (Some(open), character) if open == character => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        bail!("a quote is not closed: write another {open}");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Vec<String> {
        let recipients = ["a b@example.org".to_owned(), "c@example.org".to_owned()];
        let values = Values {
            host: "127.0.1.2",
            port: 25,
            from: "{to}; rm 'x' $(y)",
            recipients: &recipients,
            message: Path::new("/tmp/a message"),
            message_lf: Path::new("/tmp/lf"),
            certificate: Path::new("/tmp/ca.pem"),
            user: "alice",
            password: "secret",
        };
        let template = Template::read(template).expect("it is well-formed");
        template.filled(&values).into_iter().map(|one| one.into_string().expect("UTF-8")).collect()
    }

    #[test]
    fn what_is_filled_in_is_neither_split_nor_filled_again() {
        assert_eq!(
            filled("send -f {from} @{message}"),
            ["send", "-f", "{to}; rm 'x' $(y)", "@/tmp/a message"]
        );
        assert_eq!(filled("{host}:{port}"), ["127.0.1.2:25"]);
    }

    #[test]
    fn recipients_are_one_argument_or_several() {
        assert_eq!(filled("{to}"), ["a b@example.org"]);
        assert_eq!(filled("x{rcpts,}"), ["xa b@example.org,c@example.org"]);
        assert_eq!(filled("x {rcpts}"), ["x", "a b@example.org", "c@example.org"]);
        assert_eq!(filled("{rcpts:--to} x"), ["--to", "a b@example.org", "--to", "c@example.org", "x"]);
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        let cases = [
            ("  a  b ", vec!["a", "b"]),
            ("'a b' \"c 'd'\" e\\ f", vec!["a b", "c 'd'", "e f"]),
            ("a'b'\"c\" '' \"\"", vec!["abc", "", ""]),
            ("\"a\\\"b\" 'a\\b'", vec!["a\"b", "a\\b"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).expect(text), expected);
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        for (template, expected) in [
            ("", "the command is empty: write the program and its arguments"),
            ("a 'b", "a quote is not closed: write another '"),
            ("a\\", "nothing follows the last backslash: write two for one"),
            ("a {to", "{to: a brace is not closed; { and } enclose placeholders"),
            (
                "--to={rcpts}",
                "{rcpts} becomes several arguments: put blanks around it, or write {rcpts,} for a list with commas",
            ),
        ] {
            assert_eq!(Template::read(template).expect_err(template).to_string(), expected);
        }
    }
}
