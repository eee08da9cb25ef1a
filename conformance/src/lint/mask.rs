//! Masks personal data: addresses, local parts, queue ids, IP addresses, and what URLs say about a person.

use std::net::IpAddr;

use memchr::memchr_iter;

/// Returns a text in which personal data is masked. [`local_parts`] are masked where they are by themselves.
pub(crate) fn masked(text: &[u8], local_parts: &[String]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    let mut before = ["", ""];
    while !rest.is_empty() {
        let start = rest.find(|character: char| !is_gap(character)).unwrap_or(rest.len());
        shown.push_str(&rest[..start]);
        rest = &rest[start..];
        if rest.is_empty() {
            break;
        }
        let end = word_end(rest);
        let word = &rest[..end];
        if before == ["queued", "as"] && !word.starts_with('<') {
            shown.push_str("<id>");
        } else {
            push_masked(&mut shown, word, local_parts);
        }
        before = [before[1], word];
        rest = &rest[end..];
    }
    shown
}

/// How many local parts of a text are looked for.
const LOCAL_PARTS: usize = 8;

/// Returns the local parts of the first addresses in a text, in lower case.
pub(crate) fn local_parts(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for at in memchr_iter(b'@', text).take(LOCAL_PARTS) {
        let before = &text[..at];
        let is_part = |octet: &u8| {
            octet.is_ascii_alphanumeric() || !octet.is_ascii() || b".!#$%&'*+/=?^_`{|}~-".contains(octet)
        };
        let length = before.iter().rev().take(64).take_while(|octet| is_part(octet)).count();
        let part = String::from_utf8_lossy(&before[at - length..]).to_lowercase();
        // In `to=a@example.org`, the local part is what comes after the sign.
        let part = part.rsplit('=').next().unwrap_or_default();
        // JSON may write `<` as `\\u003c`.
        add_local_part(&mut found, part.strip_prefix("u003c").unwrap_or(part));
    }
    // The recipient of a bounce may be a local part alone.
    let text = text.trim_ascii();
    if found.is_empty() && text.len() <= 64 && !text.contains(&b' ') {
        add_local_part(&mut found, &String::from_utf8_lossy(text).to_lowercase());
    }
    found
}

/// Adds a local part, and what comes before its detail: `a` of `a+b`.
fn add_local_part(found: &mut Vec<String>, part: &str) {
    for part in [part, part.split('+').next().unwrap_or_default()] {
        if part.len() > 1 && !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
}

/// Returns whether a word is a local part, or has one that is not short.
fn is_local_part(word: &str, local_parts: &[String]) -> bool {
    if local_parts.is_empty() {
        return false;
    }
    let word = word.to_lowercase();
    local_parts.iter().any(|part| word == *part || part.len() >= 4 && word.contains(part.as_str()))
}

/// What personal data is replaced with.
const MASKS: [&str; 4] = ["<address>", "<user>", "<ip>", "<id>"];

fn is_gap(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')' | '[' | ']' | ',' | ';')
}

/// Returns where the first word of a text ends. An address in angle brackets, or with a quoted local part, is one word.
fn word_end(text: &str) -> usize {
    if text.starts_with('<')
        && let Some(end) = text.find('>')
        && end <= 400
    {
        return end + 1;
    }
    if let Some(quoted) = text.strip_prefix('"')
        && let Some(end) = quoted.find('"')
        && quoted[end + 1..].starts_with('@')
    {
        let after = end + 2;
        return after + quoted[end + 1..].find(is_gap).unwrap_or(quoted.len() - end - 1);
    }
    text.find(is_gap).unwrap_or(text.len())
}

/// Appends a word, masked.
fn push_masked(shown: &mut String, word: &str, local_parts: &[String]) {
    if word.starts_with('<') && word.ends_with('>') {
        return shown.push_str(if MASKS.contains(&word) { word } else { "<address>" });
    }
    if let Some(colon) = word.find("://") {
        let scheme =
            word[..colon].rfind(|character: char| !character.is_ascii_alphabetic()).map_or(0, |at| at + 1);
        if scheme > 0 {
            push_masked(shown, &word[..scheme], local_parts);
        }
        shown.push_str(&word[scheme..colon + 3]);
        return push_masked_url(shown, &word[colon + 3..]);
    }
    if word.split_once(['/', '?']).is_some_and(|(host, _)| is_host(host)) && !word.starts_with('/') {
        return push_masked_url(shown, word);
    }
    if word.starts_with('"') && word.contains("\"@") {
        let end = word.trim_end_matches(['.', ':']).len();
        shown.push_str("<address>");
        return shown.push_str(&word[end..]);
    }
    let core = word.trim_matches(|character: char| is_mark(character) || character == '.');
    let Some(start) = word.find(core).filter(|_| !core.is_empty()) else { return shown.push_str(word) };
    let (before, after) = (&word[..start], &word[start + core.len()..]);
    shown.push_str(before);
    if word.contains('@') {
        shown.push_str("<address>");
    } else if core.parse::<IpAddr>().is_ok() {
        shown.push_str("<ip>");
    } else if is_local_part(core, local_parts) {
        shown.push_str("<user>");
    } else {
        push_without_ids(shown, core, local_parts);
    }
    shown.push_str(after);
}

