//! `diskmend undo --force-bytes`: shows what would be overwritten, and asks.

use diskmend_repair::Engine;
use diskmend_repair::documents::{Difference, Differences};

use super::Args;
use crate::failure::Failure;
use crate::output::console;
use crate::progress::Steps;

/// The maximum number of ranges that are shown for a file or disk.
const MOST_RANGES: usize = 20;
/// The unit in bytes that a disk writes as a whole.
const SECTOR: u64 = 512;

/// The run, if the user agrees to restore its old bytes over what is shown.
pub(super) fn allowed(
    args: &Args,
    engine: &Engine,
    run: Option<&str>,
) -> Result<Option<String>, Failure> {
    let differences = Steps::while_writing(|watch| engine.differences(run, watch));
    let differences = differences.map_err(|error| args.target.failure(&error))?;
    tell(&differences);
    let question = if differences.places.is_empty() {
        format!("Restore the old bytes of run {}?", differences.run)
    } else {
        format!(
            "Restore the old bytes of run {} over these? You can't get them back.",
            differences.run
        )
    };
    let allowed = args.consent.given(&question)?;
    Ok(allowed.then_some(differences.run))
}

fn tell(differences: &Differences) {
    if differences.places.is_empty() {
        console::note("nothing else has written to the places that the run changed");
    }
    for place in &differences.places {
        let path = &place.path;
        if let Some(length) = place.other_length {
            match (length, place.is_disk) {
                (0, false) => console::warn(format_args!("{path} is missing or empty")),
                _ => console::warn(format_args!(
                    "{path} is {length} bytes long, which is not the length that the run gave it"
                )),
            }
        }
        if place.count > 0 {
            console::warn(format_args!(
                "{path}: {} bytes in {} places are neither what the run found nor what it left",
                place.bytes, place.count
            ));
        }
        ranges(place);
    }
}

fn ranges(place: &Difference) {
    for range in place.ranges.iter().take(MOST_RANGES) {
        let (offset, length) = (range.offset, range.length);
        if place.is_disk {
            console::note(format_args!(
                "offset {offset:#x} (sector {}): {length} bytes",
                offset / SECTOR
            ))
        } else {
            console::note(format_args!("offset {offset:#x}: {length} bytes"))
        }
    }
    let shown = place.ranges.len().min(MOST_RANGES) as u64;
    match place.count.saturating_sub(shown) {
        0 => {}
        more => console::note(format_args!(
            "and {more} more places; --json lists a thousand"
        )),
    }
}
