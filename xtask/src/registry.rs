//! The registry as IANA publishes it: three tables of records, with every cell both raw and parsed.
//!
//! [`Registry::read`] parses IANA's XML (RELAX NG schema: `smtp-enhanced-status-codes.rng`), checks ids and forms, and
//! applies the quirks. It refuses everything that it does not know, and names the line, column, row and cell.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::associated::Associated;
use crate::code::{self, Class, Status};
use crate::quirk::Quirks;
use crate::text::RichText;
use crate::xml::{self, Element, Position};

/// The id of the outer registry. The ids of the tables end in `-1`, `-2` and `-3`.
pub const ID: &str = "smtp-enhanced-status-codes";

/// This file, for messages that say where a change of IANA's format is let in.
const SOURCE: &str = "xtask/src/registry.rs";

/// A whole registry file.
#[derive(Clone, Debug)]
pub struct Registry {
    /// The title of the registry.
    pub title: String,
    /// `<created>`: a date, or a month.
    pub created: String,
    /// `<updated>`: a date, which identifies the version.
    pub updated: String,
    /// The notes of the outer registry.
    pub notes: Vec<RichText>,
    /// Table 1: classes.
    pub classes: Table<Class>,
    /// Table 2: subjects.
    pub subjects: Table<u16>,
    /// Table 3: enumerated statuses.
    pub statuses: Table<(Status, Associated)>,
}

/// A sub-registry and its rows.
#[derive(Clone, Debug)]
pub struct Table<K> {
    /// The title of the table.
    pub title: String,
    /// The references under the title.
    pub reference: RichText,
    /// How new rows are registered.
    pub registration_rule: RichText,
    /// The designated expert.
    pub expert: String,
    /// The notes of the table.
    pub notes: Vec<RichText>,
    /// The rows, in file order.
    pub rows: Vec<Row<K>>,
}

/// A record with its key.
#[derive(Clone, Debug)]
pub struct Row<K> {
    /// The parsed code, and for enumerated statuses the parsed associated codes.
    pub key: K,
    /// The cells.
    pub record: Record,
}

/// The cells of a record.
#[derive(Clone, Debug)]
pub struct Record {
    /// The position of the record in the file.
    pub position: Position,
    /// The attribute `date`: when the row was registered.
    pub date: Option<String>,
    /// The attribute `updated`: when the row was last changed.
    pub updated: Option<String>,
    /// `2.XXX.YYY`, `X.0.YYY` or `X.1.1`.
    pub code: RichText,
    /// `<summary>` in tables 1 and 2, `<sample>` (the column "Sample Text") in table 3.
    pub sample: RichText,
    /// `<basic_code>` in table 3; empty in tables 1 and 2.
    pub basic_code: RichText,
    /// `<description>`.
    pub description: RichText,
    /// `<reference>`.
    pub reference: RichText,
    /// `<submitter>`.
    pub submitter: RichText,
    /// `<change_controller>`.
    pub change_controller: RichText,
}

impl Registry {
    /// Parses a registry file, and marks the quirks that its cells need as used.
    pub fn read(octets: &[u8], quirks: &mut Quirks) -> Result<Registry, xml::Error> {
        let root = xml::parse(octets)?;
        if root.name != "registry" {
            return Err(root.position.error(format!(
                "the root element is <{}>, not <registry>; this is not an IANA registry file",
                root.name
            )));
        }
        check_id(&root, ID)?;
        let mut outer = Meta::default();
        let mut tables = Vec::new();
        for child in root.children() {
            match child.name.as_str() {
                "registry" => tables.push(child),
                "people" => {}
                _ => outer.read(child)?,
            }
        }
        check_no_text(&root)?;
        let [classes, subjects, statuses] = tables[..] else {
            return Err(root
                .position
                .error(format!("the registry has {} tables instead of 3", tables.len())));
        };
        let updated = outer.updated.ok_or_else(|| root.position.error("<updated> is missing"))?;
        if updated.len() != "2024-12-06".len() {
            return Err(root.position.error(format!("<updated> is {updated:?}, a date without a day")));
        }
        Ok(Registry {
            title: outer.title,
            created: outer.created.unwrap_or_default(),
            updated,
            notes: outer.notes,
            classes: read_table(classes, 1, "summary", quirks, |record, _| {
                code::parse_class_pattern(&record.code.text)
                    .ok_or_else(|| bad_code(record, "2.XXX.YYY, 4.XXX.YYY or 5.XXX.YYY"))
            })?,
            subjects: read_table(subjects, 2, "summary", quirks, |record, _| {
                code::parse_subject_pattern(&record.code.text).ok_or_else(|| bad_code(record, "X.n.YYY"))
            })?,
            statuses: read_table(statuses, 3, "sample", quirks, |record, quirks| {
                let status =
                    Status::parse(&record.code.text).ok_or_else(|| bad_code(record, "X.n.n, as in X.1.1"))?;
                Ok((status, read_associated(record, quirks)?))
            })?,
        })
    }

