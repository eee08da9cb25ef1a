use super::mention::{Direction, Mention};
pub fn read<'a>(text: &'a [u8], mentions: &mut impl FnMut(Mention<'a>)) -> usize {
    let end = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
    let line = &text[..end];
    if let Some(start) = memchr::memmem::find(line, b"said: ") {
        mentions(Mention {
            reply: line[start + 6..].trim_ascii_end().into(),
            direction: Direction::Received,
            stage: None,
            host: None,
            recipient: None,
            status: None,
            offset: start + 6,
            is_repeat: false,
        });
    }
    end
}
pub fn joins(_line: &[u8], _next: &[u8]) -> bool {
    false
}
