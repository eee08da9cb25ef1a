//! xtask prints no deceptive characters, whatever it quotes: arguments, file names, lines of data files, headers of
//! servers, cells. Reports in JSON and Markdown stay valid.

use std::fs;
use std::process::{Command, Output};

use xtask::render::escape::is_deceptive;

use crate::copy::Copy;
use crate::server::{Answer, Server, answer};

/// Sets a window title, clears the screen with a C1 control, changes the direction of text, and moves back over the
/// line.
const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{200f}\u{61c}\r\t\u{8}";

/// How the reader must see it.
const SHOWN: [&str; 4] = ["\\u{9b}2J", "\\u{202e}", "\\u{2066}", "\\u{61c}"];

#[test]
fn nothing_else_writes_to_the_terminal() {
    let copy = Copy::of(&["xtask/src"]);
    for (path, contents) in copy.files("xtask/src") {
        // `use_stderr()` is a method of clap's error that writes nothing.
        let text = String::from_utf8(contents).unwrap().replace("use_stderr()", "");
        for forbidden in ["print!", "println!", "dbg!", "stdout()", "stderr()", ".print()"] {
            let is_right = path.ends_with("terminal.rs") || !text.contains(forbidden);
            assert!(is_right, "{} has {forbidden}; use crate::terminal", path.display());
        }
    }
}

#[test]
fn arguments_are_escaped() {
    let copy = Copy::to_render();
    for (arguments, status) in [
        (&[HOSTILE][..], 2),
        (&["render", "--only", HOSTILE], 2),
        (&["render", HOSTILE], 2),
        (&["diff", HOSTILE], 1),
        (&["diff", &format!("git:{HOSTILE}")], 1),
        (&["diff", &format!("git:-{HOSTILE}")], 2),
        (&["diff", "--format", HOSTILE], 2),
        (&["sync", "--from", HOSTILE], 1),
        (&["sync", "--url", HOSTILE], 1),
        (&["sync", "--url", &format!("https://{HOSTILE}")], 1),
        (&["sync", "--url", &format!("{HOSTILE}://x")], 1),
        (&["sync", "--accept-removal", HOSTILE], 2),
        (&["sync", "--timeout", HOSTILE], 2),
        (&["all", HOSTILE], 2),
        (&["live", &format!("--{HOSTILE}")], 2),
    ] {
        let output = copy.xtask(arguments);
        assert_visible(&format!("{arguments:?}"), &output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", stderr(&output));
    }
    let output = copy.xtask(&["diff", HOSTILE]);
    for shown in SHOWN {
        assert!(stderr(&output).contains(shown), "{}", stderr(&output));
    }
    for command in ["all", "sync", "diff", "render", "live"] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_xtask")).args(["--root", HOSTILE, command]).output().unwrap();
        assert_visible(command, &output);
        assert_eq!(output.status.code(), Some(1), "{command}: {}", stderr(&output));
    }
}

