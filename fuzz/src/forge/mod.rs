//! The folder `diskmend`, forged by an attacker. Whatever it contains, and even if a person vouches
//! for it, nothing may change that a run may not change.

mod disk;
mod journal;
mod run_file;

use std::sync::atomic::AtomicBool;

use diskmend_disk::Target;
use diskmend_repair::recipe::Catalogue;
use diskmend_repair::{Engine, Goal, Key, Keys, Options, Watch};

use crate::image::Script;
use disk::Disk;

/// The maximum number of changes of one input.
const MAX_CHANGES: usize = 16;
/// The maximum length of a lengthened file in bytes.
const MAX_LEN: u64 = 1 << 20;
/// The key of this machine.
const KEY: [u8; 32] = [7; 32];
/// The recipes of the disk's run, and of later repairs.
const RECIPES: [&str; 2] = ["nla", "tls"];

/// Changes the folder as the input says, and runs every command that reads it.
///
/// ```text
/// flags u8 | change | change | ...
/// ```
///
/// # Panics
/// If anything changes on the disk or beside it that a run may not change.
pub fn forge(data: &[u8]) {
    let mut script = Script::new(data);
    let flags = script.byte();
    let Some(disk) = Disk::restored(flags & 8 != 0) else {
        return;
    };
    for _ in 0..MAX_CHANGES {
        if script.is_at_end() {
            break;
        }
        change(&disk, &mut script);
    }
    if let Ok(target) = Target::open(&disk.root()) {
        commands(&disk, &target, flags);
    }
    disk.assert_untouched();
}

/// Makes one change of the folder.
fn change(disk: &Disk, script: &mut Script<'_>) {
    let (kind, file) = (script.byte(), script.byte());
    match kind % 12 {
        0..=4 => {
            let Some(bytes) = disk.journal() else {
                return;
            };
            if let Some(forged) = journal::forged(&bytes, script, &disk.outside()) {
                disk.put_journal(&forged);
            }
        }
        5 => {
            let (offset, bytes) = (script.number(), script.take(usize::from(file % 16)));
            disk.patch(script.byte(), u64::from(offset), bytes);
        }
        6 => disk.set_len(file, u64::from(script.number()) % MAX_LEN),
        7 => disk.link(file, script.byte()),
        8 => disk.put_odd(file, script.byte()),
        9 => disk.copy(file, script.byte()),
        10 => disk.rename_run(),
        _ => disk.remove(file),
    }
}

fn options() -> Options {
    Options {
        check: false,
        keys: Keys::own(Key::from_bytes(KEY)),
        ..Options::default()
    }
}

/// Runs every command that believes, shows or undoes a run. All of them may fail.
fn commands(disk: &Disk, target: &Target, flags: u8) {
    let cancel = AtomicBool::new(false);
    let Some(mut engine) = engine(target) else {
        return;
    };
    let names: Vec<String> = engine.runs().map_or_else(
        |_| Vec::new(),
        |list| list.runs.into_iter().map(|run| run.run).collect(),
    );
    if flags & 1 == 0 {
        repair(target, &cancel);
    }
    if flags & 2 == 0 {
        let undone = engine.undo(None, &mut Watch::new(&mut (), &cancel));
        std::hint::black_box(undone.is_ok());
    }
    engine.vouch();
    for name in names {
        let shown = engine.preview_undo(&name, &mut |change| {
            std::hint::black_box(change);
        });
        std::hint::black_box(shown.is_ok());
        let (mut quiet, run) = ((), Some(name.as_str()));
        let mut watch = Watch::new(&mut quiet, &cancel);
        let undone = if flags & 4 == 0 {
            engine.undo(run, &mut watch).is_ok()
        } else {
            engine.undo_by_force(run, &mut watch).is_ok()
        };
        std::hint::black_box(undone);
    }
    disk.assert_untouched();
    repair(target, &cancel);
}

fn engine(target: &Target) -> Option<Engine> {
    let again = target.try_clone().ok()?;
    Engine::open(again, options()).ok()
}

fn repair(target: &Target, cancel: &AtomicBool) {
    let Some(engine) = engine(target) else {
        return;
    };
    let Ok(catalogue) = Catalogue::built_in() else {
        return;
    };
    let Ok(recipes) = catalogue.select(&RECIPES) else {
        return;
    };
    let mut quiet = ();
    let mut watch = Watch::new(&mut quiet, cancel);
    if let Ok(plan) = engine.plan(&recipes, Goal::Desired, &mut watch) {
        let repaired = plan.apply(&mut watch);
        std::hint::black_box(repaired.is_ok());
    }
}
