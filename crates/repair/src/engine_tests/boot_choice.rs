//! Choosing the boot store of a Windows, and the loader in it.

use diskmend_bcd::{
    Device, ElementId, ElementValue, Partition, Target as DeviceTarget, well_known,
};

use super::boot_fixture::{BIOS, EFI, LOADER, RECOVERY, SECOND, bios, efi, element};
use super::boot_support::{ALL, CONSOLE, disk, has_console, inspect, repair, repair_at};
use super::support::{differing, site};
use crate::boot_volume::{BootChoice, LoaderChoice};
use crate::documents::Outcome;
use crate::error::{Class, Error, Refusal};
use crate::plan::Goal;
use crate::site::Options;

#[test]
fn among_several_stores_the_one_that_starts_this_windows_is_used() {
    let another = bios().set(
        LOADER,
        ElementId::SYSTEM_ROOT,
        ElementValue::String(r"\OldWindows".to_owned()),
    );
    let disk = disk(&[(BIOS, another.bytes()), (EFI, efi().bytes())]);
    let found = inspect(&disk, &CONSOLE);
    let chosen: Vec<_> = found.stores.iter().map(|store| store.chosen).collect();
    assert_eq!(chosen, [false, true]);
    repair(&disk, &CONSOLE).expect("repair");
    has_console(&disk, EFI, LOADER);
}

#[test]
fn stores_that_cannot_be_told_apart_are_listed_and_left_alone() {
    for first in [bios().bytes(), b"no hive".to_vec()] {
        let disk = disk(&[(BIOS, first), (EFI, efi().bytes())]);
        let before = disk.files();
        let error = repair(&disk, &CONSOLE).expect_err("unclear");
        assert_eq!(error.class(), Class::Refused);
        let text = error.to_string();
        assert!(text.contains(BIOS) && text.contains(EFI), "{text}");
        assert_eq!(differing(&disk.files(), &before), [""; 0]);
        // The rest of the repair is made.
        let report = repair(&disk, &ALL).expect("repair");
        assert_eq!(report.outcome, Outcome::PartlyDone);

        let mut site = site(&disk);
        site.boot.named = Some(EFI.split('/').map(str::to_owned).collect());
        repair_at(&site, &ALL, Goal::Desired, &Options::default()).expect("named");
        has_console(&disk, EFI, LOADER);
    }
}

#[test]
fn several_loaders_are_a_refusal_until_all_are_wanted() {
    let disk = disk(&[(BIOS, bios().with_second_loader().bytes())]);
    let error = repair(&disk, &CONSOLE).expect_err("unclear");
    assert_eq!(error.class(), Class::Refused);
    let said = crate::error::chain(&error);
    assert!(
        said.contains(&LOADER.to_string()) && said.contains(&SECOND.to_string()),
        "{said}"
    );
    let options = with_loaders(LoaderChoice::All);
    let (planned, _) =
        repair_at(&site(&disk), &CONSOLE, Goal::Desired, &options).expect("all loaders");
    for loader in [LOADER, SECOND] {
        has_console(&disk, BIOS, loader);
    }
    let chosen = planned.stores.iter().flat_map(|store| &store.loaders);
    let chosen = chosen.filter(|loader| loader.chosen);
    assert_eq!(chosen.count(), 2, "Windows PE is not among them");
}

fn with_loaders(loaders: LoaderChoice) -> Options {
    Options {
        boot: BootChoice {
            loaders,
            ..BootChoice::default()
        },
        ..Options::default()
    }
}

#[test]
fn the_windows_of_another_partition_is_not_taken_for_that_of_the_target() {
    let on = |number: u8| {
        let device = Device {
            options: None,
            target: DeviceTarget::Partition(Partition::Mbr {
                signature: 1,
                offset: u64::from(number) << 20,
            }),
        };
        ElementValue::Device(device.encode().expect("a partition"))
    };
    let store = |second: u8| {
        bios()
            .with_second_loader()
            .set(
                well_known::BOOTMGR,
                ElementId::DEFAULT,
                ElementValue::Object(LOADER),
            )
            .set(LOADER, ElementId::OS_DEVICE, on(1))
            .set(SECOND, ElementId::OS_DEVICE, on(second))
    };
    let same_partition = disk(&[(BIOS, store(1).bytes())]);
    repair(&same_partition, &CONSOLE).expect("the default one");
    has_console(&same_partition, BIOS, LOADER);
    assert_eq!(element(&same_partition, BIOS, SECOND, ElementId::EMS), None);

    let disk = disk(&[(BIOS, store(2).bytes())]);
    let error = repair(&disk, &CONSOLE).expect_err("unclear");
    assert!(
        matches!(error, Error::Refused(Refusal::SeveralWindows { .. })),
        "{error}"
    );
    let said = error.to_string();
    assert!(said.contains("0x200000"), "{said}");
    let options = with_loaders(LoaderChoice::Named(SECOND));
    repair_at(&site(&disk), &CONSOLE, Goal::Desired, &options).expect("named");
    has_console(&disk, BIOS, SECOND);
    assert_eq!(element(&disk, BIOS, LOADER, ElementId::EMS), None);
    for wrong in [RECOVERY, well_known::BOOTMGR] {
        let options = with_loaders(LoaderChoice::Named(wrong));
        let error = repair_at(&site(&disk), &CONSOLE, Goal::Desired, &options);
        let error = error.expect_err("no loader of this Windows");
        assert_eq!(error.class(), Class::Refused, "{error}");
    }
}
