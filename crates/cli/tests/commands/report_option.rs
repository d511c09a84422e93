//! `--report FILE`: the page of any command that looks at a disk or changes it.

use std::fs;
#[cfg(unix)]
use std::io::Write as _;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::bcd_store::{Disk, EFI};
use crate::fixture::{Fixture, Volume};
#[cfg(unix)]
use crate::program::command;
use crate::program::{Run, diskmend};

/// A folder for pages.
struct Pages(TempDir);

impl Pages {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with the option, and returns the page too.
    #[track_caller]
    fn run(&self, name: &str, args: &[&str], code: i32) -> (Run, String) {
        let path = self.path(name);
        let run = with(args, &path).ends(code);
        let page = fs::read_to_string(&path).expect("the page was written");
        assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
        (run, page)
    }
}

fn with(args: &[&str], path: &Path) -> Run {
    let mut args = args.to_vec();
    args.extend(["--report", path.to_str().expect("UTF-8")]);
    diskmend(args)
}

#[track_caller]
fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_repair_is_documented_from_the_cause_to_the_undo() {
    let (volume, pages) = (Volume::new(), Pages::new());
    let root = volume.root();
    let (_, page) = pages.run("1", &["diagnose", root], 3);
    has(&page, &["Most likely: ", "SecurityLayer is 0"]);
    let (_, page) = pages.run("2", &["inspect", root], 3);
    has(
        &page,
        &[
            "Compared with the recipes",
            "<span class=\"bad\">fault</span>",
        ],
    );
    let (run, page) = pages.run("3", &["plan", root, "tls", "--json"], 3);
    assert_eq!(run.json()["changes"].as_array().map(Vec::len), Some(6));
    let old_and_new = [
        "data-label=\"Old\"",
        "data-label=\"New\"",
        "REG_DWORD 1",
        "tls: ",
    ];
    has(&page, &old_and_new);
    has(
        &page,
        &["What a repair would change", r"Protocols\TLS 1.2\Server"],
    );

    let (run, page) = pages.run("4", &["repair", root, "tls", "--yes", "--json"], 0);
    let report = run.json();
    let name = report["run"].as_str().expect("a run");
    let undo = format!("<pre>diskmend undo {root} {name}</pre>");
    has(&page, &old_and_new);
    has(
        &page,
        &[
            name,
            &undo,
            "every change was made",
            "Second reader",
            "agrees",
        ],
    );

    let (_, page) = pages.run("5", &["runs", root], 0);
    has(&page, &[name, &format!("diskmend undo {root} {name}")]);
    let (_, page) = pages.run("6", &["runs", root, name], 0);
    has(&page, &[&undo, r"Protocols\TLS 1.2\Server"]);
    let (_, page) = pages.run("7", &["undo", root, "--yes"], 0);
    has(&page, &[name, "has its old bytes again"]);
    let (_, page) = pages.run("8", &["runs", root, "--prune", "--yes"], 0);
    has(&page, &[name, "removed"]);
    let (_, page) = pages.run("9", &["events", root], 0);
    has(&page, &["Boots and events"]);
}

#[test]
fn a_repair_that_is_refused_says_why_on_its_page() {
    let (volume, pages) = (Volume::new(), Pages::new());
    fs::write(volume.folder.path().join("hiberfil.sys"), b"hibr").expect("writable");
    let before = volume.hives();
    let args = ["repair", volume.root(), "tls", "--yes"];
    let (run, page) = pages.run("refused", &args, 5);
    assert!(run.stderr.contains("hibernated"), "{}", run.stderr);
    has(
        &page,
        &[
            "<span class=\"bad\">Failed: </span>",
            "hibernated",
            "Exit code 5",
        ],
    );
    assert_eq!(volume.hives(), before);
}

