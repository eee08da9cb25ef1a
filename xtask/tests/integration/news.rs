//! A registry with news: `sync --check` shows it, everything that the data files lack is said at once, and the advice
//! ends the loop, by hand or with proposals.

use std::fs;
use std::process::{Command, Output};

use xtask::model::Model;

use crate::copy::Copy;
use crate::support;

const SNAPSHOT: &str = "registry/smtp-enhanced-status-codes.xml";
const ANNOTATIONS: &str = "registry/annotations.toml";
const REPLY_CODES: &str = "registry/reply-codes.toml";
const ADVICE: &str = "registry/advice.toml";
const TRANSIENT: &str = "Words. This is useful only as a persistent transient error.";

#[test]
fn a_check_shows_the_news_and_what_is_missing() {
    let project = Copy::to_render();
    let before = data(&project);
    let news = News::new(&project);
    for (registry, shown, missing) in [
        (
            news.rows(),
            "+ X.7.31\n",
            &[
                "code = \"X.4.8\"",
                "code = \"X.7.31\"",
                "code = 557",
                "reply-code = 557",
                "pairs = [\"557 5.7.31\"]",
            ][..],
        ),
        (
            news.codes(),
            "X.2.4 associated codes",
            &["code = 559", "code = 558", "has no advice for 558, 559;"],
        ),
        (news.text(), "X.2.2 description", &["X.2.2 has `classes = [4]`, but its text names class 5 only"]),
        (news.quirk(), "X.7.28 associated codes", &["no cell of row X.7.28 needs this quirk"]),
        (news.plain(), "X.2.2 sample text", &[]),
    ] {
        let output = sync(&project, &registry, &["--check"]);
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(3), "{said}{}", stderr(&output));
        let (diff, list) = said.split_once("\nMissing\n").unwrap_or((&said, ""));
        assert!(diff.contains(shown), "{shown:?} is not in {diff}");
        assert_eq!(list.is_empty(), missing.is_empty(), "{list}");
        for line in missing {
            assert!(list.contains(line), "{line:?} is not in {list}");
        }
        for format in ["json", "markdown"] {
            let output = sync(&project, &registry, &["--check", "--format", format]);
            assert_eq!(output.status.code(), Some(3), "{format}");
            for line in missing {
                let line = if format == "json" { line.replace('"', "\\\"") } else { (*line).to_owned() };
                assert!(stdout(&output).contains(&line), "{}", stdout(&output));
            }
            if format == "json" {
                assert_valid(&stdout(&output));
            }
        }
    }
    assert!(data(&project) == before, "something was written");
}

