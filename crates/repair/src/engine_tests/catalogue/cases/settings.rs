//! Recipes for how Windows starts, stops and signs in, and for policies.

use diskmend_hive::ValueType;

use super::listener::{in_azure, on_a_desk};
use super::{Cases, build, data, drive, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, whole};
use crate::engine_tests::evidence::dumps::dump;
use crate::place::HiveName::{Security, Software, System};
use crate::value_data::ValueData;

const SESSION: &str = r"Control\Session Manager";
const SAFER: &str = r"Policies\Microsoft\Windows\Safer\CodeIdentifiers";
const MEMORY: &str = r"Control\Session Manager\Memory Management";

fn text(text: &str) -> ValueData {
    ValueData::text(ValueType::SZ, text)
}

fn setup(name: &'static str, number: u32) -> Break {
    Break::Number(System, "Setup".to_owned(), name, number)
}

fn software(key: &str, name: &'static str, number: u32) -> Break {
    Break::Number(Software, key.to_owned(), name, number)
}

fn list(entry: &str) -> ValueData {
    ValueData::list(&[entry.to_owned()])
}

/// A path from which software restriction lets programs run.
fn allowed(path: &str) -> Break {
    let key = format!(r"{SAFER}\262144\Paths\{{191cd7fa-f240-4a17-8986-94d480a6c8ca}}");
    let path = ValueData::text(ValueType::EXPAND_SZ, path);
    Break::Data(Software, key, "ItemData", path)
}

/// A right of a group to sign in.
fn right(sid: &str, bits: u32) -> Break {
    let data = ValueData {
        value_type: ValueType::NONE,
        bytes: bits.to_le_bytes().to_vec(),
    };
    Break::Data(
        Security,
        format!(r"Policy\Accounts\{sid}\ActSysAc"),
        "",
        data,
    )
}

