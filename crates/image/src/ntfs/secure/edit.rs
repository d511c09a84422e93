//! Writes to `$Secure`, or tries whether its records have room for what is to be written.

use std::collections::{BTreeMap, BTreeSet};

use super::error::SecurityError;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::layout::Layout;
use crate::ntfs::mft::Mft;
use crate::ntfs::place::Extent;
use crate::ntfs::record::Record;

/// Changed records that are not written yet, and writes that are not durable yet.
pub(super) struct Edit<'a> {
    mft: &'a Mft,
    records: BTreeMap<u64, Record>,
    changed: BTreeSet<u64>,
    is_trial: bool,
    is_synced: bool,
}

impl<'a> Edit<'a> {
    /// An edit that writes when it is told to.
    pub(super) fn new(mft: &'a Mft) -> Self {
        Self {
            mft,
            records: BTreeMap::new(),
            changed: BTreeSet::new(),
            is_trial: false,
            is_synced: true,
        }
    }

    /// An edit that never writes.
    pub(super) fn trial(mft: &'a Mft) -> Self {
        Self {
            is_trial: true,
            ..Self::new(mft)
        }
    }

    /// A record, for changing.
    pub(super) fn record(&mut self, number: u64) -> Result<&mut Record, SecurityError> {
        self.changed.insert(number);
        Ok(match self.records.entry(number) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(self.mft.read_any(number)?)
            }
        })
    }

    /// Marks clusters as used, and returns when this is durable.
    pub(super) fn take(&mut self, extents: &[Extent]) -> Result<(), SecurityError> {
        if !extents.is_empty() && !self.is_trial {
            Bitmap::open(self.mft)?.take(extents)?;
            self.is_synced = false;
        }
        self.sync()
    }

    /// Writes within the allocated clusters.
    pub(super) fn write(
        &mut self,
        layout: &Layout,
        bytes: &[u8],
        at: u64,
    ) -> Result<(), SecurityError> {
        if !self.is_trial {
            layout.write_allocated(self.mft.disk(), bytes, at)?;
            self.is_synced = false;
        }
        Ok(())
    }

    /// Writes the changed records, `last` after all others are durable.
    pub(super) fn write_records(&mut self, last: u64) -> Result<(), SecurityError> {
        let with_last = self.changed.remove(&last);
        for number in std::mem::take(&mut self.changed) {
            self.write_record(number)?;
        }
        if with_last {
            self.sync()?;
            self.write_record(last)?;
        }
        Ok(())
    }

    fn write_record(&mut self, number: u64) -> Result<(), SecurityError> {
        if let Some(record) = self.records.get_mut(&number).filter(|_| !self.is_trial) {
            self.mft.write(record)?;
            self.is_synced = false;
        }
        Ok(())
    }

    /// Returns when everything that was written is durable.
    pub(super) fn sync(&mut self) -> Result<(), SecurityError> {
        if !self.is_synced {
            self.mft.disk().sync()?;
            self.is_synced = true;
        }
        Ok(())
    }
}
