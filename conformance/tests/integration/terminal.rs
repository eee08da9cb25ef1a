//! No command prints text from outside unescaped, either to a terminal or to a pipe.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support;

/// Characters that clear the screen, set a title, reverse the text, and begin an escape sequence with a C1 control.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwn\u{7}\u{202e}\u{9b}31m";

/// Writes the files that the commands read, with the text in every part of a file that can have it.
fn write_files(folder: &Path) {
    let file = |name: &str, text: String| fs::write(folder.join(name), text).expect("a file");
    let json = |text: &str| serde_json::to_string(text).expect("a string");
    let toml = EVIL.chars().map(|character| format!("\\u{:04X}", u32::from(character))).collect::<String>();
    file("raw.toml", format!("url = \"smtp://127.0.0.1:1\" # {EVIL}\n\"{EVIL}\" = 1\n"));
    file("key.toml", format!("url = \"smtp://127.0.0.1:1\"\n\"{toml}\" = 1\n"));
    file("protocol.toml", format!("url = \"smtp://127.0.0.1:1\"\nprotocol = \"{toml}\"\n"));
    file("url.toml", format!("url = \"smtp://127.0.0.1:{toml}\"\n"));
    file("name.toml", format!("url = \"smtp://127.0.0.1:1\"\nname = \"{toml}\"\n"));
    file("baseline.toml", format!("[[accepted]]\ntarget = \"*\"\nrule = \"{toml}\"\n"));
    file(
        "accepted.toml",
        format!(
            "[[accepted]]\ntarget = \"*\"\nrule = \"*\"\ncase = \"{toml}\"\nsection = \"{toml}\"\nreason = \"{toml}\"\n\
         link = \"{toml}\"\n"
        ),
    );
    file("targets", format!("name.toml\nsmtp://{EVIL}\n"));
    file("good-targets", "name.toml\n".to_owned());
    file("opt-out", format!("{EVIL} {EVIL}\n"));
    file("talk.txt", format!("#: connected\nS: 220 {EVIL}\nC: {EVIL}\nS: 250 {EVIL}\n"));
    file("bad.txt", format!("{EVIL}\n"));
    fs::create_dir(folder.join("cases")).expect("a folder");
    file(
        "cases/a.toml",
        format!(
            "[[case]]\nid = \"a\"\ntitle = \"{toml}\"\nsituations = [\"{toml}\"]\nsafety = \"safe\"\nrules = []\n\
         steps = [{{ send = \"NOOP {toml}\" }}]\n"
        ),
    );
    fs::create_dir(folder.join("bad-cases")).expect("a folder");
    file("bad-cases/b.toml", format!("[[case]]\nid = \"{toml}\"\ntitle = \"a\"\nsafety = \"{toml}\"\n"));
    let e = json(EVIL);
    file(
        "run.jsonl",
        format!(
            "{{\"record\":\"header\",\"format\":1,\"version\":{e},\"registry-updated\":{e},\"registry-origin\":{e},\
         \"target\":{e},\"server-version\":{e},\"run\":{{\"date\":\"2026-01-02T03:04:05Z\",\"host\":{e},\
         \"tls\":{{\"version\":{e},\"cipher\":{e},\"problem\":{e}}}}}}}\n\
         {{\"record\":\"dialogue\",\"dialogue\":0,\"name\":{e},\"protocol\":\"smtp\",\"implicit-tls\":false,\
         \"cases\":[{{\"case\":{e},\"first\":0}}]}}\n\
         {{\"record\":\"exchange\",\"dialogue\":0,\"number\":0,\"exchange\":{{\"act\":\"connect\",\
         \"answers\":[{{\"octets\":\"250 \\\\x1b[2J\\\\x9b\",\"millis\":0}}],\"end\":\"answered\"}}}}\n\
         {{\"record\":\"finding\",\"rule\":{e},\"level\":\"error\",\"condition\":{e},\
         \"location\":{{\"dialogue\":0,\"exchange\":0}},\"case\":{e},\"place\":{{\"file\":{e},\"line\":1}},\"detail\":{e},\"statement\":{e},\"sources\":[{e}]}}\n\
         {{\"record\":\"finding\",\"rule\":{e},\"level\":\"note\",\"location\":{{\"dialogue\":0,\"exchange\":0}},\
         \"case\":{e},\"detail\":{e},\"accepted\":{{\"section\":{e},\"reason\":{e},\"link\":{e}}},\"statement\":{e},\
         \"sources\":[{e}]}}\n\
         {{\"record\":\"case\",\"id\":{e},\"title\":{e},\"verdict\":\"skipped\",\"reason\":{e},\"rules\":[{e}]}}\n\
         {{\"record\":\"summary\",\"dialogues\":1,\"exchanges\":1,\"errors\":1,\"warnings\":0,\"notes\":1,\
         \"cases\":{{\"skipped\":1}},\"agreement\":{{\"listed\":{{}},\"unlisted\":{{}},\"no_list\":{{}},\
         \"unregistered\":{{}},\"class_mismatch\":{{}}}},\"hints\":[{e}]}}\n"
        ),
    );
    file("bad.jsonl", format!("{{\"record\":{e}}}\n"));
    file(&format!("{EVIL}.jsonl"), "{}\n".to_owned());
}

