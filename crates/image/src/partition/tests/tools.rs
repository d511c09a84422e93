//! Partition tables made by sfdisk and fdisk.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

/// True if the programs are installed; otherwise prints that the test is skipped.
fn has_programs() -> bool {
    ["sfdisk", "fdisk"].into_iter().all(|program| {
        let found = Command::new(program).arg("--version").output().is_ok();
        if !found {
            eprintln!("SKIPPED: {program} is not installed");
            assert!(
                std::env::var_os("DISKMEND_NO_SKIP").is_none(),
                "{program} is missing"
            );
        }
        found
    })
}

fn feed(command: &mut Command, input: &str) {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("started");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(input.as_bytes()).expect("written");
    drop(pipe);
    assert!(child.wait().expect("ended").success());
}

/// The partitions according to fdisk: number, start and length in bytes, without extended
/// partitions.
fn listed(image: &Path, sector: u32) -> Vec<(u32, u64, u64)> {
    let output = Command::new("fdisk")
        .args([
            "-b",
            &sector.to_string(),
            "-l",
            "-o",
            "device,start,sectors,type",
        ])
        .arg(image)
        .output()
        .expect("listed");
    let text = String::from_utf8(output.stdout).expect("text");
    let parts = text
        .lines()
        .filter(|line| !line.contains("Ext"))
        .filter_map(|line| {
            let mut words = line.strip_prefix(image.to_str()?)?.split_whitespace();
            let mut number = || words.next()?.parse::<u64>().ok();
            let (place, start, sectors) = (number()?, number()?, number()?);
            let bytes = u64::from(sector);
            Some((place as u32, start * bytes, sectors * bytes))
        });
    parts.collect()
}

/// Reads the disk and compares the table with fdisk's output.
fn check(image: &Path, scheme: Scheme, sector: u32, count: usize) -> Table {
    let expected = listed(image, sector);
    assert_eq!(expected.len(), count, "{expected:?}");
    let given = (scheme == Scheme::Mbr).then_some(sector);
    let table = read_all(std::fs::read(image).expect("read"), given).expect("a table");
    assert_eq!((table.scheme, table.sector_size), (scheme, sector));
    assert_eq!(places(&table), expected);
    assert!(table.partitions.iter().all(|one| one.fault.is_none()));
    assert_eq!(table.warnings, [""; 0]);
    table
}

fn image() -> tempfile::NamedTempFile {
    // If a name ends in a digit, fdisk puts a letter between the name and the number.
    let image = tempfile::Builder::new()
        .suffix(".img")
        .tempfile()
        .expect("a file");
    image.as_file().set_len(64 << 20).expect("set");
    image
}

#[test]
fn tables_that_sfdisk_made_are_read_as_fdisk_says() {
    if !has_programs() {
        return;
    }
    let gpt = image();
    feed(
        Command::new("sfdisk").arg(gpt.path()),
        "label: gpt\nsize=8MiB, type=U, name=\"EFI système\"\n\
         size=4MiB, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n7: size=16MiB\n",
    );
    let table = check(gpt.path(), Scheme::Gpt, 512, 3);
    assert_eq!(table.partitions[0].kind.to_string(), "EFI system");
    assert_eq!(table.partitions[0].name, "EFI système");
    assert_eq!(table.partitions[1].kind.to_string(), "Microsoft reserved");
    let mbr = image();
    feed(
        Command::new("sfdisk").arg(mbr.path()),
        "label: dos\nsize=8MiB, type=7, bootable\nsize=20MiB, type=f\n4: size=8MiB, type=27\n\
         size=4MiB, type=7\nsize=4MiB, type=c\nsize=4MiB, type=83\n",
    );
    let table = check(mbr.path(), Scheme::Mbr, 512, 5);
    assert!(table.partitions[0].active && !table.partitions[1].active);
}

#[test]
fn tables_of_disks_with_sectors_of_4096_bytes_are_read_as_fdisk_says() {
    if !has_programs() {
        return;
    }
    for (scheme, count, input) in [
        (Scheme::Gpt, 2, "g\nn\n1\n\n+8M\nn\n5\n\n+16M\nw\n"),
        (
            Scheme::Mbr,
            3,
            "o\nn\np\n1\n\n+8M\nn\ne\n2\n\n+30M\nn\nl\n\n+4M\nn\nl\n\n+4M\nw\n",
        ),
    ] {
        let image = image();
        feed(
            Command::new("fdisk").args(["-b", "4096"]).arg(image.path()),
            input,
        );
        check(image.path(), scheme, 4096, count);
    }
}
