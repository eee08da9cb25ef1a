//! A sync replaces the snapshot, its record, annotations, quirks and products together or not at all, however it ends.
//!
//! The process that is killed is this test binary again: see [`child`].

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use xtask::annotation::Annotations;
use xtask::code::Status;
use xtask::fetch::Validators;
use xtask::gate::Allowances;
use xtask::model::Model;
use xtask::quirk::Quirks;
use xtask::registry::Registry;
use xtask::snapshot::sha256;
use xtask::sync::{Candidate, plan};
use xtask::transaction::{Disk, Lock, RealDisk, Recovery, recover, replace};
use xtask::tree::Replacement;

use crate::copy::Copy;
use crate::history::{History, histories};
use crate::support;

const SNAPSHOT: &str = "registry/smtp-enhanced-status-codes.xml";

// ---- Death --------------------------------------------------------------------------------------------------------

#[test]
fn killed_before_any_step() {
    assert_old_or_new_after_each_death(Moment::Before);
}

#[test]
fn killed_after_any_step() {
    assert_old_or_new_after_each_death(Moment::After);
}

#[test]
fn killed_in_the_middle_of_any_write() {
    assert_old_or_new_after_each_death(Moment::Within);
}

fn assert_old_or_new_after_each_death(moment: Moment) {
    let change = change();
    let project = Copy::to_render();
    let mut ends = Vec::new();
    loop {
        restore(project.root(), &change.old);
        if !dies(project.root(), "replace", moment, ends.len()) {
            break;
        }
        ends.push(change.end_after_next_command(&project));
    }
    assert_eq!(
        tree(project.root()),
        change.new,
        "{moment:?}: without a death, the replacement is incomplete"
    );
    let steps = ends.len();
    assert!(steps > change.files.len(), "{moment:?}: only {steps} deaths");
    let undone = ends.iter().position(|end| *end == End::New).unwrap_or(steps);
    assert!(ends[undone..].iter().all(|end| *end == End::New), "{moment:?}: {ends:?} goes back");
    println!("{moment:?}: {steps} deaths, {undone} of them undone and {} finished", steps - undone);
}

#[test]
fn killed_while_it_recovers() {
    let change = change();
    let mut deaths = 0;
    for (state, expected) in change.interrupted() {
        for moment in [Moment::Before, Moment::After] {
            let project = Copy::to_render();
            for step in 0.. {
                restore(project.root(), &state);
                if !dies(project.root(), "recover", moment, step) {
                    break;
                }
                // Dies once more, at the same step of what is left; then recovers completely.
                dies(project.root(), "recover", moment, step);
                recover(&RealDisk, project.root()).unwrap();
                assert_eq!(tree(project.root()), *expected, "{moment:?} {step}");
                deaths += 1;
            }
            assert_eq!(
                tree(project.root()),
                *expected,
                "{moment:?}: without a death, the recovery is incomplete"
            );
        }
    }
    println!("{deaths} deaths while recovering");
}

/// The process that is killed: does a job on a disk that kills it at a certain step. Does nothing unless [`dies`] runs
/// it.
#[test]
fn child() {
    let Ok(order) = env::var(CHILD) else { return };
    let (root, work, moment, step): (PathBuf, String, String, usize) = serde_json::from_str(&order).unwrap();
    let moment = Moment::ALL.into_iter().find(|known| format!("{known:?}") == moment).unwrap();
    let disk = FaultyDisk::new(Fault::Death, moment, step);
    if work == "recover" {
        recover(&disk, &root).unwrap();
    } else {
        let lock = Lock::acquire(&root).unwrap();
        replace(&disk, &root, &read_files(), &lock).unwrap();
    }
}

const CHILD: &str = "XTASK_TEST_CHILD";
const CHILD_FILES: &str = "XTASK_TEST_CHILD_FILES";

