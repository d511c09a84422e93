//! Paths in the workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The root of the workspace.
///
/// # Errors
/// Never in a checkout.
pub fn root() -> Result<PathBuf> {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(xtask.parent().context("xtask has no parent")?.to_path_buf())
}

/// The folder for the results of a task, in cargo's target folder.
///
/// # Errors
/// If it can't be created.
pub fn output(name: &str) -> Result<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => root()?.join("target"),
    };
    let folder = target.join(name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Under Wine, the tests run without cargo.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::collections::BTreeSet;

    /// The packages that a crate links, including itself, each with its licence.
    fn linked(package: &str) -> Vec<(String, String)> {
        let arguments = ["tree", "--locked", "--edges", "normal", "--prefix", "none"];
        let mut cargo = crate::cargo::command(&arguments).expect("a checkout");
        cargo.args(["--format", "{p}|{l}", "--package", package]);
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let package = |line: &str| {
            let (package, licence) = line.split_once('|')?;
            let name = package.split(' ').next()?;
            Some((name.to_owned(), licence.replace(" (*)", "")))
        };
        text.lines().filter_map(package).collect()
    }

    #[test]
    fn crates_use_only_those_below_them() {
        let rooms: [(&str, &[&str]); 8] = [
            ("base", &[]),
            ("hive", &["base"]),
            ("acl", &["base"]),
            ("image", &["base"]),
            ("bcd", &["base", "hive"]),
            ("disk", &["base", "image"]),
            ("repair", &["acl", "base", "bcd", "disk", "hive", "image"]),
            (
                "cli",
                &["acl", "base", "bcd", "disk", "hive", "image", "repair"],
            ),
        ];
        for (room, below) in rooms {
            let package = match room {
                "cli" => "diskmend".to_owned(),
                room => format!("diskmend-{room}"),
            };
            let used: BTreeSet<String> = linked(&package)
                .into_iter()
                .filter(|(name, _)| *name != package)
                .filter_map(|(name, _)| Some(name.strip_prefix("diskmend-")?.to_owned()))
                .collect();
            assert_eq!(
                used,
                below.iter().map(|&name| name.to_owned()).collect(),
                "{room}"
            );
        }
    }

    #[test]
    fn the_libraries_link_nothing_under_the_gpl() {
        for library in ["base", "hive", "bcd", "acl", "image"] {
            for (name, licence) in linked(&format!("diskmend-{library}")) {
                let mut choices = licence.split(" OR ");
                let is_free = choices.any(|choice| !choice.contains("GPL"));
                assert!(
                    is_free && !licence.is_empty(),
                    "{library}: {name} is {licence:?}"
                );
            }
        }
    }
}
