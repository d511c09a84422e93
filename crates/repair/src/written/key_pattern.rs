//! The key that a recipe's row names, in one or in every control set.

use std::fmt;

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, FileOffset, Hive, Key, components};

use crate::facts::is_control_set;
use crate::place::HiveName;

/// The longest key name in UTF-16 units (regf spec, Key node; the Windows API's limit).
const MAX_NAME: usize = 255;
/// The root of a hive.
const ROOT: &str = "\\";
/// The maximum number of components of a path: as deep as Windows itself nests keys.
const MAX_DEPTH: usize = 512;
const EVERY: &str = "ControlSet*";
/// The component that stands for every subkey.
const EACH: &str = "{*}";
/// The maximum number of components that may be `{*}`: bus, device and instance below `Enum`.
const MOST_EACH: usize = 3;
/// The maximum number of keys that a pattern stands for in a hive. The services of a large server
/// are some 1,000.
const MOST_KEYS: usize = 10_000;
/// The same for a pattern with several `{*}`. A server that makes a shadow copy every hour leaves
/// tens of thousands of devices.
const MOST_NESTED_KEYS: usize = 100_000;

/// A key path below a hive's root. If it starts with `ControlSet*`, it stands for that key in every
/// control set. Up to three components may be `{*}`, which stands for every subkey of the key above
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    every_control_set: bool,
    rest: String,
}

impl KeyPattern {
    /// Reads a path as written in a recipe.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub fn parse(hive: HiveName, text: &str) -> Result<Self, String> {
        if text == ROOT {
            return Ok(Self {
                every_control_set: false,
                rest: String::new(),
            });
        }
        let components: Vec<&str> = text.split('\\').collect();
        if components.len() > MAX_DEPTH {
            return Err(format!("a key path has at most {MAX_DEPTH} components"));
        }
        let (every_control_set, rest) = match components.split_first() {
            Some((first, rest)) if first.eq_ignore_ascii_case(EVERY) => (true, rest),
            _ => (false, components.as_slice()),
        };
        if every_control_set && hive != HiveName::System {
            return Err(format!("{EVERY} exists in hive SYSTEM only, not in {hive}"));
        }
        let Some(first) = rest.first() else {
            return Err(format!("a key below {EVERY} is needed"));
        };
        let each = rest.iter().filter(|name| **name == EACH).count();
        if each > MOST_EACH {
            return Err(format!("at most {MOST_EACH} components may be {EACH}"));
        }
        let mut names = rest.iter().filter(|name| **name != EACH);
        names.try_for_each(|name| component(name))?;
        if !every_control_set && first.eq_ignore_ascii_case("CurrentControlSet") {
            return Err(format!(
                "CurrentControlSet exists in a running Windows only: write {EVERY}, which stands \
                 for every control set"
            ));
        }
        for root in ["HKLM", "HKEY_LOCAL_MACHINE", hive.file_name()] {
            // The root of SAM has a key with this name.
            let exists = hive == HiveName::Sam && root == hive.file_name();
            if !every_control_set && !exists && first.eq_ignore_ascii_case(root) {
                return Err(format!(
                    "the path starts below the hive's root, without {root}"
                ));
            }
        }
        Ok(Self {
            every_control_set,
            rest: rest.join("\\"),
        })
    }

    /// True if it stands for the root of the hive.
    pub(crate) const fn is_root(&self) -> bool {
        self.rest.is_empty()
    }

    /// True if it stands for a key in every control set.
    #[must_use]
    pub fn every_control_set(&self) -> bool {
        self.every_control_set
    }

    /// True if it stands for one key, or for one in each control set, whether it exists or not.
    pub(crate) fn is_exact(&self) -> bool {
        !self.rest.split('\\').any(|name| name == EACH)
    }

    /// True if every key that it stands for is in a control set.
    pub(crate) fn is_in_control_set(&self) -> bool {
        let first = self.rest.split('\\').next();
        self.every_control_set || first.is_some_and(is_control_set)
    }

    /// True if both may stand for one key.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        self.depth() == other.depth() && self.may_be_at_or_below(other)
    }

    /// True if this may stand for a key that the other stands for, or for one below it.
    pub(crate) fn may_be_at_or_below(&self, other: &Self) -> bool {
        let mut names = self.components();
        other
            .components()
            .all(|above| names.next().is_some_and(|name| name.may_meet(above)))
    }

    fn depth(&self) -> usize {
        self.components().count()
    }

    fn components(&self) -> impl Iterator<Item = Component<'_>> {
        let set = self.every_control_set.then_some(Component::EveryControlSet);
        let names = self.rest.split('\\').filter(|name| !name.is_empty());
        set.into_iter().chain(names.map(|name| match name {
            EACH => Component::EverySubkey,
            name => Component::Name(name),
        }))
    }

    /// The key paths that it stands for in a hive, given the names of the control sets that exist.
    /// A path without `{*}` need not exist.
    ///
    /// # Errors
    /// If the hive is corrupt, or has too many such keys.
    pub(crate) fn resolve_in(
        &self,
        hive: &Hive,
        sets: &[String],
    ) -> Result<Vec<String>, Corruption> {
        self.resolve_with(hive, sets, |_| Ok(true))
    }

    /// The key paths of [`Self::resolve_in`], but of those that `{*}` leads to only the ones for
    /// which `is_wanted` returns true. It gets the key, if it exists.
    ///
    /// # Errors
    /// Those of [`Self::resolve_in`] and of `is_wanted`.
    pub(crate) fn resolve_with(
        &self,
        hive: &Hive,
        sets: &[String],
        is_wanted: impl Fn(Option<Key<'_>>) -> Result<bool, Corruption>,
    ) -> Result<Vec<String>, Corruption> {
        let starts = self.resolve(sets);
        let mut parts = self.rest.split(EACH).skip(1).peekable();
        if parts.peek().is_none() {
            return Ok(starts.collect());
        }
        let most = if parts.clone().count() > 1 {
            MOST_NESTED_KEYS
        } else {
            MOST_KEYS
        };
        let mut above = Vec::new();
        for path in starts {
            let path = path.split_once(EACH).map_or(&*path, |(above, _)| above);
            above.extend(hive.key(path)?.map(|key| (path.to_owned(), key)));
        }
        let mut keys = Vec::new();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let mut next = Vec::new();
            each_subkey(&above, most, |path, subkey| {
                let found = below(subkey, part)?;
                let path = || format!("{path}{}{part}", subkey.name().in_path());
                if !is_last {
                    next.extend(found.map(|key| (path(), key)));
                } else if is_wanted(found)? {
                    keys.push(path());
                }
                Ok(())
            })?;
            above = next;
        }
        Ok(keys)
    }

    /// The key paths that it stands for, in which `{*}` still stands for every subkey.
    fn resolve<'a>(&'a self, sets: &'a [String]) -> impl Iterator<Item = String> + 'a {
        let literal = (!self.every_control_set).then(|| self.rest.clone());
        let sets = if self.every_control_set { sets } else { &[] };
        literal
            .into_iter()
            .chain(sets.iter().map(|set| format!("{set}\\{}", self.rest)))
    }
}

