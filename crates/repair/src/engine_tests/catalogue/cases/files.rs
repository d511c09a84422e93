//! Recipes that move files away.

use super::Cases;
use crate::engine_tests::boot_fixture::{hive, written_at};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;
use crate::engine_tests::files_replaced::pe;
use crate::place::HiveName::{Components, Software};

const FAULTY: &str = "Windows/System32/drivers/CrowdStrike/C-00000291-00000000-00000032.sys";
const GOOD: &str = "Windows/System32/drivers/CrowdStrike/C-00000291-00000000-00000033.sys";
const POLICY: [&str; 5] = [
    "Windows/System32/GroupPolicy/gpt.ini",
    "Windows/System32/GroupPolicy/Machine/Registry.pol",
    "Windows/System32/GroupPolicy/User/Registry.pol",
    "Windows/System32/GroupPolicyUsers/S-1-5-32-545/User/Registry.pol",
    "Windows/System32/AppLocker/Exe.AppLocker",
];
const LOGS: [&str; 4] = [
    "Windows/System32/config/TxR/{a}.TxR.blf",
    "Windows/System32/config/TxR/{a}.TxR.0.regtrans-ms",
    "Windows/System32/SMI/Store/Machine/SCHEMA.DAT{a}.TM.blf",
    "Windows/System32/SMI/Store/Machine/SCHEMA.DAT{a}.TMContainer1.regtrans-ms",
];
const LOADER: &str = "Windows/System32/winload.exe";
const EFI_LOADER: &str = "Windows/System32/winload.efi";
const PENDING: &str = "Windows/WinSxS/pending.xml";
const SAM: &str = "Windows/System32/config/SAM";
const SAM_LOG: &str = "Windows/System32/config/SAM.LOG1";

fn present(path: &str) -> Break {
    Break::File(path.to_owned(), path.as_bytes().to_vec())
}

/// A copy of SAM of 2026-04-30, a day before the events of other disks.
fn copy() -> Vec<u8> {
    let sam = hive(|editor| editor.create_key(r"SAM\Domains\Account").map(drop));
    written_at(sam, 134_219_808_000_000_000)
}

/// Loaders without content, and their copies. That a missing one is made is tried elsewhere: it isn't
/// on an unmounted disk.
fn loaders() -> Vec<Break> {
    let copy = |path: &str| path.replace("/System32/", "/System32/Boot/");
    let broken = [LOADER, EFI_LOADER].map(|path| {
        let empty = Break::File(path.to_owned(), Vec::new());
        [empty, Break::File(copy(path), pe())]
    });
    broken.into_iter().flatten().collect()
}

/// An update that was not finished.
fn pending() -> Vec<Break> {
    let servicing = r"Microsoft\Windows\CurrentVersion\Component Based Servicing";
    let below = |key: &str| format!(r"{servicing}\{key}");
    let number = |hive, key: String, name| Break::Number(hive, key, name, 1);
    let mut breaks = vec![
        present(PENDING),
        present(LOGS[0]),
        present(LOGS[1]),
        number(Software, below(r"RebootPending\a"), "b"),
        number(Software, below(r"PackagesPending\Package_1"), "b"),
        number(Software, below("RebootInProgress"), "b"),
        number(Software, below("SessionsPending"), "Exclusive"),
        number(Software, below(r"SessionsPending\3_1"), "Exclusive"),
        number(Software, below(r"SessionsPending\3_1"), "b"),
    ];
    for name in [
        "ExecutionState",
        "PendingXmlIdentifier",
        "NextQueueEntryIndex",
        "StoreDirty",
    ] {
        breaks.push(number(Components, String::new(), name));
    }
    breaks
}

pub(in super::super) fn files() -> Cases {
    vec![
        Case::broken("boot-loader-files", loaders(), &[LOADER, EFI_LOADER]),
        Case::broken(
            "crowdstrike-291",
            vec![
                present(FAULTY),
                Break::Modified(FAULTY, "2024-07-19T04:09:31Z"),
                present(GOOD),
                Break::Modified(GOOD, "2024-07-19T05:27:00Z"),
            ],
            &[FAULTY],
        ),
        Case::other(
            "gp-local-reset",
            POLICY.into_iter().map(present).collect(),
            &[
                "Windows/System32/GroupPolicy",
                "Windows/System32/GroupPolicyUsers",
                "Windows/System32/AppLocker",
            ],
        ),
        Case::other(
            "pending-servicing",
            pending(),
            &[
                r"Component Based Servicing\RebootPending\",
                r"Component Based Servicing\PackagesPending\",
                r"Component Based Servicing\RebootInProgress\",
                r"SessionsPending\Exclusive",
                r"SessionsPending\3_1\Exclusive",
                "ExecutionState",
                "PendingXmlIdentifier",
                "NextQueueEntryIndex",
                "StoreDirty",
                PENDING,
                LOGS[0],
                LOGS[1],
            ],
        ),
        Case::other(
            "regback-restore",
            vec![
                present(SAM),
                present(SAM_LOG),
                Break::File("Windows/System32/config/RegBack/SAM".to_owned(), copy()),
                // This hive is missing, and its copy is empty.
                Break::File(
                    "Windows/System32/config/RegBack/SECURITY".to_owned(),
                    Vec::new(),
                ),
            ],
            &[SAM, SAM_LOG],
        ),
        Case::other(
            "txr-logs",
            // The logs of the hives themselves stay.
            LOGS.into_iter()
                .chain(["Windows/System32/config/TxR/SYSTEM.LOG1"])
                .map(present)
                .collect(),
            &LOGS,
        ),
    ]
}
