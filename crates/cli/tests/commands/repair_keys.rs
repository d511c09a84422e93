//! The permissions of the machine's keys, on real NTFS: repaired with hive and boot store, read by
//! others' tools, undone to the byte; hostile disks, failing files, a kill at any time.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use diskmend_hive::{Editor, ValueType};

use crate::common::{run, skipped};
use crate::fixture::{Volume, hive_file, utf16};
use crate::image::make_junction;
use crate::ntfs_disk::{
    DEFAULT_FOLDER, DEFAULT_KEY, KEYS, NtfsDisk, OTHER_KEY, RDP_KEY, descriptor,
};
use crate::program::{command, diskmend};

/// What a botched hardening leaves: the denies stay whatever icacls grants.
const BROKEN_FOLDER: &str = "O:SYG:SYD:P(D;OICI;FA;;;SY)(A;;0x12019f;;;WD)(A;;FA;;;BA)";
const BROKEN_KEY: &str = "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FR;;;NS)(D;;FA;;;SY)(A;;FR;;;NS)";
const REPAIRED_KEY: &str = "O:BAG:SYD:P(A;;FR;;;NS)(A;;FA;;;SY)(A;;FA;;;BA)";

fn key_path(name: &str) -> String {
    format!("{KEYS}/{name}")
}

/// A disk whose keys nobody can use.
fn broken() -> Option<NtfsDisk> {
    let disk = NtfsDisk::new()?;
    disk.secure(KEYS, BROKEN_FOLDER);
    for key in [RDP_KEY, OTHER_KEY] {
        disk.secure(&key_path(key), BROKEN_KEY);
    }
    Some(disk)
}

/// Gives the disk a SOFTWARE hive that tells the build of its Windows.
fn with_build(disk: &NtfsDisk, build: &str) {
    let software = disk.path("Windows/System32/config/SOFTWARE");
    hive_file(&software, |editor: &mut Editor| {
        let key = r"Microsoft\Windows NT\CurrentVersion";
        editor.create_key(key).expect("valid");
        let data = utf16(&format!("{build}\0"));
        let set = editor.set_value(key, "CurrentBuildNumber", ValueType::SZ, &data);
        set.expect("valid");
    });
}

/// What others' tools say of the volume, which is unmounted for it.
fn others_find_no_error(disk: &mut NtfsDisk) {
    disk.unmount();
    let device = disk.image().device().to_owned();
    run("ntfsfix", &["-n", &device]).expect("ntfsfix finds no error");
    let audit = Command::new("ntfssecaudit").args(["-a", &device]).output();
    let audit = audit.expect("ntfssecaudit");
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    let says = |text: &str| assert!(said.contains(text), "{text}:\n{said}");
    says("All keys are present in all lists");
    for list in ["$SDS-1", "$SII", "$SDH"] {
        says(&format!("0 errors in {list}"));
    }
    // It reads past the end of the second copy, and may take what it finds there for an entry; the
    // entries before are as many as in the first.
    let entries = |copy: &str| {
        let line = said
            .lines()
            .find(|line| line.ends_with(&format!("entries in {copy}")));
        line.map(|line| line.trim_end_matches(copy).to_owned())
    };
    assert!(
        entries("$SDS-1").is_some() && entries("$SDS-1") == entries("$SDS-2"),
        "{said}"
    );
    disk.remount();
}

/// The bytes as getfattr reads them.
fn second_reader(path: &Path) -> Vec<u8> {
    let output = Command::new("getfattr")
        .args(["--only-values", "-n", "system.ntfs_acl"])
        .arg(path)
        .output();
    match output {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            skipped("getfattr (Debian package attr)", &error.to_string());
            descriptor(path)
        }
    }
}

/// The real dirty hive and the real boot store, where the corpus is at hand.
fn with_real_files(disk: &NtfsDisk) {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        println!("SKIPPED: DISKMEND_CORPUS is not set: the fixtures stand for real files");
        return;
    };
    let corpus = Path::new(&corpus);
    let config = disk.path("Windows/System32/config");
    for entry in fs::read_dir(&config).expect("a folder") {
        fs::remove_file(entry.expect("readable").path()).expect("writable");
    }
    for suffix in ["", ".LOG1", ".LOG2"] {
        let from = corpus.join(format!("hives/regipy/SYSTEM_B{suffix}"));
        fs::copy(from, config.join(format!("SYSTEM{suffix}"))).expect("the corpus");
    }
    let from = corpus.join("bcd/windeploy-linux/BCD");
    fs::copy(from, disk.path("Boot/BCD")).expect("the corpus");
}

