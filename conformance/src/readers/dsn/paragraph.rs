//! Replies in the text of a bounce: each with the recipient that the text names before it.
//!
//! ```text
//! <a@example.net>: host mx.example.net[192.0.2.1] said: 550 5.1.1 No such user
//!     (in reply to RCPT TO command)
//! ```
//!
//! Sendmail shows a transcript for all recipients instead, whose lines `<<<` are what the server sent.

use memchr::memmem;
use smtp_enhanced_status::explain::Stage;

use super::line::Line;
use super::reply_code::{find, has_pair, reply_code};
use crate::limits::BOUNCE_RECIPIENTS;

/// The maximum number of lines of one paragraph that are read.
const LINES: usize = 1000;

/// A reply that a text shows.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) text: Vec<u8>,
    /// The recipient's address. `None` if the text does not say.
    pub(super) recipient: Option<Vec<u8>>,
    /// Whether its lines are those that the server sent: `<<< 550 5.1.1 No such user`.
    pub(super) is_transcribed: bool,
    pub(super) host: Option<Vec<u8>>,
    pub(super) stage: Option<Stage>,
    pub(super) line: usize,
    pub(super) offset: usize,
}

/// Reads the lines of a text part.
pub(super) fn read<'a>(lines: impl Iterator<Item = Line<'a>>) -> Vec<Shown> {
    let mut reader = Reader::default();
    for line in lines {
        if is_end(line.text) || reader.shown.len() >= BOUNCE_RECIPIENTS {
            break;
        }
        if memmem::find(line.text, b"Transcript of session follows").is_some() {
            reader.end_paragraph();
            reader.transcript = Some(Transcript::default());
        } else if let Some(transcript) = &mut reader.transcript {
            transcript.add(line, &mut reader.shown);
        } else {
            reader.add(line);
        }
    }
    reader.end_paragraph();
    if let Some(transcript) = &mut reader.transcript {
        transcript.end_reply(&mut reader.shown);
    }
    reader.shown
}

/// Returns whether a copy of the message follows, which may have been written to mislead.
fn is_end(line: &[u8]) -> bool {
    const BEFORE_COPY: [&[u8]; 9] = [
        b"below this line is a copy",
        b"below is a copy of the original",
        b"this is a copy of the message",
        b"this is a copy of your message",
        b"message headers follow",
        b"original message follows",
        b"unsent message follows",
        b"original message header",
        b"message header follows",
    ];
    if line.len() < 20 || line.len() > 200 {
        return false;
    }
    let line = line.to_ascii_lowercase();
    BEFORE_COPY.iter().any(|words| memmem::find(&line, words).is_some())
}

#[derive(Default)]
struct Reader<'a> {
    shown: Vec<Shown>,
    /// The recipient of the paragraph, and the paragraph's lines.
    recipient: Option<Vec<u8>>,
    paragraph: Vec<Line<'a>>,
    /// Whether a line of the paragraph says that a reply follows, or has one.
    is_announced: bool,
    transcript: Option<Transcript>,
}

impl<'a> Reader<'a> {
    fn add(&mut self, line: Line<'a>) {
        if line.is_blank() {
            // Gmail has an empty line between the announcement and the reply.
            if !self.paragraph.last().is_some_and(|last| is_before_reply(last.trimmed())) {
                self.end_paragraph();
            }
        } else if let Some((recipient, rest)) = recipient(line) {
            self.end_paragraph();
            self.recipient = Some(recipient.to_vec());
            self.paragraph.push(line.with(rest));
        } else if let Some(recipient) = announced_recipient(line.text) {
            self.end_paragraph();
            self.recipient = Some(recipient.to_vec());
        } else {
            self.is_announced |= is_before_reply(line.trimmed()) || after_returned(line.text).is_some();
            if (self.recipient.is_some() || self.is_announced) && self.paragraph.len() < LINES {
                self.paragraph.push(line);
            }
        }
    }

    fn end_paragraph(&mut self) {
        let lines = std::mem::take(&mut self.paragraph);
        self.is_announced = false;
        if lines.is_empty() {
            return;
        }
        let recipient = self.recipient.take();
        if let Some(mut shown) = reply(&lines) {
            shown.recipient = recipient;
            self.shown.push(shown);
        }
    }
}

