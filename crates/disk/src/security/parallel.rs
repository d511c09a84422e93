//! Makes one small call for many objects, several at a time. Most of the time of each call is spent
//! waiting for the driver, which with FUSE is a process of its own.

use std::thread;

/// The number of calls at a time.
const WORKERS: usize = 8;

/// The results of `work` on each item, in the items' order. `state` is created once for each run of
/// adjacent items that are processed one after the other.
pub(super) fn map<T: Sync, S, R: Send>(
    items: &[T],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let run = |items: &[T]| -> Vec<R> {
        let mut state = state();
        items.iter().map(|item| work(&mut state, item)).collect()
    };
    if items.len() < WORKERS {
        return run(items);
    }
    let run = &run;
    thread::scope(|scope| {
        let handles: Vec<_> = items
            .chunks(items.len().div_ceil(WORKERS))
            .map(|items| scope.spawn(move || run(items)))
            .collect();
        let joined = handles.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .flat_map(|results| results.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for count in [0, 1, 7, 8, 9, 1000] {
            let items: Vec<u32> = (0..count).collect();
            let doubled = map(&items, || 2, |factor, item| item * *factor);
            assert!(doubled.iter().copied().eq((0..count).map(|item| item * 2)));
        }
    }
}