/// Does a job in a process of its own, and returns whether that was killed at the step.
fn dies(root: &Path, work: &str, moment: Moment, step: usize) -> bool {
    let order = serde_json::to_string(&(root, work, format!("{moment:?}"), step)).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "transaction::child", "--nocapture"])
        .env(CHILD, order)
        .env(CHILD_FILES, &change().file)
        .output()
        .unwrap();
    match (output.status.success(), output.status.signal()) {
        (true, _) => false,
        (_, Some(SIGABRT)) => true,
        _ => panic!("{work} {moment:?} {step}: {output:?}"),
    }
}

const SIGABRT: i32 = 6;

fn read_files() -> Vec<Replacement> {
    let text = fs::read(env::var_os(CHILD_FILES).unwrap()).unwrap();
    let files: Vec<(PathBuf, String)> = serde_json::from_slice(&text).unwrap();
    files.into_iter().map(|(path, contents)| Replacement { path, contents: contents.into_bytes() }).collect()
}

/// Kills 100 processes at times spread over the whole run, and 100 in the much shorter part in which they write.
#[test]
fn killed_at_random_times() {
    const SEED: u64 = 20_241_206;
    const TIMES: u32 = 100;
    // Not in the copy with another snapshot (see swap.rs), because that makes no difference to the disk.
    if std::env::var_os("SMTP_TEST_SWAPPED").is_some() {
        return;
    }
    let change = change();
    let (whole, writing) = measure(change);
    // Doubled, because most processes are slower than the fastest.
    let jobs: Vec<(bool, Duration)> = [(false, whole), (true, writing * 2)]
        .into_iter()
        .flat_map(|(waits, window)| {
            let mut random = Random(SEED);
            (0..TIMES).map(move |time| {
                (waits, window.mul_f64((f64::from(time) + random.next()) / f64::from(TIMES)))
            })
        })
        .collect();
    let ends: Vec<End> = thread::scope(|scope| {
        let halves = [0, 1].map(|half| jobs.iter().skip(half).step_by(2));
        let threads = halves.map(|jobs| {
            scope.spawn(move || {
                let project = Copy::to_render();
                jobs.map(|&(waits, delay)| end_of_a_kill(change, &project, waits, delay)).collect::<Vec<_>>()
            })
        });
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let new = ends.iter().filter(|end| **end == End::New).count();
    println!("seed {SEED}, {whole:?} of which {writing:?} writing: {} old, {new} new", ends.len() - new);
    assert_eq!(ends.len(), 200);
}

fn end_of_a_kill(change: &Change, project: &Copy, waits: bool, delay: Duration) -> End {
    restore(project.root(), &change.old);
    let mut process = change.start_sync(project.root());
    if waits {
        wait_for_report(&mut process);
    }
    thread::sleep(delay);
    process.kill().unwrap();
    process.wait().unwrap();
    change.end_after_next_command(project)
}

/// Returns how long a sync takes, and how long its part after the report takes. Both are the minimum of several runs,
/// because other tests run at the same time.
fn measure(change: &Change) -> (Duration, Duration) {
    let project = Copy::to_render();
    let times = [(); 5].map(|()| {
        restore(project.root(), &change.old);
        let start = Instant::now();
        let mut process = change.start_sync(project.root());
        wait_for_report(&mut process);
        let report = Instant::now();
        assert!(process.wait().unwrap().success());
        (start.elapsed(), report.elapsed())
    });
    let [whole, writing] = [times.map(|(whole, _)| whole), times.map(|(_, writing)| writing)];
    (whole.into_iter().min().unwrap(), writing.into_iter().min().unwrap())
}

/// Waits for the report, which is printed when everything is planned and nothing is written.
fn wait_for_report(process: &mut Child) {
    let mut octet = [0];
    process.stdout.as_mut().unwrap().read_exact(&mut octet).unwrap();
}

/// SplitMix64, as numbers from 0 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap();
        f64::from(top) / f64::from(u32::MAX)
    }
}

// ---- Errors -------------------------------------------------------------------------------------------------------

