//! `diskmend disks`: the disks of this machine, the partitions of a disk, and what they contain.

use std::io;
use std::path::PathBuf;

use diskmend_base::chain;
use diskmend_base::escape::Visible;
use diskmend_disk::{Disk, DiskError, OpenError, attached};
use serde::Serialize;

use crate::disk_map::{Document, product, size};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Align, Cell, Table};
use crate::output::{identity, style, volume};
use crate::report_file::ReportArgs;

/// The greatest number of attached disks that are shown.
const MOST_DISKS: usize = 256;

/// Show the attached disks, or the partitions of an unmounted disk, and what they contain
///
/// The disk is an image file (raw, VHD or VHDX, recognized by its content) or a block device. Of
/// each partition with a Windows, its product, its build and its computer's name are shown. Nothing
/// is mounted and nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend disks
  diskmend disks broken-os-disk.vhd
  diskmend disks /dev/sdb --json")]
pub(crate) struct Args {
    /// The image file or block device; by default all disks that are attached to this machine
    disk: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Serialize)]
struct List {
    disks: Vec<Listed>,
}

/// A disk of this machine.
#[derive(Serialize)]
struct Listed {
    disk: String,
    bytes: Option<u64>,
    model: Option<String>,
    content: Option<Document>,
    problem: Option<String>,
    #[serde(skip)]
    is_forbidden: bool,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let Some(path) = &args.disk else {
        args.report.about_all(console)?;
        return list(console);
    };
    args.report.about(path, console)?;
    let failed = |source| hints::target_failure(&OpenError::of_disk(path, source));
    let document = Document::of(&Disk::open_to_look(path).map_err(failed)?, path);
    console.page(|| html::disk(&document, None));
    console.show(Exit::Done, |console| {
        if console.json() {
            console.document(&document)
        } else {
            print(console, &document)
        }
    })
}

/// Shows the disks of this machine.
fn list(console: &mut Console) -> Result<Exit, Failure> {
    let found = attached().map_err(|error| {
        let text = format!(
            "the disks of this machine can't be listed: {}",
            chain(&error)
        );
        Failure::new(Exit::Failure, text).hint("name a disk: diskmend disks DISK")
    })?;
    let left_out = found.len().saturating_sub(MOST_DISKS);
    let disks: Vec<Listed> = found
        .into_iter()
        .take(MOST_DISKS)
        .map(|disk| {
            let opened = Disk::open_to_look(&disk.path);
            let is_forbidden = matches!(
                &opened,
                Err(DiskError::Io(error)) if error.kind() == io::ErrorKind::PermissionDenied
            );
            let (content, problem) = match opened {
                Ok(opened) => (Some(Document::of(&opened, &disk.path)), None),
                Err(error) => (None, Some(chain(&error))),
            };
            Listed {
                disk: disk.path.display().to_string(),
                bytes: disk.len,
                model: disk.model,
                content,
                problem,
                is_forbidden,
            }
        })
        .collect();
    let none_read = disks.iter().all(|disk| disk.content.is_none());
    let forbidden = disks.iter().filter(|disk| disk.is_forbidden).count();
    let exit = if none_read && forbidden > 0 {
        Exit::Failure
    } else {
        Exit::Done
    };
    let list = List { disks };
    console.page(|| {
        let disks = list.disks.iter();
        html::disks(disks.map(|disk| {
            let problem = disk.problem.as_deref();
            (disk.disk.as_str(), disk.content.as_ref(), problem)
        }))
    });
    console.show(exit, |console| {
        if console.json() {
            console.document(&list)?;
        } else {
            print_list(console, &list)?;
        }
        if forbidden > 0 {
            console::warn(format_args!(
                "this user may not read {forbidden} of the disks"
            ));
            console::hint(hints::PERMISSION);
        }
        if left_out > 0 {
            console::warn(format_args!("{left_out} more disks are not shown"));
        }
        Ok(())
    })
}

fn print_list(console: &mut Console, list: &List) -> io::Result<()> {
    if list.disks.is_empty() {
        return writeln!(console.out(), "no disks");
    }
    for (number, disk) in list.disks.iter().enumerate() {
        if number > 0 {
            writeln!(console.out())?;
        }
        let heading = style::HEADING;
        let name = Visible(&disk.disk);
        write!(console.out(), "{heading}{name}{heading:#}")?;
        if let Some(model) = &disk.model {
            write!(console.out(), "  {}", Visible(model))?;
        }
        match (&disk.content, &disk.problem) {
            (Some(content), _) => {
                writeln!(console.out())?;
                print(console, content)?;
            }
            (None, problem) => {
                if let Some(bytes) = disk.bytes {
                    write!(console.out(), "  {}", size(bytes))?;
                }
                let problem = problem.as_deref().unwrap_or_default();
                writeln!(console.out(), "\n  {}", Visible(problem))?;
            }
        }
    }
    Ok(())
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
        ("SIZE", Align::Right),
        ("TYPE", Align::Left),
        ("HOLDS", Align::Left),
        ("LABEL", Align::Left),
        ("WINDOWS", Align::Left),
        ("COMPUTER", Align::Left),
    ]);
    for partition in &document.partitions {
        let holds = match (&partition.content, &partition.problem) {
            (Some(content), _) if partition.boot_stores.is_empty() => Cell::new(content),
            (Some(content), _) => Cell::new(format!("{content}, boot store")),
            (None, Some(problem)) => Cell::styled(problem, style::BAD),
            (None, None) => Cell::new(""),
        };
        let kind = if partition.active {
            format!("{}, active", partition.kind)
        } else {
            partition.kind.clone()
        };
        let identity = partition.identity.as_ref();
        let computer = identity.and_then(|identity| identity.computer_name.as_deref());
        table.row([
            Cell::new(partition.number.to_string()),
            Cell::new(size(partition.bytes)),
            Cell::new(kind),
            holds,
            Cell::new(partition.label.as_deref().unwrap_or_default()),
            match partition.windows {
                Some(true) => Cell::styled(product(identity), style::GOOD),
                Some(false) => Cell::new(""),
                None => Cell::styled("unknown", style::WARNING),
            },
            Cell::new(computer.unwrap_or_default()),
        ]);
    }
    let width = console.width();
    table.write(console.out(), width)?;
    for partition in &document.partitions {
        if let Some(found) = &partition.identity {
            write!(console.out(), "\npartition {}: ", partition.number)?;
            identity::lines(console.out(), found, &[])?;
        }
    }
    for partition in &document.partitions {
        let whose = format!("partition {}: ", partition.number);
        volume::conditions(&whose, &partition.conditions);
    }
    let searched = document.partitions.iter();
    let searched = searched.filter(|partition| partition.content.is_some());
    let problems = searched.filter_map(|partition| partition.problem.as_ref());
    problems.chain(&document.warnings).for_each(console::warn);
    Ok(())
}
