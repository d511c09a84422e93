//! The window of time that a recipe's row names.

use std::fmt;

use jiff::Timestamp;

/// A window of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeWindow {
    first: Timestamp,
    last: Timestamp,
}

impl TimeWindow {
    /// Reads two times with `..` between them, such as
    /// `2024-07-19T04:09:00Z..2024-07-19T05:26:59Z`.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let example = "write two times in UTC, such as 2024-07-19T04:09:00Z..2024-07-19T05:26:59Z";
        let (first, last) = text
            .split_once("..")
            .ok_or_else(|| format!("\"{text}\" is no window of time: {example}"))?;
        let time = |text: &str| {
            let time = text.parse::<Timestamp>();
            time.map_err(|_| format!("\"{text}\" is no time: {example}"))
        };
        let (first, last) = (time(first)?, time(last)?);
        if first > last {
            return Err(format!("\"{text}\" ends before it begins"));
        }
        Ok(Self { first, last })
    }

    /// True if a time is in the window. The last second counts as a whole.
    #[must_use]
    pub(crate) fn contains(&self, time: Timestamp) -> bool {
        self.first <= time && time.as_second() <= self.last.as_second()
    }
}

impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_in_the_window() {
        let window = TimeWindow::parse("2024-07-19T04:09:00Z..2024-07-19T05:26:59Z");
        let window = window.expect("valid");
        let holds = |time: &str| window.contains(time.parse().expect(time));
        assert!(holds("2024-07-19T04:09:00Z") && holds("2024-07-19T05:26:59.9Z"));
        assert!(!holds("2024-07-19T04:08:59.9Z") && !holds("2024-07-19T05:27:00Z"));
        assert_eq!(
            window.to_string(),
            "2024-07-19T04:09:00Z..2024-07-19T05:26:59Z"
        );
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "2024-07-19T04:09:00Z",
            "2024..2025",
            "2024-07-19T04:09:00..2024-07-19T05:26:59",
            "2024-07-19T05:00:00Z..2024-07-19T04:00:00Z",
        ] {
            assert!(TimeWindow::parse(bad).is_err(), "{bad}");
        }
    }
}