#[test]
fn help_is_escaped() {
    let copy = Copy::to_render();
    for manifest in [format!("/{HOSTILE}/xtask"), "/\u{202e}/xtask".to_owned()] {
        let output = copy.command(&["--help"]).env("CARGO_MANIFEST_DIR", manifest).output().unwrap();
        assert_visible("--help", &output);
        assert!(
            output.status.success() && stdout(&output).contains("Usage: cargo xtask"),
            "{}",
            stdout(&output)
        );
    }
    let output = copy.xtask(&["--version"]);
    assert_eq!(stdout(&output), format!("cargo xtask {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn lines_of_data_files_are_escaped() {
    let escaped = HOSTILE.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect::<String>();
    let lines = [
        format!("# {HOSTILE}\n"),
        format!("{HOSTILE} = 1\n"),
        format!("\"{escaped}\" = 1\n"),
        format!("code = \"{HOSTILE}\"\n"),
        format!("code = \"{escaped}\"\n"),
        format!("[[{HOSTILE}]]\n"),
    ];
    for file in ["annotations.toml", "quirks.toml", "reply-codes.toml", "snapshot.toml"] {
        for line in &lines {
            let copy = Copy::to_render();
            let path = copy.path("registry").join(file);
            fs::write(&path, format!("{line}{}", fs::read_to_string(&path).unwrap())).unwrap();
            for arguments in [&["render", "--check"][..], &["sync", "--offline", "--propose"], &["diff"]] {
                let output = copy.xtask(arguments);
                assert_visible(&format!("{file}, {line:?}, {arguments:?}"), &output);
                assert_eq!(output.status.code(), Some(1), "{file}, {line:?}, {arguments:?}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn files_and_their_names_are_escaped() {
    let copy = Copy::to_render();
    fs::write(copy.path("generated/tables/registry.md"), HOSTILE).unwrap();
    let output = copy.xtask(&["render", "--check"]);
    assert_visible("a product", &output);
    assert!(stdout(&output).contains("-\\u{1b}]0;title"), "{}", stdout(&output));
    let copy = Copy::to_render();
    fs::write(copy.path("generated/tables").join(HOSTILE), "").unwrap();
    let output = copy.xtask(&["render", "--check"]);
    assert_visible("a name", &output);
    assert!(stderr(&output).contains("is not a product"), "{}", stderr(&output));
}

#[test]
fn headers_of_servers_are_escaped() {
    let copy = Copy::to_render();
    let hostile = HOSTILE.replace('\r', "");
    let answers: [Answer; 4] = [
        answer("429 Too Many Requests", &[&format!("Retry-After: {hostile}")], ""),
        answer("200 OK", &[&format!("Content-Encoding: {hostile}")], ""),
        answer("302 Found", &[&format!("Location: ftp://{hostile}/")], ""),
        answer(&format!("404 {hostile}"), &[], ""),
    ];
    for answer in answers {
        let server = Server::script(vec![answer.clone()]);
        let output = copy.xtask(&["sync", "--url", &server.url("/")]);
        assert_visible(&format!("{answer:?}"), &output);
        assert_eq!(output.status.code(), Some(1), "{answer:?}");
    }
}

#[test]
fn cells_are_escaped_and_reports_stay_valid() {
    let copy = Copy::to_render();
    let hostile = "\u{9b}2J\u{7f}\u{202e}\u{2066}\u{200f}\u{61c} § – “é” \u{1f980}";
    let path = copy.path("hostile.xml");
    let text = fs::read_to_string(copy.path("registry/smtp-enhanced-status-codes.xml")).unwrap();
    fs::write(&path, text.replacen(">Mailbox full<", &format!(">{hostile}<"), 1)).unwrap();
    let diff = |options: &[&str]| {
        let output = copy.xtask(&[&["diff", "snapshot", path.to_str().unwrap()], options].concat());
        assert_visible(&format!("{options:?}"), &output);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let json: serde_json::Value = serde_json::from_str(&diff(&["--format", "json"])).unwrap();
    assert_eq!(json["facts"][0]["new"], hostile);
    let markdown = diff(&["--format", "markdown", "--text"]);
    assert!(
        markdown.contains("&#x9B;2J&#x7F;&#x202E;") && markdown.contains("§ – “é” \u{1f980}"),
        "{markdown}"
    );
    assert_eq!(markdown.matches("\n```").count(), 2, "{markdown}");
    let text = diff(&["--text"]);
    assert!(text.contains("Mailbox full -> \\u{9b}2J\\u{7f}\\u{202e}"), "{text}");
    assert!(text.contains("§ – “é” \u{1f980}"), "{text}");
    for arguments in [&["sync", "--dry-run"][..], &["sync", "--dry-run", "--format", "json"]] {
        let output = copy.xtask(&[arguments, &["--from", path.to_str().unwrap()]].concat());
        assert_visible(&format!("{arguments:?}"), &output);
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[track_caller]
fn assert_visible(name: &str, output: &Output) {
    for (what, said) in [("standard output", stdout(output)), ("standard error", stderr(output))] {
        let hidden = said.chars().find(|&c| c != '\n' && is_deceptive(c));
        assert_eq!(hidden, None, "{name}: {what}: {said:?}");
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
