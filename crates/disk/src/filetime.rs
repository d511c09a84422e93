//! Times as Windows counts them: in units of 100 nanoseconds since 1601.

use std::time::{Duration, SystemTime};

/// 1970 in units of 100 nanoseconds since 1601.
const UNIX_EPOCH: i128 = 116_444_736_000_000_000;
/// Units in a second.
const SECOND: u64 = 10_000_000;
/// Nanoseconds in a unit.
const UNIT: i128 = 100;

/// The time of a moment; 0 for one before 1601.
pub(crate) fn of(time: SystemTime) -> u64 {
    let nanoseconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => signed(after),
        Err(before) => -signed(before.duration()),
    };
    u64::try_from(UNIX_EPOCH + nanoseconds.div_euclid(UNIT)).unwrap_or(0)
}

/// The time now.
pub(crate) fn now() -> u64 {
    of(SystemTime::now())
}

/// The moment of a time; `None` if the system can't express it.
pub(crate) fn to_system(time: u64) -> Option<SystemTime> {
    let since = i128::from(time) - UNIX_EPOCH;
    let units = u64::try_from(since.unsigned_abs()).ok()?;
    let whole = Duration::from_secs(units / SECOND);
    let distance = whole.checked_add(Duration::from_nanos(units % SECOND * 100))?;
    if since < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// The seconds since 1970 and the nanoseconds in the last of them.
#[cfg(unix)]
pub(crate) fn to_unix(time: u64) -> (i64, i64) {
    /// The seconds from 1601 to 1970.
    const BEFORE: i64 = 11_644_473_600;

    // So many units are less than 2^41 seconds.
    let seconds = (time / SECOND).cast_signed() - BEFORE;
    let nanoseconds = (time % SECOND * 100).cast_signed();
    (seconds, nanoseconds)
}

fn signed(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_1601() {
        assert_eq!(of(SystemTime::UNIX_EPOCH), 116_444_736_000_000_000);
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        assert_eq!(of(day), 116_445_600_000_000_000);
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(200);
        assert_eq!(of(before), 116_444_735_999_999_998);
        for moment in [day, before, SystemTime::UNIX_EPOCH] {
            assert_eq!(to_system(of(moment)), Some(moment));
        }
        #[cfg(unix)]
        {
            assert_eq!(to_unix(of(day)), (86_400, 0));
            assert_eq!(to_unix(of(before)), (-1, 999_999_800));
            assert_eq!(to_unix(0), (-11_644_473_600, 0));
            let last = (1_833_029_933_770, 955_161_500);
            assert_eq!(to_unix(u64::MAX), last);
        }
    }
}
