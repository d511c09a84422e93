//! The record of a run's changes to a disk. Any content must be read without harm, and a sound
//! record must restore everything.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use diskmend_hive::Storage;
use diskmend_image::device::{Device, Medium, range};
use diskmend_image::recorded::{Progress, RecordFile, RecordedMedium, State};
use xxhash_rust::xxh3::xxh3_64;

use super::bytes::{number, put64};
use super::input::{Base, Input, Script};
use super::sparse::Sparse;

/// The length of the medium; its last sector is incomplete.
const LEN: u64 = 10_000;
/// The maximum number of steps of a run.
const MAX_STEPS: usize = 24;
const HEADER_LEN: usize = 24;
const FRAME_LEN: usize = 40;

/// A record in memory. Clones share it.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(bytes)))
    }

    /// The record without seals.
    fn file(&self) -> RecordFile {
        RecordFile::new(Box::new(self.clone()), None)
    }

    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for Kept {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.content();
        range(offset, buf.len(), content.len() as u64)?;
        let found = content.get(offset as usize..offset as usize + buf.len());
        buf.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.content();
        let end = offset as usize + data.len();
        let len = content.len().max(end);
        content.resize(len, 0);
        content.splice(offset as usize..end, data.iter().copied());
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.content().truncate(len as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn original() -> Arc<[u8]> {
    (0..LEN).map(|at| (at * 7 % 251) as u8).collect()
}

/// Reads, continues and restores a record; then makes a record of its own and restores it.
///
/// # Panics
/// If restoring a second time has another result, or a sound record does not restore everything.
pub fn record(data: &[u8]) {
    let Some(mut input) = Input::parse(data, bases()) else {
        return;
    };
    let file = input.medium(seal);
    let record = file.bytes(0, input.base.bytes.len());
    let cut = (input.script.below(8 * input.base.len) as usize).min(record.len());
    hostile(record.get(..cut).unwrap_or_default().to_vec());
    sound(&mut input.script);
}

/// Whatever the record contains, restoring must end, and must do the same a second time.
fn hostile(record: Vec<u8>) {
    let medium = Arc::new(Sparse::new(&original(), LEN));
    let disk = RecordedMedium::new(medium.clone());
    for progress in [Progress::Ended, Progress::Killed] {
        let state = disk.state_by(&Kept::of(record.clone()).file(), progress);
        std::hint::black_box(state.map_err(|error| error.to_string()).is_ok());
    }
    let continued = Arc::new(medium.fork());
    let killed = RecordedMedium::new(continued.clone());
    let kept = Kept::of(record.clone());
    if let Ok(State::AsRecorded) = killed.resume(kept.file()) {
        assert!(killed.write_all_at(&[0xEE; 700], 100).is_ok(), "written");
        assert!(killed.end().is_ok(), "flushed");
        let ended = killed.state_by(&kept.file(), Progress::Ended);
        assert!(matches!(ended, Ok(State::AsRecorded)), "{ended:?}");
    }
    let kept = Kept::of(record);
    if disk.restore(&kept.file()).is_ok() {
        let once = medium.bytes(0, 2 * LEN as usize);
        let again = disk.restore(&kept.file());
        assert!(again.is_ok(), "restored once more: {again:?}");
        assert!(
            medium.bytes(0, 2 * LEN as usize) == once,
            "restored once more"
        );
    }
}

/// Makes a run as the input says, and restores the medium.
fn sound(script: &mut Script<'_>) {
    let medium = Arc::new(Sparse::new(&original(), LEN));
    let disk = RecordedMedium::new(medium.clone());
    let kept = Kept::default();
    assert!(disk.begin(kept.file()).is_ok(), "begun");
    for _ in 0..MAX_STEPS {
        if script.is_at_end() {
            break;
        }
        let (step, offset) = (script.byte(), script.below(disk.len()));
        match step % 8 {
            0 => assert!(disk.sync().is_ok(), "flushed"),
            1 => {
                let len = disk.len() + u64::from(script.number() % 3000);
                assert!(disk.set_len(len).is_ok(), "lengthened");
            }
            _ => {
                let data = script.content();
                let fits = data.len() as u64 <= disk.len() - offset;
                assert_eq!(disk.write_all_at(&data, offset).is_ok(), fits, "written");
                if fits {
                    let mut found = vec![0; data.len()];
                    assert!(disk.read_exact_at(&mut found, offset).is_ok(), "read");
                    assert!(found == data, "read back");
                }
            }
        }
    }
    assert!(disk.end().is_ok(), "flushed");
    for progress in [Progress::Ended, Progress::Killed] {
        let state = disk.state_by(&kept.file(), progress);
        assert!(matches!(state, Ok(State::AsRecorded)), "{state:?}");
    }
    let restored = disk.restore(&kept.file());
    assert!(restored.is_ok(), "{restored:?}");
    assert_eq!(Device::len(&*medium), LEN);
    assert!(medium.bytes(0, LEN as usize) == *original(), "given back");
}

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| vec![made()])
}

/// The record of a run that has not written to the medium yet, so that it can be continued too.
fn made() -> Base {
    let disk = RecordedMedium::new(Arc::new(Sparse::new(&original(), LEN)));
    let kept = Kept::default();
    let work = || -> io::Result<()> {
        disk.begin(kept.file())?;
        disk.write_all_at(&[1; 700], 300)?;
        disk.write_all_at(&[2; 5], LEN - 5)?;
        disk.sync()?;
        disk.write_all_at(&[3; 10], 600)?;
        disk.set_len(LEN + 2000)?;
        disk.end()
    };
    assert!(work().is_ok(), "a run");
    let bytes = kept.content().clone();
    let regions = vec![
        0..HEADER_LEN + FRAME_LEN + 30,
        bytes.len() - 80..bytes.len(),
    ];
    let mut base = Base::new(bytes, regions);
    base.regions.push(
        frames(&base.bytes)
            .last()
            .map_or(0..1, |at| *at..*at + FRAME_LEN),
    );
    base
}

/// The offsets of the frames of a record.
fn frames(record: &[u8]) -> Vec<usize> {
    let mut frames = Vec::new();
    let mut at = HEADER_LEN;
    while at + FRAME_LEN <= record.len() && frames.len() < 64 {
        frames.push(at);
        at += FRAME_LEN + number(record, at + 4, 4) as usize;
    }
    frames
}

/// Corrects the digests.
fn seal(file: &Sparse) {
    let mut record = file.bytes(0, file.len() as usize);
    let digest = |record: &[u8], at: usize, len: usize| {
        xxh3_64(record.get(at..at + len).unwrap_or_default())
    };
    put64(&mut record, HEADER_LEN - 8, 0);
    let sum = digest(&record, 0, HEADER_LEN);
    put64(&mut record, HEADER_LEN - 8, sum);
    for at in frames(&record) {
        let len = number(&record, at + 4, 4) as usize;
        let payload = at + FRAME_LEN;
        let sum = digest(&record, payload, len.min(record.len() - payload));
        put64(&mut record, at + 24, sum);
        put64(&mut record, at + 32, at as u64);
        let sum = digest(&record, at, FRAME_LEN);
        put64(&mut record, at + 32, sum);
    }
    file.patch(0, &record);
}
