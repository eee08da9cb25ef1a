//! Parses the part of XML that registries use into a tree of elements, and refuses everything else.
//!
//! A registry file has no DTD, no entities of its own, one namespace, little depth and a few thousand elements.
//! Anything beyond that is refused, with its line and column. The memory used is proportional to the limits below.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use std::fmt;

use crate::file::MAX_DATA;

/// The namespace of every element in IANA's registries.
pub const NAMESPACE: &str = "http://www.iana.org/assignments";

/// The maximum size of a registry file, in octets.
pub const MAX_OCTETS: usize = MAX_DATA;
const MAX_DEPTH: usize = 16;
const MAX_ELEMENTS: usize = 50_000;
const MAX_ATTRIBUTES: usize = 16;
/// The maximum length of a reason in characters; it may quote the file.
const MAX_REASON: usize = 500;

/// Parses a whole document and returns its root element.
///
/// Comments and processing instructions are dropped, and the text around them is joined. Line ends are normalised to LF
/// (XML 1.0 §2.11). Character references and the five predefined entities are resolved.
pub fn parse(octets: &[u8]) -> Result<Element, Error> {
    let text = decode(octets)?;
    let mut cursor = Cursor::new(text);
    let mut reader = NsReader::from_str(text);
    let mut tree = Tree::default();
    loop {
        let start = offset(reader.buffer_position());
        let (namespace, event) =
            reader.read_resolved_event().map_err(|error| cursor.at(start).error(explained(&error)))?;
        let position = cursor.at(start);
        let fail = |reason: String| position.error(reason);
        match event {
            Event::Decl(declaration) => check_declaration(&declaration).map_err(fail)?,
            Event::Start(ref tag) => tree.open(element(&namespace, tag, position)?, position)?,
            Event::Empty(ref tag) => {
                tree.open(element(&namespace, tag, position)?, position)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content(), position)?,
            Event::CData(text) => tree.text(&text.xml10_content(), position)?,
            Event::GeneralRef(reference) => tree.text(&resolve(&reference).map_err(fail)?, position)?,
            Event::DocType(_) => {
                return Err(fail("the file has a document type declaration; a registry has none".into()));
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(position),
        }
    }
}

/// An element with its attributes and its content.
#[derive(Clone, Debug)]
pub struct Element {
    /// The local name. The namespace is always [`NAMESPACE`].
    pub name: String,
    /// Names and values in file order, without namespace declarations.
    pub attributes: Vec<(String, String)>,
    /// Elements and text. Adjacent text is joined.
    pub content: Vec<Node>,
    /// Where the start tag begins.
    pub position: Position,
}

impl Element {
    /// Returns the value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the child elements, in file order.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }
}

/// A piece of an element's content.
#[derive(Clone, Debug)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text, with references resolved.
    Text(String),
}

/// A position in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl Position {
    /// Returns an error at this position.
    pub fn error(self, reason: impl Into<String>) -> Error {
        Error { position: self, reason: reason.into() }
    }
}

/// Why a document was refused. It prints as one line, with line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    position: Position,
    reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.position.line, self.position.column)?;
        self.reason.chars().take(MAX_REASON).try_for_each(|c| match c {
            c if is_printable(c) => write!(f, "{c}"),
            c => write!(f, "{}", c.escape_unicode()),
        })?;
        if self.reason.chars().nth(MAX_REASON).is_some() { f.write_str("...") } else { Ok(()) }
    }
}

impl std::error::Error for Error {}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn decode(octets: &[u8]) -> Result<&str, Error> {
    let start = Position { line: 1, column: 1 };
    if octets.len() > MAX_OCTETS {
        return Err(
            start.error(format!("the file has more than {MAX_OCTETS} octets, the limit for a registry"))
        );
    }
    if octets.starts_with(b"\xef\xbb\xbf") {
        return Err(start.error("the file begins with a byte order mark; IANA's has none"));
    }
    if octets.starts_with(b"\xfe\xff") || octets.starts_with(b"\xff\xfe") {
        return Err(start.error("the file is UTF-16; a registry is UTF-8"));
    }
    let text = std::str::from_utf8(octets).map_err(|error| {
        let (valid, rest) = octets.split_at(error.valid_up_to());
        let valid = String::from_utf8_lossy(valid);
        let octet = rest.first().copied().unwrap_or_default();
        Cursor::new(&valid).at(valid.len()).error(format!("octet 0x{octet:02x} is not UTF-8"))
    })?;
    match text.char_indices().find(|&(_, c)| !is_xml_character(c)) {
        Some((at, c)) => {
            Err(Cursor::new(text).at(at).error(format!("U+{:04X} is not allowed in XML", u32::from(c))))
        }
        None => Ok(text),
    }
}

