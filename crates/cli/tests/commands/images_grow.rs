//! Hives that grow on an unmounted disk.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use diskmend_hive::ValueType;

use crate::fixture::{hive_file, system};
use crate::image_disk::{ImageDisk, Layout, MIB};
use crate::ntfs_disk::others_find_no_error;
use crate::program::diskmend;

const HIVE: &str = "Windows/System32/config/SYSTEM";

/// A disk with a hive that has no room for the value of [`recipe`].
fn disk(clusters: &str) -> Option<ImageDisk> {
    let mut disk = ImageDisk::new(Layout::Mbr)?;
    // The volume is so small that it can be filled; it does not fill its partition.
    disk.windows.len = 24 * MIB;
    disk.format_windows_with(disk.windows, &["-c", clusters])?;
    let volume = disk.mount(disk.windows)?;
    let hive = volume.path().join(HIVE);
    fs::create_dir_all(hive.parent().expect("a folder")).expect("writable");
    hive_file(&hive, system);
    // Windows creates this log.
    fs::write(hive.with_extension("LOG1"), "").expect("writable");
    drop(volume);
    Some(disk)
}

/// A recipe for a value that is longer than a bin.
fn recipe(disk: &ImageDisk) -> String {
    let path = disk.beside("long.toml");
    let text = format!(
        "schema = 1\nname = \"long\"\ntitle = \"Long\"\nsummary = \"Long\"\n\
         sources = [\"https://example.org\"]\n\
         [[registry]]\nhive = \"SYSTEM\"\nkey = 'Setup'\nvalue = \"Long\"\n\
         type = \"REG_SZ\"\ndata = \"{}\"\nwhy = \"because\"\n",
        "long".repeat(1800)
    );
    fs::write(&path, text).expect("writable");
    path
}

fn repair(target: &str, recipe: &str) -> crate::program::Run {
    diskmend(["repair", target, "long", "--recipe", recipe, "--yes"])
}

/// Replaces clusters of zeros in the hive by holes, like a copy that preserves holes.
fn make_sparse(hive: &Path) {
    hive_file(hive, |editor| {
        system(editor);
        for number in 0..40 {
            let name = format!("Zeros{number}");
            let set = editor.set_value("Setup", &name, ValueType::BINARY, &[0; 16_000]);
            set.expect("valid");
        }
    });
    let bytes = fs::read(hive).expect("a hive");
    fs::remove_file(hive).expect("removable");
    let file = fs::File::create(hive).expect("writable");
    // NTFS keeps holes in units of 16 clusters.
    for (unit, at) in bytes.chunks(4096).zip((0..).step_by(4096)) {
        if unit.iter().any(|byte| *byte != 0) {
            file.write_all_at(unit, at).expect("writable");
        }
    }
    file.set_len(bytes.len() as u64).expect("writable");
}

/// The length of the hive, and the allocated bytes.
fn lengths(disk: &ImageDisk) -> (u64, u64) {
    let volume = disk.mount_with(disk.windows, "ro").expect("mounted before");
    let metadata = fs::metadata(volume.path().join(HIVE)).expect("a hive");
    (metadata.len(), metadata.blocks() * 512)
}

#[test]
fn a_hive_takes_what_its_clusters_have_left_and_then_more_clusters() {
    for (clusters, grows) in [("65536", false), ("4096", true)] {
        let Some(disk) = disk(clusters) else { return };
        let recipe = recipe(&disk);
        let before = disk.snapshot();
        let old = lengths(&disk);
        repair(disk.path(), &recipe).ends(0);
        let new = lengths(&disk);
        assert!(new.0 > old.0, "{old:?} {new:?}");
        assert_eq!(new.1 > old.1, grows, "{old:?} {new:?}");
        {
            let device = disk.attach(disk.windows).expect("attached before");
            others_find_no_error(device.path());
        }
        let volume = disk.mount_with(disk.windows, "ro").expect("mounted before");
        let hive = volume.path().join(HIVE);
        let hive = hive.to_str().expect("UTF-8");
        diskmend(["hive", "check", hive]).ends(0);
        let value = diskmend(["hive", "get", hive, "Setup", "Long"]).ends(0);
        assert!(value.stdout.contains("longlong"), "{}", value.stdout);
        drop(volume);
        repair(disk.path(), &recipe).ends(0);
        diskmend(["undo", disk.path(), "--yes"]).ends(0);
        disk.has_bytes_of(&before);
    }
}

#[test]
fn a_hive_with_holes_is_repaired_and_undone() {
    let Some(disk) = disk("4096") else { return };
    {
        let Some(volume) = disk.mount(disk.windows) else {
            return;
        };
        make_sparse(&volume.path().join(HIVE));
    }
    let (len, allocated) = lengths(&disk);
    assert!(allocated < len, "{allocated} of {len} bytes");
    let before = disk.snapshot();
    diskmend(["repair", disk.path(), "tls", "--yes"]).ends(0);
    {
        let device = disk.attach(disk.windows).expect("attached before");
        others_find_no_error(device.path());
        let volume = disk.mount_with(disk.windows, "ro").expect("mounted before");
        let hive = volume.path().join(HIVE);
        let hive = hive.to_str().expect("UTF-8");
        diskmend(["hive", "check", hive]).ends(0);
        let tls = r"ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
        let value = diskmend(["hive", "get", hive, tls, "Enabled", "--json"]);
        assert_eq!(value.ends(0).json()["data"], 1);
    }
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

/// Fills a volume up to its last cluster.
fn fill(volume: &Path) {
    let file = fs::File::create(volume.join("filler")).expect("writable");
    let mut at = 0;
    let mut len = 1 << 20;
    while len >= 512 {
        match file.write_at(&vec![0xAA; len], at) {
            Ok(0) | Err(_) => len /= 2,
            Ok(written) => at += written as u64,
        }
    }
}

#[test]
fn on_a_full_volume_nothing_is_begun() {
    let Some(disk) = disk("4096") else { return };
    let recipe = recipe(&disk);
    {
        let Some(volume) = disk.mount(disk.windows) else {
            return;
        };
        fill(volume.path());
    }
    let before = disk.snapshot();
    // The plan refuses everything that a repair refuses before it writes.
    diskmend(["plan", disk.path(), "long", "--recipe", &recipe])
        .ends(5)
        .says("free");
    repair(disk.path(), &recipe).ends(5).says("free");
    disk.is_untouched_since(&before);
}
