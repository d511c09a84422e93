//! Power failures during a commit, judged by Windows's own replay: Windows must load every state
//! that can be on the disk, and the state must hold either the old or the new values.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use diskmend_hive::commit::{HiveFileKind, Options, Step, plan};
use diskmend_hive::{
    Committable, Editor, Filetime, Hive, LogFormat, LogKind, Logs, Opened, Storage, ValueType,
};

use super::chkreg::{Chkreg, Verdict};

/// The environment variable that asks for every state instead of a sample.
const ALL: &str = "DISKMEND_ALL_CRASHES";
/// The number of states of one commit in a sample.
const SAMPLE: usize = 24;
const NOW: Filetime = Filetime(0x01DD_0000_0000_0000);

/// The files of a hive, by kind.
type Disk = BTreeMap<u8, Vec<u8>>;
/// The edit of a commit.
type Edit = fn(&mut Editor) -> Result<()>;

/// The content of a hive, without the time of the last write.
type State = Vec<u8>;

/// Interrupts the commits of some edits, and returns all states that fail.
///
/// # Errors
/// If a hive can't be read or edited, or chkreg does not run.
pub(super) fn run(chkreg: &Chkreg, fixtures: &Path, hives: &Path) -> Result<Vec<String>> {
    let cases: [(&str, std::path::PathBuf, Edit); 3] = [
        ("pages 0 and 1", fixtures.join("minor-5/hive"), first_pages),
        ("growth", fixtures.join("minor-5/hive"), growth),
        ("rdp-internal-error", hives.join("regipy/SYSTEM"), rdp),
    ];
    let mut failures = Vec::new();
    for (name, path, edit) in cases {
        let primary = std::fs::read(&path).with_context(|| path.display().to_string())?;
        for format in [LogFormat::New, LogFormat::Old] {
            let (tried, of, failed) = crash(chkreg, &primary, format, edit)?;
            println!("chkreg: {name}, {format}: {tried} of {of} states after a power failure");
            failures.extend(
                failed
                    .iter()
                    .map(|failed| format!("{name}, {format}: {failed}")),
            );
        }
    }
    Ok(failures)
}

/// Changes a value in the first page of the bins, and makes cells in the second.
fn first_pages(editor: &mut Editor) -> Result<()> {
    for index in 0..40 {
        editor.create_key(&format!("Pages\\{index}"))?;
    }
    editor.set_value("", "page", ValueType::DWORD, &[1, 0, 0, 0])?;
    Ok(())
}

fn growth(editor: &mut Editor) -> Result<()> {
    editor.set_value("", "big", ValueType::BINARY, &[7; 60_000])?;
    Ok(())
}

/// The registry values of the repair `rdp-internal-error`.
fn rdp(editor: &mut Editor) -> Result<()> {
    for set in ["ControlSet001", "ControlSet002"] {
        let tcp = format!("{set}\\Control\\Terminal Server\\WinStations\\RDP-Tcp");
        for (name, number) in [
            ("SecurityLayer", 0u32),
            ("UserAuthentication", 0),
            ("fAllowSecProtocolNegotiation", 1),
            ("MinEncryptionLevel", 1),
        ] {
            editor.create_key(&tcp)?;
            editor.set_value(&tcp, name, ValueType::DWORD, &number.to_le_bytes())?;
        }
    }
    Ok(())
}

/// Returns the number of states that were tried, the number of all states, and the failures.
fn crash(
    chkreg: &Chkreg,
    primary: &[u8],
    format: LogFormat,
    edit: Edit,
) -> Result<(usize, usize, Vec<String>)> {
    let before: Disk = [
        (index(HiveFileKind::Primary), primary.to_vec()),
        (index(HiveFileKind::Log(LogKind::Log1)), Vec::new()),
        (index(HiveFileKind::Log(LogKind::Log2)), Vec::new()),
    ]
    .into();
    let hive = load(&before)?;
    let old = state(&hive);
    let mut editor = Editor::new(hive, NOW);
    edit(&mut editor)?;
    let (edited, _) = editor.finish()?.skip_verification()?;
    let edited = Committable::from(edited);
    let new = state(&edited);
    let options = Options {
        now: NOW,
        format: Some(format),
        with_log: true,
    };
    let plan = plan(&edited, &logs(&before)?, &options)?;
    let states = states(&before, plan.steps());
    let step = match std::env::var_os(ALL) {
        Some(_) => 1,
        None => states.len().div_ceil(SAMPLE).max(1),
    };
    let folder = tempfile::tempdir()?;
    let mut failed = Vec::new();
    let mut tried = 0;
    for (what, disk) in states.iter().step_by(step) {
        tried += 1;
        match load(disk).map(|hive| state(&hive)) {
            Ok(found) if found == old || found == new => {}
            Ok(_) => failed.push(format!("{what}: neither old nor new")),
            Err(error) => failed.push(format!("{what}: {error:#}")),
        }
        let path = folder.path().join("HIVE");
        for kind in HiveFileKind::ALL {
            let path = folder.path().join(format!("HIVE{}", kind.suffix()));
            match disk.get(&index(kind)) {
                Some(bytes) => std::fs::write(path, bytes)?,
                None => drop(std::fs::remove_file(path)),
            }
        }
        if let Verdict::Rejected(why) = chkreg.check(&path)? {
            failed.push(format!("{what}: {why}"));
        }
    }
    Ok((tried, states.len(), failed))
}

