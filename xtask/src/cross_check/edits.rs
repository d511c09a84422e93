//! Makes the same edits with the program on the hive and in memory on its content.

use std::path::Path;

use anyhow::{Context, Result};
use diskmend_hive::reg_file::RegFile;

use super::content::{Content, apply, delete_key, delete_value, set};
use crate::{program, workspace};

const DWORD: u32 = 4;
const EXPAND_SZ: u32 = 2;

/// Edits the hive with `diskmend hive import|set|delete` and the content with it.
pub(super) fn edit(diskmend: &Path, hive: &Path, content: &mut Content) -> Result<()> {
    let state = hive.with_extension("state");
    let (hive, state) = (hive.to_string_lossy(), state.to_string_lossy());
    let run = |command: &str, arguments: &[&str]| {
        let mut all = vec!["hive", command, &*hive];
        all.extend(arguments);
        all.extend(["--yes", "--state-dir", &*state]);
        program::stdout(diskmend, &all)
    };

    let reg = workspace::root()?.join("fixtures/content/every-type.reg");
    run("import", &[&*reg.to_string_lossy()])?;
    for operation in RegFile::parse(&std::fs::read(reg)?)?.operations {
        apply(content, &operation);
    }

    run("set", &["Types", "dword", "REG_DWORD", "0xfeedc0de"])?;
    set(
        content,
        "Types",
        "dword",
        DWORD,
        vec![0xde, 0xc0, 0xed, 0xfe],
    );

    let text = r"%SystemRoot%\MEMORY.DMP";
    run("set", &["Types", "grown", "REG_EXPAND_SZ", text])?;
    let bytes = text
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect();
    set(content, "Types", "grown", EXPAND_SZ, bytes);

    run("delete", &["Types", "binary 5"])?;
    delete_value(content, "Types", "binary 5");

    // A key that existed before, with everything below it.
    let victim = content
        .keys()
        .find(|path| !path.is_empty() && !path.starts_with("Types"))
        .cloned()
        .context("a hive with one key only")?;
    run("delete", &[&victim])?;
    delete_key(content, &victim);
    Ok(())
}
