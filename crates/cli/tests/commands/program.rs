//! Runs the program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The output and the exit code of a run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The key of the test machine, separate from the real machine's key.
pub(crate) fn key_file() -> PathBuf {
    if cfg!(windows) {
        std::env::temp_dir().join("diskmend-tests.key")
    } else {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("diskmend-tests.key")
    }
}

/// The program, without environment variables that would change its output.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diskmend"));
    command
        .args(args)
        .stdin(Stdio::null())
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("CLICOLOR")
        .env("DISKMEND_KEY_FILE", key_file());
    command
}

/// Runs the program to its end.
pub(crate) fn diskmend<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    Run::of(command(args).output().expect("the program starts"))
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self {
            code: output.status.code().expect("not ended by a signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "\nstdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Checks that stderr contains this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr:\n{}", self.stderr);
        self
    }

    /// The JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stdout).expect("one JSON document");
        assert_eq!(document["schema"], 1);
        document
    }
}
