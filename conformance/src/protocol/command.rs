//! Commands that a client sends, with their paths and parameters.

use std::fmt;

use super::notation::shown;

/// The verbs that the rules distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the verb of its name")]
pub enum Verb {
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Burl,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    Etrn,
    Atrn,
    Turn,
    Send,
    Soml,
    Saml,
    Auth,
    Starttls,
    /// Any other word, or none.
    Other,
}

impl Verb {
    const NAMES: [(&'static str, Verb); 22] = [
        ("EHLO", Verb::Ehlo),
        ("HELO", Verb::Helo),
        ("LHLO", Verb::Lhlo),
        ("MAIL", Verb::Mail),
        ("RCPT", Verb::Rcpt),
        ("DATA", Verb::Data),
        ("BDAT", Verb::Bdat),
        ("BURL", Verb::Burl),
        ("RSET", Verb::Rset),
        ("NOOP", Verb::Noop),
        ("QUIT", Verb::Quit),
        ("VRFY", Verb::Vrfy),
        ("EXPN", Verb::Expn),
        ("HELP", Verb::Help),
        ("ETRN", Verb::Etrn),
        ("ATRN", Verb::Atrn),
        ("TURN", Verb::Turn),
        ("SEND", Verb::Send),
        ("SOML", Verb::Soml),
        ("SAML", Verb::Saml),
        ("AUTH", Verb::Auth),
        ("STARTTLS", Verb::Starttls),
    ];

    /// Returns whether the verb opens a session: EHLO, HELO or LHLO.
    #[must_use]
    pub fn is_hello(self) -> bool {
        matches!(self, Verb::Ehlo | Verb::Helo | Verb::Lhlo)
    }

    /// The verb as it is sent; empty for [`Verb::Other`].
    #[must_use]
    pub fn name(self) -> &'static str {
        Verb::NAMES.iter().find(|(_, verb)| *verb == self).map_or("", |(name, _)| name)
    }
}

/// A command line.
///
/// ```
/// use smtp_conformance::protocol::command::{Command, Verb};
///
/// let command = Command::read(b"mail FROM:<bob@example.org> SIZE=100 SMTPUTF8\r\n");
/// assert_eq!(command.verb(), Verb::Mail);
/// let envelope = command.envelope().unwrap();
/// assert!(envelope.is_well_formed());
/// assert_eq!(envelope.value("SIZE"), Some(&b"100"[..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    octets: &'a [u8],
    verb: Verb,
    argument: &'a [u8],
}

impl<'a> Command<'a> {
    /// Reads a line, with or without its line end.
    #[must_use]
    pub fn read(octets: &'a [u8]) -> Command<'a> {
        let line = octets.strip_suffix(b"\n").unwrap_or(octets);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = line.iter().position(|octet| *octet == b' ').unwrap_or(line.len());
        let (word, argument) = line.split_at(end);
        let found = Verb::NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        let verb = found.map_or(Verb::Other, |(_, verb)| *verb);
        Command { octets, verb, argument: argument.trim_ascii() }
    }

    /// The octets as they were sent.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The verb.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The text after the verb, without the blanks around it.
    #[must_use]
    pub fn argument(&self) -> &'a [u8] {
        self.argument
    }

    /// The words of the argument.
    pub fn words(&self) -> impl Iterator<Item = &'a [u8]> {
        self.argument.split(|octet| *octet == b' ').filter(|word| !word.is_empty())
    }

    /// The chunk size of BDAT in octets. `None` if it is missing or not a number.
    #[must_use]
    pub fn chunk_length(&self) -> Option<usize> {
        str::from_utf8(self.words().next()?).ok()?.parse().ok()
    }

    /// Returns whether a BDAT or BURL command has LAST, so that it ends the message.
    #[must_use]
    pub fn is_last_chunk(&self) -> bool {
        self.words().nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"))
    }

    /// Returns whether the command is XCLIENT or XFORWARD, with which a proxy says for whom it speaks. A server may answer
    /// XCLIENT with another greeting.
    #[must_use]
    pub fn is_proxying(&self) -> bool {
        let word = self.octets.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        word.eq_ignore_ascii_case(b"XCLIENT") || word.eq_ignore_ascii_case(b"XFORWARD")
    }

    /// Returns whether the line ends in CRLF and has only printable ASCII and HT, which every server reads the same
    /// way.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let line = self.octets.strip_suffix(b"\r\n");
        line.is_some_and(|line| line.iter().all(|octet| matches!(octet, b'\t' | b' '..=b'~')))
    }

    /// The path and the parameters of MAIL or RCPT. `None` for other verbs, and if `FROM:` or `TO:` is missing.
    #[must_use]
    pub fn envelope(&self) -> Option<Envelope<'a>> {
        let wanted: &[u8] = match self.verb {
            Verb::Mail => b"FROM:",
            Verb::Rcpt => b"TO:",
            _ => return None,
        };
        let (word, rest) = self.argument.split_at_checked(wanted.len())?;
        word.eq_ignore_ascii_case(wanted).then(|| Envelope::read(self.verb, rest))
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.octets.trim_ascii_end()))
    }
}

