//! The order of writes, and the state after a crash between any two of them.

use super::*;

/// Calls `check` with the volume after each step of `steps`, and with each single write since the
/// last sync left out.
fn after_crashes(before: &[u8], steps: &[Step], mut check: impl FnMut(Vec<u8>)) {
    let apply = |bytes: &mut Vec<u8>, step: &Step| {
        if let Step::Write { offset, data } = step {
            bytes[*offset as usize..][..data.len()].copy_from_slice(data);
        }
    };
    let mut durable = before.to_vec();
    for epoch in steps.split(|step| *step == Step::Sync) {
        for end in 0..=epoch.len() {
            for left_out in (0..end).map(Some).chain([None]) {
                let mut bytes = durable.clone();
                for (index, step) in epoch[..end].iter().enumerate() {
                    if Some(index) != left_out {
                        apply(&mut bytes, step);
                    }
                }
                check(bytes);
            }
        }
        epoch.iter().for_each(|step| apply(&mut durable, step));
    }
}

fn with_log(bytes: Vec<u8>, change: impl FnOnce(&Volume)) -> (Vec<u8>, Vec<Step>) {
    let device = Recorder::new(bytes);
    change(&open(&device));
    (device.bytes(), device.steps())
}

#[test]
fn a_crash_while_a_file_grows_leaves_the_old_bytes_or_all_of_the_new() {
    for (kind, len) in KINDS {
        let before = sample(kind, len);
        let added = vec![0x77; 2000];
        let (_, steps) = with_log(before.clone(), |volume| {
            let file = volume.open_file(&path(BCD)).unwrap();
            file.write_all_at(&added, 40_000).unwrap();
        });
        assert!(steps.contains(&Step::Sync));
        let (old, new) = (store(), [store(), added].concat());
        after_crashes(&before, &steps, |bytes| {
            let volume = open(&Recorder::new(bytes));
            let found = read_all(&volume, BCD);
            assert!(found == old || found == new);
            assert_eq!(read_all(&volume, LOG).len(), 4000);
        });
    }
}

#[test]
fn a_crash_while_a_file_is_made_or_removed_harms_no_other() {
    for (kind, len) in KINDS {
        let before = sample(kind, len);
        let name = "EFI/Microsoft/Boot/another file.LOG2";
        let (made, create) = with_log(before.clone(), |volume| {
            volume.create_file(&path(name)).unwrap();
        });
        let (_, remove) = with_log(made.clone(), |volume| {
            volume.remove_file(&path(LOG)).unwrap();
        });
        for (before, steps) in [(before, create), (made, remove)] {
            after_crashes(&before, &steps, |bytes| {
                let volume = open(&Recorder::new(bytes));
                assert!(read_all(&volume, BCD) == store());
                assert_eq!(read_all(&volume, "ReadMe.txt"), b"Hello");
                match volume.open_file(&path(LOG)) {
                    Ok(_) => assert_eq!(read_all(&volume, LOG).len(), 4000),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
                }
            });
        }
    }
}

#[test]
fn clusters_are_taken_before_a_folder_names_them_and_given_back_after() {
    let mut before = sample(KINDS[2].0, KINDS[2].1);
    let geometry = open(&Recorder::new(before.clone())).inner.geometry.clone();
    // `fatfs` formats with an unknown number of free clusters, and later keeps it unknown.
    let info = geometry.fs_info.unwrap().start as usize;
    before[info + 488..][..4].copy_from_slice(&60_000_u32.to_le_bytes());
    let stages = |steps: &[Step]| -> Vec<&'static str> {
        let names = steps.iter().map(|step| match step {
            Step::Sync => "sync",
            Step::Write { offset, .. } if geometry.fs_info.unwrap().start == *offset => "info",
            Step::Write { offset, .. } if *offset < geometry.fat.start => "boot",
            Step::Write { offset, .. } if *offset < geometry.copy.unwrap().end() => "fat",
            Step::Write { data, .. } if data.ends_with(&[0x77; 100]) => "data",
            Step::Write { .. } => "folder",
        });
        let mut names: Vec<_> = names.collect();
        names.dedup();
        names
    };
    let (grown, steps) = with_log(before, |volume| {
        let file = volume.open_file(&path(BCD)).unwrap();
        file.write_all_at(&[0x77; 5056], 40_000).unwrap();
    });
    assert_eq!(
        stages(&steps),
        ["data", "sync", "fat", "sync", "folder", "sync", "info"]
    );
    let (_, steps) = with_log(grown, |volume| volume.remove_file(&path(BCD)).unwrap());
    assert_eq!(stages(&steps), ["folder", "sync", "fat", "sync", "info"]);
}
