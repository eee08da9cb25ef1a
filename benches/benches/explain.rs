//! Compares explaining replies with what a bounce classifier does: all patterns of KumoMTA's form, in a `RegexSet`.
//!
//! `cargo bench -p smtp-enhanced-status-benches --bench explain` measures both in one run, and prints the ratio at the
//! end. The patterns are those that this project renders for KumoMTA; they look at the codes only. `PATTERNS=FILE` names
//! a file of other patterns, one on each line.

use std::hint::black_box;
use std::path::Path;
use std::{env, fs};

use criterion::{Criterion, Throughput};
use regex::RegexSet;
use smtp_enhanced_status::explain::{Question, explain};

const OWN_PATTERNS: &str = include_str!("../../generated/kumomta/iana.toml");
const VENDOR_REPLIES: &str = include_str!("../../tests/explain/vendor-replies.tsv");

/// Replies as they come, from a short one to one with three lines.
const REPLIES: [(&str, &str); 4] = [
    ("short", "452 4.2.2 Mailbox full\r\n"),
    (
        "100 octets",
        "550 5.1.1 <someone@example.org>: Recipient address rejected: User unknown in virtual mailbox table\r\n",
    ),
    (
        "quoted",
        "host mx.example.net[192.0.2.1] said: 550 5.1.1 No such user here (in reply to RCPT TO command)\r\n",
    ),
    (
        "3 lines",
        "550-5.7.26 The message from example.org does not pass DMARC, and its policy asks to refuse\r\n\
         550-5.7.26 it. See https://support.google.com/mail/?p=UnauthenticatedMessage for how to change\r\n\
         550 5.7.26 that. a1-20020a05600c.12 - gsmtp\r\n",
    ),
];

fn main() {
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let mut criterion = Criterion::default().output_directory(&output).without_plots().configure_from_args();
    for (name, reply) in REPLIES {
        let mut group = criterion.benchmark_group(format!("explain {name}"));
        group.throughput(Throughput::Bytes(reply.len() as u64));
        group.bench_function("explain", |bencher| bencher.iter(|| explain(black_box(reply.as_bytes()))));
        group.bench_function("category", |bencher| {
            bencher.iter(|| Question::new(black_box(reply.as_bytes())).explain().category());
        });
        group.finish();
    }
    vendors(&mut criterion);
    criterion.final_summary();
    print_ratio(&output);
}

/// Explains the recorded replies of vendors, and matches them with the patterns.
fn vendors(criterion: &mut Criterion) {
    let rows = VENDOR_REPLIES.lines().filter(|line| !line.starts_with('#'));
    let replies: Vec<&str> = rows.filter_map(|line| line.split('\t').nth(2)).collect();
    let set = RegexSet::new(patterns()).expect("the patterns compile");
    let mut group = criterion.benchmark_group("explain vendors");
    group.throughput(Throughput::Elements(replies.len() as u64));
    group.bench_function("explain", |bencher| {
        bencher.iter(|| {
            let categories =
                replies.iter().map(|reply| explain(black_box(reply.as_bytes())).category() as usize);
            categories.sum::<usize>()
        });
    });
    group.bench_function("regex-set", |bencher| {
        bencher.iter(|| {
            let first = replies.iter().map(|reply| set.matches(black_box(reply)).iter().next().unwrap_or(0));
            first.sum::<usize>()
        });
    });
    group.finish();
}

fn patterns() -> Vec<String> {
    match env::var_os("PATTERNS") {
        Some(file) => {
            fs::read_to_string(file).expect("PATTERNS names a file").lines().map(str::to_owned).collect()
        }
        None => OWN_PATTERNS
            .lines()
            .filter_map(|line| line.trim().strip_prefix('\''))
            .filter_map(|line| line.strip_suffix("',"))
            .map(str::to_owned)
            .collect(),
    }
}

/// Prints how many times as long as the library the patterns take, from the medians of this run.
fn print_ratio(output: &Path) {
    let folder = output.join("explain vendors");
    let folder = if folder.exists() { folder } else { output.join("explain_vendors") };
    let (Some(own), Some(peer)) = (median(&folder.join("explain")), median(&folder.join("regex-set"))) else {
        return;
    };
    println!("\na RegexSet of {} patterns takes {:.1} times as long", patterns().len(), peer / own);
}

fn median(benchmark: &Path) -> Option<f64> {
    let estimates: serde_json::Value =
        serde_json::from_slice(&fs::read(benchmark.join("new/estimates.json")).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
