use proptest::prelude::*;

use super::*;

/// The example of [MS-XCA] 3.3, and its text.
const EXAMPLE: [u8; 56] = [
    0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xA2, 0x47, 0x01,
    0xA0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xC0, 0x45, 0x20, 0x05, 0x24,
    0x13, 0x88, 0x05, 0xB4, 0x02, 0x4A, 0x44, 0xEF, 0x03, 0x58, 0x02, 0x8C, 0x09, 0x16, 0x01, 0x48,
    0x45, 0x00, 0xBE, 0x00, 0x9E, 0x00, 0x04, 0x01,
];
const EXAMPLE_END: [u8; 4] = [0x18, 0x90, 0x00, 0x00];
const TEXT: &str = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E \
                    F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D";

#[test]
fn the_example_of_the_specification_is_read() {
    let data = [&EXAMPLE[..], &EXAMPLE_END].concat();
    // The data do not contain the second chunk.
    let mut out = [0xEE; 2 * CHUNK];
    decompress(&data, &mut out).expect("sound");
    assert_eq!(&out[..TEXT.len()], TEXT.as_bytes());
    assert!(out[TEXT.len()..].iter().all(|byte| *byte == 0));
}

/// Compresses in a simple way: with the longest match of a short search.
fn compress(data: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in data.chunks(CHUNK) {
        let mut body = Vec::new();
        let mut at = 0;
        while at < chunk.len() {
            let flags_at = body.len();
            body.push(0);
            for bit in 0..8 {
                if at >= chunk.len() {
                    break;
                }
                let (max_distance, max_len) = (0..13)
                    .map(|bits| (1_usize << bits, (1_usize << (16 - bits)) + 2))
                    .find(|(distance, _)| *distance >= at.max(16))
                    .expect("within a chunk");
                let best = (at.saturating_sub(max_distance)..at)
                    .map(|from| {
                        let pairs = chunk[from..].iter().zip(&chunk[at..]);
                        let len = pairs.take_while(|(a, b)| a == b).count();
                        (len.min(max_len), at - from)
                    })
                    .max_by_key(|(len, _)| *len);
                match best {
                    Some((len, distance)) if len >= 3 => {
                        body[flags_at] |= 1 << bit;
                        let len_bits = (max_len - 2).ilog2();
                        let token = (distance - 1) << len_bits | (len - 3);
                        body.extend(u16::try_from(token).expect("16 bits").to_le_bytes());
                        at += len;
                    }
                    _ => {
                        body.push(chunk[at]);
                        at += 1;
                    }
                }
            }
        }
        let (flag, body) = if body.len() < chunk.len() {
            (COMPRESSED, body.as_slice())
        } else {
            (0, chunk)
        };
        let len = u16::try_from(body.len() - 1).expect("short");
        all.extend((len | SIGNATURE | flag).to_le_bytes());
        all.extend(body);
    }
    all
}

#[test]
fn data_compressed_in_another_way_are_read() {
    for seed in 0..12_u32 {
        let mut state = seed * 7919 + 1;
        let data: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // With more bits, the data repeat less.
            (state >> 24) as u8 & ((1_u16 << (seed % 9)) - 1) as u8
        })
        .take(9000 + seed as usize * 17)
        .collect();
        let mut out = vec![0xEE; data.len().next_multiple_of(CHUNK)];
        decompress(&compress(&data), &mut out).expect("sound");
        assert_eq!(&out[..data.len()], data, "{seed}");
        assert!(out[data.len()..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn hostile_chunks_are_refused() {
    let cases: [(&[u8], Lznt1Error); 6] = [
        (&[0x00, 0x80], Lznt1Error::Signature),
        (&[0x03, 0xB0, 0, 1], Lznt1Error::Short),
        // A reference without its second byte, and a reference at the start.
        (&[0x01, 0xB0, 1, 0], Lznt1Error::Short),
        (&[0x02, 0xB0, 1, 0, 0], Lznt1Error::Reference),
        (&[0x04, 0xB0, 2, 7, 0, 0x20], Lznt1Error::Short),
        // 'a', then a reference that repeats it 4098 times.
        (&[0x03, 0xB0, 2, 0x61, 0xFF, 0x0F], Lznt1Error::Long),
    ];
    for (data, error) in cases {
        assert_eq!(decompress(data, &mut [0; 4096]), Err(error), "{data:x?}");
    }
    let two = [0x00, 0x30, 1, 0x00, 0x30, 1];
    assert_eq!(decompress(&two, &mut [0; 4096]), Err(Lznt1Error::Long));
    let mut out = [9; 8192];
    decompress(&two, &mut out).expect("room");
    assert_eq!((out[0], out[1], out[4096], out[4097]), (1, 0, 1, 0));
}

proptest! {
    #[test]
    fn any_bytes_give_bytes_or_an_error(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decompress(&data, &mut [0; 8192]);
    }
}
