//! A volume that Windows will check or whose journal it will replay: only bytes of files change.

use super::image::Image;
use super::*;
use crate::ntfs::Writes;
use crate::ntfs::format::{attribute_type, system};

/// A dirty volume with a file in clusters, a file in its record and a folder.
fn dirty() -> Option<Image> {
    let image = Image::make(12, &[])?;
    image.mounted("defaults", |folder| {
        std::fs::write(folder.join("large"), pattern(20_000, 7)).expect("written");
        std::fs::write(folder.join("small"), b"small").expect("written");
    })?;
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let mut record = mft.read_any(system::VOLUME).expect("a record");
    let value = record.resident_mut(attribute_type::VOLUME_INFORMATION, "");
    value.expect("volume information")[10] = 1;
    mft.write(&mut record).expect("written");
    image.store(&device);
    Some(image)
}

#[test]
fn only_the_bytes_of_a_file_change_on_a_dirty_volume() {
    let Some(image) = dirty() else { return };
    let (volume, device) = image.open();
    let before = device.bytes();
    assert_eq!(volume.writes().expect("readable"), Writes::InPlace);
    assert!(matches!(volume.fit_for_writing(), Err(VolumeError::Dirty)));
    let file = open(&volume, "large");
    file.check_in_place().expect("in clusters");
    file.check_write(20_000, &[(100, 9_000)]).expect("in place");
    file.write(&[0xA5; 9_000], 100).expect("in place");
    let after = device.bytes();
    let start = file
        .layout()
        .expect("in clusters")
        .position(0)
        .expect("there");
    let start = usize::try_from(start).expect("small");
    for (at, (old, new)) in before.iter().zip(&after).enumerate() {
        let is_of_file = (start + 100..start + 9_100).contains(&at);
        assert!(old == new || is_of_file, "offset {at}");
    }
    assert_eq!(&read(&file)[100..9_100], &[0xA5; 9_000]);
}

#[test]
fn nothing_else_changes_on_a_dirty_volume() {
    let Some(image) = dirty() else { return };
    let (volume, device) = image.open();
    let before = device.bytes();
    let large = open(&volume, "large");
    let only = |result: Result<(), VolumeError>| {
        let is = matches!(
            result,
            Err(VolumeError::OnlyInPlace { .. } | VolumeError::NotPermitted { .. })
        );
        assert!(is, "{result:?}");
        assert!(device.bytes() == before, "{result:?}");
    };
    // Another length, also one for which the clusters suffice.
    for len in [20_001, 30_000, 19_000, 0] {
        only(large.check_write(len, &[]));
        only(large.set_len(len));
    }
    only(large.touch(1));
    let small = open(&volume, "small");
    only(small.check_in_place());
    only(small.check_write(5, &[(0, 5)]));
    only(small.write(b"other", 0));
    let root = volume.root();
    let name = |name: &str| name.encode_utf16().collect::<Vec<u16>>();
    drop(large);
    only(volume.remove(root, &name("large"), 1));
    only(volume.rename(root, &name("large"), &name("other"), 1));
}

/// Also if a file is written to without a look at the volume before.
#[test]
fn the_volume_is_looked_at_before_the_first_write() {
    let Some(image) = dirty() else { return };
    let (volume, device) = image.open();
    let before = device.bytes();
    let found = open(&volume, "large").set_len(30_000);
    assert!(
        matches!(found, Err(VolumeError::OnlyInPlace { .. })),
        "{found:?}"
    );
    assert!(device.bytes() == before);
}

/// Bytes that were never written read as zeros, whatever the clusters contain; writing there would
/// change the record.
#[test]
fn bytes_that_were_never_written_stay_so() {
    let Some(image) = dirty() else { return };
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let mut record = mft.read(id(&volume, "large")).expect("there");
    let at = record.find(attribute_type::DATA, "").expect("data").place();
    let header = record.non_resident_mut(at).expect("in clusters");
    header.initialized_size = 8_000.into();
    mft.write(&mut record).expect("written");
    let before = device.bytes();
    let (volume, device) = (Volume::open(device.clone()).expect("sound"), device);
    let file = open(&volume, "large");
    file.check_write(20_000, &[(0, 8_000)])
        .expect("written before");
    let found = file.check_write(20_000, &[(7_999, 2)]);
    assert!(
        matches!(found, Err(VolumeError::OnlyInPlace { .. })),
        "{found:?}"
    );
    let found = file.write(&[1; 2], 7_999);
    assert!(
        matches!(found, Err(VolumeError::OnlyInPlace { .. })),
        "{found:?}"
    );
    assert!(device.bytes() == before);
    file.write(&[1; 2], 7_998).expect("in place");
}
