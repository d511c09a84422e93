//! Runs that somebody else has put on the disk. Nothing in them is carried out, whatever they say.

use diskmend_acl::{Domains, SecurityDescriptor};
use diskmend_disk::testing::FaultyDisk;
use diskmend_disk::{Change, Descriptors, Dir, Kind, NtPath};

use super::support::{site, volume, with_watch};
use crate::digest::Digest;
use crate::documents::{RunKind, TargetIdentity};
use crate::error::{Class, Error, Refusal};
use crate::plan::{Goal, plan_site};
use crate::recipe::Catalogue;
use crate::repair::repair_site;
use crate::run::Draft;
use crate::run::{Content, DescriptorsEntry, Journal, RunId, run_file};
use crate::site::{Options, Site};
use crate::undo::undo_site;

const NAME: &str = "20200101T000000Z";
const SAM: &str = "Windows/System32/config/SAM";
const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
const CLOSED: &str = "O:SYG:SYD:P(A;;FA;;;SY)";
const OPEN: &str = "O:SYG:SYD:P(A;;FA;;;WD)";

fn bytes(sddl: &str) -> Vec<u8> {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
    descriptor.to_bytes().expect("small")
}

/// Records of changes, as a run stores them, that open the files in `paths` (separated by `|`) to
/// everybody.
fn records(paths: &str) -> Vec<u8> {
    let mut draft = Draft::new(None).expect("memory");
    for path in paths.split('|') {
        let change = Change {
            path: NtPath::from(path),
            kind: Kind::File,
            before: bytes(CLOSED),
            after: bytes(OPEN),
        };
        draft.push(&change).expect("fits");
    }
    let mut bytes = Vec::new();
    let copied = draft.copy(|piece| {
        bytes.extend(piece);
        Ok(())
    });
    copied.expect("memory");
    bytes
}

fn journal(run: &RunId, path: &str, recipes: &[&str]) -> Journal {
    let recipes = recipes.iter().map(|name| (*name).to_owned()).collect();
    let target = ("memory", TargetIdentity::default());
    let mut journal = Journal::begin(run, RunKind::Repair, target, recipes);
    let records = records(path);
    journal.descriptors = Some(DescriptorsEntry {
        records: crate::run::RecordsEntry {
            file: "descriptors.bin".to_owned(),
            content: Content {
                length: records.len() as u64,
                xxh3: Digest::of(&records),
            },
            mac: None,
            objects: 1,
            below: vec![String::new()],
        },
        begun: true,
        failed: 0,
        reports: Vec::new(),
    });
    journal
}

fn put(dir: &dyn Dir, name: &str, bytes: &[u8]) {
    let mut file = dir.create(name).expect("writable");
    file.write_all_at(bytes, 0).expect("writable");
}

/// The format in which an attacker writes a run.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// In a run file.
    File,
    /// In a folder, as earlier versions did.
    Folder,
}

/// Writes a run to the state folder, as an attacker can. According to it, it was killed when only
/// the permissions were left to be set.
fn forge(site: &Site, path: &str, recipes: &[&str], layout: Layout) {
    let run = RunId::parse(NAME).expect("a run");
    let state = site.state.create().expect("writable");
    state.create_dir("runs").expect("writable");
    let runs = state.open_dir("runs").expect("there");
    let journal = journal(&run, path, recipes).encode().expect("valid");
    let own = match layout {
        Layout::File => {
            let file = run_file::with_journal(&run_file::empty(), &journal);
            put(runs.as_ref(), NAME, &file);
            format!("{NAME}.files")
        }
        Layout::Folder => NAME.to_owned(),
    };
    runs.create_dir(&own).expect("writable");
    let own = runs.open_dir(&own).expect("there");
    put(own.as_ref(), "descriptors.bin", &records(path));
    if matches!(layout, Layout::Folder) {
        put(own.as_ref(), "journal.json", &journal);
    }
}

fn disk() -> FaultyDisk {
    let disk = volume("system-001-002");
    disk.put(SAM, b"accounts".to_vec());
    disk.secure(SAM, bytes(CLOSED));
    disk.put(&format!("{KEYS}/1"), b"key".to_vec());
    disk.secure(&format!("{KEYS}/1"), bytes(CLOSED));
    disk.secure(KEYS, bytes("O:SYG:SYD:PAI(A;;FA;;;BA)"));
    disk
}

fn repair(site: &Site) -> Result<(), Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&["machine-keys", "nla"]).expect("known");
    let options = Options {
        check: false,
        ..Options::default()
    };
    with_watch(|watch| {
        let plan = plan_site(site, &recipes, Goal::Desired, &options, watch)?;
        // The plan must not advise to complete a run that is not trusted.
        for run in &plan.unfinished {
            assert!(run.trust.is_given() || !run.can_be_completed);
        }
        repair_site(site, plan, &options, watch).map(|_| ())
    })
}

