use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use crate::device::{Device, Medium, range};
use crate::testing::Memory;
use crate::testing::recorder::Recorder;

/// A record in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("alone").clone()
    }

    fn of(bytes: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(bytes.to_vec())))
    }

    /// The record without seals.
    fn file(&self) -> RecordFile {
        RecordFile::new(Box::new(self.clone()), None)
    }
}

impl Storage for Kept {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.bytes();
        range(offset, buf.len(), bytes.len() as u64)?;
        buf.copy_from_slice(&bytes[offset as usize..][..buf.len()]);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut bytes = self.0.lock().expect("alone");
        let end = offset as usize + data.len();
        let len = bytes.len().max(end);
        bytes.resize(len, 0);
        bytes[offset as usize..end].copy_from_slice(data);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.lock().expect("alone").truncate(len as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A medium that counts the bytes that are written, and fails after a number of bytes.
#[derive(Debug)]
struct Failing {
    memory: Memory,
    room: Mutex<usize>,
}

impl Failing {
    fn new(bytes: Vec<u8>, room: usize) -> Self {
        Self {
            memory: Memory::new(bytes),
            room: Mutex::new(room),
        }
    }
}

impl Device for Failing {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.memory.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut room = self.room.lock().expect("alone");
        let fits = data.len().min(*room);
        *room -= fits;
        self.memory.write_all_at(&data[..fits], offset)?;
        if fits == data.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Failing {
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.memory.set_len(len)
    }
}

/// A medium with these bytes and an empty record.
fn begun(bytes: Vec<u8>) -> (Arc<Memory>, RecordedMedium, Kept) {
    let memory = Arc::new(Memory::new(bytes));
    let disk = RecordedMedium::new(memory.clone());
    let record = Kept::default();
    disk.begin(record.file()).expect("a record");
    (memory, disk, record)
}

fn content() -> Vec<u8> {
    (0..10_000u32).map(|n| (n * 7 % 251) as u8).collect()
}

/// Some writes with flushes between them: the same bytes change several times, and the end moves.
fn work(disk: &RecordedMedium) -> io::Result<()> {
    disk.write_all_at(&[1; 700], 300)?;
    disk.write_all_at(&[2; 5], 9_995)?;
    disk.sync()?;
    disk.write_all_at(&[3; 10], 600)?;
    disk.sync()?;
    disk.set_len(12_000)?;
    disk.write_all_at(&[4; 1_500], 9_900)?;
    disk.write_all_at(&[5; 10], 605)?;
    disk.sync()
}

fn worked() -> Vec<u8> {
    let mut bytes = content();
    bytes[300..1000].fill(1);
    bytes[600..610].fill(3);
    bytes.resize(12_000, 0);
    bytes[9_900..11_400].fill(4);
    bytes[605..615].fill(5);
    bytes
}

#[test]
fn nothing_can_be_written_without_a_record() {
    let memory = Arc::new(Memory::new(content()));
    let disk = RecordedMedium::new(memory.clone());
    let error = disk.write_all_at(&[0; 4], 8).expect_err("no record");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    disk.set_len(20_000).expect_err("no record");
    disk.sync().expect("nothing to do");
    assert_eq!(memory.bytes(), content());
}

#[test]
fn written_bytes_are_read_at_once_and_reach_the_medium_with_the_flush() {
    let (memory, disk, record) = begun(content());
    let begun = record.bytes();
    disk.write_all_at(&[1; 700], 300).expect("inside");
    let mut read = vec![0; 1000];
    disk.read_exact_at(&mut read, 100).expect("inside");
    assert_eq!(read[..200], content()[100..300]);
    assert_eq!(read[200..900], [1; 700]);
    assert_eq!(read[900..], content()[1000..1100]);
    assert_eq!(memory.bytes(), content());
    assert_eq!(record.bytes(), begun);
    disk.sync().expect("room");
    assert_eq!(memory.bytes()[300..1000], [1; 700]);
    assert!(record.bytes().len() > begun.len() + 1400);
}

#[test]
fn a_write_of_equal_bytes_is_neither_recorded_nor_made() {
    let memory = Arc::new(Failing::new(content(), 0));
    let disk = RecordedMedium::new(memory);
    let record = Kept::default();
    disk.begin(record.file()).expect("a record");
    let begun = record.bytes();
    disk.write_all_at(&content()[5..3000], 5).expect("the same");
    disk.sync().expect("nothing to do");
    assert_eq!(record.bytes(), begun);
}

#[test]
fn everything_is_restored_including_the_length() {
    let (memory, disk, record) = begun(content());
    work(&disk).expect("room");
    disk.end().expect("room");
    assert_eq!(memory.bytes(), worked());
    for progress in [Progress::Ended, Progress::Killed] {
        let state = disk.state_by(&record.file(), progress).expect("a record");
        assert_eq!(state, State::AsRecorded);
    }
    let restored = disk.restore(&record.file()).expect("a record");
    assert!(restored.bytes >= 2200);
    assert_eq!(memory.bytes(), content());
    assert_eq!(disk.len(), 10_000);
    let state = disk
        .state_by(&record.file(), Progress::Killed)
        .expect("a record");
    assert_eq!(state, State::AsRecorded);
}

/// If a process was killed while it restored single bytes, a record of NTFS was left with some of
/// its changes.
#[test]
fn sectors_are_restored_as_a_whole() {
    let medium = Arc::new(Recorder::new(content()));
    let disk = RecordedMedium::new(medium.clone());
    let record = Kept::default();
    disk.begin(record.file()).expect("a record");
    for offset in [1030, 1100, 1535, 1536, 3000, 9_990] {
        disk.write_all_at(&[0xFF; 3], offset).expect("inside");
    }
    disk.end().expect("room");
    let written = medium.steps().len();
    disk.restore(&record.file()).expect("a record");
    assert_eq!(
        medium.steps()[written..],
        ["write 2048 at 1024", "write 272 at 9728", "sync"]
    );
    assert_eq!(medium.bytes(), content());
}

#[test]
fn the_result_of_restoring_can_be_previewed() {
    let medium = Arc::new(Memory::new(content()));
    let disk = RecordedMedium::new(medium.clone());
    let record = Kept::default();
    disk.begin(record.file()).expect("begun");
    work(&disk).expect("worked");
    disk.end().expect("ended");
    let preview = disk.preview(&record.file()).expect("a sound record");
    let old = content();
    assert_eq!(preview.len(), old.len() as u64);
    for (at, len) in [(0, old.len()), (1, 700), (511, 2), (513, 1), (old.len(), 0)] {
        let mut found = vec![0xEE; len];
        preview.read_exact_at(&mut found, at as u64).expect("read");
        assert_eq!(found, old[at..at + len], "{len} bytes at {at}");
    }
    preview
        .read_exact_at(&mut [0], old.len() as u64)
        .expect_err("past the end");
    preview.write_all_at(&[1], 0).expect_err("only to be read");
    assert_eq!(medium.bytes(), worked());
}

#[test]
fn later_changes_are_noticed() {
    let (memory, disk, record) = begun(content());
    work(&disk).expect("room");
    disk.end().expect("room");
    for (offset, odd) in [(300, 9), (604, 9), (9_900, 9), (11_399, 9)] {
        let old = memory.bytes()[offset];
        memory.write_all_at(&[odd], offset as u64).expect("inside");
        for progress in [Progress::Ended, Progress::Killed] {
            let state = disk.state_by(&record.file(), progress).expect("a record");
            let offset = offset as u64;
            assert_eq!(state, State::ChangedSince { offset });
        }
        memory.write_all_at(&[old], offset as u64).expect("inside");
    }
    memory.write_all_at(&[9], 5_000).expect("inside");
    let state = disk
        .state_by(&record.file(), Progress::Ended)
        .expect("a record");
    assert_eq!(state, State::AsRecorded, "what the run left alone");
    memory.set_len(13_000).expect("room");
    let state = disk
        .state_by(&record.file(), Progress::Ended)
        .expect("a record");
    assert_eq!(state, State::ChangedSince { offset: 12_000 });
}

#[test]
fn wherever_the_medium_fails_everything_is_restored() {
    let mut tried = 0;
    for room in 0.. {
        let medium = Arc::new(Failing::new(content(), room));
        let disk = RecordedMedium::new(medium.clone());
        let record = Kept::default();
        disk.begin(record.file()).expect("a record");
        let done = work(&disk).is_ok();
        if !done {
            tried += 1;
            disk.sync().expect_err("nothing is known to be durable");
            disk.write_all_at(&[1], 0).expect_err("neither");
        }
        *medium.room.lock().expect("alone") = usize::MAX;
        let killed = RecordedMedium::new(medium.clone());
        let state = killed
            .state_by(&record.file(), Progress::Killed)
            .expect("whole");
        assert_eq!(state, State::AsRecorded, "{room}");
        killed.restore(&record.file()).expect("whole");
        assert_eq!(medium.memory.bytes(), content(), "{room}");
        if done {
            break;
        }
    }
    assert!(tried > 2000);
}

#[test]
fn a_record_that_ends_early_restores_everything_written_by_then() {
    let (_, disk, record) = begun(content());
    disk.write_all_at(&[1; 700], 300).expect("inside");
    disk.sync().expect("room");
    let first = record.bytes().len();
    disk.write_all_at(&[2; 700], 2_300).expect("inside");
    disk.sync().expect("room");
    let whole = record.bytes();
    let mut after_first = content();
    after_first[300..1000].fill(1);
    for len in (first..whole.len()).step_by(7) {
        let torn = Kept::of(&whole[..len]);
        let memory = Arc::new(Memory::new(after_first.clone()));
        let killed = RecordedMedium::new(memory.clone());
        let resumed = killed.resume(torn.file()).expect("a record");
        assert_eq!(resumed, State::AsRecorded);
        assert_eq!(torn.bytes().len(), first);
        killed.write_all_at(&[7; 9], 50).expect("inside");
        killed.end().expect("room");
        killed.restore(&torn.file()).expect("a record");
        assert_eq!(memory.bytes(), content());
    }
    for len in 0..24 {
        let error = disk.resume(Kept::of(&whole[..len]).file());
        assert!(matches!(error, Err(RecordError::Damaged { .. })));
    }
}

/// Once a run was completed although its last flush had reached only the record and not the medium.
/// Afterwards, its changes could not be distinguished from those of others.
#[test]
fn a_record_is_continued_if_the_last_flush_is_whole_or_missing() {
    let (memory, disk, record) = begun(content());
    disk.write_all_at(&[1; 700], 300).expect("inside");
    disk.sync().expect("room");
    let (first, before) = (record.bytes().len(), memory.bytes());
    disk.set_len(11_000).expect("room");
    disk.write_all_at(&[2; 700], 500).expect("inside");
    disk.sync().expect("room");
    let mut after = memory.bytes();
    let go_on = |medium: &[u8]| {
        let memory = Arc::new(Memory::new(medium.to_vec()));
        let killed = RecordedMedium::new(memory.clone());
        let record = Kept::of(&record.bytes());
        let state = killed.resume(record.file()).expect("a record");
        if state == State::AsRecorded {
            killed.write_all_at(&[7; 9], 50).expect("inside");
            killed.end().expect("room");
            let ended = killed
                .state_by(&record.file(), Progress::Ended)
                .expect("a record");
            assert_eq!(ended, State::AsRecorded);
        } else {
            killed.write_all_at(&[7; 9], 50).expect_err("not recorded");
        }
        killed.restore(&record.file()).expect("a record");
        assert_eq!(memory.bytes(), content());
        (state, record.bytes().len())
    };
    assert_eq!(go_on(&after).0, State::AsRecorded);
    let (state, len) = go_on(&before);
    assert_eq!(state, State::AsRecorded);
    assert!(len < record.bytes().len(), "the last flush was left out");
    assert!(len > first);
    let mut part = before.clone();
    part[1024..1100].copy_from_slice(&after[1024..1100]);
    let odd = State::ChangedSince { offset: 10_000 };
    assert_eq!(go_on(&part).0, odd, "all but a part is missing");
    let mut part = after.clone();
    part[1024..1536].copy_from_slice(&before[1024..1536]);
    let odd = State::ChangedSince { offset: 1024 };
    assert_eq!(go_on(&part).0, odd, "a part is missing");
    after.truncate(10_000);
    assert_eq!(go_on(&after).0, State::ChangedSince { offset: 10_000 });
}

#[test]
fn a_damaged_record_never_crashes_and_never_writes_past_the_end() {
    let (_, disk, record) = begun(content());
    work(&disk).expect("room");
    disk.end().expect("room");
    for at in 0..record.bytes().len() {
        let mut bytes = record.bytes();
        bytes[at] ^= 0x41;
        let damaged = Kept::of(&bytes);
        let _ = disk.state_by(&damaged.file(), Progress::Ended);
        let state = disk.state_by(&damaged.file(), Progress::Killed);
        assert!(at >= 24 || state.is_err());
    }
}

/// A changed bit in the middle of a record once counted as the end of it: later changes were not
/// undone, and the rest of the record was cut off.
#[test]
fn damage_is_distinguished_from_a_cut_off_end() {
    let (memory, disk, record) = begun(content());
    let mut ends = vec![record.bytes().len()];
    for number in 0..4 {
        disk.write_all_at(&[0xEE; 40], 600 * number)
            .expect("inside");
        disk.sync().expect("room");
        ends.push(record.bytes().len());
    }
    let left = memory.bytes();
    let whole = record.bytes();
    let last = ends[3];
    for at in ends[0]..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let damaged = Kept::of(&bytes);
        let killed = disk.state_by(&damaged.file(), Progress::Killed);
        let resumed = disk.resume(damaged.file());
        if at < last {
            assert!(matches!(killed, Err(RecordError::Damaged { .. })), "{at}");
            assert!(matches!(resumed, Err(RecordError::Damaged { .. })), "{at}");
            let restored = disk.restore(&damaged.file());
            assert!(matches!(restored, Err(RecordError::Damaged { .. })), "{at}");
            assert_eq!(memory.bytes(), left);
            assert_eq!(damaged.bytes(), bytes, "nothing is cut off");
        }
        let ended = disk.state_by(&Kept::of(&bytes).file(), Progress::Ended);
        assert!(matches!(ended, Err(RecordError::Damaged { .. })), "{at}");
    }
}

/// On a full disk, a rollback can't fill the holes that the repair could not fill.
#[test]
fn sectors_with_their_old_bytes_are_not_written() {
    let medium = Arc::new(Failing::new(content(), 600));
    let disk = RecordedMedium::new(medium.clone());
    let record = Kept::default();
    disk.begin(record.file()).expect("a record");
    disk.write_all_at(&[0xEE; 40], 0).expect("inside");
    disk.write_all_at(&[0xEE; 40], 8_000).expect("inside");
    disk.sync().expect_err("no room for the second");
    *medium.room.lock().expect("alone") = 512;
    disk.restore(&record.file()).expect("room for the first");
    assert_eq!(medium.memory.bytes(), content());
}

#[test]
fn many_changes_are_flushed_by_themselves() {
    let (memory, disk, record) = begun(vec![0; 5 << 20]);
    disk.write_all_at(&vec![1; 5 << 20], 0).expect("inside");
    assert!(memory.bytes().iter().filter(|byte| **byte == 1).count() >= 4 << 20);
    disk.end().expect("room");
    assert!(memory.bytes().iter().all(|byte| *byte == 1));
    disk.restore(&record.file()).expect("a record");
    assert!(memory.bytes().iter().all(|byte| *byte == 0));
}

/// Writes before a flush may reach the medium in any part and order.
#[test]
fn everything_is_restored_whatever_part_of_many_changes_survives_a_power_failure() {
    let half = 3 << 19;
    let old = vec![0; 2 * half];
    let (memory, disk, record) = begun(old.clone());
    disk.write_all_at(&vec![1; 2 * half], 0).expect("inside");
    let between = memory.bytes();
    disk.write_all_at(&vec![2; 2 * half], 0).expect("inside");
    let new = memory.bytes();
    assert!(
        [1, 2].iter().all(|byte| new.contains(byte)),
        "nothing was flushed"
    );
    let states = [&old, &between, &new];
    for first in states {
        for second in states {
            let survived = [&first[..half], &second[half..]].concat();
            let memory = Arc::new(Memory::new(survived));
            let killed = RecordedMedium::new(memory.clone());
            let state = killed
                .state_by(&record.file(), Progress::Killed)
                .expect("a record");
            assert_eq!(state, State::AsRecorded);
            killed.restore(&record.file()).expect("a record");
            assert!(memory.bytes() == old);
        }
    }
}

/// A record with frames that are sealed with a key.
fn sealed(record: Kept, key: u8) -> RecordFile {
    RecordFile::new(Box::new(record), Some([key; KEY_LEN]))
}

/// The medium after the work, and its sealed record.
fn sealed_work() -> (RecordedMedium, Vec<u8>) {
    let disk = RecordedMedium::new(Arc::new(Memory::new(content())));
    let record = Kept::default();
    disk.begin(sealed(record.clone(), 9)).expect("a record");
    work(&disk).expect("room");
    disk.end().expect("room");
    (disk, record.bytes())
}

/// The offset of each frame of a sealed record, and the end of the last one.
fn frames(record: &[u8]) -> Vec<usize> {
    let places = record.windows(4).enumerate();
    let starts = places.filter(|(_, bytes)| bytes == b"FLSH");
    starts
        .map(|(at, _)| at)
        .chain([record.len()])
        .collect::<Vec<_>>()
}

#[test]
fn a_sealed_record_is_restored_and_continued() {
    let (disk, record) = sealed_work();
    let file = sealed(Kept::of(&record), 9);
    let state = disk.state_by(&file, Progress::Ended).expect("sound");
    assert_eq!(state, State::AsRecorded);
    // Without the key the record can be read, but not continued.
    let unsealed = Kept::of(&record);
    let state = disk
        .state_by(&unsealed.file(), Progress::Ended)
        .expect("sound");
    assert_eq!(state, State::AsRecorded);
    assert!(disk.resume(unsealed.file()).is_err());

    let kept = Kept::of(&record);
    let resumed = disk.resume(sealed(kept.clone(), 9));
    assert_eq!(resumed.expect("sound"), State::AsRecorded);
    disk.write_all_at(&[8; 4], 20).expect("room");
    disk.end().expect("room");
    let file = sealed(kept, 9);
    disk.restore(&file).expect("sound");
    let mut bytes = vec![0; content().len()];
    assert_eq!(disk.len(), bytes.len() as u64);
    disk.read_exact_at(&mut bytes, 0).expect("readable");
    assert_eq!(bytes, content());
}

#[test]
fn no_frame_of_a_sealed_record_can_be_forged() {
    let (disk, record) = sealed_work();
    let state = |bytes: &[u8], key| {
        let file = sealed(Kept::of(bytes), key);
        disk.state_by(&file, Progress::Ended)
    };
    assert!(state(&record, 9).is_ok());
    assert!(state(&record, 8).is_err(), "another key");
    // Any changed byte is noticed.
    for at in (0..record.len()).step_by(7) {
        let mut changed = record.clone();
        changed[at] ^= 0x20;
        assert!(state(&changed, 9).is_err(), "byte {at}");
    }
    let at = frames(&record);
    assert_eq!(at.len(), 4, "three flushes");
    // Frames can't be left out, moved, or written anew with correct digests; the digests alone
    // would not prevent that.
    let part = |from: usize, to: usize| &record[at[from]..at[to]];
    let head = &record[..at[0]];
    for forged in [
        [head, part(1, 3)].concat(),
        [head, part(0, 1), part(2, 3)].concat(),
        [head, part(0, 2)].concat(),
        [head, part(1, 2), part(0, 1), part(2, 3)].concat(),
    ] {
        assert!(!matches!(state(&forged, 9), Ok(State::AsRecorded)));
    }
    // A record without seals does not count as one with seals.
    let plain = RecordedMedium::new(Arc::new(Memory::new(content())));
    let unsealed = Kept::default();
    plain.begin(unsealed.file()).expect("a record");
    work(&plain).expect("room");
    plain.end().expect("room");
    assert!(state(&unsealed.bytes(), 9).is_err());
}

/// Bytes that somebody gives up belong to the record, although they don't change.
#[test]
fn kept_bytes_are_compared_and_restored() {
    let memory = Arc::new(Memory::new(content()));
    let disk = RecordedMedium::new(memory.clone());
    assert!(disk.keep(0, 4).is_err(), "without a record");
    let record = Kept::default();
    disk.begin(record.file()).expect("a record");
    disk.keep(700, 900).expect("inside");
    assert!(disk.keep(content().len() as u64 - 1, 2).is_err());
    disk.write_all_at(&[7; 3], 800).expect("room");
    disk.end().expect("room");
    let state = |progress| disk.state_by(&record.file(), progress).expect("sound");
    for progress in [Progress::Ended, Progress::Killed] {
        assert_eq!(state(progress), State::AsRecorded);
    }
    for at in [512, 1599, 2047] {
        let mut byte = [0];
        memory.read_exact_at(&mut byte, at).expect("readable");
        memory.write_all_at(&[!byte[0]], at).expect("room");
        let changed = State::ChangedSince { offset: at };
        assert_eq!(state(Progress::Ended), changed);
        assert_eq!(state(Progress::Killed), changed);
        memory.write_all_at(&byte, at).expect("room");
    }
    disk.restore(&record.file()).expect("sound");
    let mut bytes = vec![0; content().len()];
    disk.read_exact_at(&mut bytes, 0).expect("readable");
    assert_eq!(bytes, content());
}
