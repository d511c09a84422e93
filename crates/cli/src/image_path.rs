//! IMAGE:PATH, the place of a file on an unmounted disk, as the user types it.

use std::fs;
use std::path::Path;

use diskmend_disk::DiskNumber;

/// Separates IMAGE:PATH at the last colon, because no path on a volume has one. `None` if the whole
/// is the name of something that exists, if what precedes the colon is no disk, or if it is a drive
/// letter, on whatever system.
pub(crate) fn split(file: &Path, is_disk: impl Fn(&Path) -> bool) -> Option<(&Path, &Path)> {
    if fs::symlink_metadata(file).is_ok() {
        return None;
    }
    let text = file.to_str()?;
    let (disk, path) = text.rsplit_once(':')?;
    let is_drive = disk.len() == 1 && disk.chars().all(|letter| letter.is_ascii_alphabetic());
    let (disk, path) = (Path::new(disk), Path::new(path));
    (!is_drive && is_disk(disk)).then_some((disk, path))
}

/// True if a disk can be read from what has this name.
pub(crate) fn is_disk(path: &Path) -> bool {
    if cfg!(windows) && DiskNumber::of_path(path).is_some() {
        return true;
    }
    path.metadata().is_ok_and(|known| {
        #[cfg(unix)]
        let is_device = std::os::unix::fs::FileTypeExt::is_block_device(&known.file_type());
        #[cfg(not(unix))]
        let is_device = false;
        known.is_file() || is_device
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(text: &str) -> Option<(String, String)> {
        let known = ["disk.vhdx", "F", "a:b", r"\\.\PhysicalDrive2", "F:/x.img"];
        let found = split(text.as_ref(), |disk| {
            known.iter().any(|one| disk == Path::new(one))
        });
        found.map(|(disk, path)| (disk.display().to_string(), path.display().to_string()))
    }

    #[test]
    fn an_image_and_a_path_are_separated_at_the_last_colon() {
        for (text, disk, path) in [
            ("disk.vhdx:Boot/BCD", "disk.vhdx", "Boot/BCD"),
            (r"disk.vhdx:Windows\x", "disk.vhdx", r"Windows\x"),
            ("disk.vhdx:", "disk.vhdx", ""),
            ("a:b:c", "a:b", "c"),
            ("F:/x.img:c", "F:/x.img", "c"),
            (r"\\.\PhysicalDrive2:c", r"\\.\PhysicalDrive2", "c"),
        ] {
            let expected = Some((disk.to_owned(), path.to_owned()));
            assert_eq!(split_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_drive_and_an_unknown_name_are_no_image() {
        for text in [
            "F:",
            r"F:\Windows\System32\config\SYSTEM",
            "F:x",
            "other.vhdx:Boot/BCD",
            "disk.vhdx:C:/Windows",
            "disk.vhdx",
            "",
        ] {
            assert_eq!(split_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_with_a_colon_in_its_name_is_that_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("disk.img");
        let whole = folder.path().join("disk.img:a");
        fs::write(&image, "").expect("writable");
        if fs::write(&whole, "").is_err() {
            return;
        }
        assert_eq!(split(&whole, is_disk), None);
        let other = folder.path().join("disk.img:b");
        assert_eq!(split(&other, is_disk), Some((&*image, "b".as_ref())));
    }
}