#[test]
fn the_whole_offline_part_is_one_command_and_undone_to_the_byte() {
    let Some(mut disk) = broken() else { return };
    with_real_files(&disk);
    let outside = disk.path("Outside");
    fs::create_dir(&outside).expect("writable");
    fs::write(outside.join("secret"), "secret").expect("writable");
    symlink("../../../../../Outside", disk.key("folder")).expect("writable");
    symlink("/etc/passwd", disk.key("passwd")).expect("writable");
    make_junction(&disk.key("junction"), r"\??\C:\Outside");
    disk.remount();
    let before = disk.content();
    let passwd = fs::metadata("/etc/passwd").expect("readable").mode();

    let plan = diskmend(["plan", disk.root(), "rdp-internal-error"]).ends(3);
    assert!(
        plan.stdout
            .contains("denied by NT AUTHORITY\\SYSTEM:(OI)(CI)(N)"),
        "{}",
        plan.stdout
    );
    assert_eq!(disk.content(), before, "planning writes nothing");
    let repair = ["repair", disk.root(), "rdp-internal-error", "--yes"].map(str::to_owned);
    let run = diskmend(&repair).ends(0);
    for link in ["folder", "passwd", "junction"] {
        assert!(
            run.stderr.contains(&format!("{KEYS}/{link} is left alone")),
            "{}",
            run.stderr
        );
    }
    for key in [RDP_KEY, OTHER_KEY] {
        assert_eq!(disk.sddl(&key_path(key)), REPAIRED_KEY);
        assert_eq!(second_reader(&disk.key(key)), descriptor(&disk.key(key)));
    }
    let granted = "O:BAG:SYD:P(A;;0x12019f;;;WD)(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;NS)";
    assert_eq!(disk.sddl(KEYS), granted);
    assert_eq!(
        fs::metadata("/etc/passwd").expect("readable").mode(),
        passwd
    );
    others_find_no_error(&mut disk);

    let repaired = disk.content();
    let secret = Path::new("Outside/secret");
    assert_eq!(repaired.descriptors[secret], before.descriptors[secret]);
    let runs = |disk: &NtfsDisk| {
        fs::read_dir(disk.path("diskmend/runs"))
            .expect("runs")
            .count()
    };
    let counted = runs(&disk);
    let again = ["repair", disk.root(), "rdp-internal-error", "--yes"];
    let again = diskmend(again).ends(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!((disk.content(), runs(&disk)), (repaired, counted));

    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);
    others_find_no_error(&mut disk);
    assert_eq!(disk.content(), before);
}

#[test]
fn reports_say_how_it_was_and_restore_it() {
    let Some(disk) = broken() else { return };
    let before = disk.content();
    let run = diskmend(["repair", disk.root(), "machine-keys", "--yes", "--json"]).ends(0);
    let document = run.json();
    assert_eq!(document["descriptors"]["changed"], 3);
    let folder = disk
        .path("diskmend/runs")
        .join(document["run"].as_str().expect("a run"));
    let read = |name: &str| fs::read(folder.join(name)).expect(name);
    let text = |name: &str| String::from_utf8(read(name)).expect("UTF-8");
    let key = format!("{}\\{RDP_KEY}", KEYS.replace('/', "\\"));
    let line = format!("{key} NT AUTHORITY\\NETWORK SERVICE:(DENY)(R)\n");
    assert!(text("permissions-before.txt").contains(&line));
    let line = format!("{key} NT AUTHORITY\\NETWORK SERVICE:(R)\n");
    assert!(text("permissions-after.txt").contains(&line));
    let json: serde_json::Value = serde_json::from_str(&text("permissions.json")).expect("JSON");
    assert_eq!(json["objects"].as_array().expect("a list").len(), 3);
    let saved: Vec<u8> = utf16(&format!(
        "{key}\r\nD:P(D;;FR;;;NS)(D;;FA;;;SY)(A;;FR;;;NS)\r\n"
    ));
    assert!(
        read("permissions-before.icacls")
            .windows(saved.len())
            .any(|part| part == saved)
    );

    let restore = |owners: bool| {
        let file = folder.join("permissions-before.icacls");
        let second = folder.join("owners-before.icacls");
        let mut args = vec![
            "acl",
            "restore",
            disk.root(),
            file.to_str().expect("UTF-8"),
            "--yes",
        ];
        if owners {
            args.extend(["--owners", second.to_str().expect("UTF-8")]);
        }
        diskmend(args).ends(0)
    };
    restore(true);
    assert_eq!(disk.content(), before, "as it was before the repair");
    assert!(restore(true).stdout.contains("nothing to do"));
}