/// Calls `look` for each subkey of several keys, with the path of its key.
fn each_subkey<'h>(
    keys: &[(String, Key<'h>)],
    most: usize,
    mut look: impl FnMut(&str, Key<'h>) -> Result<(), Corruption>,
) -> Result<(), Corruption> {
    let mut seen = 0;
    let real = keys.iter().filter(|(_, key)| !key.has_predefined_handle());
    for (path, key) in real {
        for subkey in key.subkeys()? {
            if seen == most {
                return Err(Corruption::new(
                    "number of subkeys",
                    FileOffset::from(key.cell()),
                    format!("at most {most} for {EACH} in a recipe"),
                    "more".to_owned(),
                ));
            }
            seen += 1;
            look(path, subkey?)?;
        }
    }
    Ok(())
}

/// The key at a path below a key.
fn below<'h>(mut key: Key<'h>, path: &str) -> Result<Option<Key<'h>>, Corruption> {
    for name in components(path) {
        match key.subkey(name)? {
            Some(found) => key = found,
            None => return Ok(None),
        }
    }
    Ok(Some(key))
}

/// A component of a pattern.
#[derive(Clone, Copy)]
enum Component<'a> {
    /// The name of each control set.
    EveryControlSet,
    /// The name of each subkey.
    EverySubkey,
    /// This name.
    Name(&'a str),
}

impl Component<'_> {
    /// True if both may stand for one name.
    fn may_meet(self, other: Self) -> bool {
        match (self, other) {
            (Self::EveryControlSet, Self::EveryControlSet)
            | (Self::EverySubkey, _)
            | (_, Self::EverySubkey) => true,
            (Self::EveryControlSet, Self::Name(name))
            | (Self::Name(name), Self::EveryControlSet) => is_control_set(name),
            (Self::Name(name), Self::Name(other)) => same_name(name, other),
        }
    }
}

fn component(name: &str) -> Result<(), String> {
    let units = name.encode_utf16().count();
    if units == 0 {
        return Err("a key path has no empty component, and no \\ at its start or end".to_owned());
    }
    if units > MAX_NAME {
        return Err(format!(
            "a key's name has at most {MAX_NAME} characters, this one {units}"
        ));
    }
    if matches!(name, "." | "..") {
        return Err(format!("\"{name}\" has no meaning in a key path"));
    }
    if let Some(odd) = name
        .chars()
        .find(|c| matches!(c, '*' | '/') || c.is_control())
    {
        return Err(format!(
            "\"{odd}\" is not accepted in a key path: only {EVERY} may start one, and whole \
             components may be {EACH}"
        ));
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(format!("\"{name}\" starts or ends with a space"));
    }
    Ok(())
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.every_control_set {
            write!(f, "{EVERY}\\")?;
        }
        if self.is_root() {
            return f.write_str(ROOT);
        }
        f.write_str(&self.rest)
    }
}

#[cfg(test)]
mod tests {
    use diskmend_hive::{Editor, Filetime};

    use super::*;

