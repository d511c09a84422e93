//! Making and changing run files in tests.

use super::*;
use diskmend_disk::testing::{Fault, FaultyDisk};

/// The frames of a run file in memory.
fn frames(bytes: &[u8]) -> Frames {
    Frames::of(&bytes.to_vec(), MAX_FRAMES).expect("a run file")
}

fn part(bytes: &[u8], kind: Kind, number: u32) -> Option<Vec<u8>> {
    let frames = frames(bytes);
    let frame = frames.part(kind, number)?;
    let part = Part::of_frame(Box::new(bytes.to_vec()), frame);
    let mut body = vec![0; part.len() as usize];
    part.read_exact_at(&mut body, 0).expect("in memory");
    Some(body)
}

/// The last journal of a run file.
pub(crate) fn journal_of(bytes: &[u8]) -> Vec<u8> {
    let file = bytes.to_vec();
    let journal = frames(bytes).read_journal(&file);
    journal.expect("in memory").expect("a journal")
}

/// The undo data of a run file, by kind and number.
pub(crate) fn parts_of(bytes: &[u8]) -> Vec<(Kind, u32, Vec<u8>)> {
    let kinds = [Kind::Undo, Kind::Changes].into_iter();
    let all = kinds.flat_map(|kind| (1..20).map(move |number| (kind, number)));
    let there = all.filter_map(|(kind, number)| Some((kind, number, part(bytes, kind, number)?)));
    there.collect()
}

/// A run file with the undo data of another, and these journals.
fn with_journals(bytes: &[u8], journals: &[&[u8]]) -> Vec<u8> {
    let disk = FaultyDisk::new();
    let file = disk.root().create("file").expect("writable");
    let mut append = Append::at(file, 0).expect("writable");
    for (kind, number, body) in parts_of(bytes) {
        let frame = append.frame(kind, number, |write| write(&body));
        frame.expect("writable");
    }
    for (number, journal) in (1..).zip(journals) {
        let frame = append.frame(Kind::Journal, number, |write| write(journal));
        frame.expect("writable");
    }
    append.flush().expect("writable");
    disk.files().remove("file").expect("there")
}

/// A run file with the undo data of another and one journal, as anybody can write it.
pub(crate) fn with_journal(bytes: &[u8], journal: &[u8]) -> Vec<u8> {
    with_journals(bytes, &[journal])
}

/// A run file without frames.
pub(crate) fn empty() -> Vec<u8> {
    format::HEADER.to_vec()
}

/// A run file with a bit of the first undo data changed.
pub(crate) fn with_damaged_undo(bytes: &[u8]) -> Vec<u8> {
    let frames = frames(bytes);
    let end = frames.part(Kind::Undo, 1).expect("undo data").end();
    let mut damaged = bytes.to_vec();
    damaged[end as usize - 1] ^= 1;
    damaged
}

/// A run file with undo data of two kinds and two journals.
fn sample() -> Vec<u8> {
    let disk = FaultyDisk::new();
    let file = disk.root().create("file").expect("writable");
    let mut append = Append::at(file, 0).expect("writable");
    let body = [b'u'; 3000];
    let undo = append.frame(Kind::Undo, 1, |write| body.chunks(700).try_for_each(write));
    undo.expect("writable");
    let changes = append.frame(Kind::Changes, 1, |write| write(b"{}\n"));
    changes.expect("writable");
    append.flush().expect("writable");
    let parts = disk.files().remove("file").expect("there");
    with_journals(&parts, &[b"applying", b"done"])
}

#[test]
fn appended_frames_are_found() {
    let file = sample();
    let found = frames(&file);
    assert_eq!((found.len(), found.journals()), (4, 2));
    assert_eq!(found.end(), file.len() as u64);
    assert_eq!(journal_of(&file), b"done");
    assert_eq!(part(&file, Kind::Undo, 1), Some(vec![b'u'; 3000]));
    assert_eq!(part(&file, Kind::Changes, 1), Some(b"{}\n".to_vec()));
    assert_eq!(part(&file, Kind::Undo, 2), None);
}

/// If the body of a frame does not fit into memory, its header is written after it.
#[test]
fn a_long_frame_is_written_in_pieces() {
    let body = vec![7; (3 << 20) + 5];
    let disk = FaultyDisk::new();
    let file = disk.root().create("file").expect("writable");
    let mut append = Append::at(file, 0).expect("writable");
    let frame = append.frame(Kind::Undo, 1, |write| body.chunks(1000).try_for_each(write));
    frame.expect("writable");
    let frame = append.frame(Kind::Journal, 1, |write| write(b"applying"));
    frame.expect("writable");
    append.flush().expect("writable");
    let file = disk.files().remove("file").expect("there");
    assert_eq!(part(&file, Kind::Undo, 1), Some(body));
    assert_eq!(journal_of(&file), b"applying");
}

/// Wherever a file is cut off, everything that was complete before the cut is found.
#[test]
fn a_torn_tail_is_where_the_run_ended() {
    let file = sample();
    let last = with_journals(&file, &[b"applying"]).len();
    let first = last - FRAME_HEADER_LEN - b"applying".len();
    for len in 0..file.len() {
        let bytes = &file[..len];
        let mut found = frames(bytes);
        let journal = found.read_journal(&bytes.to_vec());
        let expected = (len >= last).then(|| b"applying".to_vec());
        assert_eq!(journal.expect("in memory"), expected, "{len}");
        if len < first {
            assert_eq!(found.journals(), 0, "{len}");
        }
    }
}

