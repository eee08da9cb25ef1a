//! Placeholders in braces, in the texts of cases.

use std::fmt;

use anyhow::{Context as _, Result, bail};

use crate::knowledge::Knowledge;
use crate::limits::FILLER_OCTETS;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// Text that is sent unchanged.
    Text(&'t str),
    /// A placeholder that is replaced by its value.
    Placeholder(Placeholder<'t>),
}

/// A placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder<'t> {
    /// `{me}`: the host name of the client.
    Me,
    /// `{n}`: the number of the repetition, from 1.
    Repetition,
    /// `{sender}`: the address of the sender.
    Sender,
    /// `{valid}` and the other [mailboxes](Knowledge::MAILBOXES).
    Mailbox(&'t str),
    /// `{sender-case}` and `{valid-case}`: the sender or the valid mailbox, with the letter case of its local part
    /// swapped.
    Swapped { sender: bool },
    /// `{valid-domain-case}`, `{valid-quoted}`, `{valid-escaped}` and `{valid-local}`: the valid mailbox, spelled otherwise.
    Spelled(Spelling),
    /// `{marker}`: a text by which a message is recognized when it arrives. It is new for each step.
    Marker,
    /// `{domain}`: the domain of the valid mailbox.
    Domain,
    /// `{size+1}`: one octet more than the SIZE limit.
    TooLarge,
    /// `{solicitation}`: the first class of solicitations that the server does not want (RFC 3865 §2.2).
    Solicitation,
    /// `{user}`: the user name in base64.
    User,
    /// `{plain}`: the message of SASL PLAIN in base64. `{plain-wrong}`: the same with a wrong password.
    Plain { wrong: bool },
    /// `{plain-hyphen}` and `{plain-bell}`: the message of SASL PLAIN with an authorization identity that must fail.
    PlainAs(Identity),
    /// `{password}`: the password in base64. `{password-wrong}`: a wrong password.
    Password { wrong: bool },
    /// `{pad:N}`: N letters. `{lines:N:TEXT}`: N lines of that text.
    Filler { count: usize, text: &'t str, end: &'static str },
}

/// An authorization identity that must fail when SASLprep prepares it (RFC 4954 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A soft hyphen, of which nothing is left.
    Hyphen,
    /// The control character BEL.
    Bell,
}

impl Identity {
    /// Every identity.
    pub(crate) const ALL: [Identity; 2] = [Identity::Hyphen, Identity::Bell];

    /// Returns the identity.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Identity::Hyphen => "\u{ad}",
            Identity::Bell => "\u{7}",
        }
    }
}

/// Another spelling of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// With the letter case of its domain swapped.
    DomainCase,
    /// With its local part in quotes.
    Quoted,
    /// With its local part in quotes, and a backslash before its first letter.
    Escaped,
    /// Its local part alone.
    Local,
}

/// Splits a text into pieces. `{{` and `}}` become single braces.
///
/// # Errors
///
/// Returns an error for a single brace or an unknown placeholder.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(position);
        pieces.push(Piece::Text(before));
        if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            pieces.push(Piece::Text(&brace[..1]));
            rest = after;
            continue;
        }
        let inside = brace.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let Some((name, after)) = inside else { bail!("{text:?}: write a literal brace twice") };
        let placeholder = Placeholder::read(name).with_context(|| {
            format!(
                "{text:?}: unknown placeholder {{{name}}}; write {{me}}, {{n}}, {{sender}}, {{{}}}, \
                 {{sender-case}}, {{valid-case}}, {{valid-domain-case}}, {{valid-quoted}}, {{valid-escaped}}, {{valid-local}}, {{domain}}, {{marker}}, {{size+1}}, {{solicitation}}, {{user}}, {{password}}, {{password-wrong}}, {{plain}}, {{plain-wrong}}, {{plain-hyphen}}, {{plain-bell}}, \
                 {{pad:N}} and {{lines:N:TEXT}} of at most {FILLER_OCTETS} octets",
                Knowledge::MAILBOXES.join("}, {")
            )
        })?;
        pieces.push(Piece::Placeholder(placeholder));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

