//! `cargo xtask dist`: makes the packages.

use anyhow::Result;

use super::package::{Form, Package};
use super::{checksums, linux};
use crate::{windows, workspace};

/// Makes the packages and their checksums in the folder `dist` of cargo's target folder.
///
/// # Errors
/// If a program can't be built, or a package can't be made.
pub fn archive() -> Result<()> {
    let output = workspace::output("dist")?;
    std::fs::remove_dir_all(&output)?;
    let output = workspace::output("dist")?;
    let linux = linux::program()?;
    let packages = [
        Package {
            program: linux.path,
            target: linux.target,
            form: Form::TarGz,
        },
        Package {
            program: windows::program()?,
            target: windows::TARGET,
            form: Form::Zip,
        },
    ];
    let mut files = Vec::new();
    for package in &packages {
        files.push(package.make(&output)?);
    }
    files.push(checksums::write(&output, &files)?);
    for file in files {
        println!("{}", output.join(file).display());
    }
    Ok(())
}
