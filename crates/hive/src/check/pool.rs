//! Shares the keys that have yet to be visited among threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::offset::CellOffset;

/// A key with subkeys and values that have yet to be checked.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) key: CellOffset,
    /// Its depth below the root.
    pub(super) depth: u32,
    /// The number of its subkeys that were already queued; 0 if the key itself has to be checked.
    pub(super) passed: u32,
}

/// Keys that busy threads give to idle ones.
pub(super) struct Pool {
    shared: Mutex<Shared>,
    wake: Condvar,
    idle: AtomicUsize,
}

struct Shared {
    keys: Vec<Pending>,
    workers: usize,
    idle: usize,
    done: bool,
}

impl Pool {
    pub(super) fn new(keys: Vec<Pending>, workers: usize) -> Self {
        Self {
            shared: Mutex::new(Shared {
                keys,
                workers,
                idle: 0,
                done: false,
            }),
            wake: Condvar::new(),
            idle: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves keys to an idle worker; waits for some, and returns false when all are visited.
    pub(super) fn take(&self, keys: &mut Vec<Pending>) -> bool {
        let mut shared = self.lock();
        shared.idle += 1;
        self.idle.store(shared.idle, Ordering::Relaxed);
        loop {
            if !shared.keys.is_empty() {
                // Half of them stay for other workers that may be waiting too.
                let rest = shared.keys.len() / 2;
                keys.extend(shared.keys.drain(rest..));
                shared.idle -= 1;
                self.idle.store(shared.idle, Ordering::Relaxed);
                return true;
            }
            if shared.done || shared.idle == shared.workers {
                shared.done = true;
                self.wake.notify_all();
                return false;
            }
            shared = self
                .wake
                .wait(shared)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the older half of a worker's keys away, if another worker is waiting.
    #[inline]
    pub(super) fn share(&self, keys: &mut Vec<Pending>) {
        if self.idle.load(Ordering::Relaxed) > 0 && keys.len() > 1 {
            self.give(keys);
        }
    }

    #[cold]
    fn give(&self, keys: &mut Vec<Pending>) {
        let half = keys.len() / 2;
        self.lock().keys.extend(keys.drain(..half));
        self.wake.notify_one();
    }

    /// Records that a worker could not be started. The caller is a worker too, so the others do not
    /// wait in vain.
    pub(super) fn retire_one(&self) {
        self.lock().workers -= 1;
    }

    /// Ends the others' wait if a worker panics.
    pub(super) fn abandon(&self) {
        self.lock().done = true;
        self.wake.notify_all();
    }
}
