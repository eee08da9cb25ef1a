//! Compares parsing, lookup and judging with the usual alternatives, and measures the rendering of all products.
//!
//! `cargo bench -p smtp-enhanced-status-benches` measures everything in one run, and prints the ratios at the end.
//! Ratios can be compared between machines; times cannot.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput};
use regex::bytes::Regex;
use smtp_enhanced_status::{EnhancedStatusCode, Pairing, ReplyCode, entries, judge, reply_codes};

#[expect(clippy::unreadable_literal, reason = "phf_codegen writes hashes")]
mod tables {
    use super::Row;

    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}
use tables::{CODES, ROWS};

/// A row as a hash table of a peer would have it.
struct Row {
    index: usize,
    has_list: bool,
    any: bool,
    codes: &'static [u16],
    wildcards: &'static [u8],
}

fn main() {
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let mut criterion = Criterion::default().output_directory(&output).without_plots().configure_from_args();
    parse(&mut criterion);
    look_up(&mut criterion);
    judge_pairs(&mut criterion, "judge", &agreeing_pairs());
    judge_pairs(&mut criterion, "judge all", &all_pairs());
    render(&mut criterion);
    criterion.final_summary();
    print_ratios(&output);
}

fn parse(criterion: &mut Criterion) {
    let texts = texts();
    let joined = texts.join("\n").into_bytes();
    let pattern = Regex::new(r"^([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})(?: |$)")
        .unwrap_or_else(|error| panic!("{error}"));
    let table: HashMap<&str, (u8, u16, u16)> = CODES.entries().map(|(text, code)| (*text, *code)).collect();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(joined.len() as u64));
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            texts
                .iter()
                .filter(|text| EnhancedStatusCode::parse_prefix(black_box(text.as_bytes())).is_some())
                .count()
        });
    });
    group.bench_function("regex", |bencher| {
        bencher.iter(|| {
            texts.iter().filter(|text| by_regex(&pattern, black_box(text.as_bytes())).is_some()).count()
        });
    });
    group.bench_function("phf", |bencher| {
        bencher.iter(|| texts.iter().filter(|text| CODES.get(first_word(black_box(text))).is_some()).count());
    });
    group.bench_function("HashMap", |bencher| {
        bencher.iter(|| texts.iter().filter(|text| table.contains_key(first_word(black_box(text)))).count());
    });
    group.bench_function("memchr", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&joined)).count());
    });
    group.finish();
}

fn by_regex(pattern: &Regex, text: &[u8]) -> Option<(u16, u16, u16)> {
    let captures = pattern.captures(text)?;
    let number = |index: usize| {
        let digits = captures.get(index)?.as_bytes().iter();
        Some(digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
    };
    Some((number(1)?, number(2)?, number(3)?))
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn look_up(criterion: &mut Criterion) {
    let codes = codes();
    let table: HashMap<u32, &Row> = ROWS.entries().map(|(status, row)| (*status, row)).collect();
    let mut group = criterion.benchmark_group("look up");
    group.throughput(Throughput::Elements(codes.len() as u64));
    group.bench_function("library", |bencher| {
        bencher.iter(|| codes.iter().filter(|code| black_box(**code).entry().is_some()).count());
    });
    group.bench_function("phf", |bencher| {
        bencher.iter(|| {
            codes
                .iter()
                .filter_map(|code| ROWS.get(&key(black_box(*code))))
                .map(|row| row.index)
                .sum::<usize>()
        });
    });
    group.bench_function("HashMap", |bencher| {
        bencher.iter(|| {
            codes
                .iter()
                .filter_map(|code| table.get(&key(black_box(*code))))
                .map(|row| row.index)
                .sum::<usize>()
        });
    });
    group.finish();
}

fn judge_pairs(criterion: &mut Criterion, name: &str, pairs: &[(ReplyCode, EnhancedStatusCode)]) {
    let table: HashMap<u32, &Row> = ROWS.entries().map(|(status, row)| (*status, row)).collect();
    let count = |verdict: &dyn Fn(ReplyCode, EnhancedStatusCode) -> Pairing| {
        pairs.iter().filter(|(reply_code, code)| verdict(*reply_code, *code) == Pairing::Listed).count()
    };
    let expected = count(&judge);
    assert_eq!(count(&|reply_code, code| by_row(reply_code, code, |key| ROWS.get(&key))), expected);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            pairs
                .iter()
                .filter(|(reply_code, code)| {
                    black_box(judge(black_box(*reply_code), black_box(*code))) == Pairing::Listed
                })
                .count()
        });
    });
    group.bench_function("phf", |bencher| {
        bencher.iter(|| {
            pairs
                .iter()
                .filter(|(reply_code, code)| {
                    black_box(by_row(black_box(*reply_code), black_box(*code), |key| ROWS.get(&key)))
                        == Pairing::Listed
                })
                .count()
        });
    });
    group.bench_function("HashMap", |bencher| {
        bencher.iter(|| {
            pairs
                .iter()
                .filter(|(reply_code, code)| {
                    black_box(by_row(black_box(*reply_code), black_box(*code), |key| {
                        table.get(&key).copied()
                    })) == Pairing::Listed
                })
                .count()
        });
    });
    group.finish();
}

