//! The settings that rows want, and finding contradictions between them.

use diskmend_bcd::ElementId;
use diskmend_hive::name::same_name;

use super::{BcdObject, BcdWanted, Bits, FolderPath, KeyPattern, NamePattern};
use crate::finding::{FileChangeKind, Wanted};
use crate::place::HiveName;

/// The setting that a row wants.
pub(crate) enum Claim<'r> {
    /// A value, or a whole key that is deleted. No two rows may want different things of it.
    Value {
        hive: HiveName,
        key: &'r KeyPattern,
        value: &'r str,
        desired: &'r Wanted,
    },
    /// Some bits of a value. No row may want them otherwise, or set the whole value.
    Bits {
        hive: HiveName,
        key: &'r KeyPattern,
        value: &'r str,
        bits: Bits,
    },
    /// Some entries of a list in a value. No other row may change the value.
    Entries {
        hive: HiveName,
        key: &'r KeyPattern,
        value: &'r str,
    },
    /// An element. No two rows may want different values for it.
    Element {
        object: BcdObject,
        element: ElementId,
        /// `bcdedit`'s name for it.
        name: String,
        desired: Option<&'r BcdWanted>,
    },
    /// Files. No two rows may do different things with a file.
    Files {
        folder: &'r FolderPath,
        name: &'r NamePattern,
        change: FileChangeKind,
        /// The file whose content takes the place of theirs.
        from: Option<&'r FolderPath>,
        /// True if it is a folder, with everything in it.
        is_folder: bool,
    },
    /// The security descriptors of a key, and of the keys below it if it is a whole tree. Two
    /// recipes that are used together mustn't set any of the same key.
    Permissions {
        hive: HiveName,
        key: &'r KeyPattern,
        tree: bool,
    },
    /// Security descriptors. Two recipes that are used together mustn't set any in the same folder.
    Folder(&'r FolderPath),
}

