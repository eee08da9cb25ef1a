//! Records follow their schema and are read back unchanged, and no report lets a server control a terminal or a page.

use std::collections::BTreeSet;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options};
use serde_json::Value;
use smtp_conformance::dialogue::{Act, Answer, Dialogue, End, Exchange, Part};
use smtp_conformance::record::outcome::{CaseOutcome, Outcome, Verdict};
use smtp_conformance::record::{self, Record};
use smtp_conformance::report::{Format, Source, console, junit, sarif};
use smtp_conformance::rules::finding::Accepted;
use smtp_conformance::{Knowledge, Level, Strictness, judge};

use crate::support;

/// Control characters, escape sequences, a character that reverses the direction of text, markup, and octets that are
/// not UTF-8.
const HOSTILE: &[u8] = b"250 5.1.1 \x1b[2J\x07\x00<b>]]>&amp;\xe2\x80\xae\xff\r error forged\n";
/// Markup that a report repeats within a line.
const MARKUP: &str =
    "|a|</code></details><script>*b* [c](http://d.example) `e` @someone #1 www.f.example \u{1b}[2J";

fn records() -> Vec<Record> {
    let exchange = |act, reply: &[u8]| Exchange {
        answers: vec![Answer { octets: reply.to_vec(), millis: 1 }],
        ..Exchange::new(act)
    };
    let dialogue = Dialogue {
        name: "\u{1b}[31m\u{202e}name".to_owned(),
        cases: vec![Part { case: "noop".to_owned(), first: 2 }],
        exchanges: vec![
            exchange(Act::Connect, b"220 mx.example.org\r\n"),
            exchange(
                Act::Command(b"EHLO me\r\n".into()),
                b"250-mx.example.org\r\n250 ENHANCEDSTATUSCODES\r\n",
            ),
            exchange(Act::Command(b"NOOP \x1b[2J\r\n".into()), HOSTILE),
            exchange(
                Act::Chunk { command: b"BDAT 1\r\n".into(), octets: b"\x80".into() },
                b"503 5.5.1 No\r\n",
            ),
            exchange(Act::Command(format!("AUTH {MARKUP}\r\n").into()), b"```\r\n"),
            exchange(Act::Command(b"NOOP\r\n".into()), format!("250 {MARKUP}\r\n").as_bytes()),
            Exchange { end: End::Closed, ..exchange(Act::Command(b"QUIT\r\n".into()), HOSTILE) },
        ],
        ..Dialogue::default()
    };
    let case = |id: &str, verdict| CaseOutcome {
        id: id.to_owned(),
        title: "NOOP".to_owned(),
        verdict,
        reason: Some(format!("\u{1b}]0;title\u{7}{MARKUP}").into()),
        dialogue: Some(0),
        rules: vec!["enhanced-code-class-agrees".to_owned()],
        outcomes: Vec::new(),
    };
    let cases = vec![
        case("noop", Verdict::Inconclusive),
        case("\u{1b}[2Jpass", Verdict::Pass),
        case("error", Verdict::Error),
        case("skipped", Verdict::Skipped),
    ];
    let judgement = judge(std::slice::from_ref(&dialogue), &Knowledge::default(), Strictness::default());
    let certificate = Some("\u{1b}[2Jinvalid".to_owned());
    let outcome = Outcome { dialogues: vec![dialogue], cases, judgement, certificate };
    record::records(&format!("\u{1b}[2Jtarget {MARKUP}"), outcome)
}