fn is_mark(character: char) -> bool {
    matches!(character, ':' | '"' | '\'' | '`' | '!' | '?' | '<' | '>' | '*' | '#' | '{' | '}' | '|')
}

/// Appends the host of a URL, which is given without its scheme. All else may say whom it is for.
fn push_masked_url(shown: &mut String, url: &str) {
    let end = url.find(['/', '?', '#']).unwrap_or(url.len());
    // A user's name may come before the host.
    let host = url[..end].rsplit('@').next().unwrap_or_default();
    push_without_ids(shown, host, &[]);
    if end + 1 < url.len() {
        shown.push_str("/...");
    } else {
        shown.push_str(&url[end..]);
    }
}

/// Appends a word whose parts may be ids: `id=4F2B1C3D`, `queued/4F2B1C3D`.
fn push_without_ids(shown: &mut String, word: &str, local_parts: &[String]) {
    if is_ip(word) {
        return shown.push_str("<ip>");
    }
    if is_local_part(word, local_parts) && !word.contains(['=', '/', ':']) {
        return shown.push_str("<user>");
    }
    if is_host(word) {
        return push_masked_host(shown, word);
    }
    let is_separator = |character: char| "=/\"'<>&?%$\\".contains(character);
    let Some((at, separator)) = word.char_indices().find(|(_, one)| is_separator(*one)) else {
        return push_without_colons(shown, word, local_parts);
    };
    let (part, rest) = (&word[..at], &word[at + separator.len_utf8()..]);
    push_without_colons(shown, part, local_parts);
    shown.push(separator);
    if separator == '=' && part.eq_ignore_ascii_case("id") && !rest.is_empty() && !rest.starts_with('<') {
        return shown.push_str("<id>");
    }
    push_without_ids(shown, rest, local_parts);
}

/// Appends a part of a word, whose parts between colons may be ids, unless it is an IP address.
fn push_without_colons(shown: &mut String, word: &str, local_parts: &[String]) {
    if is_ip(word) {
        return shown.push_str("<ip>");
    }
    for (index, part) in word.split(':').enumerate() {
        if index > 0 {
            shown.push(':');
        }
        if is_ip(part) {
            shown.push_str("<ip>");
        } else if is_local_part(part, local_parts) {
            shown.push_str("<user>");
        } else if is_host(part) {
            push_masked_host(shown, part);
        } else if is_id(part) {
            shown.push_str("<id>");
        } else {
            shown.push_str(part);
        }
    }
}

/// Returns whether a word is an IP address, in the form of RFC 5321 §4.1.3 too.
fn is_ip(word: &str) -> bool {
    let word = word.trim_matches(['[', ']']);
    let word = word.get(..5).filter(|start| start.eq_ignore_ascii_case("IPv6:")).map_or(word, |_| &word[5..]);
    word.split('%').next().unwrap_or_default().parse::<IpAddr>().is_ok()
}

/// Appends the name of a host, which may begin with a reversed IP address.
fn push_masked_host(shown: &mut String, host: &str) {
    let labels: Vec<&str> = host.split('.').collect();
    let is_number = |label: &&str| label.len() <= 3 && label.bytes().all(|octet| octet.is_ascii_digit());
    let numbers = labels.iter().take_while(|label| is_number(label)).count();
    if numbers >= 4 {
        shown.push_str("<ip>.");
        shown.push_str(&labels[numbers..].join("."));
    } else {
        shown.push_str(host);
    }
}

/// Returns whether a word looks like the name of a host: its last label has letters alone.
fn is_host(word: &str) -> bool {
    let Some((before, last)) = word.rsplit_once('.') else { return false };
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    last.len() >= 2
        && last.bytes().all(|octet| octet.is_ascii_alphabetic())
        && before.split('.').all(is_label)
}

/// Returns whether a word looks like an id: it is long, and has digits, or letters in an order that words do not have.
fn is_id(word: &str) -> bool {
    let is_part =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'+' | b'~' | b'%');
    if word.len() < 6 || !word.bytes().all(is_part) {
        return false;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let capitals = word.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    let smalls = word.bytes().filter(u8::is_ascii_lowercase).count();
    if digits + letters < 6 {
        return false;
    }
    // 5.7.606 is a code, 10.0.17763.1 a version, 2026-11-28 a date.
    if letters == 0 {
        return digits >= 8 || !word.contains(['.', '-']);
    }
    digits >= 1 && digits + letters >= 8
        || digits >= 2
        || (capitals >= 3 && smalls >= 3 && !word.contains('-'))
        || (smalls == 0 && word.len() >= 8 && is_hexadecimal(word))
}

