//! Prints text so that nothing a message quotes can move the cursor, set a title or reverse the direction of the text.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Error, Result, anyhow};
use terminal_size::{Width, terminal_size_of};

use crate::record::Record;
use crate::report::{Style, conversation};
use crate::visible::visible;

/// The maximum number of characters of each cause in an error message.
const SHOWN: usize = 500;

/// The first failure to print a line on standard output.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints a line on standard output. Ignores a closed pipe: a reader such as `head` has seen enough. [`failure`] has any
/// other error.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_line(&format!($($text)*))
    };
}
pub(super) use say;

/// Prints a line on standard error, after the name of the program.
macro_rules! remark {
    ($($text:tt)*) => {
        $crate::cli::terminal::print_remark(&format!($($text)*))
    };
}
pub(super) use remark;

pub(super) fn print_line(text: &str) {
    if let Err(error) = writeln!(io::stdout(), "{}", visible(text))
        && error.kind() != ErrorKind::BrokenPipe
    {
        // Later failures have the same cause.
        let _ = FAILURE.set(error);
    }
}

/// Fails if a line could not be printed on standard output.
pub(super) fn failure() -> Result<()> {
    match FAILURE.get() {
        Some(error) => Err(anyhow!("cannot write to standard output: {error}")),
        None => Ok(()),
    }
}

pub(super) fn print_remark(text: &str) {
    let _ = writeln!(io::stderr(), "smtp-conformance: {}", visible(text));
}

/// Prints an error and its causes on standard error.
pub(super) fn print_error(error: &Error) {
    let causes: Vec<String> = error.chain().map(|cause| shortened(&cause.to_string())).collect();
    print_remark(&causes.join(": "));
}

/// Prints text, with invisible characters escaped.
pub(super) fn print_text(text: &str) -> Result<()> {
    print_report(&visible(text))
}

/// Prints a report unchanged. Its format has already escaped what it quotes.
pub(super) fn print_report(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")
}

/// Prints the conversations of a run on standard error.
pub(super) fn print_conversations(records: &[Record]) {
    let text = conversation::render(records, style(&io::stderr()));
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Returns the style of text on a stream. On a terminal, text is coloured unless the environment forbids it, for
/// example with NO_COLOR, and is wrapped to the width of the terminal.
pub(super) fn style(stream: &(impl RawStream + AsFd)) -> Style {
    let width = terminal_size_of(stream).map(|(Width(columns), _)| columns.into());
    Style { colour: AutoStream::choice(stream) != ColorChoice::Never, width }
}

/// Prints the help, or what is wrong with the command line, and returns the exit status.
pub(super) fn print_usage(error: &clap::Error) -> u8 {
    let is_visible = |argument: OsString| visible(&argument.to_string_lossy()) == argument.to_string_lossy();
    if env::args_os().all(is_visible) {
        // clap's own printing has colours.
        let _ = error.print();
    } else {
        // clap would print escape sequences of an argument on a terminal.
        let _ = write!(io::stderr(), "{}", visible(&error.to_string()));
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
