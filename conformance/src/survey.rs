//! Surveys: runs against many targets in one process, with one file of records per target.

mod files;
mod list;
mod opt_out;
mod pacing;
mod table;

use std::fs;
use std::net::IpAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::vec::IntoIter;
use std::{mem, thread};

use anyhow::{Context as _, Result, bail};
use futures_util::{StreamExt as _, stream};
use indicatif::ProgressBar;
use tokio::net::lookup_host;
use tokio::runtime::{self, LocalOptions};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::baseline::Baseline;
use crate::case::Case;
use crate::client::Timeouts;
use crate::record;
use crate::record::status::Status;
use crate::rules::catalogue::Level;
use crate::run::{self, Plan, Politeness, Unjudged};
use crate::target::{Address, Target};

pub use list::targets;
pub use opt_out::OptOut;
use pacing::group_by_address;
pub use table::{Table, TargetRow, TargetState};

/// The settings of a survey.
#[derive(Debug)]
pub struct Survey {
    /// The targets. No two have the same name.
    pub targets: Vec<Target>,
    /// The folder for the records, with one file per target. A file gets its final name once it is complete.
    pub folder: PathBuf,
    /// The servers that are not contacted.
    pub opt_out: OptOut,
    /// The number of targets that are tested at once, with one connection each.
    pub parallel: usize,
    /// Whether to skip targets whose records are complete.
    pub resume: bool,
    /// The accepted findings.
    pub baseline: Option<Baseline>,
    /// The version of the servers, if it is known.
    pub server_version: Option<String>,
    /// Whether only some cases are run, so that entries of the baseline may match nothing.
    pub narrowed: bool,
    /// The lowest level that fails a target.
    pub fail_on: Option<Level>,
}

/// A target that has yet to be tested, and the file for its records.
#[derive(Debug)]
struct Waiting {
    target: Target,
    file: PathBuf,
}

impl Survey {
    /// Runs cases against the targets.
    ///
    /// The plan applies to each target, except that each gets one connection at a time and that the progress counts
    /// targets. Targets that share an address are tested one after the other, unless they are on this machine. Targets
    /// that are unfinished when the survey is interrupted get neither a row nor records.
    ///
    /// # Errors
    ///
    /// Returns an error if records exist and `resume` is false, if records cannot be written, or if another run writes
    /// to the same folder. A problem with a server is not an error but part of the table.
    pub async fn run(mut self, cases: Vec<Case>, plan: Plan) -> Result<Table> {
        fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        let _held = files::hold(&self.folder)?;
        let mut table = Table::default();
        let mut waiting = Vec::new();
        let names = files::names(&self.targets)?;
        for (target, name) in mem::take(&mut self.targets).into_iter().zip(names) {
            let file = self.folder.join(name);
            if self.opt_out.has_host_of(&target) {
                table.rows.push(TargetRow::left_out(&target));
            } else if let Some(row) = self.done(&target, &file)? {
                table.rows.push(row);
            } else {
                waiting.push(Waiting { target, file });
            }
        }
        let asking = stream::iter(waiting).map(|one| resolved(one, plan.timeouts.connect));
        let mut waiting: Vec<Waiting> =
            asking.buffered(self.parallel).take_until(plan.interruption.happened()).collect().await;
        waiting.retain(|one| {
            let is_out = self.opt_out.has_address_of(&one.target);
            if is_out {
                table.rows.push(TargetRow::left_out(&one.target));
            }
            !is_out
        });
        plan.progress.set_length(waiting.len() as u64);
        let progress = plan.progress.clone();
        // With many sessions at once, some time always passes between a reply and the next act.
        let timeouts = Timeouts { settle: Duration::ZERO, ..plan.timeouts };
        let each = Plan { parallel: 1, timeouts, progress: ProgressBar::hidden(), ..plan };
        let groups = group_by_address(waiting, |target| !politeness(target, &each).between.is_zero());
        let parallel = self.parallel;
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(parallel);
        let groups = Mutex::new(groups.into_iter());
        let workers =
            Workers { survey: self, cases, plan: each, progress, groups, concluded: Mutex::default() };
        let workers = Arc::new(workers);
        let mut working = JoinSet::new();
        for thread in 0..threads {
            let (workers, share) = (Arc::clone(&workers), (parallel + thread) / threads);
            working.spawn_blocking(move || workers.work(share));
        }
        all(working).await?;
        for Concluded { row, stale, hints } in locked(&workers.concluded).drain(..) {
            table.rows.push(row);
            table.stale.extend(stale);
            table.hints.extend(hints);
        }
        table.sort();
        Ok(table)
    }

