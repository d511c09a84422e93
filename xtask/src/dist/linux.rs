//! The release program for Linux, linked statically: it runs on any rescue system.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cargo, rust_target, workspace};

const MUSL: &str = "x86_64-unknown-linux-musl";
const GLIBC: &str = "x86_64-unknown-linux-gnu";

/// A program, and Rust's name for its platform.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) target: &'static str,
}

/// Builds it, with musl if the compiler has a standard library for musl, otherwise with glibc.
pub(super) fn program() -> Result<Program> {
    let target = if rust_target::add(MUSL)? {
        MUSL
    } else {
        println!(
            "The compiler has no standard library for {MUSL} ('rustup target add {MUSL}' \
             fetches it): glibc is linked in instead, from Debian's libc6-dev."
        );
        GLIBC
    };
    let output = workspace::output("static")?;
    let folder = output.to_str().context("the target folder is not UTF-8")?;
    let release = ["build", "--quiet", "--release", "--package", "diskmend"];
    let place = ["--target", target, "--target-dir", folder];
    let mut build = cargo::command(&[&release[..], &place].concat())?;
    cargo::run(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let path = output.join(target).join("release").join("diskmend");
    if needs_loader(&path)? {
        bail!("{}: still needs libraries of the system", path.display());
    }
    Ok(Program { path, target })
}

/// True if a program header names the loader of shared libraries (ELF-64, little-endian).
fn needs_loader(program: &Path) -> Result<bool> {
    const TABLE: usize = 32;
    const ENTRY_LEN: usize = 54;
    const ENTRIES: usize = 56;
    const INTERP: u64 = 3;

    let bytes = std::fs::read(program).with_context(|| program.display().to_string())?;
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        bail!("{}: no ELF-64 program", program.display());
    }
    let number = |at: usize, len: usize| -> Result<u64> {
        let field = at.checked_add(len).and_then(|end| bytes.get(at..end));
        let field = field.context("the program headers end early")?;
        Ok(field
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte)))
    };
    let (table, entry_len) = (number(TABLE, 8)?, number(ENTRY_LEN, 2)?);
    for entry in 0..number(ENTRIES, 2)? {
        let at = usize::try_from(table.saturating_add(entry * entry_len))?;
        if number(at, 4)? == INTERP {
            return Ok(true);
        }
    }
    Ok(false)
}
