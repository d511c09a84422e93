//! The inputs of the targets for hives: a fixture, changes of its cells, bins and log entries, and
//! a rest that says what to do with the hive.
//!
//! ```text
//! number of the fixture u8 | flags u8 | change | change | ... | 0 u8 | the rest
//! change: kind u8, not 0 | place u16 | distance u8 | value
//! ```
//!
//! An input that begins like a hive is a hive.

use std::sync::OnceLock;

use diskmend_hive::checksum;
use xtask::fixtures;

use crate::image::Script;

/// Flag: the checksums and hashes are left wrong. Otherwise they are corrected, so that the reader
/// gets past them to the changes.
const UNSEALED: u8 = 1;
/// The number of bytes before the first bin.
const FIRST_BIN: usize = 4096;
/// The length of the field before a cell's content.
const CELL_SIZE: usize = 4;
/// The maximum number of changes.
const MAX_CHANGES: usize = 16;

const SIGNATURES: [&[u8]; 12] = [
    b"nk", b"vk", b"sk", b"lf", b"lh", b"li", b"ri", b"db", b"hbin", b"HvLE", b"DIRT", b"regf",
];

/// A file of a fixture, with the offsets of its structures.
struct Base {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Base {
    fn new(bytes: Vec<u8>) -> Self {
        let begins = |at: &usize| {
            let rest = bytes.get(*at..).unwrap_or_default();
            SIGNATURES
                .iter()
                .any(|signature| rest.starts_with(signature))
        };
        let places = (0..bytes.len()).step_by(4).filter(begins).collect();
        Self { bytes, places }
    }

    fn place(&self, number: u16) -> usize {
        let place = self
            .places
            .get(usize::from(number) % self.places.len().max(1));
        place.copied().unwrap_or_default()
    }
}

/// The primary file and the logs; logs that a fixture lacks are empty.
type Hive = [Base; 3];

/// All fixtures that are hives; if `only_stores`, all that are boot stores.
fn fixtures(only_stores: bool) -> &'static [Hive] {
    static ALL: OnceLock<Vec<Hive>> = OnceLock::new();
    static STORES: OnceLock<Vec<Hive>> = OnceLock::new();
    let cell = if only_stores { &STORES } else { &ALL };
    cell.get_or_init(|| {
        let mut fixtures = fixtures::all().unwrap_or_default();
        fixtures.sort_by(|a, b| a.name.cmp(&b.name));
        fixtures.retain(|fixture| !only_stores || fixture.name.starts_with("bcd-"));
        let read = |fixture: &fixtures::Fixture| {
            ["", ".LOG1", ".LOG2"].map(|ending| {
                let mut path = fixture.hive().into_os_string();
                path.push(ending);
                Base::new(std::fs::read(path).unwrap_or_default())
            })
        };
        fixtures.iter().map(read).collect()
    })
}

/// A parsed input.
pub(crate) struct HiveInput<'a> {
    /// The primary file and the logs, which can be empty.
    pub(crate) files: [Vec<u8>; 3],
    /// The rest of the input.
    pub(crate) rest: &'a [u8],
}

impl<'a> HiveInput<'a> {
    /// Starts from any fixture.
    pub(crate) fn parse(data: &'a [u8]) -> Self {
        Self::of(data, fixtures(false))
    }

    /// Starts from a boot store.
    pub(crate) fn of_store(data: &'a [u8]) -> Self {
        Self::of(data, fixtures(true))
    }

    fn of(data: &'a [u8], fixtures: &[Hive]) -> Self {
        if data.starts_with(b"regf") {
            return Self {
                files: [data.to_vec(), Vec::new(), Vec::new()],
                rest: &[],
            };
        }
        let mut script = Script::new(data);
        let (number, flags) = (script.byte(), script.byte());
        let Some(bases) = fixtures.get(usize::from(number) % fixtures.len().max(1)) else {
            return Self {
                files: Default::default(),
                rest: &[],
            };
        };
        let mut files = bases.each_ref().map(|base| base.bytes.clone());
        for _ in 0..MAX_CHANGES {
            let kind = script.byte();
            if kind == 0 {
                break;
            }
            let which = usize::from(kind >> 6) % files.len();
            if let (Some(file), Some(base)) = (files.get_mut(which), bases.get(which)) {
                change(file, base, kind, &mut script);
            }
        }
        if flags & UNSEALED == 0 {
            let [primary, logs @ ..] = &mut files;
            seal(primary);
            for log in logs {
                seal(log);
                fixtures::rehash_entries(log);
            }
        }
        Self {
            files,
            rest: script.rest(),
        }
    }
}

/// Writes a number into a field of a structure, or cuts the file off.
fn change(file: &mut Vec<u8>, base: &Base, kind: u8, script: &mut Script<'_>) {
    let place = base.place(script.half());
    // Anywhere from the cell's size, before the signature, to the end of the longest structure.
    let at = (place + usize::from(script.byte())).saturating_sub(CELL_SIZE);
    let value = match kind % 8 {
        0 | 1 => vec![script.byte()],
        2 | 3 => script.half().to_le_bytes().to_vec(),
        // The offset of a cell in the fixture.
        4 | 5 => {
            let other = base.place(script.half());
            let offset = other.wrapping_sub(FIRST_BIN + CELL_SIZE) as u32;
            offset.to_le_bytes().to_vec()
        }
        6 => script.number().to_le_bytes().to_vec(),
        _ => return file.truncate(at),
    };
    if let Some(field) = file.get_mut(at..at + value.len()) {
        field.copy_from_slice(&value);
    }
}

fn seal(bytes: &mut [u8]) {
    let sum = bytes.first_chunk().map(checksum);
    if let (Some(sum), Some(place)) = (sum, bytes.get_mut(508..512)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}
