//! Recipes for permissions.

use super::Cases;
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, KEY};

/// A failed hardening.
const BROKEN: &str = "O:SYG:SYD:P(D;;FA;;;SY)(D;;FR;;;NS)(A;;FA;;;SY)";

pub(in super::super) fn permissions() -> Cases {
    let broken = || vec![Break::Permissions(KEY, BROKEN)];
    vec![
        Case::broken("machine-keys", broken(), &[KEY])
            .and(&["ProgramData/Microsoft/Crypto/RSA/MachineKeys"]),
        Case::broken("machine-keys-default", broken(), &[KEY]),
    ]
}
