//! A SID as text, `S-1-5-18` (MS-DTYP 2.4.2.1).

use std::fmt;
use std::str::FromStr;

use super::Sid;
use crate::format::MAX_SUB_AUTHORITIES;

/// Text that isn't a SID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SID of the form S-1-authority-number-...: \"{text}\"")]
pub struct SidTextError {
    /// The text.
    pub text: String,
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority();
        if authority > u64::from(u32::MAX) {
            write!(f, "S-1-{authority:#014x}")?;
        } else {
            write!(f, "S-1-{authority}")?;
        }
        self.sub_authorities()
            .iter()
            .try_for_each(|number| write!(f, "-{number}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Sid {
    type Err = SidTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| SidTextError {
            text: text.chars().take(200).collect(),
        })
    }
}

fn parse(text: &str) -> Option<Sid> {
    let mut parts = text.split('-');
    if !parts.next()?.eq_ignore_ascii_case("S") || parts.next()? != "1" {
        return None;
    }
    let authority = authority(parts.next()?)?;
    let mut numbers = Vec::with_capacity(MAX_SUB_AUTHORITIES);
    for part in parts {
        if numbers.len() == MAX_SUB_AUTHORITIES {
            return None;
        }
        numbers.push(decimal(part)?);
    }
    // MS-DTYP's grammar and Windows both demand at least one sub-authority.
    if numbers.is_empty() {
        return None;
    }
    Sid::new(authority, &numbers)
}

fn authority(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => decimal(text).map(u64::from),
    }
}

/// Reads a number; unlike the standard parser it accepts no sign.
fn decimal(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree() {
        for text in [
            "S-1-1-0",
            "S-1-5-18",
            "S-1-5-21-4294967295-0-1-500",
            "S-1-0x0123456789ab-7",
            "S-1-16-12288",
        ] {
            let sid: Sid = text.parse().unwrap();
            assert_eq!(sid.to_string(), text);
            assert_eq!(Sid::from_bytes(&sid.to_bytes()).unwrap(), sid);
        }
        assert_eq!("s-1-5-32-544".parse::<Sid>().unwrap(), Sid::ADMINISTRATORS);
    }

    #[test]
    fn what_is_not_a_sid_is_refused() {
        for text in [
            "",
            "S",
            "S-1",
            "S-1-5",
            "S-2-5-18",
            "S-1-5-+18",
            "S-1-5--18",
            "S-1-5-4294967296",
            "S-1-0x1000000000000-1",
            "S-1-0x-1",
            "S-1-5-18 ",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        ] {
            assert!(text.parse::<Sid>().is_err(), "{text}");
        }
    }

    #[test]
    fn hostile_bytes_are_refused_with_the_place() {
        let mut bytes = Sid::ADMINISTRATORS.to_bytes();
        bytes[1] = 16;
        let error = Sid::from_bytes(&bytes).unwrap_err();
        assert_eq!((error.offset.0, error.found.as_str()), (1, "16"));
        bytes[1] = 3;
        assert_eq!(Sid::from_bytes(&bytes).unwrap_err().offset.0, 8);
        bytes[0] = 2;
        assert_eq!(Sid::from_bytes(&bytes).unwrap_err().offset.0, 0);
        assert!(Sid::from_bytes(&[1]).is_err());
    }
}
