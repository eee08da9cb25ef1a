//! The header fields of a message, for those who read only some of them.

use super::command::is_mailbox;

/// The fields with addresses that a submission server looks at (RFC 6409 §4.2, §5.1).
pub(crate) const ADDRESS_FIELDS: [&str; 5] = ["From", "Sender", "Reply-To", "To", "Cc"];

/// Returns the values of the header fields with a name, unfolded and without blanks around them.
pub(crate) fn values(message: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut is_wanted = false;
    for line in message.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            values.last_mut().filter(|_| is_wanted).into_iter().for_each(|value| value.extend(line));
            continue;
        }
        let colon = line.iter().position(|octet| *octet == b':').unwrap_or(line.len());
        let (own, rest) = line.split_at(colon);
        is_wanted = own.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes());
        if is_wanted {
            values.push(rest.get(1..).unwrap_or_default().to_vec());
        }
    }
    values.iter().map(|value| value.trim_ascii().to_vec()).collect()
}

/// Returns the addresses in the fields of a message that certainly have only one, without a name or a comment.
pub(crate) fn addresses(message: &[u8]) -> Vec<Vec<u8>> {
    let all = ADDRESS_FIELDS.iter().flat_map(|name| values(message, name));
    all.filter_map(|value| address(&value).map(<[u8]>::to_vec)).collect()
}

/// Returns the address in the value of a field, if it has nothing else.
pub(crate) fn address(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let inside = value.strip_prefix(b"<").and_then(|value| value.strip_suffix(b">")).unwrap_or(value);
    let is_plain = |octet: &u8| octet.is_ascii_graphic() && !b"<>()[]\",;:\\".contains(octet);
    (inside.contains(&b'@') && inside.iter().all(is_plain)).then_some(inside)
}

/// Returns whether an address has bad syntax in a header field, where RFC 5322 permits more than RFC 5321 does in a path.
pub(crate) fn is_malformed(address: &[u8]) -> bool {
    let parts = address.split(|octet| *octet == b'@');
    parts.clone().count() != 2 || parts.into_iter().any(<[u8]>::is_empty)
}

/// Returns whether the domain of an address is a single label.
pub(crate) fn is_incomplete(address: &[u8]) -> bool {
    let domain = address.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
    is_mailbox(address) && domain.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}

#[cfg(test)]
mod tests {
    use super::{address, addresses, is_incomplete, is_malformed, values};

    #[test]
    fn malformed_and_incomplete_addresses() {
        for (address, expected) in [
            ("a@b.example", (false, false)),
            ("a@b", (false, true)),
            ("a@[127.0.0.1]", (false, false)),
            ("a!b@c_d.example", (false, false)),
            ("a@@b", (true, false)),
            ("@b", (true, false)),
            ("a@", (true, false)),
        ] {
            assert_eq!(
                (is_malformed(address.as_bytes()), is_incomplete(address.as_bytes())),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn values_are_unfolded() {
        let message = b"To: <a@b>\r\nX: 1\r\n\t2\r\nto : c@d,\r\n e@f\r\n\r\nTo: x@y\r\n";
        assert_eq!(values(message, "To"), [b"<a@b>".to_vec(), b"c@d, e@f".to_vec()]);
        assert_eq!(addresses(message), [b"a@b".to_vec()]);
    }

    #[test]
    fn an_address_is_read_only_if_it_is_alone() {
        for (value, expected) in [
            ("<a@@b>", Some("a@@b")),
            (" a@b ", Some("a@b")),
            ("Amy <a@b>", None),
            ("a@b, c@d", None),
            ("a@b (Amy)", None),
            ("\"a b\"@c", None),
            ("nobody", None),
        ] {
            assert_eq!(address(value.as_bytes()), expected.map(str::as_bytes), "{value}");
        }
    }
}