/// A damaged byte never counts as what was written.
#[test]
fn no_damaged_byte_of_a_frame_is_believed() {
    let file = sample();
    let parts = frames(&file).part(Kind::Changes, 1).expect("changes").end() as usize;
    let first = parts + FRAME_HEADER_LEN..parts + FRAME_HEADER_LEN + b"applying".len();
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x20;
        let Ok(mut found) = Frames::of(&damaged, MAX_FRAMES) else {
            continue;
        };
        let whole = found.journals() == 2 && found.parts_are_whole(&damaged).expect("in memory");
        let journal = found.read_journal(&damaged).expect("in memory");
        match journal.as_deref() {
            // The journal before it is not read.
            Some(b"done") => assert_eq!(whole, first.contains(&at), "{at}"),
            Some(b"applying") => assert!(at >= first.end, "{at}"),
            Some(other) => panic!("{at}: {other:?}"),
            None => {}
        }
    }
}

/// The last sectors of an append may be missing or zero.
#[test]
fn a_sector_that_was_never_written_is_noticed() {
    let file = sample();
    for at in (0..file.len()).step_by(512) {
        let end = file.len().min(at + 512);
        let mut torn = file.clone();
        torn[at..end].fill(0);
        let mut found = Frames::of(&torn, MAX_FRAMES).expect("torn");
        let whole = found.parts_are_whole(&torn).expect("in memory");
        let journal = found.read_journal(&torn).expect("in memory");
        assert!(!whole || journal.is_none(), "{at}");
    }
}

#[test]
fn frames_that_no_run_writes_are_refused() {
    let odd = |frames: &[(Kind, u32)]| {
        let disk = FaultyDisk::new();
        let file = disk.root().create("file").expect("writable");
        let mut append = Append::at(file, 0).expect("writable");
        for (kind, number) in frames {
            let frame = append.frame(*kind, *number, |write| write(b"{}"));
            frame.expect("writable");
        }
        append.flush().expect("writable");
        let bytes = disk.files().remove("file").expect("there");
        Frames::of(&bytes, MAX_FRAMES).map(|frames| frames.len())
    };
    let (undo, changes, journal) = (Kind::Undo, Kind::Changes, Kind::Journal);
    let sound = odd(&[(undo, 1), (changes, 1), (journal, 1), (journal, 2)]);
    assert_eq!(sound.expect("sound"), 4);
    for frames in [
        &[(undo, 1), (undo, 1)][..],
        &[(journal, 1), (undo, 1)],
        &[(journal, 2)],
        &[(journal, 1), (journal, 1)],
    ] {
        let error = odd(frames).expect_err("odd");
        assert!(matches!(error, RunFileError::Frame { .. }), "{error}");
    }
}

#[test]
fn a_file_with_another_start_is_not_a_run_file() {
    let of = |bytes: &[u8]| Frames::of(&bytes.to_vec(), MAX_FRAMES).map(|frames| frames.len());
    let sound = sample();
    // As a power failure leaves a new file.
    for torn in [&[][..], &sound[..5], &sound[..16], &[0; 40]] {
        assert_eq!(of(torn).expect("torn"), 0);
    }
    for other in [&b"{\n"[..], b"mine", b"DMENDUN\x1a\x02\0\0\0\0\0\0\0"] {
        let error = of(other).expect_err("another file");
        assert!(matches!(error, RunFileError::Unknown), "{error}");
    }
    let mut later = sound;
    later[8] = 2;
    let error = of(&later).expect_err("another version");
    assert!(matches!(error, RunFileError::Version(2)), "{error}");
}

/// An attacker can make millions of frames of 32 bytes. They are neither all read nor compared with
/// each other.
#[test]
fn only_so_many_frames_are_read() {
    let file = sample();
    let of = |most| Frames::of(&file, most);
    assert_eq!(of(4).expect("four frames").len(), 4);
    for most in 0..4 {
        let error = of(most).expect_err("too many");
        assert!(matches!(error, RunFileError::TooMany(found) if found == most));
    }
}

/// If a length exceeds the file, nothing is read or allocated for it.
#[test]
fn hostile_lengths_allocate_nothing() {
    let mut file = sample();
    let at = frames(&file).part(Kind::Changes, 1).expect("changes").end();
    for len in [u64::MAX, u64::MAX - at, 1 << 40, file.len() as u64] {
        let hostile = format::Frame {
            kind: Kind::Journal,
            number: 1,
            at,
            len,
            digest: 0,
        };
        let start = at as usize;
        file[start..start + FRAME_HEADER_LEN].copy_from_slice(&hostile.header());
        let found = frames(&file);
        assert_eq!(found.journals(), 0, "{len}");
    }
}

/// A failed flush leaves a journal that may or may not be durable. The next journal replaces it.
#[test]
fn the_remains_of_a_failed_flush_are_overwritten() {
    let disk = FaultyDisk::new();
    disk.put("file", sample());
    let add = |number, journal: &[u8]| {
        let bytes = &disk.files()["file"];
        let end = match number {
            3 => sample().len() as u64,
            _ => frames(bytes).end(),
        };
        let file = disk.root().open("file", diskmend_disk::Access::ReadWrite)?;
        let mut append = Append::at(file, end)?;
        append.frame(Kind::Journal, number, |write| write(journal))?;
        append.flush()
    };
    disk.fail_at(1, Fault::Once);
    add(3, b"a journal that is longer").expect_err("not flushed");
    add(3, b"undoing").expect("flushed");
    assert_eq!(journal_of(&disk.files()["file"]), b"undoing");
    add(4, b"undone").expect("flushed");
    assert_eq!(frames(&disk.files()["file"]).journals(), 4);
}
