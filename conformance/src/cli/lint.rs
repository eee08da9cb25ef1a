//! `smtp-conformance lint`: judges and counts the replies in logs, bounces, recordings and source code.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{Args, Subcommand, ValueEnum};
use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::metrics::Metrics;
use super::terminal::{self, remark};
use super::{FailOn, ProtocolName, input, misused};
use crate::baseline::Baseline;
use crate::lint::counts::{By, Counts};
use crate::lint::report::{Extent, console, csv, jsonl, markdown, octets, prometheus, sarif};
use crate::lint::summary::{Manner, Summary};
use crate::lint::{Control, Kind, Seen, Settings, Source, follow, lint};
use crate::rules::Strictness;

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance lint /var/log/mail.log*
      Count the replies in logs, compressed ones too, and the rules that they break.
  journalctl -u postfix -o json | smtp-conformance lint --by host -
      Count replies by the host that sent them.
  smtp-conformance lint --as source --locations src/
      Judge the replies in the source code of a mail server, with the place of each.
  smtp-conformance lint ~/Maildir/
      Judge bounces, and count the replies in them.
  smtp-conformance lint --emit-counts a.log > a.counts; smtp-conformance lint merge a.counts b.counts
      Count parts on several machines, and add them up.";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Files, or folders whose files are read. `-` reads standard input. What ignore files name is left out.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingOptions,
    #[command(flatten)]
    form: FormOptions,
}

#[derive(Subcommand)]
enum Command {
    /// Add up counts that `lint --emit-counts` wrote.
    Merge(Merge),
}

#[derive(Args)]
struct Merge {
    /// Files of counts. `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    form: FormOptions,
}

