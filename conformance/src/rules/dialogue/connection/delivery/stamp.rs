//! The Received field that a server adds, by its grammar (RFC 5321 §4.4).

use std::net::IpAddr;

/// The clauses that IANA lists: those of RFC 5321 §4.4, and those of RFC 6710 §7 and RFC 8314 §4.3.
const CLAUSES: [&str; 9] = ["from", "by", "via", "with", "id", "for", "priority", "tls", "group"];
/// The links that IANA lists for VIA, and the one of the grammar.
const LINKS: [&str; 2] = ["tcp", "uucp"];
/// The protocols that IANA lists for WITH.
const PROTOCOLS: [&str; 18] = [
    "smtp",
    "esmtp",
    "esmtpa",
    "esmtps",
    "esmtpsa",
    "lmtp",
    "lmtpa",
    "lmtps",
    "lmtpsa",
    "mms",
    "utf8smtp",
    "utf8smtpa",
    "utf8smtps",
    "utf8smtpsa",
    "utf8lmtp",
    "utf8lmtpa",
    "utf8lmtps",
    "utf8lmtpsa",
];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A Received field that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The words before the semicolon. Comments are left out.
    words: Vec<String>,
    /// The words of the date; `None` if there is no semicolon.
    date: Option<Vec<String>>,
    /// What is before BY, with comments.
    origin: String,
}

/// What is wrong with a Received field, and how strictly the RFC forbids it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not follow the grammar.
    Form(String),
    /// Its date has the name of a time zone.
    Zone(String),
    /// It has a clause, a link or a protocol that IANA does not list.
    Unregistered(String),
}

impl Stamp {
    /// Reads the value of a field. Whatever is in it, there is a stamp.
    pub(super) fn read(value: &[u8]) -> Stamp {
        let text = String::from_utf8_lossy(value);
        let plain = without_comments(&text);
        let (clauses, date) = match plain.rsplit_once(';') {
            Some((clauses, date)) => (clauses, Some(words(date))),
            None => (plain.as_str(), None),
        };
        let start = text.to_ascii_lowercase();
        // A comment may have the word, too. Then the origin is rather too long.
        let end = start.rfind(" by ").max(start.rfind("\tby ")).unwrap_or(text.len());
        let origin = text.get(..end).unwrap_or_default().to_owned();
        Stamp { words: words(clauses), date, origin }
    }

    /// Returns what is wrong with it: first what the grammar does not allow.
    pub(super) fn fault(&self, needs_from: bool) -> Option<Fault> {
        let form = self.clause_fault(needs_from).or_else(|| self.date_fault()).map(Fault::Form);
        form.or_else(|| self.zone().map(Fault::Zone)).or_else(|| self.unregistered().map(Fault::Unregistered))
    }

    /// Returns whether what is before BY has a text, such as the client's name.
    pub(super) fn comes_from(&self, name: &str) -> bool {
        self.origin.to_ascii_lowercase().contains(&name.to_ascii_lowercase())
    }

    /// Returns whether what is before BY has an IP address.
    pub(super) fn has_address(&self) -> bool {
        let is_part = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, ':' | '.');
        let is_address = |piece: &str| {
            let piece = piece.trim_matches('.');
            // What remains of the tag in [IPv6:::1].
            let tagged = piece.split_once(':').map_or(piece, |(_, rest)| rest);
            [piece, tagged].iter().any(|piece| piece.parse::<IpAddr>().is_ok())
        };
        self.origin.split(|letter| !is_part(letter)).any(is_address)
    }

    /// The word after the name of a clause.
    pub(super) fn clause(&self, name: &str) -> Option<&str> {
        let place = self.words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
        self.words.get(place + 1).map(String::as_str)
    }

    fn clause_fault(&self, needs_from: bool) -> Option<String> {
        let is_from = self.words.first().is_some_and(|word| word.eq_ignore_ascii_case("from"));
        if needs_from && !is_from {
            return Some("it does not begin with a FROM clause".to_owned());
        }
        if self.clause("by").is_none() {
            return Some("there is no BY clause".to_owned());
        }
        let place = self.words.iter().position(|word| word.eq_ignore_ascii_case("for"));
        let after = self.words.get(place? + 1..)?;
        let paths = after.iter().take_while(|word| !is_clause(word));
        let paths = paths.flat_map(|word| word.split(',')).filter(|path| path.contains('@')).count();
        (paths > 1).then(|| format!("FOR has {paths} paths"))
    }

    fn date_fault(&self) -> Option<String> {
        let Some(date) = &self.date else { return Some("there is no semicolon with a date".to_owned()) };
        let shown = || format!("\"{}\" is not a date of RFC 5322", date.join(" "));
        let [day, month, year, time, _, ..] = after_weekday(date) else { return Some(shown()) };
        let is_number = |word: &str| word.bytes().all(|octet| octet.is_ascii_digit());
        let is_day = matches!(day.len(), 1 | 2) && is_number(day);
        let is_month = MONTHS.iter().any(|name| month.eq_ignore_ascii_case(name));
        let parts: Vec<&str> = time.split(':').collect();
        let is_time =
            matches!(parts.len(), 2 | 3) && parts.iter().all(|part| part.len() == 2 && is_number(part));
        if is_day && is_month && is_time && is_number(year) && year.len() < 4 {
            return Some(format!("the year {year} has fewer than four digits"));
        }
        (!is_day || !is_month || !is_time || !is_number(year)).then(shown)
    }

    /// The name of a time zone, in place of the offset or after it.
    fn zone(&self) -> Option<String> {
        let [_, _, _, _, zone @ ..] = after_weekday(self.date.as_ref()?) else { return None };
        let is_name = |word: &&String| word.bytes().all(|octet| octet.is_ascii_alphabetic());
        zone.iter().find(is_name).map(|name| format!("the time zone is written as {name}"))
    }

    fn unregistered(&self) -> Option<String> {
        let lists = |list: &[&str], word: &str| list.iter().any(|known| word.eq_ignore_ascii_case(known));
        let place = self.words.iter().position(|word| word.eq_ignore_ascii_case("by"))?;
        // The first word after the value of a clause is the name of the next.
        for clause in self.words.get(place + 2..)?.chunks(2) {
            let [name, value] = clause else { return None };
            match name.to_ascii_lowercase().as_str() {
                "via" if !lists(&LINKS, value) => return Some(format!("VIA names {value}")),
                "with" if !lists(&PROTOCOLS, value) => return Some(format!("WITH names {value}")),
                name if !lists(&CLAUSES, name) => return Some(format!("there is a clause {name}")),
                _ => {}
            }
        }
        None
    }
}

