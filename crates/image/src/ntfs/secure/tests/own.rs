//! Files with descriptors of their own. ntfs-3g makes them if it is mounted without `permissions`,
//! and mkntfs gives one to the root folder.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::crash::{cuts, record};
use super::image::descriptor_of;
use super::*;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::metadata::Kind;
use crate::ntfs::place::Extent;

/// The files in the root folder; the root folder itself is the first.
struct Made {
    image: Image,
    names: Vec<String>,
    records: Vec<u64>,
    /// The descriptors that the mounted volume shows.
    old: Vec<Vec<u8>>,
}

impl Made {
    /// A volume on which `fill` makes files and returns their names.
    fn new(mebibytes: u64, fill: impl FnOnce(&std::path::Path) -> Vec<String>) -> Option<Self> {
        let image = Image::make(mebibytes, &[])?;
        let mut names = vec![String::new()];
        let made = image.mounted("rw", |folder| {
            names.extend(fill(folder));
            let paths = names.iter().map(|name| folder.join(name));
            paths
                .map(|path| {
                    let record = fs::metadata(&path).expect("metadata").ino();
                    (record, descriptor_of(&path))
                })
                .unzip()
        });
        let (records, old) = made?;
        Some(Self {
            image,
            names,
            records,
            old,
        })
    }

    fn compare(&self, expected: &[u8]) {
        self.image.mounted("permissions", |folder| {
            for name in &self.names {
                assert!(descriptor_of(&folder.join(name)) == expected, "{name}");
            }
        });
    }
}

/// The clusters of the descriptor of the root folder.
fn clusters_of_root(secure: &Secure) -> Vec<Extent> {
    let inner = &secure.volume.inner;
    let root = Records::read_system(&inner.mft, 5).expect("sound");
    let stream = Stream::of(
        inner.mft.disk(),
        &root,
        attribute_type::SECURITY_DESCRIPTOR,
        "",
    );
    let stream = stream.expect("sound");
    let layout = stream.as_ref().and_then(|stream| stream.layout());
    layout.map_or_else(Vec::new, |layout| layout.extents().collect())
}

fn is_used(secure: &Secure, extent: Extent) -> bool {
    let bitmap = Bitmap::open(&secure.volume.inner.mft).expect("sound");
    bitmap.are_used(extent).expect("sound")
}

#[test]
fn files_with_and_without_data_and_folders_get_an_id_instead() {
    let contents = |number: usize| vec![number as u8; number * 8];
    let made = Made::new(16, |folder| {
        let mut names = Vec::new();
        // Among them are full records, and data outside the record.
        for number in 0..90 {
            names.push(format!("f{number}"));
            fs::write(folder.join(&names[number]), contents(number)).expect("a file");
        }
        for (name, children) in [("none", 0), ("few", 3), ("many", 100)] {
            fs::create_dir(folder.join(name)).expect("a folder");
            for child in 0..children {
                fs::write(folder.join(format!("{name}/{child}")), "x").expect("a file");
            }
            names.push(name.to_owned());
        }
        names
    });
    let Some(made) = made else {
        return;
    };
    let (memory, secure) = open(&made.image.device().bytes());
    let files = files(&secure, &made.records);
    for ((found, file), old) in secure.of_files(&files).iter().zip(&files).zip(&made.old) {
        assert!(matches!(found, Ok(FileSecurity::Own)), "{found:?}");
        let bytes = secure.of_file(*file).expect("sound");
        assert_eq!(bytes.as_deref(), Some(&**old));
    }
    let read = |record: u64| secure.volume.inner.mft.read_any(record).expect("sound");
    let fullest = made.records.iter().map(|record| read(*record).free_len());
    assert!(fullest.min() < Some(24), "no record is full");
    let [root] = clusters_of_root(&secure)[..] else {
        panic!("mkntfs gives the root folder one that is not resident");
    };
    let new = descriptor(1, 5);
    let ids = secure.add(&[&new]).expect("room");
    let free = secure.volume.free_bytes().expect("sound");
    set(&secure, &files, &vec![ids[0]; files.len()]);
    assert!(!is_used(&secure, root));
    let cluster_len = u64::from(secure.volume.inner.mft.disk().geometry.cluster_len);
    let given_back = secure.volume.free_bytes().expect("sound") - free;
    assert_eq!(given_back, root.len * cluster_len);
    for found in secure.of_files(&files) {
        assert_eq!(found.expect("sound"), FileSecurity::Shared(ids[0]));
    }
    store(&made.image, &memory);
    check(&made.image);
    made.compare(&new);
    for name in ["", "/f0", "/f5", "/f80", "/f89", "/none", "/many"] {
        if let Some(told) = made.image.info(&format!("/{name}")) {
            assert!(!told.contains("$SECURITY_DESCRIPTOR"), "{told}");
            let id = format!("Security ID:\t\t {} ", ids[0].0);
            assert!(told.contains(&id), "{told}");
        }
    }
    made.image.mounted("permissions", |folder| {
        for number in 0..90 {
            let found = fs::read(folder.join(format!("f{number}"))).expect("readable");
            assert!(found == contents(number), "file {number}");
        }
        let count = |name| fs::read_dir(folder.join(name)).expect("readable").count();
        assert_eq!([count("none"), count("few"), count("many")], [0, 3, 100]);
        // Other files can use the room in the records and the clusters.
        for number in 0..90 {
            fs::write(folder.join(format!("f{number}")), [7; 9000]).expect("room");
        }
    });
    made.image.check();
    made.compare(&new);
}

