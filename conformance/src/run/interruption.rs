//! Ends a run early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, process, thread};

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Whether a run is to end early. All clones share one state.
///
/// ```
/// use smtp_conformance::run::Interruption;
///
/// let interruption = Interruption::default();
/// let other = interruption.clone();
/// assert_eq!(other.status(), None);
/// interruption.interrupt(130);
/// assert_eq!(other.status(), Some(130));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interruption {
    status: Arc<watch::Sender<Option<u8>>>,
    /// Whether a signal ends the process rather than the run.
    is_over: Arc<AtomicBool>,
}

impl Interruption {
    /// Interrupts the run at the first SIGINT or SIGTERM that this process gets. The next one ends the process at once.
    ///
    /// A separate thread handles the signals, so that they take effect even if all other threads are busy.
    ///
    /// # Errors
    ///
    /// Returns an error if no signal handler or thread can be set up.
    pub fn heed_signals(&self) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            // The exit status that shells report for a process ended by a signal.
            let status = u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX);
            let signal = {
                let _guard = runtime.enter();
                signal(kind)?
            };
            runtime.spawn(self.clone().heed(signal, status));
        }
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(())
    }

    /// Records that the run is over. From now on, a signal ends the process at once.
    pub fn run_is_over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Interrupts the run. `status` is the exit status that the process should end with.
    pub fn interrupt(&self, status: u8) {
        self.status.send_replace(Some(status));
    }

    /// Returns the exit status that the process should end with, if the run was interrupted.
    #[must_use]
    pub fn status(&self) -> Option<u8> {
        *self.status.borrow()
    }

    /// Waits for an interruption.
    pub async fn happened(&self) {
        // This fails only if the sender is dropped, and `self` holds it.
        let _ = self.status.subscribe().wait_for(Option::is_some).await;
    }

    async fn heed(self, mut signal: Signal, status: u8) {
        while signal.recv().await.is_some() {
            if self.status().is_some() || self.is_over.load(Ordering::Relaxed) {
                process::exit(status.into());
            }
            self.interrupt(status);
        }
    }
}
