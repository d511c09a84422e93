//! The parts that the engine's results have in common, as text.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use diskmend_base::escape::Visible;
use diskmend_repair::documents::{
    AppliedHive, Change, CheckSummary, DescriptorWords, HiveStatus, KeyCopy, KeyPermissionsReport,
    Notice, RunSummary, SecondReader, SkippedHint, SkippedHive, StoreStatus, Subtree, Wanted,
};
use diskmend_repair::{ControlSets, ValueData};

use crate::hints;
use crate::target_arg::TargetArgs;

use super::console;
use super::{shell, style};

/// The maximum number of problems of a hive that are listed; `hive check` lists all.
const MOST_PROBLEMS: usize = 10;

/// The new state of something that is deleted.
const DELETED: &str = "(deleted)";

/// The recipe that is about something, why, and a note.
pub(crate) fn because(recipe: &str, why: &str, note: Option<&str>) -> String {
    match note {
        None => format!("{recipe}: {why}"),
        Some(note) => format!("{recipe}: {why} ({note})"),
    }
}

/// A number and what it counts, in the plural unless it is 1.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// A hive: its path, its state, its control sets.
pub(crate) fn hive(out: &mut dyn Write, status: &HiveStatus) -> io::Result<()> {
    let (heading, warning) = (style::HEADING, style::WARNING);
    writeln!(
        out,
        "{heading}{}{heading:#}  {}, regf {}, {} bytes",
        Visible(&status.hive),
        Visible(&status.shown_path()),
        Visible(&status.version),
        status.length
    )?;
    if let Some(dirty) = &status.dirty {
        write!(
            out,
            "  {warning}not closed cleanly{warning:#}: {}",
            Visible(dirty)
        )?;
        match &status.recovery {
            Some(recovery) => {
                writeln!(out, "; its logs contain {} newer pages", recovery.pages)?;
                for log in &recovery.logs {
                    writeln!(out, "    {}", Visible(log))?;
                }
            }
            None => writeln!(out)?,
        }
    }
    if let Some(sets) = &status.control_sets {
        control_sets(out, sets)?;
    }
    match &status.check {
        Some(summary) => check(out, summary),
        None => Ok(()),
    }
}

fn control_sets(out: &mut dyn Write, sets: &ControlSets) -> io::Result<()> {
    let names: Vec<String> = sets
        .sets
        .iter()
        .map(|set| {
            if set.current {
                format!("{} (current)", set.name)
            } else {
                set.name.clone()
            }
        })
        .collect();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let number = |number: Option<u32>| number.map_or("missing".to_owned(), |n| n.to_string());
    writeln!(out, "  control sets: {}", Visible(&names))?;
    writeln!(
        out,
        "  Select: Current {}, Default {}, Failed {}, LastKnownGood {}",
        number(sets.select.current),
        number(sets.select.default),
        number(sets.select.failed),
        number(sets.select.last_known_good)
    )?;
    let bad = style::BAD;
    for missing in &sets.missing {
        writeln!(
            out,
            "  {bad}Select names {} as {}, which does not exist{bad:#}",
            Visible(&missing.name),
            Visible(missing.named_by)
        )?;
    }
    Ok(())
}

/// Groups items by key and hive. The groups are in the order of their first items.
pub(crate) fn by_key<'a, T>(
    items: &'a [T],
    place: impl Fn(&'a T) -> (&'a str, &'a str),
) -> impl Iterator<Item = ((&'a str, &'a str), Vec<&'a T>)> {
    let mut index = HashMap::new();
    let mut groups: Vec<((&str, &str), Vec<&T>)> = Vec::new();
    for item in items {
        let place = place(item);
        let at = *index.entry(place).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, group)) => group.push(item),
            None => groups.push((place, vec![item])),
        }
    }
    groups.into_iter()
}

/// The heading with the key for the rows below; `mark` follows the key.
pub(crate) fn key(out: &mut dyn Write, (hive, key): (&str, &str), mark: &str) -> io::Result<()> {
    let heading = style::HEADING;
    let path = format!("{hive}\\{key}");
    writeln!(out, "\n{heading}{}{heading:#}{mark}", Visible(&path))
}

/// The heading with the boot store's object for the rows below.
pub(crate) fn object(out: &mut dyn Write, (store, object): (&str, &str)) -> io::Result<()> {
    let heading = style::HEADING;
    let (store, object) = (Visible(store), Visible(object));
    writeln!(out, "\n{heading}{store}  {object}{heading:#}")
}

