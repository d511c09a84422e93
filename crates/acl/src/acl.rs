//! Access control lists (MS-DTYP 2.4.5).

use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U16;

use crate::ace::Ace;
use crate::bytes::Piece;
use crate::error::{Corruption, TooLarge};
use crate::format::{ACL_REVISION, ACL_REVISION_DS, AclHeader, MAX_ACL_LEN};

/// A list of ACEs, in the order in which an access check reads them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acl {
    /// The entries.
    pub aces: Vec<Ace>,
    revision: u8,
    sbz1: u8,
    sbz2: u16,
    /// Unused space at the end. Windows keeps it, and nothing reads it.
    slack: Vec<u8>,
}

impl Default for Acl {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Acl {
    /// A list of these entries, with the lowest revision that allows them.
    #[must_use]
    pub const fn new(aces: Vec<Ace>) -> Self {
        Self {
            aces,
            revision: ACL_REVISION,
            sbz1: 0,
            sbz2: 0,
            slack: Vec::new(),
        }
    }

    /// The revision that was read, or a higher one if an entry needs it (MS-DTYP 2.4.5).
    #[must_use]
    pub(crate) fn revision(&self) -> u8 {
        if self.aces.iter().any(|ace| ace.ace_type.is_object()) {
            self.revision.max(ACL_REVISION_DS)
        } else {
            self.revision
        }
    }

    /// Drops the unused space at the end, as Windows does when it changes a list.
    pub(crate) fn drop_slack(&mut self) {
        self.slack.clear();
    }

    /// True if both lists hold the same entries. Unused space and reserved fields are ignored.
    #[must_use]
    pub fn means_the_same(&self, other: &Self) -> bool {
        self.aces == other.aces
    }

    /// Reads the list at the start of `bytes`.
    ///
    /// # Errors
    /// If a length or count reaches past the end of the structure around it, if an entry's size
    /// isn't a multiple of 4, or if a revision is unknown.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corruption> {
        Self::parse(Piece::new(bytes))
    }

    pub(crate) fn parse(piece: Piece<'_>) -> Result<Self, Corruption> {
        let header: &AclHeader = piece.view("ACL header", 0)?;
        if !(ACL_REVISION..=ACL_REVISION_DS).contains(&header.acl_revision) {
            return Err(Corruption::new(
                "ACL revision",
                piece.place(0),
                "2 to 4",
                header.acl_revision.to_string(),
            ));
        }
        let size = usize::from(header.acl_size.get());
        if size < size_of::<AclHeader>() {
            return Err(Corruption::new(
                "ACL size",
                piece.place(2),
                "at least 8",
                size.to_string(),
            ));
        }
        let piece = piece.part("ACL", 0, size)?;
        let mut rest = piece.rest(size_of::<AclHeader>());
        let mut aces = Vec::new();
        for number in 0..header.ace_count.get() {
            if rest.len() == 0 {
                return Err(Corruption::new(
                    "ACE count",
                    piece.place(4),
                    format!("{} ACEs", header.ace_count.get()),
                    format!("the end of the ACL after {number}"),
                ));
            }
            let (ace, len) = Ace::parse(rest)?;
            aces.push(ace);
            rest = rest.rest(len);
        }
        Ok(Self {
            aces,
            revision: header.acl_revision,
            sbz1: header.sbz1,
            sbz2: header.sbz2.get(),
            slack: rest.bytes().to_vec(),
        })
    }

    /// The list as bytes. An unchanged list gives the bytes that were read.
    ///
    /// # Errors
    /// If the list is longer than an ACL's length field can say.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TooLarge> {
        let mut out = Vec::new();
        self.write(&mut out)?;
        Ok(out)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let mut body = Vec::new();
        for ace in &self.aces {
            ace.write(&mut body)?;
        }
        body.extend_from_slice(&self.slack);
        let size = body.len().saturating_add(size_of::<AclHeader>());
        let too_large = |_| TooLarge {
            what: "an ACL",
            need: size,
            most: MAX_ACL_LEN,
        };
        let header = AclHeader {
            acl_revision: self.revision(),
            sbz1: self.sbz1,
            acl_size: U16::new(u16::try_from(size).map_err(too_large)?),
            ace_count: U16::new(u16::try_from(self.aces.len()).map_err(too_large)?),
            sbz2: U16::new(self.sbz2),
        };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&body);
        Ok(())
    }
}