pub(in super::super) fn settings() -> Cases {
    let verifier = |more: Vec<Break>| {
        let set = vec![
            data(MEMORY, "VerifyDrivers", text("vendor.sys")),
            number(MEMORY, "VerifyDriverLevel", 0x9bb),
        ];
        [set, more].concat()
    };
    let winlogon = |name, text: ValueData| {
        let key = r"Microsoft\Windows NT\CurrentVersion\Winlogon".to_owned();
        Break::Data(Software, key, name, text)
    };
    let san = || number(r"Services\partmgr\Parameters", "SanPolicy", 3);
    let start = |service: &str, start| number(&format!(r"Services\{service}"), "Start", start);
    let rules = r"Policies\Microsoft\Windows\SrpV2";
    vec![
        Case::broken(
            "san-policy",
            [vec![san()], in_azure()].concat(),
            &["SanPolicy"],
        ),
        Case::other(
            "san-policy",
            [vec![san()], on_a_desk()].concat(),
            &["SanPolicy"],
        ),
        Case::other("auto-reboot", vec![], &["AutoReboot"]),
        Case::other(
            "pagefile-c",
            vec![data(MEMORY, "PagingFiles", list(r"D:\pagefile.sys"))],
            &["PagingFiles"],
        ),
        Case::broken(
            "pagefile-c",
            vec![
                data(MEMORY, "PagingFiles", list(r"D:\pagefile.sys")),
                drive(r"\DosDevices\C:"),
                drive(r"\DosDevices\E:"),
            ],
            &["PagingFiles"],
        ),
        Case::broken(
            "setup-mode-off",
            vec![setup("SetupType", 2), setup("OOBEInProgress", 1)],
            &["SetupType"],
        )
        .and(&["OOBEInProgress"]),
        // A setup that somebody has begun.
        Case::broken(
            "setup-mode-off",
            [
                whole().to_vec(),
                vec![
                    setup("SetupType", 2),
                    Break::Data(
                        System,
                        "Setup".to_owned(),
                        "CmdLine",
                        text(r"cmd.exe /c C:\temp\repair.cmd"),
                    ),
                ],
            ]
            .concat(),
            &["SetupType"],
        ),
        Case::other(
            "setup-mode-off",
            vec![
                setup("SetupType", 2),
                Break::Data(
                    System,
                    "Setup".to_owned(),
                    "CmdLine",
                    text(r"oobe\windeploy.exe"),
                ),
            ],
            &["SetupType"],
        ),
        // On a whole Windows without these programs.
        Case::broken(
            "winlogon-shell",
            [
                whole().to_vec(),
                vec![
                    winlogon("Shell", text("kiosk.exe")),
                    winlogon("Userinit", text(r"C:\Windows\system32\gone.exe,")),
                ],
            ]
            .concat(),
            &["Shell", "Userinit"],
        ),
        Case::other(
            "winlogon-shell",
            vec![
                winlogon("Shell", text("kiosk.exe")),
                winlogon("Userinit", text("gone.exe")),
            ],
            &["Shell", "Userinit"],
        ),
        Case::broken(
            "driver-verifier-off",
            verifier(vec![Break::File(
                "Windows/MEMORY.DMP".to_owned(),
                dump(0xc4, 3),
            )]),
            &["VerifyDrivers", "VerifyDriverLevel"],
        ),
        Case::other(
            "driver-verifier-off",
            verifier(vec![]),
            &["VerifyDrivers", "VerifyDriverLevel"],
        ),
        Case::other("regback-on", vec![], &["EnablePeriodicBackup"]),
        Case::other("chkdsk-once", vec![], &["BootExecute"]),
        Case::other(
            "chkdsk-skip",
            vec![data(SESSION, "BootExecute", list("autocheck autochk *"))],
            &["BootExecute"],
        ),
        Case::other(
            "update-hold",
            vec![start("wuauserv", 3), start("UsoSvc", 2)],
            &[r"wuauserv\Start", r"UsoSvc\Start"],
        ),
        Case::other(
            "update-release",
            vec![start("wuauserv", 4), start("UsoSvc", 4)],
            &[r"wuauserv\Start", r"UsoSvc\Start"],
        ),
        Case::other("gpsvc-hold", vec![], &[r"gpsvc\Start"]),
        Case::other("gpsvc-release", vec![start("gpsvc", 4)], &[r"gpsvc\Start"]),
        Case::other(
            "gp-cleanup-profiles",
            vec![software(
                r"Policies\Microsoft\Windows\System",
                "CleanupProfiles",
                30,
            )],
            &["CleanupProfiles"],
        ),
        Case::broken(
            "srp-off",
            vec![
                software(SAFER, "DefaultLevel", 0),
                allowed(r"C:\Program Files\"),
            ],
            &["DefaultLevel"],
        ),
        // Administrators may start everything.
        Case::other(
            "srp-off",
            vec![
                software(SAFER, "DefaultLevel", 0),
                software(SAFER, "PolicyScope", 1),
            ],
            &["DefaultLevel"],
        ),
        // A rule of the default policy allows Windows.
        Case::other(
            "srp-off",
            vec![
                software(SAFER, "DefaultLevel", 0),
                allowed(
                    r"%HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SystemRoot%",
                ),
            ],
            &["DefaultLevel"],
        ),
        Case::other(
            "applocker-off",
            vec![
                software(&format!(r"{rules}\Exe"), "EnforcementMode", 1),
                software(&format!(r"{rules}\Appx"), "EnforcementMode", 1),
            ],
            &[r"Exe\EnforcementMode", r"Appx\EnforcementMode"],
        ),
        Case::other(
            "user-rights",
            vec![
                build("20348"),
                right("S-1-5-32-544", 0x0403),
                right("S-1-5-32-555", 0),
                right("S-1-1-0", 0x1002),
            ],
            &[r"S-1-5-32-544\ActSysAc\", r"S-1-5-32-555\ActSysAc\"],
        ),
        // Nobody may sign in over Remote Desktop.
        Case::broken(
            "user-rights",
            vec![
                build("20348"),
                right("S-1-5-32-544", 0x3),
                right("S-1-5-32-555", 0),
                right("S-1-5-32-545", 0x1),
            ],
            &[r"S-1-5-32-544\ActSysAc\", r"S-1-5-32-555\ActSysAc\"],
        )
        .and(&[r"S-1-5-32-545\ActSysAc\"]),
        Case::broken(
            "user-rights-deny",
            vec![
                right("S-1-5-32-544", 0x0c07),
                right("S-1-1-0", 0x82),
                right("S-1-5-11", 0x140),
                // Security baselines deny these.
                right("S-1-5-113", 0x880),
            ],
            &[
                r"S-1-5-32-544\ActSysAc\",
                r"S-1-1-0\ActSysAc\",
                r"S-1-5-11\ActSysAc\",
            ],
        ),
    ]
}
