//! Checks of key nodes (regf spec, Key node).

use diskmend_base::bytes;

use super::kind::ProblemKind;
use super::walk::{Walker, quoted};
use crate::format::{CellHeader, KeyNode, KeySecurity};
use crate::name::{MAX_KEY_NAME, Name};
use crate::offset::CellOffset;

/// The bits of a key node's layered field that contain its semantics.
const LAYERED_SEMANTICS: u8 = 3;

/// True if many programs can't open a key with this unit in its name.
const fn is_odd(unit: u16) -> bool {
    unit < b' ' as u16 || unit == b'\\' as u16
}

impl<'a> Walker<'a> {
    /// Checks the key node at `cell`, to which a list at `from` of the key `parent` refers; both
    /// are `None` for the root.
    pub(super) fn key_node(
        &mut self,
        cell: CellOffset,
        parent: Option<(CellOffset, CellOffset)>,
    ) -> Option<(&'a KeyNode, Name<'a>)> {
        let (from, key) = match parent {
            Some((from, key)) => (from, Some(key)),
            None => (cell, None),
        };
        let payload = self.claim(cell, "key node", from, key)?;
        let Some((node, rest)) = payload
            .split_at_checked(KeyNode::LEN)
            .and_then(|(node, rest)| Some((bytes::view::<KeyNode>(node, 0)?, rest)))
        else {
            self.found
                .add(ProblemKind::KeySize, cell.in_file(), key, || {
                    (
                        format!("at least {} bytes", KeyNode::LEN),
                        payload.len().to_string(),
                    )
                });
            return None;
        };
        if node.signature != KeyNode::SIGNATURE {
            self.found
                .add(ProblemKind::KeySignature, cell.in_file(), key, || {
                    ("\"nk\"", quoted(node.signature))
                });
            return None;
        }
        self.keys += 1;
        if payload.len() > KeyNode::MAX_PAYLOAD {
            self.problem(ProblemKind::KeySize, cell, cell, || {
                (
                    format!("at most {} bytes", KeyNode::MAX_PAYLOAD),
                    payload.len().to_string(),
                )
            });
        }
        if let Some((_, parent)) = parent {
            let stated = CellOffset::new(node.parent.get());
            if stated != parent {
                self.parents.correct(cell, parent);
                self.problem(ProblemKind::KeyParent, cell, cell, || {
                    (format!("parent {parent}"), stated.to_string())
                });
            }
        }
        self.flags(cell, node, parent.is_none());
        self.class(cell, node);
        self.security(cell, node);
        let name = self.key_name(cell, node, rest)?;
        Some((node, name))
    }

