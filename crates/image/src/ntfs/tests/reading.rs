use std::fs;
use std::path::Path;

use super::image::Image;
use super::*;
use crate::ntfs::{Kind, Metadata};

fn metadata(volume: &Volume, path: &str) -> Metadata {
    volume.metadata(id(volume, path)).expect("metadata")
}

/// Makes a file of `pieces` clusters that are not adjacent; the rest of the volume is full.
pub(super) fn fragment(folder: &Path, name: &str, pieces: usize, cluster: usize) -> Vec<u8> {
    let small = folder.join("neighbours");
    fs::create_dir(&small).expect("a folder");
    // The records with the further runs also need clusters.
    let mut file = fs::File::create(folder.join(name)).expect("a file");
    let count = (pieces + pieces / 8 + 8) * 2;
    for number in 0..count {
        fs::write(small.join(number.to_string()), pattern(cluster, 3)).expect("written");
    }
    let mut filler = fs::File::create(folder.join("filler")).expect("a file");
    for len in [64 << 10, cluster] {
        let part = pattern(len, 5);
        while std::io::Write::write_all(&mut filler, &part).is_ok() {}
    }
    drop(filler);
    for number in (0..count).step_by(2) {
        fs::remove_file(small.join(number.to_string())).expect("removed");
    }
    let data = pattern(pieces * cluster, 7);
    for piece in data.chunks(cluster) {
        std::io::Write::write_all(&mut file, piece).expect("written");
    }
    drop(file);
    fs::remove_file(folder.join("filler")).expect("removed");
    data
}

