//! Reads a file as `smtp-conformance lint` does, and only searches for places where codes may begin, or counts newlines.
//!
//! ```sh
//! cargo run --release -p smtp-enhanced-status-benches --bin scan -- places mail.log
//! ```
//!
//! `places` prints how many lines have such a place, `newlines` how many lines there are. `scripts/measure-lint` compares
//! how long they take with other programs.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::process::ExitCode;

use memchr::{memchr, memchr_iter, memrchr};
use smtp_conformance::lint::finder::find;

/// How many octets are read at once.
const BLOCK: usize = 256 << 10;

/// The longest line that is kept whole.
const LONGEST: usize = 256 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["places", file] => sum(file, places),
        ["newlines", file] => sum(file, newlines),
        _ => Err("usage: scan places FILE, or scan newlines FILE".into()),
    };
    match result {
        Ok(number) => {
            println!("{number}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the number of lines in which a code may begin.
fn places(text: &[u8]) -> usize {
    let (mut lines, mut start) = (0, 0);
    while let Some(place) = find(text, start) {
        lines += 1;
        start = memchr(b'\n', &text[place..]).map_or(text.len(), |end| place + end + 1);
    }
    lines
}

fn newlines(text: &[u8]) -> usize {
    memchr_iter(b'\n', text).count()
}

/// Adds up what a function counts in blocks of whole lines.
fn sum(path: &str, count: impl Fn(&[u8]) -> usize) -> Result<usize, Box<dyn Error>> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; LONGEST + BLOCK];
    let (mut sum, mut kept) = (0, 0);
    loop {
        let read = match file.read(&mut buffer[kept..kept + BLOCK]) {
            Ok(0) => return Ok(sum + count(&buffer[..kept])),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let all = kept + read;
        let end = memrchr(b'\n', &buffer[..all]).map_or(0, |last| last + 1);
        if all - end > LONGEST {
            return Err(format!("{path} has a line of more than {LONGEST} octets").into());
        }
        sum += count(&buffer[..end]);
        buffer.copy_within(end..all, 0);
        kept = all - end;
    }
}
