//! Real boot stores are read, listed, checked, exported, changed, and read again.

use std::collections::BTreeMap;

use diskmend_bcd::check::{Level, ProblemKind, check};
use diskmend_bcd::loader::{self, Chosen, Wanted};
use diskmend_bcd::text::Document;
use diskmend_bcd::{
    Device, ElementId, ElementValue, Format, Guid, Listing, Partition, Store, Target, well_known,
};
use diskmend_hive::{Editor, Filetime, Hive, Outcome, ValueType};

use crate::support::{clean, empty, file_of, real_stores, serial_console};

/// Every element of every object: the name of its key, its registry type, and its data.
type Contents = BTreeMap<Guid, Vec<(String, ValueType, Vec<u8>)>>;

fn contents(hive: &Hive) -> Contents {
    let store = Store::open(hive).unwrap();
    let mut contents = Contents::new();
    for object in store.objects().unwrap() {
        let object = object.unwrap();
        let elements = object.elements().unwrap().map(|element| {
            let element = element.unwrap();
            let name = element.key().name().to_string();
            (name, element.data_type(), element.data().to_vec())
        });
        contents.insert(object.guid(), elements.collect());
    }
    contents
}

fn windows() -> Wanted {
    Wanted {
        system_root: "\\Windows".into(),
        ..Wanted::default()
    }
}

/// The expected counts come from hivexregedit's exports of the same files.
#[test]
fn every_object_and_element_is_read_and_typed() {
    for real in real_stores("every_object_and_element_is_read_and_typed") {
        let expected = match real.name {
            "bcd/windeploy-linux/BCD" => (11, 42),
            "bcd/windeploy-linux/BCD-efi" => (3, 20),
            _ => (17, 78),
        };
        let hive = real.hive();
        let found = contents(&hive);
        let elements: usize = found.values().map(Vec::len).sum();
        assert_eq!((found.len(), elements), expected, "{}", real.name);

        let store = Store::open(&hive).unwrap();
        for object in store.objects().unwrap() {
            let object = object.unwrap();
            object.object_type().unwrap();
            for element in object.elements().unwrap() {
                let element = element.unwrap();
                let value = element.value().unwrap();
                if let ElementValue::Device(data) = &value {
                    let device = Device::decode(data).unwrap();
                    assert!(
                        !matches!(device.target, Target::Unknown { .. }),
                        "{device}: {}",
                        real.name
                    );
                    if let Some(encoded) = device.encode() {
                        assert_eq!(&encoded, data, "{device}: {}", real.name);
                    }
                } else if element.id().format() != Format::String {
                    // Windows's tools leave a second terminator in some strings.
                    assert_eq!(value.encode(), element.data(), "{}", real.name);
                }
            }
        }
    }
}

#[test]
fn a_listing_shows_all_of_it_with_the_boot_manager_before_the_loaders() {
    for real in real_stores("a_listing_shows_all_of_it_with_the_boot_manager_before_the_loaders") {
        let hive = real.hive();
        let listing = Listing::new(&Store::open(&hive).unwrap(), false).unwrap();
        assert!(listing.problems.is_empty());
        assert_eq!(listing.sections.len(), contents(&hive).len());
        let text = listing.to_string();
        let at = |title: &str| text.find(title).unwrap();
        assert!(at("Windows Boot Manager\n----") < at("Windows Boot Loader\n----"));
        assert!(text.contains("identifier              {bootmgr}\n"));
        assert!(text.contains("default                 {default}\n"));
        for section in &listing.sections {
            assert!(section.problems.is_empty());
            for row in &section.rows {
                assert!(row.value.is_some());
                assert!(
                    !row.name.starts_with("custom:"),
                    "{} in {}",
                    row.name,
                    real.name
                );
            }
        }
    }
}

#[test]
fn the_loader_of_the_windows_folder_is_the_default_entry() {
    for real in real_stores("the_loader_of_the_windows_folder_is_the_default_entry") {
        let hive = real.hive();
        let store = Store::open(&hive).unwrap();
        let found = loader::find(&store, &windows()).unwrap();
        assert_eq!(found.chosen, Chosen::Default);
        assert_eq!(Some(found.loader.guid), store.default_entry().unwrap());
        assert_eq!(found.loader.is_efi(), Some(real.is_efi), "{}", real.name);
        assert!(found.others.is_empty());

        let elsewhere = Wanted {
            system_root: "\\Elsewhere".into(),
            ..Wanted::default()
        };
        let error = loader::find(&store, &elsewhere).unwrap_err().to_string();
        assert!(error.contains(&found.loader.guid.to_string()), "{error}");

        let here = found.loader.os_device.as_ref().and_then(Device::partition);
        if let Some(here) = here {
            let on = |partition| Wanted {
                partition: Some(partition),
                ..windows()
            };
            assert!(loader::find(&store, &on(here)).is_ok());
            let other = Partition::Mbr {
                signature: 1,
                offset: 1,
            };
            assert!(loader::find(&store, &on(other)).is_err());
        }
    }
}

