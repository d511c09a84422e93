//! Small hives on which the commands are run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use diskmend_hive::{Editor, Filetime, Hive, ValueType, checksum};
use tempfile::TempDir;

use crate::program::diskmend;

/// 2024-01-01 00:00 UTC.
const NOW: Filetime = Filetime(133_485_408_000_000_000);

/// A self-relative security descriptor (MS-DTYP 2.4.6). Owner and group are Administrators, and the
/// only ACE of its DACL gives them all rights.
fn descriptor() -> Vec<u8> {
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    const HEADER_LEN: u32 = 20;
    const DACL_LEN: u8 = 8 + 8 + 16;
    let sid = HEADER_LEN + u32::from(DACL_LEN);
    let mut bytes = vec![1, 0, 0x04, 0x80];
    for offset in [sid, sid, 0, HEADER_LEN] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0, DACL_LEN, 0, 1, 0, 0, 0]);
    bytes.extend([0, 2, 24, 0, 0x3f, 0, 0x0f, 0]);
    bytes.extend(ADMINISTRATORS);
    bytes.extend(ADMINISTRATORS);
    bytes
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Makes a hive file with the keys and values that `edit` makes.
pub(crate) fn hive_file(path: &Path, edit: impl FnOnce(&mut Editor)) {
    let hive = Hive::create(5, &descriptor(), NOW).expect("valid");
    let mut editor = Editor::new(hive, NOW);
    edit(&mut editor);
    let edited = editor.finish().expect("every edit succeeded");
    let mut file = edited.hive().image().file().to_vec();
    let sum = checksum(file.first_chunk().expect("a base block"));
    file[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(path, file).expect("a writable folder");
}

/// A folder with a hive `SYSTEM`, which has two control sets with the values that the recipes use.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        hive_file(&folder.path().join("SYSTEM"), system);
        Self { folder }
    }

    /// The path of the hive.
    pub(crate) fn system(&self) -> PathBuf {
        self.path("SYSTEM")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A folder with a Windows volume: a SYSTEM hive, and the files for which the guards look.
pub(crate) struct Volume {
    pub(crate) folder: TempDir,
}

impl Volume {
    /// A volume with the hive of [`Fixture`].
    pub(crate) fn new() -> Self {
        let volume = Self::empty();
        hive_file(&volume.system(), system);
        volume
    }

    /// A volume with the hive and logs of one of the repository's fixtures.
    pub(crate) fn of_fixture(name: &str) -> Self {
        let volume = Self::empty();
        copy_fixture(name, &volume.config());
        volume
    }

    fn empty() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let volume = Self { folder };
        fs::create_dir_all(volume.config()).expect("a writable folder");
        volume
    }

    /// The path of its root, as an argument.
    pub(crate) fn root(&self) -> &str {
        self.folder.path().to_str().expect("UTF-8")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder
            .path()
            .join("Windows")
            .join("System32")
            .join("config")
    }

    pub(crate) fn system(&self) -> PathBuf {
        self.config().join("SYSTEM")
    }

    /// The files in the folder of hives, with their bytes.
    pub(crate) fn hives(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.config())
    }

    /// The data of a `REG_DWORD` in the hive, in the output of `hive get`.
    pub(crate) fn dword(&self, key: &str, name: &str) -> Option<u64> {
        let file = self.system();
        let file = file.to_str().expect("UTF-8");
        let run = diskmend(["hive", "get", file, key, name, "--json"]);
        match run.code {
            0 => run.json()["data"].as_u64(),
            _ => None,
        }
    }
}

/// The files of a folder with their bytes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("readable");
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

/// Copies the hive files of one of the repository's fixtures.
pub(crate) fn copy_fixture(name: &str, to: &Path) {
    let from: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "fixtures", name]
        .iter()
        .collect();
    for (name, bytes) in files(&from) {
        if name != "recipe.toml" {
            fs::write(to.join(name), bytes).expect("a writable folder");
        }
    }
}

/// The content of a small SYSTEM hive.
pub(crate) fn system(editor: &mut Editor) {
    let mut dword = |key: &str, name: &str, number: u32| {
        editor.create_key(key).expect("valid");
        editor
            .set_value(key, name, ValueType::DWORD, &number.to_le_bytes())
            .expect("valid");
    };
    for (name, number) in [
        ("Current", 1),
        ("Default", 1),
        ("Failed", 0),
        ("LastKnownGood", 2),
    ] {
        dword("Select", name, number);
    }
    for set in ["ControlSet001", "ControlSet002"] {
        dword(
            &format!(r"{set}\Control\CrashControl"),
            "CrashDumpEnabled",
            7,
        );
        let tls = format!(r"{set}\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server");
        dword(&tls, "Enabled", 0);
        let rdp = format!(r"{set}\Control\Terminal Server\WinStations\RDP-Tcp");
        dword(&rdp, "SecurityLayer", 0);
        dword(&rdp, "UserAuthentication", 1);
    }
    for (name, value_type, data) in every_type() {
        editor.create_key("Setup").expect("valid");
        editor
            .set_value("Setup", name, value_type, &data)
            .expect("valid");
    }
}

/// A value of each type that is shown in a way of its own.
pub(crate) fn every_type() -> Vec<(&'static str, ValueType, Vec<u8>)> {
    vec![
        ("", ValueType::SZ, utf16("the default\0")),
        ("None", ValueType::NONE, vec![]),
        ("Sz", ValueType::SZ, utf16("a text\0")),
        ("Expand", ValueType::EXPAND_SZ, utf16("%SystemRoot%\\x\0")),
        ("Binary", ValueType::BINARY, vec![0, 1, 0xfe, 0xff]),
        ("Big", ValueType::BINARY, vec![0x5a; 20_000]),
        ("Dword", ValueType::DWORD, vec![0x3d, 0x0d, 0, 0]),
        ("DwordBe", ValueType::DWORD_BIG_ENDIAN, vec![0, 0, 0, 1]),
        ("Multi", ValueType::MULTI_SZ, utf16("one\0two\0\0")),
        ("Qword", ValueType::QWORD, vec![1, 0, 0, 0, 0, 0, 0, 0x80]),
        ("Odd", ValueType(0x1234), vec![1]),
        ("Short", ValueType::DWORD, vec![1, 2]),
    ]
}
