//! The files on the volume: creating them, and checking what was done to them.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use diskmend_acl::{Domains, SecurityDescriptor};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use super::volume::go_on;
use crate::random::Random;

/// The folder of the keys on a volume.
pub(in crate::bench) const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
pub(in crate::bench) const CONFIG: &str = "Windows/System32/config";
/// The attribute that holds the descriptor.
pub(super) const ATTRIBUTE: &str = "system.ntfs_acl";
/// The longest descriptor that is read.
pub(super) const MAX_DESCRIPTOR_LEN: usize = 1 << 16;

/// The number of accounts that own the files and have rights to them.
const ACCOUNTS: usize = 8;
const WORKERS: usize = 8;
const SEED: u64 = 0xAC1D;

/// The descriptor of a file that its services can't read.
fn broken(account: usize) -> Result<Vec<u8>> {
    let user = format!(
        "S-1-5-21-1004336348-1177238915-682003330-{}",
        1001 + account
    );
    bytes(&format!(
        "O:{user}G:SYD:PAI(D;;FR;;;NS)(A;;FA;;;{user})(A;;FR;;;BA)"
    ))
}

/// The descriptor that every file has after the repair, or one as long.
pub(in crate::bench) fn repaired() -> Result<Vec<u8>> {
    let user = "S-1-5-21-1004336348-1177238915-682003330-1001";
    bytes(&format!(
        "O:BAG:SYD:PAI(A;;FA;;;{user})(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;NS)"
    ))
}

fn bytes(sddl: &str) -> Result<Vec<u8>> {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default())?;
    Ok(descriptor.to_bytes()?)
}

/// Creates the folders of a Windows and this number of keys with broken descriptors.
pub(in crate::bench) fn make(root: &Path, count: usize) -> Result<()> {
    std::fs::create_dir_all(root.join(CONFIG))?;
    let keys = root.join(KEYS);
    std::fs::create_dir_all(&keys)?;
    let broken = (0..ACCOUNTS).map(broken).collect::<Result<Vec<_>>>()?;
    let mut random = Random::new(SEED);
    let machine = name(&mut random);
    let paths: Vec<PathBuf> = (0..count)
        .map(|_| keys.join(format!("{}_{machine}", name(&mut random))))
        .collect();
    in_parallel(&paths, |number, path| {
        go_on()?;
        File::create(path)?;
        let broken = broken.get(number % ACCOUNTS).context("no descriptor")?;
        Ok(setxattr(path, ATTRIBUTE, broken, XattrFlags::empty())?)
    })?;
    Ok(setxattr(
        &keys,
        ATTRIBUTE,
        &bytes("O:SYG:SYD:P")?,
        XattrFlags::empty(),
    )?)
}

/// 32 hexadecimal digits, like an MD5 digest.
fn name(random: &mut Random) -> String {
    format!("{:016x}{:016x}", random.next(), random.next())
}

/// The content of a volume, as digests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Look {
    /// The descriptors of the keys and of their folder.
    pub(in crate::bench) descriptors: u64,
    /// Every path on the volume with its length, its times except the last access, and its
    /// descriptor.
    pub(in crate::bench) all: u64,
}

/// The digests of everything on a volume.
pub(in crate::bench) fn look(root: &Path) -> Result<Look> {
    let mut paths = vec![root.to_path_buf()];
    let mut next = 0;
    while let Some(path) = paths.get(next) {
        next += 1;
        let is_folder = path == root || !path.starts_with(root.join(KEYS)) || path.ends_with(KEYS);
        if is_folder && std::fs::symlink_metadata(path)?.is_dir() {
            for entry in std::fs::read_dir(path)? {
                paths.push(entry?.path());
            }
        }
    }
    paths.sort();
    let found = in_parallel(&paths, |_, path| {
        go_on()?;
        let metadata = std::fs::symlink_metadata(path)?;
        let mut buffer = [0; MAX_DESCRIPTOR_LEN];
        let len = getxattr(path, ATTRIBUTE, &mut buffer)?;
        let descriptor = buffer.get(..len).unwrap_or_default().to_vec();
        let changed = (metadata.mtime(), metadata.mtime_nsec());
        let touched = (metadata.ctime(), metadata.ctime_nsec());
        Ok((descriptor, metadata.len(), changed, touched))
    })?;
    let (mut descriptors, mut all) = (DefaultHasher::new(), DefaultHasher::new());
    for (path, found) in paths.iter().zip(&found) {
        let path = path.strip_prefix(root)?;
        (path, found).hash(&mut all);
        if path.starts_with(KEYS) {
            (path, &found.0).hash(&mut descriptors);
        }
    }
    Ok(Look {
        descriptors: descriptors.finish(),
        all: all.finish(),
    })
}

fn in_parallel<T: Send>(
    paths: &[PathBuf],
    work: impl Fn(usize, &Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let part = paths.len().div_ceil(WORKERS).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = paths
            .chunks(part)
            .enumerate()
            .map(|(chunk, paths)| {
                let work = &work;
                scope.spawn(move || -> Result<Vec<T>> {
                    let numbered = paths.iter().enumerate();
                    numbered
                        .map(|(index, path)| {
                            work(chunk * part + index, path)
                                .with_context(|| path.display().to_string())
                        })
                        .collect()
                })
            })
            .collect();
        let mut results = Vec::with_capacity(paths.len());
        for worker in workers {
            let result = worker.join();
            results.extend(result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(results)
    })
}
