//! A SID as bytes (MS-DTYP 2.4.2.2).

use zerocopy::IntoBytes;

use super::Sid;
use crate::bytes::Piece;
use crate::error::Corruption;
use crate::format::{MAX_SUB_AUTHORITIES, REVISION, SidHeader};

impl Sid {
    /// Reads a SID from `bytes`, which hold nothing else.
    ///
    /// # Errors
    /// If the revision isn't 1, if there are more than 15 sub-authorities, or if the length doesn't
    /// fit their number.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corruption> {
        let piece = Piece::new(bytes);
        let sid = Self::parse(piece, 0)?;
        if sid.encoded_len() != bytes.len() {
            return Err(Corruption::new(
                "SID",
                sid.encoded_len(),
                "the end",
                format!(
                    "{} more bytes",
                    bytes.len().saturating_sub(sid.encoded_len())
                ),
            ));
        }
        Ok(sid)
    }

    /// Reads the SID at `at` and ignores everything after it in `piece`.
    pub(crate) fn parse(piece: Piece<'_>, at: usize) -> Result<Self, Corruption> {
        let header: &SidHeader = piece.view("SID", at)?;
        if header.revision != REVISION {
            return Err(Corruption::new(
                "SID revision",
                piece.place(at),
                "1",
                header.revision.to_string(),
            ));
        }
        let count = usize::from(header.sub_authority_count);
        if count > MAX_SUB_AUTHORITIES {
            return Err(Corruption::new(
                "SID sub-authority count",
                piece.place(at.saturating_add(1)),
                "at most 15",
                count.to_string(),
            ));
        }
        let place = at.saturating_add(size_of::<SidHeader>());
        let stored = piece.part("SID sub-authorities", place, count.saturating_mul(4))?;
        let mut sub_authorities = [0; MAX_SUB_AUTHORITIES];
        let (numbers, _) = stored.bytes().as_chunks::<4>();
        for (to, from) in sub_authorities.iter_mut().zip(numbers) {
            *to = u32::from_le_bytes(*from);
        }
        Ok(Self {
            authority: header.identifier_authority,
            count: header.sub_authority_count,
            sub_authorities,
        })
    }

    /// The length of the SID's bytes: 8 to 68.
    #[must_use]
    pub(crate) fn encoded_len(&self) -> usize {
        size_of::<SidHeader>().saturating_add(usize::from(self.count).saturating_mul(4))
    }

    /// The SID's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.write(&mut out);
        out
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let header = SidHeader {
            revision: REVISION,
            sub_authority_count: self.count,
            identifier_authority: self.authority,
        };
        out.extend_from_slice(header.as_bytes());
        for number in self.sub_authorities() {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}
