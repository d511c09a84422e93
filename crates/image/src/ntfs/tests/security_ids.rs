use std::fs;

use super::image::Image;
use super::*;

#[test]
fn keys_of_descriptors_are_written_to_many_records_at_once() {
    for arguments in [&["-c", "4096"][..], &["-c", "65536"], &["-s", "4096"]] {
        let Some(image) = Image::make(24, arguments) else {
            return;
        };
        let filled = image.mounted("permissions", |folder| {
            for number in 0..1500 {
                fs::write(folder.join(format!("file {number}")), b"data").expect("written");
            }
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let key = volume
            .metadata(id(&volume, "file 3"))
            .expect("sound")
            .security_id;
        assert!(
            key >= 256,
            "mounted with permissions, files have descriptors"
        );
        let entries = volume.list(volume.root()).expect("listed");
        let ids: Vec<FileId> = entries
            .iter()
            .filter(|entry| String::from_utf16_lossy(&entry.name).starts_with("file"))
            .map(|entry| entry.id)
            .collect();
        assert_eq!(ids.len(), 1500);
        let before = device.bytes();
        let same: Vec<(FileId, u32)> = ids.iter().map(|id| (*id, key)).collect();
        volume.set_security_ids(&same).expect("sound");
        assert!(
            device.bytes() == before,
            "what is so already is not written"
        );

        let root = volume.metadata(volume.root()).expect("sound").security_id;
        let other = if root == 0 { 256 } else { root };
        let some: Vec<(FileId, u32)> = ids
            .iter()
            .enumerate()
            .map(|(index, id)| (*id, if index % 3 == 0 { key } else { other }))
            .collect();
        volume.set_security_ids(&some).expect("sound");
        for (found, (_, key)) in volume.metadata_of_all(&ids).into_iter().zip(&some) {
            assert_eq!(found.expect("sound").security_id, *key);
        }
        image.store_and_check(&device);

        let mut stale = some;
        stale[700].0.sequence += 1;
        stale[0].1 = 999;
        let before = device.bytes();
        volume.set_security_ids(&stale).expect_err("stale");
        assert!(device.bytes() == before, "all are checked first");
    }
}