const COMMANDS: [&[&str]; 40] = [
    &["run", "raw.toml"],
    &["run", "key.toml"],
    &["run", "protocol.toml"],
    &["run", "url.toml"],
    &["run", "name.toml", "--case", "noop"],
    &["run", "name.toml", "--case", "noop", "--format", "jsonl"],
    &["run", "--cases", "cases", "--case", "a", "-v"],
    &["run", "EVIL"],
    &["run", "smtp://EVIL"],
    &["run", "--case", "EVIL"],
    &["run", "--profile", "EVIL"],
    &["run", "--format", "EVIL"],
    &["run", "--EVIL"],
    &["EVIL"],
    &["run", "--jsonl", "EVIL/run.jsonl"],
    &["run", "--baseline", "baseline.toml"],
    &["run", "--case", "noop", "--baseline", "accepted.toml"],
    &["run", "--baseline", "EVIL.toml"],
    &["run", "--cases", "cases", "--list"],
    &["run", "--cases", "cases", "--dry-run"],
    &["run", "--cases", "cases", "--case", "a"],
    &["run", "--cases", "bad-cases"],
    &["run", "--cases", "EVIL"],
    &["run", "--targets", "targets", "--out", "out"],
    &["run", "--targets", "good-targets", "--out", "out", "--case", "noop"],
    &["run", "--targets", "good-targets", "--out", "out", "--opt-out", "opt-out"],
    &["judge", "talk.txt", "--fail-on", "never"],
    &["judge", "bad.txt"],
    &["report", "bad.jsonl"],
    &["report", "EVIL.jsonl"],
    &["compare", "run.jsonl", "run.jsonl"],
    &["compare", "run.jsonl", "bad.jsonl"],
    &["rules", "EVIL"],
    &["EVIL"],
    &["run", "--EVIL"],
    &["run", "--timeout", "EVIL"],
    &["serve", "--fault", "EVIL"],
    &["serve", "--port", "EVIL"],
    &["send", "--server", "EVIL", "--from", "a@example.org", "--to", "b@example.org"],
    &["send", "--server", "127.0.0.1:1", "--from", "a@example.org", "--to", "EVIL"],
];

/// Returns every command of the list, and a command for each format of a report and of a comparison.
fn commands() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for command in COMMANDS {
        all.push(command.iter().map(|word| word.replace("EVIL", EVIL)).collect());
    }
    for format in ["console", "jsonl", "junit", "markdown", "html", "sarif", "results"] {
        all.push(["report", "run.jsonl", "--format", format].map(str::to_owned).to_vec());
    }
    all.push(["compare", "run.jsonl", "other.jsonl"].map(str::to_owned).to_vec());
    all.push(["compare", "run.jsonl", "other.jsonl", "--format", "json"].map(str::to_owned).to_vec());
    all
}

