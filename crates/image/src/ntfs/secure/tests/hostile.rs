//! Volumes with a `$Secure` that was damaged on purpose.

use super::*;

/// Pseudo-random numbers that are equal in each run (a linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// The places to damage: the record of `$Secure`, the blocks of both indexes, and the start of
/// `$SDS`.
fn places(secure: &Secure) -> Vec<(usize, usize)> {
    let record = secure.volume.inner.mft.read_any(9).expect("a record");
    let store = Store::open(&secure.volume.inner.mft).expect("sound");
    let mut places = vec![(record.offset() as usize, 700)];
    for offset in store.block_offsets() {
        places.push((offset as usize, 0x600));
    }
    let sds = store.sds.layout.position(0).expect("allocated");
    places.push((sds as usize, 4096));
    places
}

#[test]
fn damage_gives_errors_or_old_descriptors_and_never_a_panic() {
    let old: Vec<Vec<u8>> = (0..230).map(|number| descriptor(number, 0)).collect();
    let Some((image, records)) = made(8, &old) else {
        return;
    };
    let sound = image.device().bytes();
    let memory = Arc::new(Recorder::new(sound.clone()));
    let secure = Secure::new(&Volume::open(memory.clone()).expect("a volume"));
    let files = files(&secure, &records);
    let places = places(&secure);
    assert!(places.len() > 6);
    let mut numbers = Numbers(1);
    let few = vec![descriptor(1000, 0), descriptor(1001, 3)];
    // These are so many that leaves are divided.
    let many: Vec<Vec<u8>> = (0..60).map(|number| descriptor(1000 + number, 0)).collect();
    let mut refused = 0;
    let mut added = 0;
    for _ in 0..400 {
        let mut undo = Vec::new();
        for _ in 0..=numbers.below(3) {
            let (at, len) = places[numbers.below(places.len())];
            let at = (at + numbers.below(len)) as u64;
            let mut byte = [0];
            memory.read_exact_at(&mut byte, at).expect("inside");
            undo.push((at, byte));
            let new = match numbers.below(3) {
                0 => 0xFF,
                1 => 0,
                _ => byte[0] ^ (1 << numbers.below(8)),
            };
            memory.write_all_at(&[new], at).expect("inside");
        }
        let secure = Secure::new(&secure.volume);
        let chosen = numbers.below(20);
        let chosen = files.iter().zip(&old).skip(chosen).step_by(20);
        let mut readable = Vec::new();
        for (file, old) in chosen {
            match secure.of_file(*file) {
                Ok(found) => {
                    assert_eq!(found.as_deref(), Some(&**old));
                    readable.push((file, old));
                }
                Err(_) => refused += 1,
            }
        }
        memory.take();
        let new = match numbers.below(2) {
            0 => &few,
            _ => &many,
        };
        match secure.add(&slices(new)) {
            Ok(ids) => {
                added += 1;
                for (id, new) in ids.iter().zip(new) {
                    assert_eq!(*secure.descriptor(*id).expect("added"), **new);
                }
                let secure = Secure::new(&secure.volume);
                for (file, old) in readable {
                    let found = secure.of_file(*file).expect("as before");
                    assert_eq!(found.as_deref(), Some(&**old));
                }
                for (at, bytes) in memory.take().iter().flatten() {
                    let old = &sound[*at as usize..][..bytes.len()];
                    memory.write_all_at(old, *at).expect("inside");
                }
            }
            Err(_) => assert!(memory.take().is_empty(), "refused before the first write"),
        }
        for (at, byte) in undo.iter().rev() {
            memory.write_all_at(byte, *at).expect("inside");
        }
    }
    assert!(refused > 50 && added > 50, "{refused} {added}");
}