fn is_hexadecimal(word: &str) -> bool {
    word.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{local_parts, masked};

    #[test]
    fn personal_data_is_masked() {
        for (text, shown) in [
            (
                "550 5.1.1 <alice@example.org>: Recipient address rejected",
                "550 5.1.1 <address>: Recipient address rejected",
            ),
            ("550 5.1.1 alice@example.org unknown", "550 5.1.1 <address> unknown"),
            ("550 5.1.1 User alice unknown", "550 5.1.1 User <user> unknown"),
            ("550 5.1.1 \"alice x\"@example.org... no", "550 5.1.1 <address>... no"),
            ("250 2.0.0 Ok: queued as 4F2B1C3D", "250 2.0.0 Ok: queued as <id>"),
            ("250 OK id=1vOxYz-0001aB-2C", "250 OK id=<id>"),
            ("250 2.0.0 OK d2e1a72fcca58-7aa1.7 - gsmtp", "250 2.0.0 OK <id> - gsmtp"),
            (
                "554 5.7.1 blocked using bl.example.org; see https://bl.example.org/query?ip=192.0.2.1",
                "554 5.7.1 blocked using bl.example.org; see https://bl.example.org/...",
            ),
            (
                "550 5.7.1 [192.0.2.1] see https://x.example/t/4F2B1C3D9/a",
                "550 5.7.1 [<ip>] see https://x.example/...",
            ),
            (
                "550 5.7.606 Access denied, banned sending IP [192.0.2.1].",
                "550 5.7.606 Access denied, banned sending IP [<ip>].",
            ),
            (
                "451 4.7.500 Server busy. (S77719) [AM5EUR02FT049.eop-EUR02.prod.protection.outlook.com]",
                "451 4.7.500 Server busy. (<id>) [AM5EUR02FT049.eop-EUR02.prod.protection.outlook.com]",
            ),
            ("550 5.1.1 mx1.example.org does not like you", "550 5.1.1 mx1.example.org does not like you"),
            ("550 [IPv6:2001:db8::77] ip=2001:db8::77 fe80::77%eth0 x", "550 [<ip>] ip=<ip> <ip> x"),
            ("see https://192.0.2.7/unblock", "see https://<ip>/..."),
            ("see bl.example.com/q?ip=192.0.2.77&u=1 x", "see bl.example.com/... x"),
            ("alice@example.org:https://example.org/x", "<address>:https://example.org/..."),
            ("77.2.0.192.zen.example.com lists you", "<ip>.zen.example.com lists you"),
            ("EXAMPLE\\alice+news /var/mail/alice/x", "<user> <user>"),
            ("bob{by}x@example.org", "<address>"),
            ("queued as ABCDEF", "queued as <id>"),
            ("Reporting-MTA has no type", "Reporting-MTA has no type"),
            ("", ""),
        ] {
            assert_eq!(masked(text.as_bytes(), &local_parts(b"to=<Alice@example.org>, x")), shown);
            assert_eq!(masked(shown.as_bytes(), &[]), shown);
        }
    }

    #[test]
    fn local_parts_are_found() {
        assert_eq!(local_parts(b"to=<Amy+News@example.org>, x"), ["amy+news", "amy"]);
        assert_eq!(local_parts(b"to=\\u003cbob@example.org\\u003e"), ["bob"]);
        assert_eq!(local_parts(b"carol.secret"), ["carol.secret"]);
        assert_eq!(local_parts(b"no address here"), [""; 0]);
    }

    proptest! {
        #[test]
        fn planted_data_is_found(
            local in "[a-z]{4,10}(\\.[a-z]{3,8})?",
            id in "[0-9][A-F]{2}[0-9A-F]{6,8}",
            token in "[a-z0-9]{6}[0-9]{3}",
            before in "(550 5\\.1\\.1|Host mx\\.example\\.org said) ",
            gap in "[ ,;(]",
        ) {
            let texts = [
                format!("{before}{gap}{local}@example.org{gap}no"),
                format!("{before}{gap}<{local}@example.org>{gap}no"),
                format!("{before}{gap}{local}{gap}unknown"),
                format!("{before}{gap}<{local}>: unknown"),
                format!("{before}'{local}' unknown"),
            ];
            for text in texts {
                let shown = masked(text.as_bytes(), &local_parts(format!("to={local}@example.org").as_bytes()));
                prop_assert!(!shown.to_lowercase().contains(&local), "{} in {}", local, shown);
            }
            let texts = [
                format!("{before}queued as {id}"),
                format!("{before}{gap}id={id}{gap}"),
                format!("{before}https://example.org/unblock/{token}"),
                format!("{before}https://example.org/u?t={token}&u={local}%40example.org"),
                format!("{before}https://{local}:{token}@example.org/"),
            ];
            for text in texts {
                let shown = masked(text.as_bytes(), &[]);
                prop_assert!(!shown.contains(&id) && !shown.contains(&token) && !shown.contains(&local), "{}", shown);
            }
        }

        #[test]
        fn any_octets_are_masked(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            masked(&text, &local_parts(&text));
        }
    }
}
