//! The place of a hive's keys in the registry.

use std::sync::Arc;

use super::{ParseError, RegFile};
use crate::name::NameBuf;

/// Short names of root keys, which people write though registry files do not.
const ROOTS: [(&str, &str); 5] = [
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKCU", "HKEY_CURRENT_USER"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKU", "HKEY_USERS"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
];

impl RegFile {
    /// The same operations with paths from the hive's root key, which has an empty path.
    ///
    /// `prefix` is where the hive lies (`HKEY_LOCAL_MACHINE\SYSTEM`); case does not matter, and
    /// root keys may be abbreviated. An empty prefix only drops a leading backslash.
    ///
    /// # Errors
    /// [`ParseError::OutsidePrefix`] for a key that lies elsewhere.
    pub fn strip_prefix(mut self, prefix: &str) -> Result<Self, ParseError> {
        // Values share their key's path: strip it once.
        let mut last: Option<(Arc<str>, Arc<str>)> = None;
        for operation in &mut self.operations {
            let line = operation.line();
            let path = operation.path_mut();
            let within = match &last {
                Some((whole, within)) if Arc::ptr_eq(whole, path) => Arc::clone(within),
                _ => Arc::from(path_within(path, prefix).ok_or_else(|| {
                    ParseError::OutsidePrefix {
                        line,
                        prefix: prefix.into(),
                        path: path.to_string(),
                    }
                })?),
            };
            last = Some((Arc::clone(path), Arc::clone(&within)));
            *path = within;
        }
        Ok(self)
    }
}

/// What follows `prefix` in `path`, without a separator in front.
fn path_within<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = Some(path.strip_prefix('\\').unwrap_or(path));
    let prefix = prefix.trim_matches('\\');
    if prefix.is_empty() {
        return rest;
    }
    for (index, wanted) in prefix.split('\\').enumerate() {
        let (found, behind) = match rest?.split_once('\\') {
            Some((found, behind)) => (found, Some(behind)),
            None => (rest?, None),
        };
        let is_equal = if index == 0 {
            is_same(root(found), root(wanted))
        } else {
            is_same(found, wanted)
        };
        if !is_equal {
            return None;
        }
        rest = behind;
    }
    // Nothing follows: the path is the prefix.
    Some(rest.unwrap_or(""))
}

fn root(name: &str) -> &str {
    ROOTS
        .iter()
        .find(|(short, _)| name.eq_ignore_ascii_case(short))
        .map_or(name, |(_, long)| long)
}

fn is_same(left: &str, right: &str) -> bool {
    NameBuf::new(left)
        .as_name()
        .eq_ignore_case(NameBuf::new(right).as_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_compared_by_components_whatever_the_case() {
        let prefix = r"HKEY_LOCAL_MACHINE\SYSTEM";
        assert_eq!(
            path_within(r"hkey_local_machine\System\Select", prefix),
            Some("Select")
        );
        assert_eq!(path_within(r"HKLM\SYSTEM\A\B", prefix), Some(r"A\B"));
        assert_eq!(
            path_within(r"HKEY_LOCAL_MACHINE\SYSTEM\A", r"hklm\system\"),
            Some("A")
        );
        assert_eq!(path_within(r"HKEY_LOCAL_MACHINE\SYSTEM", prefix), Some(""));
        assert_eq!(path_within(r"HKEY_LOCAL_MACHINE\SYSTEM2\A", prefix), None);
        assert_eq!(path_within(r"HKEY_LOCAL_MACHINE", prefix), None);
        assert_eq!(path_within(r"A\HKEY_LOCAL_MACHINE\SYSTEM", prefix), None);
    }

    #[test]
    fn no_prefix_drops_a_leading_backslash() {
        assert_eq!(path_within(r"\Select", ""), Some("Select"));
        assert_eq!(path_within(r"\", ""), Some(""));
        assert_eq!(path_within("Select", ""), Some("Select"));
    }
}
