//! Independent readers of hives; they are Linux programs.

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::process::Command;

/// hivexget's output for a value.
#[track_caller]
pub(crate) fn hivexget(hive: impl AsRef<OsStr>, key: &str, value: &str) -> Option<Vec<u8>> {
    let output = Command::new("hivexget")
        .arg(hive)
        .args([key, value])
        .output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "hivexget does not find {key}");
            Some(output.stdout)
        }
        Err(error) => left_out("hivexget", error),
    }
}

/// The value that regipy finds; bytes are shown in hexadecimal. `DISKMEND_REGIPY` names the Python
/// that has regipy.
#[track_caller]
pub(crate) fn regipy(hive: impl AsRef<OsStr>, key: &str, value: &str) -> Option<String> {
    const SCRIPT: &str = "\
import sys
try:
    from regipy.registry import RegistryHive
except ImportError:
    sys.exit(77)
value = RegistryHive(sys.argv[1]).get_key('\\\\' + sys.argv[2]).get_value(sys.argv[3])
print(value.hex() if isinstance(value, bytes) else value)
";
    let python = env::var_os("DISKMEND_REGIPY").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(hive)
        .args([key, value])
        .output();
    match output {
        Ok(output) if output.status.code() == Some(77) => left_out("regipy", "not installed"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "regipy does not find {key}: {said}"
            );
            let found = String::from_utf8_lossy(&output.stdout);
            Some(found.trim_end().to_owned())
        }
        Err(error) => left_out("regipy", error),
    }
}

/// Reports that a reader can't be run, or fails the test if nothing may be left out.
#[track_caller]
fn left_out<T>(reader: &str, why: impl Display) -> Option<T> {
    let may_be = cfg!(windows) || env::var_os("DISKMEND_NO_SKIP").is_none();
    assert!(may_be, "this test needs {reader}: {why}");
    println!("SKIPPED: {reader} can't be run: {why}");
    None
}
