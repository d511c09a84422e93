//! Ranges of numbers, as every file for people writes them: `"0..3"`, `"5.."`, `"..9"`, both ends
//! included, in decimal or as `0x10`.

use std::fmt;

use serde::Serialize;

/// What stands between the ends.
const BETWEEN: &str = "..";

/// The numbers of a range, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// The least number.
    pub from: u64,
    /// The greatest number.
    pub to: u64,
}

impl Numbers {
    /// True if this is written as a range.
    pub(crate) fn is_range(text: &str) -> bool {
        text.contains(BETWEEN)
    }

    /// Reads a range of numbers up to `most`.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub(crate) fn parse(text: &str, most: u64) -> Result<Self, String> {
        let wrong = || {
            format!("\"{text}\" is not a range of numbers, such as \"0..3\", \"5..\" or \"..9\"")
        };
        let (from, to) = text.split_once(BETWEEN).ok_or_else(wrong)?;
        if from.is_empty() && to.is_empty() {
            return Err(wrong());
        }
        let bound = |text: &str, open: u64| match text {
            "" => Ok(open),
            text => number(text).ok_or_else(wrong),
        };
        let numbers = Self {
            from: bound(from, 0)?,
            to: bound(to, most)?,
        };
        if let Some(beyond) = [numbers.from, numbers.to]
            .into_iter()
            .find(|number| *number > most)
        {
            return Err(format!("{beyond} is not within 0 to {most}"));
        }
        if numbers.from > numbers.to {
            return Err(format!("no number is within \"{text}\""));
        }
        Ok(numbers)
    }

    /// True if the number is in the range.
    #[must_use]
    pub const fn has(self, number: u64) -> bool {
        self.from <= number && number <= self.to
    }

    /// True if a number is in both.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// A number in decimal or, after `0x`, in hexadecimal digits.
pub(crate) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` accepts a sign.
    let only_digits = digits.chars().all(|digit| digit.is_digit(radix));
    u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| only_digits)
}

/// The range as it is written.
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = [u32::MAX.into(), u64::MAX].contains(&self.to);
        match (self.from, self.to) {
            (from, _) if whole => write!(f, "{from} or more"),
            (from, to) => write!(f, "{from} to {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_both_ends() {
        let within = |text: &str, number| Numbers::parse(text, 99).expect(text).has(number);
        assert!(within("0..3", 0) && within("0..3", 3) && !within("0..3", 4));
        assert!(within("5..", 5) && within("5..", 99) && !within("5..", 4));
        assert!(within("..0x10", 0) && within("..0x10", 16) && !within("..0x10", 17));
        let whole = Numbers::parse("0..", u64::MAX).expect("a range");
        assert!(whole.has(u64::MAX) && whole.meets(Numbers { from: 7, to: 7 }));
        let meet = |one: &str, other: &str| {
            let read = |text| Numbers::parse(text, 99).expect(text);
            (read(one).meets(read(other)), read(other).meets(read(one)))
        };
        assert_eq!(meet("0..3", "3..4"), (true, true));
        assert_eq!(meet("0..3", "4.."), (false, false));
    }

    #[test]
    fn other_text_is_no_range() {
        for text in [
            "", "..", "3", "0...3", "0..=3", "0..3..", "a..b", "-1..3", "+1..3", " 0..3", "0 .. 3",
            "3..0", "0..100", "0x..1", "0..0xg", "1.5..2",
        ] {
            assert!(Numbers::parse(text, 99).is_err(), "{text}");
        }
    }
}
