//! The names of a folder, which are mostly requested in the order of a walk.

use std::cell::OnceCell;

use diskmend_image::ntfs::{Entry, FileId};

/// The number of files after the last requested one that are compared before a name is searched
/// for.
const NEAR: usize = 32;

/// The content of a folder, in the order of the records, which is the order of a walk.
#[derive(Debug)]
pub(super) struct Names {
    /// Each file, and the end of its name in `units`.
    files: Vec<(FileId, usize)>,
    /// The names, concatenated: adjacent names are requested one after the other.
    units: Vec<u16>,
    /// The index after the last requested file.
    next: usize,
    /// The files in the order of their names; filled when a name has to be searched for.
    by_name: OnceCell<Vec<usize>>,
}

impl Names {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let mut order: Vec<&Entry> = entries.iter().collect();
        order.sort_unstable_by_key(|entry| entry.id.record);
        let mut files = Vec::with_capacity(order.len());
        let mut units = Vec::with_capacity(entries.iter().map(|entry| entry.name.len()).sum());
        for entry in order {
            units.extend_from_slice(&entry.name);
            files.push((entry.id, units.len()));
        }
        Self {
            files,
            units,
            next: 0,
            by_name: OnceCell::new(),
        }
    }

    fn name(&self, index: usize) -> Option<&[u16]> {
        let end = |index: usize| self.files.get(index).map(|(_, end)| *end);
        let start = match index.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        self.units.get(start..end(index)?)
    }

    pub(super) fn find(&mut self, name: &[u16]) -> Option<FileId> {
        let mut near = self.next..self.next.saturating_add(NEAR);
        let index = match near.find(|index| self.name(*index) == Some(name)) {
            Some(near) => near,
            None => self.search(name)?,
        };
        self.next = index.saturating_add(1);
        self.files.get(index).map(|(file, _)| *file)
    }

    fn search(&self, name: &[u16]) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.files.len()).collect();
            order.sort_unstable_by_key(|index| self.name(*index));
            order
        });
        let found = by_name.binary_search_by_key(&Some(name), |index| self.name(*index));
        by_name.get(found.ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use diskmend_image::ntfs::Namespace;

    use super::*;

    #[test]
    fn names_are_found_in_any_order() {
        let name = |number: u64| {
            format!("{:x}", number * 7919 % 1009)
                .encode_utf16()
                .collect()
        };
        let entries = (0..500).rev().map(|number| Entry {
            name: name(number),
            id: FileId {
                record: number,
                sequence: 1,
            },
            namespace: Namespace::Posix,
        });
        let mut names = Names::new(&entries.collect::<Vec<_>>());
        let forward = 0..500;
        let rare = (0..500).step_by(NEAR + 9);
        let backward = (0..500).rev();
        for number in forward.chain(rare).chain(backward) {
            let name: Vec<u16> = name(number);
            assert_eq!(names.find(&name).map(|id| id.record), Some(number));
        }
        assert_eq!(names.find(&[0x7A]), None);
    }
}
