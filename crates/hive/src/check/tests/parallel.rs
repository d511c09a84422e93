//! Several threads find the same as one thread.

use super::*;

#[path = "../../../tests/support/system_like.rs"]
mod system_like;

const LEN: usize = 1 << 20;

fn compare(file: Vec<u8>) -> Report {
    let hive = Bytes(file).hive();
    let alone = check_with(&hive, 1);
    for threads in [2, 3, 8] {
        assert_eq!(check_with(&hive, threads), alone, "{threads} threads");
    }
    alone
}

#[test]
fn a_sound_hive() {
    let report = compare(system_like::system_like(LEN));
    assert_eq!(report.problems, []);
    assert!(report.content.keys > 1500);
}

#[test]
fn spoilt_hives() {
    let sound = system_like::system_like(LEN);
    let mut seed = 0x5EED_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let mut unsound = 0;
    for round in 0..10 {
        let mut file = sound.clone();
        for _ in 0..1 << round {
            let at = BASE_BLOCK_LEN + random(file.len() - BASE_BLOCK_LEN);
            file[at] = random(256) as u8;
        }
        unsound += usize::from(!compare(file).is_sound());
    }
    assert!(unsound > 5);
}

/// A hive with a key whose subkeys several threads share.
fn wide() -> Bytes {
    Bytes::edited(|editor| {
        for number in 0..5000 {
            let name = format!("Wide\\{number:05}");
            editor.create_key(&name).expect("created");
            if number % 500 == 0 {
                editor
                    .set_value(&name, "v", ValueType::BINARY, &[0; 8])
                    .expect("set");
                editor.create_key(&format!("{name}\\sub")).expect("created");
            }
        }
    })
}

/// The cells of the leaves of the wide key's index root.
fn leaves(bytes: &Bytes) -> Vec<u32> {
    let root = bytes.number(bytes.key("Wide"), 28);
    assert_eq!(
        bytes.number(root, 0) & 0xFFFF,
        u32::from(u16::from_le_bytes(*b"ri"))
    );
    let count = bytes.number(root, 0) >> 16;
    (0..count as usize)
        .map(|leaf| bytes.number(root, 4 + 4 * leaf))
        .collect()
}

#[test]
fn a_sound_list_that_threads_share() {
    let bytes = wide();
    assert!(leaves(&bytes).len() > 4);
    let report = compare(bytes.0);
    assert_eq!(report.problems, []);
    assert_eq!((report.content.keys, report.content.values), (5012, 10));
}

#[test]
fn faults_of_a_list_that_threads_share() {
    // Two leaves in the wrong order.
    let mut bytes = wide();
    let root = bytes.number(bytes.key("Wide"), 28);
    let (second, third) = (bytes.number(root, 8), bytes.number(root, 12));
    bytes.put_number(root, 8, third);
    bytes.put_number(root, 12, second);
    let report = compare(bytes.0);
    assert_eq!(kinds(&report), BTreeSet::from([ProblemKind::SubkeyOrder]));
    assert_eq!(report.errors, 1);

    // A leaf twice, a leaf that is none, and a leaf that states too few elements.
    for (field, number) in [(8, 0), (8, 1 << 30), (0, 0)] {
        let mut bytes = wide();
        let root = bytes.number(bytes.key("Wide"), 28);
        match (field, number) {
            (0, _) => bytes.put(leaves(&bytes)[2], 2, &[7, 0]),
            (_, 0) => bytes.put_number(root, 8, leaves(&bytes)[2]),
            _ => bytes.put_number(root, 8, number),
        }
        assert!(!compare(bytes.0).is_sound());
    }

    // The wrong longest name, and the first key of a leaf again as the last of the leaf before it.
    let mut bytes = wide();
    bytes.put(bytes.key("Wide"), 52, &[2, 0]);
    assert_eq!(
        kinds(&compare(bytes.0)),
        BTreeSet::from([ProblemKind::MaxSubkeyName])
    );
    let mut bytes = wide();
    let [first, second, ..] = leaves(&bytes)[..] else {
        panic!("too few leaves")
    };
    let last = 4 + 8 * ((bytes.number(first, 0) >> 16) as usize - 1);
    bytes.put_number(first, last, bytes.number(second, 4));
    let found = kinds(&compare(bytes.0));
    assert!(
        found.contains(&ProblemKind::CellReferencedTwice),
        "{found:?}"
    );
}

#[test]
fn spoilt_lists_that_threads_share() {
    let sound = wide().0;
    let mut seed = 0xBAD_5EED_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    for round in 0..8 {
        let mut bytes = Bytes(sound.clone());
        let leaves = leaves(&bytes);
        for _ in 0..1 << round {
            // An element of a leaf gets the cell of another one.
            let (from, to) = (leaves[random(leaves.len())], leaves[random(leaves.len())]);
            let cell = bytes.number(from, 4 + 8 * random(100));
            bytes.put_number(to, 4 + 8 * random(100), cell);
        }
        compare(bytes.0);
    }
}

#[test]
fn a_hive_whose_data_look_like_a_bin() {
    // The data of one value fill several bins. Each page of the data starts like the header of a
    // bin at this offset.
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("A").expect("created");
        for number in 0..200 {
            let name = number.to_string();
            editor
                .set_value("A", &name, ValueType::BINARY, &[0; 16_000])
                .expect("set");
        }
    });
    let headers: Vec<usize> = {
        let hive = bytes.hive();
        let bins = hive.image().bins();
        (0..bins.len())
            .step_by(4096)
            .filter(|&at| &bins[at..at + 4] != b"hbin")
            .collect()
    };
    assert!(headers.len() > 300);
    for at in headers {
        let header = at as u32 - 4;
        bytes.put(header, 0, b"hbin");
        bytes.put_number(header, 4, at as u32);
        bytes.put_number(header, 8, 4096);
    }
    let report = compare(bytes.0);
    assert_eq!(report.problems, []);
}

#[test]
fn memory_for_more_threads_is_limited() {
    assert_eq!(threads_for(1 << 20, 8), 1);
    assert_eq!(threads_for(4 << 20, 64), MAX_THREADS);
    assert_eq!(threads_for(128 << 20, 8), 2);
    assert_eq!(threads_for(1 << 30, 8), 1);
}
