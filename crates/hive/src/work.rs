//! Counts steps in tests, to measure the cost of an operation without measuring time.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one step: reading a cell, a name or an element of a list.
pub(crate) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// The number of steps of this thread while `work` runs.
pub(crate) fn steps_of(work: impl FnOnce()) -> usize {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}
