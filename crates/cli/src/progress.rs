//! A sign of life while something takes long, on a terminal only.

use std::time::Duration;

use diskmend_repair::{Phase, Progress, Watch};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;
use crate::output::escape::Escaped;

const TICK: Duration = Duration::from_millis(120);

/// A line on stderr that turns until it is dropped.
pub(crate) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// Starts it; where stderr is no terminal nothing is shown.
    pub(crate) fn start(what: &str) -> Self {
        let bar = ProgressBar::new_spinner();
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

/// The engine's steps, shown one after the other.
pub(crate) struct Steps {
    spinner: Spinner,
}

impl Steps {
    /// Starts to show them.
    pub(crate) fn start() -> Self {
        Self {
            spinner: Spinner::start("starting"),
        }
    }

    /// What the engine reports to, and asks whether it shall stop.
    pub(crate) fn watch(&mut self) -> Watch<'_> {
        Watch::new(self, interrupt::flag())
    }
}

impl Progress for Steps {
    fn phase(&mut self, phase: Phase, subject: &str) {
        let message = format!("{phase} {}", Escaped(subject));
        self.spinner.bar.set_message(message);
    }
}
