//! The bytes of a run file (docs/undo-format.md describes them).

use xxhash_rust::xxh3::xxh3_64;

use crate::run::journal::MAX_OLD_LEN;
use crate::run::{changes_file, undo_data};

/// The start of a run file: signature, version, four zeros.
pub(super) const HEADER: [u8; 16] = *b"DMENDRN\x1a\x01\0\0\0\0\0\0\0";
/// The length of the signature.
const MAGIC_LEN: usize = 8;
/// The number of bytes before a frame's body: kind, number, length and digest of the body, and the
/// digest of these.
pub(crate) const FRAME_HEADER_LEN: usize = 32;
/// The greatest number of frames in a file.
pub(crate) const MAX_FRAMES: usize = 1 << 16;

/// The content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Old and new bytes of a file.
    Undo,
    /// The changes of a hive, in the registry's terms.
    Changes,
    /// A journal, which replaces the one before.
    Journal,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Undo, Self::Changes, Self::Journal];

    const fn code(self) -> [u8; 4] {
        match self {
            Self::Undo => *b"UNDO",
            Self::Changes => *b"CHNG",
            Self::Journal => *b"JRNL",
        }
    }

    /// The greatest length of a body.
    const fn max_len(self) -> u64 {
        match self {
            Self::Undo => undo_data::MAX_LEN,
            Self::Changes => changes_file::MAX_LEN,
            Self::Journal => MAX_OLD_LEN,
        }
    }
}

/// A frame and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(super) kind: Kind,
    /// The frame's number, counted from 1 for each kind.
    pub(super) number: u32,
    /// The offset of the frame in the file.
    pub(super) at: u64,
    /// The length of the body.
    pub(super) len: u64,
    /// XXH3-64 of the body.
    pub(super) digest: u64,
}

/// The meaning of the bytes at the start of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// The header of a run file.
    Known,
    /// A part of that header, as a power failure may leave it.
    Torn,
    /// A run file of another version.
    OtherVersion(u32),
    /// Anything else.
    Unknown,
}

impl Start {
    /// `bytes` are the first bytes of the file, as many as a header has if the file is that long.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes == HEADER {
            return Self::Known;
        }
        let is_short = bytes.len() < HEADER.len() && HEADER.starts_with(bytes);
        if is_short || bytes.iter().all(|byte| *byte == 0) {
            return Self::Torn;
        }
        let start = bytes.split_at_checked(MAGIC_LEN);
        match start.map(|(magic, rest)| (magic, rest.first_chunk())) {
            Some((magic, Some(version))) if HEADER.starts_with(magic) => {
                Self::OtherVersion(u32::from_le_bytes(*version))
            }
            _ => Self::Unknown,
        }
    }
}

impl Frame {
    /// The offset of the body in the file.
    pub(super) const fn body(&self) -> u64 {
        self.at.saturating_add(FRAME_HEADER_LEN as u64)
    }

    /// The offset after the frame.
    pub(super) const fn end(&self) -> u64 {
        self.body().saturating_add(self.len)
    }

    /// The header. Its digest covers the frame's offset, so a moved frame is invalid.
    pub(super) fn header(&self) -> [u8; FRAME_HEADER_LEN] {
        let parts: [&[u8]; 4] = [
            &self.kind.code(),
            &self.number.to_le_bytes(),
            &self.len.to_le_bytes(),
            &self.digest.to_le_bytes(),
        ];
        let fields = parts.concat();
        let digest = xxh3_64(&[&self.at.to_le_bytes(), fields.as_slice()].concat());
        let mut header = [0; FRAME_HEADER_LEN];
        let bytes = fields.into_iter().chain(digest.to_le_bytes());
        for (to, from) in header.iter_mut().zip(bytes) {
            *to = from;
        }
        header
    }

    /// Reads the header of the frame at an offset; `None` if it is torn or isn't a header.
    pub(super) fn parse(at: u64, header: &[u8; FRAME_HEADER_LEN]) -> Option<Self> {
        let (code, rest) = header.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (digest, _) = rest.split_first_chunk()?;
        let frame = Self {
            kind: Kind::ALL.into_iter().find(|kind| kind.code() == *code)?,
            number: u32::from_le_bytes(*number),
            at,
            len: u64::from_le_bytes(*len),
            digest: u64::from_le_bytes(*digest),
        };
        let sound = frame.header() == *header && frame.len <= frame.kind.max_len();
        sound.then_some(frame)
    }
}