#[test]
fn an_error_at_any_step_says_whether_anything_changed() {
    let change = change();
    let project = Copy::to_render();
    let mut errors = 0;
    for (fault, moment, text) in faults() {
        for step in 0.. {
            restore(project.root(), &change.old);
            let lock = Lock::acquire(project.root()).unwrap();
            let disk = FaultyDisk::new(fault, moment, step);
            let Err(error) = replace(&disk, project.root(), &change.files, &lock) else { break };
            errors += 1;
            drop(lock);
            let said = format!("{error:#}");
            assert!(said.contains(text), "{said}");
            let expected = if said.starts_with("nothing was changed: cannot ") {
                &change.old
            } else {
                assert!(said.starts_with(UNFINISHED), "{said}");
                &change.new
            };
            recover(&FaultyDisk::sound(), project.root()).unwrap();
            assert_eq!(tree(project.root()), *expected, "{fault:?} {moment:?} {step}: {said}");
        }
    }
    println!("{errors} errors");
}

#[test]
fn an_error_during_recovery_says_how_to_continue() {
    let change = change();
    let project = Copy::to_render();
    for (state, expected) in change.interrupted() {
        let way = if *expected == change.new {
            UNFINISHED
        } else {
            "an interrupted sync could not be undone; fix this"
        };
        for (fault, moment, text) in faults() {
            for step in 0.. {
                restore(project.root(), &state);
                let Err(error) = recover(&FaultyDisk::new(fault, moment, step), project.root()) else {
                    break;
                };
                let said = format!("{error:#}");
                assert!(said.starts_with(way) && said.contains(text), "{said}");
                recover(&FaultyDisk::sound(), project.root()).unwrap();
                assert_eq!(tree(project.root()), *expected, "{fault:?} {moment:?} {step}: {said}");
            }
            assert_eq!(recover(&RealDisk, project.root()).unwrap(), Recovery::Clean);
        }
    }
}

const UNFINISHED: &str =
    "the replacement is not finished; fix this and run any `cargo xtask` command to finish it: cannot ";

/// Returns an error that occurs once and one that lasts, each before, during and after the step that fails.
fn faults() -> Vec<(Fault, Moment, &'static str)> {
    let faults = [
        (Fault::Error { number: 28, lasts: false }, "No space left on device"),
        (Fault::Error { number: 13, lasts: true }, "Permission denied"),
    ];
    let moments = |(fault, text)| Moment::ALL.map(|moment| (fault, moment, text));
    faults.into_iter().flat_map(moments).collect()
}

#[test]
fn a_read_only_folder() {
    let change = change();
    let cases = [
        ("registry", "registry/.lock; nothing was changed: Read-only file system"),
        ("generated", "nothing was changed: cannot write "),
        ("generated/tables", "nothing was changed: cannot write "),
    ];
    for (folder, expected) in cases {
        let project = Copy::to_render();
        restore(project.root(), &change.old);
        let script =
            r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77; shift; exec "$@""#;
        let Some(mut command) = in_own_mounts(script) else { return };
        let output =
            command.arg(project.path(folder)).args(change.sync_line(project.root())).output().unwrap();
        assert_refused(&output, expected);
        assert_eq!(tree(project.root()), change.old, "{folder}");
        assert!(change.start_sync(project.root()).wait().unwrap().success());
        assert_eq!(tree(project.root()), change.new, "{folder}");
    }
}

#[test]
fn a_full_disk() {
    let change = change();
    let project = Copy::to_render();
    restore(project.root(), &change.old);
    let script = r#"
        mount -t tmpfs -o size=16m tmpfs "$1" && cp -R "$2/." "$1" || exit 77
        used=$(df -k "$1" | awk 'END { print $3 }')
        mount -o remount,size=$((used + $4))k "$1" || exit 77
        folder=$1 results=$3
        shift 4
        "$@"
        status=$?
        "$1" --root "$folder" render --check --only csv >&2
        cp -R "$folder/." "$results"
        exit $status"#;
    let mut done = Vec::new();
    for free in [0, 4, 16, 64, 200, 400, 800, 2000, 4000, 8000] {
        let [disk, results] = [(); 2].map(|()| TempDir::new().unwrap());
        let Some(mut command) = in_own_mounts(script) else { return };
        command.arg(disk.path()).arg(project.root()).arg(results.path()).arg(free.to_string());
        let output = command.args(change.sync_line(disk.path())).output().unwrap();
        done.push(output.status.success());
        if output.status.success() {
            assert_eq!(tree(results.path()), change.new, "{free} KiB free");
        } else {
            assert_refused(&output, "nothing was changed: cannot write ");
            assert_refused(&output, "No space left on device");
            assert_eq!(tree(results.path()), change.old, "{free} KiB free");
        }
    }
    assert!(!done[0] && *done.last().unwrap(), "{done:?}");
    println!("done by free space: {done:?}");
}

