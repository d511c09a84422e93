//! Ctrl-C and termination: the program ends at once while it writes nothing, and at the next
//! safe point while it writes.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::exit::Exit;
use crate::output::console;

/// Nothing is being written: the process may end at any moment.
const IDLE: u8 = 0;
/// Something is being written: the process must reach a safe point by itself.
const WRITING: u8 = 1;
/// The signal came before the writing began: the process is ending.
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
        tracing::warn!(%error, "can't listen for signals");
    }
}

#[expect(
    clippy::exit,
    reason = "the main thread may be waiting for an answer or a disk"
)]
fn end() -> ! {
    std::process::exit(Exit::Interrupted.code().into())
}

/// The flag that is set if the user asked the program to stop. The engine checks it before each
/// step.
pub(crate) fn flag() -> &'static AtomicBool {
    &REQUESTED
}

/// Prints a note if the user asked the program to stop, but the work was finished nevertheless.
pub(crate) fn tell_if_too_late() {
    if REQUESTED.load(Ordering::SeqCst) {
        console::note("the interrupt came while diskmend was writing: it finished the run");
    }
}

/// Runs work that writes: during it, a signal does not end the process, but only sets [`flag`].
pub(crate) fn while_writing<T>(work: impl FnOnce() -> T) -> T {
    let idle = STATE.compare_exchange(IDLE, WRITING, Ordering::SeqCst, Ordering::SeqCst);
    if idle == Err(ENDING) {
        end();
    }
    let result = work();
    STATE.store(IDLE, Ordering::SeqCst);
    result
}
