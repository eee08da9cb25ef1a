//! `registry/symbols-in-versions` against the header and the library: no published identifier disappears or changes
//! its name, and none is published without a line there.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;

/// By name: whether it is deprecated.
type Symbols = BTreeMap<String, bool>;

#[test]
fn the_header_has_the_symbols_of_the_list() {
    let listed = listed(|name| name.to_lowercase().starts_with("smtp_"));
    assert_same(&listed, &header_symbols(&read("generated/c/smtp_enhanced_status.h")));
}

#[test]
fn the_library_has_the_symbols_of_the_list() {
    let listed = listed(|name| !name.to_lowercase().starts_with("smtp_"));
    let mut found = exports(&read("src/lib.rs"));
    found.extend(constants(&read("generated/rust/statuses.rs"), "Status"));
    found.extend(constants(&read("generated/rust/reply_codes.rs"), "ReplyCode"));
    assert_same(&listed, &found);
}

#[test]
fn the_list_is_sorted_and_names_versions_that_exist() {
    let text = read("registry/symbols-in-versions");
    let names: Vec<&str> = lines(&text).map(|line| line[0]).collect();
    assert!(names.is_sorted(), "registry/symbols-in-versions is not in the order of its octets");
    let changelog = read("CHANGELOG.md");
    for line in lines(&text) {
        assert!(
            line.len() <= 3,
            "{line:?}: a line is a symbol, a version, and the version that deprecated it"
        );
        for version in &line[1..] {
            assert!(
                changelog.contains(&format!("\n## {version} ")),
                "{line:?}: CHANGELOG.md has no version {version}"
            );
        }
    }
}

#[test]
fn a_removed_a_renamed_and_a_new_symbol_are_noticed() {
    let header = read("generated/c/smtp_enhanced_status.h");
    let renamed = header.replace("SMTP_ESC_MBOX_FULL ", "SMTP_ESC_MAILBOX_FULL ");
    let differences = differences(&header_symbols(&header), &header_symbols(&renamed));
    assert!(differences.iter().any(|line| line.contains("SMTP_ESC_MBOX_FULL is gone")), "{differences:?}");
    assert!(
        differences.iter().any(|line| line.contains("add the line `SMTP_ESC_MAILBOX_FULL ")),
        "{differences:?}"
    );
}

#[track_caller]
fn assert_same(listed: &Symbols, found: &Symbols) {
    let differences = differences(listed, found);
    assert!(differences.is_empty(), "registry/symbols-in-versions:\n{}", differences.join("\n"));
}

fn differences(listed: &Symbols, found: &Symbols) -> Vec<String> {
    let version = env!("CARGO_PKG_VERSION");
    let gone = listed.keys().filter(|name| !found.contains_key(*name));
    let mut differences: Vec<String> =
        gone.map(|name| format!("{name} is gone; a published symbol stays, deprecated at most")).collect();
    for (name, deprecated) in found {
        match listed.get(name) {
            None if *deprecated => differences.push(format!("add the line `{name} {version} {version}`")),
            None => differences.push(format!("add the line `{name} {version}`")),
            Some(listed) if listed != deprecated => {
                differences.push(format!("{name} is {}deprecated", if *deprecated { "" } else { "not " }));
            }
            Some(_) => {}
        }
    }
    differences
}

fn listed(which: impl Fn(&str) -> bool) -> Symbols {
    let text = read("registry/symbols-in-versions");
    lines(&text).filter(|line| which(line[0])).map(|line| (line[0].to_owned(), line.len() == 3)).collect()
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
}

/// Macros that stay defined behind the header, and functions.
fn header_symbols(header: &str) -> Symbols {
    let mut symbols = Symbols::new();
    let mut undefined = Vec::new();
    for line in header.lines() {
        let directive = line.trim_start_matches('#').trim_start();
        if let Some(definition) = directive.strip_prefix("define ") {
            let deprecated = definition.contains("deprecated: use ");
            symbols.insert(word(definition.trim_start()).to_owned(), deprecated);
        } else if let Some(name) = directive.strip_prefix("undef ") {
            undefined.push(word(name).to_owned());
        } else if let Some(at) = line.find("smtp_esc_").filter(|_| line.starts_with("SMTP_ESC_INLINE ")) {
            symbols.insert(word(&line[at..]).to_owned(), false);
        }
    }
    symbols.retain(|name, _| !undefined.contains(name));
    symbols
}

/// The associated constants of a generated `impl`.
fn constants(source: &str, type_name: &str) -> Symbols {
    let mut symbols = Symbols::new();
    let mut deprecated = false;
    for line in source.lines().map(str::trim_start) {
        deprecated |= line.starts_with("#[deprecated");
        if let Some(name) = line.strip_prefix("pub const ") {
            symbols.insert(format!("{type_name}::{}", word(name)), std::mem::take(&mut deprecated));
        }
    }
    symbols
}

/// What the library exports: the names of its `pub use` lines.
fn exports(library: &str) -> Symbols {
    let uses = library.split("pub use ").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let names = uses.flat_map(|path| path.rsplit("::").next().unwrap_or_default().split(','));
    let names = names.map(|name| name.trim_matches(|c: char| "{} \n".contains(c)));
    names.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), false)).collect()
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(support::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
