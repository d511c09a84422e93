//! Checks of subkey lists (regf spec, Subkeys list).

use std::cmp::Ordering;

use diskmend_base::bytes;

use super::kind::ProblemKind;
use super::path::MAX_DEPTH;
use super::pool::{Pending, Pool};
use super::walk::{Walker, quoted};
use crate::format::{HashElement, IndexElement, KeyNode, ListHeader};
use crate::name::Name;
use crate::offset::CellOffset;

/// The first minor version with `lh` lists, and with `lf` lists.
const MIN_MINOR_HASH: u32 = 5;
const MIN_MINOR_FAST: u32 = 3;

/// The maximum number of keys that wait to be visited. If there are more, the subkeys of a key are
/// queued in parts, so that the memory does not depend on their number.
const MAX_PENDING: usize = 1 << 15;
/// The smallest number of subkeys in such a part: finding its start takes a pass over all leaves.
const MIN_PART: usize = 1024;

/// What is known so far about the subkeys of one key, or about those in one of its leaves.
pub(super) struct Siblings<'a> {
    key: CellOffset,
    depth: u32,
    /// The first and the last subkey with a valid name.
    pub(super) first: Option<CellOffset>,
    pub(super) last: Option<(CellOffset, Name<'a>)>,
    pub(super) count: usize,
    /// The number of pending keys before this key's subkeys were queued.
    pending: usize,
    /// The number of the first subkey that was not queued.
    rest: Option<usize>,
    pub(super) max_name: usize,
    pub(super) max_class: u32,
}

impl Siblings<'_> {
    /// Nothing is known yet about the subkeys of `key`, which are `depth` levels below the root.
    pub(super) fn of(key: CellOffset, depth: u32, pending: usize) -> Self {
        Self {
            key,
            depth,
            first: None,
            last: None,
            count: 0,
            pending,
            rest: None,
            max_name: 0,
            max_class: 0,
        }
    }
}

impl<'a> Walker<'a> {
    /// Checks the subkey list of a key, `depth` levels below the root, and the nodes of its
    /// subkeys.
    pub(super) fn subkeys_of(
        &mut self,
        key: CellOffset,
        node: &'a KeyNode,
        depth: u32,
        pool: &Pool<'a>,
    ) {
        let expected = node.subkey_count.get() as usize;
        if expected == 0 {
            return;
        }
        if depth >= MAX_DEPTH {
            self.problem(ProblemKind::KeyDepth, key, key, || {
                (
                    format!("no subkeys {MAX_DEPTH} levels below the root"),
                    expected.to_string(),
                )
            });
            return;
        }
        let mut siblings = Siblings::of(key, depth + 1, self.pending.len());
        let list = CellOffset::new(node.subkey_list.get());
        let Some((header, payload)) = self.list(list, "subkey list", key, key) else {
            return;
        };
        if header.signature == ListHeader::INDEX_ROOT {
            let Some(leaves) = self.elements::<IndexElement>(list, header, payload, key) else {
                return;
            };
            if self.share_leaves(pool, (key, node), depth + 1, (list, leaves)) {
                return;
            }
            for leaf in leaves {
                self.leaf_of_root(CellOffset::new(leaf.cell.get()), list, &mut siblings);
            }
        } else {
            self.leaf(list, header, payload, &mut siblings);
        }
        if let Some(passed) = siblings.rest.and_then(|rest| u32::try_from(rest).ok()) {
            self.pending.push(Pending { key, depth, passed });
        }
        self.compare_with_lists(key, node, &siblings);
    }

    /// True if no more subkeys can be queued now, for a key before which `pending` keys were
    /// waiting.
    #[inline]
    fn is_full(&self, pending: usize) -> bool {
        self.pending.len() >= MAX_PENDING && self.pending.len() - pending >= MIN_PART
    }

    /// Queues subkeys of a key that were already checked, but did not fit into the queue.
    ///
    /// In a corrupt list these may be other subkeys, which changes only the number of problems:
    /// everything that does not fit its cell was reported when the key was checked.
    #[cold]
    pub(super) fn further_subkeys_of(&mut self, rest: Pending, node: &'a KeyNode) {
        let slot = self.pending.len();
        self.pending.push(rest);
        let list = CellOffset::new(node.subkey_list.get());
        let mut number = 0;
        let payload = self.payload(list);
        let header = bytes::view::<ListHeader>(payload, 0);
        let root = header.filter(|header| header.signature == ListHeader::INDEX_ROOT);
        let passed_on = match root {
            Some(header) => {
                let count = usize::from(header.count.get());
                let leaves = bytes::view_many::<IndexElement>(payload, ListHeader::LEN, count);
                let mut leaves = leaves.into_iter().flatten();
                leaves.all(|leaf| {
                    let leaf = self.payload(CellOffset::new(leaf.cell.get()));
                    self.pass_on(leaf, &mut number, rest, slot)
                })
            }
            None => self.pass_on(payload, &mut number, rest, slot),
        };
        if passed_on {
            self.pending.remove(slot);
        } else if let Some(rest) = self.pending.get_mut(slot) {
            rest.passed = number;
        }
    }