    /// Returns whether the file says that it is a transcription, with summaries for descriptions.
    pub fn is_transcribed(&self) -> bool {
        self.notes.iter().any(|note| note.text.contains("is a transcription of the registry"))
    }

    /// Returns the row of a status.
    pub fn status(&self, status: Status) -> Option<&Row<(Status, Associated)>> {
        self.statuses.rows.iter().find(|row| row.key.0 == status)
    }
}

impl Record {
    /// Returns every cell with the name of its element, in file order. `<summary>` is returned as `sample` too.
    pub fn cells(&self) -> [(&'static str, &RichText); 7] {
        [
            ("code", &self.code),
            ("sample", &self.sample),
            ("basic_code", &self.basic_code),
            ("description", &self.description),
            ("reference", &self.reference),
            ("submitter", &self.submitter),
            ("change_controller", &self.change_controller),
        ]
    }
}

/// What comes before the records of a registry (`registryMeta` in IANA's schema).
#[derive(Default)]
struct Meta {
    seen: BTreeSet<&'static str>,
    title: String,
    created: Option<String>,
    updated: Option<String>,
    registration_rule: RichText,
    expert: String,
    reference: RichText,
    notes: Vec<RichText>,
}

impl Meta {
    fn read(&mut self, child: &Element) -> Result<(), xml::Error> {
        let once = ["title", "created", "updated", "registration_rule", "expert"];
        let name = once.into_iter().find(|&name| name == child.name);
        if name.is_some_and(|name| !self.seen.insert(name)) {
            return Err(child.position.error(format!("<{}> occurs a second time", child.name)));
        }
        match child.name.as_str() {
            "title" => self.title = RichText::read(child)?.text,
            "created" => self.created = Some(date(child)?),
            "updated" => self.updated = Some(date(child)?),
            "registration_rule" => self.registration_rule = RichText::read(child)?,
            "expert" => self.expert = RichText::read(child)?.text,
            "note" | "description" => self.notes.push(RichText::read(child)?),
            "xref" => self.reference.push_reference(child)?,
            "metadata" | "hide" | "category" | "range" | "file" => {}
            name => {
                return Err(child.position.error(format!(
                    "<{name}> is not allowed here; if IANA really writes this, read it in `Meta::read` of {SOURCE}, \
                     or pass over it in the line that begins with `\"metadata\"`"
                )));
            }
        }
        Ok(())
    }
}

fn read_table<K: PartialEq>(
    table: &Element,
    number: u8,
    sample: &str,
    quirks: &mut Quirks,
    mut key: impl FnMut(&Record, &mut Quirks) -> Result<K, xml::Error>,
) -> Result<Table<K>, xml::Error> {
    check_id(table, &format!("{ID}-{number}"))?;
    check_no_text(table)?;
    let mut meta = Meta::default();
    let mut rows: Vec<Row<K>> = Vec::new();
    let mut seen = BTreeSet::new();
    for child in table.children() {
        if child.name != "record" {
            meta.read(child)?;
            continue;
        }
        let mut record = read_record(child, sample, number == 3)?;
        if number == 3 {
            check_empty_cells(&mut record, quirks)?;
        }
        if !seen.insert(record.code.text.clone()) {
            return Err(record.position.error(format!("row {} occurs a second time", record.code.text)));
        }
        let key = key(&record, quirks)?;
        rows.push(Row { key, record });
    }
    if rows.is_empty() {
        return Err(table.position.error(format!("table {ID}-{number} has no rows")));
    }
    Ok(Table {
        title: meta.title,
        reference: meta.reference,
        registration_rule: meta.registration_rule,
        expert: meta.expert,
        notes: meta.notes,
        rows,
    })
}

fn read_record(element: &Element, sample: &str, has_basic_code: bool) -> Result<Record, xml::Error> {
    check_no_text(element)?;
    let mut record = Record {
        position: element.position,
        date: None,
        updated: None,
        code: RichText::default(),
        sample: RichText::default(),
        basic_code: RichText::default(),
        description: RichText::default(),
        reference: RichText::default(),
        submitter: RichText::default(),
        change_controller: RichText::default(),
    };
    for (name, value) in &element.attributes {
        let date = match name.as_str() {
            "date" => &mut record.date,
            "updated" => &mut record.updated,
            _ => {
                return Err(element.position.error(format!(
                    "<record> has the unknown attribute {name:?}; if IANA really writes this, read it in \
                     `read_record` of {SOURCE}, or pass over it there with `{name:?} => continue,`"
                )));
            }
        };
        *date = Some(check_date(value).map_err(|reason| element.position.error(reason))?);
    }
    let mut seen = BTreeSet::new();
    for child in element.children() {
        let name = child.name.as_str();
        let cell = match name {
            "code" => &mut record.code,
            "basic_code" if has_basic_code => &mut record.basic_code,
            "description" => &mut record.description,
            "reference" => &mut record.reference,
            "submitter" => &mut record.submitter,
            "change_controller" => &mut record.change_controller,
            _ if name == sample => &mut record.sample,
            _ => {
                let row = &record.code.text;
                return Err(child.position.error(format!(
                    "row {row:?}: <{name}> is not a column of this table; if IANA really writes this, give it a field \
                     of `Record` and read it in `read_record` of {SOURCE}, or pass over it there with \
                     `{name:?} => continue,`; registry/quirks.toml is only for odd texts in known columns"
                )));
            }
        };
        if !seen.insert(name.to_owned()) {
            return Err(child.position.error(format!("<{name}> occurs twice in one record")));
        }
        *cell = RichText::read(child)?;
    }
    let expected =
        ["code", sample, "basic_code", "description", "reference", "submitter", "change_controller"];
    match expected.into_iter().find(|&name| !seen.contains(name) && (has_basic_code || name != "basic_code"))
    {
        None => Ok(record),
        Some(name) => Err(element.position.error(format!(
            "row {:?} has no <{name}>; if IANA dropped the column, take it out of `expected` in `read_record` of {SOURCE}",
            record.code.text
        ))),
    }
}

/// Fails if a cell of an enumerated status is empty and no quirk allows that.
fn check_empty_cells(record: &mut Record, quirks: &mut Quirks) -> Result<(), xml::Error> {
    for (cell, text) in record.cells() {
        if cell != "code" && text.text.is_empty() && quirks.reading(&record.code.text, cell, "").is_none() {
            return Err(odd_cell(record, cell, ""));
        }
    }
    Ok(())
}

fn read_associated(record: &Record, quirks: &mut Quirks) -> Result<Associated, xml::Error> {
    let raw = &record.basic_code.text;
    let quirk = quirks.reading(&record.code.text, "basic_code", raw);
    if let Some(reading) = quirk {
        return Associated::parse(&reading).ok_or_else(|| {
            record.position.error(format!(
                "the quirk of row {} reads basic_code as {reading:?}, which is not a list either; \
                 write \"451, 550\", \"Any\", \"Not given\" or \"\", for instance",
                record.code.text
            ))
        });
    }
    Associated::parse(raw).ok_or_else(|| odd_cell(record, "basic_code", raw))
}

fn odd_cell(record: &Record, cell: &str, raw: &str) -> xml::Error {
    let row = &record.code.text;
    record.position.error(format!(
        "row {row}, cell {cell}: {raw:?} has no known form; if IANA really writes this, add to registry/quirks.toml, \
         with one key per line: [[quirk]] row = {row:?}, cells = [{cell:?}], raw = {raw:?}, reads-as = \"...\", \
         why = \"...\", since = \"...\", historical = false"
    ))
}

fn bad_code(record: &Record, expected: &str) -> xml::Error {
    record.position.error(format!("the code {:?} does not have the form {expected}", record.code.text))
}

fn check_id(element: &Element, expected: &str) -> Result<(), xml::Error> {
    match element.attribute("id") {
        Some(id) if id == expected => Ok(()),
        id => Err(element.position.error(format!(
            "the registry id is {:?}, not {expected:?}; this is another registry",
            id.unwrap_or_default()
        ))),
    }
}

fn check_no_text(element: &Element) -> Result<(), xml::Error> {
    let stray = element.content.iter().find_map(|node| match node {
        xml::Node::Text(text) => Some(text.trim_ascii()).filter(|text| !text.is_empty()),
        xml::Node::Element(_) => None,
    });
    match stray {
        None => Ok(()),
        Some(text) => Err(element.position.error(format!(
            "<{}> must not contain text, but has {:?}",
            element.name,
            text.chars().take(40).collect::<String>()
        ))),
    }
}

fn date(element: &Element) -> Result<String, xml::Error> {
    check_date(&RichText::read(element)?.text).map_err(|reason| element.position.error(reason))
}

/// Checks for a date, `2024-12-06`, or a month, `2024-12`, as the schema allows (`genericDate`).
fn check_date(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_part = |part: &str, digits: usize, range: RangeInclusive<u16>| {
        part.len() == digits
            && part.bytes().all(|octet| octet.is_ascii_digit())
            && part.parse().is_ok_and(|number| range.contains(&number))
    };
    let is_date = match parts.as_slice() {
        [year, month] => is_part(year, 4, YEARS) && is_part(month, 2, 1..=12),
        [year, month, day] => is_part(year, 4, YEARS) && is_part(month, 2, 1..=12) && is_part(day, 2, 1..=31),
        _ => false,
    };
    is_date.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is not a date such as 2024-12-06"))
}

/// SMTP has had extensions since 1993.
const YEARS: RangeInclusive<u16> = 1990..=2999;
