//! Changed sectors, with their old and new bytes.

use std::collections::BTreeMap;
use std::ops::Range;

/// The length of a sector in bytes. Changes wait and are written in whole sectors.
pub(super) const SECTOR: usize = 512;
pub(super) const SECTOR_LEN: u64 = SECTOR as u64;

/// The bytes of a sector.
pub(super) type Content = [u8; SECTOR];

/// A changed sector.
#[derive(Clone, Copy)]
pub(super) struct Sector {
    /// The bytes on the medium.
    pub(super) old: Content,
    /// The bytes it is to hold.
    pub(super) new: Content,
    /// True if all of it is recorded, also what doesn't change.
    pub(super) is_kept: bool,
}

/// Changed sectors by their numbers. [`clear`](Self::clear) keeps the memory for the next ones.
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

    /// The sectors with numbers in a range, in ascending order.
    pub(super) fn range(&self, numbers: Range<u64>) -> impl Iterator<Item = (u64, &Sector)> {
        self.places
            .range(numbers)
            .filter_map(|(number, place)| Some((*number, self.sectors.get(*place)?)))
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.places.contains_key(&number)
    }

    /// All sectors, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Sector)> {
        self.range(0..u64::MAX)
    }

    /// The new bytes of a sector, if it is in the set.
    pub(super) fn new_mut(&mut self, number: u64) -> Option<&mut Content> {
        let sector = self.sectors.get_mut(*self.places.get(&number)?)?;
        Some(&mut sector.new)
    }

    /// Records all of a sector, if it is in the set. False if it isn't.
    pub(super) fn keep(&mut self, number: u64) -> bool {
        let place = self.places.get(&number);
        let sector = place.and_then(|place| self.sectors.get_mut(*place));
        let Some(sector) = sector else {
            return false;
        };
        sector.is_kept = true;
        true
    }

    /// Adds a sector that doesn't change yet.
    pub(super) fn add(&mut self, number: u64, sector: Sector) {
        self.places.insert(number, self.sectors.len());
        self.sectors.push(sector);
    }
}
