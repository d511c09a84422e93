//! Small NTFS volumes, made here. They have a folder with an index of two blocks, and files in
//! records, in one piece and in several, some with free clusters after them.

use std::ops::Range;

use super::record::{
    BITMAP, DATA, FILE_NAME, INDEX_ALLOCATION, INDEX_LEN, INDEX_ROOT, RECORD_LEN, Record, Run,
    STANDARD_INFORMATION, Stream, VOLUME_INFORMATION, block, entry, last, root,
};
use super::secure::{self, FIRST_ID};
use crate::image::bytes::{put, put16, put32, put64, utf16};
use crate::image::input::Base;

/// The length of the volume without the copy of its boot sector.
const LEN: usize = 2 << 20;
const RECORDS: usize = 40;
const ROOT: usize = 5;
pub(super) const FOLDER: usize = 24;
const FIRST_FILE: usize = 25;
/// The length of the boot file.
const BOOT_LEN: usize = 8192;

/// A volume and its content.
pub(super) struct Made {
    bytes: Vec<u8>,
    regions: Vec<Range<usize>>,
    /// The places that must be intact for other files to be safe.
    pub(super) vital: Vec<Range<usize>>,
    /// The files in the folder; their records are consecutive.
    pub(super) files: Vec<MadeFile>,
}

/// A file of the volume.
pub(super) struct MadeFile {
    pub(super) name: &'static str,
    /// Its record number.
    pub(super) record: u64,
    /// The place of that record.
    pub(super) place: Range<usize>,
    pub(super) content: Vec<u8>,
}

/// The name of the compressed file, and the value of each of its bytes.
pub(super) const PACKED_NAME: &str = "packed";
pub(super) const PACKED: u8 = 0x50;
/// The name of the folder.
pub(super) const FOLDER_NAME: &str = "Folder";

impl Made {
    pub(super) fn base(&self) -> Base {
        Base::new(self.bytes.clone(), self.regions.clone())
    }
}

/// A volume under construction.
pub(super) struct Maker {
    /// The length of a cluster.
    pub(super) cluster: usize,
    bytes: Vec<u8>,
    next: usize,
    /// The clusters that are in use.
    used: Vec<usize>,
    mft: usize,
    regions: Vec<Range<usize>>,
}

impl Maker {
    /// Takes clusters that are free.
    fn take(&mut self, clusters: usize) -> usize {
        let start = self.next;
        self.next += clusters;
        self.used.extend(start..self.next);
        assert!(self.next * self.cluster <= LEN, "the volume is full");
        start
    }

    /// Writes a value to consecutive clusters.
    pub(super) fn contiguous(&mut self, value: &[u8]) -> Stream {
        let clusters = value.len().div_ceil(self.cluster);
        self.scattered(value, &[clusters], 0)
    }

    /// Writes a value in pieces of this many clusters, with `gap` free clusters between them.
    fn scattered(&mut self, value: &[u8], pieces: &[usize], gap: usize) -> Stream {
        let mut runs: Vec<Run> = Vec::new();
        let mut rest = value;
        for clusters in pieces {
            let start = self.take(*clusters);
            let (part, after) = rest.split_at(rest.len().min(clusters * self.cluster));
            put(&mut self.bytes, start * self.cluster, part);
            rest = after;
            runs.push((Some(start), *clusters));
            self.next += gap;
        }
        let clusters: usize = pieces.iter().sum();
        Stream {
            runs,
            allocated: clusters * self.cluster,
            len: value.len(),
            initialized: value.len(),
        }
    }

    fn offset(&self, stream: &Stream) -> usize {
        let first = stream.runs.first().and_then(|(start, _)| *start);
        first.unwrap_or_default() * self.cluster
    }

    /// Notes that a part of a value contains structures.
    pub(super) fn mark(&mut self, stream: &Stream, part: Range<usize>) {
        let at = self.offset(stream);
        self.regions.push(at + part.start..at + part.end);
    }

    fn place(&self, number: usize) -> Range<usize> {
        let at = self.mft * self.cluster + number * RECORD_LEN;
        at..at + RECORD_LEN
    }