/// Returns a command that runs a shell script with private mounts, or `None` if this machine does not permit them.
fn in_own_mounts(script: &str) -> Option<Command> {
    let mut command = support::unshare("unshare --mount")?;
    command.args(["sh", "-c", script, "sh"]);
    Some(command)
}

// ---- In the way ---------------------------------------------------------------------------------------------------

#[test]
fn something_in_the_way() {
    type Block = fn(&Path, &Path);
    let folder: Block = |path, _| fs::create_dir(path).unwrap();
    let link: Block = |path, outside| symlink(outside.join("file"), path).unwrap();
    let link_to_folder: Block = |path, outside| symlink(outside, path).unwrap();
    let file: Block = |path, _| fs::write(path, "a file").unwrap();
    let csv = "generated/tables/statuses.csv";
    let cases = [
        (
            csv,
            folder,
            "nothing was changed: generated/tables/statuses.csv is in the way, because it is not a regular file",
        ),
        (
            csv,
            link,
            "nothing was changed: generated/tables/statuses.csv is in the way, because it is not a regular file",
        ),
        (
            "generated/tables",
            file,
            "nothing was changed: generated/tables is in the way, because it is not a folder; move it",
        ),
        (
            "generated/tables",
            link_to_folder,
            "nothing was changed: generated/tables is in the way, because it is not a folder",
        ),
        (
            "generated",
            link_to_folder,
            "nothing was changed: generated is in the way, because it is not a folder; move it",
        ),
        ("generated/tables/.statuses.csv.xtask-new", folder, "nothing was changed: cannot write "),
        ("registry/..journal.xtask-new", folder, "nothing was changed: cannot write "),
        ("registry/.lock", folder, "registry/.lock; nothing was changed: Is a directory"),
        (
            "registry/.journal",
            folder,
            ".journal is damaged; delete it and restore registry/ and generated/ with git",
        ),
    ];
    let change = change();
    for (path, block, expected) in cases {
        let (project, outside) = (Copy::to_render(), outside());
        restore(project.root(), &change.old);
        remove(&project.path(path));
        block(&project.path(path), outside.path());
        let before = tree(project.root());
        let output = change.sync(project.root());
        assert_refused(&output, expected);
        assert_eq!(tree(project.root()), before, "{path}");
        assert_untouched(&outside);
        remove(&project.path(path));
        assert!(change.sync(project.root()).status.success(), "{path}");
        assert_eq!(tree(project.root()), change.new, "{path}");
    }
}

#[test]
fn a_link_with_the_name_of_a_staged_file_is_not_followed() {
    let change = change();
    let (project, outside) = (Copy::to_render(), outside());
    restore(project.root(), &change.old);
    symlink(outside.path().join("file"), project.path("generated/tables/.statuses.csv.xtask-new")).unwrap();
    assert!(change.sync(project.root()).status.success());
    assert_eq!(tree(project.root()), change.new);
    assert_untouched(&outside);
}

#[test]
fn two_at_once() {
    let change = change();
    let project = Copy::to_render();
    restore(project.root(), &change.old);
    let lock = Lock::acquire(project.root()).unwrap();
    assert_refused(&change.sync(project.root()), "another `cargo xtask` command is replacing files; wait");
    fs::write(project.path("registry/.snapshot.toml.xtask-new"), "of the other one").unwrap();
    assert_refused(
        &project.xtask(&["render", "--check"]),
        "another `cargo xtask` command is replacing files",
    );
    assert!(project.path("registry/.snapshot.toml.xtask-new").exists());
    drop(lock);
    assert_eq!(change.end_after_next_command(&project), End::Old);

    let processes = [(); 4].map(|()| change.start_sync(project.root()));
    let outputs = processes.map(|process| process.wait_with_output().unwrap());
    for output in outputs.iter().filter(|output| !output.status.success()) {
        assert_refused(output, "another `cargo xtask` command is replacing files");
    }
    assert!(outputs.iter().any(|output| output.status.success()));
    assert_eq!(tree(project.root()), change.new);
}