impl Claim<'_> {
    /// The contradiction, for display, if both want different things.
    pub(crate) fn contradicts(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (
                Self::Entries { hive, key, value },
                Self::Entries {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                },
            ) if hive == other_hive && key.may_meet(other_key) && same_name(value, other_value) => {
                Some(format!(
                    "both change the list in value \"{other_value}\" of {hive}\\{other_key}"
                ))
            }
            (
                Self::Entries { hive, key, value },
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired,
                },
            )
            | (
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired,
                },
                Self::Entries { hive, key, value },
            ) if hive == other_hive
                && overwrites(desired, (other_key, other_value), (key, value)) =>
            {
                Some(format!(
                    "want different things of the list in value \"{value}\" of {hive}\\{key}"
                ))
            }
            (
                Self::Bits {
                    hive,
                    key,
                    value,
                    bits,
                },
                Self::Bits {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    bits: other_bits,
                },
            ) if hive == other_hive
                && !bits.agree(*other_bits)
                && key.may_meet(other_key)
                && same_name(value, other_value) =>
            {
                Some(format!(
                    "want different bits in value \"{other_value}\" of {hive}\\{other_key}"
                ))
            }
            (
                Self::Bits {
                    hive, key, value, ..
                },
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired,
                },
            )
            | (
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired,
                },
                Self::Bits {
                    hive, key, value, ..
                },
            ) if hive == other_hive
                && overwrites(desired, (other_key, other_value), (key, value)) =>
            {
                Some(format!(
                    "want different things of value \"{value}\" of {hive}\\{key}"
                ))
            }
            (
                Self::Value {
                    hive,
                    key,
                    value,
                    desired,
                },
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired: other_desired,
                },
            ) if hive == other_hive => match (desired, other_desired) {
                (Wanted::Anything, _) | (_, Wanted::Anything) => None,
                (Wanted::NoKey, Wanted::NoKey) => None,
                // A value below a deleted key doesn't exist either.
                (Wanted::NoKey, Wanted::NoValue) | (Wanted::NoValue, Wanted::NoKey) => None,
                (Wanted::NoKey, Wanted::Data(_)) if other_key.may_be_at_or_below(key) => {
                    Some(deleted_and_set(*hive, key, other_value, other_key))
                }
                (Wanted::Data(_), Wanted::NoKey) if key.may_be_at_or_below(other_key) => {
                    Some(deleted_and_set(*hive, other_key, value, key))
                }
                // Rows about every subkey never create one, nor do they find one before it is there.
                (Wanted::CopyOf(_), Wanted::Data(_) | Wanted::NoValue | Wanted::NoKey)
                    if !other_key.is_exact() =>
                {
                    None
                }
                (Wanted::Data(_) | Wanted::NoValue | Wanted::NoKey, Wanted::CopyOf(_))
                    if !key.is_exact() =>
                {
                    None
                }
                (Wanted::CopyOf(_), Wanted::Data(_)) if other_key.may_be_at_or_below(key) => {
                    Some(copied_and_set(*hive, key, other_value, other_key))
                }
                (Wanted::Data(_), Wanted::CopyOf(_)) if key.may_be_at_or_below(other_key) => {
                    Some(copied_and_set(*hive, other_key, value, key))
                }
                (Wanted::CopyOf(_), Wanted::NoKey) if key.may_be_at_or_below(other_key) => {
                    Some(copied_and_deleted(*hive, key, other_key))
                }
                (Wanted::NoKey, Wanted::CopyOf(_)) if other_key.may_be_at_or_below(key) => {
                    Some(copied_and_deleted(*hive, other_key, key))
                }
                _ if desired != other_desired
                    && key.may_meet(other_key)
                    && same_name(value, other_value) =>
                {
                    Some(format!(
                        "want different data in value \"{other_value}\" of {hive}\\{other_key}"
                    ))
                }
                _ => None,
            },
            (
                Self::Permissions { hive, key, .. },
                Self::Value {
                    hive: other_hive,
                    key: deleted,
                    desired: Wanted::NoKey,
                    ..
                },
            )
            | (
                Self::Value {
                    hive: other_hive,
                    key: deleted,
                    desired: Wanted::NoKey,
                    ..
                },
                Self::Permissions { hive, key, .. },
            ) if hive == other_hive && key.may_be_at_or_below(deleted) => Some(format!(
                "contradict each other: {hive}\\{deleted} is deleted, and the permissions of \
                 {hive}\\{key} are set"
            )),
            (
                Self::Element {
                    object,
                    element,
                    desired,
                    ..
                },
                Self::Element {
                    object: other_object,
                    element: other_element,
                    name,
                    desired: other_desired,
                },
            ) if object == other_object && element == other_element && desired != other_desired => {
                Some(format!("want different things of {name} of {object}"))
            }
            (
                Self::Files {
                    folder,
                    name,
                    is_folder,
                    ..
                },
                Self::Files {
                    folder: other_folder,
                    name: other_name,
                    is_folder: other_is_folder,
                    ..
                },
            ) if (*is_folder && other_folder.is_in(folder, name))
                || (*other_is_folder && folder.is_in(other_folder, other_name)) =>
            {
                Some(format!(
                    "are about the folder {folder}\\{name} and about {other_name} in {other_folder}: one \
                     of them is in the other"
                ))
            }
            (
                Self::Files {
                    folder,
                    name,
                    change,
                    from,
                    is_folder,
                },
                Self::Files {
                    folder: other_folder,
                    name: other_name,
                    change: other_change,
                    from: other_from,
                    is_folder: other_is_folder,
                },
            ) if (change != other_change
                || is_folder != other_is_folder
                || !same_source(*from, *other_from))
                && folder.is(other_folder)
                && name.may_meet(other_name) =>
            {
                Some(format!(
                    "do different things with the files {name} and {other_name} in {folder}"
                ))
            }
            _ => None,
        }
    }

    /// The conflict, for display, if two recipes that are used together could remove what the other
    /// one grants.
    pub(crate) fn interferes(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) if one.may_meet(other) => {
                Some(format!("both set the permissions of {other}"))
            }
            (
                Self::Permissions { hive, key, tree },
                Self::Permissions {
                    hive: other_hive,
                    key: other_key,
                    tree: other_tree,
                },
            ) if hive == other_hive
                && (key.may_meet(other_key)
                    || (*tree && other_key.may_be_at_or_below(key))
                    || (*other_tree && key.may_be_at_or_below(other_key))) =>
            {
                Some(format!("both set the permissions of {hive}\\{other_key}"))
            }
            _ => None,
        }
    }
}

fn same_source(one: Option<&FolderPath>, other: Option<&FolderPath>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is(other),
        (one, other) => one.is_none() == other.is_none(),
    }
}

/// True if a row that wants this of a value changes the other value as a whole, of which another
/// row changes a part.
fn overwrites(
    desired: &Wanted,
    (key, value): (&KeyPattern, &str),
    (other_key, other): (&KeyPattern, &str),
) -> bool {
    match desired {
        // A key that is copied did not exist before, so nothing in it is a part of anything.
        Wanted::Anything | Wanted::Permissions(_) | Wanted::CopyOf(_) => false,
        Wanted::NoKey => other_key.may_be_at_or_below(key),
        Wanted::Data(_) | Wanted::NoValue => other_key.may_meet(key) && same_name(other, value),
    }
}

fn deleted_and_set(hive: HiveName, deleted: &KeyPattern, value: &str, key: &KeyPattern) -> String {
    format!(
        "contradict each other: {hive}\\{deleted} is deleted, and value \"{value}\" of \
         {hive}\\{key} is set"
    )
}

fn copied_and_set(hive: HiveName, copied: &KeyPattern, value: &str, key: &KeyPattern) -> String {
    format!(
        "contradict each other: {hive}\\{copied} becomes a copy of another key, and value \
         \"{value}\" of {hive}\\{key} is set"
    )
}