    /// Queues the subkeys of a leaf; false if the queue is full.
    fn pass_on(&mut self, leaf: &[u8], number: &mut u32, rest: Pending, slot: usize) -> bool {
        let Some(header) = bytes::view::<ListHeader>(leaf, 0) else {
            return true;
        };
        let count = header.count.get();
        let (_, elements) = leaf.split_at(ListHeader::LEN);
        let (words, _) = elements.as_chunks::<4>();
        let stride = if header.signature == ListHeader::INDEX_LEAF {
            1
        } else {
            2
        };
        if *number + u32::from(count) <= rest.passed {
            *number += u32::from(count);
            return true;
        }
        for cell in words.iter().step_by(stride).take(usize::from(count)) {
            if *number >= rest.passed {
                if self.is_full(slot) {
                    return false;
                }
                self.pass_on_key(CellOffset::new(u32::from_le_bytes(*cell)), rest.depth);
            }
            *number += 1;
        }
        true
    }

    fn pass_on_key(&mut self, key: CellOffset, parent_depth: u32) {
        let node = bytes::view::<KeyNode>(self.payload(key), 0);
        let node = node.filter(|node| node.signature == KeyNode::SIGNATURE);
        if node.is_some_and(|node| node.subkey_count.get() != 0 || node.value_count.get() != 0) {
            self.pending.push(Pending {
                key,
                depth: parent_depth + 1,
                passed: 0,
            });
        }
    }

    pub(super) fn compare_with_lists(
        &mut self,
        key: CellOffset,
        node: &KeyNode,
        siblings: &Siblings<'_>,
    ) {
        let expected = node.subkey_count.get() as usize;
        if siblings.count != expected {
            self.problem(ProblemKind::SubkeyCount, key, key, || {
                (
                    format!("{expected} elements of subkey lists"),
                    siblings.count.to_string(),
                )
            });
        }
        let stated = usize::from(node.max_subkey_name_len.get());
        if stated < siblings.max_name {
            self.problem(ProblemKind::MaxSubkeyName, key, key, || {
                (
                    format!("at least {} bytes", siblings.max_name),
                    stated.to_string(),
                )
            });
        }
        let stated = node.max_class_len.get();
        if stated < siblings.max_class {
            self.problem(ProblemKind::MaxClass, key, key, || {
                (
                    format!("at least {} bytes", siblings.max_class),
                    stated.to_string(),
                )
            });
        }
    }

    fn list(
        &mut self,
        cell: CellOffset,
        what: &'static str,
        from: CellOffset,
        key: CellOffset,
    ) -> Option<(&'a ListHeader, &'a [u8])> {
        let payload = self.claim(cell, what, from, Some(key))?;
        // A cell has at least four bytes of payload, which is the length of the header.
        Some((bytes::view(payload, 0)?, payload))
    }

    fn elements<T>(
        &mut self,
        list: CellOffset,
        header: &ListHeader,
        payload: &'a [u8],
        key: CellOffset,
    ) -> Option<&'a [T]>
    where
        T: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::Unaligned,
    {
        let count = usize::from(header.count.get());
        if count == 0 {
            self.problem(ProblemKind::SubkeyListEmpty, list, key, || {
                ("elements", "none")
            });
        }
        let elements = bytes::view_many(payload, ListHeader::LEN, count);
        if elements.is_none() {
            self.problem(ProblemKind::SubkeyListSize, list, key, || {
                let needed = ListHeader::LEN + count * size_of::<T>();
                (
                    format!("at least {needed} bytes"),
                    payload.len().to_string(),
                )
            });
        }
        elements
    }

    pub(super) fn leaf_of_root(
        &mut self,
        leaf: CellOffset,
        root: CellOffset,
        siblings: &mut Siblings<'a>,
    ) {
        let found = self.list(leaf, "leaf of an index root", root, siblings.key);
        if let Some((header, payload)) = found {
            self.leaf(leaf, header, payload, siblings);
        }
    }

