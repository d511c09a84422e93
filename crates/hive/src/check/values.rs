//! Checks of value lists, values and their data (regf spec, Key value, Big data).

use diskmend_base::bytes;

use super::fingerprint::fingerprint;
use super::kind::ProblemKind;
use super::walk::{Walker, quoted};
use crate::format::{BigData, IndexElement, KeyNode, KeyValue};
use crate::name::{MAX_VALUE_NAME, Name};
use crate::offset::CellOffset;

/// The check looks for duplicate names among at most this many values of one key, or one value for
/// each [`SPAN_OF_VALUE`] bytes of the hive.
const MANY_VALUES: usize = 1 << 16;
const SPAN_OF_VALUE: usize = 512;

/// For at most this many value names, comparing each with each is faster than sorting.
const FEW_VALUES: usize = 12;

impl<'a> Walker<'a> {
    /// Checks the value list of a key, its values and their data.
    pub(super) fn values_of(&mut self, key: CellOffset, node: &'a KeyNode) {
        let count = node.value_count.get() as usize;
        if count == 0 || node.flags.get() & KeyNode::FLAG_PREDEFINED_HANDLE != 0 {
            return;
        }
        let list = CellOffset::new(node.value_list.get());
        let Some(payload) = self.claim(list, "value list", key, Some(key)) else {
            return;
        };
        let Some(elements) = bytes::view_many::<IndexElement>(payload, 0, count) else {
            self.problem(ProblemKind::ValueListSize, list, key, || {
                (
                    format!("at least {count} * 4 bytes"),
                    payload.len().to_string(),
                )
            });
            return;
        };
        let compared = MANY_VALUES.max(self.ground.data.len() / SPAN_OF_VALUE);
        let compare = elements.len() <= compared;
        self.fingerprints.clear();
        if compare {
            self.fingerprints.reserve_exact(elements.len());
        }
        let mut max_name = 0;
        let mut max_data = 0;
        for element in elements {
            let cell = CellOffset::new(element.cell.get());
            if let Some((value, name)) = self.value(list, cell, key) {
                if compare {
                    self.fingerprints.push(fingerprint(name));
                }
                max_name = max_name.max(name.utf16_len());
                max_data = max_data.max(value.data_size.get() & !KeyValue::INLINE);
            }
        }
        // If a list repeats cells, comparing names could take extremely long; the repetition itself
        // is reported.
        let sound = compare && self.fingerprints.len() == elements.len();
        if sound && repeats(&mut self.fingerprints) {
            self.find_duplicates(elements, key);
        }
        let stated = node.max_value_name_len.get() as usize;
        if stated < max_name {
            self.problem(ProblemKind::MaxValueName, key, key, || {
                (format!("at least {max_name} bytes"), stated.to_string())
            });
        }
        let stated = node.max_value_data_len.get();
        if stated < max_data {
            self.problem(ProblemKind::MaxValueData, key, key, || {
                (format!("at least {max_data} bytes"), stated.to_string())
            });
        }
    }

    #[inline]
    fn value(
        &mut self,
        list: CellOffset,
        cell: CellOffset,
        key: CellOffset,
    ) -> Option<(&'a KeyValue, Name<'a>)> {
        let payload = self.claim(cell, "key value", list, Some(key))?;
        let Some((value, rest)) = payload
            .split_at_checked(KeyValue::LEN)
            .and_then(|(value, rest)| Some((bytes::view::<KeyValue>(value, 0)?, rest)))
        else {
            self.problem(ProblemKind::ValueSize, cell, key, || {
                (
                    format!("at least {} bytes", KeyValue::LEN),
                    payload.len().to_string(),
                )
            });
            return None;
        };
        if value.signature != KeyValue::SIGNATURE {
            self.problem(ProblemKind::ValueSignature, cell, key, || {
                ("\"vk\"", quoted(value.signature))
            });
            return None;
        }
        self.values += 1;
        self.data(cell, value, key);
        let name = self.value_name(cell, value, rest, key)?;
        Some((value, name))
    }

