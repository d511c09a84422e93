//! A time in the past, as the user types it.

use std::str::FromStr;

use diskmend_repair::Since;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// How far back to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SinceArg(pub(crate) Since);

impl FromStr for SinceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let since = if text == "all" {
            Some(Since::Always)
        } else {
            span(text)
                .map(Since::Before)
                .or_else(|| time(text).map(Since::Time))
        };
        since.map(Self).ok_or_else(|| {
            "expected a time such as 2026-05-01 or 2026-05-01T13:00:00Z, a span such as 7d, 12h \
             or 30m, or all"
                .to_owned()
        })
    }
}

/// A number of days, hours or minutes.
fn span(text: &str) -> Option<SignedDuration> {
    let (number, minutes) = [("d", 24 * 60), ("h", 60), ("m", 1)]
        .into_iter()
        .find_map(|(unit, minutes)| Some((text.strip_suffix(unit)?, minutes)))?;
    let number: u32 = number.parse().ok()?;
    let minutes = i64::from(number).checked_mul(minutes)?;
    Some(SignedDuration::from_mins(minutes))
}

/// A time with its offset from UTC, or the start of a day in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let exact: Result<Timestamp, _> = text.parse();
    let start = || {
        let day: Date = text.parse().ok()?;
        format!("{day}T00:00:00Z").parse().ok()
    };
    exact.ok().or_else(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_spans_and_nothing_else() {
        let since = |text: &str| text.parse::<SinceArg>().ok().map(|arg| arg.0);
        let time = |text: &str| Some(Since::Time(text.parse().expect("a time")));
        let hours = |hours| Some(Since::Before(SignedDuration::from_hours(hours)));
        assert_eq!(since("all"), Some(Since::Always));
        assert_eq!(since("7d"), hours(7 * 24));
        assert_eq!(since("12h"), hours(12));
        assert_eq!(
            since("90m"),
            Some(Since::Before(SignedDuration::from_mins(90)))
        );
        assert_eq!(since("2026-05-01"), time("2026-05-01T00:00:00Z"));
        assert_eq!(
            since("2026-05-01T13:00:00+02:00"),
            time("2026-05-01T11:00:00Z")
        );
        for wrong in [
            "",
            "d",
            "-1d",
            "7w",
            "yesterday",
            "2026-13-01",
            "99999999999d",
        ] {
            assert_eq!(since(wrong), None, "{wrong}");
        }
    }
}