#[test]
fn a_journal_written_meanwhile_stops_the_replacement() {
    let change = change();
    let project = Copy::to_render();
    restore(project.root(), &change.old);
    let lock = Lock::acquire(project.root()).unwrap();
    fs::write(project.path("registry/.journal"), "of the other one").unwrap();
    let before = tree(project.root());
    let error = replace(&RealDisk, project.root(), &change.files, &lock).unwrap_err().to_string();
    assert!(
        error.contains("interrupted meanwhile; nothing was changed; run the same command again"),
        "{error}"
    );
    assert_eq!(tree(project.root()), before);
}

#[test]
fn a_damaged_journal_is_refused() {
    let change = change();
    let (project, outside) = (Copy::to_render(), outside());
    restore(project.root(), &change.old);
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let staged = outside.path().join(".file.xtask-new");
    fs::write(&staged, "staged").unwrap();
    symlink(outside.path(), project.path("generated/link")).unwrap();
    let entry = |path: &str, contents: &str| {
        serde_json::json!({ "files": [{ "path": path, "sha256": sha256(contents.as_bytes()) }] }).to_string()
    };
    let absolute = outside.path().join("file");
    let cases = [
        (String::new(), "EOF while parsing"),
        ("\u{0}\u{1}garbage".to_owned(), "expected value"),
        ("{\"files\": [{}]}".to_owned(), "missing field"),
        ("[".repeat(100_000), "line 1 column"),
        (entry(&format!("../{name}/file"), "staged"), "is outside registry/ and generated/"),
        (entry(&format!("registry/../../{name}/file"), "staged"), "is outside registry/ and generated/"),
        (entry(absolute.to_str().unwrap(), "staged"), "is outside registry/ and generated/"),
        (entry("Cargo.toml", "staged"), "is outside registry/ and generated/"),
        (entry("", "staged"), "is outside registry/ and generated/"),
        (entry("registry", "staged"), "registry is in the way, because it is not a regular file"),
        (entry("generated/link/file", "staged"), "generated/link is in the way, because it is not a folder"),
        (
            entry("registry/snapshot.toml", "other words"),
            "snapshot.toml does not have the contents that the journal names",
        ),
        (entry("registry/nowhere.toml", "words"), "cannot read "),
    ];
    for (journal, expected) in cases {
        fs::write(project.path("registry/.journal"), &journal).unwrap();
        let before = tree(project.root());
        for output in [project.xtask(&["render", "--check"]), change.sync(project.root())] {
            assert_refused(
                &output,
                ".journal is damaged; delete it and restore registry/ and generated/ with git: ",
            );
            assert_refused(&output, expected);
            assert_eq!(tree(project.root()), before, "{expected}");
        }
    }
    assert_eq!(fs::read_to_string(&staged).unwrap(), "staged");
    assert_untouched(&outside);
    fs::remove_file(project.path("registry/.journal")).unwrap();
    fs::remove_file(project.path("generated/link")).unwrap();
    assert_eq!(change.end_after_next_command(&project), End::Old);
}

/// Makes a folder outside the project, with a file that must not change.
fn outside() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "outside").unwrap();
    folder
}