#[derive(Args)]
#[command(next_help_heading = "Reading")]
struct ReadingOptions {
    /// What all files hold. By default, their content shows it.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<KindName>,
    /// Protocol that recorded servers speak.
    #[arg(long, value_enum, default_value_t = ProtocolName::Smtp)]
    protocol: ProtocolName,
    /// Leave out files in folders that match this pattern, as a line of .gitignore would. Repeatable.
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Number of threads [default: the number of processors, up to 8].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Count replies by this as well. With `--format csv`, write these counts instead of those by codes.
    #[arg(long, value_enum)]
    by: Option<ByName>,
    /// Go on reading as the log grows, through rotation, until interrupted. For a single log.
    #[arg(long)]
    follow: bool,
    /// With --follow, serve the counts for Prometheus at http://ADDRESS/metrics.
    #[arg(long, value_name = "ADDRESS", requires = "follow")]
    listen: Option<SocketAddr>,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
struct FormOptions {
    /// Format of the report on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// List the place of each broken rule; with `--format jsonl`, each reply with its place.
    #[arg(long)]
    locations: bool,
    /// File of the repository that SARIF findings are located in. By default it is the file that was linted.
    #[arg(long, value_name = "PATH")]
    sarif_base: Option<String>,
    /// Rows of each table.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Write the counts instead of a report, to be merged with others.
    #[arg(long)]
    emit_counts: bool,
    /// Show personal data: addresses, local parts, ids, and all of a URL.
    #[arg(long)]
    raw: bool,
    /// Lowest level at which a finding fails.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Never, help_heading = "Judging")]
    fail_on: FailOn,
    /// File of accepted findings. In its entries, `target` is the file, and `case` the codes.
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    baseline: Option<PathBuf>,
    /// Treat a pair of codes that the registry does not list as an error.
    #[arg(long, help_heading = "Judging")]
    strict_registry: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    /// A text log, or any text with a reply in some lines.
    Log,
    /// A message, which may be a bounce.
    Message,
    /// Messages in mbox format.
    Mailbox,
    /// A recorded session of a client.
    Recording,
    /// Source code or configuration.
    Source,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByName {
    /// The host that sent the reply.
    Host,
    /// The hour that the log says.
    Hour,
    /// What the reply is about.
    Category,
    /// The codes.
    Pair,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people.
    Human,
    /// JSON lines.
    Jsonl,
    /// Comma-separated values: a row for each combination of codes, category, vendor and direction, or for each group.
    Csv,
    /// SARIF, with the place of each broken rule.
    Sarif,
    /// Markdown.
    Markdown,
    /// The text format of Prometheus.
    Prometheus,
}

/// Lints, prints the report and returns the exit status.
pub(super) fn run(options: &Options) -> Result<u8> {
    if let Some(Command::Merge(merge)) = &options.command {
        return merge.form.finish(merged(&merge.files)?);
    }
    let form = &options.form;
    if let Some(path) = form.baseline.as_ref().filter(|path| !path.exists()) {
        return Ok(misused(&anyhow!("--baseline: there is no file {}", path.display())));
    }
    if options.reading.by.is_some() && !form.emit_counts && !form.format.has_groups() {
        return Ok(misused(&anyhow!(
            "--by: this format has no counts by host, hour, category or pair; use --format csv or jsonl"
        )));
    }
    let excluded = match excluded(&options.reading.exclude) {
        Ok(excluded) => excluded,
        Err(error) => return Ok(misused(&anyhow!("--exclude: {error}"))),
    };
    let settings = Settings {
        kind: options.reading.kind.map(Kind::from),
        protocol: options.reading.protocol.into(),
        by: options.reading.by.map(By::from),
        strictness: Strictness { registry: form.strict_registry },
        with_places: form.format == Format::Sarif
            || form.baseline.is_some()
            || form.locations && form.format != Format::Jsonl,
        threads: options.reading.threads.map_or_else(threads, NonZero::get),
    };
    if options.reading.follow {
        return follow(options, settings);
    }
    let list = |seen: &Seen<'_>, text: &mut Vec<u8>| jsonl::write_reply(seen, form.raw, text);
    let lists = form.locations && form.format == Format::Jsonl;
    let control = Control::default();
    heed_interruption(&control)?;
    let is_done = AtomicBool::new(false);
    let counts = thread::scope(|scope| {
        if io::stderr().is_terminal() {
            scope.spawn(|| show_progress(&control, &is_done));
        }
        let mut output = io::stdout();
        let listing = if lists { Some(&list as crate::lint::Listing<'_>) } else { None };
        let counts =
            lint(sources(&options.paths, &excluded, &control), settings, &control, listing, &mut output);
        is_done.store(true, Ordering::Relaxed);
        match counts {
            // A reader such as head has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
            counts => counts.context("cannot write to standard output").map(Some),
        }
    })?;
    let Some(counts) = counts else { return Ok(0) };
    let status = form.finish(counts)?;
    Ok(if control.stop.load(Ordering::Relaxed) { 130 } else { status })
}

/// Returns the sum of files of counts.
fn merged(files: &[PathBuf]) -> Result<Counts> {
    let mut sum: Option<Counts> = None;
    for file in files {
        let counts = Counts::from_json(&file.display().to_string(), &input::text(file, COUNTS_OCTETS)?)?;
        let Some(sum) = &mut sum else {
            sum = Some(counts);
            continue;
        };
        ensure!(
            counts.by() == sum.by(),
            "{}: {}, but {}: {}; count both with the same --by",
            file.display(),
            grouping(&counts),
            files[0].display(),
            grouping(sum)
        );
        sum.merge(counts);
    }
    Ok(sum.unwrap_or_else(|| Counts::new(None, false)))
}

/// Says what replies were grouped by.
fn grouping(counts: &Counts) -> String {
    counts.by().map_or_else(|| "counts without --by".to_owned(), |by| format!("counts --by {}", by.as_str()))
}

/// Returns what `--exclude` leaves out in folders. It leaves out nothing else.
fn excluded(globs: &[String]) -> Result<Override, ignore::Error> {
    let mut overrides = OverrideBuilder::new("");
    for glob in globs {
        // What is not to be read is marked with `!`.
        overrides.add(&format!("!{glob}"))?;
    }
    overrides.build()
}

/// Follows a log until it is interrupted, and then prints the report.
fn follow(options: &Options, settings: Settings) -> Result<u8> {
    let [path] = &options.paths[..] else {
        return Ok(misused(&anyhow!("--follow reads a single log; name one file")));
    };
    let control = Control::default();
    heed_interruption(&control)?;
    let metrics = Arc::new(Metrics::default());
    if let Some(address) = options.reading.listen {
        let listener = Metrics::listen(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let served = Arc::clone(&metrics);
        thread::spawn(move || served.serve(&listener));
        remark!("the metrics are at http://{address}/metrics");
    }
    let manner = Manner { is_raw: options.form.raw, strictness: settings.strictness };
    let mut publish = |counts: &Counts| {
        metrics.publish(prometheus::render(&Summary::of(counts.clone(), manner)));
    };
    let counts = follow::follow(path, settings, &control, &mut publish);
    options.form.finish(counts.with_context(|| path.display().to_string())?)
}

/// Lists the exit statuses in the help.
pub(super) const EXIT_STATUS: &str = "\
Exit status:
  0    No finding at or above --fail-on
  1    A finding at or above --fail-on
  2    Invalid command line
  3    A baseline entry has expired or no longer matches anything
  5    A part of the input could not be read, or the report could not be written
  130  Interrupted: what was counted until then is reported";

/// How many messages about what could not be read go to standard error.
const UNREAD: usize = 5;

/// Octets in a file of counts.
const COUNTS_OCTETS: u64 = 64 << 20;

/// Returns the number of threads that are used by default.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(8)
}

/// Returns what the paths name: themselves, or the files below them.
fn sources<'a>(
    paths: &'a [PathBuf],
    excluded: &'a Override,
    control: &'a Control,
) -> impl Iterator<Item = Source> + Send + 'a {
    paths.iter().flat_map(move |path| {
        let sources: Box<dyn Iterator<Item = Source> + Send> = if path == Path::new("-") {
            Box::new(std::iter::once(standard_input(control)))
        } else if path.is_dir() {
            Box::new(files(path, excluded))
        } else {
            Box::new(std::iter::once(Source::File(plain(path))))
        };
        sources
    })
}

fn standard_input(control: &Control) -> Source {
    let name = "standard input".to_owned();
    match io::stdin().as_fd().try_clone_to_owned() {
        Ok(input) => {
            let input = Waiting { input: File::from(input), stop: Arc::clone(&control.stop) };
            Source::Stream(name, Box::new(input))
        }
        Err(error) => Source::Missing(name, error.to_string()),
    }
}

/// Standard input that ends when it is to stop, although nothing comes. It has no buffer, so that nothing is lost.
struct Waiting {
    input: File,
    stop: Arc<AtomicBool>,
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
        while !self.stop.load(Ordering::Relaxed) {
            let ready = {
                let mut descriptors = [PollFd::new(&self.input, PollFlags::IN)];
                poll(&mut descriptors, Some(&PAUSE))
            };
            match ready {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return self.input.read(buffer),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(0)
    }
}

/// Returns a path without `./` at its start, so that it is the same however it was given.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// Walks a folder, in the order of names. What git keeps for itself is no text of the project.
fn files(folder: &Path, excluded: &Override) -> impl Iterator<Item = Source> + Send + use<> {
    let name = folder.display().to_string();
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .overrides(excluded.clone())
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(Ord::cmp)
        .build();
    walk.filter_map(move |entry| match entry {
        Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
            Some(Source::File(plain(entry.path())))
        }
        Ok(_) => None,
        Err(error) => Some(Source::Missing(name.clone(), error.to_string())),
    })
}

/// Stops reading at SIGINT. What was counted until then is reported; a second signal ends the program.
fn heed_interruption(control: &Control) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        let stop = Arc::clone(&control.stop);
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, stop)?;
    }
    Ok(())
}

