//! Compares reading a reply with all its defects and judging its pair with the parsers of SMTP clients, and measures
//! the rules separately.
//!
//! `cargo bench -p smtp-enhanced-status-benches --bench replies` measures everything in one run, and prints the ratios
//! at the end.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use lettre::transport::smtp::response::Response;
use smtp_conformance::dialogue::{Act, Answer, Dialogue, Exchange};
use smtp_conformance::protocol::reply::Reply;
use smtp_conformance::{Knowledge, Strictness};
use smtp_enhanced_status::Pairing;
use smtp_proto::response::parser::ResponseReceiver;

/// A short reply, one of 97 octets, and one of four lines.
const REPLIES: [(&str, &str); 3] = [
    ("short", "250 2.1.5 Ok\r\n"),
    (
        "97 octets",
        "550 5.1.1 <someone@example.org>: Recipient address rejected: User unknown in virtual mailbox tab\r\n",
    ),
    (
        "4 lines",
        "550-5.7.1 The message was refused, because the address that it comes from\r\n\
         550-5.7.1 is on a list of addresses that send unsolicited mail. Please see\r\n\
         550-5.7.1 https://lists.example.org/why for the reason and for the way out\r\n\
         550 5.7.1 of it.\r\n",
    ),
];

fn main() {
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let mut criterion = Criterion::default().output_directory(&output).without_plots().configure_from_args();
    for (name, reply) in REPLIES {
        read(&mut criterion, name, reply);
    }
    rules(&mut criterion);
    criterion.final_summary();
    print_ratios(&output);
}

fn read(criterion: &mut Criterion, name: &str, reply: &str) {
    // `black_box` gets a thin pointer, because with a wide one it costs as much as reading a line.
    let reply = &reply;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(reply.len() as u64));
    group.bench_function("reply", |bencher| bencher.iter(|| read_and_judge(black_box(reply).as_bytes())));
    group.bench_function("smtp-proto", |bencher| {
        bencher.iter(|| {
            let octets = black_box(reply).as_bytes();
            ResponseReceiver::default().parse(&mut octets.iter()).is_ok()
        });
    });
    group.bench_function("lettre", |bencher| {
        bencher.iter(|| black_box(reply).parse::<Response>().is_ok());
    });
    group.finish();
}

/// Returns whether a reply has no defects, and the pairing of its codes.
fn read_and_judge(octets: &[u8]) -> (bool, Option<Pairing>) {
    let reply = Reply::read(octets);
    (reply.defects().is_empty(), reply.pairing())
}

/// Measures all rules over a dialogue of a thousand exchanges.
fn rules(criterion: &mut Criterion) {
    let exchange = |act, reply: &str| {
        let answer = Answer { octets: reply.into(), millis: 0 };
        Exchange { answers: vec![answer], ..Exchange::new(act) }
    };
    let mut exchanges = vec![
        exchange(Act::Connect, "220 mx.example.org ESMTP\r\n"),
        exchange(Act::Command("EHLO me\r\n".into()), "250-mx.example.org\r\n250 ENHANCEDSTATUSCODES\r\n"),
    ];
    for _ in 0..499 {
        exchanges.push(exchange(Act::Command("MAIL FROM:<bob@example.org>\r\n".into()), "250 2.1.0 Ok\r\n"));
        exchanges.push(exchange(Act::Command("RSET\r\n".into()), "250 2.0.0 Ok\r\n"));
    }
    let dialogues = [Dialogue { exchanges, ..Dialogue::default() }];
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            smtp_conformance::judge(black_box(&dialogues), &Knowledge::default(), Strictness::default())
                .findings
                .len()
        });
    });
    group.finish();
}

/// Prints how many times as long as the reader each peer takes, from the medians of this run.
fn print_ratios(output: &Path) {
    println!();
    for (name, _) in REPLIES {
        let folder = output.join(name.replace(' ', "_"));
        let folder = if folder.exists() { folder } else { output.join(name) };
        let Some(own) = median(&folder.join("reply")) else { continue };
        for peer in ["smtp-proto", "lettre"] {
            let Some(time) = median(&folder.join(peer)) else { continue };
            println!("{name:<9} {own:>6.1} ns; {peer:<10} takes {:>5.2} times as long", time / own);
        }
    }
    if let Some(time) = median(&output.join("rules/all")) {
        println!("rules     {:.2} us per exchange", time / 1e6);
    }
}

fn median(benchmark: &Path) -> Option<f64> {
    let estimates: serde_json::Value =
        serde_json::from_slice(&fs::read(benchmark.join("new/estimates.json")).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
