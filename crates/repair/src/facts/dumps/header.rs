//! The header of a crash dump of the kernel, of a whole memory or a minidump: `DUMP_HEADER64` or
//! `DUMP_HEADER32`.

use diskmend_base::bytes::{array, u32_at, u64_at};

/// The length of a header that is read: all fields up to the time.
pub(super) const LEN: usize = 0x1000;

/// The type of a dump that holds a list of drivers (`DUMP_TYPE_TRIAGE`).
const TRIAGE: u32 = 4;

/// The width of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Bits32,
    Bits64,
}

/// A stop of Windows with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The code of the error.
    pub(super) code: u32,
    /// Its four parameters.
    pub(super) parameters: [u64; 4],
    /// The time of the stop as a FILETIME; 0 if it was not stored.
    pub(super) time: u64,
    /// The width of its addresses.
    pub(super) width: Width,
    /// True for a minidump, which holds a list of drivers.
    pub(super) is_triage: bool,
    /// The address at which an exception happened; 0 if none was stored.
    exception: u64,
}

impl Header {
    /// The addresses of the code that failed, the surest first.
    pub(super) fn addresses(&self) -> Vec<u64> {
        let [one, two, three, four] = self.parameters;
        // Windows marks a code so in minidumps if the parameters are those of an exception.
        let parameter = match self.code & !0x1000_0000 {
            0x0a | 0xc5 | 0xd1 => Some(four),
            0x1e | 0x3b | 0x7e | 0x8e => Some(two),
            0x50 | 0xce | 0xd5 | 0xd6 => Some(three),
            0xfc => Some(one),
            _ => None,
        };
        let addresses = parameter.into_iter().chain([self.exception]);
        addresses.filter(|address| *address != 0).collect()
    }
}

/// Reads the beginning of a dump; `None` if it is no dump.
pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
    match &array::<8>(bytes, 0)? {
        b"PAGEDU64" => Some(Header {
            code: u32_at(bytes, 0x38)?,
            parameters: [
                u64_at(bytes, 0x40)?,
                u64_at(bytes, 0x48)?,
                u64_at(bytes, 0x50)?,
                u64_at(bytes, 0x58)?,
            ],
            time: u64_at(bytes, 0xfa8)?,
            width: Width::Bits64,
            is_triage: u32_at(bytes, 0xf98)? == TRIAGE,
            exception: u64_at(bytes, 0xf10)?,
        }),
        b"PAGEDUMP" => Some(Header {
            code: u32_at(bytes, 0x28)?,
            parameters: [
                u32_at(bytes, 0x2c)?.into(),
                u32_at(bytes, 0x30)?.into(),
                u32_at(bytes, 0x34)?.into(),
                u32_at(bytes, 0x38)?.into(),
            ],
            time: u64_at(bytes, 0xfc0)?,
            width: Width::Bits32,
            is_triage: u32_at(bytes, 0xf88)? == TRIAGE,
            exception: u32_at(bytes, 0x7dc)?.into(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_only_if_it_is_whole() {
        let mut dump = vec![0; LEN];
        dump[..8].copy_from_slice(b"PAGEDU64");
        dump[0x38] = 0x7b;
        dump[0x40] = 1;
        dump[0xfa8] = 9;
        let header = parse(&dump).expect("a dump");
        assert_eq!((header.code, header.time), (0x7b, 9));
        assert_eq!(header.parameters, [1, 0, 0, 0]);
        dump[..8].copy_from_slice(b"PAGEDUMP");
        dump[0x28] = 0x50;
        dump[0xfc0] = 8;
        let header = parse(&dump).expect("a dump");
        assert_eq!((header.code, header.time), (0x50, 8));
        for len in 0..0xfc8 {
            assert_eq!(parse(&dump[..len]), None, "{len}");
        }
        dump[..8].copy_from_slice(b"PAGEDU63");
        assert_eq!(parse(&dump), None);
    }
}
