//! The results of all targets, as a table.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The result of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The server's version.
    pub version: String,
    /// The target's name.
    pub target: String,
    /// The outcome of the run, or why there is none.
    pub result: Result<Tested, String>,
    /// How long the run took.
    pub time: Duration,
}

/// A run that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tested {
    /// The exit status.
    pub status: i32,
    /// The number of findings with level error.
    pub errors: usize,
    /// The number of findings with level warning.
    pub warnings: usize,
    /// The number of findings with level note.
    pub notes: usize,
    /// The errors that the baseline does not accept, a line each.
    pub new: Vec<String>,
}

/// The part of a record that is needed to count findings and to name them.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "record")]
    kind: String,
    level: Option<String>,
    rule: Option<String>,
    case: Option<String>,
    #[serde(default)]
    detail: String,
    accepted: Option<serde_json::Value>,
}

impl Tested {
    /// Counts the findings in the records of a run.
    pub fn read(status: i32, records: &Path) -> Result<Tested> {
        let cannot_read = || format!("cannot read {}", records.display());
        let file = File::open(records).with_context(cannot_read)?;
        let mut tested = Tested { status, ..Tested::default() };
        // Reads line by line, because a server that sends much makes the file large.
        for line in BufReader::new(file).lines() {
            let line = line.with_context(cannot_read)?;
            let record: Record =
                serde_json::from_str(&line).with_context(|| format!("{}", records.display()))?;
            match (record.kind.as_str(), record.level.as_deref()) {
                ("finding", Some("error")) => {
                    tested.errors += 1;
                    if record.accepted.is_none() {
                        tested.new.push(record.named());
                    }
                }
                ("finding", Some("warning")) => tested.warnings += 1,
                ("finding", _) => tested.notes += 1,
                _ => {}
            }
        }
        Ok(tested)
    }
}

impl Record {
    fn named(&self) -> String {
        let rule = self.rule.as_deref().unwrap_or_default();
        let case = self.case.as_ref().map(|case| format!(" in {case}")).unwrap_or_default();
        format!("{rule}{case}: {}", self.detail)
    }
}

/// Formats the errors that no baseline accepts, below the name of their target.
pub fn new_errors(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let Ok(tested) = &row.result else { continue };
        if !tested.new.is_empty() {
            let _ = writeln!(text, "\nnew errors of {}:\n  {}", row.target, tested.new.join("\n  "));
        }
    }
    text
}

/// Formats the table, with one row per target.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![["target", "version", "errors", "warnings", "notes", "time", ""].map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width =
        |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let aligned = |cells: &[String; 7]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 1 | 6 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(aligned).collect()
}

fn cells(row: &Row) -> [String; 7] {
    let time = format!("{:.1} s", row.time.as_secs_f32());
    let (counts, note) = match &row.result {
        Ok(tested) => {
            let counts = [tested.errors, tested.warnings, tested.notes].map(|count| count.to_string());
            let note =
                if tested.status == 0 { String::new() } else { format!("exit status {}", tested.status) };
            (counts, note)
        }
        Err(reason) => (["-"; 3].map(str::to_owned), reason.clone()),
    };
    let [errors, warnings, notes] = counts;
    [row.target.clone(), row.version.clone(), errors, warnings, notes, time, note]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::{Row, Tested, new_errors, table};

    #[test]
    fn findings_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mx.jsonl");
        let finding =
            |level: &str| format!("{{\"record\":\"finding\",\"rule\":\"r\",\"level\":\"{level}\"}}\n");
        let records = ["error", "warning", "note", "error"].map(finding).concat();
        fs::write(&file, format!("{{\"record\":\"header\"}}\n{records}")).unwrap();
        let new = vec!["r: ".to_owned(); 2];
        let expected = Tested { status: 1, errors: 2, warnings: 1, notes: 1, new };
        assert_eq!(Tested::read(1, &file).unwrap(), expected);
        fs::write(&file, "no record\n").unwrap();
        assert!(Tested::read(0, &file).unwrap_err().to_string().contains("mx.jsonl"));
    }

    #[test]
    fn columns_are_aligned() {
        let row = |target: &str, result| Row {
            version: "3.7".to_owned(),
            target: target.to_owned(),
            result,
            time: Duration::from_millis(12_340),
        };
        let tested = Tested { status: 1, errors: 10, warnings: 2, notes: 3, new: Vec::new() };
        let rows = [row("postfix/mx", Ok(tested)), row("exim/mx", Err("not started".to_owned()))];
        let expected = "\
target      version  errors  warnings  notes    time
postfix/mx  3.7          10         2      3  12.3 s  exit status 1
exim/mx     3.7           -         -      -  12.3 s  not started
";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn errors_that_no_baseline_accepts_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mx.jsonl");
        let finding =
            r#"{"record":"finding","level":"error","rule":"reply-lines","case":"noop","detail":"d""#;
        let accepted = r#""accepted":{"reason":"known"}"#;
        fs::write(&file, format!("{finding},{accepted}}}\n{finding}}}\n")).unwrap();
        let row = |target: &str, result| Row {
            version: "3.7".to_owned(),
            target: target.to_owned(),
            result,
            time: Duration::ZERO,
        };
        let rows = [
            row("postfix/mx", Tested::read(1, &file).map_err(|error| error.to_string())),
            row("exim/mx", Ok(Tested::default())),
            row("exim/lmtp", Err("not started".to_owned())),
        ];
        assert_eq!(new_errors(&rows), "\nnew errors of postfix/mx:\n  reply-lines in noop: d\n");
    }
}
