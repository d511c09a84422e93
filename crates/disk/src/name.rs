//! Names of directory entries: which are allowed, and which are equal for Windows.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path};

use diskmend_base::upcase::CaseTable;

/// The name as a path of exactly one component.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for anything that could lead elsewhere: separators, `.`, `..`,
/// drive letters and, on Windows, the colon of an alternate data stream.
pub(crate) fn component(name: &OsStr) -> io::Result<&Path> {
    let path = Path::new(name);
    let mut components = path.components();
    let single = match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) => only == name,
        _ => false,
    };
    let stream = cfg!(windows) && name.as_encoded_bytes().contains(&b':');
    if single && !stream {
        Ok(path)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("\"{}\" is not the name of a file or folder", path.display()),
        ))
    }
}

/// True if Windows takes both names for equal.
///
/// A name that is not valid Unicode equals no other.
pub(crate) fn same(a: &OsStr, b: &OsStr) -> bool {
    match (a.to_str(), b.to_str()) {
        (Some(a), Some(b)) => CaseTable::FILES.same(a.encode_utf16(), b.encode_utf16()),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_is_quoted_as_it_is() {
        let error = component("a/b\\c".as_ref()).expect_err("a path");
        let expected = "\"a/b\\c\" is not the name of a file or folder";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn names_are_compared_without_regard_to_case() {
        let same = |a: &str, b: &str| same(a.as_ref(), b.as_ref());
        assert!(same("SYSTEM", "system"));
        assert!(same("Jürgen", "JÜRGEN"));
        assert!(same("ÿ", "Ÿ"));
        assert!(!same("SYSTEM", "SYSTEM1"));
        assert!(!same("SYSTEM", "\u{17f}YSTEM"));
        assert!(!same("WINDOWS", "W\u{131}NDOWS"));
        assert!(!same("ß", "SS"));
    }

    #[test]
    fn only_a_single_plain_component_is_a_name() {
        assert!(component("SYSTEM".as_ref()).is_ok());
        assert!(component(".hidden".as_ref()).is_ok());
        for bad in ["", ".", "..", "a/b", "a/", "a/.", "/", "/a", "../a"] {
            let error = component(bad.as_ref()).expect_err(bad);
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
