//! `cargo xtask conformance --events`: python-evtx must read the same records of real event logs as
//! diskmend, with the same times and IDs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::python;
use crate::program;

/// The variables that name folders with logs.
const FOLDERS: [&str; 2] = ["DISKMEND_CORPUS", "DISKMEND_EVENT_LOGS"];
/// The greatest number of differences that are printed for one log.
const MOST_SHOWN: usize = 10;
/// Prints a line for each record: its number, its time, and its ID if it can be rendered. The time is
/// made from the number in the record, because python-evtx makes it from a rounded one.
const SCRIPT: &str = r#"
import datetime, re, sys
from Evtx.Evtx import Evtx
EPOCH = datetime.datetime(1601, 1, 1)
with Evtx(sys.argv[1]) as log:
    for chunk in log.chunks():
        try:
            for record in chunk.records():
                seconds, rest = divmod(record.unpack_qword(0x10), 10**7)
                time = (EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
                try:
                    found = re.search(r"<EventID[^>]*>(\d+)<", record.xml())
                except Exception:
                    found = None
                print(f"{record.record_num()}\t{time}.{rest:07}\t{found.group(1) if found else '-'}")
        except Exception as error:
            print(f"a chunk: {error!r}", file=sys.stderr)
"#;

/// What a program reads of a record: its time, in units of 100 ns, and its ID.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    time: String,
    id: Option<u64>,
}

/// The records of a log, by their numbers.
type Records = BTreeMap<u64, Read>;

/// What diskmend reads of a log.
struct Ours {
    records: Records,
    /// What it says is wrong with the log.
    problems: Vec<String>,
}

/// Compares every log below the folders that the variables name. Returns the number of failures.
///
/// # Errors
/// If there is no log, or a program fails.
pub(super) fn compare() -> Result<usize> {
    let mut logs = Vec::new();
    for folder in FOLDERS.iter().filter_map(std::env::var_os) {
        for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
            let path = entry?.into_path();
            if path
                .extension()
                .is_some_and(|extension| extension == "evtx")
            {
                logs.push(path);
            }
        }
    }
    if logs.is_empty() {
        bail!(
            "no *.evtx is below the folders in {}",
            FOLDERS.join(" and ")
        );
    }
    let python = python::install("python-evtx")?;
    let diskmend = program::diskmend(false)?;
    println!("| log | python-evtx | diskmend | same | only python-evtx | only diskmend |");
    println!("|---|---|---|---|---|---|");
    let (mut failures, mut all, mut same) = (0, 0, 0);
    for log in &logs {
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        let theirs = theirs(&python, log).with_context(|| name.clone().into_owned())?;
        let ours = ours(&diskmend, log).with_context(|| name.clone().into_owned())?;
        let equal = |(number, read): &(&u64, &Read)| {
            let our = ours.records.get(number);
            our.is_some_and(|our| our.time == read.time && (read.id.is_none() || our.id == read.id))
        };
        let agreed = theirs.iter().filter(equal).count();
        let lacking = theirs
            .keys()
            .filter(|number| !ours.records.contains_key(number));
        let lacking = lacking.count();
        let more = ours
            .records
            .keys()
            .filter(|number| !theirs.contains_key(number));
        println!(
            "| {name} | {} | {} | {agreed} | {lacking} | {} |",
            theirs.len(),
            ours.records.len(),
            more.count()
        );
        all += theirs.len();
        same += agreed;
        failures += report(&name, &theirs, &ours);
    }
    println!("{same} of the {all} records that python-evtx reads are the same");
    Ok(failures)
}

/// Prints what differs. A record that diskmend lacks is no failure if it says that it could not read
/// all of the log.
fn report(name: &str, theirs: &Records, ours: &Ours) -> usize {
    let mut failed = Vec::new();
    for (number, read) in theirs {
        match ours.records.get(number) {
            Some(our) if our.time != read.time || read.id.is_some() && our.id != read.id => {
                failed.push(format!(
                    "record {number}: {our:?}, python-evtx has {read:?}"
                ));
            }
            None if ours.problems.is_empty() => {
                failed.push(format!("only python-evtx has record {number}"));
            }
            _ => {}
        }
    }
    for failure in failed.iter().take(MOST_SHOWN) {
        println!("FAILED: {name}: {failure}");
    }
    for problem in &ours.problems {
        println!("{name}: diskmend says: {problem}");
    }
    failed.len()
}

