//! Shares the keys that have yet to be visited among threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::leaves::{Leaf, WideList};
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

/// What a worker has to do next.
pub(super) enum Work<'a> {
    /// The keys that it was given.
    Keys,
    Leaf(Leaf<'a>),
    None,
}

/// Keys and leaves that busy threads give to idle ones.
pub(super) struct Pool<'a> {
    shared: Mutex<Shared<'a>>,
    wake: Condvar,
    idle: AtomicUsize,
    is_shared: bool,
}

struct Shared<'a> {
    keys: Vec<Pending>,
    /// Lists with leaves that nobody has taken, and the number of the first of these.
    lists: Vec<(Arc<WideList<'a>>, usize)>,
    workers: usize,
    idle: usize,
    done: bool,
}

impl<'a> Shared<'a> {
    fn next_leaf(&mut self) -> Option<Leaf<'a>> {
        let (list, next) = self.lists.last_mut()?;
        let leaf = WideList::leaf(list, *next);
        *next += 1;
        if *next >= list.len() {
            self.lists.pop();
        }
        Some(leaf)
    }
}

impl<'a> Pool<'a> {
    pub(super) fn new(keys: Vec<Pending>, workers: usize) -> Self {
        Self {
            is_shared: workers > 1,
            shared: Mutex::new(Shared {
                keys,
                lists: Vec::new(),
                workers,
                idle: 0,
                done: false,
            }),
            wake: Condvar::new(),
            idle: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<'a>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if there are several workers.
    pub(super) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Moves keys to an idle worker, or else gives it a leaf; waits for either.
    pub(super) fn take(&self, keys: &mut Vec<Pending>) -> Work<'a> {
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
                return Work::Keys;
            }
            if let Some(leaf) = shared.next_leaf() {
                shared.idle -= 1;
                self.idle.store(shared.idle, Ordering::Relaxed);
                return Work::Leaf(leaf);
            }
            if shared.done || shared.idle == shared.workers {
                shared.done = true;
                self.wake.notify_all();
                return Work::None;
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

    /// Leaves a list with at least one leaf to all workers.
    #[cold]
    pub(super) fn offer(&self, list: Arc<WideList<'a>>) {
        self.lock().lists.push((list, 0));
        self.wake.notify_all();
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
