//! Ctrl-C and termination: at once while nothing is written, at the next safe point afterwards.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::exit::Exit;
use crate::output::console;

/// Nothing is being written: the process may end at any moment.
const IDLE: u8 = 0;
/// Something is being written: the process must reach a safe point by itself.
const WRITING: u8 = 1;
/// The signal came first: the process is ending.
const ENDING: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(IDLE);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Starts to listen for Ctrl-C and termination.
pub(crate) fn listen() {
    let handler = || {
        REQUESTED.store(true, Ordering::SeqCst);
        let idle = STATE.compare_exchange(IDLE, ENDING, Ordering::SeqCst, Ordering::SeqCst);
        if idle.is_ok() {
            end();
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::warn!(%error, "signals are not listened for");
    }
}

#[expect(
    clippy::exit,
    reason = "the main thread may be waiting for an answer or a disk"
)]
fn end() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// Whether someone asked the program to stop: the flag that is looked at before each step.
pub(crate) fn flag() -> &'static AtomicBool {
    &REQUESTED
}

/// Says so where someone asked the program to stop and it was done nevertheless.
pub(crate) fn tell_if_too_late() {
    if REQUESTED.load(Ordering::SeqCst) {
        console::note("the interrupt came while it was being written: it was finished");
    }
}

/// Runs what writes: a signal no longer ends the process, only sets [`flag`].
pub(crate) fn while_writing<T>(work: impl FnOnce() -> T) -> T {
    let idle = STATE.compare_exchange(IDLE, WRITING, Ordering::SeqCst, Ordering::SeqCst);
    if idle == Err(ENDING) {
        end();
    }
    let result = work();
    STATE.store(IDLE, Ordering::SeqCst);
    result
}
