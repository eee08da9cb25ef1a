//! Pages of documentation that show what the program prints.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The pages, and the folder whose files their commands name.
const PAGES: [(&str, &str); 3] =
    [("../docs/explain.md", "."), ("../docs/logs.md", "tests/lint"), ("../docs/bounces.md", "tests/lint")];

/// With `SMTP_TEST_BLESS=1`, the pages are written anew.
#[test]
fn pages_show_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, folder) in PAGES {
        let file = root.join(page);
        let shown = fs::read_to_string(&file).expect("the page");
        let written = with_output(&shown, &root.join(folder));
        if env::var_os("SMTP_TEST_BLESS").is_some() {
            fs::write(&file, &written).expect("the page can be written");
        } else {
            assert_eq!(shown, written, "{page}");
        }
    }
}

/// Replaces what each block shows after its command with what the command prints in a folder.
fn with_output(page: &str, folder: &Path) -> String {
    let mut written = String::new();
    for (index, part) in page.split("```").enumerate() {
        if index > 0 {
            written.push_str("```");
        }
        match part.strip_prefix("console\n$ ").and_then(|block| block.split_once('\n')) {
            Some((command, _)) => {
                let programs = Path::new(env!("CARGO_BIN_EXE_smtp-conformance")).parent().expect("a folder");
                let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap_or_default());
                let mut shell = Command::new("sh");
                shell.args(["-c", command]).env("PATH", path).current_dir(folder);
                let output = shell.output().expect("it runs");
                let shown = String::from_utf8_lossy(&output.stdout);
                let _ = write!(written, "console\n$ {command}\n{shown}");
            }
            None => written.push_str(part),
        }
    }
    written
}
