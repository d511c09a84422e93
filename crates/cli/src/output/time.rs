//! Points in time, for people and for programs.

use diskmend_hive::Filetime;
use jiff::Timestamp;

/// The seconds from 1601-01-01, when FILETIME begins, to 1970-01-01.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const INTERVALS_PER_SECOND: u64 = 10_000_000;

/// A FILETIME in UTC to the second, or its number if the calendar has no such year.
pub(crate) fn filetime(time: Filetime) -> String {
    let seconds = i64::try_from(time.0 / INTERVALS_PER_SECOND)
        .ok()
        .and_then(|seconds| seconds.checked_sub(EPOCH_SECONDS));
    match seconds.map(Timestamp::from_second) {
        Some(Ok(timestamp)) => timestamp.to_string(),
        _ => format!("{:#018x}", time.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_and_impossible_ones() {
        assert_eq!(filetime(Filetime(0)), "1601-01-01T00:00:00Z");
        assert_eq!(
            filetime(Filetime(133_485_408_000_000_000)),
            "2024-01-01T00:00:00Z"
        );
        assert_eq!(filetime(Filetime(u64::MAX)), "0xffffffffffffffff");
    }
}
