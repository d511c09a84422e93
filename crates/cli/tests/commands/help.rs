//! The help texts, the version, and the command reference that is generated from them.

use std::fs;
use std::path::PathBuf;

use crate::program::diskmend;

fn page() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "..",
        "docs",
        "commands.md",
    ]
    .iter()
    .collect()
}

/// `DISKMEND_UPDATE=1` rewrites the page.
#[test]
fn the_command_reference_is_the_help() {
    let made = diskmend::reference();
    if std::env::var_os("DISKMEND_UPDATE").is_some() {
        fs::write(page(), &made).expect("a writable checkout");
    }
    let stored = fs::read_to_string(page()).expect("docs/commands.md");
    let stored = stored.replace("\r\n", "\n");
    assert!(
        stored == made,
        "docs/commands.md is not what the help says: run the tests with DISKMEND_UPDATE=1"
    );
}

#[test]
fn the_command_line_is_sound() {
    diskmend::command().debug_assert();
}

#[test]
fn help_and_version_are_results() {
    for args in [["help"], ["--help"], ["-h"]] {
        let run = diskmend(args).ends(0);
        assert!(run.stdout.contains("Usage: diskmend"), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
    let run = diskmend(["--version"]).ends(0);
    assert_eq!(
        run.stdout,
        format!("diskmend {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = diskmend(["--help"]).ends(0).stdout;
    for exit in diskmend::Exit::ALL {
        assert!(help.contains(exit.meaning()), "{help}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    diskmend([""; 0]).ends(2);
    diskmend(["nonsense"]).ends(2).says("nonsense");
    diskmend(["hive"]).ends(2);
    diskmend(["hive", "check"]).ends(2);
    diskmend(["recipes", "--nonsense"])
        .ends(2)
        .says("--nonsense");
}
