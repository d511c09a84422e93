//! Subkey lists: `li`, `lf`, `lh` and the `ri` above them (regf spec, Subkeys list).

use diskmend_base::bytes;

use crate::bins::Bins;
use crate::error::Corruption;
use crate::format::{HashElement, IndexElement, ListHeader};
use crate::offset::CellOffset;

/// What the elements of a leaf contain in addition to the key node's offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LeafKind {
    /// `li`: nothing.
    Index,
    /// `lf`: the first four characters of the name.
    Fast,
    /// `lh`: the hash of the name.
    Hash,
}

impl LeafKind {
    /// The signature of a leaf of this kind.
    #[must_use]
    pub(crate) const fn signature(self) -> [u8; 2] {
        match self {
            Self::Index => ListHeader::INDEX_LEAF,
            Self::Fast => ListHeader::FAST_LEAF,
            Self::Hash => ListHeader::HASH_LEAF,
        }
    }

    /// The length of an element in bytes.
    #[must_use]
    pub(crate) const fn element_len(self) -> usize {
        match self {
            Self::Index => size_of::<IndexElement>(),
            Self::Fast | Self::Hash => size_of::<HashElement>(),
        }
    }
}

/// A leaf: the offsets of key nodes in the order of their names.
#[derive(Clone, Copy)]
pub(crate) struct Leaf<'a> {
    /// The offset of the leaf's cell.
    pub cell: CellOffset,
    /// What its elements contain.
    pub kind: LeafKind,
    elements: Elements<'a>,
}

#[derive(Clone, Copy)]
enum Elements<'a> {
    Index(&'a [IndexElement]),
    Hash(&'a [HashElement]),
}

impl<'a> Leaf<'a> {
    /// The number of elements.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        match self.elements {
            Elements::Index(elements) => elements.len(),
            Elements::Hash(elements) => elements.len(),
        }
    }

    /// The key node and the hash of each element. The hashes of a leaf of the kind `li` are 0.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CellOffset, u32)> {
        let (without, with) = match self.elements {
            Elements::Index(elements) => (elements, &[][..]),
            Elements::Hash(elements) => (&[][..], elements),
        };
        let without = without.iter().map(|element| (element.cell, 0));
        let with = with
            .iter()
            .map(|element| (element.cell, element.hash.get()));
        without
            .chain(with)
            .map(|(cell, hash)| (CellOffset::new(cell.get()), hash))
    }

    /// True if its elements contain hashes of names.
    pub(crate) fn is_hashed(&self) -> bool {
        self.kind == LeafKind::Hash
    }

    /// The key node of element `index`.
    #[must_use]
    pub(crate) fn key_node(&self, index: usize) -> Option<CellOffset> {
        let raw = match self.elements {
            Elements::Index(elements) => elements.get(index)?.cell,
            Elements::Hash(elements) => elements.get(index)?.cell,
        };
        Some(CellOffset::new(raw.get()))
    }

    /// The hint (`lf`, read little-endian) or hash (`lh`) of element `index`.
    #[must_use]
    pub(crate) fn hash(&self, index: usize) -> Option<u32> {
        match self.elements {
            Elements::Index(_) => None,
            Elements::Hash(elements) => Some(elements.get(index)?.hash.get()),
        }
    }
}

/// A whole subkey list: one leaf, or an index root over several leaves.
#[derive(Clone, Copy)]
pub(crate) enum SubkeyList<'a> {
    /// One leaf.
    Leaf(Leaf<'a>),
    /// An `ri` with the offsets of leaves.
    Root {
        /// The offset of the index root's cell.
        cell: CellOffset,
        /// Offsets of the leaves.
        leaves: &'a [IndexElement],
    },
}

impl<'a> SubkeyList<'a> {
    /// Reads the list in the cell at `at`.
    ///
    /// # Errors
    /// If the cell, its signature or its count is wrong.
    pub(crate) fn at(bins: Bins<'a>, at: CellOffset) -> Result<Self, Corruption> {
        let (header, payload) = bins.structure::<ListHeader>(at, "subkey list")?;
        let count = usize::from(header.count.get());
        let too_many = |len: usize| {
            Corruption::new(
                "subkey list",
                at,
                format!("a cell of at least {} bytes", ListHeader::LEN + count * len),
                payload.len().to_string(),
            )
        };
        let kind = match header.signature {
            ListHeader::INDEX_ROOT => {
                let leaves = bytes::view_many(payload, ListHeader::LEN, count)
                    .ok_or_else(|| too_many(size_of::<IndexElement>()))?;
                return Ok(Self::Root { cell: at, leaves });
            }
            ListHeader::INDEX_LEAF => LeafKind::Index,
            ListHeader::FAST_LEAF => LeafKind::Fast,
            ListHeader::HASH_LEAF => LeafKind::Hash,
            other => {
                return Err(Corruption::new(
                    "subkey list signature",
                    at,
                    "\"lf\", \"lh\", \"li\" or \"ri\"",
                    format!("\"{}\"", other.escape_ascii()),
                ));
            }
        };
        let elements = match kind {
            LeafKind::Index => {
                bytes::view_many(payload, ListHeader::LEN, count).map(Elements::Index)
            }
            LeafKind::Fast | LeafKind::Hash => {
                bytes::view_many(payload, ListHeader::LEN, count).map(Elements::Hash)
            }
        }
        .ok_or_else(|| too_many(kind.element_len()))?;
        Ok(Self::Leaf(Leaf {
            cell: at,
            kind,
            elements,
        }))
    }

    /// The number of leaves.
    #[must_use]
    pub(crate) fn leaf_count(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Root { leaves, .. } => leaves.len(),
        }
    }

    /// The leaf with this index.
    ///
    /// # Errors
    /// If its cell is not a leaf; an index root below an index root is not allowed.
    pub(crate) fn leaf(
        &self,
        bins: Bins<'a>,
        index: usize,
    ) -> Result<Option<Leaf<'a>>, Corruption> {
        match self {
            Self::Leaf(leaf) => Ok((index == 0).then_some(*leaf)),
            Self::Root { leaves, .. } => {
                let Some(element) = leaves.get(index) else {
                    return Ok(None);
                };
                let at = CellOffset::new(element.cell.get());
                match Self::at(bins, at)? {
                    Self::Leaf(leaf) => Ok(Some(leaf)),
                    Self::Root { .. } => Err(Corruption::new(
                        "subkey list signature",
                        at,
                        "a leaf below the index root",
                        "\"ri\"",
                    )),
                }
            }
        }
    }
}