impl Placeholder<'_> {
    /// Returns whether its value is a plain fact about the client or the target, and no secret.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn is_of_target(self) -> bool {
        use Placeholder::{Domain, Mailbox, Me, Sender, Spelled, Swapped, TooLarge};
        matches!(self, Me | Sender | Mailbox(_) | Swapped { .. } | Spelled(_) | Domain | TooLarge)
    }

    fn read(name: &str) -> Option<Placeholder<'_>> {
        Some(match name {
            "me" => Placeholder::Me,
            "n" => Placeholder::Repetition,
            "sender" => Placeholder::Sender,
            "sender-case" => Placeholder::Swapped { sender: true },
            "valid-case" => Placeholder::Swapped { sender: false },
            "valid-domain-case" => Placeholder::Spelled(Spelling::DomainCase),
            "valid-quoted" => Placeholder::Spelled(Spelling::Quoted),
            "valid-escaped" => Placeholder::Spelled(Spelling::Escaped),
            "valid-local" => Placeholder::Spelled(Spelling::Local),
            "marker" => Placeholder::Marker,
            "domain" => Placeholder::Domain,
            "size+1" => Placeholder::TooLarge,
            "solicitation" => Placeholder::Solicitation,
            "user" => Placeholder::User,
            "plain" => Placeholder::Plain { wrong: false },
            "plain-wrong" => Placeholder::Plain { wrong: true },
            "plain-hyphen" => Placeholder::PlainAs(Identity::Hyphen),
            "plain-bell" => Placeholder::PlainAs(Identity::Bell),
            "password" => Placeholder::Password { wrong: false },
            "password-wrong" => Placeholder::Password { wrong: true },
            name if Knowledge::MAILBOXES.contains(&name) => Placeholder::Mailbox(name),
            name => filler(name)?,
        })
    }
}

/// Formats a placeholder as cases write it.
impl fmt::Display for Placeholder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placeholder::Me => f.write_str("{me}"),
            Placeholder::Repetition => f.write_str("{n}"),
            Placeholder::Sender => f.write_str("{sender}"),
            Placeholder::Mailbox(name) => write!(f, "{{{name}}}"),
            Placeholder::Swapped { sender: true } => f.write_str("{sender-case}"),
            Placeholder::Swapped { sender: false } => f.write_str("{valid-case}"),
            Placeholder::Spelled(Spelling::DomainCase) => f.write_str("{valid-domain-case}"),
            Placeholder::Spelled(Spelling::Quoted) => f.write_str("{valid-quoted}"),
            Placeholder::Spelled(Spelling::Escaped) => f.write_str("{valid-escaped}"),
            Placeholder::Spelled(Spelling::Local) => f.write_str("{valid-local}"),
            Placeholder::Marker => f.write_str("{marker}"),
            Placeholder::Domain => f.write_str("{domain}"),
            Placeholder::TooLarge => f.write_str("{size+1}"),
            Placeholder::Solicitation => f.write_str("{solicitation}"),
            Placeholder::User => f.write_str("{user}"),
            Placeholder::Plain { wrong: false } => f.write_str("{plain}"),
            Placeholder::Plain { wrong: true } => f.write_str("{plain-wrong}"),
            Placeholder::PlainAs(Identity::Hyphen) => f.write_str("{plain-hyphen}"),
            Placeholder::PlainAs(Identity::Bell) => f.write_str("{plain-bell}"),
            Placeholder::Password { wrong: false } => f.write_str("{password}"),
            Placeholder::Password { wrong: true } => f.write_str("{password-wrong}"),
            Placeholder::Filler { count, end: "", .. } => write!(f, "{{pad:{count}}}"),
            Placeholder::Filler { count, text, .. } => write!(f, "{{lines:{count}:{text}}}"),
        }
    }
}

fn filler(name: &str) -> Option<Placeholder<'_>> {
    let (count, text, end) = match name.split_once(':')? {
        ("pad", count) => (count, "x", ""),
        ("lines", rest) => rest.split_once(':').map(|(count, text)| (count, text, "\r\n"))?,
        _ => return None,
    };
    let count: usize = count.parse().ok()?;
    let is_short = count.checked_mul(text.len() + end.len())? <= FILLER_OCTETS;
    is_short.then_some(Placeholder::Filler { count, text, end })
}

#[cfg(test)]
mod tests {
    use super::{FILLER_OCTETS, Piece, Placeholder, filler, pieces};

    #[test]
    fn a_text_is_split_into_pieces() {
        let pieces = |text| pieces(text).map_err(|error| error.to_string());
        assert_eq!(
            pieces("a{{{me}b}}"),
            Ok(vec![
                Piece::Text("a"),
                Piece::Text("{"),
                Piece::Text(""),
                Piece::Placeholder(Placeholder::Me),
                Piece::Text("b"),
                Piece::Text("}"),
                Piece::Text(""),
            ])
        );
        for bad in ["{", "}", "{me", "a}b"] {
            assert!(pieces(bad).is_err_and(|error| error.ends_with("write a literal brace twice")), "{bad}");
        }
        assert!(pieces("{vaild}").is_err_and(|error| error.contains("{vaild}; write {me}")));
    }

    #[test]
    fn fillers_are_bounded() {
        let filler_of = |count, text, end| Some(Placeholder::Filler { count, text, end });
        assert_eq!(filler("pad:3"), filler_of(3, "x", ""));
        assert_eq!(filler("lines:2:a: b"), filler_of(2, "a: b", "\r\n"));
        assert_eq!(filler("pad:1048576"), filler_of(FILLER_OCTETS, "x", ""));
        for name in ["pad", "pad:", "pad:-1", "pad:1048577", "lines:2", "lines:99999999:a", "fill:3"] {
            assert_eq!(filler(name), None, "{name}");
        }
    }
}
