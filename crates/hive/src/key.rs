//! Keys: names, subkeys, values, class and security (regf spec, Key node).

use std::cmp::Ordering;

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use crate::bins::{Bins, expect_signature};
use crate::error::Corruption;
use crate::format::{IndexElement, KeyNode, KeySecurity};
use crate::list::{Leaf, SubkeyList};
use crate::name::{Name, NameBuf};
use crate::offset::CellOffset;
use crate::value::Value;

/// A key of a hive.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    bins: Bins<'a>,
    cell: CellOffset,
    node: &'a KeyNode,
    name: Name<'a>,
}

impl<'a> Key<'a> {
    /// Reads the key in the cell at `cell`.
    ///
    /// # Errors
    /// If the cell, its signature or its name is wrong.
    pub(crate) fn at(bins: Bins<'a>, cell: CellOffset) -> Result<Self, Corruption> {
        let (node, payload) = bins.structure::<KeyNode>(cell, "key node")?;
        expect_signature(
            "key node signature",
            cell,
            KeyNode::SIGNATURE,
            node.signature,
        )?;
        let len = usize::from(node.name_len.get());
        let stored = bytes::slice(payload, KeyNode::LEN, len).ok_or_else(|| {
            Corruption::new(
                "key name length",
                cell,
                format!("at most {}", payload.len() - KeyNode::LEN),
                len.to_string(),
            )
        })?;
        let compressed = node.flags.get() & KeyNode::FLAG_COMPRESSED_NAME != 0;
        let name = Name::stored(stored, compressed).map_err(|error| {
            Corruption::new("key name", cell, "whole UTF-16 units", error.to_string())
        })?;
        Ok(Self {
            bins,
            cell,
            node,
            name,
        })
    }

    /// The offset of its cell.
    #[must_use]
    pub fn cell(&self) -> CellOffset {
        self.cell
    }

