//! Sectors that change, with what they held and what they are to hold.

use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of a sector, the unit in which changes wait and are written.
pub(super) const SECTOR: usize = 512;
pub(super) const SECTOR_LEN: u64 = SECTOR as u64;

/// The bytes of a sector.
pub(super) type Content = [u8; SECTOR];

/// A sector that changes.
#[derive(Clone, Copy)]
pub(super) struct Sector {
    /// What it holds on the medium.
    pub(super) old: Content,
    /// What it is to hold.
    pub(super) new: Content,
}

/// Sectors that change, by their numbers. What they are kept in is used again after
/// [`clear`](Self::clear).
#[derive(Default)]
pub(super) struct Sectors {
    places: BTreeMap<u64, usize>,
    sectors: Vec<Sector>,
}

impl Sectors {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.sectors.clear();
    }

    /// Those with numbers in a range, in their order.
    pub(super) fn range(&self, numbers: Range<u64>) -> impl Iterator<Item = (u64, &Sector)> {
        self.places
            .range(numbers)
            .filter_map(|(number, place)| Some((*number, self.sectors.get(*place)?)))
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.places.contains_key(&number)
    }

    /// All in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Sector)> {
        self.range(0..u64::MAX)
    }

    /// What a sector is to hold, where it changes.
    pub(super) fn new_mut(&mut self, number: u64) -> Option<&mut Content> {
        let sector = self.sectors.get_mut(*self.places.get(&number)?)?;
        Some(&mut sector.new)
    }

    /// Adds a sector that does not change yet.
    pub(super) fn add(&mut self, number: u64, sector: Sector) {
        self.places.insert(number, self.sectors.len());
        self.sectors.push(sector);
    }
}
