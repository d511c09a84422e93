//! The second pass: visits every structure that the root leads to, each once.

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use super::bitmap::Bitmap;
use super::kind::ProblemKind;
use super::path::Parents;
use super::pool::{Pending, Pool, Work};
use super::readahead::ReadAhead;
use super::report::Collector;
use super::security::{Counts, Ring};
use crate::format::{CellHeader, KeyNode};
use crate::offset::CellOffset;

/// What all walkers of one check share.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    /// The hive bins.
    pub(super) data: &'a [u8],
    pub(super) minor: u32,
    pub(super) table: CaseTable,
    /// True if the base block says that there are layered keys.
    pub(super) layered: bool,
    pub(super) starts: &'a Bitmap,
    /// Positions of cells without a valid size, in ascending order.
    pub(super) broken: &'a [usize],
    pub(super) ring: &'a Ring,
}

/// One thread's walk, with its counts and problems.
pub(super) struct Walker<'a> {
    pub(super) ground: Ground<'a>,
    /// Positions to which a reference led, or to which none may lead.
    pub(super) taken: Bitmap,
    pub(super) found: Collector,
    pub(super) keys: usize,
    pub(super) values: usize,
    /// The number of keys for each security cell of the ring.
    pub(super) security_counts: Counts,
    /// The real parents of keys that name another parent in their nodes.
    pub(super) parents: Parents,
    pub(super) pending: Vec<Pending>,
    /// Fingerprints of the value names of one key.
    pub(super) fingerprints: Vec<u32>,
    read_ahead: ReadAhead,
}

impl<'a> Walker<'a> {
    pub(super) fn new(ground: Ground<'a>, taken: Bitmap) -> Self {
        Self {
            ground,
            taken,
            found: Collector::default(),
            keys: 0,
            values: 0,
            security_counts: Counts::new(ground.data.len()),
            parents: Parents::default(),
            pending: Vec::new(),
            fingerprints: Vec::new(),
            read_ahead: ReadAhead::new(ground.data.len()),
        }
    }

    /// Visits keys from the pool until there are none left.
    pub(super) fn run(&mut self, pool: &Pool<'a>) {
        loop {
            while let Some(next) = self.pending.pop() {
                self.visit(next, pool);
                pool.share(&mut self.pending);
            }
            match pool.take(&mut self.pending) {
                Work::Keys => {}
                Work::Leaf(leaf) => self.shared_leaf(&leaf),
                Work::None => return,
            }
        }
    }

    fn visit(&mut self, next: Pending, pool: &Pool<'a>) {
        let at = next.key.index() + CellHeader::LEN;
        let Some(node) = bytes::view::<KeyNode>(self.ground.data, at) else {
            return;
        };
        if next.passed > 0 {
            self.further_subkeys_of(next, node);
            return;
        }
        self.values_of(next.key, node);
        self.subkeys_of(next.key, node, next.depth, pool);
    }

    /// The payload of the cell at `cell`, whatever refers to it; empty if there is no cell.
    pub(super) fn payload(&self, cell: CellOffset) -> &'a [u8] {
        let at = cell.index();
        if !at.is_multiple_of(CellHeader::ALIGN) || !self.ground.starts.contains(at) {
            return &[];
        }
        let next = self.ground.starts.next_after(at);
        let end = next.unwrap_or(self.ground.data.len());
        match self.ground.data.get(at + CellHeader::LEN..end) {
            Some(payload) => payload,
            None => &[],
        }
    }

    /// The payload of the cell at `cell`, which is then marked as referenced. The reference is in
    /// the cell `from` and belongs to `key`. If the reference is invalid, adds a problem and
    /// returns `None`.
    #[inline]
    pub(super) fn claim(
        &mut self,
        cell: CellOffset,
        what: &'static str,
        from: CellOffset,
        key: Option<CellOffset>,
    ) -> Option<&'a [u8]> {
        let at = cell.index();
        if at.is_multiple_of(CellHeader::ALIGN)
            && self.ground.starts.contains(at)
            && self.taken.insert(at)
        {
            self.read_ahead.visit(self.ground.data, at);
            // The first pass has found the size to be one of an allocated cell within its bin.
            let (header, rest) = self.ground.data.get(at..)?.split_first_chunk()?;
            let len = i32::from_le_bytes(*header).unsigned_abs() as usize;
            if len > CellHeader::MAX_SIZE {
                self.too_long(cell, len, key);
            }
            return rest.get(..len.checked_sub(CellHeader::LEN)?);
        }
        self.bad_reference(cell, what, from, key);
        None
    }

    #[cold]
    fn too_long(&mut self, cell: CellOffset, size: usize, key: Option<CellOffset>) {
        let kind = ProblemKind::CellTooLong;
        self.found.add(kind, cell.in_file(), key, || {
            (
                format!("at most {} bytes", CellHeader::MAX_SIZE),
                size.to_string(),
            )
        });
    }

    #[cold]
    fn bad_reference(
        &mut self,
        cell: CellOffset,
        what: &'static str,
        from: CellOffset,
        key: Option<CellOffset>,
    ) {
        let ground = self.ground;
        let at = cell.index();
        let header = bytes::view::<CellHeader>(ground.data, at);
        let is_cell = at.is_multiple_of(CellHeader::ALIGN)
            && ground.starts.contains(at)
            && ground.broken.binary_search(&at).is_err();
        match header {
            Some(header) if is_cell && header.size.get() < 0 => {
                let kind = ProblemKind::CellReferencedTwice;
                self.found.add(kind, cell.in_file(), key, || {
                    let actual = format!("another as {what} in the cell at {}", from.in_file());
                    ("one reference", actual)
                });
            }
            _ => {
                let kind = ProblemKind::CellNotAllocated;
                self.found.add(kind, from.in_file(), key, || {
                    let state = match header {
                        _ if cell.is_nil() => "",
                        None => ", past the end of the bins",
                        Some(_) if is_cell => ", a free cell",
                        Some(_) => ", where no cell starts",
                    };
                    let expected = format!("an allocated cell as {what}");
                    (expected, format!("{cell}{state}"))
                });
            }
        }
    }

    /// Adds a problem in `cell` that belongs to `key`.
    #[cold]
    pub(super) fn problem<E, A>(
        &mut self,
        kind: ProblemKind,
        cell: CellOffset,
        key: CellOffset,
        texts: impl FnOnce() -> (E, A),
    ) where
        E: Into<std::borrow::Cow<'static, str>>,
        A: Into<std::borrow::Cow<'static, str>>,
    {
        self.found.add(kind, cell.in_file(), Some(key), texts);
    }
}

/// A signature as a problem shows it.
pub(super) fn quoted(signature: [u8; 2]) -> String {
    format!("\"{}\"", signature.escape_ascii())
}
