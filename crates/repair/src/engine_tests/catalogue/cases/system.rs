//! Recipes for settings of the system.

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;

pub(in super::super) fn system() -> Cases {
    vec![Case::other(
        "crash-dump",
        vec![number(r"Control\CrashControl", "CrashDumpEnabled", 7)],
        &["CrashDumpEnabled", "DumpFile", "NMICrashDump"],
    )]
}