#[test]
fn two_thousand_files_are_set_at_once() {
    let made = Made::new(32, |folder| {
        let names: Vec<String> = (0..2000).map(|number| format!("f{number}")).collect();
        for name in &names {
            fs::write(folder.join(name), name).expect("a file");
        }
        names
    });
    let Some(made) = made else {
        return;
    };
    let recorder = Arc::new(Recorder::new(made.image.device().bytes()));
    let secure = Secure::new(&Volume::open(recorder.clone()).expect("a volume"));
    let files = files(&secure, &made.records);
    let new = descriptor(1, 0);
    let ids = secure.add(&[&new]).expect("room");
    recorder.take();
    set(&secure, &files, &vec![ids[0]; files.len()]);
    let epochs = recorder.take();
    assert_eq!(epochs.len(), 2, "records, then $Bitmap");
    assert!(epochs[0].len() < 40, "neighbours are written together");
    store(&made.image, &recorder.memory);
    check(&made.image);
    made.compare(&new);
    // Nothing is written if the id is already there.
    set(&secure, &files, &vec![ids[0]; files.len()]);
    assert!(recorder.take().is_empty());
}

#[test]
fn a_cut_leaves_the_own_descriptor_or_the_id_and_frees_no_used_cluster() {
    let made = Made::new(8, |folder| {
        let names: Vec<String> = (0..12).map(|number| format!("f{number}")).collect();
        for (number, name) in names.iter().enumerate() {
            fs::write(folder.join(name), vec![1; number * 60]).expect("a file");
        }
        names
    });
    let Some(made) = made else {
        return;
    };
    let before = made.image.device().bytes();
    let (_, secure) = open(&before);
    let files = files(&secure, &made.records);
    let [root] = clusters_of_root(&secure)[..] else {
        panic!("one place");
    };
    let new = descriptor(1, 0);
    let epochs = record(&before, |secure| {
        let ids = secure.add(&[&new]).expect("room");
        // The files are set one by one, so that each write can be interrupted.
        for file in &files {
            set(secure, &[*file], &ids);
        }
    });
    let at_once = record(&before, |secure| {
        let ids = secure.add(&[&new]).expect("room");
        set(secure, &files, &vec![ids[0]; files.len()]);
    });
    for epochs in [epochs, at_once] {
        let mut last = 0;
        let mut leaked = false;
        cuts(&before, &epochs, |volume| {
            let (_, secure) = open(volume);
            let mut done = 0;
            for (file, old) in files.iter().zip(&made.old) {
                let found = secure.of_file(*file).expect("sound").expect("one");
                let is_new = *found == *new;
                assert!(is_new || *found == **old, "{file}");
                done += usize::from(is_new);
            }
            let is_named = !clusters_of_root(&secure).is_empty();
            let is_used = is_used(&secure, root);
            assert!(is_used || !is_named);
            leaked |= is_used && !is_named;
            last = done;
            // The interrupted change can be made again.
            let ids = secure.add(&[&new]).expect("room");
            set(&secure, &files, &vec![ids[0]; files.len()]);
            let found = secure.of_files(&files);
            assert!(
                found
                    .iter()
                    .all(|found| matches!(found, Ok(FileSecurity::Shared(_))))
            );
        });
        assert_eq!(last, files.len(), "nothing was cut off last");
        assert!(leaked, "records come before $Bitmap");
    }
}

