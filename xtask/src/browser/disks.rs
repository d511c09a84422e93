//! The disks whose reports are looked at.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use diskmend_hive::{Editor, Filetime, Hive, ValueType};
use diskmend_repair::testing::evtx::{Closed, LogWriter, Record};

use crate::fixtures::{HiveFile, root_descriptor};
use crate::program;

const CONFIG: &str = "Windows/System32/config";
const LOGS: &str = "Windows/System32/winevt/Logs";
/// Where the volume of an image begins, and its length.
const VOLUME_START: u64 = 1 << 20;
const VOLUME_LEN: u64 = 8 << 20;
const NOW: Filetime = Filetime(133_485_408_000_000_000);
const KERNEL: &str = "Microsoft-Windows-Kernel-General";
const SCM: &str = "Service Control Manager";

/// The texts on a disk that an attacker can choose.
pub(super) struct Texts {
    pub(super) computer: String,
    pub(super) product: String,
    /// A part of a key's name.
    pub(super) service: String,
    pub(super) path: String,
    pub(super) event: String,
    /// The label of a volume, with at most 32 characters.
    pub(super) label: String,
}

/// The number of scripts among the hostile texts, which set `window.__pwned`.
pub(super) const CANARIES: u32 = 6;

impl Texts {
    /// Texts of every kind that a page must not take for its own.
    pub(super) fn hostile() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            computer: text("<script>window.__pwned=1</script>\"'>&amp;\u{202e}\u{1b}[31m"),
            product: text(
                "</title></style><style>*{display:none}</style><img src=x onerror=window.__pwned=2>\u{7}",
            ),
            service: text("x\"><svg onload=window.__pwned=3><b data-pwned=\"' "),
            path: text("\"><iframe src=javascript:window.__pwned=4></iframe>\u{2066}\u{200b}.sys"),
            event: text(
                "<!-- --><a href=javascript:window.__pwned=5>a\n</pre></td></table>]]><meta http-equiv=refresh content=0;url=other.html>\u{202d}",
            ),
            label: text("<svg/onload=window.__pwned=6>\u{202e}"),
        }
    }

    /// Harmless texts in their places.
    pub(super) fn tame() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            computer: text("VM1"),
            product: text("Windows Server 2019"),
            service: text("x"),
            path: text("x.sys"),
            event: text("a"),
            label: text("OS"),
        }
    }
}

/// A disk on which nothing is a fault, with one clean boot.
pub(super) fn healthy(root: &Path) -> Result<()> {
    let texts = Texts::tame();
    write(root, &texts, |editor| listener(editor, 2))?;
    let start = Record::new(KERNEL, 12, "2026-05-01T08:00:00Z");
    let stop = Record::new(KERNEL, 13, "2026-05-01T20:00:00Z");
    log(root, &[start, stop])
}

/// A disk with several causes, in which these texts stand everywhere.
pub(super) fn broken(root: &Path, texts: &Texts) -> Result<()> {
    write(root, texts, |editor| {
        listener(editor, 0)?;
        let service = format!(r"ControlSet001\Services\{}", texts.service);
        number(editor, &service, "Start", 0)?;
        number(editor, &service, "Type", 1)?;
        text(editor, &service, "ImagePath", &texts.path)?;
        number(editor, r"ControlSet001\Services\TermService", "Start", 4)?;
        let tls = r"ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
        number(editor, tls, "Enabled", 0)
    })?;
    let start = |time| Record::new(KERNEL, 12, time);
    let failed = |time, param: &str| {
        Record::new(SCM, 7000, time)
            .source(SCM)
            .field("param1", param)
            .field("param2", "%%1058")
            .service(&texts.service)
    };
    let mut records = vec![
        start("2026-05-01T08:00:00Z"),
        Record::new(KERNEL, 13, "2026-05-01T09:00:00Z"),
        start("2026-05-01T10:00:00Z"),
        failed("2026-05-01T10:01:00Z", &texts.event),
        Record::new("Microsoft-Windows-Kernel-Power", 41, "2026-05-02T03:00:01Z"),
        start("2026-05-02T03:00:02Z"),
    ];
    records.push(failed("2026-05-02T03:01:00Z", &texts.path));
    log(root, &records)
}

