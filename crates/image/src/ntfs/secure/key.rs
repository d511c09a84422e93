//! The keys of the view indexes `$SII` and `$SDH` (Linux-NTFS, $Secure).

use zerocopy::byteorder::little_endian::U32;

use super::format::SdsHeader;

/// The key of a view index over `$SDS`.
pub(super) trait Key: Copy + Ord {
    /// Name of the index.
    const NAME: &'static str;
    /// The number of its collation rule.
    const COLLATION: u32;
    /// Length in bytes.
    const LEN: usize;
    /// True if new keys are higher than all existing ones.
    const ASCENDS: bool;
    /// The padding after the data, to a multiple of 8 bytes.
    const PADDING: &'static [u8];

    /// Parses the key; `None` if the length is wrong.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// The key of an entry of `$SDS`.
    fn of(header: &SdsHeader) -> Self;
    /// The bytes of the key.
    fn bytes(self) -> Vec<u8>;
}

/// `$SII`: the id, ordered as a number (`COLLATION_NTOFS_ULONG`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ById(pub(super) u32);

impl Key for ById {
    const NAME: &'static str = "$SII";
    const COLLATION: u32 = 0x10;
    const LEN: usize = 4;
    const ASCENDS: bool = true;
    const PADDING: &'static [u8] = &[];

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(u32::from_le_bytes(bytes.try_into().ok()?)))
    }

    fn of(header: &SdsHeader) -> Self {
        Self(header.security_id.get())
    }

    fn bytes(self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }
}

/// `$SDH`: the hash of the descriptor, then its id, both as numbers
/// (`COLLATION_NTOFS_SECURITY_HASH`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ByHash {
    pub(super) hash: u32,
    pub(super) id: u32,
}

impl Key for ByHash {
    const NAME: &'static str = "$SDH";
    const COLLATION: u32 = 0x12;
    const LEN: usize = 8;
    const ASCENDS: bool = false;
    // The bytes that Windows writes there.
    const PADDING: &'static [u8] = b"I\0I\0";

    fn read(bytes: &[u8]) -> Option<Self> {
        let [hash, id] = *<[U32; 2] as zerocopy::FromBytes>::ref_from_bytes(bytes).ok()?;
        Some(Self {
            hash: hash.get(),
            id: id.get(),
        })
    }

    fn of(header: &SdsHeader) -> Self {
        Self {
            hash: header.hash.get(),
            id: header.security_id.get(),
        }
    }

    fn bytes(self) -> Vec<u8> {
        [self.hash.to_le_bytes(), self.id.to_le_bytes()].concat()
    }
}