    fn key_name(&mut self, cell: CellOffset, node: &KeyNode, rest: &'a [u8]) -> Option<Name<'a>> {
        let len = usize::from(node.name_len.get());
        let Some(stored) = rest.get(..len) else {
            self.problem(ProblemKind::KeySize, cell, cell, || {
                (
                    format!("a name of at most {} bytes", rest.len()),
                    len.to_string(),
                )
            });
            return None;
        };
        let compressed = node.flags.get() & KeyNode::FLAG_COMPRESSED_NAME != 0;
        let Ok(name) = Name::stored(stored, compressed) else {
            self.problem(ProblemKind::KeyName, cell, cell, || {
                ("a name of whole UTF-16 units", format!("{len} bytes"))
            });
            return None;
        };
        if name.is_empty() {
            self.problem(ProblemKind::KeyName, cell, cell, || {
                ("a name", "an empty one")
            });
        } else if name.len() > MAX_KEY_NAME {
            self.problem(ProblemKind::KeyNameLong, cell, cell, || {
                (
                    format!("at most {MAX_KEY_NAME} UTF-16 units"),
                    name.len().to_string(),
                )
            });
        }
        let odd = if compressed {
            // A loop without an early exit handles many characters at once.
            let odd = |byte: &u8| is_odd(u16::from(*byte));
            stored.iter().fold(false, |any, byte| any | odd(byte))
        } else {
            if name.units().all(|unit| unit <= 0xFF) {
                self.problem(ProblemKind::KeyNameUncompressed, cell, cell, || {
                    ("a compressed name", "one in UTF-16")
                });
            }
            name.units().any(is_odd)
        };
        if odd {
            self.problem(ProblemKind::KeyNameCharacter, cell, cell, || {
                let actual = format!("\"{}\"", name.escaped());
                ("a name without backslash and control characters", actual)
            });
        }
        Some(name)
    }

    fn flags(&mut self, cell: CellOffset, node: &KeyNode, is_root: bool) {
        let flags = node.flags.get();
        let volatile = flags & KeyNode::FLAG_VOLATILE != 0;
        let misplaced = if is_root {
            let never = KeyNode::FLAG_HIVE_EXIT | KeyNode::FLAG_SYMLINK;
            flags & never != 0 || flags & KeyNode::FLAG_HIVE_ENTRY == 0
        } else {
            flags & KeyNode::FLAGS_OF_ROOT != 0
        };
        if volatile || misplaced {
            self.problem(ProblemKind::KeyFlags, cell, cell, || {
                let expected = if is_root {
                    "the hive entry flag (0x4), and none of 0x1 (volatile), 0x2 (hive exit) and \
                     0x10 (link)"
                } else {
                    "none of 0x1 (volatile), 0x2 (hive exit), 0x4 (hive entry) and 0x8 (no delete)"
                };
                (expected, format!("{flags:#x}"))
            });
        }
        let semantics = node.layered & LAYERED_SEMANTICS;
        if semantics != 0 && !self.ground.layered {
            self.problem(ProblemKind::KeyLayered, cell, cell, || {
                let expected = "no layered key without the flag 0x2 of the base block";
                (expected, format!("layer semantics {semantics}"))
            });
        }
        if semantics == KeyNode::LAYERED_TOMBSTONE {
            let has_content = node.subkey_count.get() != 0
                || node.value_count.get() != 0
                || !CellOffset::new(node.class.get()).is_nil();
            if has_content {
                self.problem(ProblemKind::KeyTombstone, cell, cell, || {
                    (
                        "a tombstone without subkeys, values and class",
                        "one with some of these",
                    )
                });
            }
        }
    }

    fn class(&mut self, cell: CellOffset, node: &KeyNode) {
        let class = CellOffset::new(node.class.get());
        let len = usize::from(node.class_len.get());
        // Without a length the offset has no meaning.
        if len == 0 {
            return;
        }
        if class.is_nil() {
            self.problem(ProblemKind::ClassName, cell, cell, || {
                (format!("a cell for a class name of {len} bytes"), "none")
            });
            return;
        }
        let Some(payload) = self.claim(class, "class name", cell, Some(cell)) else {
            return;
        };
        if payload.len() < len {
            self.problem(ProblemKind::ClassSize, class, cell, || {
                (format!("at least {len} bytes"), payload.len().to_string())
            });
        } else if !len.is_multiple_of(2) {
            self.problem(ProblemKind::ClassName, cell, cell, || {
                ("a class name of whole UTF-16 units", format!("{len} bytes"))
            });
        }
    }

    fn security(&mut self, cell: CellOffset, node: &KeyNode) {
        let security = CellOffset::new(node.security.get());
        if !self.security_counts.count(security, self.ground.ring) {
            self.not_on_ring(cell, security);
        }
    }

    #[cold]
    fn not_on_ring(&mut self, cell: CellOffset, security: CellOffset) {
        let ground = self.ground;
        let at = security.index();
        let signature = at
            .checked_add(CellHeader::LEN)
            .and_then(|payload| bytes::view::<[u8; 2]>(ground.data, payload));
        let is_security = at.is_multiple_of(CellHeader::ALIGN)
            && ground.starts.contains(at)
            && signature == Some(&KeySecurity::SIGNATURE);
        if is_security {
            // Something refers to it, even if the reference comes from the wrong place.
            self.taken.insert(at);
        }
        if ground.ring.len() == 0 && is_security {
            // If a ring can't be followed, one problem is enough.
            return;
        }
        self.problem(ProblemKind::SecurityNotOnRing, cell, cell, || {
            ("a security cell of the ring", security.to_string())
        });
    }
}
