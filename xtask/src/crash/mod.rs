//! `cargo xtask crash`: recording the program's system calls, and cutting the power after each of
//! them.
//!
//! No part of the program is replaced. strace shows what it wrote and flushed. A disk in memory
//! loses, tears and reorders what wasn't flushed. Then the program itself must recover from the
//! result.

mod bench;
mod disk;
mod sample;
mod scenario;
mod sparse;
mod trace;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{program, workspace};
pub(crate) use bench::KEY;
use bench::{Bench, expect_success};
use disk::{Disk, Loss};
pub(crate) use sample::Holder;
use scenario::Kind;

/// What to try.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Try every state, and not a sample
    #[arg(long)]
    all: bool,
    /// States of each scenario in a sample
    #[arg(long, default_value_t = 10)]
    sample: usize,
    /// Only scenarios with this in their name, as 'undo' or 'vhdx'
    #[arg(long)]
    only: Option<String>,
    /// Where the disks are made; files in memory are fastest
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Options {
    /// A sample of each scenario, so many states.
    #[must_use]
    pub const fn sample(sample: usize) -> Self {
        Self {
            all: false,
            sample,
            only: None,
            dir: None,
        }
    }
}

/// The number of mixtures of lost data, for each moment at which several things weren't flushed.
const MIXTURES: u64 = 6;

/// Cuts the power in every scenario and returns a summary.
///
/// # Errors
/// If a disk isn't restored as it must be, or if a needed program is missing.
pub fn run(options: &Options) -> Result<String> {
    if !program::exists("strace") {
        bail!("this needs strace (Debian package strace)");
    }
    let diskmend = program::diskmend(false)?;
    let parent = match &options.dir {
        Some(dir) => dir.clone(),
        None => workspace::output("crash")?,
    };
    let (mut tried, mut scenarios) = (0, 0);
    let mut failures = Vec::new();
    for holder in Holder::ALL {
        for kind in Kind::ALL {
            let name = format!("{} of {}", kind.name(), holder.target());
            let wanted = options
                .only
                .as_deref()
                .is_none_or(|only| name.contains(only));
            if !wanted || !kind.fits(holder) {
                continue;
            }
            let folder = tempfile::tempdir_in(&parent)?;
            let folder = folder.path().canonicalize()?.join("all");
            let bench = Bench::new(diskmend.clone(), folder, holder);
            let start = Instant::now();
            let outcome = cut(&bench, kind, options).with_context(|| name.clone())?;
            let took = start.elapsed().as_secs_f64();
            let (states, all) = (outcome.tried, outcome.all);
            println!("{name}: {states} of {all} states, {took:.1} s");
            tried += states;
            scenarios += 1;
            failures.extend(
                outcome
                    .failures
                    .into_iter()
                    .map(|what| format!("{name}: {what}")),
            );
        }
    }
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    if !failures.is_empty() {
        bail!("{} of {tried} states did not come back", failures.len());
    }
    if tried == 0 {
        bail!("no scenario has such a name");
    }
    let summary = format!("{tried} states after a power cut in {scenarios} scenarios");
    println!("{summary}");
    Ok(summary)
}

struct Outcome {
    tried: usize,
    all: usize,
    failures: Vec<String>,
}

/// A moment, and what happens to everything that wasn't flushed then.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// The number of operations that were begun.
    ops: usize,
    loss: Loss,
}

fn cut(bench: &Bench, kind: Kind, options: &Options) -> Result<Outcome> {
    std::fs::create_dir(&bench.folder)?;
    std::fs::create_dir(bench.folder.join("machine"))?;
    bench.holder.make(&bench.folder)?;
    let mut scenario = kind.prepare(bench)?;
    let before = bench.tree()?;
    let trace = trace::record(&mut scenario.command, &bench.folder)?;
    expect_success(&trace.output)?;
    let (mut disk, mut moments) = (Disk::new(before.clone()), Vec::new());
    for (at, op) in trace.ops.iter().enumerate() {
        disk.step(op)?;
        moments.extend(losses(&disk, at as u64).map(|loss| Moment { ops: at + 1, loss }));
    }
    let all = moments.len();
    let wanted = if options.all { all } else { options.sample };
    let mut outcome = Outcome {
        tried: 0,
        all,
        failures: Vec::new(),
    };
    let (mut disk, mut done) = (Disk::new(before), 0);
    for moment in sampled(&moments, wanted) {
        while done < moment.ops
            && let Some(op) = trace.ops.get(done)
        {
            disk.step(op)?;
            done += 1;
        }
        disk.after(moment.loss).write(&bench.folder)?;
        outcome.tried += 1;
        if let Err(error) = (scenario.check)(bench) {
            outcome.failures.push(format!("{moment:?}: {error:#}"));
        }
    }
    Ok(outcome)
}

/// The possible losses at a moment.
fn losses(disk: &Disk, seed: u64) -> impl Iterator<Item = Loss> + use<> {
    let count = if disk.is_flushed() { 0 } else { MIXTURES };
    let more = (count > 0).then_some(Loss::Nothing);
    let seeds = move |kind: fn(u64) -> Loss| (0..count).map(move |i| kind(seed * MIXTURES + i));
    [Loss::All]
        .into_iter()
        .chain(more)
        .chain(seeds(Loss::Some))
        .chain(seeds(Loss::Torn))
}

/// Picks this number of moments evenly from all, among them the last.
fn sampled(moments: &[Moment], wanted: usize) -> Vec<Moment> {
    let all = moments.len();
    let wanted = wanted.min(all);
    let at = |i: usize| (i + 1) * all / wanted - 1;
    (0..wanted)
        .filter_map(|i| moments.get(at(i)).copied())
        .collect()
}
