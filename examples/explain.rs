//! Explains a reply: `cargo run --example explain -- '452 4.5.3 Too many recipients'`

use std::process::ExitCode;

use smtp_enhanced_status::{EnhancedStatusCode, Pairing, ReplyCode, judge, known_conflict};

fn main() -> ExitCode {
    let reply = std::env::args().nth(1).unwrap_or_default();
    let Some((digits, text)) = reply.split_at_checked(3) else {
        eprintln!("usage: explain '550 5.1.1 No such user'");
        return ExitCode::from(2);
    };
    match digits.parse() {
        Ok(reply_code) => explain_reply(reply_code, text.get(1..).unwrap_or_default()),
        Err(error) => {
            eprintln!("{digits:?}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn explain_reply(reply_code: ReplyCode, text: &str) {
    match reply_code.entry() {
        Some(entry) => println!("{reply_code}  {}\n     {}", entry.meaning, entry.client),
        None => println!("{reply_code}  not in the table of reply codes; the first digit says what it means"),
    }
    match EnhancedStatusCode::parse_lenient(text.as_bytes()) {
        Some(read) => explain_pair(reply_code, read.code),
        None => println!("no enhanced status code"),
    }
}

fn explain_pair(reply_code: ReplyCode, code: EnhancedStatusCode) {
    if let Some(entry) = code.entry() {
        println!("{code}  {}\n     {} {}", entry.sample_text, entry.description, entry.reference);
    }
    let listed = code.entry().map_or("", |entry| entry.raw.associated);
    let class = code.class();
    println!(
        "{reply_code} with {code}: {}",
        match judge(reply_code, code) {
            Pairing::ClassMismatch =>
                format!("the first digits differ, which RFC 2034 §4 forbids; the class is {class}"),
            Pairing::Unregistered => "the registry has no such row".to_owned(),
            Pairing::Listed => format!("listed by the registry ({listed})"),
            Pairing::Unlisted => format!("not listed by the registry ({listed}), which is not an error"),
            Pairing::NoList => "the registry has no list for this row".to_owned(),
        }
    );
    if let Some(conflict) = known_conflict(reply_code, code) {
        println!("known conflict: {} ({})", conflict.summary, conflict.source);
    }
}