/// Returns a part of the text that was printed unescaped.
fn leak(output: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(output);
    ["\u{1b}[2J", "\u{1b}]0;", "\u{7}", "\u{202e}", "\u{9b}"].into_iter().find(|piece| text.contains(piece))
}

#[test]
fn no_command_prints_its_input_unescaped() {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path());
    let records = fs::read_to_string(folder.path().join("run.jsonl")).expect("a file");
    fs::write(folder.path().join("other.jsonl"), records.replace("\"error\"", "\"warning\""))
        .expect("a file");
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let has_terminal = support::has(["script"]);
    for arguments in commands() {
        let output =
            Command::new(program).current_dir(folder.path()).args(&arguments).output().expect("it runs");
        let printed = [output.stdout, output.stderr].concat();
        assert!(!printed.is_empty(), "{arguments:?} printed nothing");
        check(&arguments, &printed);
        if has_terminal {
            let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
            let line = words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
            let mut script = Command::new("script");
            script.args(["-qec", &line, "/dev/null"]).current_dir(folder.path());
            check(&arguments, &script.output().expect("it runs").stdout);
        }
    }
}

/// clap's text of an error lacks whole escape sequences, but what it prints on a terminal has them.
#[test]
fn whole_sequences_of_an_argument_are_not_printed() {
    if !support::has(["script"]) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    for arguments in [["judge", "--\u{1b}[2J\u{1b}]0;pwn\u{7}a"], ["rules", "--\u{1b}[10;10H"]] {
        let line = format!("'{program}' '{}' '{}'", arguments[0], arguments[1]);
        let output = Command::new("script").args(["-qec", &line, "/dev/null"]).output().expect("it runs");
        assert!(!output.stdout.is_empty(), "{arguments:?} printed nothing");
        check(&arguments.map(str::to_owned), &output.stdout);
    }
}

/// A report on a terminal has colours and fits its width; on a pipe it is as it comes. The usual variables decide, too.
#[test]
fn colours_and_width_are_those_of_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let talk =
        "#: connected\nS: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 ENHANCEDSTATUSCODES\nC: NOOP\nS: 250 Ok\n";
    fs::write(folder.path().join("talk.txt"), talk).expect("a file");
    let program = env!("CARGO_BIN_EXE_smtp-conformance");
    let piped = |variables: &[(&str, &str)]| {
        let mut command = Command::new(program);
        command.current_dir(folder.path()).args(["judge", "talk.txt"]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR");
        let output = command.envs(variables.iter().copied()).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let plain = piped(&[]);
    assert!(!plain.contains('\u{1b}') && plain.lines().any(|line| line.len() > 80), "{plain}");
    assert!(piped(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[31merror "));
    assert_eq!(piped(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
    if !support::has(["script"]) {
        return;
    }
    let shown = |variables: &[(&str, &str)]| {
        let line = format!("stty rows 24 cols 60; '{program}' judge talk.txt");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(folder.path()).env("TERM", "xterm-256color");
        script.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR");
        let output = script.envs(variables.iter().copied()).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8").replace('\r', "")
    };
    assert!(shown(&[]).contains("\u{1b}[31merror "), "{:?}", shown(&[]));
    let bare = shown(&[("NO_COLOR", "1")]);
    assert!(!bare.contains('\u{1b}'), "{bare:?}");
    assert!(bare.lines().all(|line| line.chars().count() <= 60), "{bare}");
    assert_eq!(bare.split_whitespace().collect::<Vec<_>>(), plain.split_whitespace().collect::<Vec<_>>());
    assert!(!shown(&[("CLICOLOR", "0")]).contains('\u{1b}'));
}

fn check(arguments: &[String], printed: &[u8]) {
    assert_eq!(leak(printed), None, "{arguments:?}: {}", String::from_utf8_lossy(printed).escape_debug());
}
