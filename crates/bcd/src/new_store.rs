//! A new boot store for one Windows: what Windows setup writes, as far as stores of real machines
//! agree on it, without the recovery environment and entries of other systems.

use diskmend_base::Guid;
use diskmend_hive::{Corruption, EditError, Editor, Filetime, Hive, ValueType};

use crate::change::Change;
use crate::device::{Device, Partition, Target};
use crate::element_id::ElementId;
use crate::object_type::ObjectType;
use crate::value::ElementValue;
use crate::well_known::{
    BADMEMORY, BOOTLOADERSETTINGS, BOOTMGR, DBGSETTINGS, EMSSETTINGS, GLOBALSETTINGS,
    HYPERVISORSETTINGS, MEMDIAG, RESUMELOADERSETTINGS, by_guid,
};

/// The minor version of every boot store.
const MINOR_VERSION: u32 = 3;
/// The descriptor that Windows gives a store's root: Administrators own it, and they and SYSTEM have
/// all rights.
#[rustfmt::skip]
const DESCRIPTOR: [u8; 100] = [
    // SE_DACL_PRESENT, SE_SELF_RELATIVE; the offsets of owner, group, SACL and DACL.
    1, 0, 4, 0x80, 72, 0, 0, 0, 88, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0,
    // The DACL with two entries.
    2, 0, 52, 0, 2, 0, 0, 0,
    0, 0, 24, 0, 0x3f, 0, 0x0f, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0,
    0, 0, 20, 0, 0x3f, 0, 0x0f, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    // The owner is Administrators, the group SYSTEM.
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0,
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
];

const LOCALE: ElementId = ElementId(0x1200_0005);
const RECOVERY_ENABLED: ElementId = ElementId(0x1600_0009);
const BAD_MEMORY_ACCESS: ElementId = ElementId(0x1600_000b);
const DEBUG_TYPE: ElementId = ElementId(0x1500_0011);
const ISOLATED_CONTEXT: ElementId = ElementId(0x1600_0060);
const IN_MEMORY_SETTINGS: ElementId = ElementId(0x1700_0077);
const TOOLS_DISPLAY_ORDER: ElementId = ElementId(0x2400_0010);
const RESUME_OF_MANAGER: ElementId = ElementId(0x2300_0006);
const RESUME_OF_LOADER: ElementId = ElementId(0x2300_0003);
const NX: ElementId = ElementId(0x2500_0020);
const BOOT_MENU_POLICY: ElementId = ElementId(0x2500_00c2);
const RESUME_MENU_POLICY: ElementId = ElementId(0x2500_0008);
const HYPERVISOR_DEBUG_TYPE: ElementId = ElementId(0x2500_00f3);
const HYPERVISOR_DEBUG_PORT: ElementId = ElementId(0x2500_00f4);
const HYPERVISOR_BAUD_RATE: ElementId = ElementId(0x2500_00f5);
const RESUME_FILE_DEVICE: ElementId = ElementId(0x2100_0001);
const RESUME_FILE_PATH: ElementId = ElementId(0x2200_0002);

/// What a new store is about. Every file that it names must be there: nothing checks that here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStore {
    /// True for EFI firmware, false for a BIOS.
    pub is_efi: bool,
    /// The partition with the store and the boot manager.
    pub store: Partition,
    /// The partition with Windows.
    pub windows: Partition,
    /// The language of the boot manager, such as `en-US`.
    pub locale: String,
    /// The text in the boot menu.
    pub description: String,
    /// True for a server: it forbids the execution of data unless a program opts out.
    pub is_server: bool,
    /// The GUID of the loader.
    pub loader: Guid,
    /// The GUID of the program that resumes a hibernated Windows; `None` if it isn't there.
    pub resume: Option<Guid>,
    /// True if the memory tester is there.
    pub has_memory_tester: bool,
}

/// One object of a new store, with its elements.
pub type NewObject = (Guid, ObjectType, Vec<(ElementId, ElementValue)>);

/// An empty store: a hive with the keys that every store has.
///
/// # Errors
/// Never, but the layers below can't know that.
pub fn begin(now: Filetime) -> Result<Editor, NewStoreError> {
    let hive = Hive::create(MINOR_VERSION, &DESCRIPTOR, now)?;
    let mut editor = Editor::new(hive, now);
    editor.create_key("Objects")?;
    editor.create_key("Description")?;
    let text = "BCD00000000\0".encode_utf16();
    let name: Vec<u8> = text.flat_map(u16::to_le_bytes).collect();
    editor.set_value("Description", "KeyName", ValueType::SZ, &name)?;
    // The store from which the machine starts.
    for flag in ["System", "TreatAsSystem"] {
        editor.set_value("Description", flag, ValueType::DWORD, &1_u32.to_le_bytes())?;
    }
    Ok(editor)
}