#[test]
fn the_defaults_follow_the_build_of_windows() {
    let Some(disk) = broken() else { return };
    let session_env = "S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833";
    let new = format!("O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;{session_env})");
    for (build, folder, key) in [
        ("14393", DEFAULT_FOLDER, DEFAULT_KEY),
        ("20348", DEFAULT_FOLDER, new.as_str()),
        ("16299", DEFAULT_FOLDER, BROKEN_KEY),
    ] {
        disk.secure(&key_path(RDP_KEY), BROKEN_KEY);
        with_build(&disk, build);
        let inspect = diskmend(["inspect", disk.root(), "machine-keys-default"]).ends(3);
        let reason = r"NT AUTHORITY\NETWORK SERVICE lacks (R), denied by";
        assert!(
            inspect.stdout.contains(reason),
            "{build}: {}",
            inspect.stdout
        );
        // The other key is beyond the lesser repair.
        assert!(
            inspect.stdout.contains("repaired by machine-keys"),
            "{}",
            inspect.stdout
        );
        diskmend(["repair", disk.root(), "machine-keys-default", "--yes"]).ends(0);
        assert_eq!(disk.sddl(KEYS), folder, "{build}");
        let expected = disk
            .sddl(&key_path(RDP_KEY))
            .replace("D:P(", "D:(")
            .replace("D:PAI(", "D:(");
        assert_eq!(expected, key.replace("D:P(", "D:("), "{build}");
        assert_eq!(disk.sddl(&key_path(OTHER_KEY)), BROKEN_KEY, "{build}");
    }
    // A sound disk is left as it is, and inspect finds nothing wrong with its keys.
    disk.secure(&key_path(RDP_KEY), DEFAULT_KEY);
    disk.secure(&key_path(OTHER_KEY), DEFAULT_KEY);
    let before = disk.content();
    let auto = [
        "repair",
        disk.root(),
        "machine-keys-default",
        "--auto",
        "--yes",
    ];
    let auto = diskmend(auto).ends(0);
    assert!(auto.stdout.contains("nothing to do"), "{}", auto.stdout);
    assert_eq!(disk.content(), before);
}

#[test]
fn a_folder_on_the_way_that_is_a_link_is_refused() {
    let Some(mut disk) = broken() else { return };
    let real = disk.path("Elsewhere");
    fs::create_dir_all(&real).expect("writable");
    for (depth, junction) in [(5, false), (4, true), (2, false), (1, true)] {
        let names: Vec<&str> = KEYS.split('/').take(depth).collect();
        let link = disk.path(&names.join("/"));
        fs::remove_dir_all(&link).expect("writable");
        let rest: Vec<&str> = KEYS.split('/').skip(depth).collect();
        fs::create_dir_all(real.join(rest.join("/"))).expect("writable");
        match junction {
            true => make_junction(&link, r"\??\C:\Elsewhere"),
            false => symlink(&real, &link).expect("writable"),
        }
        disk.remount();
        let before = disk.content();
        diskmend(["repair", disk.root(), "machine-keys", "--yes"])
            .ends(5)
            .says("a link or reparse point, which is not followed");
        diskmend(["inspect", disk.root(), "machine-keys"]).ends(5);
        assert_eq!(disk.content(), before);
        let link = disk.path(&names.join("/"));
        match junction {
            true => fs::remove_dir(&link)
                .or_else(|_| fs::remove_file(&link))
                .expect("writable"),
            false => fs::remove_file(&link).expect("writable"),
        }
        fs::create_dir_all(disk.path(KEYS)).expect("writable");
    }
}