/// The boot stores that were found, and the loaders in the chosen one.
pub(crate) fn stores(out: &mut dyn Write, stores: &[StoreStatus]) -> io::Result<()> {
    for store in stores {
        let path = store.shown_path();
        write!(out, "boot store {}: ", Visible(&path))?;
        match &store.problem {
            Some(problem) => writeln!(out, "{}", Visible(problem))?,
            None if store.chosen && store.warning.is_some() => {
                writeln!(out, "is meant to start this Windows, but does not")?;
            }
            None if store.chosen => writeln!(out, "starts this Windows")?,
            None => writeln!(out, "could start this Windows")?,
        }
        for loader in store.loaders.iter().filter(|loader| loader.chosen) {
            write!(out, "  by loader {}", Visible(&loader.object))?;
            if let Some(description) = &loader.description {
                write!(out, " {}", Visible(description))?;
            }
            match &loader.os_device {
                Some(device) => writeln!(out, ", osdevice {}", Visible(device))?,
                None => writeln!(out)?,
            }
        }
    }
    Ok(())
}

/// A value in `bcdedit`'s notation, or that there is none.
pub(crate) fn words(words: Option<&str>) -> String {
    words.unwrap_or("(none)").to_owned()
}

/// The problems that a check found, if there are any.
pub(crate) fn check(out: &mut dyn Write, summary: &CheckSummary) -> io::Result<()> {
    let total = summary.errors + summary.warnings;
    if total == 0 {
        return Ok(());
    }
    let style = match summary.errors {
        0 => style::WARNING,
        _ => style::BAD,
    };
    let (errors, warnings) = (summary.errors, summary.warnings);
    writeln!(
        out,
        "  {style}structure{style:#}: {errors} errors, {warnings} warnings"
    )?;
    let listed = summary.problems.iter().take(MOST_PROBLEMS);
    let more = total.saturating_sub(listed.len());
    for problem in listed {
        writeln!(out, "    {}", Visible(&problem.to_string()))?;
    }
    match more {
        0 => Ok(()),
        _ => writeln!(
            out,
            "    and {more} more, which 'diskmend hive check' lists"
        ),
    }
}

/// A hive that was written: what was done with it, and how it was verified.
pub(crate) fn written(out: &mut dyn Write, hive: &AppliedHive) -> io::Result<()> {
    let heading = style::HEADING;
    let path = hive.shown_path();
    write!(out, "{heading}{}{heading:#}  ", Visible(&path))?;
    if let Some(recovery) = &hive.recovery {
        write!(out, "recovered from its logs ({} pages), ", recovery.pages)?;
    }
    write!(out, "{} bytes written and read back; ", hive.bytes_written)?;
    match &hive.check {
        Some(_) => write!(out, "checked, ")?,
        None => write!(out, "not checked, ")?,
    }
    match &hive.second_reader {
        SecondReader::Agrees => writeln!(out, "a second reader agrees")?,
        SecondReader::CannotRead(why) => writeln!(
            out,
            "the second reader could not read this hive even before the change ({})",
            Visible(why)
        )?,
        SecondReader::Skipped => writeln!(out, "no second reader was used")?,
    }
    match &hive.check {
        Some(summary) => check(out, summary),
        None => Ok(()),
    }
}

/// Hives that were left out, and other notices.
pub(crate) fn remarks(target: &str, skipped: &[SkippedHive], notices: &[Notice]) {
    let target = Path::new(target);
    for hive in skipped {
        console::warn(format_args!("{} is left alone: {}", hive.hive, hive.reason));
        match hive.hint {
            Some(SkippedHint::BootStore) => console::hint(hints::boot_store(target)),
            Some(SkippedHint::Descriptors) => console::hint(hints::no_descriptors(target)),
            Some(SkippedHint::Backup) => console::hint(hints::BACKUP),
            None => {}
        }
    }
    for notice in notices {
        console::note(&notice.text);
    }
}

/// Runs that were killed half way.
pub(crate) fn unfinished(runs: &[RunSummary], target: &TargetArgs) {
    for run in runs {
        if !run.trust.is_given() {
            untrusted(run, target);
            continue;
        }
        console::warn(format_args!(
            "run {} began {} and did not end",
            run.run, run.started
        ));
        settle(run, target);
    }
}