    fn write(&mut self, number: usize, record: Record) {
        let place = self.place(number);
        put(&mut self.bytes, place.start, &record.finish());
        self.regions.push(place.start..place.start + 480);
    }
}

/// `$STANDARD_INFORMATION` of a file with a descriptor.
fn information(attributes: u32, security_id: u32) -> Vec<u8> {
    let mut bytes = vec![0; 72];
    put32(&mut bytes, 32, attributes);
    put32(&mut bytes, 52, security_id);
    bytes
}

/// `$FILE_NAME`, which is also a key of an index.
fn file_name(parent: usize, name: &str, allocated: usize, len: usize, folder: bool) -> Vec<u8> {
    let mut bytes = vec![0; 66];
    put64(&mut bytes, 0, reference(parent));
    put64(&mut bytes, 40, allocated as u64);
    put64(&mut bytes, 48, len as u64);
    put32(&mut bytes, 56, if folder { 0x1000_0000 } else { 0x20 });
    put(&mut bytes, 64, &[name.len() as u8, 3]);
    bytes.extend(utf16(name));
    bytes
}

fn reference(number: usize) -> u64 {
    1 << 48 | number as u64
}

fn name_entry(number: usize, key: &[u8], child: Option<usize>) -> Vec<u8> {
    entry(reference(number).to_le_bytes(), key, &[], child)
}

/// Bytes that identify a file and each of its blocks.
fn pattern(file: usize, len: usize) -> Vec<u8> {
    let number = |at: usize| (at / 512 * 31 + at % 512 + file * 77 + 1) as u8;
    (0..len).map(number).collect()
}

/// Makes a volume with clusters of this many bytes. If `indexed`, the hashes of descriptors are in
/// an index block.
pub(super) fn make(cluster: usize, indexed: bool) -> Made {
    let boot = BOOT_LEN.div_ceil(cluster);
    let mut maker = Maker {
        cluster,
        bytes: vec![0; LEN + 512],
        next: boot,
        used: (0..boot).collect(),
        mft: boot,
        regions: Vec::new(),
    };
    let mft = maker.contiguous(&[0; RECORDS * RECORD_LEN]);
    let mirror = maker.contiguous(&[0; 4 * RECORD_LEN]);
    let log = maker.contiguous(&[0xFF; 16 << 10]);
    let bitmap = maker.contiguous(&vec![0; LEN / cluster / 8]);
    let upper = (0..=u16::MAX).map(|unit| match unit {
        0x61..=0x7A => unit - 32,
        _ => unit,
    });
    let upper: Vec<u8> = upper.flat_map(u16::to_le_bytes).collect();
    let upper = maker.contiguous(&upper);

    for number in 0..RECORDS {
        maker.write(number, Record::new(number, 0));
    }
    let system = |number: usize, stream: &Stream| {
        Record::new(number, 1)
            .resident(STANDARD_INFORMATION, "", &information(6, FIRST_ID))
            .stream(DATA, "", stream)
    };
    let mft_record = system(0, &mft).resident(BITMAP, "", &[0xFF; 8]);
    maker.write(0, mft_record);
    maker.write(1, system(1, &mirror));
    maker.write(2, system(2, &log));
    let version = [0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];
    let volume = Record::new(3, 1)
        .resident(STANDARD_INFORMATION, "", &information(6, FIRST_ID))
        .resident(VOLUME_INFORMATION, "", &version);
    maker.write(3, volume);
    maker.write(6, system(6, &bitmap));
    let boot_file = Stream {
        runs: vec![(Some(0), boot)],
        allocated: boot * cluster,
        len: BOOT_LEN,
        initialized: BOOT_LEN,
    };
    maker.write(7, system(7, &boot_file));
    maker.write(10, system(10, &upper));
    let secure = Record::new(9, 1).resident(STANDARD_INFORMATION, "", &information(6, FIRST_ID));
    let secure = secure::add(&mut maker, secure, indexed);
    maker.write(9, secure);
    let files = add_files(&mut maker);

    fill_bitmap(&mut maker, &bitmap);
    let first = maker.place(0).start;
    let copied = maker.bytes.get(first..first + 4 * RECORD_LEN);
    let copied = copied.unwrap_or_default().to_vec();
    let at = maker.offset(&mirror);
    put(&mut maker.bytes, at, &copied);
    let sector = boot_sector(cluster, maker.mft, at / cluster);
    put(&mut maker.bytes, 0, &sector);
    put(&mut maker.bytes, LEN, &sector);
    let bitmap_at = maker.offset(&bitmap);
    maker
        .regions
        .extend([0..84, LEN..LEN + 84, bitmap_at..bitmap_at + 64]);
    let mut vital = vec![
        0..512,
        LEN..LEN + 512,
        bitmap_at..bitmap_at + LEN / cluster / 8,
    ];
    vital.extend([0, 1, 6, 9].map(|number| maker.place(number)));
    Made {
        bytes: maker.bytes,
        regions: maker.regions,
        vital,
        files,
    }
}

