//! Sharing the keys that are still to be visited among threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::offset::CellOffset;

/// A key whose subkeys and values are still to be checked.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) key: CellOffset,
    /// Levels below the root.
    pub(super) depth: u32,
    /// The number of subkeys that were passed on already; 0 if the key itself is to be checked.
    pub(super) passed: u32,
}

/// Keys that busy threads leave to idle ones.
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

    /// Moves keys to an idle worker; waits for some, and returns false once all are visited.
    pub(super) fn take(&self, keys: &mut Vec<Pending>) -> bool {
        let mut shared = self.lock();
        shared.idle += 1;
        self.idle.store(shared.idle, Ordering::Relaxed);
        loop {
            if !shared.keys.is_empty() {
                // Half for the others that may be waiting too.
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

    /// Gives the older half of a worker's keys away if another worker waits for some.
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

    /// Takes note that a worker could not be started. The caller is a worker too, so that the
    /// others still have somebody to wait for.
    pub(super) fn retire_one(&self) {
        self.lock().workers -= 1;
    }

    /// Ends the others' wait when a worker ends by a panic.
    pub(super) fn abandon(&self) {
        self.lock().done = true;
        self.wake.notify_all();
    }
}
