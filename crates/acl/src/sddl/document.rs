//! Whole descriptors as SDDL (MS-DTYP 2.5.1.1, sddl).

use super::cursor::Cursor;
use super::{Inexpressible, SddlError, SddlParts, ace};
use crate::acl::Acl;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};
use crate::sid::Domains;

/// The text that Windows writes for a NULL ACL.
const NULL_ACL: &str = "NO_ACCESS_CONTROL";

/// No ACL of 64 KiB needs more text than this. Longer text isn't read.
const MAX_LEN: usize = 1 << 20;

/// One of the two ACLs, and its control bits.
struct List {
    name: &'static str,
    present: &'static str,
    flags: [(&'static str, Control); 3],
}

const DACL: List = List {
    name: "DACL",
    present: "D:",
    flags: [
        ("P", Control::DACL_PROTECTED),
        ("AR", Control::DACL_AUTO_INHERIT_REQUIRED),
        ("AI", Control::DACL_AUTO_INHERITED),
    ],
};

const SACL: List = List {
    name: "SACL",
    present: "S:",
    flags: [
        ("P", Control::SACL_PROTECTED),
        ("AR", Control::SACL_AUTO_INHERIT_REQUIRED),
        ("AI", Control::SACL_AUTO_INHERITED),
    ],
};

impl SecurityDescriptor {
    /// Reads a descriptor from SDDL. `domains` resolves two-letter aliases of machine and domain
    /// accounts.
    ///
    /// # Errors
    /// If the text isn't SDDL, names an account of an unknown machine or domain, or is longer than
    /// 1 MiB.
    pub fn from_sddl(text: &str, domains: &Domains) -> Result<Self, SddlError> {
        let mut cursor = Cursor::new(text);
        if text.len() > MAX_LEN {
            return Err(cursor.error(format!("at most {MAX_LEN} bytes, not {}", text.len())));
        }
        let mut descriptor = Self::new();
        cursor.skip_spaces();
        while !cursor.is_at_end() {
            if descriptor.owner.is_none() && cursor.take("O:") {
                descriptor.owner = Some(ace::sid(&mut cursor, domains)?);
            } else if descriptor.group.is_none() && cursor.take("G:") {
                descriptor.group = Some(ace::sid(&mut cursor, domains)?);
            } else if descriptor.dacl == AclSlot::Absent && cursor.take(DACL.present) {
                let slot = descriptor.read_list(&mut cursor, &DACL, domains)?;
                descriptor.dacl = slot;
            } else if descriptor.sacl == AclSlot::Absent && cursor.take(SACL.present) {
                let slot = descriptor.read_list(&mut cursor, &SACL, domains)?;
                descriptor.sacl = slot;
            } else {
                return Err(cursor.error("O:, G:, D: or S:, each once at most"));
            }
            cursor.skip_spaces();
        }
        Ok(descriptor)
    }

    fn read_list(
        &mut self,
        cursor: &mut Cursor<'_>,
        list: &List,
        domains: &Domains,
    ) -> Result<AclSlot, SddlError> {
        let mut null = false;
        loop {
            if cursor.take(NULL_ACL) {
                null = true;
            } else if let Some((_, bit)) = list.flags.iter().find(|(word, _)| cursor.take(word)) {
                self.set_control(*bit, true);
            } else {
                break;
            }
        }
        let mut aces = Vec::new();
        cursor.skip_spaces();
        while cursor.peek() == Some('(') {
            if null {
                return Err(cursor.error("no ACE after NO_ACCESS_CONTROL"));
            }
            aces.push(ace::read(cursor, domains)?);
            cursor.skip_spaces();
        }
        Ok(if null {
            AclSlot::Null
        } else {
            AclSlot::List(Acl::new(aces))
        })
    }

    /// Writes parts of the descriptor as SDDL, in the form that Windows writes.
    ///
    /// # Errors
    /// For the first SID or ACE that SDDL can't express.
    pub fn to_sddl(&self, parts: SddlParts) -> Result<String, Inexpressible> {
        let mut out = String::new();
        if parts != SddlParts::Dacl {
            let parts = [("O:", "owner", self.owner), ("G:", "group", self.group)];
            for (word, part, sid) in parts {
                let Some(sid) = sid else {
                    continue;
                };
                if sid.sub_authorities().is_empty() {
                    return Err(Inexpressible::Sid { part, sid });
                }
                out.push_str(word);
                ace::write_sid(&sid, &mut out);
            }
        }
        if parts != SddlParts::OwnerAndGroup {
            self.write_list(&DACL, &self.dacl, &mut out)?;
        }
        if parts == SddlParts::All {
            self.write_list(&SACL, &self.sacl, &mut out)?;
        }
        Ok(out)
    }

    fn write_list(
        &self,
        list: &List,
        slot: &AclSlot,
        out: &mut String,
    ) -> Result<(), Inexpressible> {
        if *slot == AclSlot::Absent {
            return Ok(());
        }
        out.push_str(list.present);
        let control = self.control();
        for (word, bit) in list.flags {
            if control.contains(bit) {
                out.push_str(word);
            }
        }
        match slot {
            AclSlot::Absent => Ok(()),
            AclSlot::Null => {
                out.push_str(NULL_ACL);
                Ok(())
            }
            AclSlot::List(acl) => acl
                .aces
                .iter()
                .enumerate()
                .try_for_each(|(index, ace)| ace::write(ace, list.name, index, out)),
        }
    }
}
