//! Compares a saved plan with the target as it is now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{self, Document, PROGRAM, Reviewed, SavedTarget};
use crate::engine::Engine;
use crate::error::{Error, Refusal};
use crate::hive_on_disk::FileRead;
use crate::place::on_volume;
use crate::progress::Watch;
use crate::run_state::same_partition;

/// The greatest number of differences that are named.
const MAX_NAMED: usize = 8;

/// Refuses a target that is not the plan's. A copy of the plan's disk with the same numbers passes.
pub(super) fn is_target(
    saved: &SavedTarget,
    engine: &Engine,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let now = SavedTarget::of(engine, watch);
    let what = if !saved.identity.may_be(&now.identity) {
        "its disk or volume has another serial number".to_owned()
    } else if !same_partition(saved.partition, now.partition) {
        "its Windows is on another partition".to_owned()
    } else if saved.windows.computer_name != now.windows.computer_name {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "unknown".to_owned());
        format!(
            "its computer name is {}, and this one's is {}",
            name(&saved.windows.computer_name),
            name(&now.windows.computer_name)
        )
    } else {
        return Ok(());
    };
    Err(Refusal::OtherTarget { what }.into())
}

/// What is no longer as it was when the plan was saved, for display. Nothing if the plan is exactly
/// what would be planned now.
pub(super) fn differences(
    saved: &Document<Value>,
    now: &Document<Reviewed<'_>>,
) -> Result<Vec<String>, Error> {
    let mut what = changed_files(&saved.files, &now.files);
    if saved.target.windows != now.target.windows {
        what.push("the Windows on the target is another one".to_owned());
    }
    if saved.permissions != now.permissions {
        what.push("permissions that the recipes are about have changed".to_owned());
    }
    let plan = serde_json::to_value(&now.plan).map_err(|error| document::content(&error))?;
    if saved.plan != plan {
        what.extend(changed_plan(&saved.plan, &plan));
    }
    let same_choice = saved.recipes == now.recipes
        && saved.auto == now.auto
        && saved.serial == now.serial
        && saved.boot == now.boot;
    if !same_choice {
        what.push("its choice of recipes or of a boot store means something else now".to_owned());
    }
    if what.is_empty() {
        return Ok(what);
    }
    if what.len() > MAX_NAMED {
        let more = what.len() - MAX_NAMED;
        what.truncate(MAX_NAMED);
        what.push(format!("and {more} more"));
    }
    if saved.program != PROGRAM {
        what.push(format!(
            "it was made by diskmend {}, and this is {PROGRAM}",
            saved.program
        ));
    }
    Ok(what)
}

fn changed_files(saved: &[FileRead], now: &[FileRead]) -> Vec<String> {
    let place = |file: &FileRead| on_volume(file.volume.as_deref(), &file.path);
    let before: BTreeMap<_, _> = saved.iter().map(|file| (place(file), file)).collect();
    let after: BTreeMap<_, _> = now.iter().map(|file| (place(file), file)).collect();
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = places.into_iter().filter_map(|place| {
        let what = match (before.get(place), after.get(place)) {
            (Some(before), Some(after)) if before == after => return None,
            (Some(_), Some(_)) => "has changed",
            (Some(_), None) => "is no longer read",
            (None, _) => "is new",
        };
        Some(format!("{place} {what}"))
    });
    changed.collect()
}

/// The parts of a plan that differ. Of the changes, each that differs.
fn changed_plan(saved: &Value, now: &Value) -> Vec<String> {
    let mut what = changed_changes(&saved["changes"], &now["changes"]);
    for (part, name) in [
        ("files", "the files that would be moved, or what is in them"),
        ("acls", "what it says about permissions"),
        ("hives", "what it says about the state of the hives"),
        ("stores", "what it says about the boot stores"),
        ("skipped", "what it leaves out"),
    ] {
        if saved[part] != now[part] {
            what.push(format!("{name} is no longer so"));
        }
    }
    if what.is_empty() {
        what.push("the plan would be another one".to_owned());
    }
    what
}

fn changed_changes(saved: &Value, now: &Value) -> Vec<String> {
    let place = |change: &Value| {
        let text = |name: &str| change[name].as_str().unwrap_or("");
        format!(r"{}\{}\{}", text("hive"), text("key"), text("value"))
    };
    let by_place = |changes: &Value| -> BTreeMap<String, Value> {
        let changes = changes.as_array().map_or(&[][..], Vec::as_slice);
        changes
            .iter()
            .map(|one| (place(one), one.clone()))
            .collect()
    };
    let (before, after) = (by_place(saved), by_place(now));
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = places.into_iter().filter_map(|place| {
        let what = match (before.get(place), after.get(place)) {
            (Some(before), Some(after)) if before == after => return None,
            (Some(before), Some(after)) if before["old"] != after["old"] => "is not what it was",
            (Some(_), Some(_)) => "would be changed in another way",
            (Some(_), None) => "would no longer be changed",
            (None, _) => "would be changed too",
        };
        Some(format!("{place} {what}"))
    });
    changed.collect()
}
