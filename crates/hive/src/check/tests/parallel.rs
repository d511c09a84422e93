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
