//! Recipes that move files away.

use super::Cases;
use crate::engine_tests::boot_fixture::hive;
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;

const FAULTY: &str = "Windows/System32/drivers/CrowdStrike/C-00000291-00000000-00000032.sys";
const GOOD: &str = "Windows/System32/drivers/CrowdStrike/C-00000291-00000000-00000033.sys";
const POLICY: [&str; 4] = [
    "Windows/System32/GroupPolicy/gpt.ini",
    "Windows/System32/GroupPolicy/Machine/Registry.pol",
    "Windows/System32/GroupPolicy/User/Registry.pol",
    "Windows/System32/AppLocker/Exe.AppLocker",
];
const LOGS: [&str; 4] = [
    "Windows/System32/config/TxR/{a}.TxR.blf",
    "Windows/System32/config/TxR/{a}.TxR.0.regtrans-ms",
    "Windows/System32/SMI/Store/Machine/SCHEMA.DAT{a}.TM.blf",
    "Windows/System32/SMI/Store/Machine/SCHEMA.DAT{a}.TMContainer1.regtrans-ms",
];
const SAM: &str = "Windows/System32/config/SAM";
const SAM_LOG: &str = "Windows/System32/config/SAM.LOG1";

fn present(path: &str) -> Break {
    Break::File(path.to_owned(), path.as_bytes().to_vec())
}

pub(in super::super) fn files() -> Cases {
    vec![
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
            &POLICY,
        ),
        Case::other(
            "regback-restore",
            vec![
                present(SAM),
                present(SAM_LOG),
                Break::File(
                    "Windows/System32/config/RegBack/SAM".to_owned(),
                    hive(|editor| editor.create_key(r"SAM\Domains\Account").map(drop)),
                ),
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
