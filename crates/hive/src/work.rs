//! Counts work in tests, to show what an operation costs without measuring time.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one step: a cell, a name or an element of a list that is read.
pub(crate) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// The number of steps of this thread while `work` runs.
pub(crate) fn steps_of(work: impl FnOnce()) -> usize {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}
