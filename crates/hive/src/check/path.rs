//! The path of a key in a report, found through the key nodes' parent fields.

use std::collections::HashMap;

use diskmend_base::bytes;

use super::report::MAX_PROBLEMS;
use crate::format::{CellHeader, KeyNode};
use crate::name::Name;
use crate::offset::CellOffset;

/// The maximum number of levels of keys below the root that Windows loads.
pub(super) const MAX_DEPTH: u32 = crate::edit::MAX_DEPTH as u32;

/// The maximum length of a path in a report. Of a longer path only the end is shown.
const MAX_PATH_LEN: usize = 4096;

/// The real parents of keys that name another parent in their nodes.
#[derive(Default)]
pub(super) struct Parents {
    by_key: HashMap<CellOffset, CellOffset>,
    overflowed: bool,
}

impl Parents {
    /// Records that `parent` lists `key`.
    pub(super) fn correct(&mut self, key: CellOffset, parent: CellOffset) {
        if self.by_key.len() < MAX_PROBLEMS {
            self.by_key.insert(key, parent);
        } else {
            self.overflowed = true;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.overflowed |= other.overflowed;
        self.by_key.extend(other.by_key);
    }

    /// The path of `key` below the root, `\` for the root itself.
    pub(super) fn path(&self, data: &[u8], root: CellOffset, key: CellOffset) -> Option<String> {
        if self.overflowed {
            return None;
        }
        let mut names = Vec::new();
        let mut text_len = 0;
        let mut depth = 0;
        let mut at = key;
        while at != root {
            if depth > MAX_DEPTH {
                return None;
            }
            depth += 1;
            let payload = at.index().checked_add(CellHeader::LEN)?;
            let node = bytes::view::<KeyNode>(data, payload)?;
            if node.signature != KeyNode::SIGNATURE {
                return None;
            }
            let len = usize::from(node.name_len.get());
            let stored = bytes::slice(data, payload + KeyNode::LEN, len)?;
            let compressed = node.flags.get() & KeyNode::FLAG_COMPRESSED_NAME != 0;
            if text_len < MAX_PATH_LEN {
                let name = match Name::stored(stored, compressed) {
                    Ok(name) => name.in_path().to_string(),
                    Err(_) => "?".to_owned(),
                };
                text_len += name.len() + 1;
                names.push(if text_len < MAX_PATH_LEN {
                    name
                } else {
                    "...".to_owned()
                });
            }
            let stated = CellOffset::new(node.parent.get());
            at = self.by_key.get(&at).copied().unwrap_or(stated);
        }
        if names.is_empty() {
            return Some("\\".to_owned());
        }
        names.reverse();
        Some(names.join("\\"))
    }
}
