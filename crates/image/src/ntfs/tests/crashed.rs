//! Volumes with a journal to replay: bytes of files that it does not touch are changed, and replaying
//! it changes nothing of that.

use super::image::Image;
use super::*;
use crate::device::Device;
use crate::ntfs::Writes;
use crate::testing::logfile::{Attribute, Change, Session, Start, Tail, Version};
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
const LEN: usize = 20_000;

/// A volume with a file in clusters, its record, and its first cluster.
fn volume() -> Option<(Image, u64, u64)> {
    let image = Image::make(16, &[])?;
    image.mounted("defaults", |folder| {
        std::fs::write(folder.join("large"), pattern(LEN, 7)).expect("written");
    })?;
    let (volume, _) = image.open();
    let file = open(&volume, "large");
    let start = file
        .layout()
        .expect("in clusters")
        .position(0)
        .expect("there");
    Some((image, id(&volume, "large").record, start / 4096))
}

/// The volume after a crash during these changes.
fn crash(image: &Image, version: Version, changes: impl Fn(&Session) -> Vec<Change>) -> Image {
    let mut session = Session::begin(image.device().bytes(), Start::new(version));
    for value in 0..30 {
        let transaction = session.transaction();
        let change = session.update_resident(STANDARD_INFORMATION, 0, &[value; 16]);
        session.change(transaction, change);
        session.commit(transaction);
    }
    session.checkpoint();
    let transaction = session.transaction();
    for change in changes(&session) {
        session.change(transaction, change);
    }
    session.commit(transaction);
    let crashed = Image::make(16, &[]).expect("made before");
    std::fs::write(crashed.path(), session.crash(Tail::InPlace).image).expect("writable");
    crashed
}

#[test]
fn what_was_written_in_place_stays_when_the_journal_is_replayed() {
    let Some((image, ..)) = volume() else { return };
    for version in Version::ALL {
        let crashed = crash(&image, version, |session| {
            vec![
                session.change_bits(BITMAP, 3800, 5, true),
                session.update_resident(STANDARD_INFORMATION, 0, &[0x77; 16]),
            ]
        });
        let (volume, device) = crashed.open();
        let before = device.bytes();
        assert_eq!(volume.writes().expect("understood"), Writes::InPlace);
        let found = volume.fit_for_writing();
        assert!(
            matches!(found, Err(VolumeError::PendingLog { .. })),
            "{found:?}"
        );
        let file = open(&volume, "large");
        file.check_write(LEN as u64, &[(0, LEN as u64)])
            .expect("in place");
        let written = pattern(LEN, 99);
        file.write(&written, 0).expect("in place");
        let refused = file.set_len(LEN as u64 + 1);
        assert!(
            matches!(refused, Err(VolumeError::OnlyInPlace { .. })),
            "{refused:?}"
        );
        // The journal itself is left alone.
        let journal = volume.pending().expect("understood").expect("pending");
        let again = Volume::open(device.clone()).expect("sound");
        let again = again.pending().expect("understood").expect("pending");
        assert_eq!(
            (again.oldest_lsn, again.records),
            (journal.oldest_lsn, journal.records)
        );
        let replay = |bytes: &[u8]| {
            std::fs::write(crashed.path(), bytes).expect("writable");
            let path = crashed.path();
            succeed("ntfsrecover", &["-k", path.to_str().expect("text")])?;
            Some(std::fs::read(path).expect("readable"))
        };
        let (Some(mut without), Some(with)) = (replay(&before), replay(&device.bytes())) else {
            return;
        };
        assert_eq!(
            crashed.cat("large").expect("ntfscat"),
            written,
            "{version:?}"
        );
        let layout = file.layout().expect("in clusters");
        for run in layout.pieces(0, LEN) {
            let start = usize::try_from(run.offset.expect("a place")).expect("small");
            without[start..][..run.len].copy_from_slice(&with[start..][..run.len]);
        }
        assert!(without == with, "{version:?}: something else differs");
    }
}

#[test]
fn a_file_that_the_journal_touches_is_refused() {
    let Some((image, record, first)) = volume() else {
        return;
    };
    let of_file = |kind| Attribute {
        number: record,
        kind,
        name: "",
    };
    type Changes<'a> = Box<dyn Fn(&Session) -> Vec<Change> + 'a>;
    let cases: [(&str, Changes<'_>); 3] = [
        (
            "FILE record",
            Box::new(|session| vec![session.update_resident(of_file(0x10), 8, &[1; 8])]),
        ),
        (
            "bits of its clusters",
            Box::new(|session| vec![session.change_bits(BITMAP, first + 1, 2, true)]),
        ),
        (
            "content of its clusters",
            Box::new(|session| vec![session.update_nonresident(of_file(0x80), 100, &[1; 8])]),
        ),
    ];
    for (what, changes) in cases {
        let crashed = crash(&image, Version::V2, changes);
        let (volume, device) = crashed.open();
        let before = device.bytes();
        assert_eq!(volume.writes().expect("understood"), Writes::InPlace);
        let file = open(&volume, "large");
        for found in [
            file.check_in_place(),
            file.check_write(LEN as u64, &[(0, 1)]),
            file.write(&[1], 0),
        ] {
            match found {
                Err(VolumeError::Touched { what: found, .. }) => {
                    assert!(found.contains(what), "{what}: {found}");
                }
                found => panic!("{what}: {found:?}"),
            }
        }
        assert!(device.bytes() == before, "{what}");
    }
}

#[test]
fn nothing_is_written_if_the_journal_is_not_understood_as_a_whole() {
    let Some((image, ..)) = volume() else { return };
    let crashed = crash(&image, Version::V2, |session| {
        vec![session.change_bits(BITMAP, 3800, 5, true)]
    });
    let (volume, device) = crashed.open();
    let records = super::super::records::Records::read_system(&volume.inner.mft, 2);
    let records = records.expect("sound");
    let disk = volume.inner.mft.disk();
    let log = super::super::stream::Stream::of(disk, &records, 0x80, "");
    let log = log.expect("sound").expect("there");
    let start = log
        .layout()
        .expect("in clusters")
        .position(0)
        .expect("there");
    // The first pages after the restart pages and the copies, which have the oldest records.
    let mut page = vec![0; 4096];
    let mut broken = 0;
    for at in (0..log.len()).step_by(4096).skip(2) {
        log.read(disk, &mut page, at).expect("readable");
        if page.starts_with(b"RCRD") {
            device
                .write_all_at(&[0xA5; 64], start + at + 1024)
                .expect("inside");
            broken += 1;
        }
    }
    assert!(broken > 0);
    let before = device.bytes();
    let volume = Volume::open(device.clone()).expect("sound");
    let found = volume.writes();
    assert!(
        matches!(found, Err(VolumeError::UnknownLog { .. })),
        "{found:?}"
    );
    let found = open(&volume, "large").write(&[1], 0);
    assert!(
        matches!(found, Err(VolumeError::UnknownLog { .. })),
        "{found:?}"
    );
    assert!(device.bytes() == before);
}
