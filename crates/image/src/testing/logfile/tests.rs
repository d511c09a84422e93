//! Logs replayed by ntfsrecover.

use std::fs;

use super::*;
use crate::testing::programs::succeed;

const STANDARD_INFORMATION: Attribute<'_> = Attribute {
    number: 4,
    kind: 0x10,
    name: "",
};
const BITMAP: Attribute<'_> = Attribute {
    number: 6,
    kind: 0x80,
    name: "",
};

/// An image that mkntfs has made, in a folder of its own; `None` without mkntfs.
fn volume() -> Option<(tempfile::TempDir, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image");
    let file = fs::File::create(&path).expect("an image");
    file.set_len(16 << 20).expect("a length");
    succeed("mkntfs", &["-F", "-Q", "-q", path.to_str().expect("text")])?;
    let bytes = fs::read(path).expect("readable");
    Some((folder, bytes))
}

/// What ntfsrecover makes of an image.
fn replay(folder: &tempfile::TempDir, image: &[u8]) -> Option<Vec<u8>> {
    let path = folder.path().join("replayed");
    fs::write(&path, image).expect("writable");
    succeed("ntfsrecover", &["-k", path.to_str().expect("text")])?;
    Some(fs::read(path).expect("readable"))
}

/// Two checkpoints, transactions that ended before and after the second, and one that did not.
fn busy(bytes: Vec<u8>, start: Start) -> Session {
    let mut session = Session::begin(bytes, start);
    let touch = |session: &mut Session, value: u8| {
        let transaction = session.transaction();
        let change = session.update_resident(STANDARD_INFORMATION, 0, &[value; 16]);
        session.change(transaction, change);
        session.commit(transaction);
    };
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
    let rolled_back = session.transaction();
    session.change(rolled_back, session.change_bits(BITMAP, 3500, 7, true));
    session.roll_back(rolled_back);
    let last = session.transaction();
    session.change(last, session.change_bits(BITMAP, 3100, 5, true));
    session.commit(last);
    session
}

#[test]
fn ntfsrecover_replays_a_log_of_each_version_wherever_it_begins_and_however_it_ends() {
    let Some((folder, bytes)) = volume() else {
        return;
    };
    for version in Version::ALL {
        for (page, stale) in [(0, false), (470, true), (507, false)] {
            let start = Start {
                page,
                stale,
                ..Start::new(version)
            };
            let session = busy(bytes.clone(), start);
            for tail in [Tail::InPlace, Tail::InCopy(1), Tail::Torn] {
                let crashed = session.crash(tail);
                let before = differing_clusters(&crashed.image, &crashed.expected);
                assert!(!before.is_empty(), "nothing to replay");
                let Some(replayed) = replay(&folder, &crashed.image) else {
                    return;
                };
                let after = differing_clusters(&replayed, &crashed.expected);
                assert!(after.is_empty(), "{start:?} {tail:?}: {after:?}");
            }
        }
    }
}

#[test]
fn a_torn_end_loses_the_last_record() {
    let Some((_folder, bytes)) = volume() else {
        return;
    };
    let session = busy(bytes, Start::new(Version::V2));
    let (whole, torn) = (session.crash(Tail::InPlace), session.crash(Tail::Torn));
    assert!(torn.records < whole.records);
    // The last transaction has not ended then, and is reversed.
    let lost = differing_clusters(&whole.expected, &torn.expected);
    assert_eq!(lost.len(), 1, "that of $Bitmap");
}
