//! Descriptors as `icacls` prints them.

use std::fmt::Write as _;

use diskmend_base::escape::Visible;

use crate::ace::{Ace, AceFlags, AceType, Effect};
use crate::descriptor::{AclSlot, SecurityDescriptor};
use crate::mask::{AccessMask, Objects};

/// The flags, in the order in which icacls prints them.
const FLAGS: [(&str, AceFlags); 5] = [
    ("(I)", AceFlags::INHERITED),
    ("(OI)", AceFlags::OBJECT_INHERIT),
    ("(CI)", AceFlags::CONTAINER_INHERIT),
    ("(NP)", AceFlags::NO_PROPAGATE),
    ("(IO)", AceFlags::INHERIT_ONLY),
];

/// icacls's words for a NULL DACL.
const NO_DACL: &str = " No permissions are set. All users have full control.";

const LABEL_RIGHTS: [(&str, u32); 3] = [("NW", 1), ("NR", 2), ("NX", 4)];

/// The lines that `icacls PATH` prints for an object: the path, then each entry of the DACL and the
/// integrity label. The second entry and those after it stand below the first. Each line ends with
/// a line feed. The path is in the form of [`diskmend_base::escape`].
///
/// icacls prints conditional ACEs and object ACEs like plain ones; this marks them with
/// `(CONDITION)` and `(OBJECT)`.
#[must_use]
pub fn icacls_lines(path: &str, descriptor: &SecurityDescriptor) -> String {
    let mut out = Visible(path).to_string();
    let indent = out.chars().count();
    let mut entries: Vec<String> = match &descriptor.dacl {
        AclSlot::Absent | AclSlot::Null => vec![NO_DACL.to_owned()],
        AclSlot::List(acl) => acl.aces.iter().map(ace_text).collect(),
    };
    let labels = descriptor.sacl.list().into_iter().flat_map(|acl| &acl.aces);
    entries.extend(
        labels
            .filter(|ace| ace.ace_type == AceType::SYSTEM_MANDATORY_LABEL)
            .map(ace_text),
    );
    if entries.is_empty() {
        out.push('\n');
    }
    for (number, entry) in entries.iter().enumerate() {
        let indent = if number == 0 { 0 } else { indent };
        // Writing to a string can't fail.
        let _ = writeln!(out, "{:indent$} {entry}", "");
    }
    out
}

/// One entry as icacls prints it: `NT AUTHORITY\SYSTEM:(OI)(CI)(F)`.
#[must_use]
pub fn ace_text(ace: &Ace) -> String {
    Objects::Files.ace_text(ace)
}

impl Objects {
    /// One entry as [`ace_text`] prints those of files.
    #[must_use]
    pub fn ace_text(self, ace: &Ace) -> String {
        ace_of(self, ace)
    }
}

fn ace_of(objects: Objects, ace: &Ace) -> String {
    let Some(trustee) = ace.trustee() else {
        return format!("(TYPE {:#04x})", ace.ace_type.0);
    };
    let mut out = format!("{}:", trustee.sid.display_name());
    for (word, flag) in FLAGS {
        if ace.flags.contains(flag) {
            out.push_str(word);
        }
    }
    if ace.ace_type.is_object() {
        out.push_str("(OBJECT)");
    }
    if ace.ace_type.is_callback() {
        out.push_str("(CONDITION)");
    }
    match ace.ace_type.effect() {
        Some(Effect::Deny) if trustee.mask.contains(objects.all()) => {
            out.push_str("(N)");
            return out;
        }
        Some(Effect::Deny) => out.push_str("(DENY)"),
        Some(Effect::Allow) => {}
        None if ace.ace_type == AceType::SYSTEM_MANDATORY_LABEL => {
            out.push_str(&label_rights(trustee.mask));
            return out;
        }
        None => {
            let _ = write!(out, "(TYPE {:#04x})", ace.ace_type.0);
        }
    }
    // `N` would look like an entry that denies everything.
    if trustee.mask.is_empty() {
        out.push_str("(0x0)");
    } else {
        let _ = write!(out, "({})", objects.rights_text(trustee.mask));
    }
    out
}

fn label_rights(mask: AccessMask) -> String {
    let words: Vec<&str> = LABEL_RIGHTS
        .iter()
        .filter(|(_, bit)| mask.0 & bit != 0)
        .map(|(word, _)| *word)
        .collect();
    format!("({})", words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Domains;

    fn lines(path: &str, sddl: &str) -> String {
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        icacls_lines(path, &descriptor)
    }

    #[test]
    fn a_folder_reads_as_icacls_prints_it() {
        assert_eq!(
            lines(
                r"C:\x",
                "D:PAI(D;;CC;;;WD)(A;;0x12019f;;;WD)(A;OICIIO;SDGXGWGR;;;AU)(A;OICIID;FA;;;BA)\
                 (A;;FR;;;S-1-5-21-1-2-3-1001)(D;;FA;;;NS)S:(ML;OINPIO;NW;;;HI)"
            ),
            r"C:\x Everyone:(DENY)(RD)
     Everyone:(R,W)
     NT AUTHORITY\Authenticated Users:(OI)(CI)(IO)(M)
     BUILTIN\Administrators:(I)(OI)(CI)(F)
     S-1-5-21-1-2-3-1001:(R)
     NT AUTHORITY\NETWORK SERVICE:(N)
     Mandatory Label\High Mandatory Level:(OI)(NP)(IO)(NW)
"
        );
    }

    #[test]
    fn no_dacl_and_an_empty_one_look_different() {
        assert_eq!(
            lines("x", "D:NO_ACCESS_CONTROL"),
            "x  No permissions are set. All users have full control.\n"
        );
        assert_eq!(lines("x", "D:P"), "x\n");
    }

    #[test]
    fn a_path_can_t_forge_a_line() {
        assert_eq!(
            lines("a\nb", "D:(A;;FA;;;SY)"),
            "a<U+000A>b NT AUTHORITY\\SYSTEM:(F)\n"
        );
    }
}
