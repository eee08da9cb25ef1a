//! Classifies many replies: a reply on each line, and a line for each in JSON or CSV.

use std::io::{self, BufRead, Read as _, Write};
use std::num::NonZero;
use std::thread;

use memchr::{memchr, memchr_iter, memrchr};
use smtp_enhanced_status::explain::{Explanation, Question, Stage};
use smtp_enhanced_status::{EnhancedStatusCode, ReplyCode};

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON object on each line.
    JsonLines,
    /// Comma-separated values, with a head.
    Csv,
}

/// How replies are classified.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The form of the output.
    pub form: Form,
    /// The command that all replies answer, if it is known.
    pub stage: Option<Stage>,
    /// The host that sent all replies, if it is known.
    pub host: Option<&'a str>,
    /// The taxonomy whose names the output has as well.
    pub taxonomy: Option<&'a str>,
}

/// How many octets are read at a time.
const BLOCK: usize = 1 << 20;
/// How many lines a thread classifies at a time. What is written for a line may be a hundred times as long as the line.
const LINES: usize = 1 << 13;
/// The maximum length of a line. A longer line is classified by its first octets.
const LINE: usize = 1 << 16;

/// Reads replies and writes what they mean. Memory is bounded, whatever the input has.
///
/// # Errors
///
/// Fails if the input cannot be read or the output cannot be written.
pub fn run(input: &mut impl BufRead, output: &mut impl Write, settings: Settings<'_>) -> io::Result<()> {
    if settings.form == Form::Csv {
        output.write_all(head(settings).as_bytes())?;
    }
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(16);
    let mut blocks = Blocks { input, rest: Vec::new(), whole: 0, skips: false, is_done: false };
    let mut first_line = 1;
    loop {
        let batch = blocks.batch(workers)?;
        if batch.is_empty() {
            return output.flush();
        }
        let mut starts = Vec::new();
        for block in &batch {
            starts.push(first_line);
            first_line += memchr_iter(b'\n', block).count() as u64;
        }
        let written: Vec<Vec<u8>> = thread::scope(|scope| {
            let jobs: Vec<_> = batch
                .iter()
                .zip(&starts)
                .map(|(block, start)| scope.spawn(move || classified(block, *start, settings)))
                .collect();
            jobs.into_iter().map(|job| job.join().unwrap_or_default()).collect()
        });
        for text in written {
            output.write_all(&text)?;
        }
    }
}

/// Reads blocks of whole lines.
struct Blocks<'a, R: BufRead> {
    input: &'a mut R,
    /// What was read and not returned yet: whole lines, and the start of a line whose end was not read yet.
    rest: Vec<u8>,
    /// How many octets of the rest are whole lines.
    whole: usize,
    /// Whether the rest of a line that is too long is left out.
    skips: bool,
    is_done: bool,
}

impl<R: BufRead> Blocks<'_, R> {
    /// Reads a block for each worker, or fewer at the end.
    fn batch(&mut self, workers: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut batch = Vec::new();
        while batch.len() < workers
            && let Some(block) = self.next()?
        {
            batch.push(block);
        }
        Ok(batch)
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while self.whole == 0 && !self.is_done {
            self.read()?;
        }
        let whole = self.rest.get(..self.whole).unwrap_or_default();
        let end = memchr_iter(b'\n', whole).nth(LINES - 1).map_or(self.whole, |end| end + 1);
        let block: Vec<u8> = self.rest.drain(..end).collect();
        self.whole -= end;
        Ok((!block.is_empty()).then_some(block))
    }

    /// Reads more, if there are no whole lines.
    fn read(&mut self) -> io::Result<()> {
        let start = self.rest.len();
        self.is_done = self.input.take(BLOCK as u64).read_to_end(&mut self.rest)? < BLOCK;
        if self.skips {
            match memchr(b'\n', &self.rest[start..]) {
                Some(end) => {
                    self.rest.drain(start..start + end);
                    self.skips = false;
                }
                None => self.rest.truncate(start),
            }
        }
        if self.is_done {
            break_off(&mut self.rest);
        }
        self.whole = memrchr(b'\n', &self.rest).map_or(0, |end| end + 1);
        if self.rest.len() - self.whole > LINE {
            self.rest.truncate(self.whole + LINE);
            self.skips = true;
        }
        Ok(())
    }
}