/// Returns every combination. In two of three the classes differ, which needs no table.
fn all_pairs() -> Vec<(ReplyCode, EnhancedStatusCode)> {
    let pairs = |code| reply_codes().iter().map(move |entry| (entry.code, code));
    codes().into_iter().flat_map(pairs).collect()
}

/// Returns the combinations whose classes match, as in real replies.
fn agreeing_pairs() -> Vec<(ReplyCode, EnhancedStatusCode)> {
    all_pairs().into_iter().filter(|(reply_code, code)| reply_code.class() == Some(code.class())).collect()
}

/// Judges a pair as the library does, with a hash table.
fn by_row<'a>(
    reply_code: ReplyCode,
    code: EnhancedStatusCode,
    row: impl Fn(u32) -> Option<&'a Row>,
) -> Pairing {
    if reply_code.as_u16() / 100 != u16::from(code.class().digit()) {
        return Pairing::ClassMismatch;
    }
    match row(key(code)) {
        None => Pairing::Unregistered,
        Some(row) if !row.has_list => Pairing::NoList,
        Some(row)
            if row.any
                || row.codes.contains(&reply_code.as_u16())
                || row.wildcards.contains(&code.class().digit()) =>
        {
            Pairing::Listed
        }
        Some(_) => Pairing::Unlisted,
    }
}

fn key(code: EnhancedStatusCode) -> u32 {
    u32::from(code.subject()) * 1000 + u32::from(code.detail())
}

fn render(criterion: &mut Criterion) {
    use xtask::model::Model;
    use xtask::render::{Kind, render};

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let kinds = [Kind::Rust, Kind::C, Kind::Markdown, Kind::Json, Kind::Csv];
    let mut group = criterion.benchmark_group("render");
    group.bench_function("all products", |bencher| {
        bencher.iter(|| {
            let model = Model::load(&root).unwrap_or_else(|error| panic!("{error:#}"));
            render(&model, &kinds).unwrap_or_else(|error| panic!("{error:#}")).len()
        });
    });
    group.finish();
}

/// Returns every registered code and as many unregistered ones, in a scattered order.
fn codes() -> Vec<EnhancedStatusCode> {
    let mut codes: Vec<EnhancedStatusCode> = Vec::new();
    for entry in entries() {
        codes.extend([entry.status.success(), entry.status.transient(), entry.status.permanent()]);
    }
    let unregistered = (0..codes.len()).filter_map(|index| {
        let number = u16::try_from(index).ok()?;
        EnhancedStatusCode::new(codes[index].class(), number % 9, 40 + number)
    });
    codes.extend(unregistered.collect::<Vec<_>>());
    let count = codes.len();
    (0..count).map(|index| codes[index * 263 % count]).collect()
}

/// Returns texts as servers send them in replies: most with a code, some without, some with an IP address instead.
fn texts() -> Vec<String> {
    let words = ["<user@example.org>: Recipient address rejected: User unknown", "Ok", "Message refused", ""];
    let with_code = codes().into_iter().enumerate();
    with_code
        .map(|(index, code)| match index % 16 {
            14 => format!("Requested action not taken {}", words[index % 4]),
            15 => format!("5.6.7.8 is listed {}", words[index % 4]),
            _ => format!("{code} {}", words[index % 4]),
        })
        .collect()
}

/// Prints how many times as long as the library each peer takes, from the medians of this run.
fn print_ratios(output: &Path) {
    println!();
    for (group, peers) in [
        ("parse", &["regex", "phf", "HashMap", "memchr"][..]),
        ("look up", &["phf", "HashMap"]),
        ("judge", &["phf", "HashMap"]),
        ("judge all", &["phf", "HashMap"]),
    ] {
        let Some(library) = median(&output.join(group).join("library")) else { continue };
        for peer in peers {
            let Some(time) = median(&output.join(group).join(peer)) else { continue };
            println!("{group:<9} {peer:<8} takes {:>5.2} times as long as the library", time / library);
        }
    }
    if let Some(time) = median(&output.join("render/all products")) {
        println!("render   all products in {:.1} ms", time / 1e6);
    }
}

fn median(benchmark: &Path) -> Option<f64> {
    let file: PathBuf = benchmark.join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
