//! Irregularities that IANA's files are known to have, or that XML allows, are parsed as what they mean.

use xtask::associated::Form;
use xtask::code::Status;
use xtask::registry::{Record, Registry};
use xtask::text::{Piece, Reference};

use crate::fixture::{file, read, row};

fn record(rows: &str) -> Record {
    read(&file(rows)).unwrap().statuses.rows.remove(0).record
}

fn with_description(description: &str) -> Record {
    record(&row("X.1.1", "Sample", "550").replace("Words.", description))
}

fn with_reference(reference: &str) -> Record {
    record(&row("X.1.1", "Sample", "550").replace("<xref type=\"rfc\" data=\"rfc3463\"/>", reference))
}

#[test]
fn processing_instructions_and_comments_between_elements() {
    let plain = file(&row("X.1.1", "Sample", "550"));
    let decorated = plain
        .replacen(
            "<registry",
            "<?xml-stylesheet href=\"a.xsl\"?>\n<?oxygen RNGSchema=\"a.rng\"?>\n<!-- c --><registry",
            1,
        )
        .replace("<record>", "<!-- c --><record>");
    assert_eq!(codes(&read(&decorated).unwrap()), codes(&read(&plain).unwrap()));
}

#[test]
fn prefixed_namespace() {
    let prefixed = file(&row("X.1.1", "Sample", "550"))
        .replace("xmlns=", "xmlns:i=")
        .replace("</", "\u{0}")
        .replace('<', "<i:")
        .replace('\u{0}', "</i:")
        .replace("<i:?", "<?");
    assert_eq!(codes(&read(&prefixed).unwrap()), ["X.1.1"]);
}

#[test]
fn line_breaks_and_blanks_are_collapsed_and_kept_raw() {
    let record = with_description("  Two \n\t lines,\r\nthree  ");
    assert_eq!(record.description.text, "Two lines, three");
    assert_eq!(record.description.raw, "  Two \n\t lines,\nthree  ");
    assert_eq!(record.description.pieces, [Piece::Text("Two lines, three".into())]);
}

#[test]
fn a_word_broken_after_its_hyphen_is_joined() {
    assert_eq!(with_description("a user-\nforwarding loop").description.text, "a user-forwarding loop");
    assert_eq!(with_description("pre- and\npost-\nX, 5 -\nb").description.text, "pre- and post- X, 5 - b");
}

#[test]
fn references_cdata_and_comments_become_text() {
    let record =
        with_description("a &amp; b &#38;&#x26; <![CDATA[<c> &amp;]]> d<!-- no -->e &lt;&gt;&quot;&apos;");
    assert_eq!(record.description.text, "a & b && <c> &amp; de <>\"'");
}

#[test]
fn mixed_content_keeps_its_references() {
    let record = with_description(
        "(See Section 6.1 of <xref type=\"rfc\" data=\"rfc6376\"/>.)\n<xref type=\"rfc\" data=\"rfc1\"/> ",
    );
    assert_eq!(record.description.text, "(See Section 6.1 of [RFC6376].) [RFC1]");
    assert_eq!(record.description.references().map(Reference::name).collect::<Vec<_>>(), ["RFC6376", "RFC1"]);
    let joined: String = record
        .description
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Reference(reference) => reference.to_string(),
        })
        .collect();
    assert_eq!(joined, record.description.text);
}

#[test]
fn paragraphs_breaks_and_artwork() {
    let record = with_description("<paragraph>One<br/>two.</paragraph><artwork>x  y</artwork>");
    assert_eq!(record.description.text, "One two. x y");
}

#[test]
fn brackets_in_text_are_not_references() {
    let record = with_description("a [BASE64] reply, updating [RFC4468]");
    assert_eq!(record.description.references().count(), 0);
}

#[test]
fn references_with_suffixes_and_separators() {
    let record = with_reference(
        "<xref type=\"rfc\" data=\"rfc7372\"/>, Section 3.3 (Standards Track);\n<xref type=\"draft\" data=\"RFC-ietf-x-10\"/>",
    );
    let read: Vec<(String, String)> = record
        .reference
        .annotated_references()
        .into_iter()
        .map(|(reference, remark)| (reference.name(), remark))
        .collect();
    assert_eq!(
        read,
        [("RFC7372".into(), "Section 3.3 (Standards Track)".into()), ("RFC-ietf-x-10".into(), String::new())]
    );
}

