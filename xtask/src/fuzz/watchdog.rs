//! Ends the process where an input takes too long or too much memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Target;

/// Longest time for one input: far more than the slowest needs in a debug build.
const MAX_TIME: Duration = Duration::from_secs(20);
/// Most memory in bytes: inputs are at most 2 MiB.
const MAX_MEMORY: u64 = 2 << 30;

/// The input at work.
pub(super) struct Current {
    pub(super) target: Target,
    pub(super) input: Vec<u8>,
    pub(super) since: Instant,
}

/// The input at work, shared with the thread that watches it.
pub(super) type Shared = Arc<Mutex<Option<Current>>>;

/// Starts to watch; failing inputs go to `folder`.
pub(super) fn start(folder: PathBuf) -> Shared {
    let shared = Shared::default();
    let watched = Arc::clone(&shared);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let Ok(current) = watched.lock() else {
                return;
            };
            let Some(current) = current.as_ref() else {
                continue;
            };
            let what = if current.since.elapsed() > MAX_TIME {
                "hang"
            } else if resident_memory() > MAX_MEMORY {
                "memory"
            } else {
                continue;
            };
            let path = folder.join(format!("{}-{what}", current.target.name()));
            let saved = std::fs::write(&path, &current.input);
            println!("FAILED {what}: {} ({saved:?})", path.display());
            #[expect(
                clippy::exit,
                reason = "the thread that hangs can't be ended otherwise"
            )]
            std::process::exit(1);
        }
    });
    shared
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
fn resident_memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}
