//! The parts of a MIME message (RFC 2046): those that a bounce has its fields and its text in.
//!
//! The parts are found here and not by mailparse, which keeps all parts and all header fields of a message: a message of
//! a few megabytes may have a million of each. What a header field says, and what an encoded body says, mailparse reads.

use std::borrow::Cow;

use mailparse::{MailHeaderMap, ParsedContentType, parse_content_type, parse_headers, parse_mail};

use super::line::{Line, lines};

/// The maximum number of multiparts inside each other.
const DEPTH: usize = 16;
/// The octets of a header section that are read.
const HEADER_OCTETS: usize = 64 << 10;

/// A part that is not made of parts.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) kind: Kind,
    encoding: Encoding,
    /// The octets of the body, as they are in the message.
    raw: &'a [u8],
    /// The place of its first line.
    pub(super) start: Line<'a>,
    /// The multipart that it is in, if it has fields of a report and is in one.
    pub(super) container: Option<Container>,
}

/// A multipart.
#[derive(Clone, Debug)]
pub(super) struct Container {
    /// The type in lower case: `multipart/report`.
    pub(super) content_type: String,
    /// The parameter report-type in lower case.
    pub(super) report_type: Option<String>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The fields of a report: message/delivery-status, or message/global-delivery-status (RFC 6533).
    Status {
        is_global: bool,
    },
    Text,
    /// Anything else. The returned message is among it, which may have been written to mislead.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    QuotedPrintable,
    Base64,
}

impl<'a> Part<'a> {
    /// Returns the body, decoded.
    pub(super) fn body(&self) -> Cow<'a, [u8]> {
        let encoding: &[u8] = match self.encoding {
            Encoding::Plain => return Cow::Borrowed(self.raw),
            Encoding::QuotedPrintable => b"quoted-printable",
            Encoding::Base64 => b"base64",
        };
        let part = [b"Content-Transfer-Encoding: ", encoding, b"\n\n", self.raw].concat();
        let decoded = parse_mail(&part).and_then(|part| part.get_body_raw());
        decoded.map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }

    /// Returns the lines of the decoded body. Those of a part in base64 are all at the place of its first line.
    pub(super) fn lines<'b>(&self, body: &'b [u8]) -> impl Iterator<Item = Line<'b>> + use<'b, 'a> {
        let encoding = self.encoding;
        let mut raw = lines(self.raw, self.start);
        let mut place = self.start;
        lines(body, self.start).map(move |line| {
            if encoding == Encoding::Plain {
                return line;
            }
            if encoding == Encoding::QuotedPrintable
                && let Some(next) = raw.next()
            {
                place = next;
                let mut end = next;
                while end.text.trim_ascii_end().ends_with(b"=")
                    && let Some(next) = raw.next()
                {
                    end = next;
                }
            }
            Line { text: line.text, ..place }
        })
    }
}

/// Calls `visit` with the parts of a message, in their order, and returns whether its header is one that servers write, and not people.
pub(super) fn parts<'a>(message: &'a [u8], visit: &mut impl FnMut(Part<'a>)) -> bool {
    let mut walk =
        Walk { message, boundaries: Vec::new(), state: State::Header { is_digest: false, from: None } };
    let mut is_of_server = None;
    for line in lines(message, Line { number: 1, ..Line::default() }) {
        walk.add(line, &mut is_of_server, visit);
    }
    walk.finish(message.len(), &mut is_of_server, visit);
    is_of_server.unwrap_or_default()
}

struct Walk<'a> {
    message: &'a [u8],
    /// The boundaries of the multiparts around the place, from the outermost.
    boundaries: Vec<Boundary>,
    state: State<'a>,
}

struct Boundary {
    /// The boundary, with the hyphens before it.
    text: Vec<u8>,
    container: Container,
}

enum State<'a> {
    /// In a header section, which begins at an offset.
    Header { is_digest: bool, from: Option<usize> },
    /// In the body of a part.
    Body { kind: Kind, encoding: Encoding, start: Option<Line<'a>> },
    /// Before the first part of a multipart, or after its last.
    Between,
}