#[test]
fn a_file_that_differs_from_the_expectation_is_not_set() {
    let made = Made::new(8, |folder| {
        fs::write(folder.join("f0"), "x").expect("a file");
        vec!["f0".to_owned()]
    });
    let Some(made) = made else {
        return;
    };
    let (memory, secure) = open(&made.image.device().bytes());
    let ids = secure.add(&[&descriptor(1, 0)]).expect("room");
    let before = memory.bytes();
    let file = files(&secure, &made.records)[1];
    let members = Members::of(&secure, &[file]);
    let change = members.change(0, ids[0]);
    let set_if = |expected: FileSecurity| {
        let set = secure.set(&[change], |_, _, now| now == expected);
        set.expect("checked").remove(0).expect("not refused")
    };
    for from in [FileSecurity::Shared(ids[0]), FileSecurity::None] {
        assert!(!set_if(from), "it has its own");
    }
    assert!(memory.bytes() == before);
    assert!(set_if(FileSecurity::Own));
    let after = memory.bytes();
    assert!(!set_if(FileSecurity::Own), "it has an id");
    assert!(set_if(FileSecurity::Shared(ids[0])), "it has this id");
    assert!(memory.bytes() == after);
}

#[test]
fn files_are_given_ids_by_their_kind() {
    let made = Made::new(8, |folder| {
        let names: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
        for name in &names {
            fs::write(folder.join(name), name).expect("a file");
        }
        names
    });
    let Some(made) = made else {
        return;
    };
    let (memory, secure) = open(&made.image.device().bytes());
    let ids = secure.add(&[&descriptor(1, 0)]).expect("room");
    let mut files = files(&secure, &made.records);
    let stale = FileId {
        sequence: files[3].sequence ^ 1,
        ..files[3]
    };
    files.extend([files[2], stale]);
    let (twice, gone) = (files.len() - 2, files.len() - 1);
    let before = secure.of_files(&files);
    let mut asked = Vec::new();
    let members = Members::of(&secure, &files);
    let changes: Vec<_> = (0..files.len())
        .map(|index| members.change(index, ids[0]))
        .collect();
    let set = secure.set(&changes, |index, found, security| {
        asked.push(index);
        assert_eq!(Some(&security), before[index].as_ref().ok());
        found.kind == Kind::File && index % 2 == 0
    });
    let set = set.expect("written");
    asked.sort_unstable();
    assert_eq!(asked, (0..twice).collect::<Vec<_>>());
    assert!(matches!(set[twice], Err(SecurityError::Twice(_))));
    assert!(matches!(set[gone], Err(SecurityError::Volume(_))));
    assert!(set[..twice].iter().all(Result::is_ok));
    let after = secure.of_files(&files);
    for index in 0..twice {
        let kind = secure.volume.metadata(files[index]).expect("there").kind;
        let expected = if kind == Kind::File && index % 2 == 0 {
            FileSecurity::Shared(ids[0])
        } else {
            *before[index].as_ref().expect("there")
        };
        assert_eq!(after[index].as_ref().ok(), Some(&expected), "{index}");
    }
    let written = memory.bytes();
    let none = secure.set(&changes, |_, _, _| false).expect("looked at");
    assert!(none[..twice].iter().all(|set| matches!(set, Ok(false))));
    assert!(memory.bytes() == written);
}

#[test]
fn clusters_that_belong_to_the_volume_are_not_given_back() {
    let Some(image) = Image::make(8, &[]) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let mft = &secure.volume.inner.mft;
    let ids = secure.add(&[&descriptor(1, 0)]).expect("room");
    let mut root = mft.read_any(5).expect("sound");
    let own = root.find(attribute_type::SECURITY_DESCRIPTOR, "");
    let at = own.expect("there").place();
    let geometry = &mft.disk().geometry;
    let end = geometry.clusters - 1;
    for (lcn, why) in [
        (0, "own structures"),
        (geometry.mft.0, "own structures"),
        (end - 1, "not used"),
    ] {
        let run = crate::ntfs::runs::Run {
            vcn: 0,
            lcn: Some(crate::ntfs::place::Lcn(lcn)),
            len: 1,
        };
        let pairs = crate::ntfs::runs::encode(&[run]).expect("fits");
        root.set_mapping_pairs(at, &pairs, 0).expect("room");
        let header = root.non_resident_mut(at).expect("there");
        header.allocated_size = u64::from(geometry.cluster_len).into();
        header.data_size = 100.into();
        header.initialized_size = 100.into();
        mft.write(&mut root).expect("written");
        let before = memory.bytes();
        let change = Change {
            member: Member::root(root.id()),
            to: ids[0],
        };
        let refused = secure.set(&[change], |_, _, now| now == FileSecurity::Own);
        let refused = refused.expect("checked").remove(0);
        let error = refused.expect_err("not its own");
        assert!(error.to_string().contains(why), "{error}");
        assert!(memory.bytes() == before);
    }
}