/// Shows how much was read, and how fast, until it is done.
fn show_progress(control: &Control, is_done: &AtomicBool) {
    const PAUSE: Duration = Duration::from_millis(100);
    let begun = Instant::now();
    let mut is_shown = false;
    while !is_done.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
        if begun.elapsed() > Duration::from_secs(1) {
            let read = control.octets.load(Ordering::Relaxed);
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = read.saturating_mul(1000) / millis;
            let _ = write!(io::stderr(), "\r\x1b[K{} read, {} a second", octets(read), octets(rate));
            is_shown = true;
        }
    }
    if is_shown {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

impl FormOptions {
    /// Prints the report, and returns the exit status.
    fn finish(&self, counts: Counts) -> Result<u8> {
        let strictness = Strictness { registry: self.strict_registry };
        let manner = Manner { is_raw: self.raw, strictness };
        if self.emit_counts {
            let unread = Summary::of(counts.clone(), manner).unread(UNREAD);
            terminal::print_report(&counts.to_json(self.raw)?)?;
            for message in &unread {
                remark!("{message}");
            }
            return Ok(if unread.is_empty() { 0 } else { 5 });
        }
        let mut summary = Summary::of(counts, manner);
        let stale = self.accept(&mut summary)?;
        if !self.locations {
            // They were needed for the baseline alone.
            summary.hide_places(self.format == Format::Sarif);
        }
        self.print(&summary)?;
        for message in &stale {
            remark!("{message}");
        }
        for message in summary.unread(UNREAD) {
            remark!("{message}");
        }
        Ok(if self.fail_on.level().is_some_and(|level| summary.has_findings(level)) {
            1
        } else if !summary.unread(UNREAD).is_empty() {
            5
        } else if !stale.is_empty() {
            3
        } else {
            0
        })
    }

    fn accept(&self, summary: &mut Summary) -> Result<Vec<String>> {
        let Some(path) = &self.baseline else { return Ok(Vec::new()) };
        Ok(summary.accept(&Baseline::read(path)?, Baseline::today()))
    }

    fn print(&self, summary: &Summary) -> Result<()> {
        let extent = Extent { top: self.top };
        let text = match self.format {
            Format::Human => console::render(summary, extent, terminal::style(&io::stdout())),
            Format::Jsonl => jsonl::render(summary)?,
            Format::Csv => csv::render(summary),
            Format::Sarif => return self.print_sarif(summary),
            Format::Markdown => markdown::render(summary, extent)?,
            Format::Prometheus => prometheus::render(summary),
        };
        terminal::print_report(&text)
    }

    /// Prints SARIF, which is too long to be kept as a text.
    fn print_sarif(&self, summary: &Summary) -> Result<()> {
        let mut output = BufWriter::new(io::stdout().lock());
        sarif::write(summary, self.sarif_base.as_deref(), &mut output)?;
        output.flush().context("cannot write to standard output")
    }
}

impl Format {
    /// Returns whether it shows what `--by` counts.
    const fn has_groups(self) -> bool {
        !matches!(self, Format::Sarif | Format::Prometheus)
    }
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Kind {
        match name {
            KindName::Log => Kind::Log,
            KindName::Message => Kind::Message,
            KindName::Mailbox => Kind::Mailbox,
            KindName::Recording => Kind::Recording,
            KindName::Source => Kind::Source,
        }
    }
}

impl From<ByName> for By {
    fn from(name: ByName) -> By {
        match name {
            ByName::Host => By::Host,
            ByName::Hour => By::Hour,
            ByName::Category => By::Category,
            ByName::Pair => By::Pair,
        }
    }
}