/// The path and the parameters of MAIL or RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    verb: Verb,
    path: Option<&'a [u8]>,
    indented: bool,
    parameters: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(verb: Verb, rest: &'a [u8]) -> Envelope<'a> {
        let indented = rest.first() == Some(&b' ');
        let rest = rest.trim_ascii();
        let Some(inside) = rest.strip_prefix(b"<") else {
            return Envelope { verb, path: None, indented, parameters: b"" };
        };
        match closing(inside) {
            Some(end) => {
                Envelope { verb, path: Some(&inside[..end]), indented, parameters: &inside[end + 1..] }
            }
            None => Envelope { verb, path: None, indented, parameters: b"" },
        }
    }

    /// The text between `<` and `>`. `None` if one of them is missing.
    #[must_use]
    pub fn path(&self) -> Option<&'a [u8]> {
        self.path
    }

    /// Returns whether the path and the form of the parameters follow RFC 5321 §4.1.2. Blanks after the colon are
    /// ignored.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let path = self.path.is_some_and(|path| match self.verb {
            Verb::Mail if path.is_empty() => true,
            Verb::Rcpt if path.eq_ignore_ascii_case(b"postmaster") => true,
            _ => is_path(path),
        });
        let spaced = self.parameters.is_empty() || self.parameters.starts_with(b" ");
        path && spaced && self.parameters().all(|parameter| parameter.is_well_formed())
    }

    /// Returns whether a blank follows the colon, which RFC 5321 §3.3 forbids and servers may tolerate.
    #[must_use]
    pub fn is_indented(&self) -> bool {
        self.indented
    }

    /// The parameters.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> {
        self.parameters.split(|octet| *octet == b' ').filter(|word| !word.is_empty()).map(Parameter::read)
    }

    /// The first parameter with a keyword.
    #[must_use]
    pub fn parameter(&self, keyword: &str) -> Option<Parameter<'a>> {
        self.parameters().find(|parameter| parameter.is(keyword))
    }

    /// The value of the first parameter with a keyword; empty if it has no value.
    #[must_use]
    pub fn value(&self, keyword: &str) -> Option<&'a [u8]> {
        self.parameter(keyword).map(|parameter| parameter.value.unwrap_or_default())
    }

    /// Returns whether a keyword occurs more than once.
    #[must_use]
    pub fn repeats(&self, keyword: &str) -> bool {
        self.parameters().filter(|parameter| parameter.is(keyword)).count() > 1
    }
}

/// A parameter of MAIL or RCPT: `SIZE=100`, `SMTPUTF8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The keyword as it was sent.
    pub keyword: &'a [u8],
    /// The text after `=`. `None` without `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Parameter<'a> {
    fn read(word: &'a [u8]) -> Parameter<'a> {
        match word.iter().position(|octet| *octet == b'=') {
            Some(end) => Parameter { keyword: &word[..end], value: Some(&word[end + 1..]) },
            None => Parameter { keyword: word, value: None },
        }
    }

    /// Returns whether the parameter has a keyword, in any letter case.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// Returns whether the parameter follows `esmtp-param` of RFC 5321 §4.1.2.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        is_keyword(self.keyword)
            && self.value.is_none_or(|value| {
                !value.is_empty() && value.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'=')
            })
    }
}

/// Returns whether octets are a keyword of EHLO or of a parameter: letters, digits, and hyphens except at the start.
#[must_use]
pub fn is_keyword(octets: &[u8]) -> bool {
    octets.first().is_some_and(u8::is_ascii_alphanumeric)
        && octets.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}

/// Returns whether octets are a domain of letters, digits and hyphens (RFC 5321 §4.1.2).
#[must_use]
pub fn is_domain(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'.').all(|label| is_keyword(label) && !label.ends_with(b"-"))
}

/// Returns whether octets have the form of an address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
#[must_use]
pub fn is_literal(octets: &[u8]) -> bool {
    let inside = octets.strip_prefix(b"[").and_then(|octets| octets.strip_suffix(b"]"));
    inside.and_then(|inside| std::str::from_utf8(inside).ok()).is_some_and(|inside| {
        let six =
            inside.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).map(|tag| &inside[tag.len()..]);
        match six {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_ipv4(inside),
        }
    })
}