/// The states that a power failure can leave. Of the writes before each flush, all are lost, all
/// are kept, only one is kept or half kept, or all are kept but one of them only half.
fn states(before: &Disk, steps: &[Step<'_>]) -> Vec<(String, Disk)> {
    let mut durable = before.clone();
    let mut pending: Vec<&Step<'_>> = Vec::new();
    let mut states = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let Step::Sync { .. } = step else {
            pending.push(step);
            continue;
        };
        let mut add = |what: &str, keep: &dyn Fn(usize) -> Keep| {
            let mut disk = durable.clone();
            for (index, step) in pending.iter().enumerate() {
                apply(&mut disk, step, keep(index));
            }
            states.push((format!("step {at}, {what}"), disk));
        };
        add("all lost", &|_| Keep::Nothing);
        for one in 0..pending.len() {
            let only = |keep| move |index: usize| if index == one { keep } else { Keep::Nothing };
            add(&format!("write {one} kept"), &only(Keep::All));
            add(&format!("write {one} torn"), &only(Keep::Half));
            let but = |index: usize| if index == one { Keep::Half } else { Keep::All };
            add(&format!("all but half of write {one}"), &but);
        }
        for step in pending.drain(..) {
            apply(&mut durable, step, Keep::All);
        }
        states.push((format!("step {at}, durable"), durable.clone()));
    }
    states
}

#[derive(Clone, Copy)]
enum Keep {
    Nothing,
    /// The first half in whole sectors, because a sector is either written or not.
    Half,
    All,
}

fn apply(disk: &mut Disk, step: &Step<'_>, keep: Keep) {
    const SECTOR: usize = 512;
    match step {
        Step::Create { file } if !matches!(keep, Keep::Nothing) => {
            disk.insert(index(*file), Vec::new());
        }
        Step::SetLen { file, len } if !matches!(keep, Keep::Nothing) => {
            if let Some(bytes) = disk.get_mut(&index(*file)) {
                bytes.resize(*len as usize, 0);
            }
        }
        Step::Write { file, offset, data } => {
            let len = match keep {
                Keep::Nothing => 0,
                Keep::Half => data.len() / 2 / SECTOR * SECTOR,
                Keep::All => data.len(),
            };
            let start = *offset as usize;
            let bytes = disk.entry(index(*file)).or_default();
            if len > 0 && bytes.len() < start + len {
                bytes.resize(start + len, 0);
            }
            if let (Some(place), Some(data)) = (bytes.get_mut(start..start + len), data.get(..len))
            {
                place.copy_from_slice(data);
            }
        }
        _ => {}
    }
}

fn index(kind: HiveFileKind) -> u8 {
    match kind {
        HiveFileKind::Primary => 0,
        HiveFileKind::Log(LogKind::Log) => 1,
        HiveFileKind::Log(LogKind::Log1) => 2,
        HiveFileKind::Log(LogKind::Log2) => 3,
    }
}

fn logs(disk: &Disk) -> Result<Logs> {
    let file = |kind| {
        let bytes = disk.get(&index(HiveFileKind::Log(kind)));
        bytes.map(|bytes| bytes as &dyn Storage)
    };
    let [log, log1, log2] = LogKind::ALL.map(file);
    let len = disk.get(&0).map_or(0, Vec::len) as u64;
    Ok(Logs::read(len, log, log1, log2)?)
}

fn load(disk: &Disk) -> Result<Hive> {
    let primary = disk.get(&0).context("a primary file")?;
    match diskmend_hive::open(Box::new(primary.clone()))? {
        Opened::Clean(hive) => Ok(hive),
        Opened::Dirty(dirty) => Ok(dirty.recover(&logs(disk)?)?.0),
    }
}

fn state(hive: &Hive) -> State {
    const TIMESTAMP: std::ops::Range<usize> = 20..28;
    let mut bins = hive.image().bins().to_vec();
    bins.get_mut(TIMESTAMP).unwrap_or_default().fill(0);
    bins
}
