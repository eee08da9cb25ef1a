//! The CSV files, read with the crate csv.

use std::collections::BTreeMap;

use csv::ReaderBuilder;
use proptest::prelude::*;
use smtp_enhanced_status::{AssociatedForm, Class, Entry, Listing, ReplyCode, entries, reply_codes};
use xtask::render::escape::{CsvField, Place as _, is_deceptive};
use xtask::text::collapse;

use super::product;

/// The files with a head. Those for log pipelines have none.
pub(crate) const FILES: [&str; 5] =
    ["statuses.csv", "pairs.csv", "reply-codes.csv", "categories.csv", "advice.csv"];

/// A row's cells, by column.
pub(crate) type Row = BTreeMap<String, String>;

/// Returns the rows of a file, with the escaping of the cells undone.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let cells = |row: Row| row.into_iter().map(|(column, cell)| (column, plain(&cell))).collect();
    raw_rows(text).into_iter().map(cells).collect()
}

/// Returns the text of a cell: without the leading apostrophe, and with the escapes undone.
fn plain(cell: &str) -> String {
    let mut parts = cell.strip_prefix('\'').unwrap_or(cell).split("\\u{");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('}').unwrap();
        plain.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain
}

/// Returns the rows of a file, with the cells as they are.
fn raw_rows(text: &str) -> Vec<Row> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let cells = |record: csv::StringRecord| {
        assert_eq!(record.len(), header.len(), "{record:?}");
        header.iter().map(String::from).zip(record.iter().map(String::from)).collect()
    };
    reader.records().map(|record| cells(record.unwrap())).collect()
}

#[test]
fn statuses_are_those_of_the_library() {
    let rows = rows(&product("statuses.csv"));
    let expected: Vec<Row> = entries().iter().map(status_row).collect();
    assert_eq!(rows, expected);
}

fn status_row(entry: &Entry) -> Row {
    let status = entry.status;
    let links = entry.references.iter().filter_map(|reference| reference.link);
    let successor = entry.deprecated.map(|deprecation| deprecation.successor.to_string());
    let cells = [
        ("code", status.to_string()),
        ("subject", status.subject().to_string()),
        ("detail", status.detail().to_string()),
        ("identifier", entry.identifier.to_owned()),
        ("sample_text", entry.sample_text.to_owned()),
        ("associated_form", form(entry.associated.form).to_owned()),
        ("associated_codes", joined(entry.associated.codes)),
        ("associated_class_wildcards", joined(entry.associated.class_wildcards.iter().map(Class::digit))),
        ("raw_associated", entry.raw.associated.to_owned()),
        ("description", entry.description.to_owned()),
        ("reference", entry.reference.to_owned()),
        ("links", joined(links)),
        ("submitter", entry.submitter.to_owned()),
        ("change_controller", entry.change_controller.to_owned()),
        ("date", entry.date.unwrap_or_default().to_owned()),
        ("updated", entry.updated.unwrap_or_default().to_owned()),
        ("classes", joined(entry.classes.iter().map(Class::digit))),
        ("classes_basis", entry.classes_basis.to_owned()),
        ("source", entry.source.to_owned()),
        ("successor", successor.unwrap_or_default()),
        (
            "deprecation_source",
            entry.deprecated.map_or_else(String::new, |deprecation| deprecation.source.to_owned()),
        ),
    ];
    cells.into_iter().map(|(column, cell)| (column.to_owned(), cell)).collect()
}

/// Returns the word for a form in JSON and CSV.
pub(crate) fn form(form: AssociatedForm) -> &'static str {
    match form {
        AssociatedForm::Any => "any",
        AssociatedForm::NotGiven => "not-given",
        AssociatedForm::NoData => "no-data",
        AssociatedForm::List => "list",
        AssociatedForm::OpenList => "open-list",
        form => panic!("the tables have no word for {form:?}"),
    }
}

