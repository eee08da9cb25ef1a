//! Hostile texts: `lint` needs little memory, whatever they hold, and counts what comes after.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::measured::measured;

/// The peak of resident memory, in octets, for any input.
const MEMORY: u64 = 64 << 20;

/// The log of distinct replies has no other temporary refusal.
const REFUSAL: &[u8] = b"mx.example.org said: 450 4.2.1 Mailbox disabled for now\n";

#[test]
fn any_text_is_linted_in_little_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    write_distinct_replies(&folder.path().join("distinct.log")).expect("a log");
    write_long_line(File::create(folder.path().join("line.log")).expect("a log")).expect("a log");
    let compressed = File::create(folder.path().join("line.log.gz")).expect("a log");
    write_long_line(GzEncoder::new(compressed, Compression::fast())).expect("a log");
    write_long_message(&folder.path().join("mailbox")).expect("a mailbox");
    // The reply that comes after a long line is in three files. SARIF shows no reply that breaks no rule.
    for (options, expected) in [
        (&["--threads", "4"][..], "3 temporary refusals"),
        (&["--locations"], "3 temporary refusals"),
        (&["--format", "jsonl", "--by", "host"], "\"450 4.2.1\""),
        (&["--format", "csv"], "450 4.2.1"),
        (&["--format", "sarif"], "distinct.log"),
        (&["--format", "markdown", "--locations"], "3 temporary refusals"),
        (&["--format", "prometheus"], "class=\"4\",category=\"mailbox-disabled\",direction=\"received\"} 3"),
        (&["--emit-counts"], "\"450 4.2.1\""),
    ] {
        let files = ["distinct.log", "line.log", "line.log.gz", "mailbox"];
        let ended = measured(folder.path(), &[&["lint"], options, &files].concat());
        // Some was too long to be read, and the report says so.
        assert_eq!(ended.status, Some(5), "{options:?}: {}", ended.report);
        assert!(ended.peak < MEMORY, "{options:?}: {} octets", ended.peak);
        assert!(ended.report.contains(expected), "{options:?}: the report lacks {expected}");
    }
}

/// Writes a log in which each reply has other codes, another text, another host and another recipient.
fn write_distinct_replies(path: &Path) -> std::io::Result<()> {
    let mut log = BufWriter::new(File::create(path)?);
    for n in 0..60_000 {
        writeln!(
            log,
            "Nov 28 07:42:13 mx postfix/smtp[{n}]: {n:010X}: to=<user{n}@host{n}.example>, \
             relay=mx{n}.host{n}.example[192.0.2.1]:25, delay=1, dsn=5.{}.{}, status=bounced (host \
             mx{n}.host{n}.example[192.0.2.1] said: 55{} 5.{}.{} text {} of user{n} (in reply to RCPT TO command))",
            n % 8,
            n % 900,
            n % 5,
            n % 8,
            n % 900,
            n * 7919
        )?;
    }
    log.flush()
}

/// Writes a line of many octets, and a reply after it.
fn write_long_line(mut log: impl std::io::Write) -> std::io::Result<()> {
    for _ in 0..100 {
        log.write_all(&vec![b'x'; 1 << 20])?;
    }
    log.write_all(b"\n")?;
    log.write_all(REFUSAL)?;
    log.flush()
}

/// Writes a mailbox with a message of many octets, and a bounce after it.
fn write_long_message(path: &Path) -> std::io::Result<()> {
    let mut mailbox = File::create(path)?;
    mailbox.write_all(b"From a@example.org Sat Nov 28 07:42:13 2026\nSubject: long\n\n")?;
    for _ in 0..100 {
        mailbox.write_all(&[[b'x'; 1023].as_slice(), b"\n"].concat().repeat(1 << 10))?;
    }
    mailbox.write_all(b"\nFrom a@example.org Sat Nov 28 07:42:13 2026\nSubject: Undelivered\n\n")?;
    mailbox.write_all(REFUSAL)
}
