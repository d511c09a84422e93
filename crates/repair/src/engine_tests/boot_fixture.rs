//! Boot stores like those of Windows setup, made element by element.

use diskmend_bcd::{Change, ElementId, ElementValue, Guid, ObjectType, Store, well_known};
use diskmend_hive::{EditError, Editor, Filetime, Hive, checksum};

use diskmend_disk::testing::FaultyDisk;

pub(super) const BIOS: &str = "Boot/BCD";
pub(super) const EFI: &str = "EFI/Microsoft/Boot/BCD";

/// The loader of a store.
pub(super) const LOADER: Guid = Guid::new(0x1b67_bffd, 0xe290, 0x11eb, [0x8f; 8]);
pub(super) const SECOND: Guid = Guid::new(0x1b67_bffe, 0xe290, 0x11eb, [0x8f; 8]);
pub(super) const RECOVERY: Guid = Guid::new(0x1b67_bfff, 0xe290, 0x11eb, [0x8f; 8]);

/// A self-relative security descriptor (MS-DTYP 2.4.6): Administrators are the owner and have all
/// rights.
const DESCRIPTOR: [u8; 84] = {
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    let mut bytes = [0; 84];
    let head: [u8; 36] = [
        1, 0, 4, 0x80, 52, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, // header
        2, 0, 32, 0, 1, 0, 0, 0, // DACL
        0, 2, 24, 0, 0x3f, 0, 0x0f, 0, // its ACE
    ];
    let mut at = 0;
    while at < 36 {
        bytes[at] = head[at];
        at += 1;
    }
    while at < 84 {
        bytes[at] = ADMINISTRATORS[(at - 36) % 16];
        at += 1;
    }
    bytes
};

/// A store under construction.
pub(super) struct Maker(Editor);

impl Maker {
    /// A boot manager, and as its default entry a loader of `\Windows`.
    pub(super) fn new(loader: &str) -> Self {
        let now = Filetime(133_485_408_000_000_000);
        let hive = Hive::create(3, &DESCRIPTOR, now).expect("valid");
        let mut maker = Self(Editor::new(hive, now));
        maker.0.create_key("Objects").expect("valid");
        maker.create(well_known::BOOTMGR, ObjectType::BOOT_MANAGER);
        maker.create(well_known::GLOBALSETTINGS, ObjectType::SETTINGS);
        let menu = ElementValue::ObjectList(vec![LOADER]);
        maker
            .loader(LOADER, loader, r"\Windows")
            .set(well_known::BOOTMGR, ElementId::DISPLAY_ORDER, menu)
            .set(
                well_known::BOOTMGR,
                ElementId::DEFAULT,
                ElementValue::Object(LOADER),
            )
            .set(
                well_known::BOOTMGR,
                ElementId::TIMEOUT,
                ElementValue::Integer(30),
            )
    }

    /// Adds settings for Emergency Management Services, as the images of clouds have them.
    pub(super) fn with_ems_settings(mut self) -> Self {
        self.create(well_known::EMSSETTINGS, ObjectType::SETTINGS);
        self.set(
            well_known::EMSSETTINGS,
            ElementId::BOOT_EMS,
            ElementValue::Boolean(false),
        )
    }

    /// Two loaders of one folder in the menu and one of Windows PE, and no default entry.
    pub(super) fn with_second_loader(self) -> Self {
        let path = r"\Windows\system32\winload.exe";
        self.without_default()
            .loader(SECOND, path, r"\WINDOWS")
            .loader(RECOVERY, path, r"\Windows")
            .set(RECOVERY, ElementId::WINPE, ElementValue::Boolean(true))
            .set(
                well_known::BOOTMGR,
                ElementId::DISPLAY_ORDER,
                ElementValue::ObjectList(vec![LOADER, SECOND]),
            )
    }

    /// Without a default entry.
    pub(super) fn without_default(mut self) -> Self {
        let delete = Change::DeleteElement {
            object: well_known::BOOTMGR,
            element: ElementId::DEFAULT,
        };
        delete.apply(&mut self.0).expect("valid");
        self
    }

    pub(super) fn loader(mut self, guid: Guid, path: &str, root: &str) -> Self {
        self.create(guid, ObjectType::LOADER);
        let text = |text: &str| ElementValue::String(text.to_owned());
        self.set(guid, ElementId::APPLICATION_PATH, text(path))
            .set(guid, ElementId::SYSTEM_ROOT, text(root))
            .set(guid, ElementId::DESCRIPTION, text("Windows Server"))
    }

    pub(super) fn set(mut self, object: Guid, element: ElementId, value: ElementValue) -> Self {
        let change = Change::SetElement {
            object,
            element,
            value,
        };
        change.apply(&mut self.0).expect("valid");
        self
    }

    fn create(&mut self, object: Guid, object_type: ObjectType) {
        let change = Change::CreateObject {
            object,
            object_type,
        };
        change.apply(&mut self.0).expect("valid");
    }

    /// The bytes of its hive.
    pub(super) fn bytes(self) -> Vec<u8> {
        finished(self.0)
    }

    /// Changes the loader so that it starts only the Windows in another folder.
    pub(super) fn loader_of_other_folder(self) -> Self {
        let folder = ElementValue::String(r"\Other".to_owned());
        self.set(LOADER, ElementId::SYSTEM_ROOT, folder)
    }
}

/// The bytes of a hive with the keys and values that `edit` makes.
pub(super) fn hive(edit: impl FnOnce(&mut Editor) -> Result<(), EditError>) -> Vec<u8> {
    let now = Filetime(133_485_408_000_000_000);
    let mut editor = Editor::new(Hive::create(5, &DESCRIPTOR, now).expect("valid"), now);
    edit(&mut editor).expect("valid");
    finished(editor)
}

/// The same hive, as if Windows had written it at another time.
pub(super) fn written_at(mut hive: Vec<u8>, time: u64) -> Vec<u8> {
    hive[12..20].copy_from_slice(&time.to_le_bytes());
    let sum = checksum(hive.first_chunk().expect("a base block"));
    hive[508..512].copy_from_slice(&sum.to_le_bytes());
    hive
}

fn finished(editor: Editor) -> Vec<u8> {
    let edited = editor.finish().expect("every edit succeeded");
    let mut file = edited.hive().image().file().to_vec();
    let sum = checksum(file.first_chunk().expect("a base block"));
    file[508..512].copy_from_slice(&sum.to_le_bytes());
    file
}

/// A store for BIOS, without settings for Emergency Management Services.
pub(super) fn bios() -> Maker {
    Maker::new(r"\Windows\system32\winload.exe")
}

/// A store for EFI.
pub(super) fn efi() -> Maker {
    Maker::new(r"\Windows\system32\winload.efi").with_ems_settings()
}

/// The value of an element of a store on a disk.
pub(super) fn element(
    disk: &FaultyDisk,
    path: &str,
    object: Guid,
    element: ElementId,
) -> Option<ElementValue> {
    let bytes = disk.files().remove(path).expect("a store");
    let opened = diskmend_hive::open(Box::new(bytes)).expect("a hive");
    let diskmend_hive::Opened::Clean(hive) = opened else {
        panic!("{path} is dirty");
    };
    let store = Store::open(&hive).expect("a store");
    let object = store.object(object).expect("readable")?;
    object.value(element).expect("readable")
}
