//! Where a reply begins in a text.

/// Returns the reply code that a text begins with, and the octet after it: a space, a hyphen, or a space for the end of
/// the text.
pub(super) fn reply_code(text: &[u8]) -> Option<(&[u8], u8)> {
    let (code, rest) = text.split_at_checked(3)?;
    let is_code = matches!(code, [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9']);
    let after = rest.first().copied().unwrap_or(b' ');
    (is_code && b" -".contains(&after)).then_some((code, after))
}

/// Returns whether a text begins with a reply code that an enhanced status code follows.
pub(super) fn has_pair(text: &[u8]) -> bool {
    reply_code(text).is_some() && enhanced(text.get(4..).unwrap_or_default()).is_some()
}

/// Returns the octets of the enhanced status code that a text begins with: three numbers, whatever their values are.
pub(super) fn enhanced(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|octet| !octet.is_ascii_digit() && *octet != b'.').unwrap_or(text.len());
    let code = &text[..end];
    let is_end = text.get(end).is_none_or(u8::is_ascii_whitespace);
    let mut numbers = code.split(|&octet| octet == b'.');
    let has_class = numbers.next().is_some_and(|class| matches!(class, [b'2' | b'4' | b'5']));
    let sizes = numbers.map(|number| (1..=3).contains(&number.len()));
    let (count, all) = sizes.fold((0, true), |(count, all), size| (count + 1, all && size));
    (is_end && has_class && count == 2 && all).then_some(code)
}

/// Finds the first reply in a text: a reply code at its beginning, after a colon, or before an enhanced status code.
pub(super) fn find(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let is_after_colon = start == 0 || text[..start].trim_ascii_end().ends_with(b":");
        if (is_after_colon && reply_code(rest).is_some()) || has_pair(rest) {
            return Some(start);
        }
        start += rest.iter().position(|octet| b" \n\t".contains(octet)).unwrap_or(rest.len()) + 1;
    }
    None
}
