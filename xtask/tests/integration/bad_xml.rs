//! Files that are not registries are refused with a one-line reason that has line and column, in bounded memory and
//! time.

use xtask::quirk::Quirks;
use xtask::registry::Registry;

use crate::fixture::{file, read, row};

#[track_caller]
fn refused(octets: impl AsRef<[u8]>, reason: &str) {
    let error = match Registry::read(octets.as_ref(), &mut Quirks::default()) {
        Ok(_) => panic!("accepted, although {reason}"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("line ") && error.contains(", column "), "no position in {error:?}");
    assert!(error.contains(reason), "{error:?} does not say {reason:?}");
    assert!(!error.chars().any(char::is_control), "{error:?} is not one plain line");
    assert!(error.len() < 700, "the reason has {} octets", error.len());
}

fn good() -> String {
    file(&row("X.1.1", "Sample", "550"))
}

#[test]
fn the_fixture_is_accepted() {
    assert_eq!(read(&good()).unwrap().statuses.rows.len(), 1);
}

#[test]
fn document_types_and_entities() {
    let with_dtd = |dtd: &str| good().replacen("<registry", &format!("{dtd}<registry"), 1);
    refused(with_dtd("<!DOCTYPE registry>"), "document type declaration");
    let laughs: String =
        (1..20).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    refused(
        with_dtd(&format!("<!DOCTYPE registry [<!ENTITY l0 \"lol\">{laughs}]>")),
        "document type declaration",
    );
    refused(file(&row("X.1.1", "&l19;", "550")), "entity &l19;");
    refused(file(&row("X.1.1", "&#0;", "550")), "0x0 character is not permitted");
    refused(file(&row("X.1.1", "&#xFFFE;", "550")), "U+FFFE");
    refused(file(&row("X.1.1", "&#x110000;", "550")), "line 7");
}

#[test]
fn too_many_levels_elements_and_attributes() {
    refused(file(&"<record>".repeat(10_000)), "nested more than 16 levels deep");
    refused("<registry>".repeat(100_000), "not in the namespace");
    refused(file(&"<hide/>".repeat(60_000)), "more than 50000 elements");
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    refused(file(&format!("<record{attributes}/>")), "more than 16 attributes");
    refused(format!("{}{}", good(), " ".repeat(5 << 20)), "more than 4194304 octets");
}

#[test]
fn truncation_at_every_octet() {
    let good = good();
    for end in 0..good.trim_end().len() {
        let error = read(&good[..end]).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("line "), "{error}");
    }
}

#[test]
fn encodings() {
    refused(b"\xef\xbb\xbf<registry/>", "byte order mark");
    refused(b"\xff\xfe<\0r\0", "UTF-16");
    refused(good().replace("UTF-8", "ISO-8859-1"), "the encoding is ISO-8859-1");
    refused(good().replace("'1.0'", "'1.1'"), "the XML version is 1.1");
    let mut latin = good().into_bytes();
    let at = latin.windows(6).position(|word| word == b"Sample").unwrap();
    latin[at] = 0xe9;
    refused(latin, "octet 0xe9 is not UTF-8");
    refused(file(&row("X.1.1", "\u{1}", "550")), "U+0001 is not allowed");
}

#[test]
fn other_documents() {
    refused("", "no root element");
    refused("It works!", "outside the root element");
    refused("<html><body>Please log in</body></html>", "<html> is not in the namespace");
    refused("<html xmlns=\"http://www.iana.org/assignments\"/>", "this is not an IANA registry file");
    refused(
        good().replace("id=\"smtp-enhanced-status-codes\"", "id=\"mail-parameters\""),
        "another registry",
    );
    refused(good().replace("status-codes-3", "status-codes-4"), "another registry");
    refused(good().replace("http://www.iana.org/assignments", "http://example.org/"), "namespace");
    refused(
        format!("{}<registry xmlns=\"http://www.iana.org/assignments\"/>", good()),
        "after the root element",
    );
    refused(good().replace("<people/>", "</people>"), "line 8, column 12: ill-formed");
}

