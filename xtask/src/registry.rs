//! The registry as IANA publishes it: three tables of records, every cell kept raw and read.
//!
//! [`Registry::read`] takes IANA's XML (schema: RELAX NG `smtp-enhanced-status-codes.rng`), checks ids and forms,
//! and applies the quirks. What it does not know it refuses by line, column, row and cell.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::associated::Associated;
use crate::code::{self, Class, Status};
use crate::quirk::Quirks;
use crate::text::RichText;
use crate::xml::{self, Element, Position};

/// The id of the outer registry; the tables have `-1`, `-2` and `-3` behind it.
pub const ID: &str = "smtp-enhanced-status-codes";

/// A whole registry file.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Title of the registry.
    pub title: String,
    /// `<created>`, a date or a month.
    pub created: String,
    /// `<updated>`, a date: the registry's version.
    pub updated: String,
    /// Notes of the outer registry.
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
    /// Title of the table.
    pub title: String,
    /// The references under the title.
    pub reference: RichText,
    /// How new rows are registered.
    pub registration_rule: RichText,
    /// The designated expert.
    pub expert: String,
    /// Notes of the table.
    pub notes: Vec<RichText>,
    /// The rows, in file order, each with what its code (and associated codes) were read as.
    pub rows: Vec<Row<K>>,
}

/// A record with its key.
#[derive(Clone, Debug)]
pub struct Row<K> {
    /// What the code was read as.
    pub key: K,
    /// The cells.
    pub record: Record,
}

/// The cells of a record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where the record begins.
    pub position: Position,
    /// Attribute `date`: when the row was registered.
    pub date: Option<String>,
    /// Attribute `updated`: when it was changed.
    pub updated: Option<String>,
    /// `2.XXX.YYY`, `X.0.YYY` or `X.1.1`.
    pub code: RichText,
    /// `<summary>` of tables 1 and 2, `<sample>` (the column "Sample Text") of table 3.
    pub sample: RichText,
    /// `<basic_code>` of table 3; empty in tables 1 and 2.
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
    /// Reads a registry file. Every quirk that a cell needed is marked as used in `quirks`.
    pub fn read(octets: &[u8], quirks: &mut Quirks) -> Result<Registry, xml::Error> {
        let root = xml::parse(octets)?;
        if root.name != "registry" {
            return Err(root.position.error(format!(
                "the root element is <{}>, where <registry> belongs; this is no IANA registry file",
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
            return Err(root.position.error(format!("the registry has {} tables, not 3", tables.len())));
        };
        let updated = outer.updated.ok_or_else(|| root.position.error("<updated> is missing"))?;
        if updated.len() != "2024-12-06".len() {
            return Err(root.position.error(format!("<updated> is {updated:?}, which has no day")));
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

    /// Whether the file says that its descriptions are summaries beside transcribed facts.
    pub fn is_transcribed(&self) -> bool {
        self.notes.iter().any(|note| note.text.contains("is a transcription of the registry"))
    }

    /// The row of a status.
    pub fn status(&self, status: Status) -> Option<&Row<(Status, Associated)>> {
        self.statuses.rows.iter().find(|row| row.key.0 == status)
    }
}

impl Record {
    /// Every cell with its element name, in file order; `summary` and `sample` are both called by `title`.
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

/// What stands above the records of a registry (`registryMeta` of IANA's schema).
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
            return Err(child.position.error(format!("<{}> stands here a second time", child.name)));
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
            name => return Err(child.position.error(format!("<{name}> does not belong here"))),
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
            return Err(record.position.error(format!("row {} stands here a second time", record.code.text)));
        }
        let key = key(&record, quirks)?;
        rows.push(Row { key, record });
    }
    if rows.is_empty() {
        return Err(table.position.error(format!("table {ID}-{number} has no row")));
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
            _ => return Err(element.position.error(format!("<record> has no attribute {name:?}"))),
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
            _ => return Err(child.position.error(format!("<{name}> is no cell of this table"))),
        };
        if !seen.insert(name.to_owned()) {
            return Err(child.position.error(format!("<{name}> stands twice in one record")));
        }
        *cell = RichText::read(child)?;
    }
    let expected =
        ["code", sample, "basic_code", "description", "reference", "submitter", "change_controller"];
    match expected.into_iter().find(|&name| !seen.contains(name) && (has_basic_code || name != "basic_code"))
    {
        None => Ok(record),
        Some(name) => Err(element.position.error(format!("row {:?} has no <{name}>", record.code.text))),
    }
}

/// An empty cell of an enumerated row is odd and needs a quirk that says how to read it.
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
                "the quirk of row {} reads basic_code as {reading:?}, which is no list either; \
                 write one such as \"451, 550\", \"Any\", \"Not given\" or \"\"",
                record.code.text
            ))
        });
    }
    Associated::parse(raw).ok_or_else(|| odd_cell(record, "basic_code", raw))
}

fn odd_cell(record: &Record, cell: &str, raw: &str) -> xml::Error {
    let row = &record.code.text;
    record.position.error(format!(
        "row {row}, cell {cell}: {raw:?} has no known form; if IANA means it so, add to registry/quirks.toml: \
         [[quirk]] row = {row:?}, cells = [{cell:?}], raw = {raw:?}, reads-as = \"...\", why = \"...\", \
         since = \"...\", historical = false (one key a line)"
    ))
}

fn bad_code(record: &Record, expected: &str) -> xml::Error {
    record.position.error(format!("the code {:?} does not have the form {expected}", record.code.text))
}

fn check_id(element: &Element, expected: &str) -> Result<(), xml::Error> {
    match element.attribute("id") {
        Some(id) if id == expected => Ok(()),
        id => Err(element.position.error(format!(
            "registry id {:?}, where {expected:?} belongs; this is another registry",
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
            "<{}> has text of its own: {:?}",
            element.name,
            text.chars().take(40).collect::<String>()
        ))),
    }
}

fn date(element: &Element) -> Result<String, xml::Error> {
    check_date(&RichText::read(element)?.text).map_err(|reason| element.position.error(reason))
}

/// `2024-12-06`, or a month `2024-12` where the schema allows one (`genericDate`).
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
    is_date.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is no date such as 2024-12-06"))
}

/// SMTP has had extensions to register since 1993.
const YEARS: RangeInclusive<u16> = 1990..=2999;
