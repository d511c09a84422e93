//! Small boot stores on which the commands are run.

use std::fs;
use std::path::{Path, PathBuf};

use diskmend_bcd::well_known::{BOOTMGR, EMSSETTINGS, GLOBALSETTINGS};
use diskmend_bcd::{Change, Device, ElementId, ElementValue, Guid, ObjectType, Target};
use diskmend_hive::{Editor, checksum};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::hive_file;
use crate::program::{Run, diskmend};

/// The loader, which is the default entry.
pub(crate) const LOADER: Guid = Guid::new(0x1234_abcd, 2, 3, [4; 8]);
/// An element without documentation.
pub(crate) const UNKNOWN: ElementId = ElementId(0x2600_0fff);

pub(crate) const BIOS: [&str; 2] = ["Boot", "BCD"];
pub(crate) const EFI: [&str; 4] = ["EFI", "Microsoft", "Boot", "BCD"];

/// A folder with boot stores in the places where Windows has them.
pub(crate) struct Disk {
    pub(crate) folder: TempDir,
    store: PathBuf,
}

impl Disk {
    /// A disk with a generated store.
    pub(crate) fn new(place: &[&str]) -> Self {
        let disk = Self::empty(place);
        hive_file(&disk.store, store);
        disk
    }

    /// A disk with a store of these bytes.
    pub(crate) fn of(place: &[&str], bytes: &[u8]) -> Self {
        let disk = Self::empty(place);
        fs::write(&disk.store, bytes).expect("a writable folder");
        disk
    }

    fn empty(place: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let store: PathBuf = place.iter().fold(folder.path().to_owned(), |path, name| {
            fs::create_dir_all(&path).expect("a writable folder");
            path.join(name)
        });
        Self { folder, store }
    }

    /// The path of its root, as an argument.
    pub(crate) fn root(&self) -> &str {
        self.folder.path().to_str().expect("UTF-8")
    }

    /// The path of the store's file, as an argument.
    pub(crate) fn store(&self) -> &str {
        self.store.to_str().expect("UTF-8")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.store).expect("readable")
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        fs::write(&self.store, bytes).expect("writable");
    }

    /// Runs `diskmend bcd VERB ROOT ...`.
    pub(crate) fn bcd(&self, verb: &str, args: &[&str]) -> Run {
        let mut all = vec!["bcd", verb, self.root()];
        all.extend(args);
        diskmend(all)
    }

    /// The object in the output of `show --json`.
    pub(crate) fn object(&self, name: &str) -> Value {
        let document = self.bcd("show", &[name, "--json"]).ends(0).json();
        document["objects"][0].clone()
    }

    /// The element in the output of `show --json`; null if there is none.
    pub(crate) fn element(&self, object: &str, id: &str) -> Value {
        let object = self.object(object);
        let elements = object["elements"].as_array().expect("a list");
        let found = elements.iter().find(|element| element["id"] == id);
        found.cloned().unwrap_or(Value::Null)
    }

    /// Undoes the last run, and checks that the store has these bytes again.
    #[track_caller]
    pub(crate) fn undo_to(&self, before: &[u8]) {
        diskmend(["undo", self.root(), "--yes"]).ends(0);
        assert!(self.bytes() == before, "the store is not as it was");
    }
}

/// Makes the store dirty, as if it was not closed after its last edit: its bytes are those `before`
/// the edit, with the time that the edit gave to the base block, and the logs are those of the
/// edit.
pub(crate) fn reopen(disk: &Disk, before: &[u8]) {
    let mut dirty = before.to_vec();
    dirty[12..20].copy_from_slice(&disk.bytes()[12..20]);
    dirty[4] = dirty[4].wrapping_add(1);
    let sum = checksum(dirty.first_chunk().expect("a base block"));
    dirty[508..512].copy_from_slice(&sum.to_le_bytes());
    disk.write(&dirty);
}

pub(crate) fn text(text: &str) -> ElementValue {
    ElementValue::String(text.into())
}

pub(crate) fn create(object: Guid, object_type: ObjectType) -> Change {
    Change::CreateObject {
        object,
        object_type,
    }
}

pub(crate) fn set(object: Guid, element: ElementId, value: ElementValue) -> Change {
    Change::SetElement {
        object,
        element,
        value,
    }
}

/// A store like those of Windows: a boot manager, one loader, and the settings that they inherit.
pub(crate) fn store(editor: &mut Editor) {
    let boot = Device {
        options: None,
        target: Target::Boot,
    };
    let boot = ElementValue::Device(boot.encode().expect("boot"));
    let list = |guid| ElementValue::ObjectList(vec![guid]);
    editor.create_key("Objects").expect("valid");
    for change in [
        create(BOOTMGR, ObjectType::BOOT_MANAGER),
        create(LOADER, ObjectType::LOADER),
        create(GLOBALSETTINGS, ObjectType::SETTINGS),
        create(EMSSETTINGS, ObjectType::SETTINGS),
        set(BOOTMGR, ElementId::INHERIT, list(GLOBALSETTINGS)),
        set(GLOBALSETTINGS, ElementId::INHERIT, list(EMSSETTINGS)),
        set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(LOADER)),
        set(BOOTMGR, ElementId::DISPLAY_ORDER, list(LOADER)),
        set(BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(30)),
        set(LOADER, ElementId::OS_DEVICE, boot),
        set(LOADER, ElementId::SYSTEM_ROOT, text("\\Windows")),
        set(LOADER, ElementId::DESCRIPTION, text("Windows Server")),
        set(LOADER, UNKNOWN, ElementValue::Boolean(true)),
    ] {
        change.apply(editor).expect("valid");
    }
}

/// Makes a store file with the objects of [`store`] and the changes `more`.
pub(crate) fn store_file(path: &Path, more: &[Change]) {
    hive_file(path, |editor| {
        store(editor);
        for change in more {
            change.apply(editor).expect("valid");
        }
    });
}