fn is_clause(word: &str) -> bool {
    CLAUSES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// The words of a date without the day of the week, which may be left out.
fn after_weekday(date: &[String]) -> &[String] {
    match date {
        [day, rest @ ..] if day.ends_with(',') => rest,
        date => date,
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Replaces each comment by a space (RFC 5322 §3.2.2). Comments nest, and a quoted string contains none.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for letter in text.chars() {
        let escaped = std::mem::take(&mut is_escaped);
        match letter {
            _ if escaped => {}
            '\\' => is_escaped = true,
            '"' if depth == 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth > 0 => {
                depth -= 1;
                plain.push(' ');
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            // A semicolon or a blank in a quoted string separates nothing.
            plain.push(if is_quoted && matches!(letter, ';' | ' ' | '\t') { '_' } else { letter });
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Fault, Stamp};

    /// Returns what is wrong with a field, with a sign for how strictly it is forbidden.
    fn fault(value: &str) -> String {
        match Stamp::read(value.as_bytes()).fault(true) {
            None => String::new(),
            Some(Fault::Form(text)) => format!("! {text}"),
            Some(Fault::Zone(text) | Fault::Unregistered(text)) => format!("? {text}"),
        }
    }

    #[test]
    fn what_servers_write_is_right() {
        for value in [
            "from me (unknown [127.0.0.1])\tby mx (Postfix) with ESMTP id 4ABC\tfor <a@b.example>; Sun, 29 Nov 2026 03:04:05 +0000 (UTC)",
            "from [127.0.0.1] (helo=me)\tby mx with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\t(Exim 4.96)\t(envelope-from <a@b>)\tid 1abc-0001-2R\tfor a@b.example;\tSun, 29 Nov 2026 03:04:05 +0000",
            "from me (localhost [IPv6:::1]) by mx (8.17.1/8.17.1) with ESMTP id 3AT; Sun, 29 Nov 2026 03:04:05 -0800",
            "from me by mx with ESMTP; 29 Nov 2026 03:04 +0000",
            "from me (a (nested; one) by\\) x) by mx via TCP with LMTP id <\"a; b\"@c> priority -3; 9 Nov 2026 03:04:05 +0000",
            "from unknown (HELO me) (127.0.0.1)\tby mx with SMTP; 29 Nov 2026 03:04:05 -0000",
        ] {
            assert_eq!(fault(value), "", "{value}");
        }
    }

    #[test]
    fn what_the_grammar_forbids_is_found() {
        let date = "29 Nov 2026 03:04:05 +0000";
        for (value, expected) in [
            (format!("by mx with SMTP; {date}"), "! it does not begin with a FROM clause"),
            (format!("from me with SMTP; {date}"), "! there is no BY clause"),
            (format!("(from me by mx); {date}"), "! it does not begin with a FROM clause"),
            (format!("from me by mx {date}"), "! there is no semicolon with a date"),
            ("from me by mx;".to_owned(), "! \"\" is not a date of RFC 5322"),
            (
                "from me by mx; Sun Nov 29 03:04:05 2026".to_owned(),
                "! \"Sun Nov 29 03:04:05 2026\" is not a date of RFC 5322",
            ),
            (
                "from me by mx; 29 Nov 26 03:04:05 +0000".to_owned(),
                "! the year 26 has fewer than four digits",
            ),
            (format!("from me by mx for <a@b>, <c@d>; {date}"), "! FOR has 2 paths"),
            (format!("from me by mx for a@b,c@d id 3; {date}"), "! FOR has 2 paths"),
            ("from me by mx; Sun, 29 Nov 2026 03:04:05 GMT".to_owned(), "? the time zone is written as GMT"),
            (format!("from me by mx; {date} UTC"), "? the time zone is written as UTC"),
            (format!("from me by mx with HTTP; {date}"), "? WITH names HTTP"),
            (format!("from me by mx via Frontend Transport; {date}"), "? VIA names Frontend"),
            (format!("from me by mx helo me; {date}"), "? there is a clause helo"),
        ] {
            assert_eq!(fault(&value), expected, "{value}");
        }
    }

    #[test]
    fn the_client_is_before_by() {
        let from = |text: &str| Stamp::read(text.as_bytes());
        assert!(from("from x (HELO Me) by mx").comes_from("me"));
        assert!(!from("from x by me with SMTP").comes_from("me"));
        for text in [
            "from x ([127.0.0.1]) by y",
            "from x (sent by z) (127.0.0.1) by y",
            "from x (127.0.0.1)\tby y",
            "from [IPv6:2001:db8::1] by y",
        ] {
            assert!(from(text).has_address(), "{text}");
        }
        assert!(!from("from a.be (cafe) by [127.0.0.1]").has_address());
    }
}
