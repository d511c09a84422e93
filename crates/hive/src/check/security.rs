//! The ring of security cells (regf spec, Key security).

use super::bitmap::Bitmap;
use super::kind::ProblemKind;
use super::report::Collector;
use super::tiling::Tiling;
use crate::bytes;
use crate::format::{CellHeader, KeySecurity};
use crate::offset::CellOffset;

/// Structure of a self-relative security descriptor without its parts (MS-DTYP 2.4.6).
const DESCRIPTOR_LEN: usize = 20;
/// The control bit of a descriptor whose parts lie behind it.
const SELF_RELATIVE: u8 = 0x80;

/// The security cells on the ring, in ascending order.
#[derive(Default)]
pub(super) struct Ring {
    cells: Vec<u32>,
}

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The place of a cell in the ring's ascending order.
    pub(super) fn index_of(&self, cell: CellOffset) -> Option<usize> {
        self.cells.binary_search(&cell.get()).ok()
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
            cells: Vec::new(),
        };
        if !walk.round(first, |cell| cell.flink.get(), |cell| cell.blink.get()) {
            // Behind a break the other half can still be reached the other way round.
            walk.reverse(first);
        }
        let mut cells = walk.cells;
        cells.sort_unstable();
        Self { cells }
    }

    /// Compares the reference counts with `counts`, in the ring's ascending order.
    pub(super) fn compare_counts(&self, data: &[u8], counts: &[u32], found: &mut Collector) {
        for (&cell, &actual) in self.cells.iter().zip(counts) {
            let cell = CellOffset::new(cell);
            let Some(security) = bytes::view::<KeySecurity>(data, cell.index() + CellHeader::LEN)
            else {
                continue;
            };
            let stated = security.reference_count.get();
            if stated != actual {
                let kind = ProblemKind::SecurityReferenceCount;
                found.add(kind, cell.in_file(), None, || {
                    (format!("{actual}, one for each key"), stated.to_string())
                });
            }
        }
    }
}

/// Security cells of which the place is remembered.
const RECENT: usize = 256;

/// Places of the security cells that were looked up lately.
pub(super) struct Recent {
    /// Offset and place; each cell has one slot that it may be in, by its offset.
    slots: [(u32, u32); RECENT],
}

impl Default for Recent {
    /// The slots hold an offset that is no cell, with a place that the ring does not have.
    fn default() -> Self {
        Self {
            slots: [(u32::MAX, u32::MAX); RECENT],
        }
    }
}

impl Recent {
    /// The place of a cell in the ring's ascending order.
    #[inline]
    pub(super) fn index_of(&mut self, cell: CellOffset, ring: &Ring) -> Option<usize> {
        let slot = cell.index() / CellHeader::ALIGN % self.slots.len();
        let slot = self.slots.get_mut(slot)?;
        if slot.0 != cell.get() {
            *slot = (cell.get(), u32::try_from(ring.index_of(cell)?).ok()?);
        }
        Some(slot.1 as usize)
    }
}

struct RingWalk<'a, 't> {
    data: &'a [u8],
    tiling: &'t Tiling,
    taken: &'t mut Bitmap,
    found: &'t mut Collector,
    cells: Vec<u32>,
}

impl<'a> RingWalk<'a, '_> {
    /// Follows `next` until it leads back to `first`; false where the ring is broken.
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

    /// Collects what the links back lead to, without a word on what is known to be broken.
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
            self.cells.push(at.get());
        }
    }

    fn view(&self, at: CellOffset) -> Option<&'a KeySecurity> {
        bytes::view(self.data, at.index().checked_add(CellHeader::LEN)?)
    }

    /// Whether an allocated cell starts there that nothing has referred to yet.
    fn is_unmet(&self, at: CellOffset) -> bool {
        at.index().is_multiple_of(CellHeader::ALIGN)
            && self.tiling.starts.contains(at.index())
            && !self.taken.contains(at.index())
    }

    /// A security cell that has not been met yet; `from` refers to it.
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
        self.cells.push(at.get());
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

/// What is wrong with a self-relative security descriptor: expected and found.
fn descriptor_fault(descriptor: &[u8]) -> Option<(&'static str, String)> {
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
