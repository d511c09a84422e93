//! The ring of security cells (regf spec, Key security).

use std::collections::HashMap;

use diskmend_base::bytes;

use super::bitmap::Bitmap;
use super::kind::ProblemKind;
use super::report::Collector;
use super::tiling::Tiling;
use crate::format::{CellHeader, KeySecurity};
use crate::offset::CellOffset;

/// The length of a self-relative security descriptor without its parts (MS-DTYP 2.4.6).
const DESCRIPTOR_LEN: usize = 20;
/// The control bit of a self-relative descriptor.
const SELF_RELATIVE: u8 = 0x80;

/// The length of the shortest security cell with a valid descriptor. If two security cells start in
/// one stretch of this length, at least one of them is invalid.
const STRETCH: usize =
    (CellHeader::LEN + KeySecurity::LEN + DESCRIPTOR_LEN).next_multiple_of(CellHeader::ALIGN);

/// Half a byte for each stretch of the bins, whatever its cells are.
struct Nibbles(Vec<u8>);

impl Nibbles {
    const MAX: u8 = 0xF;

    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(2 * STRETCH)])
    }

    const fn place(at: usize) -> (usize, u32) {
        let stretch = at / STRETCH;
        (stretch / 2, (stretch % 2 * 4) as u32)
    }

    /// The number of a stretch; 0 beyond the bins.
    fn get(&self, at: usize) -> u8 {
        let (byte, shift) = Self::place(at);
        self.0.get(byte).map_or(0, |byte| byte >> shift & Self::MAX)
    }

    fn set(&mut self, at: usize, to: u8) {
        let (byte, shift) = Self::place(at);
        if let Some(byte) = self.0.get_mut(byte) {
            *byte = *byte & !(Self::MAX << shift) | (to & Self::MAX) << shift;
        }
    }
}

/// The security cells on the ring.
pub(super) struct Ring {
    /// The position of each cell in its stretch, in units of 8 bytes, counted from 1.
    places: Nibbles,
    len: usize,
    data_len: usize,
}

impl Ring {
    /// A ring without cells, for bins of `data_len` bytes.
    pub(super) fn new(data_len: usize) -> Self {
        Self {
            places: Nibbles::new(data_len),
            len: 0,
            data_len,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    const fn place(at: usize) -> u8 {
        (at % STRETCH / CellHeader::ALIGN + 1) as u8
    }

    /// True if the cell is on the ring.
    pub(super) fn contains(&self, cell: CellOffset) -> bool {
        let at = cell.index();
        at.is_multiple_of(CellHeader::ALIGN) && self.places.get(at) == Self::place(at)
    }

    fn add(&mut self, cell: CellOffset) {
        self.places.set(cell.index(), Self::place(cell.index()));
        self.len += 1;
    }

    /// Goes round the ring from the root key's security cell.
    pub(super) fn collect(
        data: &[u8],
        first: CellOffset,
        tiling: &Tiling,
        taken: &mut Bitmap,
        found: &mut Collector,
    ) -> Self {
        let mut walk = RingWalk {
            data,
            tiling,
            taken,
            found,
            ring: Self::new(data.len()),
        };
        if !walk.round(first, |cell| cell.flink.get(), |cell| cell.blink.get()) {
            // Cells after a break can still be reached in the other direction.
            walk.reverse(first);
        }
        walk.ring
    }

    /// The cells in ascending order.
    fn cells(&self) -> impl Iterator<Item = CellOffset> + '_ {
        let bytes = self
            .places
            .0
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte != 0);
        bytes.flat_map(move |(index, _)| {
            let first = 2 * index * STRETCH;
            [first, first + STRETCH].into_iter().filter_map(|start| {
                let place = usize::from(self.places.get(start).checked_sub(1)?);
                let at = u32::try_from(start + place * CellHeader::ALIGN).ok()?;
                Some(CellOffset::new(at)).filter(|cell| cell.index() < self.data_len)
            })
        })
    }

    /// Compares the reference counts with the numbers of keys.
    pub(super) fn compare_counts(&self, data: &[u8], counts: &Counts, found: &mut Collector) {
        for cell in self.cells() {
            let Some(security) = bytes::view::<KeySecurity>(data, cell.index() + CellHeader::LEN)
            else {
                continue;
            };
            let (stated, actual) = (security.reference_count.get(), counts.of(cell));
            if stated != actual {
                let kind = ProblemKind::SecurityReferenceCount;
                found.add(kind, cell.in_file(), None, || {
                    (format!("{actual}, one for each key"), stated.to_string())
                });
            }
        }
    }
}

