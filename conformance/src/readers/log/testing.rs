//! What readers of logs are tested with.

use super::read;
use crate::readers::mention::Mention;

/// Reads a text line by line, and describes its mentions: direction, stage, host, verdict, `again` for a repeat, then
/// the reply. What the text does not say is left out. Checks that a reply begins where its offset says.
#[track_caller]
pub(super) fn mentions(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut position = 0;
    while position < text.len() {
        let rest = &text[position..];
        let length = read(rest, &mut |mention| {
            // Of an event, the offset is that of a value; of octets as numbers, that of the first.
            let begin = &rest[mention.offset..];
            let exact = if rest.starts_with(b"{") { 1 } else { 2 };
            let is_value = matches!(begin.first(), Some(b'{' | b'"' | b'\\'));
            assert!(is_value || begin.starts_with(&mention.reply[..exact]), "{mention:?}");
            found.push(describe(&mention));
        });
        assert!(length > 0 && length <= rest.len(), "{length} octets of {}", rest.len());
        position += length;
    }
    found
}

fn describe(mention: &Mention<'_>) -> String {
    let mut words = vec![mention.direction.as_str().to_owned()];
    words.extend(mention.stage.map(|stage| stage.as_str().to_owned()));
    words.extend(mention.host.map(|host| String::from_utf8_lossy(host).into_owned()));
    words.extend(mention.status.map(|status| format!("dsn={status}")));
    if mention.is_repeat {
        words.push("again".to_owned());
    }
    format!("{} | {}", words.join(" "), String::from_utf8_lossy(&mention.reply))
}

/// Checks the mentions of each text.
#[track_caller]
pub(super) fn check(rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(mentions(text.as_bytes()), *expected, "{text}");
    }
}
