//! A grant as text, `NT AUTHORITY\NETWORK SERVICE:(OI)(CI)(R)`.

use std::fmt;
use std::str::FromStr;

use super::Grant;
use crate::ace::AceFlags;
use crate::mask::{AccessMask, MaskTextError, Objects};
use crate::sid::Sid;

/// The flags, in the order in which icacls prints them.
const FLAGS: [(&str, AceFlags); 4] = [
    ("OI", AceFlags::OBJECT_INHERIT),
    ("CI", AceFlags::CONTAINER_INHERIT),
    ("NP", AceFlags::NO_PROPAGATE),
    ("IO", AceFlags::INHERIT_ONLY),
];

/// The number of characters of the text that an error shows.
const SHOWN: usize = 100;

/// Text that is not a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantTextError {
    /// There is no colon between account and rights.
    #[error("expected ACCOUNT:(RIGHTS), found no colon in \"{text}\"")]
    NoColon {
        /// The text.
        text: String,
    },
    /// The account isn't known.
    #[error("\"{name}\" isn't an account that every Windows has; name it by its SID, *S-1-...")]
    Account {
        /// The account's name as it was given.
        name: String,
    },
    /// A parenthesis isn't closed.
    #[error("expected a closing parenthesis in \"{text}\"")]
    Unclosed {
        /// The text from the opening parenthesis on.
        text: String,
    },
    /// The flag `(I)` of an inherited entry. icacls prints it but doesn't accept it.
    #[error("an inherited entry, (I), can't be granted, only passed on by the parent")]
    Inherited,
    /// A flag that means nothing if nothing inherits the grant.
    #[error("({flag}) needs (OI) or (CI): nothing would inherit the grant")]
    NoHeir {
        /// `NP` or `IO`.
        flag: &'static str,
    },
    /// There are no rights, or the rights are `N`.
    #[error("expected rights such as (R) or (F) after \"{before}\"")]
    NoRights {
        /// The text before the place for the rights.
        before: String,
    },
    /// The rights aren't rights of icacls.
    #[error(transparent)]
    Rights(#[from] MaskTextError),
    /// Something follows the rights.
    #[error("expected nothing after the rights, found \"{text}\"")]
    Trailing {
        /// The text after the rights.
        text: String,
    },
}

impl FromStr for Grant {
    type Err = GrantTextError;

    /// Reads `ACCOUNT:(OI)(CI)(RIGHTS)` as icacls does; upper and lower case mean the same. The
    /// account is an English name, or a SID with or without icacls's leading `*`. Flags may be
    /// missing, and the rights may stand without parentheses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(Objects::Files, text)
    }
}

impl Objects {
    /// Reads a grant for such an object, as [`Grant`] is read from a text. The generic rights of keys
    /// become the rights that they stand for.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read_grant(self, text: &str) -> Result<Grant, GrantTextError> {
        let mut grant = read(self, text)?;
        if self == Self::Keys {
            grant.mask = grant.mask.map_generic_of(self);
        }
        Ok(grant)
    }

    /// The grant as text.
    #[must_use]
    pub fn grant_text(self, grant: &Grant) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = grant.write(self, &mut text);
        text
    }
}

fn read(objects: Objects, text: &str) -> Result<Grant, GrantTextError> {
    let (name, rest) = text
        .split_once(':')
        .ok_or_else(|| GrantTextError::NoColon { text: shown(text) })?;
    let sid = Sid::from_account_name(name)
        .ok_or_else(|| GrantTextError::Account { name: shown(name) })?;
    let (inheritance, rights) = flags(rest)?;
    let mask = match rights.strip_prefix('(') {
        Some(inner) => parenthesized(objects, inner, rights)?,
        None if rights.is_empty() => AccessMask::NONE,
        None => objects.read_rights(rights)?,
    };
    if mask.is_empty() {
        let before = text.strip_suffix(rights).unwrap_or(text);
        return Err(GrantTextError::NoRights {
            before: shown(before),
        });
    }
    Ok(Grant {
        sid,
        mask,
        inheritance,
    })
}