/// Returns the recipient that a line begins with, and what follows: `<a@example.net>: host ...`, or the address alone.
fn recipient(line: Line<'_>) -> Option<(&[u8], &[u8])> {
    let text = line.trimmed();
    let (address, rest) = if let Some(after) = text.strip_prefix(b"<") {
        let end = after.iter().position(|&octet| octet == b'>')?;
        (&after[..end], &after[end + 1..])
    } else {
        let end = text.iter().position(|octet| b" :".contains(octet)).unwrap_or(text.len());
        (&text[..end], &text[end..])
    };
    // Postfix and Exim say which address it was before: `(expanded from <list@example.net>)`.
    let rest =
        match rest.strip_prefix(b" (").and_then(|comment| comment.iter().position(|&octet| octet == b')')) {
            Some(end) => &rest[end + 3..],
            None => rest,
        };
    let is_heading = rest.is_empty() || rest.starts_with(b":");
    (is_address(address) && is_heading).then(|| (address, rest.strip_prefix(b":").unwrap_or_default()))
}

/// Returns the recipient of dma's `There was an error delivering your mail to <a@example.net>.`
fn announced_recipient(line: &[u8]) -> Option<&[u8]> {
    let after = memmem::find(line, b"delivering your mail to <").map(|at| &line[at + 25..])?;
    let end = after.iter().position(|&octet| octet == b'>')?;
    Some(&after[..end])
}

/// Returns whether a line says that a reply follows, as Gmail does.
fn is_before_reply(line: &[u8]) -> bool {
    line.ends_with(b"he response was:") || line.ends_with(b"he response from the remote server was:")
}

/// Returns what follows Exchange's `Remote Server returned '`, or `Remote Server at mx.example.net (192.0.2.1) returned '`.
fn after_returned(line: &[u8]) -> Option<&[u8]> {
    const RETURNED: &[u8] = b" returned '";
    let server = memmem::find(line, b"Remote Server").or_else(|| memmem::find(line, b"Remote server"))?;
    let rest = &line[server..];
    memmem::find(rest, RETURNED).map(|at| &rest[at + RETURNED.len()..])
}

fn is_address(text: &[u8]) -> bool {
    let Some(at) = memchr::memrchr(b'@', text) else { return false };
    at > 0 && at + 1 < text.len() && text.iter().all(|octet| !b" <>:\t".contains(octet))
}