#[test]
fn files_read_as_they_were_written_for_all_sizes_of_clusters_and_sectors() {
    for arguments in [
        &["-c", "512"][..],
        &["-c", "1024"],
        &["-c", "4096"],
        &["-c", "65536"],
        &["-c", "2097152"],
        &["-s", "4096"],
        &["-s", "1024", "-c", "2048"],
    ] {
        let mib = if arguments.contains(&"2097152") {
            64
        } else {
            12
        };
        let Some(image) = Image::make(mib, arguments) else {
            return;
        };
        let big = pattern(300_001, 1);
        let filled = image.mounted("defaults", |folder| {
            fs::create_dir_all(folder.join("Windows/System32/config")).expect("folders");
            fs::write(folder.join("Windows/System32/config/SYSTEM"), &big).expect("written");
            fs::write(folder.join("small"), b"hello").expect("written");
            fs::write(folder.join("empty"), b"").expect("written");
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let before = device.bytes();
        let file = open(&volume, "windows/SYSTEM32/Config/system");
        assert_eq!(read(&file), big, "{arguments:?}");
        assert!(file.allocated_len() >= file.len());
        let mut part = vec![0; 70_000];
        file.read(&mut part, 123_457).expect("within");
        assert_eq!(part, big[123_457..193_457]);
        assert_eq!(read(&open(&volume, "small")), b"hello");
        assert_eq!(read(&open(&volume, "empty")), b"");
        let error = file.read(&mut part, 240_000).expect_err("past the end");
        assert!(matches!(error, VolumeError::OutOfRange { .. }), "{error}");
        let folder = metadata(&volume, "windows/system32");
        assert_eq!(
            (folder.kind, folder.links, folder.len),
            (Kind::Folder, 1, 0)
        );
        let file = metadata(&volume, "small");
        assert_eq!((file.kind, file.links, file.len), (Kind::File, 1, 5));
        let error = volume.file(id(&volume, "windows")).expect_err("a folder");
        assert!(matches!(error, VolumeError::NoData(_)), "{error}");
        volume.fit_for_writing().expect("fit");
        assert!(device.bytes() == before, "reading has written");
    }
}

#[test]
pub(super) fn fragmented_files_are_read_from_one_record_and_from_several() {
    for (pieces, has_list) in [(40, false), (700, true)] {
        let Some(image) = Image::make(16, &["-c", "1024"]) else {
            return;
        };
        let Some(data) = image.mounted("defaults", |dir| fragment(dir, "pieces", pieces, 1024))
        else {
            return;
        };
        let info = image.info("pieces");
        let told = info.is_none_or(|info| info.contains("ATTRIBUTE_LIST") == has_list);
        assert!(told, "{pieces} pieces are not where this test needs them");
        let (volume, _) = image.open();
        assert!(read(&open(&volume, "pieces")) == data);
        assert_eq!(metadata(&volume, "pieces").len, pieces as u64 * 1024);
    }
}

#[test]
fn a_sparse_file_reads_with_zeros_where_it_has_no_clusters() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        use std::io::{Seek, Write};
        let mut file = fs::File::create(folder.join("sparse")).expect("a file");
        file.write_all(b"begin").expect("written");
        file.seek(std::io::SeekFrom::Start(3_000_000))
            .expect("sought");
        file.write_all(b"end").expect("written");
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    let file = open(&volume, "sparse");
    let data = read(&file);
    assert!(data.starts_with(b"begin\0\0") && data.ends_with(b"\0\0end"));
    assert_eq!(data.len(), 3_000_003);
    assert_eq!(data.iter().filter(|byte| **byte != 0).count(), 8);
}

#[test]
fn compressed_and_encrypted_files_are_refused_by_name() {
    const ENCRYPTED: u16 = 0x4000;
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let filled = image.mounted("compression", |folder| {
        let path = folder.join("compressed");
        fs::create_dir(&path).expect("a folder");
        let set = std::process::Command::new("setfattr")
            .args(["-n", "system.ntfs_attrib", "-v", "0x10080000"])
            .arg(&path)
            .status();
        assert!(set.is_ok_and(|status| status.success()), "setfattr");
        fs::write(path.join("file"), vec![b'a'; 200_000]).expect("written");
        fs::write(folder.join("plain"), vec![b'a'; 200_000]).expect("written");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    assert!(metadata(&volume, "compressed/file").compressed);
    let file = open(&volume, "compressed/file");
    assert!(read(&file) == [b'a'; 200_000]);
    for error in [
        file.write(&[0; 10], 0).expect_err("compressed"),
        file.set_len(500_000).expect_err("compressed"),
    ] {
        assert!(error.to_string().contains("is compressed"), "{error}");
        assert_eq!(
            std::io::Error::from(error).kind(),
            std::io::ErrorKind::Unsupported
        );
    }

    let mft = &volume.inner.mft;
    let plain = id(&volume, "plain");
    let mut record = mft.read(plain).expect("there");
    let at = record.find(0x80, "").expect("there").place();
    record.non_resident_mut(at).expect("there").common.flags = ENCRYPTED.into();
    mft.write(&mut record).expect("written");
    assert!(metadata(&volume, "plain").encrypted);
    let before = device.bytes();
    let file = open(&volume, "plain");
    for error in [
        file.read(&mut [0; 10], 0).expect_err("encrypted"),
        file.write(&[0; 10], 0).expect_err("encrypted"),
    ] {
        assert!(error.to_string().contains("is encrypted"), "{error}");
    }
    assert!(device.bytes() == before);
}

#[test]
fn links_are_recognized_and_not_followed() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), b"data").expect("written");
        fs::hard_link(folder.join("file"), folder.join("second name")).expect("linked");
        // The start of IO_REPARSE_TAG_MOUNT_POINT and of IO_REPARSE_TAG_WOF.
        for (name, tag) in [("junction", "0x030000a0"), ("filtered", "0x17000080")] {
            let path = folder.join(name);
            match name {
                "junction" => fs::create_dir(&path).expect("a folder"),
                _ => fs::write(&path, b"").expect("a file"),
            }
            let value = format!("{tag}100000000000000000000000000000000000000000");
            let set = std::process::Command::new("setfattr")
                .args(["-n", "system.ntfs_reparse_data", "-v", &value[..2 + 2 * 24]])
                .arg(&path)
                .status();
            assert!(set.is_ok_and(|status| status.success()), "setfattr {name}");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    assert_eq!(metadata(&volume, "file").links, 2);
    assert_eq!(id(&volume, "file"), id(&volume, "second name"));
    let junction = metadata(&volume, "junction");
    assert_eq!(
        (junction.kind, junction.reparse_tag),
        (Kind::Link, Some(0xA000_0003))
    );
    let filtered = metadata(&volume, "filtered");
    assert_eq!(
        (filtered.kind, filtered.reparse_tag),
        (Kind::File, Some(0x8000_0017))
    );
    let error = volume.file(id(&volume, "filtered")).expect_err("filtered");
    assert!(error.to_string().contains("WOF"), "{error}");
    assert!(error.to_string().contains("compact /u /exe"), "{error}");
}

#[test]
fn a_file_that_was_removed_is_not_found_by_its_old_reference() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| fs::write(folder.join("file"), b"data"));
    if filled.is_none() {
        return;
    }
    let old = id(&image.open().0, "file");
    image.mounted("defaults", |folder| fs::remove_file(folder.join("file")));
    let (volume, _) = image.open();
    let later = FileId {
        sequence: old.sequence + 7,
        ..volume.root()
    };
    let beyond = FileId {
        record: 1 << 40,
        sequence: 1,
    };
    for stale in [old, later, beyond] {
        let error = volume.metadata(stale).expect_err("stale");
        assert!(matches!(error, VolumeError::Stale(_)), "{error}");
        volume.file(stale).expect_err("stale");
        volume.list(stale).expect_err("stale");
    }
}

