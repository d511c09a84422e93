//! The main job on a real hive: it is recovered, repaired, read by an independent reader, and
//! undone.

use std::fs;
use std::path::PathBuf;

use crate::fixture::Volume;
use crate::other_readers::hivexget;
use crate::program::diskmend;

#[test]
fn a_real_dirty_hive_is_recovered_repaired_and_undone() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        println!("SKIPPED: DISKMEND_CORPUS is not set: no real hive was tried");
        return;
    };
    let hives = PathBuf::from(corpus).join("hives").join("regipy");
    let volume = Volume::new();
    for suffix in ["", ".LOG1", ".LOG2"] {
        let bytes = fs::read(hives.join(format!("SYSTEM_B{suffix}"))).expect("the corpus");
        fs::write(volume.config().join(format!("SYSTEM{suffix}")), bytes).expect("writable");
    }
    let before = volume.hives();
    // Windows itself completes such a hive from its logs.
    diskmend(["inspect", volume.root()]).ends(0);
    assert_eq!(volume.hives(), before);
    let repair = ["repair", volume.root(), "tls", "nla", "crash-dump", "--yes"];
    diskmend(repair).ends(0);
    let repaired = volume.hives();
    diskmend(["hive", "check", volume.system().to_str().expect("UTF-8")]).ends(0);
    second_reader(&volume);
    diskmend(repair).ends(0);
    assert_eq!(volume.hives(), repaired);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    assert_eq!(volume.hives(), before);
}

fn second_reader(volume: &Volume) {
    let crash = r"ControlSet001\Control\CrashControl";
    let rdp = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    for (key, name, shown) in [
        (crash, "CrashDumpEnabled", "1"),
        (crash, "NMICrashDump", "1"),
        (crash, "DumpFile", r"%SystemRoot%\MEMORY.DMP"),
        (rdp, "SecurityLayer", "2"),
        (rdp, "UserAuthentication", "1"),
    ] {
        if let Some(theirs) = hivexget(volume.system(), key, name) {
            assert_eq!(String::from_utf8_lossy(&theirs).trim_end(), shown);
        }
    }
}
