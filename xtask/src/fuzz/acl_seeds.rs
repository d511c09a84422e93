//! The seeds for fuzzing of descriptors: those of the hives, and some in SDDL.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use diskmend_acl::{Domains, SavedPart, SddlParts, SecurityDescriptor, write_saved};
use diskmend_hive::{Key, Opened};

/// Every kind of ACE, condition, flag and control bit that SDDL can express.
const SDDL: [&str; 14] = [
    "",
    "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)",
    "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;S-1-5-80-1-2-3-4-5)",
    "O:BAG:BAD:AI(D;;FR;;;NS)(D;ID;FA;;;WD)(A;;FW;;;NS)(A;OICIIO;GA;;;CO)(A;OICI;GXGR;;;CG)",
    "O:LAG:DUD:AR(A;OINP;FRFW;;;BU)(A;CIID;SDRCWDWO;;;OW)(A;IO;CCDCLCSWRPWPDTLOCR;;;PS)",
    "D:NO_ACCESS_CONTROLS:NO_ACCESS_CONTROL",
    "D:PS:PARAI(AU;SAFA;FA;;;WD)(ML;OICI;NWNRNX;;;HI)(SP;;;;;S-1-17-1)(TL;;0x1;;;S-1-19-512-4096)",
    "D:(OA;CIIO;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)(OD;OICI;FR;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)S:(OU;SA;FR;ab721a53-1e2f-11d0-9819-00aa0040529b;bf967aba-0de6-11d0-a285-00aa003049e2;AU)",
    "D:(XA;;0x1200a9;;;BU;(Exists WIN://SYSAPPID))",
    "D:(XA;OICI;FX;;;WD;(@User.a == \"x\" && !(Member_of {SID(BA), SID(S-1-5-32-545)} || b%0020 < -0x1f)))",
    "D:(XD;;FA;;;WD;(@Device.c Any_of {1, 017, \"y\", #0aff} && @Resource.d Contains @User.e))",
    "D:(ZA;OICI;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;SY;(Not_Member_of SID(SY)))S:(XU;FA;FA;;;WD;(a))",
    "S:(FL;;FA;;;WD;(a != 9223372036854775807))",
    "O:S-1-0x123456789abc-4294967295D:(A;CRSAFA;0xffffffff;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15)",
];

/// The maximum number of keys of a hive that are visited.
const MAX_KEYS: usize = 2000;

/// What the seeds contain: descriptors as bytes, SDDL, or save files.
pub(super) enum Form {
    Stored,
    Sddl,
    SaveFile,
}

/// The seeds of a form.
///
/// # Errors
/// If a hive can't be read.
pub(super) fn seeds(form: &Form, hives: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let mut descriptors = Vec::new();
    for text in SDDL {
        descriptors.push(SecurityDescriptor::from_sddl(text, &domains())?);
    }
    descriptors.extend(stored(hives)?);
    match form {
        // Each descriptor is followed by the next one.
        Form::Stored => descriptors
            .iter()
            .zip(descriptors.iter().cycle().skip(1))
            .map(|(first, second)| Ok([first.to_bytes()?, second.to_bytes()?].concat()))
            .collect(),
        Form::Sddl => {
            let written = descriptors
                .iter()
                .filter_map(|descriptor| descriptor.to_sddl(SddlParts::All).ok())
                .chain(SDDL.map(str::to_owned));
            Ok(written.map(String::into_bytes).collect())
        }
        Form::SaveFile => descriptors.chunks(3).map(save_file).collect(),
    }
}

/// A machine and a domain by which aliases can be resolved.
fn domains() -> Domains {
    Domains {
        machine: "S-1-5-21-1-2-3".parse().ok(),
        domain: "S-1-5-21-4-5-6".parse().ok(),
        root: None,
    }
}

fn save_file(descriptors: &[SecurityDescriptor]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    for (part, path) in [(SavedPart::Dacl, "keys\\a"), (SavedPart::Owners, "ü")] {
        let path: Vec<u16> = path.encode_utf16().collect();
        for descriptor in descriptors {
            write_saved(&path, descriptor, part, &mut file)?;
        }
    }
    Ok(file)
}

/// The different descriptors in all hives that can be opened.
fn stored(hives: &[PathBuf]) -> Result<Vec<SecurityDescriptor>> {
    let mut found = BTreeSet::new();
    for path in hives {
        let Ok(Opened::Clean(hive)) = diskmend_hive::open(Box::new(std::fs::read(path)?)) else {
            continue;
        };
        let mut pending: Vec<Key<'_>> = hive.root().into_iter().collect();
        for _ in 0..MAX_KEYS {
            let Some(key) = pending.pop() else {
                break;
            };
            found.extend(key.security_descriptor().ok().map(<[u8]>::to_vec));
            if let Ok(subkeys) = key.subkeys() {
                pending.extend(subkeys.take(MAX_KEYS).flatten());
            }
        }
    }
    Ok(found
        .iter()
        .filter_map(|bytes| SecurityDescriptor::from_bytes(bytes).ok())
        .collect())
}