#[track_caller]
fn assert_untouched(outside: &TempDir) {
    assert_eq!(fs::read_to_string(outside.path().join("file")).unwrap(), "outside");
    let names = fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let others: Vec<_> = names.filter(|name| name != "file" && name != ".file.xtask-new").collect();
    assert!(others.is_empty(), "{others:?} was written outside");
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

// ---- The history ---------------------------------------------------------------------------------------------------

#[test]
fn back_through_the_history_and_forward_again() {
    for History { files, .. } in histories() {
        let project = Copy::to_render();
        let published = identifiers(&project);
        let newest = files.last().unwrap();
        for file in files.iter().rev().chain(files.iter().skip(1)) {
            take(&project, file);
            assert!(identifiers(&project).is_subset(&published));
        }
        for file in files.iter().rev().skip(1) {
            take(&project, file);
            take(&project, newest);
            assert_eq!(identifiers(&project), published);
        }
    }
}

/// Returns the identifiers of the rows.
fn identifiers(project: &Copy) -> BTreeSet<(Status, String)> {
    let annotations = Annotations::load(&project.path("registry/annotations.toml")).unwrap();
    annotations.rows.into_iter().map(|(status, row)| (status, row.identifier)).collect()
}

/// Takes a registry with all the options that it needs, confirms the proposals, and runs `render --check`.
fn take(project: &Copy, file: &Path) {
    let missing = codes(project, &project.path(SNAPSHOT)).into_iter();
    let new = codes(project, file);
    let removals: Vec<String> =
        missing.filter(|code| !new.contains(code)).map(|code| format!("--accept-removal={code}")).collect();
    let from = format!("--from={}", file.display());
    let mut arguments = vec!["sync", &from, "--allow-older", "--propose"];
    if !removals.is_empty() {
        assert_refused(&project.xtask(&arguments), "if IANA really removed them, add --accept-removal X.7.");
    }
    arguments.extend(removals.iter().map(String::as_str));
    assert_done(&project.xtask(&arguments));
    assert!(
        fs::read(project.path(SNAPSHOT)).unwrap() == fs::read(file).unwrap(),
        "{from}: the snapshot has other octets"
    );

    let output = project.xtask(&["render", "--check"]);
    if project.confirm() > 0 {
        assert_refused(&output, "delete `review = true`");
    }
    assert_done(&project.xtask(&["render", "--check"]));
}

fn codes(project: &Copy, file: &Path) -> BTreeSet<Status> {
    let mut quirks = Quirks::load(&project.path("registry/quirks.toml")).unwrap();
    let registry = Registry::read(&fs::read(file).unwrap(), &mut quirks).unwrap();
    registry.statuses.rows.iter().map(|row| row.key.0).collect()
}

#[test]
fn an_older_registry_needs_its_option() {
    let project = Copy::to_render();
    let history = histories().remove(0);
    let file = history.files.iter().rev().nth(1).unwrap();
    let before = tree(project.root());
    assert_refused(
        &project.xtask(&["sync", "--from", file.to_str().unwrap()]),
        "to accept it, add --allow-older",
    );
    assert_eq!(tree(project.root()), before);
}

// ---- The change ---------------------------------------------------------------------------------------------------

/// A change of every data file and nearly every product: a row is removed, an irregular cell is fixed, and the date is
/// newer.
struct Change {
    candidate: PathBuf,
    old: Tree,
    new: Tree,
    files: Vec<Replacement>,
    /// The file with `files` for the child process.
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Old,
    New,
}

fn change() -> &'static Change {
    static CHANGE: OnceLock<Change> = OnceLock::new();
    CHANGE.get_or_init(|| {
        let project = Copy::to_render();
        // Not a temporary folder, because nothing would remove one that belongs to a static.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transaction");
        fs::create_dir_all(&folder).unwrap();
        let candidate = folder.join("candidate.xml");
        fs::write(&candidate, candidate_text(&project)).unwrap();
        let old = tree(project.root());
        let files = planned_files(&project, &candidate);
        let file = folder.join("files.json");
        let texts: Vec<_> =
            files.iter().map(|file| (&file.path, str::from_utf8(&file.contents).unwrap())).collect();
        fs::write(&file, serde_json::to_vec(&texts).unwrap()).unwrap();
        let mut change = Change { candidate, old, new: Tree::new(), files, file };
        assert_done(&project.xtask(&["render", "--check"]));
        assert_done(&change.sync(project.root()));
        assert_done(&project.xtask(&["render", "--check"]));
        change.new = tree(project.root());
        let changed = change.new.iter().filter(|(path, contents)| change.old.get(*path) != Some(contents));
        assert_eq!(changed.count(), change.files.len());
        assert!(change.files.iter().filter(|file| file.path.starts_with("registry")).count() == 5);
        change
    })
}

