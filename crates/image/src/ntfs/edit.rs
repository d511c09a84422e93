//! Writes to records and clusters, or tries whether the records have room for what is to be
//! written.

use std::collections::{BTreeMap, BTreeSet};

use super::bitmap::Bitmap;
use super::error::VolumeError;
use super::layout::Layout;
use super::mft::Mft;
use super::place::Extent;
use super::record::Record;

/// Changed records that are not written yet, and writes that are not durable yet.
pub(crate) struct Edit<'a> {
    mft: &'a Mft,
    records: BTreeMap<u64, Record>,
    changed: BTreeSet<u64>,
    is_trial: bool,
    is_synced: bool,
}

impl<'a> Edit<'a> {
    /// An edit that writes when it is told to.
    pub(crate) fn new(mft: &'a Mft) -> Self {
        Self {
            mft,
            records: BTreeMap::new(),
            changed: BTreeSet::new(),
            is_trial: false,
            is_synced: true,
        }
    }

    /// An edit that never writes.
    pub(crate) fn trial(mft: &'a Mft) -> Self {
        Self {
            is_trial: true,
            ..Self::new(mft)
        }
    }

    /// A record, for changing.
    pub(crate) fn record(&mut self, number: u64) -> Result<&mut Record, VolumeError> {
        self.changed.insert(number);
        Ok(match self.records.entry(number) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(self.mft.read_any(number)?)
            }
        })
    }

    /// Marks clusters as used, and returns when this is durable.
    pub(crate) fn take(&mut self, extents: &[Extent]) -> Result<(), VolumeError> {
        if !extents.is_empty() && !self.is_trial {
            Bitmap::open(self.mft)?.take(extents)?;
            self.is_synced = false;
        }
        self.sync()
    }

    /// Marks clusters as free that no record names any more.
    pub(crate) fn give_back(&mut self, extents: &[Extent]) -> Result<(), VolumeError> {
        self.sync()?;
        if !extents.is_empty() && !self.is_trial {
            Bitmap::open(self.mft)?.give_back(extents)?;
            self.is_synced = false;
        }
        Ok(())
    }

    /// Writes within the allocated clusters.
    pub(crate) fn write(
        &mut self,
        layout: &Layout,
        bytes: &[u8],
        at: u64,
    ) -> Result<(), VolumeError> {
        if !self.is_trial {
            layout.write_allocated(self.mft.disk(), bytes, at)?;
            self.is_synced = false;
        }
        Ok(())
    }

    /// Writes the changed records, `last` after all others are durable.
    pub(crate) fn write_records(&mut self, last: u64) -> Result<(), VolumeError> {
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

    fn write_record(&mut self, number: u64) -> Result<(), VolumeError> {
        if let Some(record) = self.records.get_mut(&number).filter(|_| !self.is_trial) {
            self.mft.write(record)?;
            self.is_synced = false;
        }
        Ok(())
    }

    /// Returns when everything that was written is durable.
    pub(crate) fn sync(&mut self) -> Result<(), VolumeError> {
        if !self.is_synced {
            self.mft.disk().sync()?;
            self.is_synced = true;
        }
        Ok(())
    }
}
