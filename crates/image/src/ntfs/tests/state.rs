use super::image::Image;
use super::*;
use crate::device::Device;
use crate::ntfs::format::{attribute_type, system};
use crate::ntfs::{Log, State};

fn state(volume: &Volume) -> State {
    volume.state().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_new_volume_is_clean_and_its_journal_empty() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let (volume, _) = image.open();
    let expected = State {
        dirty: false,
        flags: 0,
        log: Log::Empty,
        major: 3,
        minor: 1,
        hibernated: false,
        from_backup: false,
    };
    assert_eq!(state(&volume), expected);
    volume.fit_for_writing().expect("fit");
}

/// Sets the flags of a volume, in both copies of the record.
fn set_flags(volume: &Volume, flags: u16) {
    let mft = &volume.inner.mft;
    let mut record = mft.read_any(system::VOLUME).expect("a record");
    let value = record.resident_mut(attribute_type::VOLUME_INFORMATION, "");
    let value = value.expect("volume information");
    value[10..12].copy_from_slice(&flags.to_le_bytes());
    mft.write(&mut record).expect("written");
}

#[test]
fn a_volume_that_waits_for_windows_is_not_fit_for_writing() {
    for arguments in [
        &["-c", "4096"][..],
        &["-c", "512"],
        &["-c", "65536"],
        &["-s", "4096"],
    ] {
        let Some(image) = Image::make(12, arguments) else {
            return;
        };
        let (volume, device) = image.open();
        let again = || Volume::open(device.clone()).expect("sound");
        set_flags(&volume, 1);
        assert!(state(&volume).dirty);
        assert!(matches!(again().fit_for_writing(), Err(VolumeError::Dirty)));
        set_flags(&volume, 0x10);
        assert!(matches!(
            volume.fit_for_writing(),
            Err(VolumeError::Pending { flags: 0x10 })
        ));
        set_flags(&volume, 0);
        volume.fit_for_writing().expect("fit");
        image.store_and_check(&device);
    }
}

#[test]
fn the_copy_of_the_boot_sector_is_read_but_not_written_by() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let device = image.device();
    device.write_all_at(&[0; 512], 0).expect("inside");
    let volume = Volume::open(device).expect("by the copy");
    assert!(state(&volume).from_backup);
    assert!(matches!(
        volume.fit_for_writing(),
        Err(VolumeError::BackupBootSector)
    ));
    // A new volume has only its own files, which are not listed.
    assert_eq!(volume.list(volume.root()).expect("listed"), []);
}

#[test]
fn a_hibernated_volume_is_refused() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let write = |start: &'static [u8]| {
        image.mounted("defaults", |folder| {
            let mut data = start.to_vec();
            data.resize(8192, 0);
            std::fs::write(folder.join("hiberfil.sys"), data).expect("written");
        })
    };
    if write(b"hibr").is_none() {
        return;
    }
    let (volume, _) = image.open();
    assert!(matches!(
        volume.fit_for_writing(),
        Err(VolumeError::Hibernated)
    ));
    image.mounted("remove_hiberfile", |_| ());
    write(b"wake");
    image.open().0.fit_for_writing().expect("awake");
}

/// A restart page as Windows writes it, of an open or closed journal.
fn restart_page(lsn: u64, version: (u16, u16), in_use: u16, flags: u16) -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..8].copy_from_slice(b"RSTR\x1E\x00\x09\x00");
    page[16..20].copy_from_slice(&4096_u32.to_le_bytes());
    page[20..24].copy_from_slice(&4096_u32.to_le_bytes());
    page[24] = 0x30;
    page[26..28].copy_from_slice(&version.1.to_le_bytes());
    page[28..30].copy_from_slice(&version.0.to_le_bytes());
    page[0x30..0x38].copy_from_slice(&lsn.to_le_bytes());
    page[0x38] = 1;
    page[0x3A..0x3C].copy_from_slice(&[0xFF, 0xFF]);
    page[0x3C..0x3E].copy_from_slice(&in_use.to_le_bytes());
    page[0x3E..0x40].copy_from_slice(&flags.to_le_bytes());
    super::super::fixup::protect(&mut page, *b"RSTR", 0).expect("sound");
    page
}

#[test]
fn the_newer_restart_page_shows_if_the_journal_was_closed() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let records = super::super::records::Records::read_system(mft, 2).expect("sound");
    let stream = super::super::stream::Stream::of(mft.disk(), &records, 0x80, "");
    let stream = stream.expect("sound").expect("there");
    let start = stream
        .layout()
        .expect("in clusters")
        .position(0)
        .expect("there");
    let closed = |lsn| restart_page(lsn, (1, 1), 0xFFFF, 0);
    let opened = |lsn| restart_page(lsn, (1, 1), 0, 0);
    let torn = || {
        let mut page = closed(9);
        page[510] ^= 1;
        page
    };
    let blank = || vec![0xFF; 4096];
    let cases = [
        (closed(1), opened(2), Some("length of the journal")),
        (closed(2), opened(1), None),
        (opened(1), closed(2), None),
        (opened(2), closed(1), Some("length of the journal")),
        (restart_page(1, (1, 1), 0, 2), blank(), None),
        (
            restart_page(1, (2, 0), 0xFFFF, 0),
            blank(),
            Some("length of the journal"),
        ),
        (
            restart_page(1, (3, 0), 0xFFFF, 0),
            blank(),
            Some("not known"),
        ),
        (torn(), closed(1), None),
        (torn(), opened(1), Some("length of the journal")),
        (torn(), blank(), Some("neither")),
        (blank(), opened(1), Some("gone")),
    ];
    for (index, (first, second, why)) in cases.into_iter().enumerate() {
        device.write_all_at(&first, start).expect("inside");
        device.write_all_at(&second, start + 4096).expect("inside");
        let again = Volume::open(device.clone()).expect("sound");
        let found = again.fit_for_writing();
        match (why, found) {
            (None, found) => found.unwrap_or_else(|error| panic!("case {index}: {error}")),
            (
                Some(why),
                Err(error @ (VolumeError::PendingLog { .. } | VolumeError::UnknownLog { .. })),
            ) => {
                assert!(error.to_string().contains(why), "case {index}: {error}");
            }
            (Some(why), found) => panic!("case {index}: {found:?} instead of {why}"),
        }
    }
}

#[test]
fn other_versions_and_pending_work_are_refused() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let (volume, _) = image.open();
    let mft = &volume.inner.mft;
    let set = |at: usize, bytes: [u8; 2]| {
        let mut record = mft.read_system(3).expect("there");
        record.resident_mut(0x70, "").expect("there")[at..at + 2].copy_from_slice(&bytes);
        mft.write(&mut record).expect("written");
        volume.fit_for_writing()
    };
    for version in [[1, 2], [2, 0], [3, 2], [4, 0]] {
        let found = set(8, version);
        assert!(
            matches!(found, Err(VolumeError::Version { .. })),
            "{found:?}"
        );
    }
    set(8, [3, 0]).expect("fit");
    for flags in [0x02_u16, 0x04, 0x10, 0x20, 0x4000, 0x8000] {
        let found = set(10, flags.to_le_bytes());
        assert!(
            matches!(found, Err(VolumeError::Pending { .. })),
            "{found:?}"
        );
    }
    set(10, [0, 0]).expect("fit");
}