fn joined(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn pairs_list_what_the_library_lists() {
    let rows = rows(&product("pairs.csv"));
    for entry in entries() {
        let of_entry = || rows.iter().filter(|row| row["status"] == entry.status.to_string());
        assert!(of_entry().all(|row| row["identifier"] == entry.identifier), "{}", entry.status);
        for code in (200..=599).filter_map(ReplyCode::new) {
            let kinds = of_entry().filter(|row| code.to_string().starts_with(&row["reply_code"]));
            let kinds: Vec<&str> = kinds.map(|row| row["kind"].as_str()).collect();
            let expected = entry.associated.listing(code).map(|listing| match listing {
                Listing::Exact => "exact",
                Listing::ClassWildcard => "class",
                Listing::Any => "any",
            });
            // A list may have both a code and its class; the code comes first. No row lists a 3yz code.
            let found = if code.class().is_some() { kinds.first().copied() } else { None };
            assert_eq!(found, expected, "{code} and {}", entry.status);
        }
    }
    assert!(rows.iter().all(|row| entries().iter().any(|entry| entry.status.to_string() == row["status"])));
}

#[test]
fn reply_codes_are_those_of_the_library() {
    let rows = rows(&product("reply-codes.csv"));
    let expected = reply_codes().iter().map(|entry| {
        let cells = [
            ("code", entry.code.to_string()),
            ("identifier", entry.identifier.to_owned()),
            ("meaning", entry.meaning.to_owned()),
            ("client", entry.client.to_owned()),
            ("sources", entry.sources.join("; ")),
        ];
        cells.into_iter().map(|(column, cell)| (column.to_owned(), cell)).collect::<Row>()
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

#[test]
fn no_cell_of_the_tables_needs_an_escape() {
    for name in FILES {
        let text = product(name);
        assert_eq!(raw_rows(&text), rows(&text), "{name}");
        assert_harmless(&text);
    }
}

/// Fails unless a spreadsheet takes every cell for text and shows all its characters.
#[track_caller]
pub(crate) fn assert_harmless(text: &str) {
    for (column, cell) in raw_rows(text).iter().flatten() {
        let begins_formula = |c| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}\t\r".contains(c);
        assert!(!cell.trim_start_matches([' ', '\n']).starts_with(begins_formula), "{column}: {cell:?}");
        assert!(!cell.chars().any(|c| c != '\n' && is_deceptive(c)), "{column}: {cell:?}");
    }
}

#[test]
fn cells_that_a_spreadsheet_would_calculate_are_escaped() {
    for (text, expected) in [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1,2)", "\"'@SUM(1,2)\""),
        (" =1", "' =1"),
        ("\n=1", "\"'\n=1\""),
        ("\t=1", "'\\u{9}=1"),
        ("\r=1", "'\\u{d}=1"),
        ("\tTab", "\\u{9}Tab"),
        ("\u{ff1d}1", "'\u{ff1d}1"),
        ("'quoted'", "''quoted'"),
        ("a\u{202e}b\u{9b}c", "a\\u{202e}b\\u{9b}c"),
        ("\\u{202e} C:\\users", "\\u{5c}u{202e} C:\\users"),
        ("550, 551-2 = 3 + 4 @ 5", "\"550, 551-2 = 3 + 4 @ 5\""),
    ] {
        assert_eq!(CsvField::escape(text), expected);
    }
}

proptest! {
    /// Any text is harmless in a cell, and comes back from it.
    #[test]
    fn text_comes_back_from_a_cell(text in "[-=+@'\\\\u{}0-9a-f \t\r\n\",#\u{202e}\u{9b}\u{ff1d}]{0,12}|.{0,20}") {
        let file = format!("first,second\n,{}\n", CsvField::escape(&text));
        assert_harmless(&file);
        prop_assert_eq!(&rows(&file)[0]["second"], &text);
    }
}

#[test]
fn text_columns_are_collapsed_and_lines_end_in_lf() {
    for name in FILES {
        let text = product(name);
        assert!(
            text.starts_with("# @generated") && text.ends_with('\n') && !text.ends_with("\n\n"),
            "{name}"
        );
        for (column, cell) in rows(&text).iter().flatten().filter(|(column, _)| *column != "raw_associated") {
            assert_eq!(*cell, collapse(cell), "{name}, {column}");
        }
    }
}