const REMOVED: &str = "X.7.30";

fn candidate_text(project: &Copy) -> String {
    let text = fs::read_to_string(project.path(SNAPSHOT)).unwrap();
    let code = text.find(&format!("<code>{REMOVED}</code>")).unwrap();
    let start = text[..code].rfind("<record").unwrap();
    let end = code + text[code..].find("</record>").unwrap() + "</record>".len();
    let text = format!("{}{}", &text[..start], &text[end..]);
    text.replacen("<basic_code>.</basic_code>", "<basic_code>550</basic_code>", 1).replacen(
        "<updated>2024-12-06</updated>",
        "<updated>2025-01-01</updated>",
        1,
    )
}

fn planned_files(project: &Copy, candidate: &Path) -> Vec<Replacement> {
    let url = Model::load(project.root()).unwrap().snapshot.url;
    let octets = fs::read(candidate).unwrap();
    let candidate = Candidate { octets, url, validators: Validators::default() };
    let allowances = Allowances { removals: vec![Status::parse(REMOVED).unwrap()], older: false };
    plan(project.root(), &candidate, &allowances, true).unwrap().files
}

impl Change {
    fn sync_line(&self, root: &Path) -> Vec<PathBuf> {
        let mut line =
            vec![PathBuf::from(env!("CARGO_BIN_EXE_xtask")), "--root".into(), root.into(), "sync".into()];
        line.extend(["--from".into(), self.candidate.clone()]);
        line.extend(["--propose", "--accept-removal", REMOVED].map(PathBuf::from));
        line
    }

    fn start_sync(&self, root: &Path) -> Child {
        let line = self.sync_line(root);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn sync(&self, root: &Path) -> Output {
        self.start_sync(root).wait_with_output().unwrap()
    }

    /// Runs another command and returns whether the project is then entirely old or entirely new.
    fn end_after_next_command(&self, project: &Copy) -> End {
        // One kind of product is enough, because both trees have passed the whole check.
        let output = project.xtask(&["render", "--check", "--only", "csv"]);
        assert_done(&output);
        let tree = tree(project.root());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected_end = match stderr.as_str() {
            "" => None,
            "an earlier sync was interrupted; it has been finished\n" => Some(End::New),
            "an earlier sync was interrupted; it has been undone\n" => Some(End::Old),
            _ => panic!("{stderr}"),
        };
        let end = if tree == self.old { End::Old } else { End::New };
        assert!(end == End::Old || tree == self.new, "neither old nor new: {}", self.strange(&tree));
        assert!(expected_end.is_none_or(|expected| expected == end), "{end:?}, but it said: {stderr}");
        end
    }

    /// Returns the states to recover from, each with the expected result: everything is staged, the journal has just
    /// been written, half of the files are replaced.
    fn interrupted(&self) -> [(Tree, &Tree); 3] {
        let project = Copy::to_render();
        let mut states = (0..).map(|step| {
            restore(project.root(), &self.old);
            let lock = Lock::acquire(project.root()).unwrap();
            // A lasting error leaves the same state as a death.
            let disk = FaultyDisk::new(Fault::Error { number: 5, lasts: true }, Moment::Before, step);
            replace(&disk, project.root(), &self.files, &lock).unwrap_err();
            tree(project.root())
        });
        let has = |state: &Tree, name: &str| state.contains_key(&Path::new("registry").join(name));
        let staged =
            |state: &Tree| state.keys().filter(|path| path.to_str().unwrap().ends_with(".xtask-new")).count();
        let half = self.files.len() / 2;
        [
            (states.find(|state| has(state, "..journal.xtask-new")).unwrap(), &self.old),
            (states.find(|state| has(state, ".journal")).unwrap(), &self.new),
            (states.find(|state| has(state, ".journal") && staged(state) == half).unwrap(), &self.new),
        ]
    }

    fn strange(&self, tree: &Tree) -> String {
        let paths = tree.keys().chain(self.old.keys()).collect::<BTreeSet<_>>().into_iter();
        let state = |path: &PathBuf| match tree.get(path) {
            contents if contents == self.old.get(path) => "old",
            contents if contents == self.new.get(path) => "new",
            _ => "neither",
        };
        paths.map(|path| format!("\n{} {}", state(path), path.display())).collect()
    }
}

// ---- The disk -----------------------------------------------------------------------------------------------------

/// When a fault occurs, relative to its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    /// When half of a file is written. Other steps cannot be half done.
    Within,
    After,
}