/// A run that claims that it did not end, but has no valid seal: diskmend follows nothing in it.
pub(crate) fn untrusted(run: &RunSummary, target: &TargetArgs) {
    let name = &run.run;
    console::warn(format_args!(
        "run {name} says that it did not end, but is not trusted: {}; do not undo it without looking at it",
        run.trust
    ));
    let options = target.option_for(run.partition);
    let target = target.target.display().to_string();
    for hint in hints::untrusted(name, &run.trust, &shell::word(&target), &options) {
        console::hint(hint);
    }
}

/// The command that completes or undoes a run that was killed half way.
pub(crate) fn settle(run: &RunSummary, target: &TargetArgs) {
    let name = shell::word(&run.run);
    let options = target.option_for(run.partition);
    let target = target.target.display().to_string();
    let target = shell::word(&target);
    if run.can_be_completed {
        let recipes: Vec<_> = run.recipes.iter().map(|name| shell::word(name)).collect();
        let recipes = recipes.join(" ");
        console::hint(format_args!(
            "complete it with: diskmend repair {target} {recipes}{options}"
        ));
    }
    console::hint(format_args!(
        "undo it with: diskmend undo {target} {name}{options}"
    ));
}

/// The command that undoes a run. `options` are those that name the target's undo data.
pub(crate) fn undo_command(target: &str, run: &str, options: &str) -> String {
    let (target, run) = (shell::word(target), shell::word(run));
    format!("diskmend undo {target} {run}{options}")
}

/// A value's type and data, or that there is no value.
pub(crate) fn data(data: Option<&ValueData>) -> String {
    match data {
        Some(data) => format!("{} {data}", data.value_type),
        None => "(none)".to_owned(),
    }
}

/// The wanted data, or what is deleted; a row that only looks wants nothing.
pub(crate) fn wanted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Anything => "(only reported)".to_owned(),
        Wanted::Data(found) => data(Some(found)),
        Wanted::NoValue | Wanted::NoKey => DELETED.to_owned(),
        Wanted::CopyOf(copy) => copied(copy),
        Wanted::Permissions(_) => "(other permissions)".to_owned(),
    }
}

/// The key that is copied, and what is in it.
fn copied(copy: &KeyCopy) -> String {
    let content = found(None, Some(copy.content));
    format!("a copy of {} with {content}", copy.from)
}

/// What is wrong with the permissions of a key, or the permissions if nothing is; and what would be
/// done.
pub(crate) fn permissions(found: &KeyPermissionsReport) -> (String, String) {
    let now = match found.reasons.as_slice() {
        [] => descriptor(&found.before),
        reasons => reasons.join("; "),
    };
    let wanted = match found.edits.as_slice() {
        [] => "(only reported)".to_owned(),
        edits => edits.join("; "),
    };
    (now, wanted)
}

/// A security descriptor in one line.
fn descriptor(words: &DescriptorWords) -> String {
    let entries = words.entries.as_ref();
    let entries = || entries.map_or("(none)".to_owned(), |entries| entries.join("; "));
    words.sddl.clone().unwrap_or_else(entries)
}

/// The word for the permissions of a key in place of a value's name.
pub(crate) const PERMISSIONS: &str = "(permissions)";

/// A value's data, or what is in a key that a row is about as a whole.
pub(crate) fn found(found: Option<&ValueData>, subtree: Option<Subtree>) -> String {
    match subtree {
        None => data(found),
        Some(Subtree {
            subkeys, values, ..
        }) => format!(
            "{} and {}",
            counted(subkeys, "subkey"),
            counted(values, "value")
        ),
    }
}

/// The old and the new state of a value or a key that is changed.
pub(crate) fn old_and_new(change: &Change) -> (String, String) {
    if let Some(found) = &change.permissions {
        let after = found.after.as_ref().unwrap_or(&found.before);
        return (descriptor(&found.before), descriptor(after));
    }
    let new = match (change.deletes, &change.copy_of) {
        (Some(_), _) => DELETED.to_owned(),
        (None, Some(copy)) => copied(copy),
        (None, None) => data(change.value.new.as_ref()),
    };
    (found(change.value.old.as_ref(), change.subtree), new)
}

/// The name of a value, or words for the whole key or its permissions.
pub(crate) fn thing<'a>(
    name: &'a str,
    is_key: bool,
    permissions: Option<&KeyPermissionsReport>,
) -> &'a str {
    if permissions.is_some() {
        PERMISSIONS
    } else if is_key {
        "(the whole key)"
    } else {
        value_name(name)
    }
}

/// A value's name; the default value has none.
pub(crate) fn value_name(name: &str) -> &str {
    match name {
        "" => "(Default)",
        name => name,
    }
}
