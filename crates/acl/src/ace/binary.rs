//! ACEs as bytes (MS-DTYP 2.4.4).

use diskmend_base::Guid;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{U16, U32};

use super::{Ace, AceBody, AceFlags, AceType, ObjectTypes, Trustee};
use crate::bytes::Piece;
use crate::error::{Corruption, TooLarge};
use crate::format::{
    ALIGNMENT, AceHeader, INHERITED_OBJECT_TYPE_PRESENT, MAX_ACL_LEN, OBJECT_TYPE_PRESENT,
};
use crate::mask::AccessMask;
use crate::sid::Sid;

const MASK_LEN: usize = 4;

impl Ace {
    /// Reads the ACE at the start of `piece`. Returns it with its length in bytes.
    pub(crate) fn parse(piece: Piece<'_>) -> Result<(Self, usize), Corruption> {
        let header: &AceHeader = piece.view("ACE header", 0)?;
        let size = usize::from(header.ace_size.get());
        if size < size_of::<AceHeader>() || !size.is_multiple_of(ALIGNMENT) {
            return Err(Corruption::new(
                "ACE size",
                piece.place(2),
                "a multiple of 4, at least 4",
                size.to_string(),
            ));
        }
        let body = piece.part("ACE", 0, size)?.rest(size_of::<AceHeader>());
        let ace_type = AceType(header.ace_type);
        let body = if ace_type.is_known() {
            AceBody::Trustee(Trustee::parse(body, ace_type)?)
        } else {
            AceBody::Opaque(body.bytes().to_vec())
        };
        let ace = Self {
            ace_type,
            flags: AceFlags(header.ace_flags),
            body,
        };
        Ok((ace, size))
    }

    /// Appends the ACE's bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let start = out.len();
        let mut header = AceHeader {
            ace_type: self.ace_type.0,
            ace_flags: self.flags.0,
            ace_size: U16::new(0),
        };
        out.extend_from_slice(header.as_bytes());
        match &self.body {
            AceBody::Trustee(trustee) => trustee.write(self.ace_type, out),
            AceBody::Opaque(bytes) => out.extend_from_slice(bytes),
        }
        let unpadded = out.len().saturating_sub(start);
        let size = unpadded.next_multiple_of(ALIGNMENT);
        out.resize(start.saturating_add(size), 0);
        let stored = u16::try_from(size).map_err(|_| TooLarge {
            what: "an ACE",
            need: size,
            most: MAX_ACL_LEN,
        })?;
        header.ace_size = U16::new(stored);
        let to = start..start.saturating_add(size_of::<AceHeader>());
        if let Some(to) = out.get_mut(to) {
            to.copy_from_slice(header.as_bytes());
        }
        Ok(())
    }
}

impl Trustee {
    fn parse(piece: Piece<'_>, ace_type: AceType) -> Result<Self, Corruption> {
        let mask: &U32 = piece.view("ACE mask", 0)?;
        let mut at = MASK_LEN;
        let object = if ace_type.is_object() {
            let (object, len) = ObjectTypes::parse(piece.rest(at))?;
            at = at.saturating_add(len);
            Some(object)
        } else {
            None
        };
        let sid = Sid::parse(piece, at)?;
        let data = piece.rest(at.saturating_add(sid.encoded_len()));
        Ok(Self {
            mask: AccessMask(mask.get()),
            object,
            sid,
            data: data.bytes().to_vec(),
        })
    }

    fn write(&self, ace_type: AceType, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.mask.0.to_le_bytes());
        if ace_type.is_object() {
            // An ACE without types still has the field that says so.
            let object = self.object.unwrap_or(ObjectTypes::NONE);
            object.write(out);
        }
        self.sid.write(out);
        out.extend_from_slice(&self.data);
    }
}

impl ObjectTypes {
    fn parse(piece: Piece<'_>) -> Result<(Self, usize), Corruption> {
        let flags: u32 = piece.view::<U32>("object ACE flags", 0)?.get();
        let mut at = size_of::<U32>();
        let mut guid = |present: u32, what| {
            if flags & present == 0 {
                return Ok(None);
            }
            let guid: &Guid = piece.view(what, at)?;
            at = at.saturating_add(size_of::<Guid>());
            Ok(Some(*guid))
        };
        let object_type = guid(OBJECT_TYPE_PRESENT, "object type")?;
        let inherited_object_type = guid(INHERITED_OBJECT_TYPE_PRESENT, "inherited object type")?;
        let object = Self {
            other_flags: flags & !(OBJECT_TYPE_PRESENT | INHERITED_OBJECT_TYPE_PRESENT),
            object_type,
            inherited_object_type,
        };
        Ok((object, at))
    }

    fn write(self, out: &mut Vec<u8>) {
        let mut flags = self.other_flags;
        if self.object_type.is_some() {
            flags |= OBJECT_TYPE_PRESENT;
        }
        if self.inherited_object_type.is_some() {
            flags |= INHERITED_OBJECT_TYPE_PRESENT;
        }
        out.extend_from_slice(&flags.to_le_bytes());
        for guid in [self.object_type, self.inherited_object_type]
            .iter()
            .flatten()
        {
            out.extend_from_slice(&guid.0);
        }
    }
}
