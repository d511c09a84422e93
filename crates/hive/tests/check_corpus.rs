//! The check of real hives. It is known which of them are sound, and what is wrong with the others.

#![expect(clippy::expect_used, reason = "a missing file is the test's failure")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diskmend_hive::check::{ProblemKind as Kind, Report, check};
use diskmend_hive::{Hive, Logs, Opened, open};

/// The state in which a hive was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Clean,
    /// Dirty, recovered from its logs.
    Recovered,
    /// Dirty, opened as it is: no log applies.
    Assumed,
}

/// Every hive that is dirty or has a problem. All others are clean and have none.
#[rustfmt::skip]
const KNOWN: &[(&str, State, &[Kind])] = &[
    ("hivex/special", State::Clean, &[Kind::KeyNameCharacter]),
    ("regipy/SYSTEM_B", State::Recovered, &[]),
    ("regipy/UsrClass.dat", State::Recovered, &[]),
    // From one bin on, there are other data in place of bins.
    ("regipy/corrupted_system_hive", State::Clean, &[
        Kind::BinSignature, Kind::CellSize, Kind::CellNotAllocated, Kind::CellLeaked,
        Kind::SecurityLink, Kind::SecurityNotOnRing, Kind::SecurityReferenceCount,
    ]),
    // Two keys state the length 0 for the longest name of their subkeys.
    ("winevt-kb/SYSTEM", State::Clean, &[Kind::MaxSubkeyName]),
    // One list and one subkey have replaced others, to which nothing refers any more.
    ("yarp/BadListHive", State::Clean, &[
        Kind::CellReferencedTwice, Kind::CellLeaked, Kind::SecurityReferenceCount,
    ]),
    ("yarp/BadSubkeyHive", State::Clean, &[
        Kind::CellReferencedTwice, Kind::CellLeaked, Kind::SecurityReferenceCount,
    ]),
    ("yarp/BadLogHive1/BadLogHive", State::Assumed, &[]),
    ("yarp/BadLogHive3/BadLogHive", State::Assumed, &[Kind::CellLeaked]),
    ("yarp/BogusKeyNamesHive", State::Clean, &[Kind::KeyNameCharacter]),
    // The key U+009F has the hint of U+0081.
    ("yarp/CompHive", State::Clean, &[Kind::SubkeyHash]),
    ("yarp/DuplicateSubkeysHive", State::Clean, &[Kind::SubkeyDuplicate]),
    // The base block states one page of bins, but there are more.
    ("yarp/EffectiveSizeHive", State::Assumed, &[
        Kind::CellNotAllocated, Kind::CellLeaked, Kind::SubkeyCount, Kind::SecurityReferenceCount,
    ]),
    ("yarp/GarbageHive", State::Assumed, &[]),
    ("yarp/HealedHive", State::Clean, &[Kind::CellLeaked, Kind::SecurityReferenceCount]),
    // Windows 10 itself left these cells, also in the hive that it recovered.
    ("yarp/NewDirtyHive1/NewDirtyHive", State::Recovered, &[Kind::CellLeaked]),
    ("yarp/NewDirtyHive1/RecoveredHive_Windows10", State::Clean, &[Kind::CellLeaked]),
    ("yarp/OldDirtyHive/OldDirtyHive", State::Recovered, &[]),
    ("yarp/WrongOrderHive", State::Clean, &[Kind::SubkeyOrder]),
];

/// Files that can't be opened, with the start of the message.
const REFUSED: &[(&str, &str)] = &[
    (
        "yarp/BadBaseBlockHive/BadBaseBlockHive",
        "minor version at offset 0x18",
    ),
    ("yarp/TruncatedDirtyHive", "file length at offset 0x3000"),
    ("yarp/TruncatedHive", "file length at offset 0x3000"),
];

fn hives(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("corpus folder") {
        let path = entry.expect("corpus entry").path();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            hives(&path, found);
        } else if !extension.starts_with("LOG") {
            found.push(path);
        }
    }
}

fn logs(hive: &Path) -> Logs {
    let file = |extension| {
        let mut path = hive.as_os_str().to_owned();
        path.push(extension);
        let path = Path::new(&path);
        path.exists()
            .then(|| std::fs::read(path).expect("corpus file"))
    };
    let files = [file(".LOG"), file(".LOG1"), file(".LOG2")];
    let [log, log1, log2] = files.each_ref().map(|f| f.as_ref().map(|f| f as _));
    Logs::read(u64::MAX, log, log1, log2).expect("readable logs")
}

fn load(path: &Path) -> Result<(Hive, State), String> {
    let open = |path| open(Box::new(std::fs::read(path).expect("corpus file")));
    match open(path).map_err(|error| error.to_string())? {
        Opened::Clean(hive) => Ok((hive, State::Clean)),
        Opened::Dirty(dirty) => {
            if let Ok((hive, _)) = dirty.recover(&logs(path)) {
                return Ok((hive, State::Recovered));
            }
            let Ok(Opened::Dirty(dirty)) = open(path) else {
                unreachable!("it was dirty");
            };
            let hive = dirty.assume_clean().map_err(|error| error.to_string())?;
            Ok((hive, State::Assumed))
        }
    }
}

fn kinds(report: &Report) -> BTreeSet<Kind> {
    report.problems.iter().map(|problem| problem.kind).collect()
}

#[test]
fn real_hives_have_the_known_problems_only() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: no real hive is checked, DISKMEND_CORPUS is not set");
        return;
    };
    let mut files = Vec::new();
    hives(&corpus.join("hives"), &mut files);
    hives(&corpus.join("bcd"), &mut files);
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&corpus).expect("below the corpus");
        let path = path.to_string_lossy();
        let path = path.replace(std::path::MAIN_SEPARATOR, "/");
        let name = path.strip_prefix("hives/").unwrap_or(&path);
        let refused = REFUSED.iter().find(|row| row.0 == name);
        match load(file) {
            Ok((hive, state)) => {
                let report = check(&hive);
                let found = kinds(&report);
                println!(
                    "{name}: {state:?}, {} errors, {} warnings {found:?}, {:?}",
                    report.errors, report.warnings, report.content
                );
                let known = KNOWN.iter().find(|row| row.0 == name);
                let (_, known_state, known) = known.unwrap_or(&("", State::Clean, &[]));
                let known: BTreeSet<Kind> = known.iter().copied().collect();
                if refused.is_some() || (state, found) != (*known_state, known) {
                    wrong.push((name.to_owned(), report.problems));
                }
            }
            Err(message) => {
                println!("{name}: {message}");
                if refused.is_none_or(|row| !message.starts_with(row.1)) {
                    wrong.push((name.to_owned(), Vec::new()));
                }
            }
        }
    }
    assert_eq!(files.len(), 41);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
