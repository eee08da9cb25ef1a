//! Reading, judging and reporting take time and memory in proportion to the size of the input, even if it is hostile.
//!
//! It builds large files, so it is not part of the program that measures little memory.

#[path = "../limits/measured.rs"]
mod measured;

use std::fs;
use std::process::Command;
use std::time::Duration;

use measured::{Ended, measured};
use smtp_conformance::limits;

/// With each of these files, a careless reader or report would search everything that it has for each new item.
#[test]
fn a_report_takes_time_in_proportion_to_its_input() {
    const MANY: usize = 50_000;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("a file");
    let finding = |rule: &str, case: &str, location: &str| {
        format!(
            "{{\"record\":\"finding\",\"rule\":\"{rule}\",\"level\":\"error\",\"location\":{{{location}}},\
             \"case\":\"{case}\",\"detail\":\"d\",\"statement\":\"s\",\"sources\":[]}}\n"
        )
    };
    let at = |exchange: usize| format!("\"dialogue\":0,\"exchange\":{exchange}");
    let many = |line: &dyn Fn(usize) -> String| (0..MANY).map(line).collect::<String>();
    let case = |id: String| {
        format!(
            "{{\"record\":\"case\",\"id\":\"{id}\",\"title\":\"t\",\"verdict\":\"skipped\",\"reason\":\"{id}\",\
             \"rules\":[\"r\"]}}\n"
        )
    };
    let exchange = |number: usize, answers: &str| {
        format!(
            "{{\"record\":\"exchange\",\"dialogue\":0,\"number\":{number},\"exchange\":{{\"act\":{{\"command\":\
             \"NOOP\\\\r\\\\n\"}},\"answers\":[{answers}],\"end\":\"answered\"}}}}\n"
        )
    };
    let parts: Vec<String> = (0..MANY).map(|n| format!("{{\"case\":\"c{n}\",\"first\":{n}}}")).collect();
    let dialogue = format!(
        "{{\"record\":\"dialogue\",\"dialogue\":0,\"name\":\"d\",\"protocol\":\"smtp\",\"implicit-tls\":false,\
         \"cases\":[{}]}}\n",
        parts.join(",")
    );
    let answers = vec!["{\"octets\":\"250 Ok\",\"millis\":0}"; MANY].join(",");
    file("rules.jsonl", many(&|n| finding(&format!("r{n}"), "c", &at(0))));
    file("cases.jsonl", many(&|n| finding("r", "c", &at(n))) + &many(&|_| case("c".to_owned())));
    file("reasons.jsonl", many(&|n| case(format!("c{n}"))));
    file(
        "parts.jsonl",
        dialogue + &many(&|n| exchange(n, "")) + &many(&|n| finding("r", &format!("c{n}"), &at(n))),
    );
    file(
        "replies.jsonl",
        exchange(0, &answers) + &many(&|n| finding("r", "c", &format!("{},\"reply\":{n}", at(0)))),
    );
    for records in ["rules.jsonl", "cases.jsonl", "reasons.jsonl", "parts.jsonl", "replies.jsonl"] {
        for format in ["console", "jsonl", "junit", "markdown", "html", "results", "sarif"] {
            is_quick(&measured(folder.path(), &["report", records, "--format", format]), records);
        }
        is_quick(&measured(folder.path(), &["compare", records, records]), records);
    }
    let start = "#: connected\nS: 220 mx.example.test\n";
    file("commands.txt", start.to_owned() + &many(&|_| "C: NOOP\n".to_owned()));
    file("answered.txt", start.to_owned() + &many(&|_| "C: NOOP\nS: 250 Ok\n".to_owned()));
    file(
        "undecodable.txt",
        format!("{start}C: NOOP\n") + &many(&|_| "S: 250-\\xff\\xfe\n".to_owned()) + "S: 250 Ok\n",
    );
    file("line-feeds.txt", start.to_owned() + &many(&|_| "S: \\n\n".to_owned()));
    file("connections.txt", many(&|_| "#: connected\n".to_owned()));
    let early = start.to_owned() + "C: NOOP\nS: 250 Ok\n";
    let hello = "C: EHLO me.example.test\n";
    file("announced.txt", many(&|_| format!("{early}{hello}S: 250-mx\nS: 250 ENHANCEDSTATUSCODES\n")));
    file(
        "mismatched.txt",
        many(&|_| format!("{start}{hello}S: 550 5.7.1 The name does not match your IP\n")),
    );
    file("message.txt", format!("{start}C: DATA\nS: 354 Go\n") + &many(&|_| "C: a\n".to_owned()));
    for transcript in [
        "commands.txt",
        "answered.txt",
        "undecodable.txt",
        "line-feeds.txt",
        "connections.txt",
        "announced.txt",
        "mismatched.txt",
        "message.txt",
    ] {
        is_quick(&measured(folder.path(), &["judge", transcript, "--fail-on", "never"]), transcript);
    }
    file("many.txt", start.to_owned() + &"C: NOOP\n".repeat(limits::TRANSCRIPT_EXCHANGES + 1));
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let refused = Command::new(program)
        .current_dir(folder.path())
        .args(["judge", "many.txt"])
        .output()
        .expect("it runs");
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("many.txt:200002: more than 200000 exchanges; split the file"), "{error}");
}

/// Asserts that a report of 50000 items took linear time, not quadratic time, and little memory.
fn is_quick(ended: &Ended, name: &str) {
    assert!(matches!(ended.status, Some(0 | 1)), "{name}: {:?}", ended.status);
    assert!(!ended.report.is_empty(), "{name}: no report");
    assert!(ended.time < Duration::from_secs(20), "{name}: {:?}", ended.time);
    assert!(ended.peak < 512 << 20, "{name}: {} octets", ended.peak);
}
