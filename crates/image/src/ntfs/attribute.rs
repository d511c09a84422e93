//! One attribute of a FILE record (Linux-NTFS, Attribute header).

use diskmend_base::bytes;
use diskmend_base::count::to_usize;
use diskmend_base::utf16;
use zerocopy::byteorder::little_endian::U16;

use super::format::{AttributeHeader, NonResidentHeader, ResidentHeader, attribute_type};

/// Attributes and values begin at multiples of this many bytes.
pub(crate) const ALIGN: usize = 8;

/// Offset of an attribute in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AttributeAt(pub(crate) usize);

/// An attribute with its header, name and value inside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    at: AttributeAt,
    data: &'a [u8],
    header: &'a AttributeHeader,
    /// Its name; empty if it has none.
    name: &'a [u8],
}

/// The problem of an attribute.
pub(crate) struct Problem {
    pub(crate) expected: &'static str,
    pub(crate) actual: String,
}

/// Checks the attribute at `at` of a record with `used` bytes in use, and returns its length.
pub(crate) fn check(used: &[u8], at: usize) -> Result<usize, Problem> {
    let problem = |expected, actual: String| Problem { expected, actual };
    let rest = used.len().saturating_sub(at);
    let header = bytes::view::<AttributeHeader>(used, at)
        .ok_or_else(|| problem("a whole header", rest.to_string()))?;
    let len = to_usize(header.length.get());
    let least = match header.non_resident {
        0 => size_of::<ResidentHeader>(),
        1 => size_of::<NonResidentHeader>(),
        other => return Err(problem("0 or 1 as non-resident flag", other.to_string())),
    };
    if len < least || len > rest || !len.is_multiple_of(ALIGN) {
        let expected = "a length that holds the header, ends in the record and is a multiple of 8";
        return Err(problem(expected, len.to_string()));
    }
    let (start, name_len) = name_range(header);
    let end = start.saturating_add(name_len);
    if end > len || (name_len > 0 && start < least) {
        return Err(problem(
            "a name within it",
            format!("one from {start} to {end}"),
        ));
    }
    let attribute = Attribute::at(used, AttributeAt(at))
        .ok_or_else(|| problem("an attribute", format!("type {:#x}", header.kind)))?;
    match attribute.non_resident() {
        Some(non_resident) => {
            let pairs = usize::from(non_resident.mapping_pairs_offset.get());
            if pairs < least || pairs >= len {
                return Err(problem(
                    "mapping pairs within it",
                    format!("some at {pairs}"),
                ));
            }
        }
        None => {
            let value = attribute.resident_range();
            let end = value.and_then(|(start, len)| start.checked_add(len));
            if value.is_none_or(|(start, _)| start < least) || end.is_none_or(|end| end > len) {
                let found = match value {
                    Some((start, len)) => format!("{len} bytes at {start}"),
                    None => "none".to_owned(),
                };
                return Err(problem("a value within it", found));
            }
        }
    }
    Ok(len)
}

impl<'a> Attribute<'a> {
    /// The attribute at `at`; `None` if the attributes end there, or if the attribute or its name
    /// is not in the record.
    pub(crate) fn at(used: &'a [u8], at: AttributeAt) -> Option<Self> {
        let header = bytes::view::<AttributeHeader>(used, at.0)?;
        if header.kind.get() == attribute_type::END {
            return None;
        }
        let len = usize::try_from(header.length.get()).ok()?;
        let data = bytes::slice(used, at.0, len)?;
        let (name_at, name_len) = name_range(header);
        let name = bytes::slice(data, name_at, name_len)?;
        Some(Self {
            at,
            data,
            header,
            name,
        })
    }

    /// Its position in the record.
    pub(crate) fn place(&self) -> AttributeAt {
        self.at
    }

    /// The position of the next attribute.
    pub(crate) fn end(&self) -> Option<AttributeAt> {
        self.at.0.checked_add(self.data.len()).map(AttributeAt)
    }

    /// Its length in the record.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Its type.
    pub(crate) fn kind(&self) -> u32 {
        self.header.kind.get()
    }

    /// The flags for compression, encryption and missing clusters.
    pub(crate) fn flags(&self) -> u16 {
        self.header.flags.get()
    }

    /// The number that distinguishes it in the record.
    pub(crate) fn instance(&self) -> u16 {
        self.header.instance.get()
    }

    /// True if it has a name.
    pub(crate) fn has_name(&self) -> bool {
        !self.name.is_empty()
    }

    /// The end of its name, in bytes from its start; 0 if it has none.
    pub(crate) fn name_end(&self) -> usize {
        let (start, len) = name_range(self.header);
        start.saturating_add(len)
    }

    /// Its name in UTF-16 units.
    pub(crate) fn name(&self) -> impl Iterator<Item = u16> + use<'a> {
        utf16::whole_units(self.name)
    }

    /// True if this is its name, including case.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name().eq(name.encode_utf16())
    }

    /// Start and length of its value, if that is resident.
    pub(crate) fn resident_range(&self) -> Option<(usize, usize)> {
        if self.header.non_resident != 0 {
            return None;
        }
        let header = bytes::view::<ResidentHeader>(self.data, 0)?;
        let len = usize::try_from(header.value_length.get()).ok()?;
        Some((usize::from(header.value_offset.get()), len))
    }

    /// Its value, if that is resident.
    pub(crate) fn resident(&self) -> Option<&'a [u8]> {
        let (start, len) = self.resident_range()?;
        bytes::slice(self.data, start, len)
    }

    /// Its header, if its value is not resident.
    pub(crate) fn non_resident(&self) -> Option<&'a NonResidentHeader> {
        if self.header.non_resident == 0 {
            return None;
        }
        bytes::view(self.data, 0)
    }

    /// The room for its mapping pairs, if its value is not resident.
    pub(crate) fn mapping_pairs(&self) -> Option<&'a [u8]> {
        let start = usize::from(self.non_resident()?.mapping_pairs_offset.get());
        self.data.get(start..)
    }
}

/// Start and length of the name according to a header; both are 0 if there is none.
fn name_range(header: &AttributeHeader) -> (usize, usize) {
    match usize::from(header.name_length) {
        0 => (0, 0),
        units => (
            usize::from(header.name_offset.get()),
            units.saturating_mul(size_of::<U16>()),
        ),
    }
}
