//! Writes a Postfix log of any size, always the same one.
//!
//! ```sh
//! cargo run --release -p smtp-enhanced-status-benches --bin maillog -- 1G >mail.log
//! ```
//!
//! A size is a number of octets, or of thousands (K), millions (M) or billions (G) of them. The log ends with the last
//! whole line within it, and a smaller log is the beginning of a larger one.
//!
//! The lines are those of real logs of Postfix 3.7 in kind, order and length, but for their warnings. In those logs half of
//! the deliveries fail, because they were made to show failures. Here few do:
//!
//! | of 1000 sessions | |
//! | --- | --- |
//! | 700 | bring a message, for 1.2 recipients on average |
//! | 80 | are refused after RCPT: one reply that the log's host sends |
//! | 100 | are lost |
//! | 120 | end without a message |
//!
//! | of 1000 deliveries | |
//! | --- | --- |
//! | 800 | `sent` over SMTP: one reply, 9 in 10 with an enhanced status code |
//! | 100 | `sent` to a mailbox of the log's host: no reply |
//! | 40 | `bounced` by a reply; a non-delivery notification follows |
//! | 45 | `deferred` by a reply; the message is sent later |
//! | 15 | `deferred` without a reply, because the server cannot be reached; the message is sent later |
//!
//! That makes about one reply per 850 octets, as in the real logs, and five lines of six without one. What refuses is of the kinds that real
//! servers sent: with and without an enhanced status code, with one of another class or one that is not registered, of
//! several lines, and with the code at the end.

mod log;
mod mix;
mod random;

use std::env;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use log::Log;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let size = match (arguments.next(), arguments.next()) {
        (Some(size), None) => octets(&size),
        _ => None,
    };
    let Some(size) = size else {
        eprintln!("usage: maillog SIZE, such as 500, 20K, 300M or 1G");
        return ExitCode::from(2);
    };
    match write(&mut io::stdout().lock(), size) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write the log: {error}");
            ExitCode::FAILURE
        }
    }
}

fn octets(size: &str) -> Option<u64> {
    let (number, unit) = match size.strip_suffix(['K', 'M', 'G']) {
        Some(number) if size.ends_with('K') => (number, 1_000),
        Some(number) if size.ends_with('M') => (number, 1_000_000),
        Some(number) => (number, 1_000_000_000),
        None => (size, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Writes the lines of a log that fit into a number of octets.
fn write(output: &mut impl Write, size: u64) -> io::Result<()> {
    /// How many octets are written at once, if the log does not end before.
    const PIECE: usize = 256 << 10;
    let mut log = Log::new();
    let mut left = size;
    loop {
        while log.text.len() < PIECE {
            log.session();
        }
        let piece = log.text.len() as u64;
        if piece >= left {
            let end = usize::try_from(left).expect("less than a piece");
            let end = log.text[..end].iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
            return output.write_all(&log.text[..end]);
        }
        output.write_all(&log.text)?;
        left -= piece;
        log.text.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(size: u64) -> String {
        let mut log = vec![];
        write(&mut log, size).expect("memory can be written");
        String::from_utf8(log).expect("ASCII")
    }

    #[test]
    fn a_log_is_the_beginning_of_a_longer_one() {
        let whole = log(2_010_000);
        for size in [0, 1, 100, 300, 262_144, 262_145, 1_999_999] {
            let part = log(size);
            assert!(whole.starts_with(&part), "{size}");
            let next = whole[part.len()..].find('\n').expect("another line") + 1;
            assert!(
                (part.len()..part.len() + next).contains(&usize::try_from(size).expect("small")),
                "{size}"
            );
        }
    }

    #[test]
    fn the_mix_is_as_documented() {
        let log = log(10_000_000);
        let count = |text: &str| log.matches(text).count();
        let per_mille = |part: usize, whole: usize| (part * 1000 + whole / 2) / whole;
        let sessions = count(": connect from");
        assert!((690..710).contains(&per_mille(count(": client="), sessions)));
        assert!((70..90).contains(&per_mille(count("NOQUEUE: reject"), sessions)));
        let deliveries = count("status=");
        assert!((35..45).contains(&per_mille(count("status=bounced"), deliveries)));
        assert!((50..65).contains(&per_mille(count("status=deferred"), deliveries)));
        assert!((90..110).contains(&per_mille(count("relay=local"), deliveries)));
        let replies = count("said: ") + count("talk to me: ") + count("NOQUEUE") + count("status=sent (2");
        assert!((800..900).contains(&(log.len() / replies)), "a reply per {} octets", log.len() / replies);
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [("500", 500), ("20K", 20_000), ("300M", 300_000_000), ("1G", 1_000_000_000)];
        for (size, number) in sizes {
            assert_eq!(octets(size), Some(number));
        }
        for size in ["", "G", "1g", "-1", "1.5G", "99999999999G"] {
            assert_eq!(octets(size), None, "{size}");
        }
    }
}
