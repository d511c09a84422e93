//! `diskmend disks`: the partitions of an unmounted disk, and what they contain.

use std::io;
use std::path::PathBuf;

use diskmend_base::chain;
use diskmend_disk::{Content, Disk, DiskError, OpenError, Partition, Scheme};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::output::console::{self, Console};
use crate::output::style;
use crate::output::table::{Align, Cell, Table};

/// Show the partitions of an unmounted disk, and what they contain
///
/// The disk is an image file (raw, VHD or VHDX, recognized by its content) or a block device.
/// Nothing is mounted and nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend disks broken-os-disk.vhd
  diskmend disks /dev/sdb --json")]
pub(crate) struct Args {
    /// The image file or block device
    disk: PathBuf,
}

#[derive(Serialize)]
struct Document {
    disk: String,
    format: String,
    bytes: u64,
    scheme: &'static str,
    sector_bytes: u32,
    partitions: Vec<PartitionEntry>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct PartitionEntry {
    number: u32,
    start: u64,
    bytes: u64,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    active: bool,
    content: Option<String>,
    /// `None` if the volume can't be read.
    windows: Option<bool>,
    problem: Option<String>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let failed = |source| hints::target_failure(&OpenError::of_disk(&args.disk, source));
    let disk = Disk::open(&args.disk).map_err(failed)?;
    let table = disk.table();
    let document = Document {
        disk: args.disk.display().to_string(),
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
            .map(|partition| entry(&disk, partition))
            .collect(),
        warnings: warnings(&disk),
    };
    console.show(Exit::Done, |console| {
        if console.json() {
            console.document(&document)
        } else {
            print(console, &document)
        }
    })
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
    PartitionEntry {
        number: partition.entry.number,
        start: partition.entry.start,
        bytes: partition.entry.len,
        kind: partition.entry.kind.to_string(),
        name: partition.entry.name.clone(),
        active: partition.entry.active,
        content: content.ok().map(Content::to_string),
        windows,
        problem: content.err().cloned().or(problem),
    }
}

fn print(console: &mut Console, document: &Document) -> io::Result<()> {
    writeln!(
        console.out(),
        "{}: {}, partition table {}, sectors of {} bytes",
        document.format,
        size(document.bytes),
        document.scheme,
        document.sector_bytes,
    )?;
    let mut table = Table::new([
        ("NUMBER", Align::Right),
        ("START", Align::Right),
        ("SIZE", Align::Right),
        ("TYPE", Align::Left),
        ("HOLDS", Align::Left),
        ("WINDOWS", Align::Left),
    ]);
    for partition in &document.partitions {
        let holds = match (&partition.content, &partition.problem) {
            (Some(content), _) => Cell::new(content),
            (None, Some(problem)) => Cell::styled(problem, style::BAD),
            (None, None) => Cell::new(""),
        };
        let kind = if partition.active {
            format!("{}, active", partition.kind)
        } else {
            partition.kind.clone()
        };
        table.row([
            Cell::new(partition.number.to_string()),
            Cell::new(partition.start.to_string()),
            Cell::new(size(partition.bytes)),
            Cell::new(kind),
            holds,
            match partition.windows {
                Some(true) => Cell::styled("yes", style::GOOD),
                Some(false) => Cell::new(""),
                None => Cell::styled("unknown", style::WARNING),
            },
        ]);
    }
    let width = console.width();
    table.write(console.out(), width)?;
    let searched = document.partitions.iter();
    let searched = searched.filter(|partition| partition.content.is_some());
    let problems = searched.filter_map(|partition| partition.problem.as_ref());
    problems.chain(&document.warnings).for_each(console::warn);
    Ok(())
}

/// A number of bytes in the largest unit that gives at least 1.
fn size(bytes: u64) -> String {
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