/// The reason why an empty store could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewStoreError {
    /// The hive could not be made.
    #[error(transparent)]
    Hive(#[from] Corruption),
    /// A key or value could not be made.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl NewStore {
    /// The path of the boot manager's file below its partition, if the store names one.
    #[must_use]
    pub const fn manager_path(is_efi: bool) -> Option<&'static str> {
        if is_efi {
            Some(r"\EFI\Microsoft\Boot\bootmgfw.efi")
        } else {
            None
        }
    }

    /// The path of the memory tester below the partition of the store.
    #[must_use]
    pub const fn memory_tester_path(is_efi: bool) -> &'static str {
        if is_efi {
            r"\EFI\Microsoft\Boot\memtest.efi"
        } else {
            r"\Boot\memtest.exe"
        }
    }

    /// The path of the loader below the partition of Windows.
    #[must_use]
    pub const fn loader_path(is_efi: bool) -> &'static str {
        if is_efi {
            r"\Windows\system32\winload.efi"
        } else {
            r"\Windows\system32\winload.exe"
        }
    }

    /// The path of the program that resumes a hibernated Windows, below its partition.
    #[must_use]
    pub const fn resume_path(is_efi: bool) -> &'static str {
        if is_efi {
            r"\Windows\system32\winresume.efi"
        } else {
            r"\Windows\system32\winresume.exe"
        }
    }

    /// The objects of the store; `None` if a partition can't be written as a device.
    #[must_use]
    pub fn objects(&self) -> Option<Vec<NewObject>> {
        let device = |partition| {
            let device = Device {
                options: None,
                target: Target::Partition(partition),
            };
            device.encode().map(ElementValue::Device)
        };
        let (store, windows) = (device(self.store)?, device(self.windows)?);
        let mut objects = vec![self.manager(&store), self.loader(&windows)];
        objects.extend(self.resume.map(|guid| self.resumes(guid, &windows)));
        if self.has_memory_tester {
            objects.push(self.memory_tester(&store));
        }
        let settings = [
            (EMSSETTINGS, vec![(ElementId::BOOT_EMS, yes(false))]),
            // 4 is a debugger on this machine.
            (DBGSETTINGS, vec![(DEBUG_TYPE, ElementValue::Integer(4))]),
            (BADMEMORY, vec![]),
            (
                GLOBALSETTINGS,
                vec![inherit(&[DBGSETTINGS, EMSSETTINGS, BADMEMORY])],
            ),
            (
                BOOTLOADERSETTINGS,
                vec![inherit(&[GLOBALSETTINGS, HYPERVISORSETTINGS])],
            ),
            (
                HYPERVISORSETTINGS,
                vec![
                    (HYPERVISOR_DEBUG_TYPE, ElementValue::Integer(0)),
                    (HYPERVISOR_DEBUG_PORT, ElementValue::Integer(1)),
                    (HYPERVISOR_BAUD_RATE, ElementValue::Integer(115_200)),
                ],
            ),
            (RESUMELOADERSETTINGS, vec![inherit(&[GLOBALSETTINGS])]),
        ];
        for (guid, elements) in settings {
            objects.push((guid, by_guid(guid)?.object_type, elements));
        }
        Some(objects)
    }

    /// The changes that give an empty store these objects.
    #[must_use]
    pub fn changes(&self) -> Option<Vec<Change>> {
        let objects = self.objects()?.into_iter();
        let changes = objects.flat_map(|(object, object_type, elements)| {
            let create = Change::CreateObject {
                object,
                object_type,
            };
            let set = elements
                .into_iter()
                .map(move |(element, value)| Change::SetElement {
                    object,
                    element,
                    value,
                });
            std::iter::once(create).chain(set)
        });
        Some(changes.collect())
    }

    fn manager(&self, store: &ElementValue) -> NewObject {
        let mut elements = vec![(ElementId::APPLICATION_DEVICE, store.clone())];
        let path = Self::manager_path(self.is_efi);
        elements.extend(path.map(|path| (ElementId::APPLICATION_PATH, text(path))));
        elements.extend([
            (ElementId::DESCRIPTION, text("Windows Boot Manager")),
            (LOCALE, text(&self.locale)),
            inherit(&[GLOBALSETTINGS]),
            (ElementId::DEFAULT, ElementValue::Object(self.loader)),
        ]);
        let resume = self.resume.map(ElementValue::Object);
        elements.extend(resume.map(|guid| (RESUME_OF_MANAGER, guid)));
        let menu = ElementValue::ObjectList(vec![self.loader]);
        elements.push((ElementId::DISPLAY_ORDER, menu));
        if self.has_memory_tester {
            let tools = ElementValue::ObjectList(vec![MEMDIAG]);
            elements.push((TOOLS_DISPLAY_ORDER, tools));
        }
        elements.push((ElementId::TIMEOUT, ElementValue::Integer(30)));
        (BOOTMGR, ObjectType::BOOT_MANAGER, elements)
    }

    fn loader(&self, windows: &ElementValue) -> NewObject {
        let mut elements = vec![
            (ElementId::APPLICATION_DEVICE, windows.clone()),
            (
                ElementId::APPLICATION_PATH,
                text(Self::loader_path(self.is_efi)),
            ),
            (ElementId::DESCRIPTION, text(&self.description)),
            (LOCALE, text(&self.locale)),
            inherit(&[BOOTLOADERSETTINGS]),
            // The recovery environment is not looked for, so it is no part of the store.
            (RECOVERY_ENABLED, yes(false)),
            (ISOLATED_CONTEXT, yes(true)),
            (
                IN_MEMORY_SETTINGS,
                ElementValue::IntegerList(vec![0x1500_0075]),
            ),
            (ElementId::OS_DEVICE, windows.clone()),
            (ElementId::SYSTEM_ROOT, text(r"\Windows")),
        ];
        let resume = self.resume.map(ElementValue::Object);
        elements.extend(resume.map(|guid| (RESUME_OF_LOADER, guid)));
        elements.extend([
            (NX, ElementValue::Integer(u64::from(self.is_server))),
            (BOOT_MENU_POLICY, ElementValue::Integer(1)),
        ]);
        (self.loader, ObjectType::LOADER, elements)
    }

    fn resumes(&self, guid: Guid, windows: &ElementValue) -> NewObject {
        let elements = vec![
            (ElementId::APPLICATION_DEVICE, windows.clone()),
            (
                ElementId::APPLICATION_PATH,
                text(Self::resume_path(self.is_efi)),
            ),
            (ElementId::DESCRIPTION, text("Windows Resume Application")),
            (LOCALE, text(&self.locale)),
            inherit(&[RESUMELOADERSETTINGS]),
            (ISOLATED_CONTEXT, yes(true)),
            (
                IN_MEMORY_SETTINGS,
                ElementValue::IntegerList(vec![0x1500_0075]),
            ),
            (RESUME_FILE_DEVICE, windows.clone()),
            (RESUME_FILE_PATH, text(r"\hiberfil.sys")),
            (RESUME_MENU_POLICY, ElementValue::Integer(1)),
        ];
        (guid, ObjectType::RESUME, elements)
    }

    fn memory_tester(&self, store: &ElementValue) -> NewObject {
        let elements = vec![
            (ElementId::APPLICATION_DEVICE, store.clone()),
            (
                ElementId::APPLICATION_PATH,
                text(Self::memory_tester_path(self.is_efi)),
            ),
            (ElementId::DESCRIPTION, text("Windows Memory Diagnostic")),
            (LOCALE, text(&self.locale)),
            inherit(&[GLOBALSETTINGS]),
            (BAD_MEMORY_ACCESS, yes(true)),
        ];
        (MEMDIAG, ObjectType::MEMORY_TESTER, elements)
    }
}

