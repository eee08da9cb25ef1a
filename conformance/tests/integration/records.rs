//! Records follow their schema and are read back unchanged, and no report lets a server control a terminal or a page.

use std::collections::BTreeSet;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options};
use serde_json::Value;
use smtp_conformance::dialogue::arrival::{Arrival, Arrived, By};
use smtp_conformance::dialogue::{Act, Answer, Dialogue, End, Exchange, Part};
use smtp_conformance::protocol::Protocol;
use smtp_conformance::readers::transcript;
use smtp_conformance::record::origin::{Origin, RunOrigin, Tls};
use smtp_conformance::record::outcome::{CaseOutcome, Outcome, Reviewed, Verdict};
use smtp_conformance::record::{self, Record, Subject};
use smtp_conformance::report::{Format, Source, Style, console, conversation, junit, sarif};
use smtp_conformance::rules::finding::Accepted;
use smtp_conformance::{Knowledge, Level, Product, Strictness, judge};

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
    let copy = Arrival {
        sender: Some(MARKUP.to_owned()),
        recipients: vec!["\u{202e}\u{1b}[2J".to_owned(), String::new()],
        octets: HOSTILE.to_vec(),
    };
    let arrived = Arrived { by: By::Lmtp, copies: vec![copy] };
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
            Exchange {
                arrived: Some(arrived),
                ..exchange(
                    Act::Chunk { command: b"BDAT 1\r\n".into(), octets: b"\x80".into() },
                    b"503 5.5.1 No\r\n",
                )
            },
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
        safety: None,
        reason: Some(format!("\u{1b}]0;title\u{7}{MARKUP}").into()),
        reported: None,
        dialogue: Some(0),
        rules: vec!["enhanced-code-class-agrees".to_owned()],
        outcomes: Vec::new(),
        subjects: Vec::new(),
    };
    let cases = vec![
        case("noop", Verdict::Inconclusive),
        case("\u{1b}[2Jpass", Verdict::Pass),
        case("error", Verdict::Error),
        case("skipped", Verdict::Skipped),
    ];
    let judgement = judge(std::slice::from_ref(&dialogue), &Knowledge::default(), Strictness::default());
    let outcome = Outcome {
        origin: Origin::Run(origin()),
        dialogues: vec![dialogue],
        cases,
        judgement,
        hints: vec![format!("\u{1b}[2Jhint {MARKUP}")],
    };
    let subject = Subject {
        target: format!("\u{1b}[2Jtarget {MARKUP}"),
        server_version: Some(MARKUP.to_owned()),
        product: None,
    };
    record::records(&subject, Reviewed { outcome, entries: Some(3), stale: vec!["stale".to_owned()] })
}

/// A run of a day long ago, whose server names itself with all that a report must not repeat.
fn origin() -> RunOrigin {
    RunOrigin {
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        host: format!("mx.example.org{MARKUP}"),
        port: Some(25),
        addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        tls: Some(Tls {
            version: Some("TLS 1.3".to_owned()),
            cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
            problem: Some(format!("\u{1b}[2Jinvalid {MARKUP}")),
        }),
    }
}

/// The records of a transcript.
fn recorded(name: &str, text: &str) -> Vec<Record> {
    let dialogues = transcript::read(name, Protocol::Smtp, text).unwrap();
    let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
    record::records(&Subject::named(name), Outcome::of_recordings(dialogues, judgement).without_baseline())
}