#[test]
fn references_print_and_link() {
    for (xref, printed, link) in [
        ("type=\"rfc\" data=\"rfc3463\"/>", "[RFC3463]", Some("https://www.rfc-editor.org/rfc/rfc3463")),
        ("type=\"rfc\" data=\"bcp14\"/>", "[BCP14]", Some("https://www.rfc-editor.org/info/bcp14")),
        (
            "type=\"rfc\" data=\"rfc5321\" section=\"4.2\"/>",
            "[RFC5321, section 4.2]",
            Some("https://www.rfc-editor.org/rfc/rfc5321#section-4.2"),
        ),
        (
            "type=\"draft\" data=\"draft-levine-mailbomb-header-00\"/>",
            "[draft-levine-mailbomb-header-00]",
            Some("https://datatracker.ietf.org/doc/draft-levine-mailbomb-header-00"),
        ),
        (
            "type=\"draft\" data=\"RFC-ietf-uta-smtp-require-tls-09\"/>",
            "[RFC-ietf-uta-smtp-require-tls-09]",
            Some("https://datatracker.ietf.org/doc/draft-ietf-uta-smtp-require-tls-09"),
        ),
        (
            "type=\"rfc-errata\" data=\"895\"/>",
            "[RFC Errata 895]",
            Some("https://www.rfc-editor.org/errata/eid895"),
        ),
        (
            "type=\"registry\" data=\"mail-parameters\"/>",
            "[IANA registry mail-parameters]",
            Some("https://www.iana.org/assignments/mail-parameters"),
        ),
        (
            "type=\"uri\" data=\"https://example.org/a\"/>",
            "[https://example.org/a]",
            Some("https://example.org/a"),
        ),
        ("type=\"uri\" data=\"javascript:alert(1)\"/>", "[javascript:alert(1)]", None),
        ("type=\"person\" data=\"J_Doe\"/>", "[J_Doe]", None),
        ("type=\"text\">Section 3 of RFC7001</xref>", "Section 3 of RFC7001", None),
        (
            "type=\"rfc\" data=\"rfc7001\">RFC7001, Section 3</xref>",
            "[RFC7001, Section 3]",
            Some("https://www.rfc-editor.org/rfc/rfc7001"),
        ),
        ("type=\"note\" data=\"1\"/>", "[Note 1]", None),
    ] {
        let record = with_reference(&format!("<xref {xref}"));
        let reference = record.reference.references().next().unwrap();
        assert_eq!(reference.to_string(), printed);
        assert_eq!(reference.link(None).as_deref(), link, "{printed}");
    }
}

#[test]
fn dates_on_records() {
    let dated =
        row("X.1.1", "Sample", "550").replace("<record>", "<record date=\"2014-08\" updated=\"2015-05-18\">");
    let record = record(&dated);
    assert_eq!((record.date.as_deref(), record.updated.as_deref()), (Some("2014-08"), Some("2015-05-18")));
}

#[test]
fn details_of_several_digits_are_numbers() {
    let rows: String = ["X.1.2", "X.1.10", "X.7.100"].iter().map(|code| row(code, "Sample", "Any")).collect();
    let registry = read(&file(&rows)).unwrap();
    let keys: Vec<Status> = registry.statuses.rows.iter().map(|row| row.key.0).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn basic_codes_over_several_lines() {
    let registry = read(&file(&row("X.5.0", "Sample", "220, 250,\n 554"))).unwrap();
    let associated = &registry.statuses.rows[0].key.1;
    assert_eq!((associated.form, associated.codes.len()), (Form::List, 3));
}

#[test]
fn several_submitters_and_metadata() {
    let decorated = file(&row("X.1.1", "Sample", "550").replace("A. Person", "A. Person, B. Person"))
        .replacen("<created>", "<metadata><citable_url/></metadata><category>Mail</category><note title=\"n\">Note.</note><created>", 1);
    let registry = read(&decorated).unwrap();
    assert_eq!(registry.notes[0].text, "Note.");
    assert_eq!(registry.statuses.rows[0].record.submitter.text, "A. Person, B. Person");
}

fn codes(registry: &Registry) -> Vec<String> {
    registry.statuses.rows.iter().map(|row| row.key.0.to_string()).collect()
}
