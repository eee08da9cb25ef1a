//! Renders hostile text in every cell of the registry and in the other data files. The products compile as Rust and as
//! C in every standard, and the compiled tables have the same text.
//!
//! For Markdown, JSON and CSV, the tests of these products check this: see `tests/tables`.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use xtask::model::{Entry, Model};
use xtask::text::collapse;

use crate::copy::Copy;
use crate::{dialects, support};

/// Texts that end, begin or reorder something in the language of one of the products.
const TEXTS: [&str; 24] = [
    "*/ int x; /*",
    "say \"no\" \\",
    "what??/ ??= ??( ??)",
    "%n%s%1$n 100%",
    "a|b|`c`||",
    "</td><script>alert(1)</script><!--",
    "\u{202e}reversed\u{202c} \u{200b}\u{feff}",
    "na\u{ef}ve \u{65e5}\u{672c} \u{1f980}",
    "]]> -- {{x}} {% raw %} {#",
    "line one\nline two",
    "[x](http://example.org) <b> & &amp; *a* _b_ ~~c~~",
    "\"); abort(); (\"",
    "ends with a backslash \\",
    "r#\"raw\"# #![feature(x)]",
    "@user a@b.example www.example.org https://example.org/",
    "tab\there",
    "'\"'\"'",
    "\u{2028}\u{2029}\u{85}\u{9b}",
    "${PATH} $(id) @PREFIX@",
    "=1+1",
    "-- #",
    "// \\u{41} \\x41 \\101 \\",
    "/",
    "5.1.1 [RFC3463] `X.1.1`",
];

#[test]
fn hostile_text_is_rendered_as_text() {
    let copy = hostile_project();
    let rendered = copy.xtask(&["render"]);
    assert!(rendered.status.success(), "{}", text(&rendered.stderr));
    let model = Model::load(copy.root()).unwrap();
    for (index, entry) in model.entries.iter().enumerate() {
        assert_eq!(
            entry.record.sample.text,
            collapse(TEXTS[index % TEXTS.len()]),
            "the parser changed the text"
        );
    }
    assert_eq!(rust_tables(&copy), tables(&model), "the Rust tables have other text");
    let expected = c_tables(&model);
    let source = support::root().join("xtask/tests/integration/hostile/tables.c");
    dialects::in_two_threads(&dialects::dialects(), |dialect| {
        let program = copy.path(&format!("{dialect:?}").replace(' ', "-"));
        let mut compile = dialect.command(&copy.path("generated/c"), &dialects::WARNINGS);
        dialects::succeed(compile.arg(&source).arg("-o").arg(&program));
        assert_eq!(
            run(&mut Command::new(&program)),
            expected,
            "the C tables have other text, compiled with {dialect:?}"
        );
    });
}

/// Returns a copy of the project with hostile text wherever the registry and the data files have text.
fn hostile_project() -> Copy {
    let copy = Copy::to_render();
    let model = Model::load(copy.root()).unwrap();
    let path = copy.path("registry/smtp-enhanced-status-codes.xml");
    let mut xml = fs::read_to_string(path).unwrap();
    for tag in [
        "title",
        "expert",
        "registration_rule",
        "summary",
        "sample",
        "description",
        "submitter",
        "change_controller",
    ] {
        xml = replace_content(&xml, tag);
    }
    xml = xml.replace("(Standards Track)</reference>", &format!("{}</reference>", escape_xml(TEXTS[0])));
    copy.replace_snapshot(&xml, &model.registry.updated, "iana");
    for file in ["annotations.toml", "reply-codes.toml"] {
        let data = fs::read_to_string(copy.path(&format!("registry/{file}"))).unwrap();
        fs::write(copy.path(&format!("registry/{file}")), replace_values(&data)).unwrap();
    }
    // These cells are no longer empty.
    copy.edit(
        "registry/quirks.toml",
        "\"sample\", \"basic_code\", \"submitter\", \"change_controller\"",
        "\"basic_code\"",
    );
    copy
}

