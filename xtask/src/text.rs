//! The text of cells: IANA's mixed content of text and references, both raw and with white space collapsed.

use crate::xml::{self, Element, Node};

/// The text of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RichText {
    /// The characters of the file, with line breaks and blanks, and references as IANA prints them.
    pub raw: String,
    /// The same text with white space collapsed to single blanks.
    pub text: String,
    /// The collapsed text, split into text and references.
    pub pieces: Vec<Piece>,
}

/// A piece of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A reference.
    Reference(Reference),
}

/// An `<xref>`: its type, what it refers to, and the text that IANA prints for it, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `rfc`, `draft`, `uri`, `rfc-errata`, `registry`, `person`, `text`, `note` or `unicode`.
    pub kind: String,
    /// `rfc3463`; empty for `text`.
    pub data: String,
    /// The part of the document: `section`, `appendix` and so on, with their value, as in `section 3.3`.
    pub fragment: Option<(String, String)>,
    /// The element's text, with white space collapsed.
    pub label: String,
}

impl RichText {
    /// Parses a cell, which may contain text, `<xref>`, and the `<br>`, `<paragraph>` and `<artwork>` of IANA's schema.
    pub fn read(element: &Element) -> Result<RichText, xml::Error> {
        let mut text = RichText::default();
        text.push_content(element)?;
        text.collapse();
        Ok(text)
    }

    /// Appends a reference that is not in a text, such as those under a table's title.
    pub fn push_reference(&mut self, element: &Element) -> Result<(), xml::Error> {
        let reference = Reference::read(element)?;
        if !self.raw.is_empty() {
            self.raw.push(' ');
        }
        self.push_piece(Piece::Reference(reference));
        self.text = collapse(&self.raw);
        Ok(())
    }

    /// Returns the references, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => Some(reference),
            Piece::Text(_) => None,
        })
    }

    /// Returns each reference with the text between it and the next one, without separators: `[RFC7372]` with
    /// `Section 3.3 (Standards Track)`.
    pub fn annotated_references(&self) -> Vec<(&Reference, String)> {
        let mut annotated: Vec<(&Reference, String)> = Vec::new();
        for piece in &self.pieces {
            match (piece, annotated.last_mut()) {
                (Piece::Reference(reference), _) => annotated.push((reference, String::new())),
                (Piece::Text(text), Some((_, remark))) => {
                    let words = text.trim().trim_start_matches([',', ';']).trim_end_matches([',', ';']);
                    words.trim().clone_into(remark);
                }
                (Piece::Text(_), None) => {}
            }
        }
        annotated
    }

    fn push_content(&mut self, element: &Element) -> Result<(), xml::Error> {
        for node in &element.content {
            match node {
                Node::Text(text) => self.push_text(text),
                Node::Element(child) => match child.name.as_str() {
                    "xref" => self.push_piece(Piece::Reference(Reference::read(child)?)),
                    "br" => self.push_text("\n"),
                    "paragraph" | "artwork" => {
                        self.push_text("\n");
                        self.push_content(child)?;
                        self.push_text("\n");
                    }
                    name => {
                        return Err(child.position.error(format!(
                            "<{name}> is not allowed inside <{}>; if IANA really writes this, read it in \
                             `push_content` of xtask/src/text.rs",
                            element.name
                        )));
                    }
                },
            }
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        self.raw.push_str(text);
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn push_piece(&mut self, piece: Piece) {
        if let Piece::Reference(reference) = &piece {
            self.raw.push_str(&reference.to_string());
        }
        self.pieces.push(piece);
    }

    /// Collapses white space in and between the pieces. Concatenated, they are then `text`.
    fn collapse(&mut self) {
        self.text = collapse(&self.raw);
        let mut pieces = Vec::new();
        let last = self.pieces.len().saturating_sub(1);
        for (index, piece) in std::mem::take(&mut self.pieces).into_iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    let mut words = collapse(&text);
                    if index > 0 && text.starts_with(is_space) {
                        words.insert(0, ' ');
                    }
                    if index < last && text.ends_with(is_space) && words != " " {
                        words.push(' ');
                    }
                    let at_the_end = index == last && words == " ";
                    if !words.is_empty() && !at_the_end {
                        pieces.push(Piece::Text(words));
                    }
                }
                reference @ Piece::Reference(_) => pieces.push(reference),
            }
        }
        self.pieces = pieces;
    }
}