fn theirs(python: &Path, log: &Path) -> Result<Records> {
    let log = log.to_string_lossy();
    let text = program::stdout(python, &["-c", SCRIPT, &*log])?;
    let text = String::from_utf8(text).context("the output of python-evtx")?;
    let record = |line: &str| {
        let mut fields = line.split('\t');
        let number = fields.next()?.parse().ok()?;
        let time = fields.next()?.to_owned();
        let id = fields.next()?.parse().ok();
        Some((number, Read { time, id }))
    };
    let records = text
        .lines()
        .map(|line| record(line).context(line.to_owned()));
    records.collect()
}

/// Lets diskmend read the log as the log System of a Windows.
fn ours(diskmend: &Path, log: &Path) -> Result<Ours> {
    let volume = tempfile::tempdir()?;
    let folder: PathBuf = volume.path().join("Windows/System32/winevt/Logs");
    std::fs::create_dir_all(&folder)?;
    std::fs::create_dir_all(volume.path().join("Windows/System32/config"))?;
    std::fs::copy(log, folder.join("System.evtx"))?;
    let target = volume.path().to_string_lossy();
    // A text that every provider has makes it show all events, known or not.
    let arguments = [
        "events",
        &*target,
        "--since",
        "all",
        "--provider",
        "",
        "--json",
    ];
    let json = program::stdout(diskmend, &arguments)?;
    let report: Value = serde_json::from_slice(&json)?;
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned();
    let events = list(&report, "events").context("no events")?;
    let record = |event: &Value| {
        let time = exact(event.get("time")?.as_str()?);
        let id = event.get("id")?.as_u64();
        Some((event.get("record")?.as_u64()?, Read { time, id }))
    };
    let records = events.iter().map(|event| record(event).context("an event"));
    let logs = list(&report, "logs").context("no logs")?;
    let problems = logs
        .iter()
        .filter_map(|log| list(log, "problems"))
        .flatten();
    let problems = problems.filter_map(|problem| Some(problem.as_str()?.to_owned()));
    // A log that was not closed is read to its last record.
    let problems = problems.filter(|problem| !problem.starts_with("it was not closed"));
    Ok(Ours {
        records: records.collect::<Result<_>>()?,
        problems: problems.collect(),
    })
}

/// A time as the script prints it: in units of 100 ns, without the letter for UTC.
fn exact(time: &str) -> String {
    let time = time.trim_end_matches('Z');
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fraction: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    format!("{seconds}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_exactly() {
        assert_eq!(exact("2026-05-01T10:00:00Z"), "2026-05-01T10:00:00.0000000");
        assert_eq!(
            exact("2026-05-01T10:00:00.1234567Z"),
            "2026-05-01T10:00:00.1234567"
        );
    }

    #[test]
    fn a_time_or_an_id_that_differs_is_a_failure_and_a_record_that_is_told_to_be_lost_is_none() {
        let read = |time: &str, id| Read {
            time: time.to_owned(),
            id,
        };
        let theirs = Records::from([(1, read("a", Some(5))), (2, read("b", None))]);
        let ours = |records, problems: &[&str]| Ours {
            records,
            problems: problems.iter().map(|&problem| problem.to_owned()).collect(),
        };
        let both = Records::from([(1, read("a", Some(5))), (2, read("b", Some(7)))]);
        assert_eq!(report("log", &theirs, &ours(both, &[])), 0);
        let other_time = Records::from([(1, read("x", Some(5))), (2, read("b", None))]);
        assert_eq!(report("log", &theirs, &ours(other_time, &["damaged"])), 1);
        let other_id = Records::from([(1, read("a", Some(6))), (2, read("b", None))]);
        assert_eq!(report("log", &theirs, &ours(other_id, &[])), 1);
        let lost = || Records::from([(1, read("a", Some(5)))]);
        assert_eq!(report("log", &theirs, &ours(lost(), &[])), 1);
        assert_eq!(report("log", &theirs, &ours(lost(), &["damaged"])), 0);
    }
}
