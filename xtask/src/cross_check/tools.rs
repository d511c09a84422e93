//! The other programs, and their limits.

use std::path::Path;

use anyhow::{Context, Result, bail};
use diskmend_hive::format::BigData;

use super::content::{
    Content, Data, agrees_lossy, differences, parse, parse_hivexget, parse_reged,
};
use crate::program;

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\FIXTURE";
/// hivexget is started once for each key; more keys would reveal nothing new.
const MAX_KEYS_BY_HIVEXGET: usize = 60;

/// The longest path that reged exports without cutting it off, in bytes, less the prefix.
const MAX_PATH_BY_REGED: usize = 900;

/// A program that reads hives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    HivexRegedit,
    HivexGet,
    Reged,
}

impl Tool {
    pub(super) const ALL: [Self; 3] = [Self::HivexRegedit, Self::HivexGet, Self::Reged];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HivexRegedit => "hivexregedit",
            Self::HivexGet => "hivexget",
            Self::Reged => "reged",
        }
    }

    /// The Debian package.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::HivexRegedit => "libwin-hivex-perl",
            Self::HivexGet => "libhivex-bin",
            Self::Reged => "chntpw",
        }
    }

    /// The reason why the program can't read a hive with this content, if there is one.
    pub(super) fn unable(self, content: &Content) -> Option<&'static str> {
        if self != Self::Reged {
            return None;
        }
        if content.keys().any(|path| path.len() > MAX_PATH_BY_REGED) {
            return Some("reged 140201 abbreviates long paths");
        }
        let is_foreign = |name: &String| !name.is_ascii();
        let foreign = content
            .iter()
            .any(|(path, values)| is_foreign(path) || values.keys().any(is_foreign));
        foreign.then_some("reged 140201 aborts on names beyond ASCII")
    }

    /// Removes the values that the program can't read. Returns their number and the reason.
    pub(super) fn leave_out(self, content: &mut Content) -> Option<(usize, &'static str)> {
        if self != Self::Reged {
            return None;
        }
        let mut left_out = 0;
        for values in content.values_mut() {
            let before = values.len();
            values.retain(|_, data| data.bytes.len() <= BigData::SEGMENT_LEN);
            left_out += before - values.len();
        }
        let reason = "reged 140201 can not read data longer than 16344 bytes";
        (left_out > 0).then_some((left_out, reason))
    }

    /// Reads the hive and returns the differences from `ours`.
    pub(super) fn compare(self, hive: &Path, ours: &Content) -> Result<Vec<String>> {
        match self {
            Self::HivexRegedit => hivexregedit(hive, ours),
            Self::HivexGet => hivexget(hive, ours),
            Self::Reged => reged(hive, ours),
        }
    }
}

/// The content that diskmend reads.
pub(super) fn ours(diskmend: &Path, hive: &Path) -> Result<Content> {
    let hive = hive.to_string_lossy();
    let text = program::stdout(diskmend, &["hive", "export", &hive, "--prefix", PREFIX])?;
    parse(&text, PREFIX)
}

fn hivexregedit(hive: &Path, ours: &Content) -> Result<Vec<String>> {
    let hive = hive.to_string_lossy();
    let text = program::stdout(
        Path::new("hivexregedit"),
        &["--export", "--prefix", PREFIX, &hive, "\\"],
    )?;
    let theirs = parse(&text, PREFIX).context("hivexregedit's export")?;
    Ok(differences(ours, &theirs, |a, b| a == b))
}

fn hivexget(hive: &Path, ours: &Content) -> Result<Vec<String>> {
    let hive = hive.to_string_lossy();
    let mut found = Vec::new();
    let step = ours.len().div_ceil(MAX_KEYS_BY_HIVEXGET).max(1);
    for (path, values) in ours.iter().step_by(step) {
        let text = program::stdout(Path::new("hivexget"), &[&hive, &*format!("\\{path}")])?;
        let mut file = format!("Windows Registry Editor Version 5.00\n\n[{PREFIX}\\{path}]\n");
        file.push_str(&String::from_utf8_lossy(&text));
        let theirs = parse_hivexget(file.as_bytes(), PREFIX).context("hivexget's output")?;
        let theirs = theirs.into_iter().filter(|(key, _)| key == path).collect();
        let our = [(path.clone(), values.clone())].into();
        found.extend(differences(&our, &theirs, agrees_lossy));
    }
    Ok(found)
}

fn reged(hive: &Path, ours: &Content) -> Result<Vec<String>> {
    let out = hive.with_extension("reged.reg");
    let (hive, file) = (hive.to_string_lossy(), out.to_string_lossy());
    let output = program::run(Path::new("reged"), &["-x", &*hive, PREFIX, "\\", &*file])?;
    if !output.status.success() {
        bail!("reged: {}", output.status);
    }
    let text = std::fs::read(&out)?;
    std::fs::remove_file(&out)?;
    let mut theirs = parse_reged(&text, PREFIX).context("reged's export")?;
    Tool::Reged.leave_out(&mut theirs);
    Ok(differences(ours, &theirs, |a: &Data, b: &Data| {
        agrees_lossy(a, b)
    }))
}