/// Returns whether a text is an `IPv4-address-literal` (RFC 5321 §4.1.3), whose numbers may have leading zeros.
fn is_ipv4(text: &str) -> bool {
    let is_number = |part: &str| {
        matches!(part.len(), 1..=3)
            && part.bytes().all(|octet| octet.is_ascii_digit())
            && part.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(is_number)
}

/// Returns whether octets are a mailbox in ASCII: a dot-string or a quoted string, `@`, and a domain or a literal.
#[must_use]
pub fn is_mailbox(octets: &[u8]) -> bool {
    let Some(at) = octets.iter().rposition(|octet| *octet == b'@') else { return false };
    let (local, domain) = (&octets[..at], &octets[at + 1..]);
    (is_dot_string(local) || is_quoted(local)) && (is_domain(domain) || is_literal(domain))
}

/// Returns whether octets are what the angle brackets of a path contain: a mailbox, or a source route and a mailbox, which
/// every server must accept (RFC 5321 §4.1.2).
#[must_use]
pub fn is_path(octets: &[u8]) -> bool {
    let (route, mailbox) = split_route(octets);
    let is_hop = |hop: &[u8]| hop.strip_prefix(b"@").is_some_and(is_domain);
    is_mailbox(mailbox) && (route.is_empty() || route.split(|octet| *octet == b',').all(is_hop))
}

/// Splits a path into its source route, without the colon that ends it, and the rest. Without a route that ends, the
/// rest is the whole path.
#[must_use]
pub fn split_route(path: &[u8]) -> (&[u8], &[u8]) {
    if path.first() != Some(&b'@') {
        return (b"", path);
    }
    match path.iter().position(|octet| *octet == b':') {
        Some(colon) => (&path[..colon], &path[colon + 1..]),
        None => (b"", path),
    }
}

fn is_dot_string(octets: &[u8]) -> bool {
    let is_atom = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(octet);
    octets.split(|octet| *octet == b'.').all(|atom| !atom.is_empty() && atom.iter().all(is_atom))
}

fn is_quoted(octets: &[u8]) -> bool {
    let Some(inside) = octets.strip_prefix(b"\"").and_then(|octets| octets.strip_suffix(b"\"")) else {
        return false;
    };
    let mut octets = inside.iter();
    while let Some(octet) = octets.next() {
        let good = match octet {
            b'\\' => octets.next().is_some_and(|next| matches!(next, b' '..=b'~')),
            octet => matches!(octet, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'),
        };
        if !good {
            return false;
        }
    }
    true
}

/// Returns the index of the `>` that closes a path, which is not one inside a quoted string.
fn closing(inside: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut position = 0;
    while let Some(octet) = inside.get(position) {
        match octet {
            b'\\' if quoted => position += 1,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(position),
            _ => {}
        }
        position += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Command, Verb, is_domain, is_literal, is_mailbox};

    #[test]
    fn paths_end_at_the_closing_bracket() {
        let path = |line: &'static [u8]| Command::read(line).envelope().and_then(|envelope| envelope.path());
        assert_eq!(path(b"MAIL FROM:<>\r\n"), Some(&b""[..]));
        assert_eq!(
            path(b"RCPT TO:<\"a>b\"@example.org> NOTIFY=NEVER\r\n"),
            Some(&b"\"a>b\"@example.org"[..])
        );
        assert_eq!(path(b"MAIL FROM:<bob@example.org\r\n"), None);
        assert_eq!(path(b"MAIL FROM:bob@example.org\r\n"), None);
        assert_eq!(path(b"RCPT FROM:<bob@example.org>\r\n"), None);
    }

    #[test]
    fn well_formed_envelopes_follow_the_grammar() {
        let well =
            |line: &[u8]| Command::read(line).envelope().is_some_and(|envelope| envelope.is_well_formed());
        assert!(well(b"MAIL FROM:<bob@example.org> SIZE=1 SMTPUTF8\r\n"));
        assert!(well(b"RCPT TO:<PostMaster>\r\n"));
        assert!(well(b"MAIL FROM:<bob@[192.0.2.1]>\r\n"));
        assert!(well(b"MAIL FROM:<@a.example,@b.example:joe@example.org> SIZE=1\r\n"));
        assert!(!well(b"MAIL FROM:<@a.example,b.example:joe@example.org>\r\n"));
        assert!(!well(b"RCPT TO:<@a.example:Postmaster>\r\n"));
        assert!(!well(b"MAIL FROM:<@a.example:>\r\n"));
        assert!(!well(b"MAIL FROM:<bob@example.org>SIZE=1\r\n"));
        assert!(!well(b"MAIL FROM:<bob@@example.org>\r\n"));
        assert!(!well(b"RCPT TO:<>\r\n"));
        assert!(!well(b"MAIL FROM:<bob@example.org> SIZE=\r\n"));
    }

    #[test]
    fn domains_literals_mailboxes_and_verbs_are_recognized() {
        assert!(
            is_domain(b"mx")
                && is_domain(b"xn--a.example")
                && !is_domain(b"a_b")
                && !is_domain(b"a.")
                && !is_domain(b"")
        );
        assert!(is_literal(b"[127.0.0.1]") && is_literal(b"[ipv6:::1]") && !is_literal(b"[1.2.3]"));
        assert!(is_literal(b"[010.0.0.1]") && !is_literal(b"[256.0.0.1]") && !is_literal(b"[+1.0.0.1]"));
        assert!(!is_literal(b"[0001.0.0.1]") && !is_literal(b"[1.2.3.]"));
        assert!(is_mailbox(b"a.b+c@example.org") && !is_mailbox(b"a..b@example.org") && !is_mailbox(b"a@"));
        assert_eq!(Command::read(b"\r\n").verb(), Verb::Other);
        assert_eq!(Command::read(b"noop\r\n").verb(), Verb::Noop);
    }
}