    #[test]
    fn stands_for_the_key_in_each_control_set_that_exists() {
        let key = KeyPattern::parse(HiveName::System, r"ControlSet*\Control\Lsa").expect("valid");
        let sets = ["ControlSet001".to_owned(), "ControlSet003".to_owned()];
        assert_eq!(
            key.resolve(&sets).collect::<Vec<_>>(),
            [r"ControlSet001\Control\Lsa", r"ControlSet003\Control\Lsa"]
        );
        assert_eq!(key.resolve(&[]).count(), 0);
        let key = KeyPattern::parse(HiveName::Software, r"Policies\A").expect("valid");
        assert_eq!(key.resolve(&sets).collect::<Vec<_>>(), [r"Policies\A"]);
    }

    #[test]
    fn a_pattern_stands_for_a_limited_number_of_subkeys() {
        let now = Filetime(0);
        let mut editor = Editor::new(Hive::create(5, &[0; 20], now).expect("a hive"), now);
        for key in [r"A\b\D", r"A\c"] {
            editor.create_key(key).expect("valid");
        }
        let each = KeyPattern::parse(HiveName::Software, r"A\{*}\D").expect("valid");
        let edited = editor.finish().expect("valid");
        let keys = each.resolve_in(edited.hive(), &[]).expect("not too many");
        assert_eq!(keys, [r"A\b\D", r"A\c\D"]);

        let with = |is_wanted: fn(Option<Key<'_>>) -> bool| {
            let keys = each.resolve_with(edited.hive(), &[], |key| Ok(is_wanted(key)));
            keys.expect("not too many")
        };
        assert_eq!(with(|key| key.is_some()), [r"A\b\D"]);
        assert_eq!(with(|key| key.is_none()), [r"A\c\D"]);

        let above = edited.hive().key("A").expect("sound").expect("a key");
        let above = [(r"A\".to_owned(), above)];
        each_subkey(&above, 2, |_, _| Ok(())).expect("not too many");
        let error = each_subkey(&above, 1, |_, _| Ok(())).expect_err("too many");
        assert!(error.to_string().contains("at most 1 "), "{error}");
    }

    #[test]
    fn several_components_stand_for_every_subkey() {
        let now = Filetime(0);
        let mut editor = Editor::new(Hive::create(5, &[0; 20], now).expect("a hive"), now);
        for key in [r"E\b\d\1", r"E\b\d\2\x", r"E\b\e", r"E\c\d\3", r"F\b\d\4"] {
            editor.create_key(key).expect("valid");
        }
        let edited = editor.finish().expect("valid");
        let resolved = |path: &str| {
            let pattern = KeyPattern::parse(HiveName::Software, path).expect(path);
            pattern
                .resolve_in(edited.hive(), &[])
                .expect("not too many")
        };
        assert_eq!(
            resolved(r"E\{*}\{*}\{*}"),
            [r"E\b\d\1", r"E\b\d\2", r"E\c\d\3"]
        );
        assert_eq!(resolved(r"E\{*}\d\{*}\x").len(), 3);
        assert_eq!(resolved(r"E\b\{*}"), [r"E\b\d", r"E\b\e"]);
        assert_eq!(resolved(r"G\{*}\{*}"), [""; 0]);
    }

    #[test]
    fn a_backslash_stands_for_the_root() {
        let parse = |text| KeyPattern::parse(HiveName::Components, text).expect(text);
        let (root, key) = (parse("\\"), parse(r"A\B"));
        assert_eq!(root.to_string(), "\\");
        assert_eq!(root.resolve(&[]).collect::<Vec<_>>(), [""]);
        assert!(root.may_meet(&root) && !root.may_meet(&key) && !key.may_meet(&root));
        assert!(key.may_be_at_or_below(&root) && !root.may_be_at_or_below(&key));
    }

    #[test]
    fn nonsense_is_refused() {
        for (hive, path, say) in [
            (HiveName::System, r"", "empty component"),
            (HiveName::System, r"\Setup", "empty component"),
            (HiveName::System, r"Setup\..\Select", "no meaning"),
            (HiveName::System, r"Setup/Select", "not accepted"),
            (HiveName::System, r"Setup\*", "not accepted"),
            (HiveName::System, r"Setup\{*}a", "not accepted"),
            (HiveName::System, r"A\{*}\{*}\{*}\{*}", "at most 3"),
            (HiveName::System, r"ControlSet*", "below ControlSet*"),
            (
                HiveName::System,
                r"CurrentControlSet\Control",
                "ControlSet*",
            ),
            (HiveName::System, r"HKLM\SYSTEM\Setup", "without HKLM"),
            (HiveName::Software, r"ControlSet*\Control", "SYSTEM only"),
            (HiveName::Software, r"Microsoft \Windows", "space"),
            (HiveName::Security, r"SECURITY\Policy", "without SECURITY"),
        ] {
            let error = KeyPattern::parse(hive, path).expect_err(path);
            assert!(error.contains(say), "{path}: {error}");
        }
        KeyPattern::parse(HiveName::Sam, r"SAM\Domains").expect("a key of this hive");
        let long = "x".repeat(256);
        assert!(KeyPattern::parse(HiveName::System, &long).is_err());
    }
}
