//! Progress: spinners on a terminal, and a line with the time taken for each step that is done.

use std::fmt::Display;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::terminal::{say, visible};

/// Shows the progress of steps.
#[derive(Debug, Default)]
pub struct Progress {
    bars: MultiProgress,
}

/// A step in progress. Dropping it removes its spinner.
#[derive(Debug)]
pub struct Doing<'a> {
    progress: &'a Progress,
    bar: ProgressBar,
    what: String,
    started: Instant,
}

impl Progress {
    /// Begins a step.
    pub fn begin(&self, what: &str) -> Doing<'_> {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(visible(what));
        bar.enable_steady_tick(Duration::from_millis(200));
        Doing { progress: self, bar, what: what.to_owned(), started: Instant::now() }
    }

    /// Prints a line above the spinners.
    pub fn say(&self, line: impl Display) {
        self.bars.suspend(|| say(line));
    }
}

impl Doing<'_> {
    /// Ends the step, and prints the time and the outcome.
    pub fn done(self, outcome: impl Display) {
        let seconds = self.started.elapsed().as_secs_f32();
        self.progress.say(format_args!("{:<32} {seconds:>6.1} s  {outcome}", self.what));
    }
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
