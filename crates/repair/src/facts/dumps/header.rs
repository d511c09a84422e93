//! The header of a crash dump of the kernel, of a whole memory or a minidump: `DUMP_HEADER64` or
//! `DUMP_HEADER32`.

use diskmend_base::bytes::{array, u32_at, u64_at};

/// The length of a header that is read: all fields up to the time.
pub(super) const LEN: usize = 0x1000;

/// A stop of Windows with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The code of the error.
    pub(super) code: u32,
    /// Its four parameters.
    pub(super) parameters: [u64; 4],
    /// The time of the stop as a FILETIME; 0 if it was not stored.
    pub(super) time: u64,
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