impl Reference {
    /// Parses an `<xref>`.
    pub fn read(element: &Element) -> Result<Reference, xml::Error> {
        let kind = element.attribute("type").unwrap_or_default();
        if !KINDS.contains(&kind) {
            return Err(element.position.error(format!(
                "<xref> has the unknown type {kind:?}; if IANA really writes this, add it to `KINDS` in xtask/src/text.rs"
            )));
        }
        if kind != "text" && element.attribute("data").unwrap_or_default().trim().is_empty() {
            return Err(element.position.error(format!("<xref type={kind:?}> has no data")));
        }
        let mut label = String::new();
        for node in &element.content {
            match node {
                Node::Text(text) => label.push_str(text),
                Node::Element(child) => {
                    return Err(child
                        .position
                        .error(format!("<{}> is not allowed inside <xref>", child.name)));
                }
            }
        }
        let fragment = element.attributes.iter().find(|(name, _)| FRAGMENTS.contains(&name.as_str()));
        Ok(Reference {
            kind: kind.to_owned(),
            data: collapse(element.attribute("data").unwrap_or_default()),
            fragment: fragment.map(|(name, value)| (name.clone(), collapse(value))),
            label: collapse(&label),
        })
    }

    /// Returns the printed form without its brackets: `RFC3463`.
    pub fn name(&self) -> String {
        self.to_string().trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Returns the URL of the document, or `None` if there is none for this type of reference.
    ///
    /// `section` is the section number in the text after the reference, if there is one.
    pub fn link(&self, section: Option<&str>) -> Option<String> {
        if self.data.is_empty() || self.data.contains(|c: char| !c.is_ascii_graphic()) {
            return None;
        }
        let section = match &self.fragment {
            Some((name, value)) if name == "section" => Some(value.as_str()),
            Some((name, value)) if name == "anchor" => return Some(format!("{}#{value}", rfc(&self.data)?)),
            _ => section,
        };
        match self.kind.as_str() {
            "rfc" => Some(match section {
                Some(section) => format!("{}#section-{section}", rfc(&self.data)?),
                None => rfc(&self.data)?,
            }),
            "draft" => {
                let name = match self.data.strip_prefix("RFC-") {
                    Some(approved) => format!("draft-{approved}"),
                    None => self.data.clone(),
                };
                Some(format!("https://datatracker.ietf.org/doc/{name}"))
            }
            "rfc-errata" => Some(format!("https://www.rfc-editor.org/errata/eid{}", self.data)),
            "registry" => Some(format!("https://www.iana.org/assignments/{}", self.data)),
            "uri" if is_web_address(&self.data) => Some(self.data.clone()),
            _ => None,
        }
    }

    /// Returns the section number in a text such as `Section 3.3 (Standards Track)`.
    pub fn section_in(remark: &str) -> Option<&str> {
        let number = remark.strip_prefix("Section ")?;
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        Some(number[..end].trim_end_matches('.')).filter(|number| !number.is_empty())
    }
}

impl std::fmt::Display for Reference {
    /// Writes the printed form: `[RFC3463]`, `[RFC5321, section 4.2]`, `[draft-levine-mailbomb-header-00]`, or the
    /// label.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.label.is_empty() {
            return match self.kind.as_str() {
                "text" | "note" => write!(f, "{}", self.label),
                _ => write!(f, "[{}]", self.label),
            };
        }
        let name = match self.kind.as_str() {
            "rfc" => self.data.to_ascii_uppercase(),
            "rfc-errata" => format!("RFC Errata {}", self.data),
            "note" => format!("Note {}", self.data),
            "registry" => format!("IANA registry {}", self.data),
            _ => self.data.clone(),
        };
        match &self.fragment {
            Some((kind, value)) => write!(f, "[{name}, {kind} {value}]"),
            None => write!(f, "[{name}]"),
        }
    }
}

/// Collapses white space to single blanks, and joins words that are broken across lines after a hyphen.
pub fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for line in text.split('\n') {
        for (index, word) in line.split(is_space).filter(|word| !word.is_empty()).enumerate() {
            let broken_word = index == 0
                && ends_in_letter_and_hyphen(&collapsed)
                && word.starts_with(|c: char| c.is_ascii_lowercase());
            if !collapsed.is_empty() && !broken_word {
                collapsed.push(' ');
            }
            collapsed.push_str(word);
        }
    }
    collapsed
}

fn ends_in_letter_and_hyphen(text: &str) -> bool {
    text.strip_suffix('-').is_some_and(|word| word.ends_with(|c: char| c.is_ascii_alphabetic()))
}

/// Returns whether a text is a web address with only the characters that RFC 3986 allows.
fn is_web_address(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    (text.starts_with("https://") || text.starts_with("http://")) && text.chars().all(allowed)
}

const KINDS: [&str; 9] =
    ["rfc", "draft", "uri", "rfc-errata", "registry", "person", "text", "note", "unicode"];
const FRAGMENTS: [&str; 6] = ["section", "page", "appendix", "table", "figure", "anchor"];

/// The white space of XML 1.0 §2.3. Other blanks of Unicode are text.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn rfc(data: &str) -> Option<String> {
    let number = data.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let series = &data[..data.len() - number.len()];
    let known = matches!(series, "rfc" | "bcp" | "std") && number.bytes().all(|octet| octet.is_ascii_digit());
    match series {
        _ if !known || number.is_empty() => None,
        "rfc" => Some(format!("https://www.rfc-editor.org/rfc/{data}")),
        _ => Some(format!("https://www.rfc-editor.org/info/{data}")),
    }
}
