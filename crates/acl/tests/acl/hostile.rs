//! Bytes and text from a hostile disk cause errors, but never a panic or more work than their
//! length.

use crate::common::{REAL, unhex};
use diskmend_acl::{
    AccessMask, AceFlags, Domains, Grant, SavedEntries, SddlParts, SecurityDescriptor, Sid, Token,
    icacls_lines,
};

const ROUNDS: u32 = 20_000;

/// A generator with a fixed seed, so that failures can be reproduced.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len().max(1));
            let value = self.next().to_le_bytes()[0];
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] = value,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << (value % 8),
                2 if !bytes.is_empty() => bytes[at] = [0, 0xFF, 0x7F, 0x80][usize::from(value % 4)],
                3 => bytes.truncate(at),
                4 => bytes.insert(at.min(bytes.len()), value),
                _ if at + 4 <= bytes.len() => {
                    let from = self.below(bytes.len() - 3);
                    bytes.copy_within(from..from + 4, at);
                }
                _ => {}
            }
        }
    }
}

/// Calls everything that the crate can do with a descriptor.
fn use_all(mut descriptor: SecurityDescriptor) {
    let bytes = descriptor.to_bytes().unwrap();
    let again = SecurityDescriptor::from_bytes(&bytes).unwrap();
    assert!(again.means_the_same(&descriptor));
    assert!(again.is_exact(&bytes));
    assert!(icacls_lines("x", &descriptor).starts_with('x'));
    if let Ok(sddl) = descriptor.to_sddl(SddlParts::All) {
        let read = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
        assert_eq!(read.to_sddl(SddlParts::All).as_ref(), Ok(&sddl));
    }
    let had_list = descriptor.dacl.list().is_some();
    descriptor.grant(&Grant {
        sid: Sid::NETWORK_SERVICE,
        mask: AccessMask::FILE_READ,
        inheritance: AceFlags::NONE,
    });
    let service = Token::network_service();
    descriptor.unblock(&service, AccessMask::FILE_READ);
    assert!(
        descriptor
            .access(&service, AccessMask::FILE_READ)
            .is_granted()
    );
    assert_eq!(descriptor.unblock(&service, AccessMask::FILE_READ), []);
    assert_eq!(descriptor.dacl.list().is_some(), had_list);
}

#[test]
fn mutated_descriptors_are_read_or_refused() {
    let mut random = Random(0x0dd0_5eed_cafe_f00d);
    let (mut read, mut refused) = (0, 0);
    let conditional = SecurityDescriptor::from_sddl(SDDL[0], &Domains::default()).unwrap();
    let mut originals: Vec<Vec<u8>> = REAL.iter().map(|text| unhex(text)).collect();
    originals.push(conditional.to_bytes().unwrap());
    for round in 0..ROUNDS {
        let mut bytes = originals[round as usize % originals.len()].clone();
        random.mutate(&mut bytes);
        match SecurityDescriptor::from_bytes(&bytes) {
            Ok(descriptor) => {
                read += 1;
                use_all(descriptor);
            }
            Err(corruption) => {
                refused += 1;
                assert!(corruption.offset.0 <= bytes.len(), "{corruption}");
            }
        }
        if let Ok(salvaged) = SecurityDescriptor::salvage(&bytes) {
            use_all(salvaged.descriptor);
        }
    }
    assert!(
        read > 1000 && refused > 1000,
        "{read} read, {refused} refused"
    );
}

const SDDL: [&str; 4] = [
    "D:(XA;;FX;;;WD;(@User.a == \"x\" && !(Member_of {SID(BA)} || b%0020 < -0x1f)))",
    "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)",
    "O:S-1-5-21-1-2-3-500D:AR(OA;CIIO;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)S:(ML;;NW;;;HI)",
    "D:NO_ACCESS_CONTROLS:(AU;SAFA;CCDCLC;;;AN)(TL;;0x1;;;S-1-19-512-4096)",
];

#[test]
fn mutated_sddl_is_read_or_refused() {
    let mut random = Random(0x5dd1_5eed_cafe_f00d);
    let (mut read, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let mut bytes = SDDL[round as usize % SDDL.len()].as_bytes().to_vec();
        random.mutate(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        match SecurityDescriptor::from_sddl(&text, &Domains::default()) {
            Ok(descriptor) => {
                read += 1;
                use_all(descriptor);
            }
            Err(error) => {
                refused += 1;
                assert!(error.offset <= text.len(), "{error}");
            }
        }
    }
    assert!(
        read > 500 && refused > 1000,
        "{read} read, {refused} refused"
    );
}

#[test]
fn mutated_save_files_are_read_or_refused() {
    let text = format!("a\r\n{}\r\nb\\ü\r\n{}\r\n", SDDL[1], SDDL[3]);
    let whole: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut random = Random(0xf11e_5eed_cafe_f00d);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let mut bytes = whole.clone();
        random.mutate(&mut bytes);
        let Ok(entries) = SavedEntries::new(&bytes, Domains::default()) else {
            continue;
        };
        let entries: Vec<_> = entries.collect();
        assert!(entries.len() <= bytes.len() / 2);
        read += entries.iter().filter(|entry| entry.is_ok()).count();
    }
    assert!(read > 1000, "{read} entries read");
}

#[test]
fn a_list_of_nothing_but_denies_is_edited_in_one_pass() {
    let denies = "(D;;FR;;;WD)".repeat(3000);
    let sddl = format!("D:{denies}(A;;FR;;;NS)");
    let mut descriptor = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
    let edits = descriptor.unblock(&Token::network_service(), AccessMask::FILE_READ);
    assert_eq!(edits.len(), 3000);
    assert_eq!(
        descriptor.to_sddl(SddlParts::All).unwrap(),
        "D:(A;;FR;;;NS)"
    );
}

#[test]
fn an_acl_of_more_than_64_kib_is_refused() {
    let sddl = format!("D:{}", "(A;;FR;;;WD)".repeat(3500));
    let descriptor = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
    let error = descriptor.to_bytes().unwrap_err();
    assert_eq!((error.need, error.most), (70_008, 65_535));
}