#[test]
fn real_stores_are_sound_but_for_objects_that_windows_itself_left_out() {
    for real in real_stores("real_stores_are_sound") {
        let hive = real.hive();
        let report = check(hive.root().unwrap());
        assert!(report.is_sound(), "{}: {:#?}", real.name, report.problems);
        for problem in report.problems {
            assert_eq!(problem.level, Level::Note);
            assert!(
                matches!(problem.kind, ProblemKind::Dangling { .. }),
                "{problem}"
            );
        }
    }
}

#[test]
fn text_makes_the_same_store_again() {
    for real in real_stores("text_makes_the_same_store_again") {
        let hive = real.hive();
        let exported = Document::export(&hive.root().unwrap()).unwrap();
        let text = exported.to_string();
        assert!(!text.contains("[key"), "{}", real.name);
        let read = Document::parse(&text).unwrap();
        assert_eq!(read, exported);

        let mut editor = empty();
        read.import(&mut editor).unwrap();
        let again = Document::export(&editor.root().unwrap()).unwrap();
        assert_eq!(again.to_string(), text);
        assert_eq!(contents(&clean(file_of(editor))), contents(&hive));

        let mut editor = Editor::new(real.hive(), Filetime(1));
        read.import(&mut editor).unwrap();
        assert_eq!(editor.changes().len(), 0, "its own text changes nothing");
    }
}

#[test]
fn the_serial_console_is_turned_on_and_nothing_else_changes() {
    for real in real_stores("the_serial_console_is_turned_on_and_nothing_else_changes") {
        let before = contents(&real.hive());
        let loader = loader::find(&Store::open(&real.hive()).unwrap(), &windows());
        let loader = loader.unwrap().loader.guid;
        let mut editor = Editor::new(real.hive(), Filetime(1));
        let changes = serial_console(loader);
        for change in &changes {
            change.apply(&mut editor).unwrap();
        }
        let edits = editor.changes().len();
        assert!(edits > 0);
        for change in &changes {
            assert_eq!(change.apply(&mut editor).unwrap(), Outcome::Unchanged);
        }
        assert_eq!(editor.changes().len(), edits);

        let hive = clean(file_of(editor));
        let structure = diskmend_hive::check::check(&hive);
        assert!(
            structure.problems.is_empty(),
            "{}: {structure:?}",
            real.name
        );
        assert!(check(hive.root().unwrap()).is_sound());
        let store = Store::open(&hive).unwrap();
        let data = |object, element: ElementId| {
            let object = store.object(object).unwrap().unwrap();
            object.element(element).unwrap().unwrap().data().to_vec()
        };
        let integer = |number: u64| number.to_le_bytes().to_vec();
        assert_eq!(data(well_known::BOOTMGR, ElementId::DISPLAY_BOOT_MENU), [1]);
        assert_eq!(data(well_known::BOOTMGR, ElementId::TIMEOUT), integer(5));
        assert_eq!(data(well_known::BOOTMGR, ElementId::BOOT_EMS), [1]);
        assert_eq!(data(loader, ElementId::EMS), [1]);
        assert_eq!(
            data(well_known::EMSSETTINGS, ElementId::EMS_PORT),
            integer(1)
        );
        assert_eq!(
            data(well_known::EMSSETTINGS, ElementId::EMS_BAUD_RATE),
            integer(115_200)
        );

        let touched = [
            (well_known::BOOTMGR, ElementId::DISPLAY_BOOT_MENU),
            (well_known::BOOTMGR, ElementId::TIMEOUT),
            (well_known::BOOTMGR, ElementId::BOOT_EMS),
            (loader, ElementId::EMS),
            (well_known::EMSSETTINGS, ElementId::EMS_PORT),
            (well_known::EMSSETTINGS, ElementId::EMS_BAUD_RATE),
        ];
        let untouched = |contents: &Contents| {
            let mut rest = contents.clone();
            for (object, element) in touched {
                let name = element.to_string();
                if let Some(elements) = rest.get_mut(&object) {
                    elements.retain(|(key, ..)| *key != name);
                }
            }
            rest.entry(well_known::EMSSETTINGS).or_default();
            rest
        };
        assert_eq!(
            untouched(&contents(&hive)),
            untouched(&before),
            "{}",
            real.name
        );
    }
}