/// Returns the reply in a paragraph about a recipient.
fn reply(lines: &[Line<'_>]) -> Option<Shown> {
    if lines.iter().any(|line| line.trimmed().starts_with(b"<<<")) {
        let mut transcript = Transcript { stage_is_sure: true, ..Transcript::default() };
        let mut shown = Vec::new();
        for line in lines {
            transcript.add(*line, &mut shown);
        }
        transcript.end_reply(&mut shown);
        let names: Vec<&[u8]> =
            lines.iter().map(Line::trimmed).take_while(|line| !line.starts_with(b"<<<")).collect();
        let host = host(&names.join(&b' ')).map(<[u8]>::to_vec);
        return shown.pop().map(|shown| Shown { host, ..shown });
    }
    let is_quoted = lines.iter().any(|line| after_returned(line.text).is_some());
    if is_wrapped(lines) && !is_quoted { wrapped(lines) } else { as_sent(lines) }
}

/// Returns whether a paragraph is one text in lines of a limited length, as Postfix writes it.
fn is_wrapped(lines: &[Line<'_>]) -> bool {
    let Some((first, others)) = lines.split_first() else { return false };
    !first.is_blank() && others.iter().all(Line::is_indented)
}

/// Reads the reply in a text such as `host mx.example.net[192.0.2.1] said: 550 5.1.1 No (in reply to RCPT TO command)`.
fn wrapped(lines: &[Line<'_>]) -> Option<Shown> {
    let words: Vec<&[u8]> = lines.iter().map(Line::trimmed).collect();
    let text = words.join(&b' ');
    let start = ["said: ", "talk to me: ", "start TLS: "]
        .into_iter()
        .find_map(|marker| memmem::find(&text, marker.as_bytes()).map(|at| at + marker.len()))
        .unwrap_or_default();
    let start = start + find(&text[start..])?;
    let (before, reply) = text.split_at(start);
    let (reply, stage) = match memmem::rfind(reply, b" (in reply to ") {
        Some(end) => (&reply[..end], stage(&reply[end..])),
        None if memmem::find(before, b"refused to start TLS").is_some() => (reply, Some(Stage::StartTls)),
        None => (reply, memmem::find(before, b"refused to talk").map(|_| Stage::Connect)),
    };
    let first = lines.first()?;
    Some(Shown {
        text: crate::readers::seam::split(reply),
        recipient: None,
        is_transcribed: false,
        host: host(before).map(<[u8]>::to_vec),
        stage,
        line: first.number,
        offset: first.offset,
    })
}

/// Reads a reply whose lines are as the server sent them. It begins after a line that ends with a colon, after words such as
/// `said: `, or with both codes.
fn as_sent(lines: &[Line<'_>]) -> Option<Shown> {
    let mut before: Vec<&[u8]> = Vec::new();
    let mut found = None;
    for (index, line) in lines.iter().enumerate() {
        let text = line.trimmed();
        let begin = after_words(text);
        let is_introduced = index == 0 || begin > 0 || before.last().is_some_and(|line| line.ends_with(b":"));
        let (words, said) = text.split_at(begin);
        let said =
            if words.ends_with(b"returned '") { said.strip_suffix(b"'").unwrap_or(said) } else { said };
        before.push(words);
        if reply_code(said).is_some() && (is_introduced || has_pair(said)) {
            found = Some((index, line.with(said)));
            break;
        }
        before.pop();
        before.push(text);
    }
    let (index, first) = found?;
    let before = before.join(&b' ');
    let mut reply = SentReply::new(first);
    for line in &lines[index + 1..] {
        if !reply.goes_on_with(line.trimmed()) {
            break;
        }
        reply.add(line.trimmed());
    }
    Some(Shown { host: host(&before).map(<[u8]>::to_vec), stage: stage(&before), ..reply.shown(false) })
}

/// Returns where a reply begins after words about it in the same line: `said: `, `returned '`, or the host that old
/// releases of Exim put between the command and the reply, `host mx.example.net [192.0.2.1]: `. 0 if there are none.
fn after_words(text: &[u8]) -> usize {
    if let Some(rest) = after_returned(text) {
        return text.len() - rest.len();
    }
    let said = memmem::find(text, b"said: ").map(|at| at + 6);
    let host = memmem::find(text, b"]: ").filter(|_| text.starts_with(b"host ")).map(|at| at + 3);
    said.into_iter().chain(host).min().unwrap_or_default()
}

/// Lines that show a reply as the server sent it.
#[derive(Debug)]
struct SentReply {
    text: Vec<u8>,
    last: Vec<u8>,
    line: usize,
    offset: usize,
}

impl SentReply {
    fn new(line: Line<'_>) -> SentReply {
        SentReply {
            text: line.text.to_vec(),
            last: line.text.to_vec(),
            line: line.number,
            offset: line.offset,
        }
    }

    /// Returns whether a line is the next of the reply (RFC 5321 §4.2.1).
    fn goes_on_with(&self, line: &[u8]) -> bool {
        match (reply_code(&self.last), reply_code(line)) {
            (Some((code, b'-')), Some((next, _))) => code == next,
            _ => false,
        }
    }

    fn add(&mut self, line: &[u8]) {
        self.text.push(b'\n');
        self.text.extend_from_slice(line);
        line.clone_into(&mut self.last);
    }

    fn shown(self, is_transcribed: bool) -> Shown {
        Shown {
            text: self.text,
            recipient: None,
            is_transcribed,
            host: None,
            stage: None,
            line: self.line,
            offset: self.offset,
        }
    }
}

/// The lines of a session: `>>> RCPT TO:<a@example.net>`, `<<< 550 5.1.1 No such user`.
#[derive(Debug, Default)]
struct Transcript {
    host: Option<Vec<u8>>,
    stage: Option<Stage>,
    /// Whether a reply answers the command before it. Sendmail sends several commands at once.
    stage_is_sure: bool,
    reply: Option<SentReply>,
}

impl Transcript {
    fn add(&mut self, line: Line<'_>, shown: &mut Vec<Shown>) {
        let text = line.trimmed();
        if let Some(received) = text.strip_prefix(b"<<<") {
            let received = received.strip_prefix(b" ").unwrap_or(received);
            match &mut self.reply {
                Some(reply) if reply.goes_on_with(received) => reply.add(received),
                _ => {
                    self.end_reply(shown);
                    self.reply = Some(SentReply::new(line.with(received)));
                }
            }
            return;
        }
        let ended = self.end_reply(shown);
        if let Some(sent) = text.strip_prefix(b">>>") {
            self.stage = stage(sent);
        } else if let Some(at) = memmem::find(text, b"while talking to ") {
            let host = text[at + 17..].trim_ascii_end();
            let host = host.strip_suffix(b":").unwrap_or(host);
            self.host = Some(host.strip_suffix(b".").unwrap_or(host).to_vec());
        } else if ended && let Some(last) = shown.last_mut() {
            // `550 5.1.1 <a@example.net>... User unknown` is what Sendmail makes of the reply before.
            last.recipient = sendmail_recipient(text).map(<[u8]>::to_vec);
        }
    }

    /// Returns whether there was a reply that ended.
    fn end_reply(&mut self, shown: &mut Vec<Shown>) -> bool {
        let Some(reply) = self.reply.take() else { return false };
        let is_refusal = reply_code(&reply.text).is_some_and(|(code, _)| code[0] != b'2');
        if is_refusal {
            let stage = self.stage.filter(|_| self.stage_is_sure);
            shown.push(Shown { host: self.host.clone(), stage, ..reply.shown(true) });
        }
        is_refusal
    }
}

/// Returns the address in `<a@example.net>... User unknown`.
fn sendmail_recipient(text: &[u8]) -> Option<&[u8]> {
    let end = memmem::find(text, b">... ")?;
    let start = memchr::memrchr(b'<', &text[..end])?;
    Some(&text[start + 1..end])
}

/// Returns the stage that the words before or after a reply name.
fn stage(words: &[u8]) -> Option<Stage> {
    const STAGES: [(&str, Stage); 12] = [
        ("final data", Stage::Message),
        ("end of data", Stage::Message),
        ("end-of-data", Stage::Message),
        ("initial connection", Stage::Connect),
        ("rcpt to", Stage::Rcpt),
        ("mail from", Stage::Mail),
        ("starttls", Stage::StartTls),
        ("ehlo", Stage::Hello),
        ("helo", Stage::Hello),
        ("lhlo", Stage::Hello),
        ("auth", Stage::Auth),
        ("data", Stage::Data),
    ];
    // What qmail writes.
    const PHRASES: [(&str, Stage); 6] = [
        ("greeting failed", Stage::Connect),
        ("my name was rejected", Stage::Hello),
        ("sender was rejected", Stage::Mail),
        ("does not like recipient", Stage::Rcpt),
        ("failed on data command", Stage::Data),
        ("failed after i sent the message", Stage::Message),
    ];
    // Names of hosts and addresses may have these words too.
    let words = words[..words.len().min(1000)].to_ascii_lowercase();
    let phrase = PHRASES.into_iter().find(|(phrase, _)| memmem::find(&words, phrase.as_bytes()).is_some());
    if let Some((_, stage)) = phrase {
        return Some(stage);
    }
    let command = ["after pipelined ", "after ", "in reply to ", "our "]
        .into_iter()
        .find_map(|marker| memmem::find(&words, marker.as_bytes()).map(|at| at + marker.len()))
        .unwrap_or_default();
    let words = words[command..].trim_ascii_start();
    STAGES.into_iter().find(|(words_of, _)| words.starts_with(words_of.as_bytes())).map(|(_, stage)| stage)
}

/// Returns the name of the host in `host mx.example.net[192.0.2.1] said`, or in `mx.example.net [192.0.2.1] did not like`.
fn host(words: &[u8]) -> Option<&[u8]> {
    let bracket = words.iter().position(|&octet| octet == b'[')?;
    let name = words[..bracket].trim_ascii_end();
    let start = name.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
    let name = &name[start..];
    (!name.is_empty()).then_some(name)
}