/// Replaces the content of every element with this name, even if it is empty.
fn replace_content(xml: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let xml = xml.replace(&format!("<{tag}/>"), &format!("{open}{close}"));
    // The first row of the third table gets the first of `TEXTS`, so that the number of a row tells its text.
    let third_table = xml.find("smtp-enhanced-status-codes-3").unwrap();
    let before = xml[..third_table].matches(&open).count();
    let mut parts = xml.split(open.as_str());
    let mut replaced = parts.next().unwrap().to_owned();
    for (index, part) in parts.enumerate() {
        let (_, rest) = part.split_once(close.as_str()).unwrap();
        let hostile = escape_xml(TEXTS[(index + TEXTS.len() * 9 - before) % TEXTS.len()]);
        replaced.extend([open.as_str(), &hostile, &close, rest]);
    }
    replaced
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Replaces the free texts of a data file.
fn replace_values(data: &str) -> String {
    let keys = ["basis", "source", "summary", "meaning", "client"];
    let lines = data.lines().enumerate().map(|(index, line)| match line.split_once(" = ") {
        Some((key, _)) if keys.contains(&key) => {
            format!("{key} = {}\n", serde_json::json!(TEXTS[index % TEXTS.len()]))
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Returns the tables that the compiled library prints.
fn rust_tables(copy: &Copy) -> String {
    let compile = |arguments: &[&str]| {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .args(["--edition", "2024", "-D", "warnings"])
            .args(arguments)
            .current_dir(copy.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    compile(&["--crate-type", "rlib", "--crate-name", "smtp_enhanced_status", "src/lib.rs"]);
    let program = support::root().join("xtask/tests/integration/hostile/tables.rs");
    let library = "smtp_enhanced_status=libsmtp_enhanced_status.rlib";
    compile(&["--extern", library, "-o", "tables", program.to_str().unwrap()]);
    run(&mut Command::new(copy.path("tables")))
}

/// Returns the same tables, according to the model.
fn tables(model: &Model) -> String {
    let mut lines = String::new();
    let mut line = |fields: &[&str]| {
        let _ = writeln!(lines, "{fields:?}");
    };
    for Entry { status, record, annotation, conflicts, .. } in &model.entries {
        line(&[&status.to_string(), &record.sample.text, &record.description.text, &record.reference.text]);
        line(&[
            &record.submitter.text,
            &record.change_controller.text,
            &annotation.basis,
            &annotation.source,
        ]);
        line(&record.cells().map(|(_, cell)| cell.raw.as_str()));
        for conflict in conflicts {
            line(&[&conflict.source, &conflict.summary]);
        }
    }
    for entry in &model.reply_codes {
        line(&[&entry.code.to_string(), &entry.meaning, &entry.client]);
    }
    for record in model.registry.classes.rows.iter().map(|row| &row.record) {
        line(&[&record.sample.text, &record.description.text]);
    }
    for record in model.registry.subjects.rows.iter().map(|row| &row.record) {
        line(&[&record.sample.text, &record.description.text]);
    }
    lines
}

/// Returns what the C program prints: the identifier, sample text, reference, summary of the subject and description of
/// each row, then the reply codes, with texts in hexadecimal.
fn c_tables(model: &Model) -> String {
    let hex = |text: &str| text.bytes().map(|octet| format!("{octet:02x}")).collect::<String>();
    let rows = model.entries.iter().map(|entry| {
        let record = &entry.record;
        let subject =
            model.registry.subjects.rows.iter().find(|row| row.key == entry.status.subject).unwrap();
        format!(
            "{} {} {} {} {}\n",
            entry.annotation.identifier,
            hex(&record.sample.text),
            hex(&record.reference.text),
            hex(&subject.record.sample.text),
            hex(&record.description.text)
        )
    });
    let reply_codes =
        model.reply_codes.iter().map(|entry| format!("{} {}\n", entry.code, hex(&entry.meaning)));
    rows.chain(reply_codes).collect()
}

#[track_caller]
fn run(program: &mut Command) -> String {
    let output: Output = program.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
