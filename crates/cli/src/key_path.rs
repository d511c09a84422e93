//! Key paths and value names as people write them.

use diskmend_hive::components;
use diskmend_hive::name::same_name;

/// The prefix that regedit's address bar puts before a path.
const COMPUTER: &str = "Computer";

/// The short names of root keys.
const ROOTS: [(&str, &str); 5] = [
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKCU", "HKEY_CURRENT_USER"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKU", "HKEY_USERS"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
];

/// The path below the hive's root, without leading and trailing backslashes, and without `prefix`
/// if the path starts with it.
pub(crate) fn below_root(path: &str, prefix: Option<&str>) -> String {
    let mut names: Vec<&str> = components(path).collect();
    let prefix: Vec<&str> = prefix.into_iter().flat_map(components).collect();
    let is_computer = names
        .first()
        .is_some_and(|first| same_name(first, COMPUTER));
    let skipped = usize::from(!prefix.is_empty() && is_computer);
    let starts = names.len() >= skipped + prefix.len()
        && names
            .iter()
            .skip(skipped)
            .zip(&prefix)
            .all(|(name, wanted)| same_name(root(name), root(wanted)));
    if starts {
        names.drain(..skipped + prefix.len());
    }
    names.join("\\")
}

/// The value's name: `(Default)` and `@` stand for the default value, which has an empty name.
pub(crate) fn value_name(text: &str) -> &str {
    match text {
        "@" => "",
        _ if text.eq_ignore_ascii_case("(Default)") => "",
        _ => text,
    }
}

/// A path for display; the root has no path.
pub(crate) fn shown(path: &str) -> &str {
    match path {
        "" => "\\",
        _ => path,
    }
}

/// A hint what the user probably meant, if a path that does not exist suggests it.
pub(crate) fn hint(path: &str) -> Option<String> {
    let first = components(path).next()?;
    if same_name(first, "CurrentControlSet") {
        let hint = "CurrentControlSet exists only in a running Windows: name the control set \
                    itself, such as ControlSet001";
        return Some(hint.to_owned());
    }
    let is_root = ROOTS
        .iter()
        .any(|(short, long)| same_name(first, short) || same_name(first, long));
    (is_root || same_name(first, COMPUTER)).then(|| {
        "paths start below the hive's root: say where the hive belongs, as in --prefix \
         'HKEY_LOCAL_MACHINE\\SYSTEM', or leave out that part"
            .to_owned()
    })
}

fn root(name: &str) -> &str {
    ROOTS
        .iter()
        .find(|(short, _)| same_name(name, short))
        .map_or(name, |(_, long)| long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_around_a_path_do_not_matter() {
        for path in ["Select", "\\Select", "Select\\", "\\\\Select\\\\"] {
            assert_eq!(below_root(path, None), "Select");
        }
        assert_eq!(below_root("\\", None), "");
        assert_eq!(below_root("", Some("HKLM\\SYSTEM")), "");
    }

    #[test]
    fn the_prefix_is_dropped_if_it_is_there() {
        let prefix = Some("HKEY_LOCAL_MACHINE\\SYSTEM");
        for path in [
            "HKEY_LOCAL_MACHINE\\SYSTEM\\Select",
            "hklm\\system\\Select",
            "\\HKLM\\SYSTEM\\Select",
            "Computer\\HKEY_LOCAL_MACHINE\\SYSTEM\\Select",
            "Select",
        ] {
            assert_eq!(below_root(path, prefix), "Select");
        }
        assert_eq!(below_root("HKLM\\SYSTEM", prefix), "");
        assert_eq!(below_root("HKLM\\SYSTEM2\\A", prefix), "HKLM\\SYSTEM2\\A");
        assert_eq!(below_root("HKLM", prefix), "HKLM");
        assert_eq!(below_root("HKLM\\SYSTEM\\A", None), "HKLM\\SYSTEM\\A");
    }

    #[test]
    fn wrong_beginnings_are_explained() {
        assert!(hint("CurrentControlSet\\Control").is_some());
        assert!(hint("HKLM\\SYSTEM\\Select").is_some());
        assert!(hint("ControlSet001").is_none());
    }
}