impl<'a> Walk<'a> {
    fn add(&mut self, line: Line<'a>, is_of_server: &mut Option<bool>, visit: &mut impl FnMut(Part<'a>)) {
        if line.text.starts_with(b"--")
            && let Some((depth, is_end)) = self.boundary(line.text.trim_ascii_end())
        {
            self.finish(line.offset, is_of_server, visit);
            self.boundaries.truncate(if is_end { depth } else { depth + 1 });
            self.state = match self.boundaries.get(depth) {
                Some(boundary) => {
                    let is_digest = boundary.container.content_type == "multipart/digest";
                    State::Header { is_digest, from: None }
                }
                None => State::Between,
            };
            return;
        }
        match &mut self.state {
            State::Header { is_digest, from } => {
                let (is_digest, start) = (*is_digest, *from.get_or_insert(line.offset));
                if line.text.is_empty() {
                    self.state = self.read_header(start, line.offset, is_digest, is_of_server);
                }
            }
            State::Body { start, .. } => {
                start.get_or_insert(line);
            }
            State::Between => {}
        }
    }

    /// Ends the part that the place is in.
    fn finish(&mut self, end: usize, is_of_server: &mut Option<bool>, visit: &mut impl FnMut(Part<'a>)) {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Header { is_digest, from: Some(from) } => {
                self.read_header(from, end, is_digest, is_of_server);
            }
            State::Body { kind, encoding, start: Some(start) } => {
                let raw = self.message.get(start.offset..end).unwrap_or_default();
                let has_fields = matches!(kind, Kind::Status { .. });
                let container =
                    self.boundaries.last().filter(|_| has_fields).map(|boundary| boundary.container.clone());
                visit(Part { kind, encoding, raw, start, container });
            }
            _ => {}
        }
    }

    /// Returns the index of the boundary that a line is, and whether it ends the multipart.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        self.boundaries.iter().enumerate().rev().find_map(|(depth, boundary)| {
            let rest = line.strip_prefix(boundary.text.as_slice())?;
            (rest.is_empty() || rest == b"--").then_some((depth, !rest.is_empty()))
        })
    }

    fn read_header(
        &mut self,
        from: usize,
        to: usize,
        is_digest: bool,
        is_of_server: &mut Option<bool>,
    ) -> State<'a> {
        let text = self.message.get(from..to.min(from + HEADER_OCTETS)).unwrap_or_default();
        let fields = parse_headers(text).map(|(fields, _)| fields).unwrap_or_default();
        let content_type = fields.get_first_value("Content-Type").map(|value| parse_content_type(&value));
        let default = if is_digest { "message/rfc822" } else { "text/plain" };
        let name =
            content_type.as_ref().map_or(default, |content_type| &content_type.mimetype).to_ascii_lowercase();
        is_of_server.get_or_insert_with(|| is_by_server(&fields));
        if name.starts_with("multipart/")
            && let Some(boundary) = parameter(content_type.as_ref(), "boundary")
            && !boundary.is_empty()
        {
            if self.boundaries.len() < DEPTH {
                let text = [b"--", boundary.as_bytes()].concat();
                let report_type =
                    parameter(content_type.as_ref(), "report-type").map(str::to_ascii_lowercase);
                self.boundaries
                    .push(Boundary { text, container: Container { content_type: name, report_type } });
            }
            return State::Between;
        }
        let encoding = fields.get_first_value("Content-Transfer-Encoding").unwrap_or_default();
        let encoding = match encoding.trim().to_ascii_lowercase().as_str() {
            "quoted-printable" => Encoding::QuotedPrintable,
            "base64" => Encoding::Base64,
            _ => Encoding::Plain,
        };
        let kind = match name.as_str() {
            "message/delivery-status" => Kind::Status { is_global: false },
            "message/global-delivery-status" => Kind::Status { is_global: true },
            "text/plain" => Kind::Text,
            _ => Kind::Other,
        };
        State::Body { kind, encoding, start: None }
    }
}

fn parameter<'t>(content_type: Option<&'t ParsedContentType>, name: &str) -> Option<&'t str> {
    content_type?.params.get(name).map(String::as_str)
}

/// Returns whether a header says that a server wrote the message: the sender has no address, or is MAILER-DAEMON.
fn is_by_server(fields: &[mailparse::MailHeader<'_>]) -> bool {
    let value = |name| fields.get_first_value(name).unwrap_or_default().to_ascii_lowercase();
    let from = value("From");
    value("Return-Path").trim() == "<>"
        || from.contains("mailer-daemon")
        || from.contains("postmaster@")
        || from.contains("<>")
        || !value("X-Failed-Recipients").is_empty()
}