/// Marks the used clusters. The gaps between the pieces of files stay free.
fn fill_bitmap(maker: &mut Maker, bitmap: &Stream) {
    let clusters = LEN / maker.cluster;
    let mut bits = vec![0; clusters / 8];
    let at = maker.offset(bitmap);
    let used = maker.used.iter().filter(|cluster| **cluster < clusters);
    for cluster in used {
        if let Some(byte) = bits.get_mut(cluster / 8) {
            *byte |= 1_u8 << (cluster % 8);
        }
    }
    put(&mut maker.bytes, at, &bits);
}

fn boot_sector(cluster: usize, mft: usize, mirror: usize) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    put(&mut bytes, 0, b"\xEB\x52\x90NTFS    ");
    put16(&mut bytes, 11, 512);
    put(&mut bytes, 13, &[(cluster / 512) as u8]);
    put(&mut bytes, 21, &[0xF8]);
    put64(&mut bytes, 40, (LEN / 512) as u64);
    put64(&mut bytes, 48, mft as u64);
    put64(&mut bytes, 56, mirror as u64);
    put(&mut bytes, 64, &[0xF6]);
    put(&mut bytes, 68, &[(INDEX_LEN / cluster) as u8]);
    put64(&mut bytes, 72, 0x1234_5678_9ABC_DEF0);
    put(&mut bytes, 510, &[0x55, 0xAA]);
    bytes
}

/// Adds the root, the folder and its files.
fn add_files(maker: &mut Maker) -> Vec<MadeFile> {
    // The name, the length, the pieces in clusters, and the clusters between them; without pieces,
    // the data are in the record.
    let plans: [(&str, usize, &[usize], usize); 8] = [
        ("a.bin", 100, &[1], 1),
        ("b.bin", 3 * 4096, &[1, 1, 10], 1),
        ("BCD", 200, &[], 0),
        ("BCD.LOG", 0, &[], 0),
        ("SYSTEM", 9000, &[9000], 0),
        ("SYSTEM.LOG1", 20_000, &[2, 3, 15], 2),
        ("SYSTEM.LOG2", 5000, &[20], 0),
        ("z.bin", 700, &[1, 1], 3),
    ];
    let cluster = maker.cluster;
    let mut files = Vec::new();
    let mut keys = Vec::new();
    for (index, (name, len, pieces, gap)) in plans.into_iter().enumerate() {
        let number = FIRST_FILE + index;
        let content = pattern(index, len);
        let record = Record::new(number, 1).resident(
            STANDARD_INFORMATION,
            "",
            &information(0x20, FIRST_ID + index as u32 % 3),
        );
        let key = |allocated| file_name(FOLDER, name, allocated, len, false);
        let (record, key) = match pieces {
            [] => {
                let key = key(len.next_multiple_of(8));
                let record = record.resident(FILE_NAME, "", &key);
                (record.resident(DATA, "", &content), key)
            }
            pieces => {
                let needed = len.div_ceil(cluster);
                let pieces: Vec<usize> = pieces
                    .iter()
                    .map(|piece| (*piece).min(needed + 4))
                    .collect();
                let stream = maker.scattered(&content, &pieces, gap);
                let key = key(stream.allocated);
                (
                    record
                        .resident(FILE_NAME, "", &key)
                        .stream(DATA, "", &stream),
                    key,
                )
            }
        };
        maker.write(number, record);
        keys.push((number, key));
        files.push(MadeFile {
            name,
            record: number as u64,
            place: maker.place(number),
            content,
        });
    }
    let number = FIRST_FILE + keys.len();
    let key = add_compressed(maker, number);
    // It sorts among the names that begin with a letter after `b`.
    keys.insert(4, (number, key));
    add_folder(maker, &keys);
    let key = file_name(ROOT, FOLDER_NAME, 0, 0, true);
    let entries = [name_entry(FOLDER, &key, None), last(None)].concat();
    let record = Record::new(ROOT, 3)
        .resident(STANDARD_INFORMATION, "", &information(6, FIRST_ID))
        .resident(FILE_NAME, "", &file_name(ROOT, ".", 0, 0, true))
        .resident(
            INDEX_ROOT,
            "$I30",
            &root(FILE_NAME, 1, cluster, &entries, false),
        );
    maker.write(ROOT, record);
    files
}

