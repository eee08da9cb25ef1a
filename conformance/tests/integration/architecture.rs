//! The rooms of the suite import only what ARCHITECTURE.md allows, and no imports form a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that each room may import; `None` if it may import all of them.
type Allowed = BTreeMap<String, Option<BTreeSet<String>>>;

/// The paths that each file below a folder imports.
type Imports = BTreeMap<PathBuf, BTreeSet<String>>;

#[test]
fn rooms_import_only_what_they_may() {
    let allowed = allowed();
    let imports = imports(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "crate");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, paths) in &imports {
        let room = room(file);
        if room == "lib" || room == "main" {
            continue;
        }
        let Some(may) = allowed.get(&room) else { panic!("ARCHITECTURE.md does not list the room {room}") };
        for path in paths {
            let other = path.split("::").next().unwrap_or_default().to_owned();
            if other == room || !allowed.contains_key(&other) {
                continue;
            }
            let is_allowed = may.as_ref().is_none_or(|may| may.contains(&other));
            assert!(
                is_allowed,
                "conformance/src/{} imports {path}, but `{room}` may not import `{other}`: see \"What may import what\" in \
                 ARCHITECTURE.md",
                file.display()
            );
            used.entry(room.clone()).or_default().insert(other);
        }
    }
    for (room, may) in allowed {
        let needed = used.remove(&room).unwrap_or_default();
        let unused: Vec<_> = may.into_iter().flatten().filter(|other| !needed.contains(other)).collect();
        assert!(unused.is_empty(), "`{room}` no longer imports {unused:?}: delete that from ARCHITECTURE.md");
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in [root.join("src"), root.join("../xtask/src"), root.join("../src")] {
        let imports = imports(&folder, "crate");
        // A module and its submodules share private items, so a file and the folder of the same name count as one.
        let arrows: BTreeMap<&Path, BTreeSet<&Path>> = imports
            .iter()
            .map(|(file, paths)| {
                let others = paths.iter().filter_map(|path| owner(path, &imports));
                (file.as_path(), others.filter(|other| !is_family(file, other)).collect())
            })
            .collect();
        for start in arrows.keys() {
            let circle = circle(start, &arrows);
            assert!(
                circle.is_none(),
                "{} imports itself through {:?}",
                start.display(),
                circle.unwrap_or_default()
            );
        }
    }
}

/// Reads the list under "What may import what".
fn allowed() -> Allowed {
    let text = include_str!("../../../ARCHITECTURE.md");
    let section = text.split("## What may import what").nth(1).expect("the section is there");
    let block = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a list");
    let line = |line: &str| {
        let (room, others) =
            line.split_once(':').unwrap_or_else(|| panic!("{line}: write `room: other, other`"));
        let others: BTreeSet<String> =
            others.split(',').map(str::trim).filter(|other| !other.is_empty()).map(str::to_owned).collect();
        (room.to_owned(), (!others.contains("everything")).then_some(others))
    };
    block.lines().map(line).collect()
}

/// Returns the room of a file, which is its folder or its own name.
fn room(file: &Path) -> String {
    let first = file.components().next().expect("a file has a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn imports(folder: &Path, root: &str) -> Imports {
    let mut imports = Imports::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(&below).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !["tests.rs", "testing.rs"].contains(&name.as_str())
            {
                let file = path.strip_prefix(folder).expect("it is below").to_owned();
                let module = module(&file);
                imports.insert(file, paths(&fs::read_to_string(&path).expect("UTF-8"), root, &module));
            }
        }
    }
    imports
}

/// Returns the path of a file's module, such as `rules::reply::syntax`.
fn module(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if matches!(parts.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        parts.pop();
    }
    parts
}

/// Returns the paths in a file's code that begin with `crate` or `super`, from the crate's root. Tests are left out.
fn paths(text: &str, root: &str, module: &[String]) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut paths = BTreeSet::new();
    for line in code.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        for (word, above) in [(root, module.len()), ("super", 1)] {
            for (at, _) in line.match_indices(&format!("{word}::")) {
                let is_whole =
                    !line[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
                let Some(kept) = module.len().checked_sub(above).filter(|_| is_whole) else { continue };
                let rest = &line[at + word.len() + 2..];
                for end in ends(rest) {
                    let path: Vec<&str> =
                        module[..kept].iter().map(String::as_str).chain(end.split("::")).collect();
                    paths.insert(path.join("::"));
                }
            }
        }
    }
    paths
}

/// Splits `a::{b, c::d}` into `a::b` and `a::c::d`, up to the end of the line.
fn ends(text: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let (start, rest) = text.split_at(end);
    match rest.strip_prefix('{') {
        None => vec![start.trim_end_matches("::").to_owned()],
        Some(list) => {
            let list = list.split(['}', ';']).next().unwrap_or_default();
            list.split(',').map(|item| format!("{start}{}", item.trim().trim_end_matches("::"))).collect()
        }
    }
}

/// Returns the file that a path leads to. It is that of the path's longest prefix that is a module.
fn owner<'i>(path: &str, imports: &'i Imports) -> Option<&'i Path> {
    let mut parts: Vec<&str> = path.split("::").collect();
    while !parts.is_empty() {
        let file: PathBuf = format!("{}.rs", parts.join("/")).into();
        if let Some((file, _)) = imports.get_key_value(&file) {
            return Some(file);
        }
        parts.pop();
    }
    None
}

/// Returns whether one file's module contains the other's.
fn is_family(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.with_extension(""), other.with_extension(""));
    one.starts_with(&other) || other.starts_with(&one)
}

/// Returns the path of imports from a file back to itself, if there is one.
fn circle<'i>(start: &'i Path, arrows: &BTreeMap<&'i Path, BTreeSet<&'i Path>>) -> Option<Vec<&'i Path>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start]];
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        for next in arrows.get(last).into_iter().flatten() {
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push([way.as_slice(), &[*next]].concat());
            }
        }
    }
    None
}
