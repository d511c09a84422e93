//! Paths below a volume's root, in UTF-16 code units as NTFS stores names.

use std::ffi::{OsStr, OsString};
use std::fmt;

use diskmend_base::escape::EscapedUnits;
use diskmend_base::upcase::CaseTable;

const BACKSLASH: u16 = b'\\' as u16;

/// A path below a volume's root: names in UTF-16 units that need not be valid UTF-16, with `/`
/// between them. The root itself is the empty path.
///
/// For display, the root is `.`, and names are in the form of [`diskmend_base::escape`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtPath {
    units: Vec<u16>,
}

impl NtPath {
    /// The separator between names; no name on NTFS can contain it, but a name that Windows did not
    /// create may contain a backslash.
    pub(crate) const SEPARATOR: u16 = b'/' as u16;

    /// A path of these units.
    #[must_use]
    pub const fn from_units(units: Vec<u16>) -> Self {
        Self { units }
    }

    /// All units, with the separators.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// True if it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.units.is_empty()
    }

    /// True if Windows takes both for one path: they differ at most in case.
    #[must_use]
    pub(crate) fn is(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.units.iter(), other.units.iter());
        CaseTable::FILES.same(ours.copied(), theirs.copied())
    }

    /// The path of a name in the folder at this path; `None` if NTFS could not store the system's
    /// name.
    #[must_use]
    pub fn join(&self, name: &OsStr) -> Option<Self> {
        Some(self.join_units(&units(name)?))
    }

    /// The path of a name in the folder at this path.
    pub(crate) fn join_units(&self, name: &[u16]) -> Self {
        let mut path = self.clone();
        if !path.is_root() {
            path.units.push(Self::SEPARATOR);
        }
        path.units.extend(name);
        path
    }

    /// The names in the path.
    pub(crate) fn unit_names(&self) -> impl Iterator<Item = &[u16]> {
        let whole = (!self.is_root()).then_some(self.units.as_slice());
        whole
            .into_iter()
            .flat_map(|units| units.split(|unit| *unit == Self::SEPARATOR))
    }

    /// The path of a name; parts that NTFS could not store are replaced by U+FFFD: for messages.
    #[must_use]
    pub fn join_lossy(&self, name: &OsStr) -> Self {
        let text = name.to_string_lossy().replace('/', "\u{fffd}");
        self.join(name)
            .or_else(|| self.join(OsStr::new(&text)))
            .unwrap_or_else(|| self.clone())
    }

    /// This path, continued by another.
    #[must_use]
    pub fn append(&self, rest: &Self) -> Self {
        let mut path = self.clone();
        if !path.is_root() && !rest.is_root() {
            path.units.push(Self::SEPARATOR);
        }
        path.units.extend(&rest.units);
        path
    }

    /// The rest of the path below a folder that contains it; both must be spelled alike.
    #[must_use]
    pub fn relative_to(&self, folder: &Self) -> Option<Self> {
        let rest = self.units.strip_prefix(folder.units.as_slice())?;
        match rest {
            [] => Some(Self::default()),
            rest if folder.is_root() => Some(Self::from_units(rest.to_vec())),
            [Self::SEPARATOR, rest @ ..] => Some(Self::from_units(rest.to_vec())),
            _ => None,
        }
    }

    /// The path as Windows writes it, with backslashes between its names; `None` if a name contains
    /// a backslash, which would look like a separator.
    #[must_use]
    pub fn with_backslashes(&self) -> Option<Vec<u16>> {
        if self.units.contains(&BACKSLASH) {
            return None;
        }
        Some(replaced(&self.units, Self::SEPARATOR, BACKSLASH))
    }

    /// The path as Windows writes it, in the form of [`diskmend_base::escape`]; a backslash in a
    /// name is escaped too.
    #[must_use]
    pub fn windows(&self) -> String {
        let names = self.unit_names();
        let names = names.map(|name| {
            let name = EscapedUnits::new(name.iter().copied());
            name.and('\\').to_string()
        });
        names.collect::<Vec<_>>().join("\\")
    }

    /// A path as Windows writes it; `None` if it contains a slash.
    #[must_use]
    pub fn from_backslashes(units: &[u16]) -> Option<Self> {
        if units.contains(&Self::SEPARATOR) {
            return None;
        }
        Some(Self::from_units(replaced(
            units,
            BACKSLASH,
            Self::SEPARATOR,
        )))
    }

    /// The names in the path, as the system spells them; `None` if the system can't spell a name.
    pub fn names(&self) -> impl Iterator<Item = Option<OsString>> {
        self.unit_names().map(os_string)
    }

    /// The last name, as the system spells it; `None` for the root, and if the system can't spell
    /// it.
    #[must_use]
    pub fn name(&self) -> Option<OsString> {
        let (_, name) = self.split_last()?;
        os_string(name)
    }

    /// The folder that contains it, and the last name; `None` for the root.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &[u16])> {
        let (parent, name) = self.split_last_units()?;
        Some((Self::from_units(parent.to_vec()), name))
    }

    /// The units of [`Self::split_last`].
    pub(crate) fn split_last_units(&self) -> Option<(&[u16], &[u16])> {
        if self.is_root() {
            return None;
        }
        match self.units.iter().rposition(|unit| *unit == Self::SEPARATOR) {
            Some(at) => Some((self.units.get(..at)?, self.units.get(at + 1..)?)),
            None => Some((&[], &self.units)),
        }
    }
}

