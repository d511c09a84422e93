//! Repairs of the boot store together with the registry.

use diskmend_bcd::{ElementId, ElementValue, Guid, well_known};
use diskmend_disk::LOCK_FILE_NAME;
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::boot_fixture::{BIOS, EFI, LOADER, bios, efi, element};
use super::boot_support::{
    ALL, CONSOLE, content, disk, has_console, inspect, repair, repair_at, repair_unchecked, same,
};
use super::support::{differing, site, undo, with_watch};
use crate::boot_volume::BootPlace;
use crate::documents::{Method, Outcome, RowState};
use crate::error::{Class, Error, Refusal};
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::repair::repair_site;
use crate::site::Options;
use crate::undo::undo_site;
use crate::volume::BootVolume;

#[test]
fn registry_and_boot_store_are_one_run_and_undone_to_the_byte() {
    for (path, store) in [
        (BIOS, bios().bytes()),
        (BIOS, bios().with_ems_settings().bytes()),
        (EFI, efi().bytes()),
    ] {
        let pristine = disk(&[(path, store)]);
        let disk = pristine.fork();
        let report = repair(&disk, &ALL).expect(path);
        assert_eq!(report.outcome, Outcome::Done, "{path}");
        let names: Vec<&str> = report.hives.iter().map(|hive| hive.hive.as_str()).collect();
        assert_eq!(names, ["SYSTEM", "BCD"]);
        for hive in &report.hives {
            assert_eq!(hive.check.as_ref().expect("checked").errors, 0, "{path}");
            assert_eq!(
                hive.second_reader,
                crate::documents::SecondReader::Agrees,
                "{path}"
            );
        }
        has_console(&disk, path, LOADER);
        assert!(!inspect(&disk, &ALL).has_findings(), "{path}");

        let operations = disk.operations();
        let again = repair(&disk, &ALL).expect(path);
        assert_eq!(again.outcome, Outcome::NothingToDo, "{path}");
        assert_eq!(
            disk.operations(),
            operations,
            "{path}: something was written"
        );

        let undone = undo(&disk, None).expect(path);
        assert_eq!(undone.method, Method::Bytes, "{path}");
        same(&disk, &pristine, path);
    }
}

#[test]
fn changes_are_reported_as_bcdedit_would() {
    let disk = disk(&[(BIOS, bios().bytes())]);
    let report = repair(&disk, &CONSOLE).expect("repair");
    let told: Vec<String> = report
        .changes
        .iter()
        .map(|change| {
            let element = change.element.as_ref().expect("an element");
            let old = element.old.as_deref().unwrap_or("-");
            let new = element.new.as_deref().unwrap_or("-");
            format!("{} {}: {old} {new}", element.object_name, element.name)
        })
        .collect();
    assert_eq!(
        told,
        [
            "{bootmgr} displaybootmenu: - Yes",
            "{bootmgr} timeout: 30 5",
            "{bootmgr} bootems: - Yes",
            "{default} (Windows Server) ems: - Yes",
            "{emssettings} emsport: - 1",
            "{emssettings} emsbaudrate: - 115200",
        ]
    );
}

