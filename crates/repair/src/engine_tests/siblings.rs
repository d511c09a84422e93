//! Boot stores on the other volumes of the target's disk, found without `--boot-volume`.

use std::io;

use diskmend_bcd::{ElementId, ElementValue};
use diskmend_disk::OpenError;
use diskmend_disk::testing::FaultyDisk;

use super::boot_fixture::{BIOS, EFI, LOADER, SECOND, bios, efi, element};
use super::boot_support::{ALL, CONSOLE, content, disk, has_console, repair_at, same};
use super::support::{differing, site, with_watch};
use crate::beside::{Beside, Sibling};
use crate::boot_volume::{BootChoice, BootPlace, LoaderChoice};
use crate::documents::{Method, Outcome, UndoReport};
use crate::error::{Class, Error, Refusal, chain};
use crate::inspect::inspect_site;
use crate::plan::Goal;
use crate::recipe::Catalogue;
use crate::site::{Options, Site};
use crate::undo::undo_site;
use crate::volume::BootVolume;

const ESP: &str = r"\\?\Volume{11111111-0000-0000-0000-000000000001}\";
const RESERVED: &str = r"\\?\Volume{11111111-0000-0000-0000-000000000002}\";
const DATA: &str = r"\\?\Volume{11111111-0000-0000-0000-000000000003}\";

/// A volume beside the target.
#[derive(Clone)]
pub(super) enum Volume {
    Open(FaultyDisk),
    Locked,
    Denied,
}

