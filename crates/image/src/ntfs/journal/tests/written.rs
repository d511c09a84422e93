//! Journals that the independent writer has made.

use std::fs;
use std::ops::Range;
use std::sync::Arc;

use crate::ntfs::Volume;
use crate::ntfs::fixup;
use crate::ntfs::journal::{Journal, JournalError};
use crate::testing::Memory;
use crate::testing::logfile::{
    Action, Attribute, Crashed, Operation, Session, Start, Tail, Touched, Version,
    differing_clusters,
};
use crate::testing::programs::succeed;

const BITMAP: Attribute<'_> = Attribute {
    number: 6,
    kind: 0x80,
    name: "",
};
const STANDARD_INFORMATION: Attribute<'_> = Attribute {
    number: 4,
    kind: 0x10,
    name: "",
};
const PAGE: usize = 4096;

/// An image that mkntfs has made; `None` without mkntfs.
fn image() -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image");
    let file = fs::File::create(&path).expect("an image");
    file.set_len(16 << 20).expect("a length");
    succeed("mkntfs", &["-F", "-Q", "-q", path.to_str().expect("text")])?;
    Some(fs::read(path).expect("readable"))
}

fn journal(image: &[u8]) -> Result<Journal, JournalError> {
    let device = Arc::new(Memory::new(image.to_vec()));
    let volume = Volume::open(device).expect("a volume");
    volume.journal().map(|journal| journal.expect("pending"))
}

fn touch(session: &mut Session, value: u8) {
    let transaction = session.transaction();
    let change = session.update_resident(STANDARD_INFORMATION, 0, &[value; 16]);
    session.change(transaction, change);
    session.commit(transaction);
}

/// Transactions before and after a checkpoint, one of which has not ended.
fn busy(bytes: Vec<u8>, start: Start) -> Session {
    let mut session = Session::begin(bytes, start);
    for value in 0..40 {
        touch(&mut session, value);
    }
    session.checkpoint();
    let open = session.transaction();
    session.change(open, session.change_bits(BITMAP, 3300, 5, true));
    for value in 0..100 {
        touch(&mut session, value);
    }
    session.change(open, session.change_bits(BITMAP, 3310, 5, true));
    session
}

/// Checks that all that the writer says is touched, and all that replaying changes.
fn check(crashed: &Crashed, journal: &Journal, what: &str) {
    for touched in &crashed.touched {
        let is_known = match *touched {
            Touched::Record(number) => journal.touches.record(number),
            Touched::Cluster(lcn) => journal.touches.clusters(lcn..lcn + 1),
            Touched::Bits(first, count) => {
                (first..first + count).all(|lcn| journal.touches.owners(lcn..lcn + 1))
            }
        };
        assert!(is_known, "{what}: {touched:?}");
    }
    let bits = crashed.touched.iter().map(|touched| match touched {
        Touched::Bits(_, count) => *count,
        _ => 0,
    });
    let [records, _, owners] = journal.touches.counts();
    assert_eq!(owners, bits.sum::<u64>(), "{what}");
    assert_eq!(records, 1, "{what}");
    for lcn in differing_clusters(&crashed.image, &crashed.expected) {
        assert!(journal.touches.clusters(lcn..lcn + 1), "{what}: {lcn}");
    }
}

#[test]
fn the_writer_and_the_reader_agree_wherever_a_log_begins_and_however_it_ends() {
    let Some(bytes) = image() else { return };
    for version in Version::ALL {
        for (page, stale) in [(0, false), (470, true), (507, false)] {
            let start = Start {
                page,
                stale,
                ..Start::new(version)
            };
            let session = busy(bytes.clone(), start);
            for tail in [Tail::InPlace, Tail::InCopy(1), Tail::InCopy(5), Tail::Torn] {
                let crashed = session.crash(tail);
                let what = format!("{start:?} {tail:?}");
                let journal = journal(&crashed.image).unwrap_or_else(|it| panic!("{what}: {it}"));
                check(&crashed, &journal, &what);
                assert_eq!(journal.unfinished, 1, "{what}");
            }
        }
    }
}

