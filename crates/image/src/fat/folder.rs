//! Reads folders: short and long names, lookup without regard to case (FAT spec, FAT Directory
//! Structure; FAT Long Directory Entries).

use diskmend_base::count::to_usize;
use std::io;

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use super::error::FatError;
use super::format::{DirEntry, LongEntry};
use super::geometry::{Cluster, FatKind, Geometry, Root, Run, corrupt};
use super::table::{Chain, Table};
use crate::device::Device;

/// The maximum number of entries of a folder in the specification.
const MAX_ENTRIES: u64 = 65536;

/// A file or folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The long name, or the short one if there is none.
    pub(super) name: String,
    /// The short name, with replacement characters for characters beyond ASCII.
    short: String,
    pub(super) is_folder: bool,
    /// The number of the first cluster; not checked.
    pub(super) first: u32,
    /// Length in bytes; 0 for a folder.
    pub(super) len: u32,
    /// Offset in the volume of the entry with the short name.
    pub(super) at: u64,
}

impl Found {
    fn is_named(&self, name: &str) -> bool {
        CaseTable::FILES.same(self.name.encode_utf16(), name.encode_utf16())
            || self.short.eq_ignore_ascii_case(name)
    }
}

/// A folder of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    At(Cluster),
}

/// Reads the folders and files of a volume.
pub(super) struct Reader<'a> {
    pub(super) device: &'a dyn Device,
    pub(super) geometry: &'a Geometry,
    pub(super) table: Table<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(device: &'a dyn Device, geometry: &'a Geometry) -> Self {
        Self {
            device,
            geometry,
            table: Table::new(device, geometry),
        }
    }

    /// The folder at the end of `path`.
    pub(super) fn folder(&mut self, path: &[String]) -> io::Result<Place> {
        let mut place = Place::Root;
        for name in path {
            let found = self.find_in(place, name)?;
            if !found.is_folder {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            let first = self.geometry.cluster(found.first).ok_or_else(|| {
                corrupt(
                    "folder's first cluster",
                    found.at,
                    "one there is",
                    found.first,
                )
            })?;
            place = Place::At(first);
        }
        Ok(place)
    }

    /// The file or folder at the end of `path`, which is not empty.
    pub(super) fn find(&mut self, path: &[String]) -> io::Result<Found> {
        let (name, folder) = path.split_last().ok_or(io::ErrorKind::IsADirectory)?;
        let place = self.folder(folder)?;
        self.find_in(place, name)
    }

    fn find_in(&mut self, place: Place, name: &str) -> io::Result<Found> {
        let mut entries = self.entries(place)?.into_iter();
        entries
            .find(|one| one.is_named(name))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The clusters of a folder's entries.
    pub(super) fn folder_runs(&mut self, place: Place) -> Result<Chain, FatError> {
        let first = match (place, self.geometry.root) {
            (Place::At(first), _) | (Place::Root, Root::Chain(first)) => first,
            (Place::Root, Root::Fixed(run)) => {
                return Ok(Chain {
                    runs: vec![run],
                    clusters: 0,
                    ended: true,
                });
            }
        };
        let max_len = MAX_ENTRIES.saturating_mul(DirEntry::LEN as u64);
        let limit = self.geometry.clusters_of(max_len);
        let chain = self.table.chain(first, limit)?;
        if !chain.ended {
            let start = self.geometry.place(first).start;
            return Err(corrupt(
                "folder",
                start,
                "at most 65536 entries",
                "a longer chain",
            ));
        }
        Ok(chain)
    }

    /// All files and folders in a folder, except `.` and `..`.
    pub(super) fn entries(&mut self, place: Place) -> Result<Vec<Found>, FatError> {
        self.entries_and_label(place).map(|(found, _)| found)
    }

    /// The label in the root folder.
    pub(super) fn label(&mut self) -> Result<Option<String>, FatError> {
        let (_, label) = self.entries_and_label(Place::Root)?;
        let character = |byte: u8| match byte {
            _ if byte.is_ascii() => char::from(byte),
            // The code page is unknown.
            _ => char::REPLACEMENT_CHARACTER,
        };
        Ok(label.map(|name| {
            let label: String = name.map(character).iter().collect();
            label.trim_end().to_owned()
        }))
    }

    fn entries_and_label(
        &mut self,
        place: Place,
    ) -> Result<(Vec<Found>, Option<[u8; 11]>), FatError> {
        let mut found = Vec::new();
        let mut label = None;
        let mut long = LongName::default();
        for run in self.folder_runs(place)?.runs {
            let mut data = vec![0; to_usize(run.len)];
            self.device.read_exact_at(&mut data, run.start)?;
            for (index, raw) in (0_u64..).zip(data.chunks_exact(DirEntry::LEN)) {
                let at = run
                    .start
                    .saturating_add(index.saturating_mul(DirEntry::LEN as u64));
                let Some(entry) = bytes::view::<DirEntry>(raw, 0) else {
                    continue;
                };
                match entry.name.first() {
                    Some(&DirEntry::END) => return Ok((found, label)),
                    Some(&DirEntry::FREE) => {
                        long.clear();
                        continue;
                    }
                    _ => {}
                }
                if entry.attr & DirEntry::ATTR_LONG_NAME == DirEntry::ATTR_LONG_NAME {
                    long.add(raw);
                    continue;
                }
                let name = long.take(&entry.name);
                let is_dot = DirEntry::DOTS.contains(&&entry.name);
                if entry.attr & DirEntry::ATTR_VOLUME_ID != 0 {
                    label.get_or_insert(entry.name);
                } else if !is_dot {
                    found.push(self.found(entry, name, at));
                }
            }
        }
        Ok((found, label))
    }

    fn found(&self, entry: &DirEntry, long: Option<String>, at: u64) -> Found {
        let high = match self.geometry.kind {
            FatKind::Fat32 => u32::from(entry.fst_clus_hi.get()),
            FatKind::Fat12 | FatKind::Fat16 => 0,
        };
        let is_folder = entry.attr & DirEntry::ATTR_DIRECTORY != 0;
        let short = short_name(&entry.name, 0);
        Found {
            name: long.unwrap_or_else(|| short_name(&entry.name, entry.nt_res)),
            short,
            is_folder,
            first: high << 16 | u32::from(entry.fst_clus_lo.get()),
            len: if is_folder { 0 } else { entry.file_size.get() },
            at,
        }
    }

    /// The clusters of a file. A crash can leave a chain that is longer than the file; the rest is
    /// ignored.
    pub(super) fn file_runs(&mut self, found: &Found) -> Result<Vec<Run>, FatError> {
        let wanted = self.clusters_of(found)?;
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let chain = self.table.chain(self.first(found)?, wanted)?;
        if chain.clusters < wanted {
            let actual = format!("{} clusters", chain.clusters);
            return Err(corrupt(
                "chain of a file",
                found.at,
                "as long as the file",
                actual,
            ));
        }
        let mut sorted = chain.runs.clone();
        sorted.sort_by_key(|run| run.start);
        let overlap = sorted.iter().zip(sorted.iter().skip(1));
        if overlap
            .into_iter()
            .any(|(one, next)| one.end() > next.start)
        {
            return Err(corrupt(
                "chain of a file",
                found.at,
                "each cluster once",
                "a loop",
            ));
        }
        Ok(chain.runs)
    }

    /// Checks that a file's chain is exactly as long as the file: freeing or lengthening it relies
    /// on that.
    pub(super) fn check_chain(&mut self, found: &Found) -> Result<(), FatError> {
        let wanted = self.clusters_of(found)?;
        if wanted == 0 {
            return match found.first {
                0 => Ok(()),
                first => Err(corrupt("empty file's cluster", found.at, "none", first)),
            };
        }
        let first = self.first(found)?;
        let chain = self.table.chain(first, wanted.saturating_add(1))?;
        if chain.ended && chain.clusters == wanted {
            return Ok(());
        }
        let actual = if chain.ended {
            format!("{} clusters for {wanted}", chain.clusters)
        } else {
            format!("more than {wanted} clusters")
        };
        Err(corrupt(
            "chain of a file",
            found.at,
            "as long as the file",
            actual,
        ))
    }

    /// The number of clusters that a file must have; the volume must have that many.
    fn clusters_of(&self, found: &Found) -> Result<u64, FatError> {
        let wanted = self.geometry.clusters_of(found.len.into());
        if wanted > self.geometry.clusters.into() {
            let at = found.at.saturating_add(DirEntry::FILE_SIZE_AT);
            let expected = "at most the bytes of all clusters";
            return Err(corrupt("length of a file", at, expected, found.len));
        }
        Ok(wanted)
    }

    fn first(&self, found: &Found) -> Result<Cluster, FatError> {
        self.geometry.cluster(found.first).ok_or_else(|| {
            corrupt(
                "file's first cluster",
                found.at,
                "one there is",
                found.first,
            )
        })
    }
}

/// A short name as people write it.
fn short_name(name: &[u8; 11], case: u8) -> String {
    let (base, extension) = name.split_at(8);
    let part = |bytes: &[u8], lower: bool| {
        let spaces = bytes.iter().rev().take_while(|byte| **byte == b' ').count();
        let used = bytes.iter().take(bytes.len().saturating_sub(spaces));
        let text = used.map(|&byte| match byte {
            _ if !byte.is_ascii() => char::REPLACEMENT_CHARACTER,
            _ if lower => char::from(byte.to_ascii_lowercase()),
            _ => char::from(byte),
        });
        text.collect::<String>()
    };
    let mut shown = part(base, case & DirEntry::LOWER_NAME != 0);
    if name.first() == Some(&DirEntry::KANJI) {
        let rest: String = shown.chars().skip(1).collect();
        shown = format!("{}{rest}", char::REPLACEMENT_CHARACTER);
    }
    let extension = part(extension, case & DirEntry::LOWER_EXTENSION != 0);
    if !extension.is_empty() {
        shown.push('.');
        shown.push_str(&extension);
    }
    shown
}

/// A long name that is being read part by part, the last part first.
#[derive(Debug, Default)]
struct LongName {
    /// Parts read, in the order read.
    parts: Vec<[u16; 13]>,
    /// The number that the next part must have; 0 if complete.
    expected: u8,
    checksum: u8,
}

impl LongName {
    fn clear(&mut self) {
        self.parts.clear();
        self.expected = 0;
    }

    fn add(&mut self, raw: &[u8]) {
        let Some(entry) = bytes::view::<LongEntry>(raw, 0) else {
            return;
        };
        let number = entry.ord & 0x3F;
        if entry.ord & LongEntry::LAST != 0 && (1..=LongEntry::MAX).contains(&number) {
            self.clear();
            self.checksum = entry.chksum;
        } else if number == 0 || number != self.expected || entry.chksum != self.checksum {
            self.clear();
            return;
        }
        let mut part = [0; 13];
        let units = entry.name1.iter().chain(&entry.name2).chain(&entry.name3);
        for (to, unit) in part.iter_mut().zip(units) {
            *to = unit.get();
        }
        self.parts.push(part);
        self.expected = number.saturating_sub(1);
    }

    /// The name, if it is complete and belongs to that short name.
    fn take(&mut self, short: &[u8; 11]) -> Option<String> {
        let complete = !self.parts.is_empty() && self.expected == 0;
        let sum = short
            .iter()
            .fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
        let name = (complete && sum == self.checksum).then(|| {
            let units = self.parts.iter().rev().flatten().copied();
            let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
            String::from_utf16_lossy(&units)
        });
        self.clear();
        name
    }
}