impl Moment {
    const ALL: [Moment; 3] = [Moment::Before, Moment::Within, Moment::After];
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Death,
    Error {
        number: i32,
        /// Whether every later step fails as well.
        lasts: bool,
    },
}

/// A disk with a fault at one step. It syncs nothing, because what a process wrote outlives the process anyway.
struct FaultyDisk {
    fault: Fault,
    moment: Moment,
    steps_left: Cell<usize>,
    is_over: Cell<bool>,
}

impl FaultyDisk {
    fn new(fault: Fault, moment: Moment, step: usize) -> FaultyDisk {
        FaultyDisk { fault, moment, steps_left: Cell::new(step), is_over: Cell::new(false) }
    }

    fn sound() -> FaultyDisk {
        FaultyDisk::new(Fault::Death, Moment::Before, usize::MAX)
    }

    fn step(
        &self,
        half: Option<&dyn Fn() -> io::Result<()>>,
        whole: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let counts = self.moment != Moment::Within || half.is_some();
        if self.is_over.get() || !counts {
            return whole();
        }
        if self.steps_left.get() > 0 {
            self.steps_left.set(self.steps_left.get() - 1);
            return whole();
        }
        match (self.moment, half) {
            (Moment::After, _) => whole()?,
            (Moment::Within, Some(half)) => half()?,
            _ => {}
        }
        match self.fault {
            Fault::Death => std::process::abort(),
            Fault::Error { number, lasts } => {
                self.is_over.set(!lasts);
                Err(io::Error::from_raw_os_error(number))
            }
        }
    }
}

impl Disk for FaultyDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step(None, || fs::create_dir_all(path))
    }

    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let half = || fs::write(path, &contents[..contents.len() / 2]);
        self.step(Some(&half), || fs::write(path, contents))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(None, || fs::rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(None, || fs::remove_file(path))
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step(None, || Ok(()))
    }
}

// ---- The tree -----------------------------------------------------------------------------------------------------

/// The paths in registry/ and generated/: regular files with their contents, anything else with its type.
type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Returns the tree without the lock, which is never removed and has no meaning.
fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut paths = vec![root.join("registry"), root.join("generated")];
    while let Some(path) = paths.pop() {
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        let mut contents = format!("{kind:?}").into_bytes();
        if kind.is_dir() {
            let before = paths.len();
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            if paths.len() > before {
                continue;
            }
        } else if kind.is_file() {
            contents = fs::read(&path).unwrap();
        }
        tree.insert(path.strip_prefix(root).unwrap().to_owned(), contents);
    }
    tree.remove(Path::new("registry/.lock"));
    tree
}

/// Changes the two folders to match a tree of regular files.
fn restore(root: &Path, wanted: &Tree) {
    let now = tree(root);
    for path in now.keys().filter(|path| !wanted.contains_key(*path)) {
        fs::remove_file(root.join(path)).unwrap();
    }
    for (path, contents) in wanted.iter().filter(|(path, contents)| now.get(*path) != Some(contents)) {
        fs::write(root.join(path), contents).unwrap();
    }
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// Fails unless the status is 1 and the error says this.
#[track_caller]
fn assert_refused(output: &Output, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let error = stderr.find("error: ").map_or("", |at| &stderr[at..]);
    assert!(error.contains(expected), "{stderr} does not say {expected:?}");
}
