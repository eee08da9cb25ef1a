//! Files that are too large are refused with their names, in little memory, and no message quotes them in full.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;

use xtask::file::{MAX_DATA, MAX_PRODUCT};

use crate::copy::Copy;
use crate::run::{Run, run};

#[test]
fn endless_files_are_refused_with_their_names() {
    let data = [
        "smtp-enhanced-status-codes.xml",
        "annotations.toml",
        "quirks.toml",
        "reply-codes.toml",
        "snapshot.toml",
    ];
    let data = data.map(|name| (format!("registry/{name}"), MAX_DATA));
    let others = [("Cargo.toml", MAX_DATA), ("generated/rust/entries.rs", MAX_PRODUCT)];
    let others = others.map(|(path, limit)| (path.to_owned(), limit));
    for (path, limit) in data.into_iter().chain(others) {
        let copy = Copy::to_render();
        fs::remove_file(copy.path(&path)).unwrap();
        symlink("/dev/zero", copy.path(&path)).unwrap();
        for arguments in [&["render", "--check"][..], &["render"]] {
            let run = run(copy.command(arguments));
            assert_refused(&run, &format!("{path}: it has more than {limit} octets, the limit"));
            let most = if limit == MAX_DATA { 64 } else { 256 };
            assert!(run.peak < most << 20, "{path}: {} KiB", run.peak >> 10);
        }
        assert!(fs::symlink_metadata(copy.path(&path)).unwrap().is_symlink(), "{path} was replaced");
    }
}

#[test]
fn nothing_is_read_without_a_limit() {
    let copy = Copy::of(&["xtask/src"]);
    for (path, contents) in copy.files("xtask/src") {
        let text = String::from_utf8(contents).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // sync.rs reads standard input, with a limit of its own.
        let is_exempt = path.ends_with("file.rs") || path.ends_with("command/sync.rs");
        for forbidden in ["fs::read(", "read_to_string(", "read_to_end("] {
            assert!(
                is_exempt || !code.contains(forbidden),
                "{} has {forbidden}; use crate::file",
                path.display()
            );
        }
    }
}

#[test]
fn an_endless_journal_is_refused() {
    let copy = Copy::to_render();
    symlink("/dev/zero", copy.path("registry/.journal")).unwrap();
    let run = run(copy.command(&["render", "--check"]));
    assert_refused(&run, ".journal is damaged; delete it and restore registry/ and generated/ with git");
    assert_refused(&run, &format!("more than {MAX_DATA} octets"));
}

#[test]
fn registries_to_compare_have_a_limit() {
    let copy = Copy::to_render();
    for arguments in [["diff", "/dev/zero", "snapshot"], ["diff", "snapshot", "/dev/zero"]] {
        let run = run(copy.command(&arguments));
        assert_refused(&run, &format!("cannot read /dev/zero: it has more than {MAX_DATA} octets"));
        assert!(run.peak < 64 << 20, "{} KiB", run.peak >> 10);
    }
}

#[test]
fn a_revision_has_a_limit() {
    let copy = Copy::to_render();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let output =
            Command::new("git").args(identity).args(arguments).current_dir(copy.root()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let snapshot = copy.path("registry/smtp-enhanced-status-codes.xml");
    let text = fs::read(&snapshot).unwrap();
    File::create(&snapshot).unwrap().set_len(1 << 30).unwrap();
    git(&["init", "--quiet"]);
    git(&["add", "registry/smtp-enhanced-status-codes.xml"]);
    git(&["commit", "--quiet", "--message", "a gibibyte of zeros"]);
    fs::write(&snapshot, text).unwrap();
    let run = run(copy.command(&["diff", "git:HEAD"]));
    assert_refused(&run, &format!("has 1073741824 octets, but a registry may have {MAX_DATA} at most"));
    assert!(run.peak < 64 << 20, "{} KiB", run.peak >> 10);
}

#[test]
fn a_long_line_is_quoted_in_part() {
    let long = "x".repeat(400_000);
    let lines = [
        format!("{long} = 1\n"),
        format!("code = \"{long}\"\n"),
        format!("code = {long}\n"),
        format!("[[{long}]]\n"),
        format!("# {long}\u{7}\n"),
        format!(
            "[[row]]\ncode = \"{long}\"\nidentifier = \"A\"\nclasses = []\nbasis = \"b\"\nsource = \"c\"\n"
        ),
        format!(
            "[[row]]\ncode = \"X.9.9\"\nidentifier = \"{long}\"\nclasses = [4]\nbasis = \"b\"\nsource = \"c\"\n"
        ),
        format!(
            "[[row]]\ncode = \"X.9.9\"\nidentifier = \"A\"\nclasses = [4]\nbasis = \"b\"\n{long} = \"c\"\n"
        ),
        format!(
            "[[quirk]]\nrow = \"X.9.9\"\ncells = [\"{long}\"]\nraw = \"\"\nreads-as = \"\"\nwhy = \"w\"\nsince = \"2024-12-06\"\nhistorical = true\n"
        ),
        format!(
            "[[reply-code]]\ncode = 200\nname = \"{long}\"\nmeaning = \"m\"\nclient = \"c\"\nsources = []\nno-definition = true\n"
        ),
    ];
    for file in ["annotations.toml", "quirks.toml", "reply-codes.toml", "snapshot.toml"] {
        for line in &lines {
            let copy = Copy::to_render();
            let path = copy.path("registry").join(file);
            fs::write(&path, format!("{line}{}", fs::read_to_string(&path).unwrap())).unwrap();
            for arguments in [
                &["render", "--check"][..],
                &["sync", "--offline", "--propose"],
                &["diff", "snapshot", "snapshot"],
                &["all"],
            ] {
                let run = run(copy.command(arguments));
                assert_refused(&run, file);
                let said = run.stderr.len() - copy.root().as_os_str().len();
                assert!(said < 1000, "{file}, {arguments:?}: {said} octets: {}...", &run.stderr[..1000]);
            }
        }
    }
    let copy = Copy::to_render();
    copy.edit("Cargo.toml", "version = \"", &format!("version = \"{long}"));
    let run = run(copy.command(&["render"]));
    assert_refused(&run, "in Cargo.toml is not three numbers");
    assert!(run.stderr.len() < 1000, "{} octets", run.stderr.len());
}

#[track_caller]
fn assert_refused(run: &Run, expected: &str) {
    assert_eq!(run.status, Some(1), "{run:?}");
    let said = &run.stderr[..run.stderr.len().min(2000)];
    assert!(run.stderr.contains(expected), "{said:?} does not say {expected:?}");
}
