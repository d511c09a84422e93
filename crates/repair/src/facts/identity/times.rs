//! Points in time, in UTC to the second.

use jiff::Timestamp;

/// The seconds from 1601-01-01, when FILETIME begins, to 1970-01-01.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const INTERVALS_PER_SECOND: u64 = 10_000_000;

/// A FILETIME; `None` for 0, which stands for no time, and for years that no calendar has.
pub(crate) fn of_filetime(time: u64) -> Option<String> {
    let seconds = i64::try_from(time / INTERVALS_PER_SECOND).ok()?;
    let since_1970 = seconds.checked_sub(EPOCH_SECONDS)?;
    (time != 0).then(|| of_seconds(since_1970))?
}

/// The seconds since 1970; `None` for 0, which stands for no time.
pub(super) fn of_unix_seconds(seconds: u32) -> Option<String> {
    (seconds != 0).then(|| of_seconds(seconds.into()))?
}

fn of_seconds(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_and_impossible_ones() {
        let new_year = Some("2024-01-01T00:00:00Z");
        assert_eq!(of_filetime(133_485_408_000_000_000).as_deref(), new_year);
        assert_eq!(of_unix_seconds(1_704_067_200).as_deref(), new_year);
        assert_eq!(of_filetime(0), None);
        assert_eq!(of_filetime(u64::MAX), None);
        assert_eq!(of_unix_seconds(0), None);
    }
}
