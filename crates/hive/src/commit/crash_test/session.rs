//! One commit, interrupted at every moment.

use crate::commit::crash_test::disk::{Disk, Effort, Op, Recorder, after_power_failure};
use crate::commit::{CommitPlan, HiveFileKind, Options, execute, plan};
use crate::hive::{Hive, Opened, open};
use crate::recover::{LogFormat, RecoverError};
use crate::time::Filetime;
use crate::verify::Committable;

/// The present time in all tests.
pub(super) const NOW: u64 = 5000;

/// The content of a hive without the parts that every commit changes: the bins without the first
/// bin's timestamp, and the fields of the base block.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum State {
    Hive {
        bins: Vec<u8>,
        root_cell: u32,
        flags: u32,
    },
    /// The hive is dirty and no log applies.
    Refused,
}

impl State {
    fn of(hive: &Hive) -> Self {
        let mut bins = hive.image().bins().to_vec();
        bins[20..28].fill(0);
        let base = hive.base_block();
        Self::Hive {
            bins,
            root_cell: base.root_cell.get(),
            flags: base.flags.get(),
        }
    }
}

/// Opens the hive on the disk, and recovers it if it is dirty.
pub(super) fn load(disk: &Disk) -> Result<Hive, RecoverError> {
    match open(Box::new(disk.primary())).expect("a hive") {
        Opened::Clean(hive) => Ok(hive),
        Opened::Dirty(hive) => hive.recover(&disk.logs()).map(|(hive, _)| hive),
    }
}

pub(super) fn state(disk: &Disk) -> State {
    match load(disk) {
        Ok(hive) => State::of(&hive),
        Err(RecoverError::NoLog(_)) => State::Refused,
        Err(other) => panic!("{other}"),
    }
}

/// A commit to be interrupted.
pub(super) struct Session<'a> {
    pub(super) name: String,
    pub(super) disk: Disk,
    pub(super) edit: &'a dyn Fn(&mut Hive),
    pub(super) format: Option<LogFormat>,
    /// Opens the hive as it is instead of recovering it.
    pub(super) assume_clean: bool,
    pub(super) effort: Effort,
}

/// The result of a session.
pub(super) struct Outcome {
    /// The disk after the whole commit.
    pub(super) disk: Disk,
    pub(super) new: State,
    /// The number of states that were opened.
    pub(super) tried: usize,
    /// Some of these states, to be interrupted again.
    pub(super) samples: Vec<Disk>,
}

pub(super) fn options(format: Option<LogFormat>) -> Options {
    Options {
        now: Filetime(NOW),
        format,
        with_log: true,
    }
}

impl Session<'_> {
    /// Commits, and opens every state that a power failure at any moment can leave.
    pub(super) fn run(&self) -> Outcome {
        let mut hive = match open(Box::new(self.disk.primary())).expect("a hive") {
            Opened::Clean(hive) => hive,
            Opened::Dirty(hive) if self.assume_clean => hive.assume_clean().expect("holds"),
            Opened::Dirty(hive) => hive.recover(&self.disk.logs()).expect("recovers").0,
        };
        // A hive that is opened as it is goes through that state.
        let mut states = vec![state(&self.disk), State::of(&hive)];
        (self.edit)(&mut hive);
        states.push(State::of(&hive));
        states.dedup_by(|a, b| a == b);
        let logs = self.disk.logs();
        let hive = Committable::from(hive);
        let plan = plan(&hive, &logs, &options(self.format)).expect("a plan");
        let mut recorder = Recorder::new(&self.disk);
        execute(&plan, &mut recorder).expect("executes");
        let (done, ops) = recorder.finish();
        self.check_changes(&plan, &done);

        let mut tried = 0;
        let mut samples = Vec::new();
        let mut reached = 0;
        // A failure between two flushes leaves no state that a failure just before the second flush
        // can't leave.
        let before_flush = |op: &Op| matches!(op, Op::Sync(_) | Op::SyncFolder);
        let moments =
            (0..=ops.len()).filter(|&count| count == 0 || ops.get(count).is_none_or(before_flush));
        for count in moments {
            let mut least = states.len() - 1;
            after_power_failure(&self.disk, &ops, count, self.effort, &mut |disk| {
                tried += 1;
                let state = state(disk);
                let Some(rank) = states.iter().position(|known| *known == state) else {
                    panic!("{}: after {count} steps: neither old nor new", self.name);
                };
                assert!(count > 0 || rank == 0, "{}: new too early", self.name);
                least = least.min(rank);
                if tried % 61 == 0 && samples.len() < 400 {
                    samples.push(disk.clone());
                }
            });
            assert!(least >= reached, "{}: after {count} steps: back", self.name);
            reached = least;
        }
        assert_eq!(reached, states.len() - 1, "{}: not durable", self.name);
        let new = states.pop().expect("there");
        self.check_done(&plan, &done, &new);
        Outcome {
            disk: done,
            new,
            tried,
            samples,
        }
    }

    /// Checks that the plan announces every change of each file.
    fn check_changes(&self, plan: &CommitPlan<'_>, done: &Disk) {
        for kind in HiveFileKind::ALL {
            let before = self.disk.file(kind);
            let after = done.file(kind);
            let Some(change) = plan.change(kind) else {
                assert!(before == after, "{}: {kind} changed", self.name);
                continue;
            };
            let (empty, name) = (Vec::new(), &self.name);
            assert_eq!(change.created, before.is_none(), "{name}: {kind}");
            let (before, after) = (before.unwrap_or(&empty), after.expect("there"));
            assert_eq!(change.len_before, before.len() as u64, "{name}: {kind}");
            assert_eq!(change.len_after, after.len() as u64, "{name}: {kind}");
            // An undo that saves these extents and the length restores the file.
            let mut undone = after.clone();
            undone.resize(before.len(), 0);
            for (offset, len) in change.extents {
                let start = (offset as usize).min(before.len());
                let end = ((offset + len) as usize).min(before.len());
                undone[start..end].copy_from_slice(&before[start..end]);
            }
            assert!(undone == *before, "{name}: {kind} changed elsewhere");
        }
    }

    fn check_done(&self, plan: &CommitPlan<'_>, done: &Disk, new: &State) {
        let Ok(Opened::Clean(hive)) = open(Box::new(done.primary())) else {
            panic!("{}: not clean afterwards", self.name);
        };
        assert!(State::of(&hive) == *new, "{}", self.name);
        let base = hive.base_block();
        assert_eq!(
            base.primary_sequence.get(),
            plan.sequence(),
            "{}",
            self.name
        );
        assert_eq!(
            base.last_written.get(),
            plan.last_written().0,
            "{}",
            self.name
        );
        assert!(
            done.primary()[512..4096] == self.disk.primary()[512..4096],
            "{}: the base block's rest changed",
            self.name
        );
        let hive = Committable::from(hive);
        let again = super::plan(&hive, &done.logs(), &options(self.format)).expect("a plan");
        assert!(
            again.steps().is_empty(),
            "{}: a second commit writes",
            self.name
        );
    }
}
