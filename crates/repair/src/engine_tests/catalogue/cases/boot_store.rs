//! Recipes for the boot store.

use diskmend_bcd::well_known::{BOOTMGR, GLOBALSETTINGS};
use diskmend_bcd::{ElementId, ElementValue, Guid, ObjectType, elements};

use super::Cases;
use crate::engine_tests::boot_evidence::{OTHER_DISK, SIGNATURE, on, store as partitions};
use crate::engine_tests::boot_fixture::{BIOS, LOADER, Maker, bios};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;

/// The elements of a new store for a BIOS with a memory tester.
const REBUILT: &[&str] = &[
    "{bootmgr} device",
    "{bootmgr} description",
    "{bootmgr} locale",
    "{bootmgr} inherit",
    "{bootmgr} default",
    "{bootmgr} displayorder",
    "{bootmgr} toolsdisplayorder",
    "{bootmgr} timeout",
    "{default} device",
    "{default} path",
    "{default} description",
    "{default} locale",
    "{default} inherit",
    "{default} recoveryenabled",
    "{default} isolatedcontext",
    "{default} allowedinmemorysettings",
    "{default} osdevice",
    "{default} systemroot",
    "{default} nx",
    "{default} bootmenupolicy",
    "{memdiag} device",
    "{memdiag} path",
    "{memdiag} description",
    "{memdiag} locale",
    "{memdiag} inherit",
    "{memdiag} badmemoryaccess",
    "{emssettings} bootems",
    "{dbgsettings} debugtype",
    "{globalsettings} inherit",
    "{bootloadersettings} inherit",
    "{hypervisorsettings} hypervisordebugtype",
    "{hypervisorsettings} hypervisordebugport",
    "{hypervisorsettings} hypervisorbaudrate",
    "{resumeloadersettings} inherit",
];

fn store(store: Maker) -> Vec<Break> {
    vec![Break::File(BIOS.to_owned(), store.bytes())]
}

pub(in super::super) fn boot_store() -> Cases {
    let safe_mode =
        |mode| store(bios().set(LOADER, ElementId::SAFE_BOOT, ElementValue::Integer(mode)));
    let (os_device, device) = (ElementId::OS_DEVICE, ElementId::APPLICATION_DEVICE);
    let own = || partitions().set(BOOTMGR, device, on(SIGNATURE, 2));
    let gone = Guid::new(9, 9, 9, [9; 8]);
    let winload = |end: &str| {
        let path = ElementValue::String(format!(r"\Windows\system32\winload.{end}"));
        store(bios().set(LOADER, ElementId::APPLICATION_PATH, path))
    };
    let element = |name| elements::by_name(name, ObjectType::LOADER).expect("known");
    let options = |text: &str| {
        let text = ElementValue::String(text.to_owned());
        store(bios().set(LOADER, element("loadoptions"), text))
    };
    vec![
        Case::broken(
            "bcd-device",
            store(
                own()
                    .set(LOADER, os_device, on(OTHER_DISK, 2))
                    .set(LOADER, device, on(SIGNATURE, 7))
                    .set(BOOTMGR, device, on(OTHER_DISK, 2)),
            ),
            &["{default} osdevice", "{default} device", "{bootmgr} device"],
        ),
        Case::other(
            "bcd-device",
            store(own().set(LOADER, device, on(SIGNATURE, 1))),
            &["{default} device"],
        ),
        Case::broken(
            "bcd-default",
            store(bios().set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(gone))),
            &["{bootmgr} default"],
        ),
        Case::broken(
            "bcd-default",
            store(bios().without_default()),
            &["{bootmgr} default"],
        ),
        Case::other(
            "bcd-default",
            store(bios().set(
                BOOTMGR,
                ElementId::DEFAULT,
                ElementValue::Object(GLOBALSETTINGS),
            )),
            &["{bootmgr} default"],
        ),
        Case::other("bcd-rebuild", vec![Break::NoFile(BIOS.to_owned())], REBUILT),
        Case::other(
            "bcd-rebuild",
            vec![Break::File(BIOS.to_owned(), Vec::new())],
            REBUILT,
        ),
        // Damaged, longer than the new one, with the boot manager's files.
        Case::other(
            "bcd-rebuild",
            vec![Break::File(BIOS.to_owned(), b"no hive".repeat(9000))],
            REBUILT,
        ),
        Case::other("bcd-rebuild", vec![], &[]),
        Case::broken("bcd-loader-path", winload("efi"), &["{default} path"]),
        Case::other(
            "bcd-imc",
            store(
                bios()
                    .set(
                        LOADER,
                        ElementId::IMC_HIVE_NAME,
                        ElementValue::String(r"\Windows\imc.hiv".to_owned()),
                    )
                    .set(LOADER, ElementId::IMC_DEVICE, on(SIGNATURE, 2)),
            ),
            &["{default} imcdevice", "{default} imchivename"],
        ),
        Case::other(
            "test-signing-off",
            store(
                bios()
                    .set(LOADER, element("testsigning"), ElementValue::Boolean(true))
                    .set(
                        LOADER,
                        element("nointegritychecks"),
                        ElementValue::Boolean(true),
                    )
                    .set(
                        LOADER,
                        element("loadoptions"),
                        ElementValue::String("/disable_integrity_checks".to_owned()),
                    ),
            ),
            &[
                "{default} testsigning",
                "{default} nointegritychecks",
                "{default} loadoptions",
            ],
        ),
        // Other options stay.
        Case::other(
            "test-signing-off",
            options("DISABLE-LSA-ISO DDISABLE_INTEGRITY_CHECKS"),
            &["{default} loadoptions"],
        ),
        Case::other("test-signing-off", options("DISABLE-LSA-ISO"), &[]),
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
