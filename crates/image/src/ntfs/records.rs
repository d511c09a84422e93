//! All FILE records of one file: the base record and those that its attribute list names.

use std::collections::BTreeMap;

use super::attribute::Attribute;
use super::attribute::AttributeAt;
use super::error::{Corruption, VolumeError};
use super::list;
use super::mft::{Mft, check_base};
use super::place::FileId;
use super::record::Record;

/// The records of a file.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    base: Record,
    extensions: BTreeMap<u64, Record>,
    /// The position of each attribute, in the order of the list; `None` if there is no list.
    listed: Option<Vec<(u64, AttributeAt)>>,
}

impl Records {
    /// Reads the records of a file that exists.
    pub(crate) fn read(mft: &Mft, id: FileId) -> Result<Self, VolumeError> {
        Self::of(mft, mft.read(id)?)
    }

    /// Reads the records of a system file of the volume.
    pub(crate) fn read_system(mft: &Mft, number: u64) -> Result<Self, VolumeError> {
        Self::of(mft, mft.read_system(number)?)
    }

    /// Reads the records that belong to a base record.
    ///
    /// Their number is bounded by the maximum length of an attribute list.
    pub(crate) fn of(mft: &Mft, base: Record) -> Result<Self, VolumeError> {
        let id = base.id();
        check_base(&base, id)?;
        let mut extensions = BTreeMap::new();
        let listed = match list::entries(mft.disk(), &base)? {
            None => None,
            Some(entries) => {
                let mut listed = Vec::with_capacity(entries.len());
                for entry in entries {
                    let number = entry.record.record;
                    let record = if number == base.number() {
                        &base
                    } else {
                        match extensions.entry(number) {
                            std::collections::btree_map::Entry::Occupied(found) => {
                                &*found.into_mut()
                            }
                            std::collections::btree_map::Entry::Vacant(place) => {
                                let read = mft.read_any(number);
                                &*place.insert(read.map_err(|error| entry.lost(&base, error))?)
                            }
                        }
                    };
                    listed.push((number, entry.find(record, id)?));
                }
                Some(listed)
            }
        };
        Ok(Self {
            base,
            extensions,
            listed,
        })
    }

    /// The numbers of all records.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let extensions = self.extensions.keys().copied();
        std::iter::once(self.base.number()).chain(extensions)
    }

    /// The base record.
    pub(crate) fn base(&self) -> &Record {
        &self.base
    }

    /// True if the base record has an attribute list.
    pub(crate) fn is_spread(&self) -> bool {
        self.listed.is_some()
    }

    /// All attributes with their records.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&Record, Attribute<'_>)> {
        let (unlisted, listed) = match &self.listed {
            None => (Some(self.base.attributes()), None),
            Some(listed) => (None, Some(listed.iter())),
        };
        let unlisted = unlisted.into_iter().flatten();
        let listed = listed.into_iter().flatten();
        let base = &self.base;
        unlisted
            .map(move |attribute| (base, attribute))
            .chain(listed.filter_map(|(number, at)| {
                let record = self.record(*number)?;
                Some((record, record.attribute(*at)?))
            }))
    }

    /// The numbers of the records other than the base record.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = u64> {
        self.extensions.keys().copied()
    }

    fn record(&self, number: u64) -> Option<&Record> {
        if number == self.base.number() {
            return Some(&self.base);
        }
        self.extensions.get(&number)
    }

    /// The attributes of a type and name.
    pub(crate) fn all(
        &self,
        kind: u32,
        name: &str,
    ) -> impl Iterator<Item = (&Record, Attribute<'_>)> {
        self.attributes()
            .filter(move |(_, attribute)| attribute.kind() == kind && attribute.is_named(name))
    }

    /// The error for a missing attribute that the file must have.
    pub(crate) fn lacks(&self, what: &'static str) -> Corruption {
        Corruption::new(what, self.base.offset(), "one", "none")
    }
}
