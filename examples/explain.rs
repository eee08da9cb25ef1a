//! Explains replies: `cargo run --features explain --example explain -- '550 5.7.27 SPF did not pass - gsmtp'`
//!
//! Without arguments, it reads a reply from each line of standard input.

use std::io::{self, BufRead as _};

use smtp_enhanced_status::Pairing;
use smtp_enhanced_status::explain::{Explanation, explain};

fn main() -> io::Result<()> {
    let replies: Vec<String> = std::env::args().skip(1).collect();
    for reply in &replies {
        print(&explain(reply.as_bytes()));
    }
    if replies.is_empty() {
        for line in io::stdin().lock().split(b'\n') {
            print(&explain(&line?));
        }
    }
    Ok(())
}

fn print(answer: &Explanation) {
    println!("{}: {}", answer.category(), answer.happened());
    println!("  sender: {}", answer.sender());
    println!("  administrator: {}", answer.administrator());
    if let Some(retry) = answer.retry() {
        println!("  try again: {retry}; address on a list: {}", answer.list());
    }
    print!("  {}, by the evidence of the {}", answer.certainty(), answer.evidence());
    match answer.vendor() {
        Some(vendor) => println!("; the reply looks like one of {}", vendor.name()),
        None => println!(),
    }
    if let Some(entry) = answer.entry() {
        println!("  the registry's row: {} ({})", entry.sample_text, entry.reference);
    }
    if let (Some(code), Some(enhanced), Some(pairing)) =
        (answer.reply_code(), answer.enhanced(), answer.pairing())
    {
        let judgement = match pairing {
            Pairing::ClassMismatch => "the first digits differ, which RFC 2034 §4 forbids",
            Pairing::Unregistered => "the registry has no such row",
            Pairing::Listed => "listed by the registry",
            Pairing::Unlisted => "not listed by the registry, which is not an error",
            Pairing::NoList => "the registry has no list for this row",
        };
        println!("  {code} with {enhanced}: {judgement}");
    }
}
