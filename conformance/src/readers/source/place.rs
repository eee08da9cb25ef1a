//! Where in a line a code is: in a literal, in a comment, or in the text of a configuration.

/// How long the key of a table may be, in octets.
const KEY: usize = 256;

/// Goes through a line from its start, and knows the literals and the comments up to a position.
pub(super) struct Scan<'a> {
    line: &'a [u8],
    position: usize,
    /// The quotation mark of the literal that the position is in, and where its text begins.
    literal: Option<(u8, usize)>,
    /// Whether a comment mark was outside of a literal.
    is_comment: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(line: &'a [u8]) -> Scan<'a> {
        Scan { line, position: 0, literal: None, is_comment: false }
    }

    /// Returns whether a pair may be a reply: its first code is at `start`, its second at `second`. Asked from left to right.
    pub(super) fn has_reply(&mut self, start: usize, second: usize) -> bool {
        self.may_say(start).unwrap_or_else(|| {
            self.line[start..second].iter().any(|&octet| is_quote(octet))
                || is_before_reply(&self.line[..start])
        })
    }

    /// Returns whether a word such as REJECT may be an action: after the key of a table, or where a reply may be.
    pub(super) fn has_action(&mut self, start: usize) -> bool {
        self.may_say(start).unwrap_or_else(|| {
            let head = self.line[..start].trim_ascii();
            is_before_reply(head) || is_key(head)
        })
    }

    /// Returns whether something may be said at a position of a literal, or of a comment. `None` outside of both.
    fn may_say(&mut self, start: usize) -> Option<bool> {
        // The literal may have begun in a line before, so that the marks of this line mislead.
        if start.checked_sub(1).is_some_and(|before| is_quote(self.line[before])) {
            return Some(true);
        }
        self.advance(start);
        match self.literal {
            Some((_, begin)) => Some(is_separated(&self.line[begin.min(start)..start])),
            None => self.is_comment.then_some(false),
        }
    }

    fn advance(&mut self, to: usize) {
        while self.position < to {
            let octet = self.line[self.position];
            match self.literal {
                _ if octet == b'\\' => self.position += 1,
                Some((quote, _)) if octet == quote => self.literal = None,
                Some(_) => {}
                None if is_quote(octet) && !is_apostrophe(self.line, self.position) => {
                    self.literal = Some((octet, self.position + 1));
                }
                None => self.is_comment |= is_comment_mark(self.line, self.position),
            }
            self.position += 1;
        }
    }
}

fn is_quote(octet: u8) -> bool {
    matches!(octet, b'"' | b'\'' | b'`')
}

/// Returns whether a mark is inside a word, such as `don't`. One letter before a literal is its prefix in some languages.
fn is_apostrophe(line: &[u8], position: usize) -> bool {
    let before = &line[position.saturating_sub(2)..position];
    line[position] == b'\'' && before.len() == 2 && before.iter().all(u8::is_ascii_alphanumeric)
}

/// Returns whether a comment begins at a position: `//`, `/*`, or `#` and `--` between blanks. The slashes of a URL are none.
fn is_comment_mark(line: &[u8], position: usize) -> bool {
    let before = position.checked_sub(1).map(|before| line[before]);
    let is_after_blank = before.is_none_or(|octet| octet.is_ascii_whitespace());
    match &line[position..] {
        [b'/', b'/', ..] => before != Some(b':'),
        [b'/', b'*', ..] => true,
        [b'#', next, ..] | [b'-', b'-', next, ..] => is_after_blank && next.is_ascii_whitespace(),
        _ => false,
    }
}

/// Returns whether a reply may follow in a literal: at its beginning, or after a separator or an escape.
fn is_separated(text: &[u8]) -> bool {
    match text.trim_ascii_end() {
        [] | [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => last.is_ascii_punctuation(),
    }
}

/// Returns whether a configuration may have a reply after the beginning of a line: after blanks, `name =`, `name:`, the
/// mark of a list, or a key that is an address or a pattern.
fn is_before_reply(head: &[u8]) -> bool {
    let head = head.trim_ascii();
    let ends = [&b"="[..], b":", b"=>", b"$@"].iter().any(|end| head.ends_with(end));
    let is_address = || is_key(head) && head.iter().any(|octet| b"@./".contains(octet));
    head.is_empty() || head == b"-" || ends || is_address()
}

/// Returns whether the beginning of a line is a key: one word, or a pattern between slashes.
fn is_key(head: &[u8]) -> bool {
    let is_pattern = head.starts_with(b"/") || head.starts_with(b"!/");
    head.len() <= KEY && (is_pattern || !head.iter().any(u8::is_ascii_whitespace))
}
