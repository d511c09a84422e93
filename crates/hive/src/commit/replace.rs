//! Plans writing a hive as a whole, in place of a file that can't be read or doesn't exist.

use std::borrow::Cow;

use crate::commit::error::CommitError;
use crate::commit::files::HiveFileKind;
use crate::commit::numbers::{free_numbers, old_logs};
use crate::commit::plan::{CommitPlan, Step};
use crate::commit::steps::stamped;
use crate::recover::{LogKind, Logs};
use crate::time::Filetime;
use crate::verify::Committable;

/// Plans writing the whole hive to a file of `old_len` bytes, or to a new file if that is `None`.
/// Nothing is written. `logs` are the logs beside the file. They stay as they are: the hive is
/// clean, with a sequence number that follows those of all logs, so that none applies.
///
/// The base block is written last. If the process is killed before that, the file holds the old
/// base block or none. What is in the file is lost: the caller must be able to restore the old
/// bytes.
///
/// # Errors
/// [`CommitError::NoSequence`] if the logs leave no sequence number.
pub fn replace<'a>(
    hive: &'a Committable,
    logs: &Logs,
    old_len: Option<u64>,
    now: Filetime,
) -> Result<CommitPlan<'a>, CommitError> {
    const FILE: HiveFileKind = HiveFileKind::Primary;
    let image = hive.image();
    let sequence = free_numbers(1, 1, &old_logs(logs))?.first;
    let mut base = image.base_block().clone();
    base.bins_len = (image.bins_len() as u32).into();
    let head = stamped(&base, sequence, sequence, now);
    let rest = image.bytes_from(head.len());
    let len = (head.len() + rest.len()) as u64;
    let mut steps = Vec::new();
    match old_len {
        None => steps.push(Step::Create { file: FILE }),
        Some(old) if old > len => steps.push(Step::SetLen { file: FILE, len }),
        Some(_) => {}
    }
    steps.push(Step::Write {
        file: FILE,
        offset: head.len() as u64,
        data: Cow::Borrowed(rest),
    });
    steps.push(Step::Sync { file: FILE });
    steps.push(Step::Write {
        file: FILE,
        offset: 0,
        data: Cow::Owned(head),
    });
    steps.push(Step::Sync { file: FILE });
    if old_len.is_none() {
        steps.push(Step::SyncFolder);
    }
    let existing = LogKind::ALL.into_iter().filter_map(|kind| {
        let len = logs.file(kind)?.len;
        Some((HiveFileKind::Log(kind), len))
    });
    Ok(CommitPlan {
        steps,
        lens: existing.chain(old_len.map(|len| (FILE, len))).collect(),
        sequence,
        last_written: now,
        log: None,
        recovers: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::{Hive, Opened};
    use crate::{Editor, ValueType, open};

    fn made() -> Committable {
        let hive = Hive::create(3, &[0; 20], Filetime(5)).expect("a hive");
        let mut editor = Editor::new(hive, Filetime(5));
        editor.create_key("Objects").expect("a key");
        editor
            .set_value("Objects", "Big", ValueType::BINARY, &[7; 6000])
            .expect("a value");
        let edited = editor.finish().expect("every edit succeeded");
        edited.skip_verification().expect("as edited").0.into()
    }

    /// The file after the first `steps` steps.
    fn after(plan: &CommitPlan<'_>, old: Option<&[u8]>, steps: usize) -> Option<Vec<u8>> {
        let mut file = old.map(<[u8]>::to_vec);
        for step in plan.steps().iter().take(steps) {
            match step {
                Step::Create { .. } => file = Some(Vec::new()),
                Step::SetLen { len, .. } => {
                    file.as_mut()?.resize(usize::try_from(*len).ok()?, 0);
                }
                Step::Write { offset, data, .. } => {
                    let file = file.as_mut()?;
                    let at = usize::try_from(*offset).ok()?;
                    if file.len() < at + data.len() {
                        file.resize(at + data.len(), 0);
                    }
                    file[at..at + data.len()].copy_from_slice(data);
                }
                Step::Sync { .. } | Step::SyncFolder => {}
            }
        }
        file
    }

    /// Whatever was in the file, it is a clean hive of the right length at the end, and no hive
    /// before the last write.
    #[test]
    fn the_hive_is_whole_or_not_there() {
        let hive = made();
        let long = [0xa5; 60_000];
        for old in [None, Some(&[][..]), Some(b"no hive"), Some(&long)] {
            let old_len = old.map(|old| old.len() as u64);
            let plan = replace(
                &hive,
                &Logs::read(0, None, None, None).expect("none"),
                old_len,
                Filetime(9),
            )
            .expect("a plan");
            let change = plan.change(HiveFileKind::Primary).expect("a change");
            assert_eq!(change.created, old.is_none());
            assert_eq!(change.len_before, old_len.unwrap_or(0));
            let done = plan.steps().len();
            let last = plan
                .steps()
                .iter()
                .rposition(|step| matches!(step, Step::Write { .. }))
                .expect("a write");
            for steps in 0..=last {
                let file = after(&plan, old, steps);
                let opened = file.map(|file| open(Box::new(file)));
                assert!(!matches!(opened, Some(Ok(Opened::Clean(_)))), "{steps}");
            }
            let file = after(&plan, old, done).expect("a file");
            assert_eq!(file.len() as u64, change.len_after);
            let Ok(Opened::Clean(read)) = open(Box::new(file)) else {
                panic!("not clean");
            };
            let key = read.key("Objects").expect("readable").expect("there");
            let value = key.value("Big").expect("readable").expect("there");
            assert_eq!(value.data().expect("readable").len(), 6000);
        }
    }
}
