//! What Windows itself sets on `ProgramData\Microsoft\Crypto\RSA\MachineKeys`, measured on clean
//! installations of builds 9600, 14393, 17763, 20348 and 26100.

use crate::ace::{Ace, AceFlags};
use crate::acl::Acl;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};
use crate::mask::AccessMask;
use crate::sid::Sid;

/// The folder's descriptor as SDDL, the same on every measured build.
pub const FOLDER_SDDL: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";

/// The start of the name of the Remote Desktop certificate's key file; the machine's GUID follows.
/// It is the MD5 of the key container's name, `tsseckeyset1` with its final NUL.
pub const RDP_KEY_PREFIX: &str = "f686aace6942fb7f7ceb231212eef4a4_";

/// The last measured build whose key file Administrators may read.
const LAST_WITH_ADMINISTRATORS: u32 = 14393;
/// The first measured build whose key file SessionEnv has rights in.
const FIRST_WITH_SESSION_ENV: u32 = 17763;

/// Everyone's rights on the folder: read it and create files in it.
const CREATE_KEYS: AccessMask = AccessMask(0x12_019F);

/// The folder's descriptor on every measured build.
#[must_use]
pub fn folder() -> SecurityDescriptor {
    with_dacl(
        vec![
            Ace::allow(Sid::EVERYONE, CREATE_KEYS, AceFlags::NONE),
            Ace::allow(Sid::ADMINISTRATORS, AccessMask::FILE_ALL, AceFlags::NONE),
        ],
        Control::DACL_PROTECTED | Control::DACL_AUTO_INHERITED,
    )
}

/// The descriptor of the Remote Desktop certificate's key file on this build of Windows
/// (`CurrentBuildNumber`); `None` for the builds between 14393 and 17763, which are not measured.
///
/// Measured are the owner and the entries. Group and inheritance bits are not: the group is the
/// owner, and no bit is set, which makes no difference below a folder that passes nothing on.
#[must_use]
pub fn rdp_key_file(build: u32) -> Option<SecurityDescriptor> {
    let mut aces = vec![
        Ace::allow(Sid::SYSTEM, AccessMask::FILE_ALL, AceFlags::NONE),
        Ace::allow(Sid::NETWORK_SERVICE, AccessMask::FILE_READ, AceFlags::NONE),
    ];
    if build <= LAST_WITH_ADMINISTRATORS {
        aces.push(Ace::allow(
            Sid::ADMINISTRATORS,
            AccessMask::FILE_READ,
            AceFlags::NONE,
        ));
    } else if build >= FIRST_WITH_SESSION_ENV {
        aces.push(Ace::allow(
            Sid::of_service("SessionEnv"),
            AccessMask::FILE_ALL,
            AceFlags::NONE,
        ));
    } else {
        return None;
    }
    Some(with_dacl(aces, Control::default()))
}

fn with_dacl(aces: Vec<Ace>, control: Control) -> SecurityDescriptor {
    let mut descriptor = SecurityDescriptor::new();
    descriptor.owner = Some(Sid::SYSTEM);
    descriptor.group = Some(Sid::SYSTEM);
    descriptor.dacl = AclSlot::List(Acl::new(aces));
    descriptor.set_control(control, true);
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;

    #[test]
    fn the_folder_is_the_measured_sddl() {
        assert_eq!(folder().to_sddl(SddlParts::All).unwrap(), FOLDER_SDDL);
    }

    #[test]
    fn the_key_file_follows_the_build() {
        let sddl = |build| {
            rdp_key_file(build).map(|descriptor| descriptor.to_sddl(SddlParts::All).unwrap())
        };
        let old = "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FR;;;BA)";
        let new = "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833)";
        for build in [9600, 14393] {
            assert_eq!(sddl(build).unwrap(), old);
        }
        assert_eq!(sddl(16299), None);
        for build in [17763, 20348, 26100] {
            assert_eq!(sddl(build).unwrap(), new);
        }
    }
}
