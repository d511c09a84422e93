//! The licences of the crates in a program, and the texts of these licences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{cargo, program, workspace};

/// The folder that contains nothing but licences (REUSE specification).
const FOLDER: &str = "LICENSES";
/// How names of licence files begin.
const BEGINNINGS: [&str; 6] = [
    "LICEN",
    "UNLICEN",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "AUTHORS",
];
const RULE: &str =
    "================================================================================";

/// The part of `cargo metadata`'s output that is used.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Crate {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    manifest_path: String,
    /// Absent for the project's own crates.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// Absent for a normal dependency, which goes into the program.
    kind: Option<String>,
}

/// The document with all licences in the program `diskmend` for a platform.
///
/// # Errors
/// If a crate does not state its licence or has no text of it.
pub(super) fn document(target: &str) -> Result<String> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        target,
    ];
    let output = cargo::command(&arguments)?.output()?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let crates = crates(&metadata)?;
    let mut document = String::from(
        "diskmend is under the GNU General Public License, version 2 or later: see LICENSE.\n\
         Some of its libraries are under the Apache License 2.0 alone, which goes together with\n\
         version 3 but not with version 2. So this program as a whole may be passed on under\n\
         version 3 or later.\n\
         It contains these libraries, each under its own licence; the texts follow.\n\n",
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for library in crates {
        let name = format!("{} {}", library.name, library.version);
        let licence = library.license.as_deref();
        let licence = licence.with_context(|| format!("{name} does not say its licence"))?;
        let repository = library.repository.as_deref().unwrap_or_default();
        writeln!(document, "{name}: {licence} {repository}")?;
        let folder = Path::new(&library.manifest_path).parent();
        let mut found = texts_in(folder.context("a manifest without a folder")?)?;
        if found.is_empty() {
            let standard = standard_text(library, licence)?;
            found.push(standard.with_context(|| format!("{name} brings no text of its licence"))?);
        }
        for text in found {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    let standard = "the Rust standard library".to_owned();
    writeln!(
        document,
        "{standard}: MIT OR Apache-2.0 https://github.com/rust-lang/rust"
    )?;
    for text in of_the_standard_library()? {
        texts.entry(text).or_default().push(standard.clone());
    }
    for (text, libraries) in texts {
        let libraries = libraries.join(", ");
        write!(document, "\n{RULE}\n{libraries}\n{RULE}\n\n{text}\n")?;
    }
    Ok(document)
}

/// The text of a licence that a crate names without bringing it: that of the Apache licence, or the
/// MIT licence with the authors that the crate names. `None` if it is under neither.
fn standard_text(library: &Crate, licence: &str) -> Result<Option<String>> {
    let words: Vec<&str> = licence.split([' ', '/', '(', ')']).collect();
    let offers = |wanted: &str| words.contains(&wanted) && !words.contains(&"AND");
    let name = match (offers("Apache-2.0"), offers("MIT")) {
        (true, _) => "LICENSE-APACHE",
        (false, true) => "LICENSE-MIT",
        (false, false) => return Ok(None),
    };
    let text = fs::read_to_string(workspace::root()?.join(name)).context(name)?;
    let authors = match library.authors.as_slice() {
        [] => format!("the authors of {}", library.name),
        authors => authors.join(", "),
    };
    let lines = text.lines().map(|line| match line {
        line if line.starts_with("Copyright (c) ") => format!("Copyright (c) {authors}"),
        line => line.to_owned(),
    });
    Ok(Some(lines.collect::<Vec<_>>().join("\n")))
}

/// The crates of others that go into the program, by name.
fn crates(metadata: &Metadata) -> Result<Vec<&Crate>> {
    let own = |one: &&Crate| one.name == "diskmend" && one.source.is_none();
    let root = metadata.packages.iter().find(own).context("diskmend")?;
    let mut reached = BTreeSet::new();
    let mut next = vec![root.id.as_str()];
    while let Some(id) = next.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = metadata.resolve.nodes.iter().find(|node| node.id == id);
        let inside = |one: &&Dependency| one.dep_kinds.iter().any(|kind| kind.kind.is_none());
        let dependencies = node.context("a crate that is not resolved")?.deps.iter();
        next.extend(dependencies.filter(inside).map(|one| one.pkg.as_str()));
    }
    let mut crates: Vec<_> = metadata
        .packages
        .iter()
        .filter(|one| one.source.is_some() && reached.contains(one.id.as_str()))
        .collect();
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(crates)
}

/// The licence texts in a crate, with normalized line ends.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_uppercase();
        let inside = folder.file_name().is_some_and(|name| name == FOLDER);
        if path.is_dir() && name == FOLDER {
            texts.extend(texts_in(&path)?);
        } else if path.is_file()
            && (inside || BEGINNINGS.iter().any(|begin| name.starts_with(begin)))
        {
            let text = fs::read(&path).with_context(|| path.display().to_string())?;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
            texts.push(text.trim_matches('\n').to_owned());
        }
    }
    texts.sort();
    Ok(texts)
}

fn of_the_standard_library() -> Result<Vec<String>> {
    let root = program::stdout(Path::new("rustc"), &["--print", "sysroot"])?;
    let root = String::from_utf8_lossy(&root);
    let folder = Path::new(root.trim()).join("share/doc/rust/licenses");
    ["MIT.txt", "Apache-2.0.txt"]
        .map(|name| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| path.display().to_string())
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(licence: &str, authors: &[&str]) -> Option<String> {
        let library = Crate {
            id: String::new(),
            name: "example".to_owned(),
            version: "1.0.0".to_owned(),
            license: Some(licence.to_owned()),
            repository: None,
            authors: authors.iter().map(|&author| author.to_owned()).collect(),
            manifest_path: String::new(),
            source: None,
        };
        standard_text(&library, licence).expect("the workspace's licences")
    }

    #[test]
    fn a_crate_without_a_text_gets_that_of_its_licence_with_its_own_authors() {
        let mit = text("MIT", &["Ann <ann@example.org>", "Ben"]).expect("MIT");
        assert!(mit.contains("\nCopyright (c) Ann <ann@example.org>, Ben\n"));
        assert!(!mit.contains("diskmend"));
        let nobody = text("MIT", &[]).expect("MIT");
        assert!(nobody.contains("Copyright (c) the authors of example\n"));
        for either in ["MIT OR Apache-2.0", "MIT/Apache-2.0"] {
            assert!(
                text(either, &[])
                    .expect("Apache")
                    .contains("Apache License")
            );
        }
        for unknown in ["BSD-3-Clause", "MIT AND BSD-3-Clause", "LicenseRef-MIT"] {
            assert_eq!(text(unknown, &[]), None);
        }
    }
}