    fn leaf(
        &mut self,
        list: CellOffset,
        header: &'a ListHeader,
        payload: &'a [u8],
        siblings: &mut Siblings<'a>,
    ) {
        let key = siblings.key;
        let min_minor = match header.signature {
            ListHeader::INDEX_LEAF => {
                let Some(elements) = self.elements::<IndexElement>(list, header, payload, key)
                else {
                    return;
                };
                for element in elements {
                    self.subkey(list, element.cell.get(), siblings);
                }
                return;
            }
            ListHeader::FAST_LEAF => MIN_MINOR_FAST,
            ListHeader::HASH_LEAF => MIN_MINOR_HASH,
            other => {
                self.problem(ProblemKind::SubkeyListSignature, list, key, || {
                    ("\"lf\", \"lh\" or \"li\"", quoted(other))
                });
                return;
            }
        };
        let minor = self.ground.minor;
        if minor < min_minor {
            self.problem(ProblemKind::SubkeyListVersion, list, key, || {
                (
                    format!("no \"lh\" before format 1.{min_minor}"),
                    format!("1.{minor}"),
                )
            });
        }
        let Some(elements) = self.elements::<HashElement>(list, header, payload, key) else {
            return;
        };
        let hashed = header.signature == ListHeader::HASH_LEAF;
        for element in elements {
            let Some(name) = self.subkey(list, element.cell.get(), siblings) else {
                continue;
            };
            let table = self.ground.table;
            let expected = if hashed {
                name.hash_by(table)
            } else {
                u32::from_le_bytes(name.lf_hint())
            };
            let stated = element.hash.get();
            if stated != expected && !(hashed && stated == name.hash_by(table.other())) {
                let subkey = CellOffset::new(element.cell.get());
                self.problem(ProblemKind::SubkeyHash, list, subkey, || {
                    (format!("{expected:#010x}"), format!("{stated:#010x}"))
                });
            }
        }
    }

    /// Checks one subkey's node and its place among its siblings.
    #[inline]
    fn subkey(
        &mut self,
        list: CellOffset,
        cell: u32,
        siblings: &mut Siblings<'a>,
    ) -> Option<Name<'a>> {
        siblings.count += 1;
        let cell = CellOffset::new(cell);
        let (node, name) = self.key_node(cell, Some((list, siblings.key)))?;
        self.order(cell, name, siblings);
        siblings.first = siblings.first.or(Some(cell));
        siblings.last = Some((cell, name));
        siblings.max_name = siblings.max_name.max(name.utf16_len());
        siblings.max_class = siblings.max_class.max(u32::from(node.class_len.get()));
        if (node.subkey_count.get() != 0 || node.value_count.get() != 0) && siblings.rest.is_none()
        {
            if self.is_full(siblings.pending) {
                siblings.rest = Some(siblings.count - 1);
            } else {
                self.pending.push(Pending {
                    key: cell,
                    depth: siblings.depth,
                    passed: 0,
                });
            }
        }
        Some(name)
    }

    /// Compares the name of a subkey with that of the one before it.
    #[inline]
    pub(super) fn order(&mut self, cell: CellOffset, name: Name<'a>, siblings: &Siblings<'a>) {
        let Some((_, last)) = siblings.last else {
            return;
        };
        match last.cmp_by(name, self.ground.table) {
            Ordering::Less => {}
            _ if last.cmp_by(name, self.ground.table.other()).is_lt() => {}
            Ordering::Equal => self.problem(ProblemKind::SubkeyDuplicate, cell, cell, || {
                (
                    "a name that no other subkey has",
                    format!("\"{}\" again", name.escaped()),
                )
            }),
            Ordering::Greater => {
                let kind = order_kind(last, name);
                self.problem(kind, cell, cell, || {
                    let expected = format!("a name after \"{}\"", last.escaped());
                    (expected, format!("\"{}\"", name.escaped()))
                });
            }
        }
    }
}

/// The kind of problem if two names are in the wrong order by the tables of Windows NT 5 and of
/// Windows 8: versions in between, which upper-case some letters in another way, may have sorted
/// them so.
#[cold]
fn order_kind(last: Name<'_>, name: Name<'_>) -> ProblemKind {
    if last.case_depends_on_windows() || name.case_depends_on_windows() {
        ProblemKind::SubkeyOrderVersion
    } else {
        ProblemKind::SubkeyOrder
    }
}