#[test]
fn another_volume_in_the_place_of_the_folder_is_refused() {
    let Some(disk) = broken() else { return };
    let Some(other) = NtfsDisk::new() else { return };
    let before = (disk.content(), other.content());
    let keys = disk.path(KEYS);
    let keys = keys.to_str().expect("UTF-8");
    let elsewhere = other.path(KEYS);
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    run("mount", &["--bind", elsewhere, keys]).expect("mounted");
    let refused = diskmend(["repair", disk.root(), "machine-keys", "--yes"]);
    run("umount", &[keys]).expect("unmounted");
    refused.ends(5).says("another volume is mounted here");
    assert_eq!((disk.content(), other.content()), before);
}

#[test]
fn what_depends_on_an_unknown_build_is_only_looked_at() {
    let Some(disk) = broken() else { return };
    let inspect = diskmend(["inspect", disk.root()]).ends(3);
    let reason = r"NT AUTHORITY\NETWORK SERVICE lacks (R), denied by";
    assert!(inspect.stdout.contains(reason), "{}", inspect.stdout);
    assert!(
        inspect
            .stderr
            .contains("the build of this Windows is not known")
    );
    diskmend(["repair", disk.root(), "machine-keys-default", "--yes"])
        .ends(4)
        .says("SOFTWARE: not found");
    assert_eq!(disk.sddl(KEYS), DEFAULT_FOLDER);
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), BROKEN_KEY);
    // What nothing is wanted of is no failure.
    fs::hard_link(disk.path("Boot/BCD"), disk.key("linked")).expect("writable");
    with_build(&disk, "14393");
    diskmend(["repair", disk.root(), "machine-keys-default", "--yes"])
        .ends(0)
        .says("hard links");
}

#[test]
fn strange_names_are_shown_escaped_and_repaired() {
    let Some(mut disk) = broken() else { return };
    let names = [
        OsStr::from_bytes(b"lone \xED\xA0\x80"),
        OsStr::new("line\nend"),
        OsStr::new("back\\slash"),
        OsStr::new("turned \u{202e}yek"),
        OsStr::new("\u{1f511} Schlüssel"),
    ];
    for name in names {
        let path = disk.path(KEYS).join(name);
        fs::write(&path, "key").expect("writable");
    }
    disk.remount();
    let before = disk.content();
    let run = diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
    assert!(!run.stdout.contains('\u{202e}'), "{}", run.stdout);
    for name in names {
        let found = descriptor(&disk.path(KEYS).join(name));
        assert_ne!(
            found,
            before.descriptors[&Path::new(KEYS).join(name)],
            "{name:?}"
        );
    }
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);
}

/// Damages the file record of a file, which stays listed in its folder.
fn damage_record(disk: &mut NtfsDisk, name: &str) {
    disk.unmount();
    let device = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(disk.image().device())
        .expect("the device");
    let wanted = utf16(name);
    let mut record = vec![0; 1024];
    for at in (0u64..96 << 20).step_by(1024) {
        device.read_exact_at(&mut record, at).expect("readable");
        let is_file = record.starts_with(b"FILE");
        if is_file && record.windows(wanted.len()).any(|part| part == wanted) {
            device.write_all_at(b"BAAD", at).expect("writable");
            disk.remount();
            return;
        }
    }
    panic!("{name} is not on the volume");
}

#[test]
fn a_file_that_can_not_be_read_is_reported_and_the_others_are_repaired() {
    let Some(mut disk) = broken() else { return };
    damage_record(&mut disk, OTHER_KEY);
    let run = diskmend(["repair", disk.root(), "tls", "machine-keys", "--yes"]).ends(4);
    let path = key_path(OTHER_KEY);
    assert!(
        run.stderr.contains(&format!("{path} is not repaired")),
        "{}",
        run.stderr
    );
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), REPAIRED_KEY);
    diskmend(["inspect", disk.root(), "machine-keys"])
        .ends(3)
        .says("could not be looked at");
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), BROKEN_KEY);
}

