//! Debian's compiler, unpacked beside the installed one, with a standard library for Windows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::TARGET;
use super::cache::Cache;
use crate::{cargo, debian, program};

/// Debian has a current compiler for its browsers in these packages.
const COMPILER: &str = "rustc-web";
const SOURCES: &str = "rust-web-src";
const CLIPPY: &str = "rust-web-clippy";
/// The folder of the programs in the packages.
const BIN: &str = "usr/bin";
const LIB: &str = "usr/lib/x86_64-linux-gnu";

/// The folder with the compiler. It is made once for each version in Debian.
pub(super) fn get(cache: &Cache) -> Result<PathBuf> {
    if !program::exists("apt-get") {
        bail!("Debian's {COMPILER} can't be had without apt-get");
    }
    let version = match candidate()? {
        Some(version) => version,
        None => {
            debian::update()?;
            candidate()?.with_context(|| format!("no Debian package {COMPILER}"))?
        }
    };
    let name = format!("rust-{}", version.replace(['+', '~'], "_"));
    cache.made_once(&name, |folder| make(folder, &version))
}

/// The path of the compiler in such a folder.
pub(super) fn rustc(folder: &Path) -> PathBuf {
    folder.join("rustc")
}

/// The path of clippy's driver in such a folder.
pub(super) fn clippy_driver(folder: &Path) -> PathBuf {
    folder.join("clippy-driver")
}

/// The version that apt would install.
fn candidate() -> Result<Option<String>> {
    let policy = program::stdout(Path::new("apt-cache"), &["policy", COMPILER])?;
    let policy = String::from_utf8_lossy(&policy);
    let version = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "));
    Ok(version
        .filter(|version| *version != "(none)")
        .map(str::to_owned))
}

fn make(folder: &Path, version: &str) -> Result<()> {
    println!("Making Debian's compiler {version} ready (once, some minutes)...");
    let (number, _) = version.split_once('+').unwrap_or((version, ""));
    let series = number.rsplit_once('.').map_or(number, |(series, _)| series);
    let library = format!("libstd-rust-web-{series}");
    install_llvm(&library)?;
    let packages = folder.join("packages");
    fs::create_dir(&packages)?;
    let names = [COMPILER, CLIPPY, &library, "libstd-rust-web-dev", SOURCES];
    let wanted = names.map(|name| format!("{name}={version}"));
    let mut download = Command::new("apt-get");
    download.args(["download", "--quiet"]).args(wanted);
    cargo::run(download.current_dir(&packages))?;
    for entry in packages.read_dir()? {
        let mut unpack = Command::new("dpkg-deb");
        cargo::run(unpack.arg("--extract").arg(entry?.path()).arg(folder))?;
    }
    fs::remove_dir_all(&packages)?;
    for name in ["rustc", "clippy-driver"] {
        write_wrapper(folder, name)?;
    }
    build_std(folder, number)
}

/// Installs the package with the compiler's code generator.
fn install_llvm(library: &str) -> Result<()> {
    let depends = ["depends", library, COMPILER];
    let depends = program::stdout(Path::new("apt-cache"), &depends)?;
    let depends = String::from_utf8_lossy(&depends);
    let llvm = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|package| package.starts_with("libllvm"))
        .context("Debian's compiler names no LLVM")?;
    let installed = program::run(Path::new("dpkg-query"), &["--show", llvm])?;
    if installed.status.success() {
        Ok(())
    } else {
        debian::install_packages(&[llvm])
    }
}

/// Writes a script that starts a program of the folder from any place. Cargo accepts only the name
/// of a program, so the path of the libraries can't be set with a variable.
fn write_wrapper(folder: &Path, name: &str) -> Result<()> {
    let script = format!(
        "#!/bin/sh\nhere=${{0%/*}}\n\
         LD_LIBRARY_PATH=$here/{LIB}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} \
         exec \"$here/{BIN}/{name}\" \"$@\"\n"
    );
    let path = folder.join(name);
    fs::write(&path, script)?;
    let mut executable = Command::new("chmod");
    cargo::run(executable.arg("+x").arg(path))
}

fn build_std(folder: &Path, number: &str) -> Result<()> {
    let built = folder.join("build");
    let mut build = cargo::command(&["build", "--quiet", "--locked", "--release"])?;
    build
        .args([
            "--package",
            "sysroot",
            "--features",
            "panic-unwind,backtrace",
        ])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&built)
        .current_dir(folder.join(format!("usr/src/rustc-{number}/library")))
        .env("RUSTC", rustc(folder))
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "RUSTFLAGS",
            "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes",
        );
    cargo::run(&mut build)?;
    let to = folder.join(format!("usr/lib/rustlib/{TARGET}/lib"));
    fs::create_dir_all(&to)?;
    for entry in built.join(TARGET).join("release/deps").read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "rlib") {
            fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    fs::remove_dir_all(built)?;
    Ok(())
}
