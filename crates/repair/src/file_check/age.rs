//! The age of a hive's copy, by the times that the disk itself has.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::facts::Facts;
use crate::names::same_file;
use crate::place::HiveName;
use crate::reading;

/// The greatest age of a copy.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(365 * 24);
/// 100 ns intervals from 1601 to 1970.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// A time as Windows stores it; `None` if it is none.
pub(super) fn of_filetime(time: u64) -> Option<Timestamp> {
    let since = time.checked_sub(UNIX_EPOCH)?;
    let micros = i64::try_from(since / 10).ok()?;
    Timestamp::from_microsecond(micros).ok()
}

/// What is expected and found, if a copy that was written at this time is too old. The clock of the
/// machine that looks at the disk only counts if the disk has no time: the disk may have been kept
/// for years.
///
/// # Errors
/// If the caller interrupts.
pub(super) fn too_old(
    facts: &Facts<'_>,
    damaged: &str,
    written: Option<Timestamp>,
) -> Result<Option<(String, String)>, Error> {
    let Some(written) = written else {
        let expected = "a hive with the time at which it was written";
        return Ok(Some((expected.to_owned(), "a hive without it".to_owned())));
    };
    let newest = newest(facts, damaged)?.unwrap_or_else(Timestamp::now);
    if newest.duration_since(written) <= MAX_AGE {
        return Ok(None);
    }
    Ok(Some((
        format!("a hive that was written within the year before {newest}, when Windows last ran"),
        format!("one that was written at {written}"),
    )))
}

/// The newest time at which Windows ran for sure. Nothing in the damaged hive is.
fn newest(facts: &Facts<'_>, damaged: &str) -> Result<Option<Timestamp>, Error> {
    let mut times = Vec::new();
    for name in HiveName::ALL {
        if same_file(name.file_name(), damaged) {
            continue;
        }
        let Ok(opened) = facts.hive(name) else {
            continue;
        };
        times.push(opened.hive.base_block().last_written.get());
        let sets = match name {
            HiveName::System => facts.control_sets_in(opened).ok(),
            _ => None,
        };
        for set in sets.iter().flat_map(|sets| &sets.sets) {
            let key = format!(r"{}\Control\Windows", set.name);
            let stopped = reading::short_value(&opened.hive, &key, "ShutdownTime", 8);
            let stopped = stopped.ok().flatten();
            times.extend(
                stopped
                    .and_then(|data| Some(*data.bytes.first_chunk()?))
                    .map(u64::from_le_bytes),
            );
        }
    }
    let of_hives = times.into_iter().filter_map(of_filetime).max();
    Ok(of_hives.max(facts.events()?.newest))
}