#[test]
fn rows() {
    let twice = [row("X.1.1", "One", "550"), row("X.1.1", "Two", "551")].concat();
    refused(file(&twice), "row X.1.1 occurs a second time");
    for code in ["5.1.1", "X.1", "X.01.1", "X.1.1.1", "X.1000.1", "x.1.1", ""] {
        refused(file(&row(code, "Sample", "550")), "does not have the form X.n.n");
    }
    refused(file(""), "table smtp-enhanced-status-codes-3 has no rows");
    refused(file("<record><code>X.1.1</code></record>"), "row \"X.1.1\" has no <sample>");
    refused(
        file(&row("X.1.1", "a", "550").replace("<sample>", "<code>X.1.2</code><sample>")),
        "occurs twice",
    );
    refused(
        file(&row("X.1.1", "a", "550").replace("<sample>", "<summary>a</summary><sample>")),
        "<summary> is not a column",
    );
    let more = |cell: &str| row("X.1.1", "a", "550").replace("</record>", &format!("{cell}</record>"));
    for (cell, name) in [("<file type=\"template\">x</file>", "file"), ("<status>active</status>", "status")]
    {
        let reason =
            format!("row \"X.1.1\": <{name}> is not a column of this table; if IANA really writes this");
        refused(file(&more(cell)), &reason);
        refused(
            file(&more(cell)),
            &format!(
                "`read_record` of xtask/src/registry.rs, or pass over it there with `\"{name}\" => continue,`"
            ),
        );
    }
    refused(file(&row("X.1.1", "a<b>b</b>", "550")), "<b> is not allowed inside <sample>");
    refused(file(&row("X.1.1", "a", "550").replace("<record>", "<record date='soon'>")), "is not a date");
    refused(
        file(&row("X.1.1", "a", "550").replace("<record>", "<record id='a2020-01'>")),
        "<record> has the unknown attribute",
    );
    refused(file(&row("X.1.1", "a", "550").replace("<record>", "<record>words")), "must not contain text");
    refused(file(&row("X.1.1", "a", "550").replace("type=\"rfc\"", "type=\"isbn\"")), "unknown type");
    refused(file(&format!("<footnote/>{}", row("X.1.1", "a", "550"))), "<footnote> is not allowed here");
}

#[test]
fn dates_and_titles() {
    for date in ["2024-99-99", "0000-09-09", "2024-13", "2024-12-06T00:00", "soon", ""] {
        refused(good().replace("2024-12-06", date), "is not a date such as");
    }
    refused(good().replace("2024-12-06", "2024-12"), "a date without a day");
    refused(
        good().replace("<title>Classes", "<title>Twice</title><title>Classes"),
        "<title> occurs a second time",
    );
    refused(good().replace("2.XXX.YYY", "+2.XXX.YYY"), "does not have the form");
    refused(good().replace("2.XXX.YYY", "02.XXX.YYY"), "does not have the form");
    refused(file(&row("X.1.1", "a", "550").replace(" data=\"rfc3463\"", "")), "has no data");
}

#[test]
fn a_reason_is_short_even_if_it_quotes_a_long_file() {
    refused(file(&row("X.1.1", "a", &"9".repeat(1 << 20))), "...");
    refused(format!("<{} xmlns=\"x\"/>", "a".repeat(1 << 20)), "...");
}

#[test]
fn odd_cells_show_the_quirk_to_add() {
    for (sample, basic_code, cell) in [
        ("Sample", ".", "basic_code"),
        ("", "550", "sample"),
        ("Sample", "", "basic_code"),
        ("Sample", "maybe 550", "basic_code"),
    ] {
        refused(file(&row("X.1.1", sample, basic_code)), &format!("row X.1.1, cell {cell}"));
        refused(file(&row("X.1.1", sample, basic_code)), "[[quirk]] row = \"X.1.1\"");
    }
}

#[test]
fn hostile_text_in_a_reason_is_escaped() {
    refused(file(&row("X.1.1", "a", "\u{202e}\u{9b}")), "\\u{202e}\\u{9b}");
    refused(file(&row("X.&#x9b;31m", "a", "550")), "does not have the form");
}