/// The number of keys for each security cell of a ring.
pub(super) struct Counts {
    /// The number modulo 16.
    low: Nibbles,
    /// The number divided by 16, for cells with that many keys.
    high: HashMap<CellOffset, u32>,
    /// The offset and number of keys that were counted recently and are not in the other fields
    /// yet. The offset of a cell determines its slot.
    recent: [(CellOffset, u32); RECENT],
}

/// The number of security cells that have their keys counted separately at first.
const RECENT: usize = 256;

impl Counts {
    /// Empty counts for bins of `data_len` bytes.
    pub(super) fn new(data_len: usize) -> Self {
        Self {
            low: Nibbles::new(data_len),
            high: HashMap::new(),
            recent: [(CellOffset::NIL, 0); RECENT],
        }
    }

    /// Counts a key; false if its security cell is not on the ring.
    #[inline]
    pub(super) fn count(&mut self, cell: CellOffset, ring: &Ring) -> bool {
        let slot = cell.index() / CellHeader::ALIGN % RECENT;
        let Some(slot) = self.recent.get_mut(slot) else {
            return false;
        };
        if slot.0 == cell && slot.1 > 0 {
            slot.1 = slot.1.saturating_add(1);
            return true;
        }
        if !ring.contains(cell) {
            return false;
        }
        let (before, number) = std::mem::replace(slot, (cell, 1));
        self.add(before, number);
        true
    }

    /// Counts `number` keys of a cell of the ring.
    fn add(&mut self, cell: CellOffset, number: u32) {
        if number == 0 {
            return;
        }
        let low = u32::from(self.low.get(cell.index()));
        let sum = low.saturating_add(number);
        self.low
            .set(cell.index(), (sum & u32::from(Nibbles::MAX)) as u8);
        if sum > u32::from(Nibbles::MAX) {
            let high = self.high.entry(cell).or_default();
            *high = high.saturating_add(sum / 16);
        }
    }

    /// Adds the recent counts to the others.
    pub(super) fn settle(&mut self) {
        for (cell, number) in std::mem::replace(&mut self.recent, [(CellOffset::NIL, 0); RECENT]) {
            self.add(cell, number);
        }
    }

    /// Adds what another thread has counted.
    pub(super) fn merge(&mut self, mut other: Self, ring: &Ring) {
        other.settle();
        for cell in ring.cells() {
            self.add(cell, other.of(cell));
        }
    }

    /// The number of a cell's keys, after [`Self::settle`].
    fn of(&self, cell: CellOffset) -> u32 {
        // A cell with fewer keys than a nibble counts has no other number.
        let high = self.high.get(&cell).map_or(0, |high| *high);
        u32::from(self.low.get(cell.index())).saturating_add(high.saturating_mul(16))
    }
}

struct RingWalk<'a, 't> {
    data: &'a [u8],
    tiling: &'t Tiling,
    taken: &'t mut Bitmap,
    found: &'t mut Collector,
    ring: Ring,
}

