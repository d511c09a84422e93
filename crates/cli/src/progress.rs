//! Progress display for work that takes long, on a terminal only.

use std::time::{Duration, Instant};

use diskmend_base::escape::Visible;
use diskmend_repair::{Phase, Progress, Watch};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;

const TICK: Duration = Duration::from_millis(120);

/// A spinner on stderr that turns until it is dropped.
pub(crate) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// Starts the spinner; if stderr is not a terminal, nothing is shown.
    pub(crate) fn start(what: &str) -> Self {
        // The log would be written over it.
        let bar = if tracing::enabled!(tracing::Level::INFO) {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self { bar }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the engine's steps, one after the other.
pub(crate) struct Steps {
    spinner: Spinner,
    /// The current step, and when it began.
    message: String,
    since: Instant,
}

impl Steps {
    /// Starts the display.
    pub(crate) fn start() -> Self {
        Self {
            spinner: Spinner::start("starting"),
            message: String::new(),
            since: Instant::now(),
        }
    }

    /// Shows the steps of work that writes. An interrupt stops such work only between two writes.
    pub(crate) fn while_writing<T, E>(
        work: impl FnOnce(&mut Watch<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut steps = Self::start();
        let result = interrupt::while_writing(|| work(&mut steps.watch()));
        drop(steps);
        if result.is_ok() {
            interrupt::tell_if_too_late();
        }
        result
    }

    /// The engine reports its steps to this, and asks it whether to stop.
    pub(crate) fn watch(&mut self) -> Watch<'_> {
        Watch::new(self, interrupt::flag())
    }
}

impl Steps {
    /// Logs the step that ends, with the time that it took.
    fn log(&mut self) {
        let message = std::mem::take(&mut self.message);
        if !message.is_empty() {
            let millis = self.since.elapsed().as_millis();
            tracing::info!("{message}: {millis} ms");
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.log();
    }
}

impl Progress for Steps {
    fn phase(&mut self, phase: Phase, subject: &str) {
        self.log();
        let message = format!("{phase} {}", Visible(subject));
        tracing::debug!("{message} ...");
        self.spinner.bar.set_message(message.clone());
        self.message = message;
        self.since = Instant::now();
    }

    fn count(&mut self, done: u64) {
        let seconds = self.since.elapsed().as_secs_f64();
        // Right after the start, a rate would be meaningless.
        let rate = if seconds > 0.5 {
            format!(", {} a second", (done as f64 / seconds) as u64)
        } else {
            String::new()
        };
        let message = format!("{}: {done}{rate}", self.message);
        self.spinner.bar.set_message(message);
    }
}