/// The volumes of the target's disk, and other volumes of the machine.
struct InMemory {
    siblings: Vec<(&'static str, Volume)>,
    others: Vec<(&'static str, FaultyDisk)>,
}

impl Volume {
    fn open(&self, path: &str) -> Result<BootVolume, Error> {
        let as_path = path.into();
        let source = match self {
            Self::Open(disk) => return Ok(BootVolume::in_memory(path, disk.root())),
            Self::Locked => OpenError::BitLocker { path: as_path },
            Self::Denied => OpenError::Permission {
                path: as_path,
                source: io::ErrorKind::PermissionDenied.into(),
            },
        };
        Err(Error::Target {
            path: path.to_owned(),
            source,
        })
    }
}

impl Beside for InMemory {
    fn siblings(&self) -> Result<Vec<Sibling>, Error> {
        let sibling = |(path, volume): &(&str, Volume)| Sibling {
            path: (*path).to_owned(),
            opened: volume.open(path),
        };
        Ok(self.siblings.iter().map(sibling).collect())
    }

    fn recorded(&self, path: &str) -> Result<BootVolume, Error> {
        let sibling = self.siblings.iter().find(|(name, _)| *name == path);
        let other = self.others.iter().find(|(name, _)| *name == path);
        match (sibling, other) {
            (Some((_, volume)), _) => volume.open(path),
            (None, Some((_, disk))) => Ok(BootVolume::in_memory(path, disk.root())),
            (None, None) => Err(Refusal::BootVolume {
                path: path.to_owned(),
                reason: "not there".to_owned(),
            }
            .into()),
        }
    }
}

pub(super) fn open(disk: &FaultyDisk) -> Volume {
    Volume::Open(disk.clone())
}

/// A volume with these files and without a Windows.
pub(super) fn volume(files: &[(&str, Vec<u8>)]) -> FaultyDisk {
    let disk = FaultyDisk::new();
    for (path, bytes) in files {
        disk.put(path, bytes.clone());
    }
    disk
}

pub(super) fn beside(target: &FaultyDisk, siblings: &[(&'static str, Volume)]) -> Site {
    let mut site = site(target);
    site.boot.beside = Box::new(InMemory {
        siblings: siblings.to_vec(),
        others: Vec::new(),
    });
    site
}

fn repair(site: &Site, names: &[&str]) -> Result<Outcome, Error> {
    let (_, done) = repair_at(site, names, Goal::Desired, &Options::default())?;
    Ok(done.outcome)
}

fn undo(site: &mut Site, run: Option<&str>) -> Result<UndoReport, Error> {
    with_watch(|watch| undo_site(site, run, &Options::default(), watch))
}

/// Checks that the repair is refused and writes nothing, and returns the reason.
fn refused(target: &FaultyDisk, siblings: &[(&'static str, Volume)]) -> (Refusal, String) {
    let contents = || {
        let disks = siblings.iter().filter_map(|(_, volume)| match volume {
            Volume::Open(disk) => Some(disk.files()),
            _ => None,
        });
        disks.chain([target.files()]).collect::<Vec<_>>()
    };
    let before = contents();
    let error = repair(&beside(target, siblings), &CONSOLE).expect_err("refused");
    for (before, after) in before.iter().zip(contents()) {
        assert_eq!(differing(before, &after), [""; 0]);
    }
    let said = chain(&error);
    match error {
        Error::Refused(refusal) => (refusal, said),
        error => panic!("{error}"),
    }
}

#[test]
fn the_only_store_of_the_disk_is_repaired_and_undone_to_the_byte() {
    for (path, store) in [(EFI, efi().bytes()), (BIOS, bios().bytes())] {
        let target = disk(&[]);
        let before = content(&target);
        let pristine = volume(&[(path, store)]);
        let boot = pristine.fork();
        let mut site = beside(&target, &[(DATA, open(&volume(&[]))), (ESP, open(&boot))]);
        assert_eq!(repair(&site, &ALL).expect(path), Outcome::Done);
        has_console(&boot, path, LOADER);
        assert!(boot.files().keys().all(|path| !path.contains("diskmend")));
        assert_eq!(repair(&site, &ALL).expect(path), Outcome::NothingToDo);

        assert_eq!(undo(&mut site, None).expect(path).method, Method::Bytes);
        assert_eq!(differing(&content(&target), &before), [""; 0]);
        same(&boot, &pristine, path);
    }
}

#[test]
fn inspection_says_on_which_volume_the_store_is() {
    let site = beside(&disk(&[]), &[(ESP, open(&volume(&[(EFI, efi().bytes())])))]);
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&CONSOLE).expect("known");
    let options = Options::default();
    let found = with_watch(|watch| inspect_site(&site, &recipes, &options, watch));
    let found = found.expect("inspect");
    let [store] = found.stores.as_slice() else {
        panic!("{:?}", found.stores);
    };
    assert!(store.chosen);
    assert_eq!(store.volume.as_deref(), Some(ESP));
    assert_eq!(
        store.shown_path(),
        r"\\?\Volume{11111111-0000-0000-0000-000000000001}\EFI\Microsoft\Boot\BCD"
    );
}

#[test]
fn a_store_on_the_target_is_taken_before_any_other_is_looked_for() {
    let target = disk(&[(BIOS, bios().bytes())]);
    let other = volume(&[(EFI, efi().bytes())]);
    let before = other.files();
    let site = beside(&target, &[(ESP, open(&other)), (DATA, Volume::Denied)]);
    repair(&site, &ALL).expect("repair");
    has_console(&target, BIOS, LOADER);
    assert_eq!(differing(&other.files(), &before), [""; 0]);
}

#[test]
fn a_boot_volume_that_was_named_wins() {
    let sibling = volume(&[(EFI, efi().bytes())]);
    let before = sibling.files();
    let named = volume(&[(BIOS, bios().bytes())]);
    let mut site = beside(&disk(&[]), &[(ESP, open(&sibling))]);
    site.boot.volume = Some(BootVolume::in_memory("/mnt/boot", named.root()));
    repair(&site, &ALL).expect("repair");
    has_console(&named, BIOS, LOADER);
    assert_eq!(differing(&sibling.files(), &before), [""; 0]);
    undo(&mut site, None).expect("undo");

    // If the named volume has no store, no other volume is used.
    site.boot.volume = Some(BootVolume::in_memory("/mnt/boot", volume(&[]).root()));
    let error = repair(&site, &CONSOLE).expect_err("no store");
    let said = error.to_string();
    assert!(
        said.contains("/mnt/boot") && !said.contains("Volume{"),
        "{said}"
    );
    assert_eq!(differing(&sibling.files(), &before), [""; 0]);
}

#[test]
fn stores_that_fit_on_two_volumes_are_listed_and_left_alone() {
    let siblings = [
        (ESP, open(&volume(&[(EFI, efi().bytes())]))),
        (RESERVED, open(&volume(&[(BIOS, bios().bytes())]))),
    ];
    let (refusal, said) = refused(&disk(&[]), &siblings);
    assert!(matches!(refusal, Refusal::StoreUnclear { .. }), "{said}");
    assert!(
        said.contains(&format!(r"{ESP}EFI\Microsoft\Boot\BCD: it fits"))
            && said.contains(&format!(r"{RESERVED}Boot\BCD: it fits")),
        "{said}"
    );
}

#[test]
fn a_store_of_another_windows_is_passed_over_for_the_one_that_fits() {
    let another = bios().set(
        LOADER,
        ElementId::SYSTEM_ROOT,
        ElementValue::String(r"\OldWindows".to_owned()),
    );
    let another = another.bytes();
    let esp = volume(&[(EFI, efi().bytes())]);
    let reserved = volume(&[(BIOS, another)]);
    let siblings = [(RESERVED, open(&reserved)), (ESP, open(&esp))];
    repair(&beside(&disk(&[]), &siblings), &ALL).expect("repair");
    has_console(&esp, EFI, LOADER);

    // As the only store it is refused, and named by its whole path.
    let (refusal, said) = refused(&disk(&[]), &[(RESERVED, open(&reserved))]);
    assert!(matches!(refusal, Refusal::LoaderUnclear { .. }), "{said}");
    assert!(
        said.contains(RESERVED) && said.contains("OldWindows"),
        "{said}"
    );
}

#[test]
fn an_unreadable_volume_is_reported_and_nothing_is_guessed() {
    let fitting = (ESP, open(&volume(&[(EFI, efi().bytes())])));
    for siblings in [
        vec![(RESERVED, Volume::Denied)],
        vec![(RESERVED, Volume::Denied), fitting.clone()],
    ] {
        let (refusal, said) = refused(&disk(&[]), &siblings);
        assert!(matches!(refusal, Refusal::StoreUnclear { .. }), "{said}");
        assert!(
            said.contains(&format!("{RESERVED}: permission denied")),
            "{said}"
        );
    }
    let broken = (RESERVED, open(&volume(&[(BIOS, b"no hive".to_vec())])));
    for siblings in [vec![broken.clone()], vec![broken, fitting]] {
        let (refusal, said) = refused(&disk(&[]), &siblings);
        assert!(matches!(refusal, Refusal::StoreUnclear { .. }), "{said}");
        assert!(said.contains(&format!(r"{RESERVED}Boot\BCD: ")), "{said}");
    }
    // The registry can still be repaired.
    let target = disk(&[]);
    let site = beside(&target, &[(RESERVED, Volume::Denied)]);
    assert_eq!(repair(&site, &ALL).expect("repair"), Outcome::PartlyDone);
}

#[test]
fn a_disk_without_any_store_is_reported_with_its_volumes() {
    let siblings = [(ESP, open(&volume(&[]))), (DATA, Volume::Locked)];
    let (refusal, said) = refused(&disk(&[]), &siblings);
    assert!(matches!(refusal, Refusal::NoStore { .. }), "{said}");
    assert!(said.contains(ESP) && said.contains(DATA), "{said}");

    // A search for faults does not count this as a fault.
    let catalogue = Catalogue::built_in().expect("valid");
    let site = beside(&disk(&[]), &siblings);
    let names = catalogue.by_default();
    let (planned, _) = repair_at(&site, &names, Goal::Faults, &Options::default()).expect("repair");
    assert!(planned.skipped.is_empty());
    let told = planned.notices.iter().find(|n| n.kind == "no-boot-store");
    assert!(told.expect("a notice").text.contains(ESP));
}

#[test]
fn a_store_that_may_start_another_windows_of_the_disk_is_not_taken() {
    let esp = volume(&[(EFI, efi().bytes())]);
    for other in [open(&disk(&[])), Volume::Locked] {
        let siblings = [(ESP, open(&esp)), (DATA, other)];
        let (refusal, said) = refused(&disk(&[]), &siblings);
        assert!(matches!(refusal, Refusal::AnotherWindows { .. }), "{said}");
        assert!(said.contains(ESP) && said.contains(DATA), "{said}");

        let esp = esp.fork();
        let site = beside(&disk(&[]), &[(ESP, open(&esp)), siblings[1].clone()]);
        let options = |loader| Options {
            boot: BootChoice {
                loaders: LoaderChoice::Named(loader),
                ..BootChoice::default()
            },
            ..Options::default()
        };
        let wrong = repair_at(&site, &CONSOLE, Goal::Desired, &options(SECOND));
        assert_eq!(wrong.expect_err("unknown").class(), Class::Refused);
        repair_at(&site, &CONSOLE, Goal::Desired, &options(LOADER)).expect("named");
        has_console(&esp, EFI, LOADER);
    }
}

#[test]
fn after_a_start_of_windows_the_volume_is_still_known_by_its_name() {
    let target = disk(&[]);
    let esp = volume(&[(EFI, efi().bytes())]);
    let mut site = beside(&target, &[(ESP, open(&esp))]);
    let first = repair_at(&site, &CONSOLE, Goal::Desired, &Options::default());
    let first = first.expect("repair").1.run;
    repair(&site, &["safe-mode-on"]).expect("repair");
    let minimal = Some(ElementValue::Integer(0));

    // A volume of this name on another disk may be a different one.
    let mut elsewhere = super::support::site(&target);
    elsewhere.boot = BootPlace {
        beside: Box::new(InMemory {
            siblings: Vec::new(),
            others: vec![(ESP, esp.clone())],
        }),
        ..BootPlace::default()
    };
    let before = esp.files();
    let error = undo(&mut elsewhere, first.as_deref()).expect_err("another disk");
    assert!(
        matches!(error, Error::Refused(Refusal::BootVolume { .. })),
        "{error}"
    );
    assert_eq!(differing(&esp.files(), &before), [""; 0]);

    let undone = undo(&mut site, first.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert_eq!(element(&esp, EFI, LOADER, ElementId::EMS), None);
    assert_eq!(element(&esp, EFI, LOADER, ElementId::SAFE_BOOT), minimal);
}

#[test]
fn undo_writes_nothing_while_the_volume_is_not_there() {
    let target = disk(&[]);
    let esp = volume(&[(EFI, efi().bytes())]);
    repair(&beside(&target, &[(ESP, open(&esp))]), &ALL).expect("repair");
    let repaired = content(&target);
    let error = undo(&mut beside(&target, &[]), None).expect_err("not there");
    assert!(
        matches!(error, Error::Refused(Refusal::BootVolume { .. })),
        "{error}"
    );
    assert_eq!(differing(&content(&target), &repaired), [""; 0]);

    // If the volume has another name, as on another machine, the caller says where it is.
    let mut site = beside(&target, &[]);
    site.boot.volume = Some(BootVolume::in_memory("S:", esp.root()));
    assert_eq!(undo(&mut site, None).expect("undo").method, Method::Bytes);
}