fn text(text: &str) -> ElementValue {
    ElementValue::String(text.to_owned())
}

const fn yes(yes: bool) -> ElementValue {
    ElementValue::Boolean(yes)
}

fn inherit(from: &[Guid]) -> (ElementId, ElementValue) {
    (ElementId::INHERIT, ElementValue::ObjectList(from.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::loader::{self, Wanted};
    use crate::store::Store;

    fn new(is_efi: bool, full: bool) -> NewStore {
        let guid = |number: u8| Guid::new(number.into(), 1, 1, [1; 8]);
        let partition = |number: u8| {
            if is_efi {
                Partition::Gpt {
                    disk: guid(1),
                    partition: guid(number),
                }
            } else {
                Partition::Mbr {
                    signature: 7,
                    offset: u64::from(number) << 20,
                }
            }
        };
        NewStore {
            is_efi,
            store: partition(2),
            windows: partition(3),
            locale: "cs-CZ".to_owned(),
            description: "Windows".to_owned(),
            is_server: full,
            loader: guid(8),
            resume: full.then(|| guid(9)),
            has_memory_tester: full,
        }
    }

    /// The store is sound, its loader is the one that starts this Windows, and every object that it
    /// names is there.
    #[test]
    fn a_new_store_starts_its_windows() {
        for (is_efi, full) in [(false, false), (false, true), (true, false), (true, true)] {
            let new = new(is_efi, full);
            let mut editor = begin(Filetime(9)).expect("an empty store");
            for change in new.changes().expect("known devices") {
                change.apply(&mut editor).expect("possible");
            }
            let root = editor.root().expect("a root");
            let report = check::check(root);
            assert!(report.problems.is_empty(), "{:?}", report.problems);
            let store = Store::new(root).expect("a store");
            let wanted = Wanted {
                system_root: r"\Windows".to_owned(),
                partition: Some(new.windows),
                store: Some(new.store),
                disk: vec![
                    ("partition 2".to_owned(), new.store),
                    ("partition 3".to_owned(), new.windows),
                ],
            };
            let found = loader::find(&store, &wanted).expect("one loader");
            assert_eq!(found.loader.guid, new.loader);
            assert!(found.loader.is_default && found.loader.in_menu);
            assert!(found.others.is_empty());
            assert_eq!(store.default_entry().expect("readable"), Some(new.loader));
            let objects = new.objects().expect("known devices");
            for (_, _, elements) in &objects {
                for (_, value) in elements {
                    let named = match value {
                        ElementValue::Object(guid) => vec![*guid],
                        ElementValue::ObjectList(guids) => guids.clone(),
                        _ => Vec::new(),
                    };
                    for guid in named {
                        assert!(store.object(guid).expect("readable").is_some(), "{guid}");
                    }
                }
            }
        }
    }
}