/// Ends the last line, if it has no end.
fn break_off(block: &mut Vec<u8>) {
    if block.last().is_some_and(|octet| *octet != b'\n') {
        block.push(b'\n');
    }
}

fn head(settings: Settings<'_>) -> String {
    let name = if settings.taxonomy.is_some() { ",name" } else { "" };
    format!(
        "line,reply-code,enhanced-status-code,category,retry,list,matter,vendor,evidence,certainty{name}\n"
    )
}

/// Classifies the lines of a block.
fn classified(block: &[u8], first_line: u64, settings: Settings<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(block.len() * 2);
    let mut line_number = first_line;
    let mut rest = block;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let line = line.get(..LINE).unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            let mut question = Question::new(line);
            if let Some(stage) = settings.stage {
                question = question.at(stage);
            }
            if let Some(host) = settings.host {
                question = question.from_host(host);
            }
            write_row(&mut text, line_number, &question.explain(), settings);
        }
        line_number += 1;
    }
    text
}

fn write_row(text: &mut Vec<u8>, line: u64, answer: &Explanation, settings: Settings<'_>) {
    let category = answer.category();
    let mut buffer = [0; EnhancedStatusCode::MAX_LEN];
    let enhanced = answer.enhanced();
    let code = enhanced.map_or("", |code| code.encode(&mut buffer));
    let cells = [
        ("enhanced-status-code", code),
        ("category", category.id()),
        ("retry", answer.retry().map_or("", |retry| retry.as_str())),
        ("list", answer.list().as_str()),
        ("matter", category.matter().as_str()),
        ("vendor", answer.vendor().map_or("", |vendor| vendor.id())),
        ("evidence", answer.evidence().as_str()),
        ("certainty", answer.certainty().as_str()),
    ];
    let reply_code = answer.reply_code().map(ReplyCode::as_u16);
    let name = settings.taxonomy.map(|taxonomy| category.name_in(taxonomy).unwrap_or_default());
    match settings.form {
        Form::JsonLines => write_json(text, line, reply_code, &cells, name),
        Form::Csv => write_csv(text, line, reply_code, &cells, name),
    }
}

/// Writes an object. None of the texts has a character that JSON has to escape: all are from this project's tables.
fn write_json(
    text: &mut Vec<u8>,
    line: u64,
    reply_code: Option<u16>,
    cells: &[(&str, &str)],
    name: Option<&str>,
) {
    text.extend_from_slice(b"{\"line\":");
    number(text, line);
    text.extend_from_slice(b",\"reply-code\":");
    match reply_code {
        Some(code) => number(text, u64::from(code)),
        None => text.extend_from_slice(b"null"),
    }
    for (key, value) in cells.iter().copied().chain(name.map(|name| ("name", name))) {
        text.extend_from_slice(b",\"");
        text.extend_from_slice(key.as_bytes());
        if value.is_empty() {
            text.extend_from_slice(b"\":null");
        } else {
            text.extend_from_slice(b"\":\"");
            text.extend_from_slice(value.as_bytes());
            text.push(b'"');
        }
    }
    text.extend_from_slice(b"}\n");
}

/// Writes a row. None of the texts has a comma or a quote.
fn write_csv(
    text: &mut Vec<u8>,
    line: u64,
    reply_code: Option<u16>,
    cells: &[(&str, &str)],
    name: Option<&str>,
) {
    number(text, line);
    text.push(b',');
    if let Some(code) = reply_code {
        number(text, u64::from(code));
    }
    for value in cells.iter().map(|(_, value)| *value).chain(name) {
        text.push(b',');
        text.extend_from_slice(value.as_bytes());
    }
    text.push(b'\n');
}

