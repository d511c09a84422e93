//! The permissions of the machine's keys on real NTFS: repaired together with hive and boot store,
//! read by other tools, and undone to the byte.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

use diskmend_hive::{Editor, ValueType};

use crate::common::skipped;
use crate::fixture::{hive_file, utf16};
use crate::image::make_junction;
use crate::ntfs_disk::{
    self, BROKEN_KEY, DEFAULT_FOLDER, DEFAULT_KEY, KEYS, NtfsDisk, OTHER_KEY, RDP_KEY,
    REPAIRED_KEY, descriptor, key_path,
};
use crate::program::diskmend;
use crate::terminal::Session;

/// Adds a SOFTWARE hive with the build of Windows to the disk.
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

/// Unmounts the volume, and checks that other tools find no errors in it.
fn others_find_no_error(disk: &mut NtfsDisk) {
    disk.unmount();
    ntfs_disk::others_find_no_error(disk.image().device());
    disk.remount();
}

/// The descriptor's bytes according to getfattr.
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

/// Uses the real dirty hive and the real boot store if there is a corpus.
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
    let Some(mut disk) = NtfsDisk::broken() else {
        return;
    };
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
fn reports_contain_the_old_permissions_and_can_restore_them() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let before = disk.content();
    let run = diskmend(["repair", disk.root(), "machine-keys", "--yes", "--json"]).ends(0);
    let document = run.json();
    assert_eq!(document["descriptors"]["changed"], 3);
    let folder = disk.path("diskmend/runs").join(format!(
        "{}.files",
        document["run"].as_str().expect("a run")
    ));
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
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
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
        // The lesser repair does not cover the other key.
        assert!(
            inspect.stdout.contains("repaired by machine-keys"),
            "{}",
            inspect.stdout
        );
        diskmend(["repair", disk.root(), "machine-keys-default", "--yes"]).ends(0);
        assert_eq!(disk.sddl(KEYS), folder, "{build}");
        assert_eq!(disk.sddl(&key_path(RDP_KEY)), key, "{build}");
        assert_eq!(disk.sddl(&key_path(OTHER_KEY)), BROKEN_KEY, "{build}");
    }
    // A sound disk is not changed, and inspect finds no fault in its keys.
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
fn permissions_that_depend_on_an_unknown_build_are_only_inspected() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
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
    // A file that no recipe wants to change does not count as a failure.
    fs::hard_link(disk.path("Boot/BCD"), disk.key("linked")).expect("writable");
    with_build(&disk, "14393");
    diskmend(["repair", disk.root(), "machine-keys-default", "--yes"])
        .ends(0)
        .says("hard links");
}

/// The question did not say that the documented procedure opens every key.
#[test]
fn the_question_says_that_all_keys_are_opened_and_the_result_is_no_fault() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let caution = "lets NETWORK SERVICE read every private key of the machine";
    for recipe in ["rdp-internal-error", "machine-keys"] {
        let mut session = Session::start(&["repair", disk.root(), recipe]);
        let asked = session.wait_for("[y/N]");
        assert!(asked.replace("\r\n", " ").contains(caution), "{asked}");
        session.types("n\n");
        assert_eq!(session.ends().0, Some(3));
    }
    let plan = diskmend(["plan", disk.root(), "tls", "--json"]).json();
    assert!(plan.get("cautions").is_none(), "{plan}");
    diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
    let plan = diskmend(["plan", disk.root(), "machine-keys", "--json"]).json();
    assert!(plan.get("cautions").is_none(), "nothing to do: {plan}");
    let inspected = diskmend(["inspect", disk.root(), "--json"]).json();
    let acls = inspected["acls"].as_array().expect("a list");
    assert!(!acls.is_empty());
    for acl in acls {
        assert_eq!(acl["faults"], 0, "{acl}");
    }
}