/// A session whose last record spans two pages, and the record before it.
fn long_end(bytes: Vec<u8>, version: Version) -> Session {
    let mut session = busy(bytes, Start::new(version));
    let last = session.transaction();
    let redo = Action::new(Operation::Noop, vec![7; 5000]);
    session.note(last, redo, Action::bare(Operation::Noop));
    session
}

/// The places of the pages of the journal whose last record is the last of all, in the circle.
fn last_pages(log: &[u8], first: usize) -> Vec<usize> {
    let lsn = |at: usize| u64::from_le_bytes(log[at + 8..at + 16].try_into().expect("8 bytes"));
    let pages = (first * PAGE..log.len()).step_by(PAGE);
    let pages: Vec<_> = pages.filter(|at| log[*at..].starts_with(b"RCRD")).collect();
    let last = pages.iter().map(|at| lsn(*at)).max().expect("pages");
    pages.into_iter().filter(|at| lsn(*at) == last).collect()
}

/// The place of the journal in an image.
fn log_range(image: &[u8]) -> Range<usize> {
    let device = Arc::new(Memory::new(image.to_vec()));
    let volume = Volume::open(device).expect("a volume");
    let stream = crate::ntfs::log::stream(&volume.inner.mft).expect("$LogFile");
    let layout = stream.layout().expect("in clusters");
    let start = layout.position(0).expect("a position");
    let start = usize::try_from(start).expect("short");
    start..start + usize::try_from(stream.len()).expect("short")
}

/// What a crash leaves between the writes of two pages that contain one record: the second page is
/// as before. Such a record was never durable.
#[test]
fn a_record_whose_end_was_not_written_is_not_the_last() {
    let Some(bytes) = image() else { return };
    for (version, first) in [(Version::V1, 4), (Version::V2, 34)] {
        let mut image = long_end(bytes.clone(), version).crash(Tail::InPlace).image;
        let range = log_range(&image);
        let whole = journal(&image).expect("whole");
        let log = &image[range.clone()];
        let pages = last_pages(log, first);
        let [.., one, two] = pages[..] else {
            panic!("{pages:?}")
        };
        assert_eq!(one + PAGE, two);
        let older = log[first * PAGE..][..PAGE].to_vec();
        // The copies are of the same write.
        image[range.start + 2 * PAGE..range.start + first * PAGE].fill(0xFF);
        for content in [vec![0xFF; PAGE], older] {
            image[range.start + two..][..PAGE].copy_from_slice(&content);
            let found = journal(&image).expect("all but the last");
            assert!(found.last_lsn < whole.last_lsn);
            assert_eq!(found.records, whole.records - 1, "{version:?}");
        }
    }
}

/// In version 2.0, a copy tells its place only by its last record, which can begin in the page
/// before it.
#[test]
fn a_copy_that_only_ends_a_record_is_found() {
    let Some(bytes) = image() else { return };
    for version in Version::ALL {
        let session = long_end(bytes.clone(), version);
        let whole = journal(&session.crash(Tail::InPlace).image).expect("whole");
        let found = journal(&session.crash(Tail::InCopy(1)).image);
        let found = found.unwrap_or_else(|error| panic!("{version:?}: {error}"));
        assert_eq!(found.last_lsn, whole.last_lsn, "{version:?}");
        assert_eq!(found.records, whole.records, "{version:?}");
    }
}

#[test]
fn a_log_with_a_page_that_is_lost_is_not_understood() {
    let Some(bytes) = image() else { return };
    let mut image = busy(bytes, Start::new(Version::V2))
        .crash(Tail::InPlace)
        .image;
    let range = log_range(&image);
    let log = &image[range.clone()];
    let [.., last] = last_pages(log, 34)[..] else {
        panic!("no pages")
    };
    let mut page = log[last - PAGE..last].to_vec();
    fixup::unprotect(&mut page, *b"RCRD", 0).expect("whole");
    image[range.start + last - PAGE..][..PAGE].fill(0xFF);
    let refused = journal(&image).expect_err("a hole");
    assert!(refused.to_string().contains("not understood"), "{refused}");
}