/// An image of a disk with one NTFS volume.
pub(super) fn image(path: &Path, texts: &Texts) -> Result<()> {
    let volume = path.with_extension("ntfs");
    File::create(&volume)?.set_len(VOLUME_LEN)?;
    let (name, start) = (volume.to_string_lossy(), (VOLUME_START / 512).to_string());
    let make = [
        "--force",
        "--quiet",
        "--fast",
        "--sectors-per-track",
        "63",
        "--heads",
        "255",
        "--partition-start",
        &start,
        "--label",
        &texts.label,
        &*name,
    ];
    program::stdout(Path::new("mkntfs"), &make)?;
    let mut disk = vec![0; 512];
    // The first entry of the partition table: type, first sector, sectors.
    let (start, sectors) = (
        u32::try_from(VOLUME_START / 512)?,
        u32::try_from(VOLUME_LEN / 512)?,
    );
    let kind = [0, 0, 0, 0, 7, 0, 0, 0];
    let entry = [&kind[..], &start.to_le_bytes(), &sectors.to_le_bytes()];
    disk.splice(446..462, entry.concat());
    disk.splice(510..512, [0x55, 0xaa]);
    disk.resize(usize::try_from(VOLUME_START)?, 0);
    disk.extend(fs::read(&volume)?);
    fs::remove_file(&volume)?;
    fs::write(path, disk).with_context(|| path.display().to_string())
}

fn write(root: &Path, texts: &Texts, more: impl FnOnce(&mut Editor) -> Result<()>) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    fs::create_dir_all(root.join(CONFIG))?;
    fs::create_dir_all(root.join(LOGS))?;
    hive(root, "SYSTEM", |editor| {
        for (name, value) in [
            ("Current", 1),
            ("Default", 1),
            ("Failed", 0),
            ("LastKnownGood", 1),
        ] {
            number(editor, "Select", name, value)?;
        }
        let name = r"ControlSet001\Control\ComputerName\ComputerName";
        text(editor, name, "ComputerName", &texts.computer)?;
        more(editor)
    })?;
    hive(root, "SOFTWARE", |editor| {
        let version = r"Microsoft\Windows NT\CurrentVersion";
        text(editor, version, "ProductName", &texts.product)?;
        text(editor, version, "CurrentBuildNumber", "17763")
    })
}

fn listener(editor: &mut Editor, security: u32) -> Result<()> {
    let key = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    number(editor, key, "SecurityLayer", security)?;
    number(editor, key, "UserAuthentication", 1)
}

fn hive(root: &Path, name: &str, edit: impl FnOnce(&mut Editor) -> Result<()>) -> Result<()> {
    let mut editor = Editor::new(Hive::create(5, &root_descriptor(), NOW)?, NOW);
    edit(&mut editor)?;
    let edited = editor.finish()?;
    let file = HiveFile::seal(edited.hive(), name, 1, NOW)?;
    fs::write(root.join(CONFIG).join(name), file.0).context(CONFIG)
}

fn number(editor: &mut Editor, key: &str, name: &str, number: u32) -> Result<()> {
    editor.create_key(key)?;
    editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes())?;
    Ok(())
}

fn text(editor: &mut Editor, key: &str, name: &str, text: &str) -> Result<()> {
    editor.create_key(key)?;
    let units = text.encode_utf16().chain([0]);
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    editor.set_value(key, name, ValueType::SZ, &bytes)?;
    Ok(())
}

fn log(root: &Path, records: &[Record]) -> Result<()> {
    let mut log = LogWriter::new("System");
    records.iter().for_each(|record| log.add(record));
    let path = root.join(LOGS).join("System.evtx");
    fs::write(&path, log.finish(Closed::Clean)).with_context(|| path.display().to_string())
}
