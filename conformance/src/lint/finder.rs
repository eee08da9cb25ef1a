pub(crate) fn find(text: &[u8], from: usize) -> Option<usize> {
    (from..text.len()).find(|&at| {
        let before = if at == 0 { b' ' } else { text[at - 1] };
        if !matches!(text[at], b'2' | b'4' | b'5') || before.is_ascii_alphanumeric() || before == b'.' {
            return false;
        }
        match text.get(at + 1..) {
            Some([b'.', digit, ..]) => digit.is_ascii_digit(),
            Some([a, b, c, ..]) => a.is_ascii_digit() && b.is_ascii_digit() && matches!(c, b' ' | b'-' | b'\n'),
            _ => false,
        }
    })
}