    /// Returns the row of a target that has complete records from an earlier run.
    fn done(&self, target: &Target, file: &Path) -> Result<Option<TargetRow>> {
        if !file.exists() {
            return Ok(None);
        }
        if !self.resume {
            bail!(
                "{}: the file exists; add --resume to continue the earlier run, or choose another folder",
                file.display()
            );
        }
        Ok(files::complete(target, file)
            .map(|records| TargetRow::of(target, TargetState::Kept, &records, self.fail_on)))
    }
}

/// The state that the threads of a survey share.
///
/// Each thread tests its targets, judges the outcomes and writes the records, so that no replies or records pass
/// between threads.
#[derive(Debug)]
struct Workers {
    survey: Survey,
    cases: Vec<Case>,
    plan: Plan,
    progress: ProgressBar,
    /// The groups that no thread has begun.
    groups: Mutex<IntoIter<Vec<Waiting>>>,
    concluded: Mutex<Vec<Concluded>>,
}

/// The results of a target after its run.
#[derive(Debug)]
struct Concluded {
    row: TargetRow,
    stale: Vec<String>,
    hints: Vec<String>,
}

impl Workers {
    /// Tests groups until none is left, `share` of them at once.
    fn work(self: Arc<Self>, share: usize) -> Result<()> {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let done = runtime.context("the runtime")?.block_on(async {
            let mut running = JoinSet::new();
            for _ in 0..share {
                running.spawn_local(Arc::clone(&self).run_groups());
            }
            tokio::select! {
                done = all(running) => done,
                () = self.plan.interruption.happened() => Ok(()),
            }
        });
        if done.is_err() {
            // If records cannot be written, the other threads need not continue.
            self.plan.interruption.interrupt(Status::Faulty.code());
        }
        done
    }

    async fn run_groups(self: Arc<Self>) -> Result<()> {
        while let Some(group) = self.next() {
            self.run_group(group).await?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Vec<Waiting>> {
        locked(&self.groups).next()
    }

    /// Tests targets one after the other, with a pause between them.
    async fn run_group(&self, group: Vec<Waiting>) -> Result<()> {
        for (index, waiting) in group.into_iter().enumerate() {
            if index > 0 {
                sleep(politeness(&waiting.target, &self.plan).between).await;
            }
            let unjudged = run::drive(&waiting.target, &self.cases, &self.plan).await?;
            // An interrupted run is incomplete.
            if self.plan.interruption.status().is_some() {
                break;
            }
            let concluded = self.conclude(&waiting, unjudged)?;
            locked(&self.concluded).push(concluded);
            self.progress.inc(1);
        }
        Ok(())
    }

    /// Judges a run, writes its records and returns the results.
    fn conclude(&self, waiting: &Waiting, unjudged: Unjudged) -> Result<Concluded> {
        let Survey { baseline, narrowed, fail_on, server_version, .. } = &self.survey;
        let target = &waiting.target;
        let outcome = run::conclude(unjudged, target, &self.cases, &self.plan)?;
        let hints = outcome.hints.iter().map(|hint| format!("{}: {hint}", target.name)).collect();
        let reviewed = match baseline {
            Some(baseline) => baseline.review(&target.name, Baseline::today(), *narrowed, outcome),
            None => outcome.without_baseline(),
        };
        let stale = reviewed.stale.clone();
        let records = record::records(&run::subject(target, server_version.as_deref()), reviewed);
        files::write(&records, &waiting.file)?;
        let row = TargetRow::of(target, TargetState::Run, &records, *fail_on);
        Ok(Concluded { row, stale, hints })
    }
}

/// Waits until all tasks have ended or one has failed.
async fn all(mut running: JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = running.join_next().await {
        done.context("a thread")??;
    }
    Ok(())
}

/// Locks a mutex even if a thread panicked while it held it. The data is still consistent, because every change is a
/// single step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn politeness(target: &Target, plan: &Plan) -> Politeness {
    plan.politeness.unwrap_or_else(|| Politeness::towards(target, plan.parallel))
}

/// Resolves the host name of a target. If that fails, the target gets an empty list, so that the name is not resolved
/// again.
async fn resolved(mut waiting: Waiting, timeouts: Duration) -> Waiting {
    let Address::Tcp(host, port) = &waiting.target.address else { return waiting };
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => match timeout(timeouts, lookup_host((host.as_str(), *port))).await {
            Ok(Ok(found)) => found.map(|place| place.ip()).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        },
    };
    waiting.target.addresses = Some(addresses);
    waiting
}
