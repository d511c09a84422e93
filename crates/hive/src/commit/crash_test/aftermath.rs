//! The logs that a commit leaves must not apply when the hive is written again.

use diskmend_base::bytes;

use crate::commit::crash_test::disk::Disk;
use crate::commit::crash_test::material::{Base, new_log, old_log, page};
use crate::commit::crash_test::session::{Outcome, State, state};
use crate::commit::crash_test::{LOG, LOG1, LOG2, PRIMARY};
use crate::format::BaseBlock;
use crate::offset::{BASE_BLOCK_LEN, PAGE_LEN};

/// The seed of the next writer's page.
const NEXT_SEED: u8 = 0x44;

/// Makes the hive dirty in the ways in which Windows does at its next write. Only the logs of that
/// write may apply, whatever other logs there are.
pub(super) fn left_over_logs_are_refused(outcome: &Outcome) {
    let done = &outcome.disk;
    let file = done.primary();
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let time = u64::from_le_bytes(file[12..20].try_into().expect("eight bytes"));
    let sequence = number(4);
    let next = Base {
        minor: number(24),
        primary: sequence,
        secondary: sequence,
        time,
        pages: number(40) as usize / PAGE_LEN,
    };

    // The base block is dirty, and no log was written.
    let dirty = with_base(done, sequence + 1, sequence, time);
    assert!(state(&dirty) == State::Refused, "a left-over log applies");

    // Some pages are also in place.
    let expected = with_pages(&outcome.new, &[0, 1]);
    let with_log = |time| {
        let mut disk = with_base(done, sequence + 1, sequence, time);
        let file = disk.file_mut(PRIMARY).as_mut().expect("there");
        let at = BASE_BLOCK_LEN + PAGE_LEN;
        file[at..at + 1024].copy_from_slice(&page(1, NEXT_SEED, 0)[..1024]);
        disk
    };
    for log in [LOG1, LOG2] {
        let new = new_log(next, &[(&[0, 1], NEXT_SEED)]);
        let disk = with_log(time).with(log, new);
        assert!(state(&disk) == expected, "not the next writer's entries");
    }
    // Windows 8 and earlier always write the first log, with a new time.
    let later = Base {
        time: time + 1_000_000,
        ..next
    };
    let old = old_log(later, &[0, 1], NEXT_SEED);
    let pair = [LOG1, LOG2]
        .iter()
        .any(|log| done.file(*log).is_some_and(|bytes| !bytes.is_empty()));
    let log = if pair { LOG1 } else { LOG };
    let mut disk = with_log(later.time).with(log, old);
    // If there is also a log in the new format, Windows itself has written it.
    if disk.file(LOG2).is_some_and(|log| log.get(28) == Some(&6)) {
        *disk.file_mut(LOG2) = None;
    }
    assert!(state(&disk) == expected, "not the next writer's sectors");
}

fn with_base(disk: &Disk, primary: u32, secondary: u32, time: u64) -> Disk {
    let mut file = disk.primary();
    let base = bytes::view_mut::<BaseBlock>(&mut file, 0).expect("4096 bytes");
    base.primary_sequence = primary.into();
    base.secondary_sequence = secondary.into();
    base.last_written = time.into();
    base.seal();
    disk.clone().with(PRIMARY, file)
}

fn with_pages(state: &State, pages: &[usize]) -> State {
    let mut state = state.clone();
    if let State::Hive { bins, .. } = &mut state {
        for &index in pages {
            let at = index * PAGE_LEN;
            bins[at..at + PAGE_LEN].copy_from_slice(&page(index, NEXT_SEED, 0));
        }
    }
    state
}