/// Adds a file of two units: one with compressed chunks, and one that is stored as it is. Returns
/// the key by which its folder names it.
fn add_compressed(maker: &mut Maker, number: usize) -> Vec<u8> {
    const UNIT: u8 = 4;
    let clusters = 1 << UNIT;
    let unit = clusters * maker.cluster;
    // A byte, and a reference to it for the other 4095 of a chunk.
    let chunk = [0x03, 0xB0, 0x02, PACKED, 0xFC, 0x0F];
    let chunks = chunk.repeat(unit / 4096);
    let packed = maker.contiguous(&chunks);
    maker.mark(&packed, 0..chunks.len());
    let plain = maker.contiguous(&vec![PACKED; unit]);
    let mut runs = packed.runs;
    runs.push((None, clusters - 1));
    runs.extend(plain.runs);
    let len = 2 * unit - 100;
    let stream = Stream {
        runs,
        allocated: 2 * unit,
        len,
        initialized: len,
    };
    let key = file_name(FOLDER, PACKED_NAME, 2 * unit, len, false);
    let record = Record::new(number, 1)
        .resident(STANDARD_INFORMATION, "", &information(0x820, FIRST_ID))
        .resident(FILE_NAME, "", &key)
        .compressed(DATA, "", &stream, UNIT);
    maker.write(number, record);
    key
}

/// Adds the folder: one name is in its root, the others are in two blocks.
fn add_folder(maker: &mut Maker, keys: &[(usize, Vec<u8>)]) {
    let cluster = maker.cluster;
    let middle = keys.len() / 2;
    let (low, high) = keys.split_at(middle);
    let second = INDEX_LEN / cluster;
    let node = |keys: &[(usize, Vec<u8>)]| {
        let mut entries: Vec<u8> = keys
            .iter()
            .flat_map(|(number, key)| name_entry(*number, key, None))
            .collect();
        entries.extend(last(None));
        entries
    };
    let Some(((number, key), high)) = high.split_first() else {
        return;
    };
    let blocks = [block(0, &node(low)), block(second, &node(high))].concat();
    let stream = maker.contiguous(&blocks);
    maker.mark(&stream, 0..600);
    maker.mark(&stream, INDEX_LEN..INDEX_LEN + 600);
    let entries = [name_entry(*number, key, Some(0)), last(Some(second))].concat();
    let record = Record::new(FOLDER, 3)
        .resident(STANDARD_INFORMATION, "", &information(0x10, FIRST_ID + 1))
        .resident(FILE_NAME, "", &file_name(ROOT, FOLDER_NAME, 0, 0, true))
        .resident(
            INDEX_ROOT,
            "$I30",
            &root(FILE_NAME, 1, cluster, &entries, true),
        )
        .stream(INDEX_ALLOCATION, "$I30", &stream)
        .resident(BITMAP, "$I30", &[3, 0, 0, 0, 0, 0, 0, 0]);
    maker.write(FOLDER, record);
}
