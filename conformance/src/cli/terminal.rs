//! What is printed: whatever a message quotes, nothing in it can move the cursor, set a title or turn the text around.

use std::io::{self, Write as _};

use anyhow::{Context as _, Error, Result};

use crate::visible::visible;

/// Characters of each cause that an error message shows.
const SHOWN: usize = 500;

/// Prints a line. A reader that has gone, as `head` does, wants no more of it, and that is no fault.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_line(&format!($($text)*))
    };
}
pub(super) use say;

/// Prints a line on standard error, behind the name of the program.
macro_rules! remark {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_remark(&format!($($text)*))
    };
}
pub(super) use remark;

pub(super) fn print_line(text: &str) {
    let _ = writeln!(io::stdout(), "{}", visible(text));
}

pub(super) fn print_remark(text: &str) {
    let _ = writeln!(io::stderr(), "smtp-conformance: {}", visible(text));
}

/// Says what went wrong, and why.
pub(super) fn print_error(error: &Error) {
    let causes: Vec<String> = error.chain().map(|cause| shortened(&cause.to_string())).collect();
    print_remark(&causes.join(": "));
}

/// Prints text for people.
pub(super) fn print_text(text: &str) -> Result<()> {
    print_report(&visible(text))
}

/// Prints a report as it is. Its format escapes what stands in it.
pub(super) fn print_report(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("standard output")
}

/// Prints help, or what is wrong with the command line; the exit status of that.
pub(super) fn print_usage(error: &clap::Error) -> u8 {
    let plain = error.to_string();
    if visible(&plain) == plain {
        // It has colours of its own.
        let _ = error.print();
    } else {
        let _ = write!(io::stderr(), "{}", visible(&plain));
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