#[test]
fn hives_and_boot_stores_that_are_checked_or_changed_have_pages() {
    let (fixture, pages) = (Fixture::new(), Pages::new());
    let system = fixture.system();
    let system = system.to_str().expect("UTF-8");
    let (_, page) = pages.run("1", &["hive", "check", system], 0);
    has(&page, &["No problems", "regf 1."]);
    let key = r"ControlSet001\Services\TermService";
    let set = ["hive", "set", system, key, "Start", "dword", "3", "--yes"];
    let (_, page) = pages.run("2", &set, 0);
    has(&page, &[key, "REG_DWORD 3", "diskmend undo "]);
    let (_, page) = pages.run("3", &["undo", system, "--yes"], 0);
    has(&page, &["is undone"]);

    let disk = Disk::new(&EFI);
    let file = disk.store();
    let (_, page) = pages.run("4", &["bcd", "check", file], 0);
    has(&page, &["The boot store", "objects"]);
    let set = ["bcd", "set", file, "{bootmgr}", "timeout", "7", "--yes"];
    let (_, page) = pages.run("5", &set, 0);
    has(
        &page,
        &["Windows Boot Manager", "timeout", "7", "diskmend undo "],
    );
}

/// Every command with the option refuses a bad file before it does anything else.
#[test]
fn a_page_that_could_not_be_made_is_refused_before_anything_is_written() {
    let (volume, fixture, pages) = (Volume::new(), Fixture::new(), Pages::new());
    let disk = Disk::new(&EFI);
    let taken = pages.path("taken.html");
    fs::write(&taken, b"mine").expect("writable");
    let missing = pages.path("missing").join("page.html");
    let on_target = volume.folder.path().join("Windows").join("page.html");
    let on_root = volume.folder.path().join("page.html");
    let (root, system, file) = (volume.root(), volume.system(), disk.store());
    let system = system.to_str().expect("UTF-8");
    let loose = fixture.system();
    let loose = loose.to_str().expect("UTF-8");
    let before = volume.hives();
    let commands: &[(&[&str], bool)] = &[
        (&["diagnose", root], true),
        (&["inspect", root], true),
        (&["plan", root, "tls"], true),
        (&["repair", root, "tls", "--yes"], true),
        (&["undo", root, "--yes"], true),
        (&["events", root], true),
        (&["runs", root], true),
        (&["hive", "check", system], true),
        (
            &["hive", "set", system, "A", "B", "dword", "1", "--yes"],
            true,
        ),
        (&["hive", "delete", system, "Select", "--yes"], true),
        (&["hive", "recover", system, "--yes"], true),
        (&["hive", "delete", loose, "Select", "--yes"], false),
        (&["bcd", "check", file], false),
        (
            &["bcd", "set", file, "{bootmgr}", "timeout", "7", "--yes"],
            false,
        ),
        (
            &["bcd", "delete", file, "{bootmgr}", "timeout", "--yes"],
            false,
        ),
        (&["disks"], false),
    ];
    for (args, on_volume) in commands {
        let refused = with(args, &taken).ends(1);
        assert!(
            refused.stderr.contains("already exists"),
            "{args:?}: {}",
            refused.stderr
        );
        with(args, &missing).ends(1).says("cannot write");
        if *on_volume {
            for path in [&on_target, &on_root] {
                let refused = with(args, path).ends(5);
                let says = "on the disk that the command is about";
                assert!(
                    refused.stderr.contains(says),
                    "{args:?}: {}",
                    refused.stderr
                );
                assert!(!path.exists());
            }
        }
    }
    assert_eq!(fs::read(&taken).expect("there"), b"mine");
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
    let left: Vec<_> = fs::read_dir(pages.0.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let boot = Path::new(disk.root()).join("page.html");
    with(
        &["bcd", "delete", file, "{bootmgr}", "timeout", "--yes"],
        &boot,
    )
    .ends(5)
    .says("on the disk that the command is about");
    let out = ["report", root, "-o", on_root.to_str().expect("UTF-8")];
    diskmend(out)
        .ends(5)
        .says("on the disk that the command is about");
}

/// The name of the page is free when the command begins, and taken when it ends: that the change
/// was made must not be hidden.
#[cfg(unix)]
#[test]
fn a_page_that_fails_after_a_change_does_not_hide_that_the_change_was_made() {
    let (disk, pages) = (Disk::new(&EFI), Pages::new());
    let timeout = |value: &str| {
        let set = ["bcd", "set", disk.store(), "{bootmgr}", "timeout", value];
        diskmend(set.into_iter().chain(["--yes"])).ends(0);
        let text = pages.path(value);
        let text = text.to_str().expect("UTF-8");
        diskmend(["bcd", "export", disk.store(), "-o", text]).ends(0);
        fs::read(text).expect("exported")
    };
    let (wanted, now) = (timeout("7"), timeout("8"));
    assert_ne!(wanted, now);

    // The command reads this text after it has looked at the name of the page.
    let text = pages.path("fifo");
    let fifo = Command::new("mkfifo").arg(&text).status();
    assert!(fifo.expect("mkfifo").success());
    let page = pages.path("page.html");
    let import = ["bcd", "import", disk.store(), text.to_str().expect("UTF-8")];
    let options = ["--yes", "--json", "--report", page.to_str().expect("UTF-8")];
    let child = command(import.into_iter().chain(options))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut writer = fs::OpenOptions::new()
        .write(true)
        .open(&text)
        .expect("a reader");
    fs::write(&page, b"mine").expect("writable");
    writer.write_all(&wanted).expect("a reader");
    drop(writer);
    let run = Run::of(child.wait_with_output().expect("ends")).ends(8);
    assert_eq!(run.json()["outcome"], "done");
    run.says("error: no page was written")
        .says("what it changed stays changed");
    assert_eq!(fs::read(&page).expect("there"), b"mine");
    let shown = diskmend(["bcd", "show", disk.store(), "{bootmgr}"]).ends(0);
    assert!(shown.stdout.contains('7'), "{}", shown.stdout);
}

#[test]
fn a_command_that_is_wrong_leaves_the_name_of_the_page_free() {
    let (volume, pages) = (Volume::new(), Pages::new());
    let path = pages.path("page.html");
    // There is no terminal to ask on.
    with(&["repair", volume.root(), "tls"], &path).ends(2);
    assert!(!path.exists());
    with(&["repair", volume.root(), "tls", "--yes"], &path).ends(0);
    assert!(path.exists());
}

/// The disk, with the partition of the Windows that the page is about.
#[cfg(target_os = "linux")]
#[test]
fn the_partitions_of_an_image_are_drawn_and_its_runs_can_be_undone() {
    use crate::image_disk::{ImageDisk, Layout};

    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let pages = Pages::new();
    let (_, page) = pages.run("disks", &["disks", disk.path()], 0);
    let picture = [
        "<svg viewBox=\"0 0 1000 60\" role=\"img\" aria-labelledby=\"disk-1-title\">",
        "partition 1 of 40.0 MiB, boot store; partition 2 of 1.0 MiB, other; ",
        "partition 3 of 96.0 MiB, Windows",
        "<rect class=\"boot\"",
        "<rect class=\"windows\"",
        "<th scope=\"col\">Holds</th>",
    ];
    has(&page, &picture);
    let (_, page) = pages.run("repair", &["repair", disk.path(), "tls", "--yes"], 0);
    has(&page, &["diskmend undo "]);
    let (ticket, again) = (pages.path("ticket"), pages.path("again"));
    for path in [&ticket, &again] {
        let out = ["report", disk.path(), "-o", path.to_str().expect("UTF-8")];
        diskmend(out).ends(3);
    }
    let page = fs::read_to_string(&ticket).expect("written");
    assert_eq!(page, fs::read_to_string(&again).expect("written"));
    has(&page, &picture);
    let runs = diskmend(["runs", disk.path(), "--json"]).ends(0).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let undo = format!("<code>diskmend undo {} {run}</code>", disk.path());
    has(
        &page,
        &[
            &undo,
            "What the repair would change",
            "<h2 id=\"versions\">",
        ],
    );
}

/// A volume of the image is mounted, and the page would be on it.
#[cfg(target_os = "linux")]
#[test]
fn a_page_is_not_written_to_a_mounted_volume_of_the_image() {
    use crate::image_disk::{ImageDisk, Layout};

    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let Some(volume) = disk.mount_with(disk.windows, "permissions") else {
        return;
    };
    let path = volume.path().join("page.html");
    for target in [disk.path(), volume.root()] {
        with(&["diagnose", target], &path)
            .ends(5)
            .says("on the disk that the command is about");
        assert!(!path.exists());
    }
    // Another file on the machine's own disk is not refused for this.
    let pages = Pages::new();
    let run = with(&["diagnose", volume.root()], &pages.path("page.html"));
    assert!(
        !run.stderr.contains("the command is about"),
        "{}",
        run.stderr
    );
    assert!(pages.path("page.html").exists());
}