#[test]
fn records_follow_their_schema_and_are_read_back() {
    let schema: Value = serde_json::from_str(include_str!("../../schemas/records.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let records = records();
    let mut octets = Vec::new();
    record::write(&records, &mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    assert_eq!(record::read("stream", &text).unwrap(), records);
    assert!(record::read("stream", "{}").unwrap_err().to_string().starts_with("stream:1: "));
}

#[test]
fn no_reply_moves_the_cursor_or_forges_a_line() {
    let text = console::render(&records());
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert!(!text.lines().any(|line| line.starts_with(" error forged")));
    assert!(text.contains("enhanced-code-class-agrees"));
}

#[test]
fn junit_is_xml_and_reports_failures() {
    let text = junit::render(&records(), Some(Level::Error)).unwrap();
    assert!(text.contains("<failure"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("<b>"));
    // Findings that do not fail the run are reported all the same.
    let never = junit::render(&records(), None).unwrap();
    assert!(!never.contains("<failure") && never.contains("<system-out>error: "), "{never}");
    assert!(!never.contains('\u{1b}') && !never.contains("<b>"));
}

/// `SMTP_JUNIT_XSD` names a file with Jenkins' schema, which is not part of this repository.
#[test]
fn junit_follows_the_schema_of_jenkins() {
    if !support::has(["SMTP_JUNIT_XSD", "xmllint"]) {
        return;
    }
    let schema = std::env::var_os("SMTP_JUNIT_XSD").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("junit.xml");
    for fails in [Some(Level::Error), None] {
        std::fs::write(&file, junit::render(&records(), fails).unwrap()).unwrap();
        let mut command = std::process::Command::new("xmllint");
        let output = command.args(["--noout", "--schema"]).arg(&schema).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// `SMTP_SARIF_SCHEMA` names a file with the standard's schema, which is not part of this repository. No string has
/// control characters or markup.
#[test]
fn sarif_follows_the_schema_of_the_standard() {
    let mut records = records();
    let known = Accepted { section: "RFC 5321".to_owned(), reason: format!("as ever {MARKUP}"), link: None };
    for record in &mut records {
        if let Record::Finding(found) = record
            && found.rule == "enhanced-code-present"
        {
            found.accepted = Some(known.clone());
        }
    }
    let runs = [Source { name: "", records: &records }, Source { name: "", records: &[] }];
    let text = sarif::render(&runs, Some("live/mx.toml")).unwrap();
    let log: Value = serde_json::from_str(&text).unwrap();
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    assert!(!text.contains("\\u0007") && !text.contains('\u{202e}'), "{text}");
    assert!(!log["runs"][0]["results"].to_string().contains("[c](http"), "{text}");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let times: u64 = results.iter().filter_map(|result| result["occurrenceCount"].as_u64()).sum();
    let findings = records.iter().filter(|record| matches!(record, Record::Finding(_))).count();
    assert_eq!(usize::try_from(times).unwrap(), findings);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        let is_known = result["ruleId"] == "enhanced-code-present";
        assert_eq!(!result["suppressions"].as_array().unwrap().is_empty(), is_known, "{result}");
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "live/mx.toml");
    }
    let fingerprints: BTreeSet<String> =
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    assert_eq!(fingerprints.len(), results.len());

    let Some(schema) = support::path("SMTP_SARIF_SCHEMA") else { return };
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    // The pattern of this key is not a regular expression of ECMA-262. The reports do not have the key.
    for definition in ["run", "toolComponent"] {
        schema["definitions"][definition]["properties"]["language"] = serde_json::json!({});
    }
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn markdown_escapes_the_markup_of_servers() {
    let records = records();
    let page = Format::Markdown.render(&[Source { name: "", records: &records }], None).unwrap();
    assert!(page.chars().all(|character| character == '\n' || !character.is_control()), "{page:?}");
    assert!(!page.contains('\u{202e}'));
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.shortcodes = true;
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, &page, &options);
    let (mut tables, mut blocks) = (0, 0);
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::HtmlInline(html) => {
                assert!(["<code>", "</code>", "<!-- -->"].contains(&html.as_str()), "{html}");
            }
            NodeValue::HtmlBlock(block) => {
                assert_eq!(
                    block.literal.matches("<details>").count(),
                    block.literal.matches("<summary>").count()
                );
                assert!(!block.literal.contains("script"), "{}", block.literal);
            }
            NodeValue::Table(_) => tables += 1,
            NodeValue::CodeBlock(_) => blocks += 1,
            NodeValue::Link(_)
            | NodeValue::Image(_)
            | NodeValue::Emph
            | NodeValue::Code(_)
            | NodeValue::List(_) => {
                panic!("{:?} in {page}", node.data().value)
            }
            _ => {}
        }
    }
    let worse = records.iter().filter_map(|record| match record {
        Record::Finding(found) if found.level > Level::Note => Some((found.level, &found.rule)),
        _ => None,
    });
    assert_eq!(blocks, worse.collect::<BTreeSet<_>>().len());
    assert_eq!(tables, 3, "{page}");
    assert!(page.contains("enhanced-code-class-agrees") && page.contains("RFC 2034 §4"));
    assert!(page.contains("Certificate: <code>"), "{page}");
}

#[test]
fn a_format_takes_several_runs_or_refuses_them() {
    let records = records();
    let runs = [Source { name: "a.jsonl", records: &records }; 2];
    for format in [Format::Console, Format::Markdown] {
        let one = format.render(&runs[..1], None).unwrap();
        assert_eq!(format.render(&runs, None).unwrap(), format!("{one}\n{one}"));
    }
    for format in [Format::Jsonl, Format::Junit] {
        assert!(!format.takes_several());
        assert!(format.render(&runs, None).unwrap_err().to_string().contains("not of 2"));
    }
}

/// `browser.rs` tests the page in a browser.
#[test]
fn html_escapes_the_markup_of_servers_and_is_bounded() {
    let records = records();
    let few = Format::Html.render(&[Source { name: MARKUP, records: &records }], None).unwrap();
    assert!(few.chars().all(|character| character == '\n' || !character.is_control()), "{few:?}");
    assert!(!few.contains('\u{202e}') && !few.contains("<b>") && !few.contains("onerror=\""));
    assert_eq!((few.matches("<script").count(), few.matches("</script").count()), (1, 1));
    let findings = records.iter().filter(|record| matches!(record, Record::Finding(_))).cloned();
    let many: Vec<Record> = findings.cycle().take(10_000).collect();
    let many = [&records[..], &many].concat();
    let long = Format::Html.render(&[Source { name: "", records: &many }], None).unwrap();
    let shown = |page: &str, mark: &str| page.matches(mark).count();
    assert_eq!(shown(&few, "<details name"), shown(&long, "<details name"));
    assert!(shown(&long, "<pre>") <= 3 * shown(&long, "<details name"), "{}", shown(&long, "<pre>"));
}

#[test]
fn html_tells_servers_apart() {
    let heads = |sources: [(&str, &str); 2]| {
        let records = sources.map(|(target, _)| record::records(target, Outcome::default()));
        let both = [0, 1].map(|at| Source { name: sources[at].1, records: &records[at] });
        let page = Format::Html.render(&both, None).unwrap();
        let labels = page.lines().filter_map(|line| line.split_once("name=\"server\"")?.1.split_once("> "));
        labels.map(|(_, label)| label.replace("</label>", "")).collect::<Vec<_>>()
    };
    assert_eq!(heads([("a/postfix", "1"), ("a/exim/", "2")]), ["postfix", "exim"]);
    assert_eq!(heads([("a/postfix", "1"), ("b/postfix", "2")]), ["a/postfix", "b/postfix"]);
    assert_eq!(heads([("smtp://mx/a", "1"), ("smtp://mx/a", "2")]), ["smtp://mx/a, 1", "smtp://mx/a, 2"]);
}