#[test]
fn after_a_later_change_each_element_is_reversed_by_itself() {
    let disk = disk(&[(BIOS, bios().bytes())]);
    let first = repair(&disk, &CONSOLE).expect("repair").run;
    repair(&disk, &["safe-mode-on"]).expect("repair");
    let undone = undo(&disk, first.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    let get = |object, id| element(&disk, BIOS, object, id);
    assert_eq!(get(well_known::BOOTMGR, ElementId::BOOT_EMS), None);
    assert_eq!(
        get(well_known::BOOTMGR, ElementId::TIMEOUT),
        Some(ElementValue::Integer(30))
    );
    assert_eq!(get(well_known::EMSSETTINGS, ElementId::EMS_PORT), None);
    // The later change is kept.
    let minimal = Some(ElementValue::Integer(0));
    assert_eq!(get(LOADER, ElementId::SAFE_BOOT), minimal);
}

#[test]
fn without_a_store_the_registry_is_repaired_and_the_rest_is_reported() {
    let disk = disk(&[]);
    let found = inspect(&disk, &ALL);
    assert!(found.skipped.is_empty() && found.stores.is_empty());
    assert!(found.notices.iter().any(|n| n.kind == "no-boot-store"));

    let report = repair(&disk, &ALL).expect("repair");
    assert_eq!(report.outcome, Outcome::PartlyDone);
    let [skipped] = report.skipped.as_slice() else {
        panic!("{:?}", report.skipped);
    };
    assert_eq!(skipped.hive, "BCD");
    assert!(!inspect(&disk, &ALL).has_findings());

    let error = repair(&disk, &CONSOLE).expect_err("no store");
    assert!(
        matches!(error, Error::Refused(Refusal::NoStore { .. })),
        "{error}"
    );
    // The disk has no drivers and an odd service, so only these recipes have nothing to do.
    let auto = repair_at(&site(&disk), &ALL, Goal::Faults, &Options::default());
    assert_eq!(auto.expect("repair").1.outcome, Outcome::NothingToDo);
}

#[test]
fn recipes_for_the_registry_alone_do_not_look_at_stores() {
    let disk = disk(&[(BIOS, b"no hive".to_vec()), (EFI, efi().bytes())]);
    let names = ["tls", "nla", "crash-dump"];
    let report = repair(&disk, &names).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    assert!(inspect(&disk, &names).stores.is_empty());
}

#[test]
fn safe_mode_is_turned_on_and_off() {
    let pristine = disk(&[(EFI, efi().bytes())]);
    for (name, number) in [
        ("safe-mode-on", 0),
        ("safe-mode-on-network", 1),
        ("safe-mode-on-dsrepair", 2),
    ] {
        let disk = pristine.fork();
        repair(&disk, &[name]).expect(name);
        let mode = Some(ElementValue::Integer(number));
        assert_eq!(element(&disk, EFI, LOADER, ElementId::SAFE_BOOT), mode);

        let auto = disk.fork();
        let all = Catalogue::built_in().expect("valid");
        let (planned, _) = repair_at(
            &site(&auto),
            &["safe-mode-off"],
            Goal::Faults,
            &Options::default(),
        )
        .expect(name);
        assert!(all.by_default().contains(&"safe-mode-off"));
        let expected = usize::from(name != "safe-mode-on-dsrepair");
        assert_eq!(planned.changes.len(), expected, "{name}");

        repair(&disk, &["safe-mode-off"]).expect(name);
        assert_eq!(element(&disk, EFI, LOADER, ElementId::SAFE_BOOT), None);
        let again = repair(&disk, &["safe-mode-off"]).expect(name);
        assert_eq!(again.outcome, Outcome::NothingToDo);
        undo(&disk, None).expect(name);
        assert_eq!(element(&disk, EFI, LOADER, ElementId::SAFE_BOOT), mode);
    }
}

#[test]
fn an_object_is_created_only_where_the_recipe_says_as_what() {
    const GUID: &str = "{11111111-2222-3333-4444-555555555555}";
    let head =
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n";
    let row =
        format!("[[bcd]]\nobject = '{GUID}'\nelement = '0x12000004'\ndata = 'Mine'\nwhy = 'w'\n");
    let guid: Guid = GUID.parse().expect("a GUID");
    let disk = disk(&[(BIOS, bios().bytes())]);
    let repair = |more: &str| {
        let text = format!("{head}{row}{more}");
        let recipe = Recipe::parse("own", &text).expect("valid");
        let options = Options::default();
        let site = site(&disk);
        with_watch(|watch| {
            let plan = plan_site(&site, &[&recipe], Goal::Desired, &options, watch)?;
            repair_site(&site, plan, &options, watch)
        })
    };
    let before = disk.files();
    let error = repair("").expect_err("missing");
    assert!(
        matches!(error, Error::Refused(Refusal::NoObject { .. })),
        "{error}"
    );
    assert_eq!(differing(&disk.files(), &before), [""; 0]);

    repair("create_as = 0x20100000\n").expect("created");
    let mine = Some(ElementValue::String("Mine".to_owned()));
    assert_eq!(element(&disk, BIOS, guid, ElementId::DESCRIPTION), mine);
    let other_type = repair("create_as = 0x30000000\n").expect_err("another type");
    assert!(
        matches!(other_type, Error::StoreChange { .. }),
        "{other_type}"
    );
}

#[test]
fn a_change_that_leaves_an_error_in_the_store_is_refused() {
    let text = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n\
                [[bcd]]\nobject = '{globalsettings}'\nelement = 'inherit'\n\
                data = ['{globalsettings}']\nwhy = 'w'\n";
    let recipe = Recipe::parse("own", text).expect("valid");
    let disk = disk(&[(BIOS, bios().bytes())]);
    let before = disk.files();
    let options = Options::default();
    let site = site(&disk);
    let refused = with_watch(|watch| {
        let plan = plan_site(&site, &[&recipe], Goal::Desired, &options, watch)?;
        repair_site(&site, plan, &options, watch)
    });
    let error = refused.expect_err("inherits from itself");
    assert!(
        matches!(error, Error::Refused(Refusal::StoreUnsound { .. })),
        "{error}"
    );
    assert_eq!(differing(&disk.files(), &before), [""; 0]);
}

#[test]
fn nothing_of_a_healthy_store_is_a_fault() {
    let disk = disk(&[(BIOS, bios().bytes())]);
    let all = Catalogue::built_in().expect("valid");
    let found = inspect(&disk, &all.by_default());
    assert!(!found.elements.is_empty());
    let faults = found
        .elements
        .iter()
        .filter(|row| row.state == RowState::Fault);
    assert_eq!(faults.count(), 0);
    let names: Vec<&str> = all.iter().map(|recipe| recipe.name.as_str()).collect();
    for name in names {
        let planned = repair_at(
            &site(&disk.fork()),
            &[name],
            Goal::Faults,
            &Options::default(),
        );
        let changes = planned.expect(name).0.changes;
        let of_store = changes.iter().filter(|change| change.hive == "BCD");
        assert_eq!(of_store.count(), 0, "{name}");
    }
}

#[test]
fn a_store_on_another_volume_is_undone_from_the_target() {
    let target = disk(&[]);
    let pristine = FaultyDisk::new();
    pristine.put(EFI, efi().bytes());
    let boot = pristine.fork();
    let with_boot = |boot: &FaultyDisk| {
        let mut site = site(&target);
        site.boot = BootPlace {
            volume: Some(BootVolume::in_memory("/gone/esp", boot.root())),
            ..BootPlace::default()
        };
        site
    };
    let before = content(&target);
    let options = Options::default();
    repair_at(&with_boot(&boot), &ALL, Goal::Desired, &options).expect("repair");
    has_console(&boot, EFI, LOADER);
    assert!(boot.files().keys().all(|path| !path.contains("diskmend")));

    // The volume is missing, so nothing is undone, not even the part that could be.
    let repaired = content(&target);
    let error = undo(&target, None).expect_err("not there");
    assert!(
        matches!(error, Error::Refused(Refusal::BootVolume { .. })),
        "{error}"
    );
    assert_eq!(differing(&content(&target), &repaired), [""; 0]);

    let undone = with_watch(|watch| undo_site(&mut with_boot(&boot), None, &options, watch));
    assert_eq!(undone.expect("undo").method, Method::Bytes);
    assert_eq!(differing(&content(&target), &before), [""; 0]);
    same(&boot, &pristine, "boot volume");
}

#[test]
fn a_repair_of_both_that_fails_anywhere_leaves_the_old_bytes_of_both() {
    let pristine = disk(&[(BIOS, bios().bytes())]);
    let counted = pristine.fork();
    repair_unchecked(&counted, &ALL).expect("repair");
    let mut rolled_back = 0;
    for at in 0..counted.operations() {
        let what = format!("{:?} ({at})", counted.log()[at]);
        let disk = pristine.fork();
        disk.fail_at(at, Fault::Once);
        let error = repair_unchecked(&disk, &ALL).expect_err(&what);
        let class = error.class();
        match class {
            Class::Failed | Class::RolledBack => {}
            _ => assert!(what.contains(LOCK_FILE_NAME), "{what}: {error}"),
        }
        let of_store = counted.log()[at].contains("BCD") && class == Class::RolledBack;
        rolled_back += usize::from(of_store);
        same(&disk, &pristine, &format!("{what}: {error}"));
        disk.restart(Loss::Nothing);
        if super::support::is_unfinished(&disk) {
            undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        repair_unchecked(&disk, &ALL).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!inspect(&disk, &ALL).has_findings(), "{what}");
    }
    assert!(rolled_back > 0, "the second hive never failed");
}

#[test]
fn a_repair_of_both_killed_anywhere_is_undone_in_both() {
    let pristine = disk(&[(BIOS, bios().bytes())]);
    let counted = pristine.fork();
    repair_unchecked(&counted, &ALL).expect("repair");
    for at in 0..counted.operations() {
        for loss in [Loss::Nothing, Loss::Unflushed, Loss::Some(0x9e37_79b9)] {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = pristine.fork();
            disk.fail_at(at, Fault::Kill);
            repair_unchecked(&disk, &ALL).expect_err(&what);
            disk.restart(loss);
            if super::support::is_unfinished(&disk) {
                undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                same(&disk, &pristine, &what);
            }
            repair_unchecked(&disk, &ALL).unwrap_or_else(|error| panic!("{what}: {error}"));
            has_console(&disk, BIOS, LOADER);
            undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
            same(&disk, &pristine, &what);
        }
    }
}
