//! Ctrl-C and termination signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};

/// Whether a signal has asked this process to end. Everything that waits checks it often, so that servers are stopped
/// and removed before the process ends.
#[derive(Clone, Debug, Default)]
pub struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Installs a handler for SIGINT, SIGTERM and SIGHUP. Works only once in a process.
    pub fn listen() -> Result<Interruption> {
        let interruption = Interruption::default();
        let heard = interruption.clone();
        ctrlc::set_handler(move || heard.0.store(true, Ordering::Relaxed))
            .context("cannot install a signal handler")?;
        Ok(interruption)
    }

    /// Returns whether a signal has arrived.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails if a signal has arrived.
    pub fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }
}
