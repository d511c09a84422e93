//! Mounts for tests; they are unmounted however the test ends.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs a program; if it fails, returns its error output.
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

/// Reports that a test could not be run, or fails it if no test may be left out. `println` would
/// show the message only for failed tests.
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

/// A mount on a temporary folder.
pub(crate) struct Mount {
    dir: tempfile::TempDir,
}

impl Mount {
    /// Mounts as `mount ARGUMENTS FOLDER` does. If that is not possible, reports it and returns
    /// `None`.
    pub(crate) fn new(arguments: &[&str]) -> Option<Self> {
        Self::by("mount", arguments)
    }

    /// Mounts with another program.
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
        // For a moment, a program that another test is starting has all open files of this process.
        for _ in 0..100 {
            if run("umount", &[path]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Err(error) = run("umount", &["--lazy", path]) {
            // This must be visible, because everything else that uses the device would fail.
            let _ = writeln!(std::io::stderr(), "left mounted: {error}");
        }
    }
}