fn is_untrusted(error: &Error) -> bool {
    matches!(error, Error::Refused(Refusal::Untrusted { .. }))
}

fn sddl_of(secured: &dyn Descriptors, path: &str) -> Vec<u8> {
    let object = secured.object(&NtPath::from(path));
    object.descriptor.expect("readable")
}

/// Once any later repair "completed" a run without recipes, and everybody got access to SAM.
fn nothing_is_done(mut site: Site, closed: &[&str]) {
    let error = repair(&site).expect_err("a forged run");
    assert!(is_untrusted(&error), "{error}");
    assert_eq!(error.class(), Class::Refused);
    let options = Options::default();
    let undo = |site: &mut Site, run| with_watch(|watch| undo_site(site, run, &options, watch));
    let error = undo(&mut site, None).expect_err("a forged run");
    assert!(matches!(error, Error::NothingToUndo), "{error}");
    let error = undo(&mut site, Some(NAME)).expect_err("a forged run");
    assert!(is_untrusted(&error), "{error}");
    // Even if a person vouches for the run, it can't reach beyond its recipes.
    site.judge.vouched = true;
    let error = undo(&mut site, Some(NAME)).expect_err("a forged run");
    assert!(matches!(error, Error::DamagedRun { .. }), "{error}");
    let secured = crate::changes::descriptors::of_site(&site).expect("permissions");
    for path in closed {
        assert_ne!(sddl_of(secured.as_ref(), path), bytes(OPEN), "{path}");
    }
}

#[test]
fn a_forged_run_is_never_completed_nor_undone_unasked() {
    for layout in [Layout::File, Layout::Folder] {
        for recipes in [&[][..], &["nla"], &["machine-keys"]] {
            let disk = disk();
            forge(&site(&disk), SAM, recipes, layout);
            nothing_is_done(site(&disk), &[SAM]);
            assert_eq!(disk.descriptors()[SAM], bytes(CLOSED));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_an_image_a_forged_run_is_never_completed_either() {
    use super::image_fixture::{Boot, Container, image};

    let Some(bytes) = image("system-001-002", Boot::Ntfs, Container::Raw) else {
        return;
    };
    let disk = super::image::with_image(bytes);
    let system = "Windows/System32/config/SYSTEM";
    forge(
        &super::image::site(&disk).expect("an image"),
        system,
        &[],
        Layout::File,
    );
    nothing_is_done(super::image::site(&disk).expect("an image"), &[system]);
}

/// The seal of this machine does not allow everything: its key may be stolen, or its program
/// faulty.
#[test]
fn a_sealed_run_reaches_no_further_than_its_recipes() {
    for (path, sound) in [
        (SAM, false),
        ("Windows", false),
        (&format!("{KEYS}/1"), true),
    ] {
        let disk = disk();
        {
            let site = site(&disk);
            let run = site.state.new_run(jiff::Timestamp::now(), &site.judge);
            let run = run.expect("a run");
            let mut draft = Draft::new(None).expect("memory");
            draft.enter(&NtPath::from(""));
            let change = Change {
                path: NtPath::from(path),
                kind: Kind::File,
                before: bytes(CLOSED),
                after: bytes(OPEN),
            };
            draft.push(&change).expect("fits");
            let mut journal = journal(&run.id, path, &["machine-keys"]);
            let entry = journal.descriptors.as_mut().expect("one");
            entry.records = run.write_records(draft).expect("memory");
            run.write_journal(&journal).expect("memory");
        }
        let options = Options::default();
        let done = with_watch(|watch| undo_site(&mut site(&disk), None, &options, watch));
        match done {
            Ok(_) => assert!(sound, "{path}"),
            Err(error) => assert!(!sound, "{path}: {error}"),
        }
        if !sound {
            let error = repair(&site(&disk));
            assert!(error.is_err(), "{path}");
        }
        assert_eq!(disk.descriptors()[SAM], bytes(CLOSED));
    }
}

/// The preview shows an object by one of its records only.
#[test]
fn an_object_that_is_named_twice_is_refused() {
    let key = format!("{KEYS}/1");
    for (paths, sound) in [
        (key.clone(), true),
        (format!("{key}|{key}"), false),
        (format!("{key}|{}", key.to_lowercase()), false),
    ] {
        let disk = disk();
        let mut site = site(&disk);
        forge(&site, &paths, &["machine-keys"], Layout::File);
        site.judge.vouched = true;
        let options = Options::default();
        let undone = with_watch(|watch| undo_site(&mut site, Some(NAME), &options, watch));
        match undone {
            Ok(_) => assert!(sound, "{paths}"),
            Err(error) => {
                assert!(!sound, "{paths}: {error}");
                assert!(error.to_string().contains("twice"), "{error}");
            }
        }
    }
}
