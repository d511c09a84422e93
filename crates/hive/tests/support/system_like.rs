//! Makes a large hive that resembles a SYSTEM hive: 2 to 3 values and 8 subkeys for each key, 60 to
//! 70 bytes for each cell. The cells of a key are spread over several bins, as if all were filled
//! at once.

/// The number of bins to which new cells are added in turn.
const OPEN_BINS: usize = 48;
const PAGE: usize = 4096;
const NIL: u32 = u32::MAX;
const SECURITY_CELLS: usize = 64;
/// The maximum number of elements of one leaf.
const LEAF: usize = 507;

/// A descriptor without owner, group and lists.
const DESCRIPTOR: [u8; 20] = [
    1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// A hive file of format 1.5 with bins of about `len` bytes in all.
pub(super) fn system_like(len: usize) -> Vec<u8> {
    let mut hive = Builder {
        bins: Vec::with_capacity(len + (1 << 20)),
        open: Vec::new(),
        seed: 0x0123_4567_89AB_CDEF,
        security: Vec::new(),
    };
    // The root gets a bin of its own, so that its offset is known before its subkeys are made.
    hive.open_bin(PAGE);
    let root = hive.cell(&[0; 76 + 4]);
    for _ in 0..SECURITY_CELLS {
        let cell = hive.cell(&[0; 20 + DESCRIPTOR.len()]);
        hive.security.push((cell, 0));
    }
    let mut groups = Vec::new();
    while hive.bins.len() < len {
        let name = format!("Group{:05}", groups.len());
        let cell = hive.subtree(&name, root, 3);
        groups.push((cell, name));
    }
    hive.key(root, "ROOT", NIL, &groups, 0x2C);
    hive.finish(root)
}

struct Builder {
    bins: Vec<u8>,
    /// The first unused byte and the end of each bin that has room.
    open: Vec<(usize, usize)>,
    seed: u64,
    /// The offset and the reference count of each security cell.
    security: Vec<(u32, u32)>,
}

impl Builder {
    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 33) as usize % below
    }

    fn open_bin(&mut self, len: usize) -> usize {
        let start = self.bins.len();
        self.bins.resize(start + len, 0);
        self.bins[start..start + 4].copy_from_slice(b"hbin");
        self.put(start + 4, start as u32);
        self.put(start + 8, len as u32);
        self.open.push((start + 32, start + len));
        self.open.len() - 1
    }

    fn put(&mut self, at: usize, number: u32) {
        self.bins[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    fn cell(&mut self, payload: &[u8]) -> u32 {
        let len = (payload.len() + 4).next_multiple_of(8);
        let mut slot = self.random(OPEN_BINS);
        if self.open.get(slot).is_none_or(|(at, end)| end - at < len) {
            if let Some((at, end)) = self.open.get(slot).copied() {
                self.close(at, end);
                self.open.swap_remove(slot);
            }
            slot = self.open_bin((len + 32).next_multiple_of(PAGE));
        }
        let at = self.open[slot].0;
        self.open[slot].0 += len;
        self.put(at, (len as u32).wrapping_neg());
        self.bins[at + 4..at + 4 + payload.len()].copy_from_slice(payload);
        at as u32
    }

    fn close(&mut self, at: usize, end: usize) {
        if at < end {
            self.put(at, (end - at) as u32);
        }
    }

    /// A key with `levels` levels of eight subkeys each below it.
    fn subtree(&mut self, name: &str, parent: u32, levels: usize) -> u32 {
        let cell = self.cell(&vec![0; 76 + name.len()]);
        let mut subkeys = Vec::new();
        if levels > 0 {
            for number in 0..8 {
                let name = match number % 3 {
                    0 => format!("{number:04}"),
                    1 => format!("{number:04}Parameters"),
                    _ => format!("{number:04}{{4d36e972-e325-11ce-bfc1-08002be10318}}"),
                };
                subkeys.push((self.subtree(&name, cell, levels - 1), name));
            }
        }
        self.key(cell, name, parent, &subkeys, 0x20);
        cell
    }

    /// Fills in the key node at `cell`, with its values and its subkey list.
    fn key(&mut self, cell: u32, name: &str, parent: u32, subkeys: &[(u32, String)], flags: u16) {
        let count = self.random(6);
        let values: Vec<u32> = (0..count).map(|number| self.value(number)).collect();
        let value_list = if values.is_empty() {
            NIL
        } else {
            self.cell(&numbers(&values))
        };
        let list = self.list(subkeys);
        let longest = subkeys.iter().map(|(_, name)| name.len() * 2).max();
        let security = self.random(SECURITY_CELLS);
        self.security[security].1 += 1;

        let mut node = Vec::from(*b"nk");
        node.extend(flags.to_le_bytes());
        node.extend([0; 12]);
        node.extend(numbers(&[
            parent,
            subkeys.len() as u32,
            0,
            list,
            NIL,
            values.len() as u32,
            value_list,
            self.security[security].0,
            NIL,
            longest.unwrap_or(0) as u32,
            0,
            64,
            1024,
            0,
        ]));
        node.extend((name.len() as u16).to_le_bytes());
        node.extend([0; 2]);
        node.extend(name.as_bytes());
        let at = cell as usize + 4;
        self.bins[at..at + node.len()].copy_from_slice(&node);
    }

    fn list(&mut self, subkeys: &[(u32, String)]) -> u32 {
        let leaves: Vec<u32> = subkeys
            .chunks(LEAF)
            .map(|part| {
                let mut leaf = Vec::from(*b"lh");
                leaf.extend((part.len() as u16).to_le_bytes());
                for (cell, name) in part {
                    let hash = name.bytes().fold(0u32, |hash, byte| {
                        hash.wrapping_mul(37)
                            .wrapping_add(u32::from(byte.to_ascii_uppercase()))
                    });
                    leaf.extend(numbers(&[*cell, hash]));
                }
                self.cell(&leaf)
            })
            .collect();
        match leaves[..] {
            [] => NIL,
            [leaf] => leaf,
            _ => {
                let mut root = Vec::from(*b"ri");
                root.extend((leaves.len() as u16).to_le_bytes());
                root.extend(numbers(&leaves));
                self.cell(&root)
            }
        }
    }

    fn value(&mut self, number: usize) -> u32 {
        let name = [
            "Start",
            "DisplayName",
            "ImagePath",
            "Security",
            "Tag",
            "ConfigFlags",
        ][number];
        let (size, data, kind) = match number % 3 {
            0 => (0x8000_0004, 2, 4),
            1 => {
                let len = 2 * (8 + self.random(32));
                (len as u32, self.cell(&vec![b'a'; len]), 1)
            }
            _ => {
                let len = 16 + self.random(64);
                (len as u32, self.cell(&vec![7; len]), 3)
            }
        };
        let mut value = Vec::from(*b"vk");
        value.extend((name.len() as u16).to_le_bytes());
        value.extend(numbers(&[size, data, kind]));
        value.extend([1, 0, 0, 0]);
        value.extend(name.as_bytes());
        self.cell(&value)
    }

    fn finish(mut self, root: u32) -> Vec<u8> {
        for (at, end) in std::mem::take(&mut self.open) {
            self.close(at, end);
        }
        let count = self.security.len();
        for index in 0..count {
            let (cell, references) = self.security[index];
            let mut security = Vec::from(*b"sk\0\0");
            security.extend(numbers(&[
                self.security[(index + 1) % count].0,
                self.security[(index + count - 1) % count].0,
                references,
                DESCRIPTOR.len() as u32,
            ]));
            security.extend(DESCRIPTOR);
            let at = cell as usize + 4;
            self.bins[at..at + security.len()].copy_from_slice(&security);
        }
        let mut file = vec![0; PAGE];
        let fields: [(usize, u32); 8] = [
            (4, 1),
            (8, 1),
            (20, 1),
            (24, 5),
            (32, 1),
            (36, root),
            (40, self.bins.len() as u32),
            (44, 1),
        ];
        file[..4].copy_from_slice(b"regf");
        for (at, number) in fields {
            file[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let sum = file[..508].as_chunks::<4>().0.iter();
        let sum = sum.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
        file[508..512].copy_from_slice(&sum.to_le_bytes());
        file.append(&mut self.bins);
        file
    }
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}