/// Explains an error. A syntax error is always something that is still open at the end of the file.
fn explained(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Syntax(error) => format!("{error}; the file is truncated"),
        error => error.to_string(),
    }
}

/// `Char` of XML 1.0 §2.2.
fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), String> {
    match declaration.version().map_err(|error| error.to_string())?.as_ref() {
        "1.0" => {}
        version => return Err(format!("the XML version is {version}; a registry has 1.0")),
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(encoding)) => Err(format!("the encoding is {encoding}; a registry is UTF-8")),
    }
}

fn element(
    namespace: &ResolveResult<'_>,
    tag: &BytesStart<'_>,
    position: Position,
) -> Result<Element, Error> {
    let name = tag.local_name().as_ref().to_owned();
    if *namespace != ResolveResult::Bound(Namespace(NAMESPACE)) {
        return Err(position.error(format!("<{name}> is not in the namespace {NAMESPACE}")));
    }
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        if attributes.len() == MAX_ATTRIBUTES {
            return Err(position.error(format!("<{name}> has more than {MAX_ATTRIBUTES} attributes")));
        }
        let attribute = attribute.map_err(|error| position.error(format!("<{name}>: {error}")))?;
        let key = attribute.key.as_ref().to_owned();
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|error| position.error(format!("attribute {key}: {error}")))?
            .into_owned();
        if let Some(c) = value.chars().find(|&c| !is_xml_character(c)) {
            return Err(position.error(format!("attribute {key}: U+{:04X} is not allowed", u32::from(c))));
        }
        attributes.push((key, value));
    }
    attributes.retain(|(key, _)| key != "xmlns" && !key.starts_with("xmlns:"));
    Ok(Element { name, attributes, content: Vec::new(), position })
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    let name: &str = reference;
    let resolved = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
        Some(c) => Some(c),
        None => match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        },
    };
    match resolved {
        Some(c) if is_xml_character(c) => Ok(c.to_string()),
        Some(c) => Err(format!("&{name}; is U+{:04X}, which XML does not allow", u32::from(c))),
        None => Err(format!("entity &{name}; is not one of XML's five, and a registry declares none")),
    }
}

/// The open elements, outermost first, and the root element once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Tree {
    fn open(&mut self, element: Element, position: Position) -> Result<(), Error> {
        self.count += 1;
        if self.open.is_empty() && self.root.is_some() {
            return Err(position.error(format!("<{}> comes after the root element", element.name)));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(position.error(format!("elements are nested more than {MAX_DEPTH} levels deep")));
        }
        if self.count > MAX_ELEMENTS {
            return Err(position.error(format!("the file has more than {MAX_ELEMENTS} elements")));
        }
        self.open.push(element);
        Ok(())
    }

    /// Closes the innermost element. The reader has checked that the end tag matches.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, position: Position) -> Result<(), Error> {
        let Some(element) = self.open.last_mut() else {
            let is_blank = text.trim_ascii().is_empty();
            return if is_blank {
                Ok(())
            } else {
                Err(position.error("there is text outside the root element"))
            };
        };
        match element.content.last_mut() {
            Some(Node::Text(last)) => last.push_str(text),
            _ => element.content.push(Node::Text(text.to_owned())),
        }
        Ok(())
    }

    fn finish(self, end: Position) -> Result<Element, Error> {
        if let Some(element) = self.open.last() {
            return Err(end.error(format!(
                "the file ends inside <{}> of line {}; it is truncated",
                element.name, element.position.line
            )));
        }
        self.root.ok_or_else(|| end.error("the file has no root element"))
    }
}

/// Turns ascending offsets into positions, in one pass over the text.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    position: Position,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Cursor { text, offset: 0, position: Position { line: 1, column: 1 } }
    }

    fn at(&mut self, offset: usize) -> Position {
        for c in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            match c {
                '\n' => self.position = Position { line: self.position.line + 1, column: 1 },
                _ => self.position.column += 1,
            }
        }
        self.offset = self.offset.max(offset);
        self.position
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