    /// The structure as stored.
    #[must_use]
    pub fn node(&self) -> &'a KeyNode {
        self.node
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Name<'a> {
        self.name
    }

    /// Its subkey list, if it has subkeys.
    ///
    /// # Errors
    /// If the list's cell is wrong.
    pub(crate) fn subkey_list(&self) -> Result<Option<SubkeyList<'a>>, Corruption> {
        if self.node.subkey_count.get() == 0 {
            return Ok(None);
        }
        SubkeyList::at(self.bins, CellOffset::new(self.node.subkey_list.get())).map(Some)
    }

    /// The subkeys in the order of their names.
    ///
    /// # Errors
    /// If the list's cell is wrong. The iterator yields an error for each subkey that can't be
    /// read.
    pub fn subkeys(&self) -> Result<Subkeys<'a>, Corruption> {
        Ok(Subkeys {
            bins: self.bins,
            list: self.subkey_list()?,
            leaf: None,
            next_leaf: 0,
            next: 0,
        })
    }

    /// The subkey with this name, ignoring case.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'a>>, Corruption> {
        Ok(self.find(NameBuf::new(name).as_name())?.ok())
    }

    /// The key at a path below this one; components are separated by `\`, case does not matter, an
    /// empty path is the key itself.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub(crate) fn descendant(self, path: &str) -> Result<Option<Key<'a>>, Corruption> {
        let mut key = self;
        for component in components(path) {
            match key.subkey(component)? {
                Some(child) => key = child,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// Looks for a subkey: returns the key, or the place at which it would have to be inserted.
    ///
    /// Lists are ordered by upper-cased names. If a name on the way has letters that some Windows
    /// versions upper-case differently, the order is not reliable: then all names are compared, by
    /// both tables, before a key counts as missing.
    pub(crate) fn find(&self, name: Name<'_>) -> Result<Result<Key<'a>, Position>, Corruption> {
        let Some(list) = self.subkey_list()? else {
            return Ok(Err(Position::default()));
        };
        let mut search = Search::new(self.bins, name);
        match search.list(&list)? {
            Ok((key, _)) => return Ok(Ok(key)),
            Err(position) if search.order_is_certain => return Ok(Err(position)),
            Err(_) => {}
        }
        let table = self.case_table_for(name)?;
        let mut same = None;
        let mut place = None;
        let mut last = Position::default();
        for leaf_index in 0..list.leaf_count() {
            let Some(leaf) = list.leaf(self.bins, leaf_index)? else {
                break;
            };
            for index in 0..leaf.len() {
                let Some(cell) = leaf.key_node(index) else {
                    break;
                };
                let key = Key::at(self.bins, cell)?;
                let at = |index| Position {
                    leaf: leaf_index,
                    index,
                };
                match key.name.cmp_by(name, table) {
                    Ordering::Equal => return Ok(Ok(key)),
                    Ordering::Greater if place.is_none() => place = Some(at(index)),
                    _ => {}
                }
                if same.is_none() && key.name.is_same(name) {
                    same = Some(key);
                }
                last = at(index + 1);
            }
        }
        Ok(same.ok_or(place.unwrap_or(last)))
    }

    /// The table by which the subkeys' names are ordered and hashed: the hive's table, unless the
    /// hashes of the list's own names show another one.
    pub(crate) fn case_table_for(&self, name: Name<'_>) -> Result<CaseTable, Corruption> {
        let table = self.bins.case_table();
        let Some(list) = self
            .subkey_list()?
            .filter(|_| name.order_depends_on_windows())
        else {
            return Ok(table);
        };
        let other = table.other();
        for index in 0..list.leaf_count() {
            let Some(leaf) = list.leaf(self.bins, index)?.filter(Leaf::is_hashed) else {
                continue;
            };
            for index in 0..leaf.len() {
                let (Some(cell), Some(hash)) = (leaf.key_node(index), leaf.hash(index)) else {
                    break;
                };
                let name = Key::at(self.bins, cell)?.name;
                let (ours, others) = (name.hash_by(table), name.hash_by(other));
                if ours != others && (hash == ours || hash == others) {
                    return Ok(if hash == ours { table } else { other });
                }
            }
        }
        Ok(table)
    }

    /// The place of the subkey with this name in the list, found by a binary search, and its cell.
    pub(crate) fn search(
        &self,
        name: Name<'_>,
    ) -> Result<Option<(CellOffset, Position)>, Corruption> {
        let Some(list) = self.subkey_list()? else {
            return Ok(None);
        };
        let found = Search::new(self.bins, name).list(&list)?;
        Ok(found.ok().map(|(key, position)| (key.cell, position)))
    }

    /// Offsets of its values in their order.
    ///
    /// # Errors
    /// If the value list is shorter than the number of values.
    pub(crate) fn value_cells(&self) -> Result<&'a [IndexElement], Corruption> {
        let count = self.node.value_count.get() as usize;
        if count == 0 || self.has_predefined_handle() {
            return Ok(&[]);
        }
        let at = CellOffset::new(self.node.value_list.get());
        let payload = self.bins.cell(at)?;
        bytes::view_many(payload, 0, count).ok_or_else(|| {
            Corruption::new(
                "value list",
                at,
                format!("a cell of at least {count} * 4 bytes"),
                payload.len().to_string(),
            )
        })
    }

    /// True if the value count holds a predefined handle instead of a count.
    #[must_use]
    pub fn has_predefined_handle(&self) -> bool {
        self.node.flags.get() & KeyNode::FLAG_PREDEFINED_HANDLE != 0
    }

    /// The values in the order in which they were created.
    ///
    /// # Errors
    /// If the value list is wrong. The iterator yields an error for each value that can't be read.
    pub fn values(
        &self,
    ) -> Result<impl Iterator<Item = Result<Value<'a>, Corruption>> + use<'a>, Corruption> {
        let bins = self.bins;
        Ok(self
            .value_cells()?
            .iter()
            .map(move |e| Value::at(bins, CellOffset::new(e.cell.get()))))
    }

    /// The value with this name, ignoring case; an empty name is the default value.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn value(&self, name: &str) -> Result<Option<Value<'a>>, Corruption> {
        Ok(self
            .find_value(NameBuf::new(name).as_name())?
            .map(|(_, value)| value))
    }

    /// The value with this name and its place in the value list.
    pub(crate) fn find_value(
        &self,
        name: Name<'_>,
    ) -> Result<Option<(usize, Value<'a>)>, Corruption> {
        for (index, value) in self.values()?.enumerate() {
            let value = value?;
            if value.name().is_same(name) {
                return Ok(Some((index, value)));
            }
        }
        Ok(None)
    }

    /// The class name's bytes (UTF-16LE), if it has one.
    ///
    /// # Errors
    /// If the class name's cell is too short.
    pub fn class(&self) -> Result<Option<&'a [u8]>, Corruption> {
        let at = CellOffset::new(self.node.class.get());
        let len = usize::from(self.node.class_len.get());
        if at.is_nil() || len == 0 {
            return Ok(None);
        }
        let payload = self.bins.cell(at)?;
        payload.get(..len).map(Some).ok_or_else(|| {
            Corruption::new(
                "class name",
                at,
                format!("a cell of at least {len} bytes"),
                payload.len().to_string(),
            )
        })
    }

    /// The self-relative security descriptor (MS-DTYP 2.4.6).
    ///
    /// # Errors
    /// If the security cell is wrong.
    pub fn security_descriptor(&self) -> Result<&'a [u8], Corruption> {
        let at = CellOffset::new(self.node.security.get());
        let (raw, payload) = self.bins.structure::<KeySecurity>(at, "security cell")?;
        expect_signature(
            "security cell signature",
            at,
            KeySecurity::SIGNATURE,
            raw.signature,
        )?;
        let len = raw.descriptor_len.get() as usize;
        bytes::slice(payload, KeySecurity::LEN, len).ok_or_else(|| {
            Corruption::new(
                "security descriptor length",
                at,
                format!("at most {}", payload.len() - KeySecurity::LEN),
                len.to_string(),
            )
        })
    }
}

