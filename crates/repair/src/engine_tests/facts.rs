//! Facts are read only when they are needed, only once, and from recovered hives.

use super::boot_fixture::{BIOS, bios, hive};
use super::support::{site, volume, with_watch};
use crate::facts::{Facts, Product, ServiceStart};
use crate::site::Options;
use crate::value_data::ValueData;
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::{EditError, Editor, ValueType};

const CONFIG: &str = "Windows/System32/config";

fn text(editor: &mut Editor, key: &str, name: &str, text: &str) -> Result<(), EditError> {
    editor.create_key(key)?;
    let data = ValueData::text(ValueType::SZ, text);
    editor.set_value(key, name, data.value_type, &data.bytes)?;
    Ok(())
}

fn number(editor: &mut Editor, key: &str, name: &str, number: u32) -> Result<(), EditError> {
    editor.create_key(key)?;
    editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes())?;
    Ok(())
}

/// A Windows Server of build 17763. Its second control set is the current one.
fn disk() -> FaultyDisk {
    let disk = FaultyDisk::new();
    let system = hive(|editor| {
        number(editor, "Select", "Current", 2)?;
        for set in ["ControlSet001", "ControlSet002"] {
            let services = format!(r"{set}\Services");
            number(editor, &format!(r"{services}\disk"), "Start", 0)?;
            number(editor, &format!(r"{services}\disk"), "Type", 1)?;
            number(editor, &format!(r"{services}\TermService"), "Start", 9)?;
        }
        let path = r"\SystemRoot\System32\drivers\disk.sys";
        text(editor, r"ControlSet002\Services\disk", "ImagePath", path)?;
        let key = r"Control\ProductOptions";
        text(
            editor,
            &format!(r"ControlSet001\{key}"),
            "ProductType",
            "WinNT",
        )?;
        text(
            editor,
            &format!(r"ControlSet002\{key}"),
            "ProductType",
            "LanmanNT",
        )
    });
    disk.put(&format!("{CONFIG}/SYSTEM"), system);
    let software = hive(|editor| {
        let key = r"Microsoft\Windows NT\CurrentVersion";
        text(editor, key, "CurrentBuildNumber", "17763")
    });
    disk.put(&format!("{CONFIG}/SOFTWARE"), software);
    disk
}

fn with_facts<T>(disk: &FaultyDisk, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
    let (site, options) = (site(disk), Options::default());
    with_watch(|watch| ask(&Facts::of(&site, &options, watch.lend())))
}

#[test]
fn facts_are_read_from_the_hives() {
    with_facts(&disk(), |facts| {
        assert_eq!(facts.build(), Ok(17763));
        assert_eq!(facts.product(), Ok(Product::DomainController));
        let sets = facts.control_sets().expect("known");
        assert_eq!(sets.names(), ["ControlSet001", "ControlSet002"]);
        let services = facts.services().expect("known");
        let found: Vec<_> = services
            .iter()
            .map(|service| {
                (
                    service.control_set.as_str(),
                    service.name.as_str(),
                    service.start,
                )
            })
            .collect();
        let (boot, odd) = (Some(ServiceStart::Boot), None);
        assert_eq!(
            found,
            [
                ("ControlSet001", "disk", boot),
                ("ControlSet001", "TermService", odd),
                ("ControlSet002", "disk", boot),
                ("ControlSet002", "TermService", odd),
            ]
        );
        let [first, _, third, _] = services else {
            panic!("{services:?}");
        };
        assert_eq!((first.service_type, third.service_type), (Some(1), Some(1)));
        assert_eq!(first.image_path, None);
        let path = third.image_path.as_deref();
        assert_eq!(path, Some(r"\SystemRoot\System32\drivers\disk.sys"));
    });
}

#[test]
fn a_hive_is_opened_once_and_only_if_it_is_needed() {
    let disk = disk();
    let software = format!("{CONFIG}/SOFTWARE");
    with_facts(&disk, |facts| {
        assert_eq!(facts.product(), Ok(Product::DomainController));
        // Nothing in SOFTWARE was needed before, so the new content is found.
        disk.put(&software, b"no hive".to_vec());
        let reason = facts.build().expect_err("no hive");
        assert!(reason.contains("not a registry hive"), "{reason}");
        disk.put(&software, hive(|_| Ok(())));
        disk.put(&format!("{CONFIG}/SYSTEM"), b"no hive".to_vec());
        assert_eq!(facts.build(), Err(reason));
        assert_eq!(facts.services().map(<[_]>::len), Ok(4));
    });
}

#[test]
fn a_fact_that_is_not_known_has_a_reason() {
    with_facts(&FaultyDisk::new(), |facts| {
        let told = facts.build().expect_err("no hive");
        assert_eq!(told, "Windows/System32/config/SOFTWARE: not found");
        let told = facts.services().expect_err("no hive");
        assert_eq!(told, "Windows/System32/config/SYSTEM: not found");
    });
    // This hive lacks such a value.
    with_facts(&volume("system-001-002"), |facts| {
        let told = facts.product().expect_err("nothing is said");
        assert_eq!(told, "SYSTEM does not say");
    });
}

#[test]
fn the_boot_stores_are_looked_for_once() {
    let disk = disk();
    disk.put(BIOS, bios().bytes());
    with_facts(&disk, |facts| {
        for _ in 0..2 {
            let found = facts.boot_stores().expect("nobody interrupts");
            let Ok(found) = found else {
                panic!("a store is there");
            };
            assert_eq!(found.stores.len(), 1);
            assert!(found.chosen.is_ok());
            disk.put(BIOS, b"no hive".to_vec());
        }
    });
}
