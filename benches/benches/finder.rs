//! Compares the finder with counting newlines, and with a pattern that finds pairs of codes.
//!
//! `cargo bench -p smtp-enhanced-status-benches --bench finder` measures them in one run, over lines that are in the
//! processor's cache. `scripts/measure-lint` measures whole programs over a file.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use memchr::{memchr, memchr_iter};
use regex::bytes::Regex;
use smtp_conformance::lint::finder::find;

const PAIR: &str = r"(?-u)\b[245][0-9]{2}[ -][245]\.[0-9]{1,3}\.[0-9]{1,3}\b";

/// Lines of a session that brings a message, with one reply.
const SESSION: &str = "\
Nov  3 00:00:00 mail postfix/smtpd[1053]: connect from host470.example[203.0.113.214]
Nov  3 00:00:00 mail postfix/smtpd[1053]: F557DD5A9BD: client=host470.example[203.0.113.214]
Nov  3 00:00:00 mail postfix/cleanup[1100]: F557DD5A9BD: message-id=<ed155d5625.F557DD5A9BD@host463.example>
Nov  3 00:00:00 mail postfix/qmgr[113]: F557DD5A9BD: from=<user94144@domain3202.example>, size=10300, nrcpt=1 (queue active)
Nov  3 00:00:00 mail postfix/smtpd[1053]: disconnect from host470.example[203.0.113.214] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
Nov  3 00:00:00 mail postfix/smtp[1319]: F557DD5A9BD: to=<user25670@domain2715.example>, relay=mx.domain2715.example[198.51.100.155]:25, delay=0.90, delays=0/0/0.53/0.37, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 07D422FF454)
Nov  3 00:00:00 mail postfix/qmgr[113]: F557DD5A9BD: removed
";

fn main() {
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let mut criterion = Criterion::default().output_directory(&output).without_plots().configure_from_args();
    let session = SESSION.repeat(100);
    let text = session.as_bytes();
    let pair = Regex::new(PAIR).expect("the pattern compiles");
    let mut group = criterion.benchmark_group("finder");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group
        .bench_function("finder", |bencher| bencher.iter(|| lines(|from| find(black_box(text), from), text)));
    group.bench_function("newlines", |bencher| bencher.iter(|| memchr_iter(b'\n', black_box(text)).count()));
    group.bench_function("regex", |bencher| {
        bencher.iter(|| lines(|from| pair.find_at(black_box(text), from).map(|found| found.start()), text));
    });
    group.finish();
    criterion.final_summary();
}

/// Counts the lines in which a function finds something.
fn lines(find: impl Fn(usize) -> Option<usize>, text: &[u8]) -> usize {
    let (mut lines, mut start) = (0, 0);
    while let Some(place) = find(start) {
        lines += 1;
        start = memchr(b'\n', &text[place..]).map_or(text.len(), |end| place + end + 1);
    }
    lines
}