/// A binary search in a subkey list.
struct Search<'a, 'n> {
    bins: Bins<'a>,
    name: Name<'n>,
    order_is_certain: bool,
}

impl<'a, 'n> Search<'a, 'n> {
    fn new(bins: Bins<'a>, name: Name<'n>) -> Self {
        Self {
            bins,
            name,
            order_is_certain: !name.order_depends_on_windows(),
        }
    }

    /// Searches the leaves of a list: returns the key and its place, or the place at which it would
    /// have to be inserted.
    fn list(
        &mut self,
        list: &SubkeyList<'a>,
    ) -> Result<Result<(Key<'a>, Position), Position>, Corruption> {
        let mut low = 0;
        let mut high = list.leaf_count();
        let mut position = Position::default();
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(leaf) = list.leaf(self.bins, middle)? else {
                break;
            };
            let found = self.leaf(leaf)?;
            let index = match found {
                Ok((_, index)) | Err(index) => index,
            };
            position = Position {
                leaf: middle,
                index,
            };
            if let Ok((key, _)) = found {
                return Ok(Ok((key, position)));
            }
            if index == 0 {
                high = middle;
            } else if index == leaf.len() {
                low = middle + 1;
            } else {
                break;
            }
        }
        Ok(Err(position))
    }

    /// Searches one leaf: returns the key and its index, or the index at which it would have to be
    /// inserted.
    fn leaf(&mut self, leaf: Leaf<'a>) -> Result<Result<(Key<'a>, usize), usize>, Corruption> {
        let mut low = 0;
        let mut high = leaf.len();
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(cell) = leaf.key_node(middle) else {
                break;
            };
            let key = Key::at(self.bins, cell)?;
            self.order_is_certain &= !key.name.order_depends_on_windows();
            match key.name.cmp_by(self.name, self.bins.case_table()) {
                Ordering::Equal => return Ok(Ok((key, middle))),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }
}

/// A place in a subkey list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Index of the leaf below the index root; 0 if there is only one leaf.
    pub(crate) leaf: usize,
    /// Index of the element in that leaf.
    pub(crate) index: usize,
}

/// Iterator over the subkeys of a key.
pub struct Subkeys<'a> {
    bins: Bins<'a>,
    list: Option<SubkeyList<'a>>,
    leaf: Option<Leaf<'a>>,
    next_leaf: usize,
    next: usize,
}

impl<'a> Iterator for Subkeys<'a> {
    type Item = Result<Key<'a>, Corruption>;

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.list?;
        loop {
            if let Some(leaf) = self.leaf
                && let Some(cell) = leaf.key_node(self.next)
            {
                self.next += 1;
                return Some(Key::at(self.bins, cell));
            }
            self.leaf = match list.leaf(self.bins, self.next_leaf) {
                Ok(None) => return None,
                Ok(leaf) => leaf,
                Err(error) => {
                    self.list = None;
                    return Some(Err(error));
                }
            };
            self.next_leaf += 1;
            self.next = 0;
        }
    }
}

/// The components of a key path; leading, trailing and doubled separators are ignored.
pub fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('\\').filter(|component| !component.is_empty())
}