/// The flags at the start of `text`, and the text after them.
fn flags(text: &str) -> Result<(AceFlags, &str), GrantTextError> {
    let mut flags = AceFlags::NONE;
    let mut rest = text;
    while let Some((word, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        if word.eq_ignore_ascii_case("I") {
            return Err(GrantTextError::Inherited);
        }
        let Some((_, flag)) = FLAGS.iter().find(|(w, _)| w.eq_ignore_ascii_case(word)) else {
            break;
        };
        flags = flags | *flag;
        rest = after;
    }
    let has_heir = flags.0 & AceFlags::INHERIT_BOTH.0 != 0;
    let limit = FLAGS
        .iter()
        .skip(2)
        .find(|(_, flag)| flags.contains(*flag) && !has_heir);
    match limit {
        Some((flag, _)) => Err(GrantTextError::NoHeir { flag }),
        None => Ok((flags, rest)),
    }
}

/// The rights up to the closing parenthesis. `whole` also holds the opening one.
fn parenthesized(objects: Objects, inner: &str, whole: &str) -> Result<AccessMask, GrantTextError> {
    let (letters, after) = inner
        .split_once(')')
        .ok_or_else(|| GrantTextError::Unclosed { text: shown(whole) })?;
    let mask = if letters.is_empty() {
        AccessMask::NONE
    } else {
        objects.read_rights(letters)?
    };
    if after.is_empty() {
        Ok(mask)
    } else {
        Err(GrantTextError::Trailing { text: shown(after) })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

impl fmt::Display for Grant {
    /// Writes the grant as an argument of `icacls /grant`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(Objects::Files, f)
    }
}

impl Grant {
    fn write(&self, objects: Objects, f: &mut impl fmt::Write) -> fmt::Result {
        match self.sid.account_name() {
            Some(name) => write!(f, "{name}:")?,
            None => write!(f, "*{}:", self.sid)?,
        }
        for (word, flag) in FLAGS {
            if self.inheritance.contains(flag) {
                write!(f, "({word})")?;
            }
        }
        write!(f, "({})", objects.rights_text(self.mask))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(sid: Sid, mask: AccessMask, inheritance: AceFlags) -> Grant {
        Grant {
            sid,
            mask,
            inheritance,
        }
    }

    #[test]
    fn what_icacls_takes_is_read() {
        let none = AceFlags::NONE;
        let read = AccessMask::FILE_READ;
        for (text, expected) in [
            (
                r"NT AUTHORITY\NETWORK SERVICE:(R)",
                grant(Sid::NETWORK_SERVICE, read, none),
            ),
            (
                r"BUILTIN\Administrators:(OI)(CI)(F)",
                grant(
                    Sid::ADMINISTRATORS,
                    AccessMask::FILE_ALL,
                    AceFlags::INHERIT_BOTH,
                ),
            ),
            (
                "*S-1-5-20:(RX)",
                grant(Sid::NETWORK_SERVICE, AccessMask(0x12_00A9), none),
            ),
            ("S-1-5-18:F", grant(Sid::SYSTEM, AccessMask::FILE_ALL, none)),
            (
                r"NT SERVICE\SessionEnv:(F)",
                grant(Sid::of_service("SessionEnv"), AccessMask::FILE_ALL, none),
            ),
            (
                "system:(ci)(oi)(io)(np)(rc,wdac)",
                grant(Sid::SYSTEM, AccessMask(0x6_0000), AceFlags(0x0F)),
            ),
            (
                "Everyone:(CI)R,0x40",
                grant(
                    Sid::EVERYONE,
                    read | AccessMask::DELETE_CHILD,
                    AceFlags::CONTAINER_INHERIT,
                ),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        for (text, message) in [
            (
                "SYSTEM (R)",
                r#"expected ACCOUNT:(RIGHTS), found no colon in "SYSTEM (R)""#,
            ),
            (
                r"CONTOSO\bob:(R)",
                r#""CONTOSO\bob" isn't an account that every Windows has; name it by its SID, *S-1-..."#,
            ),
            (
                ":(R)",
                r#""" isn't an account that every Windows has; name it by its SID, *S-1-..."#,
            ),
            ("SYSTEM:(OI)(F", r#"expected a closing parenthesis in "(F""#),
            (
                "SYSTEM:(I)(F)",
                "an inherited entry, (I), can't be granted, only passed on by the parent",
            ),
            (
                "SYSTEM:(IO)(F)",
                "(IO) needs (OI) or (CI): nothing would inherit the grant",
            ),
            (
                "SYSTEM:(NP)(F)",
                "(NP) needs (OI) or (CI): nothing would inherit the grant",
            ),
            (
                "SYSTEM:(OI)(CI)",
                r#"expected rights such as (R) or (F) after "SYSTEM:(OI)(CI)""#,
            ),
            (
                "SYSTEM:()",
                r#"expected rights such as (R) or (F) after "SYSTEM:""#,
            ),
            (
                "SYSTEM:N",
                r#"expected rights such as (R) or (F) after "SYSTEM:""#,
            ),
            ("SYSTEM:(Q)", r#""Q" isn't a permission that icacls knows"#),
            (
                "SYSTEM: (R)",
                r#"" (R)" isn't a permission that icacls knows"#,
            ),
            (
                "SYSTEM:(DENY)(R)",
                r#""DENY" isn't a permission that icacls knows"#,
            ),
            (
                "SYSTEM:(R)(OI)",
                r#"expected nothing after the rights, found "(OI)""#,
            ),
        ] {
            let error = text.parse::<Grant>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
    }

    #[test]
    fn an_account_without_a_name_is_written_as_icacls_takes_it() {
        let text = "*S-1-5-21-1-2-3-1001:(OI)(CI)(IO)(RX,W)";
        assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
    }

    fn sid() -> impl Strategy<Value = Sid> {
        let stranger = (0..1u64 << 48, prop::collection::vec(any::<u32>(), 1..=15));
        prop_oneof![
            prop::sample::select(vec![
                Sid::EVERYONE,
                Sid::CREATOR_OWNER,
                Sid::NETWORK_SERVICE,
                Sid::USERS,
                Sid::of_service("TrustedInstaller"),
                Sid::of_app_pool("DefaultAppPool"),
            ]),
            stranger.prop_map(|(authority, numbers)| Sid::new(authority, &numbers).unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn a_grant_comes_back(sid in sid(), mask in 1u32.., flags in 0u8..4, limits in 0u8..4) {
            let limits = if flags == 0 { 0 } else { limits << 2 };
            let grant = grant(sid, AccessMask(mask), AceFlags(flags | limits));
            let text = grant.to_string();
            let read: Grant = text.parse().unwrap();
            prop_assert_eq!((read.sid, read.inheritance), (grant.sid, grant.inheritance));
            // icacls writes generic rights as the file rights for which they stand.
            prop_assert_eq!(read.mask.map_generic(), grant.mask.map_generic(), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in r"(SYSTEM:|\*S-1-5-2)?[(:)OICNPRF,0x\\é]{0,12}") {
            if let Ok(grant) = text.parse::<Grant>() {
                let again: Grant = grant.to_string().parse().unwrap();
                prop_assert_eq!(again.mask.map_generic(), grant.mask.map_generic());
                prop_assert_eq!((again.sid, again.inheritance), (grant.sid, grant.inheritance));
            }
        }
    }
}
