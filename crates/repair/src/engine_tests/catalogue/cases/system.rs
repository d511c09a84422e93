//! Recipes for settings of the system.

use diskmend_hive::ValueType;

use super::{Cases, data, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, SET};
use crate::place::HiveName::{Software, System};
use crate::value_data::ValueData;

const SUBSYSTEMS: &str = r"Control\Session Manager\SubSystems";

/// A disk of this build.
fn build(number: &str) -> Break {
    let key = r"Microsoft\Windows NT\CurrentVersion".to_owned();
    let number = ValueData::text(ValueType::SZ, number);
    Break::Data(Software, key, "CurrentBuildNumber", number)
}

/// The command line of the Windows subsystem.
fn windows(line: &str) -> Break {
    let line = ValueData::text(ValueType::EXPAND_SZ, line);
    data(SUBSYSTEMS, "Windows", line)
}

fn without(value: &'static str) -> Break {
    Break::NoValue(System, format!(r"{SET}\{SUBSYSTEMS}"), value)
}

pub(in super::super) fn system() -> Cases {
    let other = || windows(r"C:\Temp\a.exe %SystemRoot%\system32\csrss.exe");
    let all: &[&str] = &["Windows", "Kmode", "Required"];
    let gone = || all.iter().map(|value| without(value)).collect::<Vec<_>>();
    vec![
        Case::other(
            "crash-dump",
            vec![number(r"Control\CrashControl", "CrashDumpEnabled", 7)],
            &["CrashDumpEnabled", "DumpFile", "NMICrashDump"],
        ),
        Case::broken("subsystems", vec![other()], &["Windows"]),
        Case::broken("subsystems", gone(), all),
        Case::broken("subsystems", [gone(), vec![build("7601")]].concat(), all),
        // Builds that were not measured.
        Case::other("subsystems", [gone(), vec![build("20348")]].concat(), all),
        Case::other("subsystems", vec![other(), build("9200")], &["Windows"]),
        // Heaps of another size, and a list with another subsystem.
        Case::other(
            "subsystems",
            vec![
                windows(r"%SystemRoot%\SYSTEM32\csrss.exe SharedSection=1024,20480,4096"),
                data(
                    SUBSYSTEMS,
                    "Required",
                    ValueData::list(&[
                        "Debug".to_owned(),
                        "Posix".to_owned(),
                        "Windows".to_owned(),
                    ]),
                ),
            ],
            &["Required"],
        ),
    ]
}
