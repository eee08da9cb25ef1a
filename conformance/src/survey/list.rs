//! Lists: files with one entry a line.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use crate::data_file;
use crate::limits::LIST_OCTETS;
use crate::target::Target;

/// Reads a list of targets: on each line a URL, or a TOML file, named from the folder of the list. Blank lines and those
/// that begin with `#` are none.
///
/// # Errors
///
/// A line that is no target, or one of the same name as another before it, is refused with the file and the line; so is
/// a list without targets.
pub fn targets(list: &Path) -> Result<Vec<Target>> {
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut lines: HashMap<String, usize> = HashMap::new();
    let targets = entries(list, |line, text| {
        let is_url = text.contains("://") || text.starts_with("unix:");
        let target = match is_url {
            true => Target::read(text)?,
            false => Target::read(&folder.join(text).display().to_string())?,
        };
        match lines.insert(target.name.clone(), line) {
            None => Ok(target),
            Some(before) => Err(anyhow!(
                "{:?} is the name of the target of line {before}, too: delete one, or give it another `name` in a file",
                target.name
            )),
        }
    })?;
    if targets.is_empty() {
        return Err(anyhow!("{}: no target: write a URL or the name of a TOML file a line", list.display()));
    }
    Ok(targets)
}

/// Reads each entry with the number of its line, from 1.
pub(super) fn entries<T>(list: &Path, mut read: impl FnMut(usize, &str) -> Result<T>) -> Result<Vec<T>> {
    let name = list.display();
    let text = data_file::text(list, LIST_OCTETS)?;
    let lines = text.lines().map(str::trim).enumerate().map(|(index, line)| (index + 1, line));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| read(number, line).with_context(|| format!("{name}:{number}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::targets;

    #[test]
    fn urls_and_files_beside_the_list() {
        let folder = tempfile::tempdir().expect("a folder");
        let list = folder.path().join("list");
        fs::write(folder.path().join("mx.toml"), "url = \"smtp://192.0.2.1\"\nname = \"mx\"\n")
            .expect("a file");
        let read = |text: &str| {
            fs::write(&list, text).expect("a file");
            let names =
                targets(&list).map(|targets| targets.into_iter().map(|one| one.name).collect::<Vec<_>>());
            names.map_err(|error| format!("{error:#}").replace(&format!("{}", list.display()), "list"))
        };
        assert_eq!(
            read("# ours\n\n smtp://192.0.2.2 \nmx.toml\n"),
            Ok(vec!["smtp://192.0.2.2".into(), "mx".into()])
        );
        for (text, message) in [
            ("mx.toml\n\nhttp://a\n", "list:3: \"http://a\": begin with smtp://"),
            ("no.toml\n", "list:1: "),
            ("smtp://a\nsmtp://a\n", "list:2: \"smtp://a\" is the name of the target of line 1, too"),
            ("# none\n", "list: no target"),
        ] {
            let error = read(text).expect_err("it is refused");
            assert!(error.starts_with(message), "{error}");
        }
    }
}
