//! The names of a file according to its own record.

use diskmend_base::bytes;
use diskmend_base::count::to_u64;
use diskmend_base::utf16;

use super::format::FileName;
use super::place::FileId;

/// The names in the `$FILE_NAME`s of a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    long: Vec<FileId>,
    short: Vec<FileId>,
    /// Names that can't be read, which may lead anywhere.
    unreadable: usize,
}

impl Names {
    /// Adds a `$FILE_NAME`; `value` is given if it is resident, as it must be.
    pub(super) fn add(&mut self, value: Option<&[u8]>) {
        let Some(name) = value.and_then(|value| bytes::view::<FileName>(value, 0)) else {
            self.unreadable = self.unreadable.saturating_add(1);
            return;
        };
        let folder = FileId::from_reference(name.parent.get());
        match name.namespace {
            FileName::NAMESPACE_DOS => self.short.push(folder),
            _ => self.long.push(folder),
        }
    }

    /// The number of names. A short DOS name that belongs to a long one in the same folder does not
    /// count; in another folder it would be a second place of the file.
    pub(super) fn count(mut self) -> u64 {
        self.long.sort_unstable();
        let is_alone = |folder: &&FileId| self.long.binary_search(folder).is_err();
        let alone = self.short.iter().filter(is_alone).count();
        let count = self.long.len().saturating_add(alone);
        to_u64(count.saturating_add(self.unreadable))
    }
}

/// The folder and the name in a $FILE_NAME.
pub(crate) fn parse_key(key: &[u8]) -> Option<(FileId, Vec<u16>)> {
    let header = bytes::view::<FileName>(key, 0)?;
    let len = usize::from(header.name_length).checked_mul(size_of::<u16>())?;
    let name = bytes::slice(key, size_of::<FileName>(), len)?;
    let name = utf16::whole_units(name).collect();
    Some((FileId::from_reference(header.parent.get()), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `$FILE_NAME` attribute with this number of the folder.
    fn name(parent: u64, namespace: u8) -> Vec<u8> {
        let mut value = vec![0; size_of::<FileName>()];
        value[..8].copy_from_slice(&(parent | 1 << 48).to_le_bytes());
        *value.last_mut().expect("the namespace") = namespace;
        value
    }

    fn count(values: &[Option<&[u8]>]) -> u64 {
        let mut names = Names::default();
        values.iter().for_each(|value| names.add(*value));
        names.count()
    }

    #[test]
    fn a_short_name_counts_only_in_another_folder() {
        let long = name(64, FileName::NAMESPACE_WIN32);
        let (beside, elsewhere) = (
            name(64, FileName::NAMESPACE_DOS),
            name(65, FileName::NAMESPACE_DOS),
        );
        assert_eq!(count(&[Some(&long)]), 1);
        assert_eq!(count(&[Some(&long), Some(&beside)]), 1);
        assert_eq!(count(&[Some(&long), Some(&elsewhere)]), 2);
    }

    #[test]
    fn an_invalid_name_may_belong_to_another_folder() {
        let long = name(64, FileName::NAMESPACE_BOTH);
        assert_eq!(count(&[Some(&long), None]), 2);
        assert_eq!(count(&[Some(&long), Some(&long[..8])]), 2);
    }
}