impl From<&str> for NtPath {
    fn from(path: &str) -> Self {
        Self::from_units(path.encode_utf16().collect())
    }
}

impl fmt::Display for NtPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        EscapedUnits::new(self.units.iter().copied()).fmt(f)
    }
}

fn replaced(units: &[u16], from: u16, to: u16) -> Vec<u16> {
    let other = |unit: &u16| if *unit == from { to } else { *unit };
    units.iter().map(other).collect()
}

/// The name in UTF-16; `None` if NTFS could not store it. File systems of Unix show lone surrogates
/// in generalized UTF-8, with three bytes for each.
#[cfg(unix)]
pub(crate) fn units(name: &OsStr) -> Option<Vec<u16>> {
    use std::os::unix::ffi::OsStrExt;

    let mut rest = name.as_bytes();
    let mut units = Vec::with_capacity(rest.len());
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                break;
            }
            Err(error) => error,
        };
        let (valid, after) = rest.split_at_checked(error.valid_up_to())?;
        units.extend(std::str::from_utf8(valid).ok()?.encode_utf16());
        let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, tail @ ..] = after else {
            return None;
        };
        units.push(0xD000 | (u16::from(second & 0x3F) << 6) | u16::from(third & 0x3F));
        rest = tail;
    }
    // A surrogate pair in six bytes would be found under another name.
    (os_string(&units)?.as_os_str() == name).then_some(units)
}

#[cfg(unix)]
pub(crate) fn os_string(units: &[u16]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = Vec::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(error) => {
                let [high, low] = error.unpaired_surrogate().to_be_bytes();
                let second = 0x80 | ((high & 0x0F) << 2) | (low >> 6);
                bytes.extend([0xED, second, 0x80 | (low & 0x3F)]);
            }
        }
    }
    Some(OsString::from_vec(bytes))
}

/// The name in UTF-16.
#[cfg(windows)]
pub(crate) fn units(name: &OsStr) -> Option<Vec<u16>> {
    use std::os::windows::ffi::OsStrExt;
    Some(name.encode_wide().collect())
}

#[cfg(windows)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "not every name can be spelled elsewhere"
)]
pub(crate) fn os_string(units: &[u16]) -> Option<OsString> {
    use std::os::windows::ffi::OsStringExt;
    Some(OsString::from_wide(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        let path = NtPath::from("ProgramData/Microsoft");
        let path = path.join(OsStr::new("Schlüssel \u{1f511}")).unwrap();
        let names: Vec<_> = path.names().map(Option::unwrap).collect();
        assert_eq!(names, ["ProgramData", "Microsoft", "Schlüssel \u{1f511}"]);
        let (parent, name) = path.split_last().unwrap();
        assert_eq!(parent, NtPath::from("ProgramData/Microsoft"));
        assert_eq!(String::from_utf16(name).unwrap(), "Schlüssel \u{1f511}");
        assert_eq!(NtPath::default().names().count(), 0);
        assert_eq!(NtPath::default().split_last(), None);
        assert_eq!(NtPath::default().to_string(), ".");
    }

    #[test]
    fn one_path_leads_on_from_another() {
        let (root, keys) = (NtPath::default(), NtPath::from("Keys/a"));
        assert_eq!(keys.append(&NtPath::from("b")), NtPath::from("Keys/a/b"));
        assert_eq!(root.append(&keys), keys);
        assert_eq!(keys.append(&root), keys);
        assert_eq!(keys.relative_to(&root), Some(keys.clone()));
        assert_eq!(keys.relative_to(&keys), Some(root));
        let name = Some(NtPath::from("a"));
        assert_eq!(keys.relative_to(&NtPath::from("Keys")), name);
        assert_eq!(keys.relative_to(&NtPath::from("Key")), None);
        assert_eq!(NtPath::from("Keys").relative_to(&keys), None);
        let written: Vec<u16> = r"Keys\a".encode_utf16().collect();
        assert_eq!(keys.with_backslashes(), Some(written.clone()));
        assert_eq!(NtPath::from_backslashes(&written), Some(keys));
        assert_eq!(NtPath::from(r"a\b").with_backslashes(), None);
        assert_eq!(NtPath::from_backslashes(&[NtPath::SEPARATOR]), None);
    }

    #[cfg(unix)]
    #[test]
    fn lone_surrogates_survive_and_characters_that_ntfs_forbids_are_refused() {
        use std::os::unix::ffi::OsStrExt;

        let lone = OsStr::from_bytes(b"a\xED\xA0\x80b\xED\xBF\xBF");
        let path = NtPath::default().join(lone).unwrap();
        assert_eq!(path.units(), [0x61, 0xD800, 0x62, 0xDFFF]);
        assert_eq!(path.names().next().unwrap().unwrap(), lone);
        assert_eq!(path.to_string(), "a<U+D800>b<U+DFFF>");
        for bad in [&b"\xFF"[..], b"\xED\xA0", b"\xED\xA0\x80\xED\xB0\x80"] {
            assert_eq!(NtPath::default().join(OsStr::from_bytes(bad)), None);
        }
        let shown = NtPath::from("x").join_lossy(OsStr::from_bytes(b"\xFFy"));
        assert_eq!(shown.to_string(), "x/\u{fffd}y");
    }

    #[test]
    fn characters_that_could_deceive_a_reader_are_escaped() {
        let path = NtPath::from("a\n\u{1b}[2J\u{202e}b");
        assert_eq!(path.to_string(), "a<U+000A><U+001B>[2J<U+202E>b");
    }
}
