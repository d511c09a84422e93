//! A power failure between any two syncs, with any of the writes since the last sync.

use super::*;

/// The writes of `act` to the volume, grouped by syncs.
pub(super) fn record(bytes: &[u8], act: impl FnOnce(&Secure)) -> Vec<Epoch> {
    let recorder = Arc::new(Recorder::new(bytes.to_vec()));
    let volume = Volume::open(recorder.clone()).expect("a volume");
    act(&Secure::new(&volume));
    recorder.take()
}

/// Calls `check` with the volume after every power failure: all writes of some epochs, and any
/// subset of the writes of the next epoch; if there are too many subsets, some of each kind.
pub(super) fn cuts(bytes: &[u8], epochs: &[Epoch], mut check: impl FnMut(&[u8])) {
    let mut durable = bytes.to_vec();
    let put = |volume: &mut Vec<u8>, (at, data): &(u64, Vec<u8>)| {
        volume[*at as usize..][..data.len()].copy_from_slice(data);
    };
    for epoch in epochs {
        let all = 1u32 << epoch.len().min(20);
        let step = (all / 32).max(1) | 1;
        for subset in (0..all).step_by(step as usize).chain([all - 1]) {
            let mut volume = durable.clone();
            for (number, write) in epoch.iter().enumerate() {
                if subset >> (number % 20) & 1 != 0 {
                    put(&mut volume, write);
                }
            }
            check(&volume);
        }
        for write in epoch {
            put(&mut durable, write);
        }
    }
    check(&durable);
}

#[test]
fn a_cut_leaves_all_old_descriptors_and_files_with_old_or_new_ones() {
    // (380, 10, 100): $SDS needs more clusters. (0, 30, 0): both roots get blocks. (380, 60, 0):
    // leaves are divided, while others have room.
    for (count, add, more) in [
        (0, 1, 0),
        (380, 10, 2),
        (380, 10, 100),
        (0, 30, 0),
        (380, 60, 0),
    ] {
        let mut descriptors: Vec<Vec<u8>> =
            (0..count).map(|number| descriptor(number, 0)).collect();
        descriptors.resize(count as usize + 20, descriptor(5000, 0));
        let Some((image, records)) = made(8, &descriptors) else {
            return;
        };
        let before = image.device().bytes();
        let (_, secure) = open(&before);
        let files = files(&secure, &records);
        let new: Vec<Vec<u8>> = (0..add)
            .map(|number| descriptor(1000 + number, more))
            .collect();
        let epochs = record(&before, |secure| {
            let ids = secure.add(&slices(&new)).expect("room");
            let ids: Vec<SecurityId> = ids.into_iter().cycle().take(files.len()).collect();
            set(secure, &files, &ids);
        });
        let mut complete = false;
        cuts(&before, &epochs, |volume| {
            let (_, secure) = open(volume);
            complete = true;
            for ((file, old), number) in files.iter().zip(&descriptors).zip(0..) {
                let found = secure.of_file(*file).expect("sound").expect("one");
                let is_new = *found == *new[number % new.len()];
                assert!(is_new || *found == **old, "file {number}");
                complete &= is_new;
            }
            for (number, old) in descriptors.iter().enumerate().step_by(47) {
                let id = secure.id_of(old).expect("sound");
                let id = id.unwrap_or_else(|| panic!("descriptor {number}"));
                assert_eq!(*secure.descriptor(id).expect("sound"), **old);
            }
            growth::check_blocks(&secure);
            // The interrupted change can be made again.
            let ids = secure.add(&slices(&new)).expect("room");
            for (id, new) in ids.iter().zip(&new) {
                assert_eq!(*secure.descriptor(*id).expect("added"), **new);
                assert_eq!(secure.id_of(new).expect("sound"), Some(*id));
            }
        });
        assert!(complete, "nothing was cut off last");
    }
}

#[test]
fn a_cut_volume_is_sound_to_others_and_can_be_finished() {
    // Leaves have room; leaves are divided; roots get blocks.
    for (count, add) in [(380, 10), (380, 60), (20, 30)] {
        let old: Vec<Vec<u8>> = (0..count).map(|number| descriptor(number, 0)).collect();
        let Some((image, records)) = made(8, &old) else {
            return;
        };
        let before = image.device().bytes();
        let (_, secure) = open(&before);
        let files = files(&secure, &records[..10]);
        let new: Vec<Vec<u8>> = (0..add)
            .map(|number| descriptor(2000 + number, 0))
            .collect();
        let mut expected_ids = Vec::new();
        let epochs = record(&before, |secure| {
            expected_ids = secure.add(&slices(&new)).expect("room");
        });
        if add == 10 {
            assert_eq!(epochs.len(), 5, "clusters, bytes, length, $SII, $SDH");
        }
        let mut volume = before.clone();
        for (number, epoch) in epochs.iter().enumerate() {
            for (at, data) in epoch {
                volume[*at as usize..][..data.len()].copy_from_slice(data);
            }
            let (memory, secure) = open(&volume);
            store(&image, &memory);
            compare(&image, &slices(&old));
            let ids = secure.add(&slices(&new)).expect("room");
            // Bytes without an index entry keep their ids; entries of $SII are not added again.
            if add == 10 {
                let same = !(1..3).contains(&number);
                assert_eq!(ids == expected_ids, same, "cut {number}");
            }
            set(&secure, &files, &ids[..10]);
            store(&image, &memory);
            let expected: Vec<&[u8]> = new[..10]
                .iter()
                .chain(&old[10..])
                .map(Vec::as_slice)
                .collect();
            compare(&image, &expected);
            // Another program can add descriptors afterwards.
            let theirs: Vec<Vec<u8>> = (0..15).map(|number| descriptor(9000 + number, 0)).collect();
            set_files(&image, &theirs);
            let expected: Vec<&[u8]> = theirs.iter().chain(&old[15..]).map(Vec::as_slice).collect();
            compare(&image, &expected);
            image.check();
        }
        check(&image);
    }
}
