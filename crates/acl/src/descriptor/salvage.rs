//! Reading a descriptor part by part, so that a corrupt DACL doesn't hide the owner.

use diskmend_base::count::to_usize;

use super::{AclSlot, Control, SecurityDescriptor};
use crate::acl::Acl;
use crate::bytes::Piece;
use crate::error::Corruption;
use crate::format::{ALIGNMENT, DescriptorHeader, REVISION};
use crate::sid::Sid;

/// One of the four parts of a security descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The owner's SID.
    Owner,
    /// The primary group's SID.
    Group,
    /// The system ACL.
    Sacl,
    /// The discretionary ACL.
    Dacl,
}

impl Part {
    /// The order in which Windows stores a descriptor's parts.
    pub(super) const WINDOWS_ORDER: [Self; 4] = [Self::Sacl, Self::Dacl, Self::Owner, Self::Group];

    /// The name of the header's field that holds the part's offset.
    pub(super) const fn offset_field(self) -> &'static str {
        match self {
            Self::Owner => "OffsetOwner",
            Self::Group => "OffsetGroup",
            Self::Sacl => "OffsetSacl",
            Self::Dacl => "OffsetDacl",
        }
    }

    /// The offset of that field in the header.
    pub(super) const fn offset_place(self) -> usize {
        match self {
            Self::Owner => 4,
            Self::Group => 8,
            Self::Sacl => 12,
            Self::Dacl => 16,
        }
    }
}

/// What could be read of a descriptor, and what couldn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The descriptor, without its corrupt parts.
    pub descriptor: SecurityDescriptor,
    /// The corrupt parts, and what is wrong with each.
    pub corruptions: Vec<(Part, Corruption)>,
}

impl SecurityDescriptor {
    /// Reads the sound parts of a descriptor and says what is wrong with the other ones.
    ///
    /// # Errors
    /// If the header is no sound one: it is too short, has another revision, or isn't
    /// self-relative.
    pub fn salvage(bytes: &[u8]) -> Result<Salvaged, Corruption> {
        let whole = Piece::new(bytes);
        let header: &DescriptorHeader = whole.view("security descriptor header", 0)?;
        if header.revision != REVISION {
            return Err(Corruption::new(
                "security descriptor revision",
                0,
                "1",
                header.revision.to_string(),
            ));
        }
        let control = Control(header.control.get());
        if !control.contains(Control::SELF_RELATIVE) {
            return Err(Corruption::new(
                "security descriptor control",
                2,
                "the bit SR (0x8000)",
                format!("{:#06x}", control.0),
            ));
        }
        let mut read = Reading {
            whole,
            corruptions: Vec::new(),
        };
        let descriptor = SecurityDescriptor {
            owner: read.sid(Part::Owner, header.offset_owner.get()),
            group: read.sid(Part::Group, header.offset_group.get()),
            dacl: read.acl(
                Part::Dacl,
                control.contains(Control::DACL_PRESENT),
                header.offset_dacl.get(),
            ),
            sacl: read.acl(
                Part::Sacl,
                control.contains(Control::SACL_PRESENT),
                header.offset_sacl.get(),
            ),
            control,
            resource_manager: header.sbz1,
            order: order(header),
        };
        Ok(Salvaged {
            descriptor,
            corruptions: read.corruptions,
        })
    }
}

struct Reading<'a> {
    whole: Piece<'a>,
    corruptions: Vec<(Part, Corruption)>,
}

impl Reading<'_> {
    fn sid(&mut self, part: Part, offset: u32) -> Option<Sid> {
        if offset == 0 {
            return None;
        }
        let read = part_piece(self.whole, part, offset).and_then(|piece| Sid::parse(piece, 0));
        self.keep(part, read)
    }

    fn acl(&mut self, part: Part, present: bool, offset: u32) -> AclSlot {
        if !present {
            return AclSlot::Absent;
        }
        if offset == 0 {
            return AclSlot::Null;
        }
        let read = part_piece(self.whole, part, offset).and_then(Acl::parse);
        self.keep(part, read).map_or(AclSlot::Absent, AclSlot::List)
    }

    fn keep<T>(&mut self, part: Part, read: Result<T, Corruption>) -> Option<T> {
        read.map_err(|corruption| self.corruptions.push((part, corruption)))
            .ok()
    }
}

/// The parts in the order of their offsets. Missing parts keep the order in which Windows stores
/// them.
fn order(header: &DescriptorHeader) -> [Part; 4] {
    let mut order = Part::WINDOWS_ORDER;
    order.sort_by_key(|part| match part {
        Part::Owner => header.offset_owner.get(),
        Part::Group => header.offset_group.get(),
        Part::Sacl => header.offset_sacl.get(),
        Part::Dacl => header.offset_dacl.get(),
    });
    order
}

/// The bytes of a part. It must be aligned and after the header, as Windows demands.
fn part_piece<'a>(whole: Piece<'a>, part: Part, offset: u32) -> Result<Piece<'a>, Corruption> {
    let at = to_usize(offset);
    let header_len = size_of::<DescriptorHeader>();
    if at < header_len || at >= whole.len() || !at.is_multiple_of(ALIGNMENT) {
        return Err(Corruption::new(
            part.offset_field(),
            part.offset_place(),
            format!(
                "a multiple of 4 from {header_len} up to the descriptor's length {}",
                whole.len()
            ),
            offset.to_string(),
        ));
    }
    Ok(whole.rest(at))
}