fn number(text: &mut Vec<u8>, mut number: u64) {
    let start = text.len();
    loop {
        // A digit fits into an octet.
        text.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text[start..].reverse();
}

#[cfg(test)]
mod tests {
    use smtp_enhanced_status::explain::{Category, TAXONOMIES};

    use super::{BLOCK, Blocks, Form, LINE, LINES, Settings, run};

    fn output(input: &[u8], form: Form, taxonomy: Option<&str>) -> String {
        let mut output = Vec::new();
        let settings = Settings { form, stage: None, host: None, taxonomy };
        run(&mut &*input, &mut output, settings).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn each_line_has_a_row() {
        let input = b"550 5.1.1 No such user\r\n\r\nnonsense\n452 4.2.2 Full";
        assert_eq!(
            output(input, Form::JsonLines, None),
            "{\"line\":1,\"reply-code\":550,\"enhanced-status-code\":\"5.1.1\",\"category\":\"no-such-recipient\",\
             \"retry\":\"never\",\"list\":\"remove\",\"matter\":\"recipient-address\",\"vendor\":null,\
             \"evidence\":\"enhanced-code\",\"certainty\":\"sure\"}\n\
             {\"line\":3,\"reply-code\":null,\"enhanced-status-code\":null,\"category\":\"unknown\",\
             \"retry\":null,\"list\":\"keep\",\"matter\":\"unknown\",\"vendor\":null,\
             \"evidence\":\"nothing\",\"certainty\":\"guess\"}\n\
             {\"line\":4,\"reply-code\":452,\"enhanced-status-code\":\"4.2.2\",\"category\":\"mailbox-full\",\
             \"retry\":\"later\",\"list\":\"pause\",\"matter\":\"recipient-mailbox\",\"vendor\":null,\
             \"evidence\":\"enhanced-code\",\"certainty\":\"sure\"}\n"
        );
        assert_eq!(
            output(b"452 4.2.2 Full", Form::Csv, Some("kumomta")),
            "line,reply-code,enhanced-status-code,category,retry,list,matter,vendor,evidence,certainty,name\n\
             1,452,4.2.2,mailbox-full,later,pause,recipient-mailbox,,enhanced-code,sure,QuotaIssues\n"
        );
        assert_eq!(output(b"", Form::JsonLines, None), "");
    }

    #[test]
    fn lines_are_counted_across_blocks() {
        let line = "550 5.1.1 No such user, and some words that make the line longer\n";
        let many = line.repeat(3 * BLOCK / line.len());
        let rows = output(many.as_bytes(), Form::Csv, None);
        let lines: Vec<u64> =
            rows.lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(lines, (1..=(3 * BLOCK / line.len()) as u64).collect::<Vec<_>>());
    }

    #[test]
    fn short_lines_come_in_small_blocks() {
        let input = "5\n".repeat(BLOCK);
        let mut blocks =
            Blocks { input: &mut input.as_bytes(), rest: Vec::new(), whole: 0, skips: false, is_done: false };
        let mut octets = 0;
        while let Some(block) = blocks.next().unwrap() {
            assert!(block.len() <= 2 * LINES);
            octets += block.len();
        }
        assert_eq!(octets, input.len());
    }

    #[test]
    fn a_line_without_an_end_is_bounded() {
        let mut input = b"550 5.1.1 No\n452 4.2.2 ".to_vec();
        input.resize(4 * BLOCK + LINE, b'x');
        input.extend_from_slice(b"\n451 4.3.0 No\n");
        let rows = output(&input, Form::Csv, None);
        let starts: Vec<&str> = rows.lines().skip(1).map(|row| row.get(..11).unwrap()).collect();
        assert_eq!(starts, ["1,550,5.1.1", "2,452,4.2.2", "3,451,4.3.0"]);
    }

    #[test]
    fn no_name_needs_to_be_escaped() {
        for category in Category::all() {
            for name in TAXONOMIES.iter().filter_map(|taxonomy| category.name_in(taxonomy)) {
                assert!(!name.contains([',', '"', '\\', '\n']), "{name}");
            }
        }
    }
}
