//! Checks `registry/symbols-in-versions` against the header and the library: no published identifier disappears or
//! is renamed, and none is published without a line in that file.

use std::collections::BTreeMap;
use std::fs;

use crate::support;

/// Symbols by name.
type Symbols = BTreeMap<String, Symbol>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Symbol {
    is_deprecated: bool,
    /// The row of a constant of `Status`: `X.1.1`.
    row: Option<String>,
}

#[test]
fn the_header_has_the_symbols_of_the_list() {
    let listed = listed(|name| name.to_lowercase().starts_with("smtp_"));
    assert_same(&listed, &header_symbols(&read("generated/c/smtp_enhanced_status.h")));
}

#[test]
fn the_library_has_the_symbols_of_the_list() {
    let listed = listed(|name| !name.to_lowercase().starts_with("smtp_"));
    let library = read("src/lib.rs");
    let mut found = exports(&library);
    found.extend(
        public_modules(&library).flat_map(|module| items(module, &read(&format!("src/{module}.rs")))),
    );
    found.extend(constants(&read("generated/rust/statuses.rs"), "Status"));
    found.extend(constants(&read("generated/rust/reply_codes.rs"), "ReplyCode"));
    assert_same(&listed, &found);
}

#[test]
fn the_list_is_sorted_and_names_existing_versions() {
    let text = read("registry/symbols-in-versions");
    let names: Vec<&str> = lines(&text).map(|line| line[0]).collect();
    assert!(names.is_sorted(), "registry/symbols-in-versions is not sorted by octets");
    let changelog = read("CHANGELOG.md");
    for line in lines(&text) {
        let versions = line[1..].iter().filter(|word| !is_row(word));
        assert!(
            (1..=2).contains(&versions.clone().count())
                && !line[..line.len() - 1].iter().any(|word| is_row(word)),
            "{line:?}: a line has a symbol, its version, perhaps the version that deprecated it, and a constant's row"
        );
        for version in versions {
            assert!(
                changelog.contains(&format!("\n## {version} ")),
                "{line:?}: CHANGELOG.md has no version {version}"
            );
        }
    }
}

#[test]
fn removed_renamed_and_new_symbols_are_noticed() {
    let header = read("generated/c/smtp_enhanced_status.h");
    let renamed = header.replace("SMTP_ESC_MBOX_FULL ", "SMTP_ESC_MAILBOX_FULL ");
    let differences = differences(&header_symbols(&header), &header_symbols(&renamed));
    assert!(differences.iter().any(|line| line.contains("SMTP_ESC_MBOX_FULL is gone")), "{differences:?}");
    assert!(
        differences.iter().any(|line| line.contains("add the line `SMTP_ESC_MAILBOX_FULL ")),
        "{differences:?}"
    );
}

#[test]
fn a_wrong_row_and_a_missing_row_are_noticed() {
    let found = constants(&read("generated/rust/statuses.rs"), "Status");
    let full = Symbol { is_deprecated: false, row: Some("X.2.2".to_owned()) };
    assert_eq!(found["Status::MBOX_FULL"], full);
    for (row, expected) in [
        (Some("X.2.9"), "Status::MBOX_FULL is listed with X.2.9; a published name must keep its row"),
        (None, "Status::MBOX_FULL is listed without a row; add X.2.2 at the end of its line"),
    ] {
        let mut listed = found.clone();
        listed.get_mut("Status::MBOX_FULL").unwrap().row = row.map(str::to_owned);
        assert_eq!(differences(&listed, &found), [expected]);
    }
    let mut listed = found.clone();
    listed.remove("Status::MBOX_FULL");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(differences(&listed, &found), [format!("add the line `Status::MBOX_FULL {version} X.2.2`")]);
}

#[track_caller]
fn assert_same(listed: &Symbols, found: &Symbols) {
    let differences = differences(listed, found);
    assert!(differences.is_empty(), "registry/symbols-in-versions:\n{}", differences.join("\n"));
}