#[test]
fn an_mft_with_runs_in_several_records_is_read_and_written() {
    let Some(image) = Image::make(12, &["-c", "1024"]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        let neighbours = folder.join("neighbours");
        fs::create_dir(&neighbours).expect("a folder");
        for number in 0..2600 {
            fs::write(neighbours.join(number.to_string()), pattern(1024, 3)).expect("written");
        }
        fs::write(folder.join("plain"), pattern(5000, 8)).expect("written");
        let mut filler = fs::File::create(folder.join("filler")).expect("a file");
        for len in [64 << 10, 1024] {
            let part = pattern(len, 5);
            while std::io::Write::write_all(&mut filler, &part).is_ok() {}
        }
        // Only single clusters are left for $MFT.
        let mut made = 0;
        for number in (0..2600).step_by(2) {
            let small = fs::File::create(neighbours.join(number.to_string()));
            small.expect("shortened");
            while number % 16 == 0
                && fs::write(neighbours.join(format!("new {made}")), made.to_string()).is_ok()
            {
                made += 1;
            }
        }
        fs::remove_file(folder.join("filler")).expect("removed");
        made
    });
    let Some(made) = filled else {
        return;
    };
    let (volume, device) = image.open();
    let has_list = volume
        .inner
        .mft
        .read_system(0)
        .expect("sound")
        .find(0x20, "")
        .is_some();
    assert!(has_list, "$MFT is not where this test needs it");
    for number in 0..made {
        let file = open(&volume, &format!("neighbours/new {number}"));
        assert_eq!(read(&file), number.to_string().as_bytes());
    }
    let plain = open(&volume, "plain");
    assert!(read(&plain) == pattern(5000, 8));
    // The `ntfs` crate does not read the later parts.
    let names = volume.list(id(&volume, "neighbours")).expect("listed");
    let last = names.iter().map(|entry| entry.id).max().expect("some");
    let file = volume.file(last).expect("there");
    assert!(last.record >= volume.inner.mft.first_part().expect("several"));
    file.write(b"x", 0).expect("two derivations agree");
    assert!(read(&file).starts_with(b"x"));
    plain.write(b"changed", 0).expect("both see it");
    image.store_and_check(&device);
    assert!(
        image
            .cat("plain")
            .is_none_or(|found| found.starts_with(b"changed"))
    );
}
