//! Mounts for tests, undone however the test ends.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs a program; its error output otherwise.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    } else {
        let message = String::from_utf8_lossy(&output.stderr);
        Err(format!("{program}: {}", message.trim()))
    }
}

/// Says that a test could not be run, or fails it where none may be left out. Not through `println`,
/// which only shows in failed tests.
pub(crate) fn skipped(needs: &str, error: &str) {
    assert!(
        std::env::var_os("DISKMEND_NO_SKIP").is_none(),
        "this test needs {needs}: {error}"
    );
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: this test needs {needs}: {error}"
    );
}

/// A mount on a folder of its own.
pub(crate) struct Mount {
    dir: tempfile::TempDir,
}

impl Mount {
    /// Mounts as `mount ARGUMENTS FOLDER` does; if that is not possible says so and gives nothing.
    pub(crate) fn new(arguments: &[&str]) -> Option<Self> {
        Self::by("mount", arguments)
    }

    /// The same by another program.
    pub(crate) fn by(program: &str, arguments: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        match run(program, &[arguments, &[path]].concat()) {
            Ok(_) => Some(Self { dir }),
            Err(error) => {
                skipped("to mount, as root", &error);
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let Some(path) = self.dir.path().to_str() else {
            return;
        };
        // A program that another test is just starting has all that is open here for a moment.
        for _ in 0..100 {
            if run("umount", &[path]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Err(error) = run("umount", &["--lazy", path]) {
            // Said where it is seen: whatever else uses the device would fail for it.
            let _ = writeln!(std::io::stderr(), "left mounted: {error}");
        }
    }
}
