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
}