fn differences(listed: &Symbols, found: &Symbols) -> Vec<String> {
    let version = env!("CARGO_PKG_VERSION");
    let gone = listed.keys().filter(|name| !found.contains_key(*name));
    let mut differences: Vec<String> = gone
        .map(|name| format!("{name} is gone; a published symbol may be deprecated, but not removed"))
        .collect();
    for (name, symbol) in found {
        let row = symbol.row.as_ref().map(|row| format!(" {row}")).unwrap_or_default();
        let is_deprecated = symbol.is_deprecated;
        differences.extend(match listed.get(name) {
            None if is_deprecated => Some(format!("add the line `{name} {version} {version}{row}`")),
            None => Some(format!("add the line `{name} {version}{row}`")),
            Some(listed) if listed.is_deprecated != is_deprecated => {
                Some(format!("{name} is {}deprecated", if is_deprecated { "" } else { "not " }))
            }
            Some(listed) if listed.row != symbol.row => Some(match &listed.row {
                None => format!("{name} is listed without a row; add{row} at the end of its line"),
                Some(other) => {
                    format!("{name} is listed with {other}; a published name must keep its row")
                }
            }),
            Some(_) => None,
        });
    }
    differences
}

fn listed(which: impl Fn(&str) -> bool) -> Symbols {
    let text = read("registry/symbols-in-versions");
    let symbol = |line: &[&str]| Symbol {
        is_deprecated: line[1..].iter().filter(|word| !is_row(word)).count() == 2,
        row: line.last().filter(|word| is_row(word)).map(|row| (*row).to_owned()),
    };
    lines(&text).filter(|line| which(line[0])).map(|line| (line[0].to_owned(), symbol(&line))).collect()
}

fn is_row(word: &str) -> bool {
    word.starts_with("X.")
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
}

/// Returns the macros that are still defined at the end of the header, the structures and the functions.
fn header_symbols(header: &str) -> Symbols {
    let mut symbols = Symbols::new();
    let mut undefined = Vec::new();
    for line in header.lines() {
        let directive = line.trim_start_matches('#').trim_start();
        if let Some(definition) = directive.strip_prefix("define ") {
            let is_deprecated = definition.contains("deprecated: use ");
            let symbol = Symbol { is_deprecated, row: None };
            symbols.insert(word(definition.trim_start()).to_owned(), symbol);
        } else if let Some(name) = directive.strip_prefix("undef ") {
            undefined.push(word(name).to_owned());
        } else if line.starts_with("SMTP_ESC_INLINE ") {
            let declared = line.split('(').next().unwrap_or_default();
            let at = declared.rfind("smtp_esc_").unwrap_or_else(|| panic!("{line:?} declares no function"));
            symbols.insert(declared[at..].to_owned(), Symbol::default());
        } else if let Some(name) = line.strip_prefix("struct ") {
            symbols.insert(word(name).to_owned(), Symbol::default());
        }
    }
    symbols.retain(|name, _| !undefined.contains(name));
    symbols
}

/// Returns the associated constants of a generated `impl`.
fn constants(source: &str, type_name: &str) -> Symbols {
    let mut symbols = Symbols::new();
    let mut is_deprecated = false;
    for line in source.lines().map(str::trim_start) {
        is_deprecated |= line.starts_with("#[deprecated");
        if let Some(name) = line.strip_prefix("pub const ") {
            let symbol = Symbol { is_deprecated: std::mem::take(&mut is_deprecated), row: row(name) };
            symbols.insert(format!("{type_name}::{}", word(name)), symbol);
        }
    }
    symbols
}

/// Returns the row of `NAME: Status = Status::registered(7, 29);`.
fn row(constant: &str) -> Option<String> {
    let (_, numbers) = constant.split_once("Status::registered(")?;
    let (subject, detail) = numbers.split_once(')')?.0.split_once(", ")?;
    Some(format!("X.{subject}.{detail}"))
}

/// Returns what the library exports: the names in its `pub use` items.
fn exports(library: &str) -> Symbols {
    let uses = library.split("pub use ").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let names = uses.flat_map(|path| path.rsplit("::").next().unwrap_or_default().split(','));
    let names = names.map(|name| name.trim_matches(|c: char| "{} \n".contains(c)));
    names.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), Symbol::default())).collect()
}

/// Returns the names of the public modules.
fn public_modules(library: &str) -> impl Iterator<Item = &str> {
    library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
}

/// Returns the public items of a module: `module::Item`.
fn items(module: &str, source: &str) -> Symbols {
    let kinds = ["struct ", "enum ", "trait ", "type ", "const fn ", "fn ", "const ", "static "];
    let name = |line: &str| {
        let item = line.strip_prefix("pub ")?;
        let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
        Some(format!("{module}::{}", word(name)))
    };
    let exported = exports(source).into_keys().map(|name| format!("{module}::{name}"));
    source.lines().filter_map(name).chain(exported).map(|name| (name, Symbol::default())).collect()
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(support::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