fn copied_and_deleted(hive: HiveName, copied: &KeyPattern, deleted: &KeyPattern) -> String {
    format!(
        "contradict each other: {hive}\\{copied} becomes a copy of another key, and \
         {hive}\\{deleted} is deleted"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{KeyCopy, Subtree};
    use crate::value_data::ValueData;

    fn says(one: (&str, &str, &Wanted), other: (&str, &str, &Wanted)) -> Option<String> {
        let keys = [one.0, other.0].map(|key| KeyPattern::parse(HiveName::System, key));
        let [key, other_key] = keys.map(|key| key.expect("valid"));
        let claim = |key, value, desired| Claim::Value {
            hive: HiveName::System,
            key,
            value,
            desired,
        };
        let one = claim(&key, one.1, one.2);
        let other = claim(&other_key, other.1, other.2);
        let said = one.contradicts(&other);
        assert_eq!(
            said.is_some(),
            other.contradicts(&one).is_some(),
            "{said:?}"
        );
        said
    }

    #[test]
    fn a_copied_key_is_neither_set_nor_deleted() {
        let copy = |from: &str| {
            Wanted::CopyOf(KeyCopy {
                from: from.to_owned(),
                content: Subtree::NOTHING,
            })
        };
        let (own, data) = (copy(r"ControlSet*\A\Old"), ValueData::dword(1).into());
        let new = r"ControlSet*\A\New";
        for (key, value, desired, say) in [
            (new, "", &own, None),
            (
                new,
                "",
                &copy(r"ControlSet*\A\Other"),
                Some("different data"),
            ),
            (new, "V", &data, Some("becomes a copy")),
            (r"ControlSet*\A\New\b", "V", &data, Some("becomes a copy")),
            (r"ControlSet*\A\{*}", "V", &data, None),
            (r"ControlSet*\A", "V", &data, None),
            (r"ControlSet*\A", "", &Wanted::NoKey, Some("is deleted")),
            (r"ControlSet*\{*}\New", "", &Wanted::NoKey, None),
            (r"ControlSet*\A\New\b", "", &Wanted::NoKey, None),
        ] {
            let found = says((new, "", &own), (key, value, desired));
            let back = says((key, value, desired), (new, "", &own));
            assert_eq!(found.is_some(), back.is_some(), "{key} {value}");
            match say {
                None => assert_eq!(found, None, "{key} {value}"),
                Some(say) => assert!(
                    found.as_ref().is_some_and(|found| found.contains(say)),
                    "{found:?}"
                ),
            }
        }
    }

    #[test]
    fn a_subkey_of_any_name_meets_every_name() {
        let (one, two) = (
            Wanted::from(ValueData::dword(1)),
            Wanted::from(ValueData::dword(2)),
        );
        let each = (r"ControlSet*\A\{*}\B", "V", &one);
        for key in [
            r"ControlSet*\A\{*}\B",
            r"ControlSet*\A\{guid}\B",
            r"ControlSet002\a\X\b",
        ] {
            assert!(says(each, (key, "v", &two)).is_some(), "{key}");
            assert_eq!(says(each, (key, "W", &two)), None, "{key}");
            assert_eq!(says(each, (key, "V", &one)), None, "{key}");
            assert!(says(each, (key, "", &Wanted::NoKey)).is_some(), "{key}");
        }
        for key in [
            r"ControlSet*\A\B",
            r"ControlSet*\A\X\C",
            r"ControlSet*\A\X\Y\B",
            r"Setup\A\X\B",
        ] {
            assert_eq!(says(each, (key, "V", &two)), None, "{key}");
        }
    }

    #[test]
    fn a_deleted_key_meets_every_value_in_it() {
        let one = Wanted::from(ValueData::dword(1));
        let (no_value, no_key) = (Wanted::NoValue, Wanted::NoKey);
        let deleted = (r"ControlSet*\A\B", "", &no_key);
        for inside in [
            r"ControlSet*\a\b",
            r"ControlSet*\A\B\C\D",
            r"ControlSet001\A\B\C",
        ] {
            let said = says(deleted, (inside, "V", &one)).expect(inside);
            assert!(
                said.contains(r"SYSTEM\ControlSet*\A\B is deleted"),
                "{said}"
            );
            assert_eq!(says(deleted, (inside, "V", &no_value)), None);
            assert_eq!(says(deleted, (inside, "", &no_key)), None);
        }
        for outside in [
            r"ControlSet*\A",
            r"ControlSet*\A\Bc\D",
            r"Setup\A\B",
            r"ControlSet001\A",
        ] {
            assert_eq!(says(deleted, (outside, "V", &one)), None, "{outside}");
        }
        let value = |wanted| (r"Setup", "V", wanted);
        assert!(says(value(&one), value(&no_value)).is_some());
        assert_eq!(says(value(&no_value), value(&no_value)), None);
    }
}
