//! Recipes for permissions.

use super::Cases;
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, KEY};
use crate::place::HiveName;

/// A failed hardening.
const HARDENED: &str = "O:SYG:SYD:P(D;;FA;;;SY)(D;;FR;;;NS)(A;;FA;;;SY)";

/// The keys of the second and the third container that SessionEnv tries.
const LATER_KEYS: [&str; 2] = [
    "ProgramData/Microsoft/Crypto/RSA/MachineKeys/7215b202ff2cf52c0ac38e6346ef075f_a",
    "ProgramData/Microsoft/Crypto/RSA/MachineKeys/d86b1e848570377d7cb27ddc5de661b0_a",
];

pub(in super::super) fn permissions() -> Cases {
    let broken = || vec![Break::Permissions(KEY, HARDENED)];
    vec![
        Case::broken("machine-keys", broken(), &[KEY])
            .and(&["ProgramData/Microsoft/Crypto/RSA/MachineKeys"]),
        Case::broken("machine-keys-default", broken(), &[KEY]),
        // A machine on which the first key could not be used.
        Case::broken("machine-keys-default", later_keys(), &LATER_KEYS).and(&[KEY]),
        // A script has set an entry on the store, and Windows has passed it on.
        Case::broken(
            "rdp-cert-deny",
            vec![
                key(STORE, "O:SYG:SYD:AI(D;CI;DCLC;;;SY)(A;CIID;KA;;;SY)"),
                key(
                    CERTIFICATES,
                    "O:SYG:SYD:AI(D;CIID;DCLC;;;SY)(A;CIID;KA;;;SY)",
                ),
            ],
            &[r"Remote Desktop\", r"Certificates\"],
        ),
        Case::broken(
            "rdp-cert-deny",
            vec![
                key(STORE, "O:SYG:SYD:AI(A;CIID;KA;;;SY)"),
                key(CERTIFICATES, "O:SYG:SYD:AI(D;;KW;;;BA)(A;CIID;KA;;;SY)"),
            ],
            &[r"Certificates\"],
        ),
        // What the store inherits is only reported, and a choice about reading is no fault.
        Case::other(
            "rdp-cert-deny",
            vec![key(STORE, "O:SYG:SYD:AI(D;CIID;DCLC;;;SY)(A;CIID;KA;;;SY)")],
            &[],
        ),
        Case::other(
            "rdp-cert-deny",
            vec![key(STORE, "O:SYG:SYD:AI(D;;CC;;;WD)(A;CIID;KA;;;SY)")],
            &[r"Remote Desktop\"],
        ),
    ]
}

const STORE: &str = r"Microsoft\SystemCertificates\Remote Desktop";
const CERTIFICATES: &str = r"Microsoft\SystemCertificates\Remote Desktop\Certificates";

fn key(key: &'static str, sddl: &'static str) -> Break {
    Break::KeyPermissions(HiveName::Software, key, sddl)
}

fn later_keys() -> Vec<Break> {
    let keys = LATER_KEYS.into_iter().flat_map(|key| {
        let file = Break::File(key.to_owned(), b"key".to_vec());
        [file, Break::Permissions(key, HARDENED)]
    });
    keys.collect()
}