    fn value_name(
        &mut self,
        cell: CellOffset,
        value: &KeyValue,
        rest: &'a [u8],
        key: CellOffset,
    ) -> Option<Name<'a>> {
        let len = usize::from(value.name_len.get());
        let Some(stored) = rest.get(..len) else {
            self.problem(ProblemKind::ValueSize, cell, key, || {
                (
                    format!("a name of at most {} bytes", rest.len()),
                    len.to_string(),
                )
            });
            return None;
        };
        let compressed = value.flags.get() & KeyValue::FLAG_COMPRESSED_NAME != 0;
        let Ok(name) = Name::stored(stored, compressed) else {
            self.problem(ProblemKind::ValueName, cell, key, || {
                ("a name of whole UTF-16 units", format!("{len} bytes"))
            });
            return None;
        };
        if name.len() > MAX_VALUE_NAME {
            self.problem(ProblemKind::ValueNameLong, cell, key, || {
                (
                    format!("at most {MAX_VALUE_NAME} UTF-16 units"),
                    name.len().to_string(),
                )
            });
        }
        if !compressed && !name.is_empty() && name.units().all(|unit| unit <= 0xFF) {
            self.problem(ProblemKind::ValueNameUncompressed, cell, key, || {
                ("a compressed name", "one in UTF-16")
            });
        }
        Some(name)
    }

    fn data(&mut self, cell: CellOffset, value: &KeyValue, key: CellOffset) {
        let size = value.data_size.get();
        let len = (size & !KeyValue::INLINE) as usize;
        let at = CellOffset::new(value.data.get());
        if size & KeyValue::INLINE != 0 {
            if len > KeyValue::MAX_INLINE {
                self.problem(ProblemKind::ValueInline, cell, key, || {
                    ("at most 4 bytes in the value itself", len.to_string())
                });
            }
        } else if len == 0 {
            if !at.is_nil() {
                self.problem(ProblemKind::ValueDataSize, cell, key, || {
                    ("no data cell for 0 bytes", format!("one at {at}"))
                });
            }
        } else if len > BigData::SEGMENT_LEN && self.ground.minor >= BigData::MIN_MINOR {
            self.big_data(cell, at, len, key);
        } else if let Some(payload) = self.claim(at, "value data", cell, Some(key))
            && payload.len() < len
        {
            self.problem(ProblemKind::ValueDataSize, at, key, || {
                (format!("at least {len} bytes"), payload.len().to_string())
            });
        }
    }

    fn big_data(&mut self, value: CellOffset, at: CellOffset, len: usize, key: CellOffset) {
        let Some(payload) = self.claim(at, "big data record", value, Some(key)) else {
            return;
        };
        let Some(record) = bytes::view::<BigData>(payload, 0) else {
            self.problem(ProblemKind::BigDataSize, at, key, || {
                (
                    format!("at least {} bytes", BigData::LEN),
                    payload.len().to_string(),
                )
            });
            return;
        };
        if record.signature != BigData::SIGNATURE {
            self.problem(ProblemKind::BigDataSignature, at, key, || {
                ("\"db\"", quoted(record.signature))
            });
            return;
        }
        let count = usize::from(record.segment_count.get());
        let needed = len.div_ceil(BigData::SEGMENT_LEN);
        if count != needed {
            self.problem(ProblemKind::BigDataCount, at, key, || {
                (
                    format!("{needed} segments for {len} bytes"),
                    count.to_string(),
                )
            });
        }
        let list = CellOffset::new(record.segment_list.get());
        let Some(payload) = self.claim(list, "big data segment list", at, Some(key)) else {
            return;
        };
        let Some(segments) = bytes::view_many::<IndexElement>(payload, 0, count) else {
            self.problem(ProblemKind::BigDataSize, list, key, || {
                (
                    format!("at least {count} * 4 bytes"),
                    payload.len().to_string(),
                )
            });
            return;
        };
        let mut left = len;
        for segment in segments {
            let segment = CellOffset::new(segment.cell.get());
            let part = left.min(BigData::SEGMENT_LEN);
            left -= part;
            if let Some(payload) = self.claim(segment, "big data segment", list, Some(key))
                && payload.len() < part
            {
                self.problem(ProblemKind::BigDataSegment, segment, key, || {
                    (format!("at least {part} bytes"), payload.len().to_string())
                });
            }
        }
    }

    /// Finds duplicate names among values that include some.
    #[cold]
    fn find_duplicates(&mut self, elements: &[IndexElement], key: CellOffset) {
        let data = self.ground.data;
        let name = |cell: &CellOffset| stored_name(data, *cell);
        let mut named: Vec<CellOffset> = Vec::with_capacity(elements.len());
        let cells = elements
            .iter()
            .map(|element| CellOffset::new(element.cell.get()));
        named.extend(cells.filter(|cell| name(cell).is_some()));
        named.sort_unstable_by(|a, b| match (name(a), name(b)) {
            (Some(first), Some(second)) => first.cmp_ignore_case(second).then(a.cmp(b)),
            _ => a.cmp(b),
        });
        for (first, cell) in named.iter().zip(named.iter().skip(1)) {
            if let (Some(first), Some(second)) = (name(first), name(cell))
                && first.eq_ignore_case(second)
            {
                self.problem(ProblemKind::ValueDuplicate, *cell, key, || {
                    (
                        "a name that no other value has",
                        format!("\"{}\" again", second.escaped()),
                    )
                });
            }
        }
    }
}

/// The name of the value at `cell`, if there is one.
fn stored_name(data: &[u8], cell: CellOffset) -> Option<Name<'_>> {
    let at = cell.index().checked_add(4)?;
    let value = bytes::view::<KeyValue>(data, at)?;
    let len = usize::from(value.name_len.get());
    let stored = bytes::slice(data, at + KeyValue::LEN, len)?;
    let compressed = value.flags.get() & KeyValue::FLAG_COMPRESSED_NAME != 0;
    let fits = value.signature == KeyValue::SIGNATURE;
    Name::stored(stored, compressed).ok().filter(|_| fits)
}

/// True if a number occurs twice; may sort the numbers.
fn repeats(numbers: &mut [u32]) -> bool {
    if numbers.len() <= FEW_VALUES {
        return numbers
            .iter()
            .enumerate()
            .any(|(index, number)| numbers.iter().skip(index + 1).any(|other| other == number));
    }
    numbers.sort_unstable();
    numbers
        .iter()
        .zip(numbers.iter().skip(1))
        .any(|(a, b)| a == b)
}