#[test]
fn records_follow_their_schema_and_are_read_back() {
    let schema: Value = serde_json::from_str(include_str!("../../schemas/records.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let recorded = recorded("a.txt", "#: connected\nS: 220 mx Postfix\nC: QUIT\nS: 250 Bye\n");
    let records = [records(), recorded].concat();
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
    let text = console::render(&records(), Style::default());
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
    assert!(page.contains("Run of 2026-01-02T03") && page.contains("certificate not verified"), "{page}");
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
    let heads = |targets: [&str; 2]| {
        let records = targets.map(|target| recorded(target, ""));
        let both = [0, 1].map(|at| Source { name: "file.jsonl", records: &records[at] });
        let page = Format::Html.render(&both, None).unwrap();
        assert!(!page.contains("file.jsonl"), "a page for people does not name files");
        let labels = page.lines().filter_map(|line| line.split_once("name=\"server\"")?.1.split_once("> "));
        labels.map(|(_, label)| label.replace("</label>", "")).collect::<Vec<_>>()
    };
    assert_eq!(heads(["a/postfix", "a/exim/"]), ["postfix", "exim"]);
    assert_eq!(heads(["a/postfix", "b/postfix"]), ["a/postfix", "b/postfix"]);
    assert_eq!(heads(["smtp://mx/a", "smtp://mx/a"]), ["smtp://mx/a (1)", "smtp://mx/a (2)"]);
}

/// Two runs of one target have the server's version in their column heads.
#[test]
fn html_shows_versions_side_by_side() {
    let run = |version: &str| {
        let mut records = records();
        for record in &mut records {
            if let Record::Header(header) = record {
                header.server_version = Some(version.to_owned());
            }
        }
        records
    };
    let (old, new) = (run("1.0"), run("2.0"));
    let both = [&old, &new].map(|records| Source { name: "", records });
    let page = Format::Html.render(&both, None).unwrap();
    let heads: Vec<&str> = page.lines().filter(|line| line.starts_with("<th scope=\"col\">")).collect();
    let [.., first, second] = heads.as_slice() else { panic!("{heads:?}") };
    assert!(first.contains(" 1.0<") && second.contains(" 2.0<"), "{heads:?}");
}

/// Each report says when a run was and of which server, but for the page of results, which stays the same.
#[test]
fn reports_say_when_and_of_which_server() {
    let records = records();
    let runs = [Source { name: "", records: &records }];
    for format in
        [Format::Console, Format::Jsonl, Format::Markdown, Format::Html, Format::Junit, Format::Sarif]
    {
        let report = format.render(&runs, None).unwrap().replace("&#58;", ":");
        for said in ["2026-01-02T03:04:05", "mx.example.org", "192.0.2.1", "TLS 1.3", "AES"] {
            assert!(report.contains(said), "{format:?} does not say {said}: {report}");
        }
    }
    let results = Format::Results.render(&runs, None).unwrap();
    assert!(!results.contains("2026-01-02") && !results.contains("192.0.2.1"), "{results}");
}

/// The line of a recording is in each report that shows exchanges.
#[test]
fn findings_of_recordings_have_file_and_line() {
    let text = "#: connected\nS: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES\nC: NOOP\nS: 250 Ok\n";
    let records = recorded("log/a b.txt", text);
    let runs = [Source { name: "", records: &records }];
    for format in [Format::Console, Format::Markdown, Format::Html, Format::Junit] {
        let report = format.render(&runs, Some(Level::Error)).unwrap().replace("&#58;", ":");
        assert!(report.contains("log/a b.txt:6, exchange 3"), "{format:?}: {report}");
    }
    let lines = Format::Jsonl.render(&runs, None).unwrap();
    assert!(lines.contains(r#""place":{"file":"log/a b.txt","line":6}"#), "{lines}");
    let place = |base| {
        let log: Value = serde_json::from_str(&sarif::render(&runs, base).unwrap()).unwrap();
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone()
    };
    assert_eq!(place(None)["artifactLocation"]["uri"], "log/a%20b.txt");
    assert_eq!(place(None)["region"]["startLine"], 6);
    assert_eq!(place(Some("mx.toml"))["artifactLocation"]["uri"], "mx.toml");
    assert_eq!(place(Some("mx.toml"))["region"]["startLine"], 1);
}

/// What only helps who runs one product is for those who run it.
#[test]
fn advice_is_for_the_product_that_the_server_is() {
    let greeted = |greeting: &str| {
        recorded(
            "a.txt",
            &format!(
                "#: connected\nS: 550 {greeting}\nC: QUIT\nS: 221 bye\n#: closed by server\n#: connected\nS: 220 {greeting}\nC: EHLO me\nS: 250 mx\nC: VRFY a\nS: 252 no\n\
                 C: FOO\nS: 250 ok\nC: HELP\nS: 211 help\nC: MAIL FROM:<c@d> XNONE=1\nS: 501 no\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<a@b>\nS: 250 4.1.1 ok\n#: closed by server\n"
            ),
        )
    };
    let named = |subject: &Subject, greeting: &str| {
        let dialogues =
            transcript::read("a", Protocol::Smtp, &format!("#: connected\nS: 220 {greeting}\n")).unwrap();
        let judgement = judge(&dialogues, &Knowledge::default(), Strictness::default());
        let records =
            record::records(subject, Outcome::of_recordings(dialogues, judgement).without_baseline());
        match &records[0] {
            Record::Header(header) => header.product,
            other => panic!("{other:?}"),
        }
    };
    let subject = |version: Option<&str>, product| Subject {
        server_version: version.map(str::to_owned),
        product,
        ..Subject::named("a")
    };
    assert_eq!(named(&subject(None, None), "mx ESMTP Exim 4.96"), Some(Product::Exim));
    assert_eq!(named(&subject(None, None), "exim ESMTP"), None);
    assert_eq!(named(&subject(Some("Postfix 3.7"), None), "mx ESMTP Exim"), Some(Product::Postfix));
    assert_eq!(
        named(&subject(Some("Postfix 3.7"), Some(Product::OpenSmtpd)), "mx ESMTP Exim"),
        Some(Product::OpenSmtpd)
    );

    let advised = ["mx ESMTP", "mx ESMTP Postfix", "mx ESMTP Exim 4.96"].map(|greeting| {
        let records = greeted(greeting);
        let runs = [Source { name: "", records: &records }];
        let formats = [Format::Console, Format::Markdown, Format::Html, Format::Sarif];
        let reports = formats.map(|format| format.render(&runs, None).unwrap().replace("&#58;", ":"));
        ["Postfix: ", "Exim: ", "OpenSMTPD: "]
            .map(|name| reports.iter().filter(|report| report.contains(name)).count())
    });
    assert_eq!(advised, [[0, 0, 0], [4, 0, 0], [0, 4, 0]]);
}

#[test]
fn the_last_lines_count_rules_and_cases() {
    let last = |text: &str| {
        let report = console::render(&recorded("a.txt", text), Style::default());
        report.lines().last().unwrap_or_default().to_owned()
    };
    let opening = "#: connected\nS: 220 mx.example.org\nC: EHLO me\nS: 250-mx.example.org\nS: 250 ENHANCEDSTATUSCODES\n";
    assert_eq!(last(opening), "no rule broken, 0 warned");
    let once = format!("{opening}C: NOOP\nS: 250 Ok\n");
    assert_eq!(last(&once), "1 rule broken (errors), 0 warned; 1 error in all");
    let more = format!("{once}C: RSET\nS: 250 Ok\nC: NOOP\nS: 250 5.0.0 Ok\n");
    assert_eq!(last(&more), "2 rules broken (errors), 0 warned; 3 errors in all");
    let report = console::render(&records(), Style::default());
    let lines: Vec<&str> = report.lines().collect();
    let [.., rules, cases] = lines.as_slice() else { panic!("{report}") };
    assert!(rules.contains("broken (errors)") && cases.starts_with("Cases: "), "{report}");
    let mut records = recorded("a.txt", &more);
    for record in &mut records {
        if let Record::Finding(found) = record
            && found.rule == "enhanced-code-present"
        {
            let section = "RFC 2034".to_owned();
            found.accepted = Some(Accepted { section, reason: "known".to_owned(), link: None });
        }
    }
    let report = console::render(&records, Style::default());
    assert!(
        report.ends_with("1 rule broken (errors), 0 warned; 3 errors in all, 2 of them accepted\n"),
        "{report}"
    );
}

#[test]
fn colours_and_width_are_for_the_console_alone() {
    let records = records();
    let plain = console::render(&records, Style::default());
    let coloured = console::render(&records, Style { colour: true, width: None });
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31merror "), "{coloured:?}");
    let mut bare = coloured.clone();
    for sequence in ["[0m", "[1m", "[31m", "[32m", "[33m", "[36m"] {
        bare = bare.replace(&format!("\u{1b}{sequence}"), "");
    }
    // Nothing but these sequences is added, and none of them comes from the server.
    assert_eq!(bare, plain);
    let narrow = console::render(&records, Style { colour: false, width: Some(80) });
    let longest = narrow.lines().filter(|line| line.chars().count() > 80);
    for line in longest {
        assert!(!line.trim().contains(' '), "{line}");
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&narrow), words(&plain));
}

#[test]
fn conversations_are_shown_escaped() {
    let text = conversation::render(&records(), Style::default());
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    let expected = [
        "=== connection 1: \\u{1b}[31m\\u{202e}name",
        "=== connected",
        "<-  220 mx.example.org",
        " -> EHLO me",
        "<-  250-mx.example.org",
        "<-  250 ENHANCEDSTATUSCODES",
        "=== case noop",
        " -> NOOP \\x1b[2J",
    ];
    assert_eq!(text.lines().take(expected.len()).collect::<Vec<_>>(), expected);
    assert!(text.contains("\n -> BDAT 1\n -> \\x80\\+\n<** 503 5.5.1 No\n"), "{text}");
    assert!(text.contains("\n=== arrived by lmtp from <"), "{text}");
    assert!(text.contains(" for <\\u{202e}\\u{1b}[2J> <>\nA>  "), "{text}");
    assert!(text.ends_with("\n=== closed by the server\n"), "{text}");
}

#[test]
fn junit_has_times_and_html_shows_code_as_code() {
    let records = records();
    let text = junit::render(&records, Some(Level::Error)).unwrap();
    // Seven replies of a millisecond each, of which five belong to the case.
    assert!(text.contains(r#"time="0.005""#), "{text}");
    assert!(text.contains(r#"timestamp="2026-01-02T03:04:05"#), "{text}");
    assert!(text.contains(" Seen: ") && !text.contains(".:"), "{text}");
    let page = Format::Html.render(&[Source { name: "", records: &records }], None).unwrap();
    let body = page.split("</style>").nth(1).unwrap_or_default().split("<script>").next().unwrap_or_default();
    assert!(body.contains("<code>e</code> @someone"), "{body}");
}
