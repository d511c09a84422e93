//! Disks of machines that crashed: the journal of the Windows volume is to be replayed.

use std::fs;

use diskmend_image::testing::logfile::{Attribute, Session, Start, Tail, Version};

use crate::common::run;
use crate::image_disk::{Container, ImageDisk, Layout};
use crate::program::diskmend;

const BITMAP: Attribute<'_> = Attribute {
    number: 6,
    kind: 0x80,
    name: "",
};
const STANDARD_INFORMATION: Attribute<'_> = Attribute {
    number: 4,
    kind: 0x10,
    name: "",
};

/// Lets the machine crash while Windows changes other files than those that diskmend repairs, and
/// the record `touched`, if there is one.
fn crash(disk: &ImageDisk, version: Version, touched: Option<u64>) {
    let part = disk.windows;
    let bytes = disk.read_at(usize::try_from(part.len).expect("small"), part.start);
    let last = part.len / 4096 - 100;
    let mut session = Session::begin(bytes, Start::new(version));
    for value in 0..20 {
        let transaction = session.transaction();
        let change = session.update_resident(STANDARD_INFORMATION, 0, &[value; 16]);
        session.change(transaction, change);
        session.commit(transaction);
    }
    session.checkpoint();
    let transaction = session.transaction();
    session.change(transaction, session.change_bits(BITMAP, last, 5, true));
    session.change(
        transaction,
        session.update_resident(STANDARD_INFORMATION, 0, &[0x77; 16]),
    );
    if let Some(number) = touched {
        let it = Attribute {
            number,
            ..STANDARD_INFORMATION
        };
        session.change(transaction, session.update_resident(it, 8, &[1; 8]));
    }
    session.commit(transaction);
    disk.write_at(&session.crash(Tail::InPlace).image, part.start);
}

/// The number of the record of a file of the Windows volume.
fn record(disk: &ImageDisk, path: &str) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let volume = disk.mount(disk.windows)?;
    Some(fs::metadata(volume.path().join(path)).expect("there").ino())
}

#[test]
fn registry_and_store_are_repaired_and_replaying_the_journal_leaves_them_so() {
    let Some(base) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    crash(&base, Version::V2, None);
    let Some(disk) = base.convert(Container::VhdxDynamic) else {
        return;
    };
    let before = disk.snapshot();
    let plan = diskmend(["plan", disk.path(), "rdp-internal-error"]).ends(3);
    for words in [
        "was not dismounted: its journal ($LogFile, version 2.0)",
        "records from LSN 0x",
        "permissions is left alone: on such a volume, diskmend changes only the bytes of hives",
        "no change in the journal is about the records or clusters of these files",
        "hint: ",
        "ntfsrecover -k",
    ] {
        assert!(plan.stderr.contains(words), "{words}: {}", plan.stderr);
    }
    let repaired = diskmend(["repair", disk.path(), "rdp-internal-error", "--yes"]).ends(4);
    repaired
        .says("permissions is left alone")
        .says("ntfsrecover -k");
    // The registry and the store are done, and the journal waits for Windows as before.
    let again = diskmend(["plan", disk.path(), "rdp-internal-error", "--json"])
        .ends(3)
        .json();
    assert_eq!(again["changes"], serde_json::json!([]));
    assert_eq!(again["skipped"][0]["hive"], "permissions");
    assert_eq!(again["conditions"][0]["kind"], "log-pending");

    if let Some(replayed) = disk.raw() {
        let Some(device) = replayed.attach(replayed.windows) else {
            return;
        };
        run("ntfsrecover", &["-k", device.path()]).expect("ntfsrecover");
        drop(device);
        // Now the rest can be done, and only the rest is left.
        let plan = diskmend(["plan", replayed.path(), "rdp-internal-error", "--json"]).ends(3);
        let plan = plan.json();
        assert_eq!(plan["changes"], serde_json::json!([]));
        assert_eq!(plan["skipped"], serde_json::json!([]));
        diskmend(["repair", replayed.path(), "rdp-internal-error", "--yes"]).ends(0);
        diskmend(["inspect", replayed.path(), "rdp-internal-error"]).ends(0);
    }
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

#[test]
fn a_hive_that_the_journal_touches_is_refused_in_the_plan() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    for name in ["SYSTEM", "SYSTEM.LOG1"] {
        let touched = disk.raw().expect("copied before");
        let path = format!("Windows/System32/config/{name}");
        let Some(number) = record(&touched, &path) else {
            return;
        };
        crash(&touched, Version::V2, Some(number));
        let before = touched.snapshot();
        for command in [&["plan"][..], &["repair", "--yes"]] {
            let run = diskmend([command, &[touched.path(), "tls"]].concat()).ends(5);
            let run = run.says("replaying the journal ($LogFile) changes its FILE record");
            run.says("ntfsrecover -k");
        }
        touched.is_untouched_since(&before);
    }
    crash(&disk, Version::V1, None);
    diskmend(["repair", disk.path(), "tls", "--yes", "--no-dirty-volume"])
        .ends(5)
        .says("$LogFile, version 1.1");
    diskmend(["repair", disk.path(), "tls", "--yes"]).ends(0);
}
