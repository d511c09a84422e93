//! `cargo xtask windows setup`: provides the tools.

use anyhow::Result;

use super::COMPILER_OF_C;
use super::cache::{Cache, VARIABLE};
use super::compiler::Compiler;
use super::wine::Wine;
use crate::debian;

const LINKER_PACKAGE: (&str, &str) = (COMPILER_OF_C, "gcc-mingw-w64-x86-64");
/// The compiler.
pub(super) fn compiler() -> Result<Compiler> {
    debian::install(&[LINKER_PACKAGE])?;
    let cache = Cache::open()?;
    let _lock = cache.lock("setup")?;
    Compiler::get(&cache)
}

/// Wine, in which the programs run.
pub(super) fn wine() -> Result<Wine> {
    debian::install(&[LINKER_PACKAGE])?;
    let cache = Cache::open()?;
    let _lock = cache.lock("setup")?;
    Wine::get(&cache)
}

/// Provides all tools, and returns a description of them.
pub(super) fn describe() -> Result<String> {
    let compiler = compiler()?.describe()?;
    let wine = wine()?.version()?;
    let cache = Cache::open()?;
    println!("compiler  {compiler}");
    println!("Wine      {wine}");
    println!(
        "kept in   {} ({VARIABLE} names another folder)",
        cache.folder().display()
    );
    Ok(format!("{compiler}, {wine}"))
}
