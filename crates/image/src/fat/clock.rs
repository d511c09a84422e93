//! The time for folder entries, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use fatfs::{Date, DateTime, Time, TimeProvider};

/// The system's clock.
#[derive(Debug)]
pub(super) struct Clock;

pub(super) static CLOCK: Clock = Clock;

const DAY: u64 = 24 * 60 * 60;

impl TimeProvider for Clock {
    fn get_current_date(&self) -> Date {
        self.get_current_date_time().date
    }

    fn get_current_date_time(&self) -> DateTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // FAT can't express times before 1980 anyway.
        at(since.map_or(0, |since| since.as_secs()))
    }
}

/// The time at this number of seconds after the start of 1970, within the range of FAT: 1980 to
/// 2107.
fn at(seconds: u64) -> DateTime {
    let (mut days, second) = (seconds / DAY, seconds % DAY);
    let mut year = 1970_u16;
    while year < 2107 && days >= days_of(year) {
        days = days.saturating_sub(days_of(year));
        year = year.saturating_add(1);
    }
    let mut month = 1_u16;
    for len in months_of(year) {
        if days < len || month == 12 {
            break;
        }
        days = days.saturating_sub(len);
        month = month.saturating_add(1);
    }
    // Hours, minutes, seconds and days of a month are all below 100.
    let small = |number: u64| (number % 100) as u16;
    let (hour, min, sec) = (second / 3600, second / 60 % 60, second % 60);
    let mut date = Date {
        year,
        month,
        day: small(days.min(30)).saturating_add(1),
    };
    if year < 1980 {
        (date.year, date.month, date.day) = (1980, 1, 1);
    }
    let time = Time {
        hour: small(hour),
        min: small(min),
        sec: small(sec),
        millis: 0,
    };
    DateTime { date, time }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn months_of(year: u16) -> [u64; 12] {
    let february = if is_leap(year) { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates_within_the_range_of_fat() {
        let date = |seconds| {
            let at = at(seconds);
            (
                at.date.year,
                at.date.month,
                at.date.day,
                at.time.hour,
                at.time.sec,
            )
        };
        assert_eq!(date(0), (1980, 1, 1, 0, 0));
        assert_eq!(date(951_782_399), (2000, 2, 28, 23, 59));
        assert_eq!(date(951_782_400), (2000, 2, 29, 0, 0));
        assert_eq!(date(1_735_689_599), (2024, 12, 31, 23, 59));
        assert_eq!(date(u64::MAX).0, 2107);
    }
}
