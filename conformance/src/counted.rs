//! Counts in the text of messages.

/// Returns a count with its noun in the right number: `1 error`, `2 errors`, `0 replies`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn nouns_agree_with_their_counts() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "error")), ["0 errors", "1 error", "2 errors"]);
        assert_eq!([0, 1, 2].map(|count| counted(count, "reply")), ["0 replies", "1 reply", "2 replies"]);
    }
}