impl<'a> RingWalk<'a, '_> {
    /// Follows `next` until it leads back to `first`; false if the ring is broken.
    fn round(
        &mut self,
        first: CellOffset,
        next: impl Fn(&KeySecurity) -> u32,
        back: impl Fn(&KeySecurity) -> u32,
    ) -> bool {
        let Some(mut current) = self.cell(first, first) else {
            return false;
        };
        let mut at = first;
        loop {
            let following = CellOffset::new(next(current));
            let security = if following == first {
                self.view(first)
            } else {
                self.cell(following, at)
            };
            let Some(security) = security else {
                return false;
            };
            let link = CellOffset::new(back(security));
            if link != at {
                self.found
                    .add(ProblemKind::SecurityLink, following.in_file(), None, || {
                        (format!("a link back to {at}"), link.to_string())
                    });
            }
            if following == first {
                return true;
            }
            current = security;
            at = following;
        }
    }

    /// Collects the cells that the backward links lead to, without reporting problems, because the
    /// ring is already known to be broken.
    fn reverse(&mut self, first: CellOffset) {
        let mut at = first;
        while let Some(security) = self.view(at) {
            at = CellOffset::new(security.blink.get());
            let fits = self.is_unmet(at)
                && self
                    .view(at)
                    .is_some_and(|security| security.signature == KeySecurity::SIGNATURE);
            if !fits {
                return;
            }
            self.taken.insert(at.index());
            self.add(at);
        }
    }

    /// Registers a cell, unless it is too short for a descriptor, which is reported as an error.
    fn add(&mut self, at: CellOffset) {
        let next = self.tiling.starts.next_after(at.index());
        if next.unwrap_or(self.data.len()) - at.index() >= STRETCH {
            self.ring.add(at);
        }
    }

    fn view(&self, at: CellOffset) -> Option<&'a KeySecurity> {
        bytes::view(self.data, at.index().checked_add(CellHeader::LEN)?)
    }

    /// True if an allocated cell starts there and nothing has referred to it yet.
    fn is_unmet(&self, at: CellOffset) -> bool {
        at.index().is_multiple_of(CellHeader::ALIGN)
            && self.tiling.starts.contains(at.index())
            && !self.taken.contains(at.index())
    }

    /// A security cell that has not been visited yet; `from` refers to it.
    fn cell(&mut self, at: CellOffset, from: CellOffset) -> Option<&'a KeySecurity> {
        if !self.is_unmet(at) {
            self.found
                .add(ProblemKind::SecurityLink, from.in_file(), None, || {
                    (
                        "the offset of a security cell not met before",
                        at.to_string(),
                    )
                });
            return None;
        }
        let end = self.tiling.starts.next_after(at.index());
        let payload = self
            .data
            .get(at.index() + CellHeader::LEN..end.unwrap_or(self.data.len()))?;
        let Some(security) = bytes::view::<KeySecurity>(payload, 0) else {
            self.found
                .add(ProblemKind::SecuritySize, at.in_file(), None, || {
                    ("at least 20 bytes", payload.len().to_string())
                });
            return None;
        };
        if security.signature != KeySecurity::SIGNATURE {
            self.found
                .add(ProblemKind::SecuritySignature, at.in_file(), None, || {
                    (
                        "\"sk\"",
                        format!("\"{}\"", security.signature.escape_ascii()),
                    )
                });
            return None;
        }
        self.taken.insert(at.index());
        self.add(at);
        let len = security.descriptor_len.get() as usize;
        match bytes::slice(payload, KeySecurity::LEN, len) {
            Some(descriptor) => {
                if let Some((expected, actual)) = descriptor_fault(descriptor) {
                    self.found
                        .add(ProblemKind::SecurityDescriptor, at.in_file(), None, || {
                            (expected, actual)
                        });
                }
            }
            None => self
                .found
                .add(ProblemKind::SecuritySize, at.in_file(), None, || {
                    let room = payload.len() - KeySecurity::LEN;
                    (
                        format!("a descriptor of at most {room} bytes"),
                        len.to_string(),
                    )
                }),
        }
        Some(security)
    }
}

/// The problem of a self-relative security descriptor: expected and found.
pub(crate) fn descriptor_fault(descriptor: &[u8]) -> Option<(&'static str, String)> {
    let Some((header, _)) = descriptor.split_first_chunk::<DESCRIPTOR_LEN>() else {
        return Some((
            "a descriptor of at least 20 bytes",
            descriptor.len().to_string(),
        ));
    };
    let [revision, _, _, control, offsets @ ..] = header;
    if *revision != 1 {
        return Some(("descriptor revision 1", revision.to_string()));
    }
    if control & SELF_RELATIVE == 0 {
        return Some((
            "a self-relative descriptor",
            format!("control {control:#04x}"),
        ));
    }
    // Owner and group SIDs have at least 8 bytes (MS-DTYP 2.4.2.2), ACLs too (2.4.5).
    let (parts, _) = offsets.as_chunks::<4>();
    parts
        .iter()
        .map(|part| u32::from_le_bytes(*part) as usize)
        .find(|&at| at != 0 && (at < DESCRIPTOR_LEN || bytes::slice(descriptor, at, 8).is_none()))
        .map(|at| ("parts inside of the descriptor", format!("one at {at:#x}")))
}
