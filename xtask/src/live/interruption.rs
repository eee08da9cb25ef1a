//! Ctrl-C, and being told to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};

/// Whether somebody wants this process to end; what waits asks it often, so that everything is taken down in order.
#[derive(Clone, Debug, Default)]
pub struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Listens to SIGINT, SIGTERM and SIGHUP. Once in a process.
    pub fn listen() -> Result<Interruption> {
        let interruption = Interruption::default();
        let heard = interruption.clone();
        ctrlc::set_handler(move || heard.0.store(true, Ordering::Relaxed))
            .context("signals cannot be heard")?;
        Ok(interruption)
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails once it came.
    pub fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }
}
