//! A medium that loses what was not synced.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::Memory;
use crate::device::{Device, Medium};

/// What was asked of a medium.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write { offset: u64, data: Vec<u8> },
    SetLen(u64),
    Sync,
}

/// How much of an operation survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Survival {
    Nothing,
    All,
    FirstSector,
    AllButFirstSector,
}

const SURVIVALS: [Survival; 4] = [
    Survival::Nothing,
    Survival::All,
    Survival::FirstSector,
    Survival::AllButFirstSector,
];
/// Up to how many crashes between two syncs are tried.
const CRASHES: usize = 256;

/// Memory that remembers every operation, and can fail at one.
#[derive(Debug)]
pub(crate) struct Recorder {
    memory: Memory,
    initial: Vec<u8>,
    operations: Mutex<Vec<Operation>>,
    fails_at: Option<usize>,
}

impl Recorder {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            memory: Memory::new(bytes.clone()),
            initial: bytes,
            operations: Mutex::default(),
            fails_at: None,
        }
    }

    /// A device that fails at the operation with this number, counted from zero: once, and without
    /// doing anything.
    pub(crate) fn failing_at(bytes: Vec<u8>, number: usize) -> Self {
        Self {
            fails_at: Some(number),
            ..Self::new(bytes)
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.memory.bytes()
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What was done, in short: where each write went, and what came between.
    pub(crate) fn steps(&self) -> Vec<String> {
        let steps = self
            .operations()
            .into_iter()
            .map(|operation| match operation {
                Operation::Write { offset, data } => format!("write {} at {offset}", data.len()),
                Operation::SetLen(len) => format!("length {len}"),
                Operation::Sync => "sync".to_owned(),
            });
        steps.collect()
    }

    fn record(&self, operation: Operation) -> io::Result<()> {
        let mut operations = self
            .operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let number = operations.len();
        if self.fails_at == Some(number) {
            operations.push(Operation::Write {
                offset: 0,
                data: Vec::new(),
            });
            return Err(io::Error::other("this operation fails"));
        }
        operations.push(operation);
        Ok(())
    }

    /// Calls `check` with what a crash may have left: all that came before the last sync, and any
    /// part of what came after. The second argument says how many syncs were done.
    pub(crate) fn crashes(&self, mut check: impl FnMut(Vec<u8>, usize)) {
        let mut durable = self.initial.clone();
        let operations = self.operations();
        let epochs = operations.split(|operation| matches!(operation, Operation::Sync));
        for (syncs, epoch) in epochs.enumerate() {
            for survivals in choices(epoch.len()) {
                let mut image = durable.clone();
                for (operation, survival) in epoch.iter().zip(survivals) {
                    apply(&mut image, operation, survival);
                }
                check(image, syncs);
            }
            for operation in epoch {
                apply(&mut durable, operation, Survival::All);
            }
        }
    }
}

/// What may survive of `count` operations: everything possible, or samples of it if it is too much.
fn choices(count: usize) -> Vec<Vec<Survival>> {
    let all = u32::try_from(count)
        .ok()
        .and_then(|count| 4_usize.checked_pow(count))
        .filter(|all| *all <= CRASHES);
    let digits = |mut number: u64| {
        let choice = (0..count).map(move |_| {
            let digit = SURVIVALS[(number % 4) as usize];
            number /= 4;
            digit
        });
        choice.collect::<Vec<_>>()
    };
    if let Some(all) = all {
        return (0..all as u64).map(digits).collect();
    }
    let mut choices = Vec::new();
    for survival in SURVIVALS {
        choices.push(vec![survival; count]);
        for (other, index) in [(Survival::All, 0..count), (Survival::Nothing, 0..count)]
            .into_iter()
            .flat_map(|(other, range)| range.map(move |index| (other, index)))
        {
            let mut choice = vec![other; count];
            choice[index] = survival;
            choices.push(choice);
        }
    }
    choices.truncate(CRASHES);
    // A sequence of numbers that look random, the same each time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..64 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        choices.push(digits(state));
    }
    choices
}

fn apply(image: &mut Vec<u8>, operation: &Operation, survival: Survival) {
    match operation {
        Operation::Sync => {}
        Operation::SetLen(len) if survival == Survival::All => image.resize(*len as usize, 0),
        Operation::SetLen(_) => {}
        Operation::Write { offset, data } => {
            let first = data.len().min(512 - *offset as usize % 512);
            let range = match survival {
                Survival::Nothing => return,
                Survival::All => 0..data.len(),
                Survival::FirstSector => 0..first,
                Survival::AllButFirstSector => first..data.len(),
            };
            if range.is_empty() {
                return;
            }
            let at = *offset as usize + range.start;
            let end = at + range.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[at..end].copy_from_slice(&data[range]);
        }
    }
}

impl Device for Recorder {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.memory.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.record(Operation::Write {
            offset,
            data: data.to_vec(),
        })?;
        self.memory.write_all_at(data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.record(Operation::Sync)
    }
}

impl Medium for Recorder {
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.record(Operation::SetLen(len))?;
        self.memory.set_len(len)
    }
}