/// Only an octet is new, but proposals of an earlier sync are not confirmed yet.
#[test]
fn a_check_lists_what_is_missing_even_without_a_difference() {
    let project = Copy::to_render();
    let rows = News::new(&project).rows();
    assert_done(&sync(&project, &rows, &["--propose"]));
    let output = sync(&project, &format!("{rows}\n"), &["--check"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("no semantic change") && said.contains("557 (CODE_557) is only proposed"),
        "{said}"
    );
    let refused = sync(&project, &format!("{rows}\n"), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("9 things are missing or wrong"), "{}", stderr(&refused));
}

#[test]
fn a_check_refuses_what_is_no_newer_registry() {
    let project = Copy::to_render();
    let text = news_text(&project);
    let truncated = &text[..text.len() / 2];
    let updated = Model::load(project.root()).unwrap().registry.updated;
    let older = text.replacen(&updated, "2008-05-29", 1);
    let lost = text.replacen("<record date=\"2019-08-05\">", "<record date=\"2019-08-05\"><!--", 1);
    for registry in [truncated, older.as_str(), lost.as_str(), "<html>", ""] {
        let output = sync(&project, registry, &["--check"]);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn without_proposals_the_advice_is_complete() {
    let project = Copy::to_render();
    let registry = News::new(&project).rows();
    let refused = sync(&project, &registry, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("+ X.7.31\n"), "{}", stdout(&refused));
    let advice = stderr(&refused);
    let table = |head: &str, key: &str| {
        let at = advice
            .find(&format!("{head}\n{key}"))
            .unwrap_or_else(|| panic!("{head} {key} is not in {advice}"));
        let text = advice[at..].split("\n\n").next().unwrap().trim_end();
        format!("\n{text}\n").replace("[\"...\"]", "[\"RFC 9999\"]")
    };
    let rows = [("X.4.8", "NET_A"), ("X.7.31", "SEC_A")].map(|(row, name)| {
        let table = table("[[row]]", &format!("code = \"{row}\""));
        table.replacen("\"...\"", &format!("\"{name}\""), 1).replace("...", "words")
    });
    let conflict = table("[[conflict]]", "row = \"X.7.31\"").replace("...", "words");
    append(&project, ANNOTATIONS, &format!("{}{}{conflict}", rows[0], rows[1]));
    append(&project, REPLY_CODES, &table("[[reply-code]]", "code = 557").replace("...", "A_NEW_CODE"));
    for key in [
        "status = \"X.4.8\"\nclass = 4",
        "status = \"X.4.8\"\nclass = 5",
        "status = \"X.7.31\"\nclass = 4",
        "status = \"X.7.31\"\nclass = 5",
        "reply-code = 557\nstage = \"any\"",
    ] {
        let entry = table("[[advice]]", key).replacen("\"...\"", "\"policy\"", 1).replace("...", "Words.");
        append(&project, ADVICE, &entry);
    }
    assert_done(&sync(&project, &registry, &[]));
    assert_done(&project.xtask(&["render", "--check"]));
}

#[test]
fn proposals_end_the_loop() {
    let project = Copy::to_render();
    let output = sync(&project, &News::new(&project).rows(), &["--propose"]);
    assert_done(&output);
    let annotations = read(&project, ANNOTATIONS);
    for table in [
        "code = \"X.4.8\"\nidentifier = \"NET_NO_STARTTLS\"\nclasses = [4, 5]\n\
         basis = \"its text names no class; no code is associated with it, so the classes are a guess\"\n",
        "code = \"X.7.31\"\nidentifier = \"SEC_SENDER_ADDR_LIST\"\nclasses = [4]\nbasis = \"its text names class 4 only\"\n",
        "row = \"X.7.31\"\nkind = \"list-exceeds-text\"\npairs = [\"557 5.7.31\"]\n",
    ] {
        assert!(annotations.contains(table), "{table} is not in {annotations}");
    }
    let reply_codes = read(&project, REPLY_CODES);
    assert!(
        reply_codes.ends_with(
            "\n[[reply-code]]\ncode = 557\nname = \"CODE_557\"\n\
             meaning = \"Not described yet; the registry associates it with X.7.31\"\n\
             client = \"Does not send the same again, as after any reply that begins with 5.\"\n\
             sources = [\"RFC 9999\"]\nreview = true\n"
        ),
        "{reply_codes}"
    );
    let refused = project.xtask(&["render", "--check"]);
    assert_eq!(refused.status.code(), Some(1));
    for proposal in
        ["X.4.8 (NET_NO_STARTTLS)", "X.7.31 (SEC_SENDER_ADDR_LIST)", "a conflict of X.7.31", "557 (CODE_557)"]
    {
        assert!(stderr(&refused).contains(&format!("{proposal} is only proposed")), "{}", stderr(&refused));
    }
    assert_eq!(project.confirm(), 9);
    assert_done(&project.xtask(&["render", "--check"]));
}

#[test]
fn a_proposed_reply_code_is_in_its_place_and_cites_only_the_document_of_a_new_row() {
    let project = Copy::to_render();
    assert_done(&sync(&project, &News::new(&project).codes(), &["--propose"]));
    let reply_codes = read(&project, REPLY_CODES);
    let at = |code: u16| reply_codes.find(&format!("\ncode = {code}\n")).unwrap();
    assert!(at(556) < at(558) && at(558) < at(559), "{reply_codes}");
    assert!(
        reply_codes[at(558)..].contains("sources = []\nno-definition = true\nreview = true\n"),
        "{reply_codes}"
    );
}

#[test]
fn classes_that_contradict_the_text_need_a_conflict() {
    let project = Copy::to_render();
    project.edit(
        ANNOTATIONS,
        "code = \"X.4.5\"\nidentifier = \"NET_CONGESTION\"\nclasses = [4]",
        "code = \"X.4.5\"\nidentifier = \"NET_CONGESTION\"\nclasses = [4, 5]",
    );
    let refused = project.xtask(&["render", "--check"]);
    assert_eq!(refused.status.code(), Some(1));
    let advice = stderr(&refused);
    assert!(
        advice.contains(
            "X.4.5 has `classes = [4, 5]`, but its text names class 4 only; write `classes = [4]`, or,"
        ),
        "{advice}"
    );
    let conflict = advice[advice.find("[[conflict]]").unwrap()..].trim_end().replace("...", "words");
    append(&project, ANNOTATIONS, &format!("\n{}\n", conflict.replace("5.. 5", "554 5")));
    assert_done(&project.xtask(&["render"]));
    assert_done(&project.xtask(&["render", "--check"]));
}

#[test]
fn the_next_steps_begin_with_the_version() {
    let project = Copy::to_render();
    project.edit("Cargo.toml", "\nversion = \"0.1.0\"", "\nversion = \"3.4.5\"");
    assert_done(&project.xtask(&["render"]));
    let news = News::new(&project);
    let output = sync(&project, &news.rows(), &["--propose", "--dry-run"]);
    let said = stdout(&output);
    let (_, steps) = said.split_once("\nNext\n").unwrap_or_else(|| panic!("{said}"));
    assert!(
        steps.starts_with("  * First raise `version` in `Cargo.toml` from 3.4.5 to 3.5.0, and begin 3.5.0 in `CHANGELOG.md`, because X.4.8 and X.7.31 get identifiers."),
        "{steps}"
    );
    assert!(steps.find("review = true").unwrap() < steps.find("--test library symbols").unwrap(), "{steps}");
    // The name of a reply code is an identifier too.
    for option in ["--check", "--propose"] {
        let said = stdout(&sync(&project, &news.codes(), &[option, "--dry-run"]));
        assert!(
            said.contains("version: minor, because no version has published CODE_558, CODE_559"),
            "{said}"
        );
    }
    let patch = sync(&project, &news.plain(), &["--dry-run"]);
    assert!(
        !stdout(&patch).contains("raise `version`") && stdout(&patch).contains("\nNext\n"),
        "{}",
        stdout(&patch)
    );
    // The identifiers of the first sync are not published yet when the second one comes.
    assert_done(&sync(&project, &news.rows(), &["--propose"]));
    let second = news.rows().replacen("Mailbox full", "Mailbox is full", 1);
    let output = sync(&project, &second, &["--dry-run", "--propose"]);
    let said = stdout(&output);
    assert!(
        said.contains("to 3.5.0, and begin 3.5.0 in `CHANGELOG.md`, because no version has published NET_NO_STARTTLS, SEC_SENDER_ADDR_LIST, CODE_557."),
        "{said}"
    );
    assert_valid(&stdout(&sync(&project, &second, &["--dry-run", "--propose", "--format=json"])));
}

/// The script runs with a `cargo` on its path that starts xtask without building it.
#[test]
fn the_script_takes_new_rows_and_reply_codes() {
    if !support::has(["git"]) {
        return;
    }
    let project = Copy::of(&["Cargo.toml", "registry", "generated", "src", "scripts"]);
    let registry = project.path("candidate.xml");
    fs::write(&registry, News::new(&project).rows()).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(arguments).current_dir(project.root()).env("XTASK", env!("CARGO_BIN_EXE_xtask"));
        command.env("PATH", format!("{}:{path}", project.path("bin").display())).output().unwrap()
    };
    // Another process writes the program: one that this process has open for writing cannot be executed.
    let cargo = "mkdir bin && cat >bin/cargo <<'END' && chmod +x bin/cargo\n\
                 #!/bin/bash\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$XTASK\" \"$@\"\nEND\n";
    assert_done(&run("bash", &["-c", cargo]));
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    assert_done(&run("git", &["init", "--quiet"]));
    assert_done(&run("git", &["add", "--all"]));
    assert_done(&run("git", &[&identity[..], &["commit", "--quiet", "--message=start"]].concat()));
    let output = run("scripts/refresh-registry", &["--from", registry.to_str().unwrap()]);
    assert_done(&output);
    let said = stdout(&output);
    for line in [
        "+ X.7.31",
        "  * First raise `version` in `Cargo.toml` from 0.1.0 to 0.2.0",
        "registry/reply-codes.toml",
        "git restore",
    ] {
        assert!(said.contains(line), "{line:?} is not in {said}");
    }
}

struct News {
    text: String,
}

impl News {
    fn new(project: &Copy) -> News {
        News { text: news_text(project) }
    }

    /// Two new rows, one of which has a new reply code and a text that excludes it.
    fn rows(&self) -> String {
        let text =
            with_row(&self.text, "X.7.30", "X.7.31", "Sender address is on a list", "450, 557", TRANSIENT);
        with_row(&text, "X.4.7", "X.4.8", "Next hop offers no STARTTLS", "Not given", "Words.")
    }

    /// New reply codes in rows that are not new.
    fn codes(&self) -> String {
        self.text.replacen("<basic_code>450, 452<", "<basic_code>450, 559, 558<", 1)
    }

    /// The text of X.2.2 says another class than before.
    fn text(&self) -> String {
        with_description(&self.text, "X.2.2", "Full. This code should be used as a permanent failure.")
    }

    fn quirk(&self) -> String {
        self.text.replacen("<basic_code>.<", "<basic_code>550<", 1)
    }

    fn plain(&self) -> String {
        self.text.replacen("Mailbox full", "Mailbox is full", 1)
    }
}

fn news_text(project: &Copy) -> String {
    read(project, SNAPSHOT)
}

fn with_row(text: &str, before: &str, code: &str, sample: &str, codes: &str, description: &str) -> String {
    let at = text.find(&format!("<code>{before}</code>")).unwrap();
    let end = at + text[at..].find("</record>").unwrap() + "</record>".len();
    let row = format!(
        "<record><code>{code}</code><sample>{sample}</sample><basic_code>{codes}</basic_code>\
         <description>{description}</description><reference><xref type=\"rfc\" data=\"rfc9999\"/></reference>\
         <submitter>A. Person</submitter><change_controller>IESG</change_controller></record>"
    );
    format!("{}\n{row}{}", &text[..end], &text[end..])
}

fn with_description(text: &str, code: &str, description: &str) -> String {
    let at = text.find(&format!("<code>{code}</code>")).unwrap();
    let start = at + text[at..].find("<description>").unwrap() + "<description>".len();
    let end = at + text[at..].find("</description>").unwrap();
    format!("{}{description}{}", &text[..start], &text[end..])
}

fn sync(project: &Copy, text: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candidate.xml");
    fs::write(&path, text).unwrap();
    project.xtask(&[&["sync", "--from", path.to_str().unwrap()], options].concat())
}

fn read(project: &Copy, path: &str) -> String {
    fs::read_to_string(project.path(path)).unwrap()
}

fn append(project: &Copy, path: &str, text: &str) {
    fs::write(project.path(path), format!("{}{text}", read(project, path))).unwrap();
}

/// Returns the data files.
fn data(project: &Copy) -> Vec<String> {
    [SNAPSHOT, ANNOTATIONS, REPLY_CODES, ADVICE, "registry/quirks.toml", "registry/snapshot.toml"]
        .map(|path| read(project, path))
        .into()
}

#[track_caller]
fn assert_valid(report: &str) {
    let schema = fs::read_to_string(support::root().join("xtask/schemas/diff.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let report = serde_json::from_str(report).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
