//! Stores for tests: real ones from `DISKMEND_CORPUS`, and generated ones.

use std::path::PathBuf;

use diskmend_bcd::{Change, Device, ElementId, ElementValue, Guid, ObjectType, Target, well_known};
use diskmend_hive::{Editor, Filetime, Hive, Opened, checksum, open};

/// A real store, and whether it is for EFI firmware.
pub(crate) struct RealStore {
    pub(crate) name: &'static str,
    pub(crate) is_efi: bool,
    pub(crate) bytes: Vec<u8>,
}

impl RealStore {
    pub(crate) fn hive(&self) -> Hive {
        clean(self.bytes.clone())
    }
}

/// The real stores; prints a message if there are none.
pub(crate) fn real_stores(test: &str) -> Vec<RealStore> {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: {test} needs real boot stores, DISKMEND_CORPUS is not set");
        return Vec::new();
    };
    [
        ("bcd/windeploy-linux/BCD", false),
        ("bcd/windeploy-linux/BCD-efi", true),
        ("bcd/regipy/BCD", true),
    ]
    .into_iter()
    .map(|(name, is_efi)| RealStore {
        name,
        is_efi,
        bytes: std::fs::read(corpus.join(name)).expect(name),
    })
    .collect()
}

/// Opens a hive as it is on disk; a dirty hive is opened as it is.
pub(crate) fn clean(bytes: Vec<u8>) -> Hive {
    match open(Box::new(bytes)).expect("a hive") {
        Opened::Clean(hive) => hive,
        Opened::Dirty(hive) => hive.assume_clean().expect("a hive"),
    }
}

/// An editor of an empty hive.
pub(crate) fn empty() -> Editor {
    let hive = Hive::create(5, &[0; 20], Filetime(0)).expect("a hive");
    Editor::new(hive, Filetime(0))
}

/// The file of an edited hive.
pub(crate) fn file_of(editor: Editor) -> Vec<u8> {
    let edited = editor.finish().expect("all edits were made");
    let mut bytes = edited.hive().image().file().to_vec();
    let sum = checksum(bytes.first_chunk().expect("a base block"));
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    bytes
}

pub(crate) const LOADER: Guid = Guid::new(0x1234, 2, 3, [4; 8]);

/// A small store such as Windows creates: a boot manager, one loader, and the settings that they
/// inherit.
pub(crate) fn generated() -> Editor {
    let mut editor = empty();
    editor.create_key("Objects").expect("created");
    let text = |text: &str| ElementValue::String(text.into());
    let boot = Device {
        options: None,
        target: Target::Boot,
    };
    let boot = ElementValue::Device(boot.encode().expect("boot"));
    let create = |object, object_type| Change::CreateObject {
        object,
        object_type,
    };
    let set = |object, element, value| Change::SetElement {
        object,
        element,
        value,
    };
    use well_known::{BOOTMGR, EMSSETTINGS, GLOBALSETTINGS};
    for change in [
        create(BOOTMGR, ObjectType::BOOT_MANAGER),
        create(LOADER, ObjectType::LOADER),
        create(GLOBALSETTINGS, ObjectType::SETTINGS),
        create(EMSSETTINGS, ObjectType::SETTINGS),
        set(
            BOOTMGR,
            ElementId::INHERIT,
            ElementValue::ObjectList(vec![GLOBALSETTINGS]),
        ),
        set(
            GLOBALSETTINGS,
            ElementId::INHERIT,
            ElementValue::ObjectList(vec![EMSSETTINGS]),
        ),
        set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(LOADER)),
        set(
            BOOTMGR,
            ElementId::DISPLAY_ORDER,
            ElementValue::ObjectList(vec![LOADER]),
        ),
        set(BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(30)),
        set(LOADER, ElementId::OS_DEVICE, boot),
        set(LOADER, ElementId::SYSTEM_ROOT, text("\\Windows")),
        set(
            LOADER,
            ElementId::APPLICATION_PATH,
            text("\\Windows\\system32\\winload.exe"),
        ),
        set(LOADER, ElementId::DESCRIPTION, text("Windows Server")),
        set(
            LOADER,
            ElementId(0x1700_0077),
            ElementValue::IntegerList(vec![0x1500_0075]),
        ),
    ] {
        change.apply(&mut editor).expect("applied");
    }
    editor
}

/// The serial console's changes.
pub(crate) fn serial_console(loader: Guid) -> Vec<Change> {
    use well_known::{BOOTMGR, EMSSETTINGS};
    let set = |object, element, value| Change::SetElement {
        object,
        element,
        value,
    };
    vec![
        set(
            BOOTMGR,
            ElementId::DISPLAY_BOOT_MENU,
            ElementValue::Boolean(true),
        ),
        set(BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(5)),
        set(BOOTMGR, ElementId::BOOT_EMS, ElementValue::Boolean(true)),
        set(loader, ElementId::EMS, ElementValue::Boolean(true)),
        Change::CreateObject {
            object: EMSSETTINGS,
            object_type: ObjectType::SETTINGS,
        },
        set(EMSSETTINGS, ElementId::EMS_PORT, ElementValue::Integer(1)),
        set(
            EMSSETTINGS,
            ElementId::EMS_BAUD_RATE,
            ElementValue::Integer(115_200),
        ),
    ]
}
