//! Lists: files with one entry per line.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use crate::data_file;
use crate::limits::LIST_OCTETS;
use crate::target::Target;

/// Reads a list of targets. Each line is a URL or the path of a TOML file, relative to the folder of the list. Blank
/// lines and lines that begin with `#` are ignored.
///
/// # Errors
///
/// Returns an error with the file and the line if a line is not a valid target, or if an earlier target has the same
/// name. Returns an error if the list has no targets.
pub fn targets(list: &Path) -> Result<Vec<Target>> {
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut lines: HashMap<String, usize> = HashMap::new();
    let targets = entries(list, |line, text| {
        let target = if text.contains("://") || text.starts_with("unix:") {
            Target::read(text)?
        } else {
            Target::read(&folder.join(text).display().to_string())?
        };
        match lines.insert(target.name.clone(), line) {
            None => Ok(target),
            Some(before) => Err(anyhow!(
                "{:?} is already the name of the target on line {before}; delete one of the lines, or set another \
                 `name` in a target file",
                target.name
            )),
        }
    })?;
    if targets.is_empty() {
        return Err(anyhow!(
            "{}: the list has no targets; write a URL or the path of a TOML file on each line",
            list.display()
        ));
    }
    Ok(targets)
}

/// Reads each entry. `read` gets the number of the line, from 1, and its text.
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
    fn a_list_names_urls_and_files_in_its_folder() {
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
            ("smtp://a\nsmtp://a\n", "list:2: \"smtp://a\" is already the name of the target on line 1"),
            ("# none\n", "list: the list has no targets"),
        ] {
            let error = read(text).expect_err("it is refused");
            assert!(error.starts_with(message), "{error}");
        }
    }
}
