//! Recipes for the boot store.

use diskmend_bcd::{ElementId, ElementValue};

use super::Cases;
use crate::engine_tests::boot_fixture::{BIOS, LOADER, Maker, bios};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;

fn store(store: Maker) -> Vec<Break> {
    vec![Break::File(BIOS.to_owned(), store.bytes())]
}

pub(in super::super) fn boot_store() -> Cases {
    let safe_mode =
        |mode| store(bios().set(LOADER, ElementId::SAFE_BOOT, ElementValue::Integer(mode)));
    vec![
        Case::broken("safe-mode-off", safe_mode(1), &["{default} safeboot"]),
        Case::other("safe-mode-off", safe_mode(2), &["{default} safeboot"]),
        Case::other("safe-mode-on", safe_mode(2), &["{default} safeboot"]),
        Case::other("safe-mode-on-network", vec![], &["{default} safeboot"]),
        Case::other("safe-mode-on-dsrepair", vec![], &["{default} safeboot"]),
        Case::other(
            "boot-menu",
            vec![],
            &["{bootmgr} displaybootmenu", "{bootmgr} timeout"],
        ),
        Case::other(
            "boot-recovery-off",
            vec![],
            &["{default} recoveryenabled", "{default} bootstatuspolicy"],
        ),
        Case::other(
            "serial-console",
            vec![],
            &[
                "{bootmgr} displaybootmenu",
                "{bootmgr} timeout",
                "{bootmgr} bootems",
                "{default} ems",
                "{emssettings} emsport",
                "{emssettings} emsbaudrate",
            ],
        ),
    ]
}
