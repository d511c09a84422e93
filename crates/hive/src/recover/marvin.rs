//! Marvin32, the checksum of log entries (regf spec, Log entries; the algorithm is described in
//! US patent 8,555,083).

/// The seed that Windows uses for log entries: bytes `82 EF 4D 88 7A 4E 55 C5`.
const SEED: (u32, u32) = (0x7A4E_55C5, 0x82EF_4D88);

/// A Marvin32 computation that accepts its data in pieces.
pub(crate) struct Marvin {
    low: u32,
    high: u32,
    /// Bytes that do not yet form a whole word.
    tail: [u8; 4],
    tail_len: usize,
}

impl Marvin {
    /// Starts with the seed of log entries.
    pub(crate) const fn new() -> Self {
        Self {
            low: SEED.0,
            high: SEED.1,
            tail: [0; 4],
            tail_len: 0,
        }
    }

    /// Adds the next bytes.
    pub(crate) fn update(&mut self, mut data: &[u8]) {
        if self.tail_len > 0 {
            while let Some((&byte, rest)) = data.split_first() {
                data = rest;
                self.push(byte);
                if self.tail_len == 0 {
                    break;
                }
            }
        }
        let (words, rest) = data.as_chunks();
        for word in words {
            self.mix(u32::from_le_bytes(*word));
        }
        for &byte in rest {
            self.push(byte);
        }
    }

    /// The hash of all bytes so far.
    pub(crate) fn finish(mut self) -> u64 {
        self.push(0x80);
        if self.tail_len > 0 {
            for slot in self.tail.iter_mut().skip(self.tail_len) {
                *slot = 0;
            }
            self.mix(u32::from_le_bytes(self.tail));
        }
        self.mix(0);
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.tail.get_mut(self.tail_len) {
            *slot = byte;
        }
        self.tail_len += 1;
        if self.tail_len == self.tail.len() {
            self.tail_len = 0;
            self.mix(u32::from_le_bytes(self.tail));
        }
    }

    const fn mix(&mut self, word: u32) {
        self.low = self.low.wrapping_add(word);
        self.high ^= self.low;
        self.low = self.low.rotate_left(20).wrapping_add(self.high);
        self.high = self.high.rotate_left(9) ^ self.low;
        self.low = self.low.rotate_left(27).wrapping_add(self.high);
        self.high = self.high.rotate_left(19);
    }
}

/// The hash of `data` with the seed of log entries.
pub(crate) fn marvin32(data: &[u8]) -> u64 {
    let mut hash = Marvin::new();
    hash.update(data);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&[u8], u64)] = &[
        (b"", 0xB39E_FCA4_0396_6E08),
        (b"r", 0xBF96_0781_D968_B87A),
        (b"re", 0x22AB_DD7B_D763_3A94),
        (b"reg", 0x85F1_674D_AA2C_FA8B),
        (b"regf", 0x419E_F36B_5445_E5AC),
        (b"regfhbin.", 0xB40E_2625_5B74_BAF3),
    ];

    /// The answers come from a second implementation, written in Python from the description. They
    /// agree with the hashes that Windows wrote to real logs.
    #[test]
    fn known_answers() {
        for (data, hash) in KNOWN {
            assert_eq!(marvin32(data), *hash, "{data:?}");
        }
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let data: Vec<u8> = (0..=255).collect();
        for cut in 0..data.len() {
            for second in [cut, cut + 1, cut + 3] {
                let second = second.min(data.len());
                let mut hash = Marvin::new();
                hash.update(&data[..cut]);
                hash.update(&data[cut..second]);
                hash.update(&data[second..]);
                assert_eq!(hash.finish(), marvin32(&data), "cuts at {cut} and {second}");
            }
        }
    }
}
