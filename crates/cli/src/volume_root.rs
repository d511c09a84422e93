//! The root of a volume, as the user types it.

use std::path::{Path, PathBuf};

/// The root of the volume, if the user typed only a drive letter or a volume name. For Windows, a
/// drive letter alone means the drive's current folder, and a volume name alone means the device.
pub(crate) fn volume_root(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if cfg!(windows) && names_volume(text) => PathBuf::from(format!("{text}\\")),
        _ => path.to_owned(),
    }
}

/// True for `F:` and for `Volume{...}` after `\\?\` or `\\.\`, with nothing after it.
fn names_volume(text: &str) -> bool {
    let device = text
        .strip_prefix(r"\\?\")
        .or_else(|| text.strip_prefix(r"\\.\"));
    let name = device.unwrap_or(text);
    let is_letter = |letter: &str| letter.len() == 1 && letter.is_ascii();
    match name.strip_suffix(':') {
        Some(letter) => is_letter(letter),
        None => {
            let volume = name.get(.."Volume{".len());
            let is_volume = volume.is_some_and(|name| name.eq_ignore_ascii_case("Volume{"));
            device.is_some() && is_volume && name.find('}') == Some(name.len() - 1)
        }
    }
}

/// True for a path that begins with a drive letter, on a machine that has none, unless there is
/// something with this name.
pub(crate) fn is_drive_of_windows(path: &Path) -> bool {
    !cfg!(windows) && begins_with_drive(path) && !path.exists()
}

/// True for `F:`, and for `F:` with a separator after it.
fn begins_with_drive(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let mut characters = path.chars();
    let is_letter = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    is_letter
        && characters.next() == Some(':')
        && matches!(characters.next(), None | Some('\\' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_distinguished_from_a_path_on_it() {
        let guid = "Volume{9b1f0a2c-0000-0000-0000-501f00000000}";
        for volume in ["F:", "f:", r"\\?\F:", r"\\.\F:"] {
            assert!(names_volume(volume), "{volume}");
        }
        assert!(names_volume(&format!(r"\\?\{guid}")));
        assert!(names_volume(&format!(r"\\?\{}", guid.to_lowercase())));
        let below = format!(r"\\?\{guid}\");
        for other in [
            "", ":", "FF:", r"F:\", "F", r"\\?\", guid, &below, "ä:", "}",
        ] {
            assert!(!names_volume(other), "{other}");
        }
    }

    #[test]
    fn only_on_windows_a_colon_means_something() {
        let root = volume_root("F:".as_ref());
        let expected = if cfg!(windows) { r"F:\" } else { "F:" };
        assert_eq!(root, Path::new(expected));
    }

    #[test]
    fn a_drive_is_distinguished_from_other_names_with_a_colon() {
        for drive in [
            "F:",
            "f:",
            "C:\\",
            r"C:\Windows\System32\config\SYSTEM",
            "C:/",
        ] {
            assert!(begins_with_drive(drive.as_ref()), "{drive}");
        }
        for other in ["", "F", ":", "FF:", "F:x", "1:", "ä:", "./F:", r"\\?\F:"] {
            assert!(!begins_with_drive(other.as_ref()), "{other}");
        }
    }
}