/// A DACL that claims to be shorter than its own header, which ntfs-3g lets pass.
#[test]
fn a_corrupt_dacl_is_replaced_and_given_back_by_undo() {
    let Some(mut disk) = broken() else { return };
    let path = key_path(RDP_KEY);
    let mut corrupt = descriptor(&disk.key(RDP_KEY));
    let dacl = u32::from_le_bytes(corrupt[16..20].try_into().expect("4 bytes")) as usize;
    corrupt[dacl + 2..dacl + 4].copy_from_slice(&4u16.to_le_bytes());
    disk.secure_bytes(&path, &corrupt);
    disk.remount();
    assert_eq!(descriptor(&disk.key(RDP_KEY)), corrupt);
    let before = disk.content();
    let plan = diskmend(["plan", disk.root(), "machine-keys"]).ends(3);
    assert!(
        plan.stdout.contains("ACL size at offset"),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout.contains("replace the DACL: it is corrupt"),
        "{}",
        plan.stdout
    );
    diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
    assert!(
        disk.sddl(&path)
            .contains("(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)")
    );
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);
}

#[test]
fn a_file_with_another_name_is_left_alone() {
    let Some(disk) = broken() else { return };
    let hive = disk.path("Windows/System32/config/SYSTEM");
    fs::hard_link(&hive, disk.key("linked")).expect("writable");
    let before = descriptor(&hive);
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(4)
        .says("hard links");
    assert_eq!(descriptor(&hive), before);
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), REPAIRED_KEY);
}

#[test]
fn a_volume_that_can_not_be_written_is_refused() {
    let Some(disk) = broken() else { return };
    let before = disk.content();
    run("mount", &["-o", "remount,ro", disk.root()])
        .or_else(|_| run("mount", &["-o", "remount,ro,bind", disk.root()]))
        .expect("remounted");
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("read-only");
    diskmend([
        "acl",
        "reset",
        KEYS,
        "--target",
        disk.root(),
        "--tree",
        "--yes",
    ])
    .ends(5);
    diskmend(["inspect", disk.root(), "machine-keys"]).ends(3);
    assert_eq!(disk.content(), before);
}

#[test]
fn a_hibernated_windows_is_refused() {
    let Some(disk) = broken() else { return };
    let mut session = vec![0; 4096];
    session[..4].copy_from_slice(b"hibr");
    fs::write(disk.path("hiberfil.sys"), session).expect("writable");
    let before = disk.content();
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("hibernated");
    assert_eq!(disk.content(), before);
}

#[test]
fn a_folder_without_permissions_says_what_is_missing() {
    let volume = Volume::new();
    fs::create_dir_all(volume.folder.path().join(KEYS)).expect("writable");
    diskmend(["repair", volume.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("ntfs-3g");
    let run = diskmend(["repair", volume.root(), "tls", "machine-keys", "--yes"]).ends(4);
    assert!(run.stdout.contains("Enabled"), "{}", run.stdout);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    diskmend(["inspect", volume.root()])
        .ends(3)
        .says("were not looked at");
}

#[test]
fn a_kill_at_any_time_leaves_what_repair_completes_or_undo_takes_back() {
    let Some(disk) = broken() else { return };
    for number in 0..400 {
        let name = format!("{number:032x}_7d2fb2f2-6f3a-4a52-9d0d-0d2c6e3c5a11");
        fs::write(disk.key(&name), "key").expect("writable");
        disk.secure(&key_path(&name), BROKEN_KEY);
    }
    let before = disk.content();
    let (mut untouched, mut completed, mut undone) = (0, 0, 0);
    for (number, delay) in [1, 20, 40, 60, 80, 100, 120, 150, 180, 220, 260, 300]
        .iter()
        .enumerate()
    {
        let mut child = command(["repair", disk.root(), "machine-keys", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(*delay));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("it ends");
        let half = disk.content();
        untouched += u32::from(half == before);
        if number % 2 == 0 {
            diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
            completed += 1;
            for name in [RDP_KEY, OTHER_KEY] {
                assert_eq!(disk.sddl(&key_path(name)), REPAIRED_KEY, "after {delay} ms");
            }
        }
        while diskmend(["undo", disk.root(), "--yes"]).code == 0 {
            undone += 1;
        }
        assert!(disk.content() == before, "after {delay} ms");
    }
    println!("{untouched} killed before a change, {completed} completed, {undone} runs undone");
    assert!(undone >= completed);
}
