//! Security descriptors as bytes (MS-DTYP 2.4.6).

use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{U16, U32};

use super::salvage::Salvaged;
use super::{AclSlot, Part, SecurityDescriptor};
use crate::acl::Acl;
use crate::error::{Corruption, TooLarge};
use crate::format::{ALIGNMENT, DescriptorHeader, REVISION};
use crate::sid::Sid;

impl SecurityDescriptor {
    /// Reads the self-relative descriptor at the start of `bytes`.
    ///
    /// [`to_bytes`](Self::to_bytes) gives the same bytes again if the parts follow each other
    /// without gaps from the header to the end, in any order. Windows and ntfs-3g write them like
    /// that; see [`is_exact`](Self::is_exact).
    ///
    /// # Errors
    /// For the first part that isn't as MS-DTYP demands. [`salvage`](Self::salvage) reads the sound
    /// parts.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corruption> {
        let Salvaged {
            descriptor,
            corruptions,
        } = Self::salvage(bytes)?;
        match corruptions.into_iter().next() {
            Some((_, corruption)) => Err(corruption),
            None => Ok(descriptor),
        }
    }

    /// True if the unchanged descriptor is written back as exactly these bytes.
    #[must_use]
    pub fn is_exact(&self, bytes: &[u8]) -> bool {
        self.to_bytes().is_ok_and(|written| written == bytes)
    }

    /// The self-relative descriptor as bytes. The parts are in the order in which they were read.
    /// In a new descriptor they are in Windows's order: SACL, DACL, owner, group.
    ///
    /// # Errors
    /// If an ACL or one of its entries is longer than its length field can say.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TooLarge> {
        let mut header = DescriptorHeader {
            revision: REVISION,
            sbz1: self.resource_manager,
            control: U16::new(self.control().0),
            offset_owner: U32::new(0),
            offset_group: U32::new(0),
            offset_sacl: U32::new(0),
            offset_dacl: U32::new(0),
        };
        let mut parts = Vec::new();
        for part in self.order {
            let at = size_of::<DescriptorHeader>()
                .saturating_add(parts.len().next_multiple_of(ALIGNMENT));
            let Some(bytes) = self.part_bytes(part)? else {
                continue;
            };
            parts.resize(at.saturating_sub(size_of::<DescriptorHeader>()), 0);
            parts.extend_from_slice(&bytes);
            let offset = U32::new(u32::try_from(at).map_err(|_| TooLarge {
                what: "security descriptor",
                need: at,
                most: u32::MAX as usize,
            })?);
            match part {
                Part::Owner => header.offset_owner = offset,
                Part::Group => header.offset_group = offset,
                Part::Sacl => header.offset_sacl = offset,
                Part::Dacl => header.offset_dacl = offset,
            }
        }
        let mut out = header.as_bytes().to_vec();
        out.extend_from_slice(&parts);
        Ok(out)
    }

    fn part_bytes(&self, part: Part) -> Result<Option<Vec<u8>>, TooLarge> {
        let list = |slot: &AclSlot| slot.list().map(Acl::to_bytes).transpose();
        match part {
            Part::Owner => Ok(self.owner.as_ref().map(Sid::to_bytes)),
            Part::Group => Ok(self.group.as_ref().map(Sid::to_bytes)),
            Part::Sacl => list(&self.sacl),
            Part::Dacl => list(&self.dacl),
        }
    }
}
