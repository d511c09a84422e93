//! The partitions of a disk, and what they contain.

use std::path::Path;

use diskmend_base::chain;
use diskmend_disk::{Content, Disk, DiskError, Partition, Scheme};
use diskmend_repair::{VolumeCondition, WindowsIdentity, boot_store};
use serde::Serialize;

use crate::windows_on::windows_on;

/// A disk, its partitions, and what they contain.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) disk: String,
    pub(crate) format: String,
    pub(crate) bytes: u64,
    pub(crate) scheme: &'static str,
    pub(crate) sector_bytes: u32,
    pub(crate) partitions: Vec<PartitionEntry>,
    pub(crate) warnings: Vec<String>,
}

/// A partition.
#[derive(Serialize)]
pub(crate) struct PartitionEntry {
    pub(crate) number: u32,
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) content: Option<String>,
    /// The label of the volume.
    pub(crate) label: Option<String>,
    /// The paths of the boot stores on the volume.
    pub(crate) boot_stores: Vec<String>,
    /// `None` if the volume can't be read.
    pub(crate) windows: Option<bool>,
    /// What the Windows is.
    pub(crate) identity: Option<WindowsIdentity>,
    /// What a person should know about the volume before it is changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<VolumeCondition>,
    pub(crate) problem: Option<String>,
}

impl Document {
    /// Reads what is on a disk. Nothing is written.
    pub(crate) fn of(disk: &Disk, path: &Path) -> Self {
        let table = disk.table();
        Self {
            disk: path.display().to_string(),
            format: disk.format().to_string(),
            bytes: disk.len(),
            scheme: match table.scheme {
                Scheme::Gpt => "GPT",
                Scheme::Mbr => "MBR",
                Scheme::None => "none",
            },
            sector_bytes: table.sector_size,
            partitions: disk
                .partitions()
                .iter()
                .map(|partition| entry(disk, partition))
                .collect(),
            warnings: warnings(disk),
        }
    }
}

/// Warnings about how the disk is stored, and whether that prevents changes.
fn warnings(disk: &Disk) -> Vec<String> {
    let unfit = disk.fit_for_writing().err();
    let unfit = unfit.map(|error| format!("{}: it can be read, but not changed", chain(&error)));
    disk.warnings().into_iter().chain(unfit).collect()
}

fn entry(disk: &Disk, partition: &Partition) -> PartitionEntry {
    let content = partition.content.as_ref();
    let (windows, problem) = match disk.has_windows(partition.entry.number) {
        Ok(windows) => (Some(windows), None),
        // The content of the partition is shown, and it can't contain a Windows.
        Err(error @ DiskError::NotReadable { .. }) if !error.may_hide_windows() => {
            (Some(false), None)
        }
        Err(error) => (None, Some(chain(&error))),
    };
    let number = partition.entry.number;
    let identity = match windows {
        Some(true) => windows_on(disk, number).map(Some),
        _ => Ok(None),
    };
    let (identity, problem) = match identity {
        Ok(identity) => (identity, problem),
        Err(reason) => (None, problem.or(Some(reason))),
    };
    let root = disk.root(number).ok();
    let stores = root.and_then(|root| boot_store::stores_on(root.as_ref()).ok());
    PartitionEntry {
        number,
        start: partition.entry.start,
        bytes: partition.entry.len,
        kind: partition.entry.kind.to_string(),
        name: partition.entry.name.clone(),
        active: partition.entry.active,
        content: content.ok().map(Content::to_string),
        // The label and the stores only help to recognize the volume: a problem is reported above.
        label: disk.label(number).ok().flatten(),
        boot_stores: stores.into_iter().flatten().collect(),
        windows,
        identity,
        conditions: disk
            .conditions(number)
            .into_iter()
            .map(Into::into)
            .collect(),
        problem: content.err().cloned().or(problem),
    }
}

/// The product and build of a Windows; "yes" if neither is known.
pub(crate) fn product(identity: Option<&WindowsIdentity>) -> String {
    let product = identity.and_then(|identity| identity.product_name.clone());
    let build = identity.and_then(|identity| identity.build);
    match (product, build) {
        (Some(product), Some(build)) => format!("{product} ({build})"),
        (Some(product), None) => product,
        (None, Some(build)) => format!("yes, build {build}"),
        (None, None) => "yes".to_owned(),
    }
}

/// A number of bytes in the largest unit that gives at least 1.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    match unit {
        "bytes" => format!("{bytes} bytes"),
        unit => format!("{value:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        assert_eq!(size(512), "512 bytes");
        assert_eq!(size(100 << 20), "100.0 MiB");
        assert_eq!(size(4 << 40), "4.0 TiB");
        assert_eq!(size(u64::MAX), "16777216.0 TiB");
    }
}
