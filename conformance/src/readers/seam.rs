//! Seams: where the lines of a reply were joined with spaces, as Postfix does.

/// Puts LF between the lines of a reply that were joined: `550-5.1.1 No such 550 5.1.1 user`.
///
/// A reply whose first code has no hyphen after it is one line. In others, each further `550-` begins a line, and the last
/// line begins with `550 `. A text may quote such a code too, so the last line is the first that has the enhanced status
/// code of the first line, or, if it has none, the last that could be it.
pub(crate) fn split(reply: &[u8]) -> Vec<u8> {
    let Some((code, rest)) = reply.split_at_checked(3).filter(|(_, rest)| rest.starts_with(b"-")) else {
        return reply.to_vec();
    };
    let enhanced = rest[1..].split(|&octet| octet == b' ').next().filter(|word| word.contains(&b'.'));
    let mut seams: Vec<usize> = Vec::new();
    let mut last = None;
    let mut is_sure = false;
    for space in memchr::memchr_iter(b' ', reply) {
        let next = &reply[space + 1..];
        let Some(after) = next.strip_prefix(code) else { continue };
        if after.starts_with(b"-") {
            seams.push(space);
            (last, is_sure) = (None, false);
        } else if (after.is_empty() || after.starts_with(b" ")) && !is_sure {
            last = Some(space);
            is_sure = enhanced.is_some_and(|enhanced| after[after.len().min(1)..].starts_with(enhanced));
        }
    }
    seams.extend(last);
    let mut split = reply.to_vec();
    for seam in seams {
        split[seam] = b'\n';
    }
    split
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn joined_lines_are_told_apart() {
        for (joined, lines) in [
            ("550 5.1.1 No", "550 5.1.1 No"),
            ("550 5.1.1 No: said 550-5.1.1 a 550 5.1.1 b", "550 5.1.1 No: said 550-5.1.1 a 550 5.1.1 b"),
            ("550-5.1.1 No 550-5.1.1 such 550 5.1.1 user", "550-5.1.1 No\n550-5.1.1 such\n550 5.1.1 user"),
            ("550-No such 550 5.1.1 user", "550-No such\n550 5.1.1 user"),
            ("550-It said 550 5.1.1 to us 550 Check failed", "550-It said 550 5.1.1 to us\n550 Check failed"),
            ("550-5.7.1 A 550 5.7.1 they said 550 5.1.1", "550-5.7.1 A\n550 5.7.1 they said 550 5.1.1"),
            ("550-5.7.1 cut in the mid", "550-5.7.1 cut in the mid"),
            ("550-a 550-b 550", "550-a\n550-b\n550"),
            ("550-a 5501 b", "550-a 5501 b"),
            ("550", "550"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(split(joined.as_bytes())).unwrap(), lines);
        }
    }
}
