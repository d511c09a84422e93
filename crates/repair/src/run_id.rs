//! Names of runs: the time at which the run began, in UTC.

use std::fmt;

use jiff::Timestamp;

/// The name of a run and of its folder: `20261123T124100Z`, with `-2` and so on for further runs
/// that began in that second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunId {
    time: String,
    number: u32,
}

impl RunId {
    /// The first run of the second that contains `now`.
    pub(crate) fn first_of(now: Timestamp) -> Self {
        Self {
            time: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
            number: 1,
        }
    }

    /// The next run of this second.
    pub(crate) fn next(&self) -> Self {
        Self {
            time: self.time.clone(),
            number: self.number.saturating_add(1),
        }
    }

    /// Parses a name; `None` for anything else.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        const SHAPE: &[u8] = b"00000000T000000Z";
        let (time, rest) = name.split_at_checked(SHAPE.len())?;
        let shaped = time.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        });
        if !shaped {
            return None;
        }
        let number = match rest.strip_prefix('-') {
            None if rest.is_empty() => 1,
            Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit() && c != '0') => {
                digits.parse().ok().filter(|number| *number > 1)?
            }
            _ => return None,
        };
        Some(Self {
            time: time.to_owned(),
            number,
        })
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.time)?;
        if self.number > 1 {
            write!(f, "-{}", self.number)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_and_sort_by_time_and_number() {
        let now: Timestamp = "2026-11-23T12:41:00Z".parse().expect("valid");
        let first = RunId::first_of(now);
        assert_eq!(first.to_string(), "20261123T124100Z");
        let second = first.next();
        assert_eq!(second.to_string(), "20261123T124100Z-2");
        let tenth = RunId::parse("20261123T124100Z-10").expect("valid");
        assert!(first < second && second < tenth);
        for id in [first, second, tenth] {
            assert_eq!(RunId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn other_names_are_no_runs() {
        for name in [
            "",
            "20261123",
            "20261123T124100Z-",
            "20261123T124100Z-1",
            "20261123T124100Z-02",
            "20261123T124100Z-+3",
            "2026112äT124100Z",
            "../20261123T12410",
        ] {
            assert_eq!(RunId::parse(name), None, "{name}");
        }
    }
}
