//! The image of a file in memory is complete and private, and grows with zeros.

#![cfg(test)]

use std::fs;
use std::io;

use diskmend_disk::{Access, Buffer, File, MappedFile, folder_and_name};

const PAGE: usize = 4096;
const RESERVE: usize = 64 * PAGE;

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 + 1).collect()
}

fn file(len: usize) -> (tempfile::TempDir, Box<dyn File>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hive");
    fs::write(&path, content(len)).unwrap();
    let (folder, name) = folder_and_name(&path).unwrap();
    let file = folder.open(&name, Access::ReadWrite).unwrap();
    (dir, file)
}

#[test]
fn an_image_has_the_files_bytes_whatever_their_number() {
    for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 17, (1 << 20) + 5] {
        let (_dir, file) = file(len);
        let image = MappedFile::open(file.as_ref(), RESERVE, u64::MAX).unwrap();
        assert_eq!(image.bytes().len(), len);
        assert_eq!(image.bytes(), content(len));
    }
}

#[test]
fn changes_to_an_image_do_not_reach_the_file() {
    let (dir, mut file) = file(3 * PAGE);
    let mut image = MappedFile::open(file.as_ref(), RESERVE, u64::MAX).unwrap();
    image.bytes_mut().fill(0xee);
    image.grow(5 * PAGE).unwrap();
    image.bytes_mut().fill(0xee);
    assert_eq!(image.bytes(), vec![0xee; 5 * PAGE]);
    drop(image);
    file.sync().unwrap();
    assert_eq!(
        fs::read(dir.path().join("hive")).unwrap(),
        content(3 * PAGE)
    );
}

#[test]
fn a_changed_page_of_an_image_does_not_follow_the_file() {
    let (_dir, mut file) = file(2 * PAGE);
    let mut image = MappedFile::open(file.as_ref(), 0, u64::MAX).unwrap();
    image.bytes_mut()[10] = 0xee;
    file.write_all_at(&[0; PAGE], 0).unwrap();
    let mut expected = content(PAGE);
    expected[10] = 0xee;
    assert_eq!(image.bytes()[..PAGE], expected);
}

/// It grows within the last page, within the reserve, to its end, beyond it, and from there on.
#[test]
fn an_image_grows_with_zeros_within_the_reserve_and_beyond() {
    for len in [0, 1, PAGE - 1, PAGE, PAGE + 1] {
        let (_dir, file) = file(len);
        let mut image = MappedFile::open(file.as_ref(), 4 * PAGE, u64::MAX).unwrap();
        let mut expected = content(len);
        for more in [
            0,
            1,
            100,
            PAGE,
            2 * PAGE + 1,
            4 * PAGE,
            9 * PAGE,
            100 * PAGE,
        ] {
            image.grow(len + more).unwrap();
            expected.resize(len + more, 0);
            assert_eq!(image.bytes(), expected, "{len} and {more} more");
            if let (Some(last), Some(also)) = (image.bytes_mut().last_mut(), expected.last_mut()) {
                *last = 7;
                *also = 7;
            }
        }
        image.grow(1).unwrap();
        assert_eq!(image.bytes(), expected, "it never shrinks");
    }
}

#[test]
fn a_growth_without_memory_leaves_the_image_as_it_was() {
    let (_dir, file) = file(PAGE);
    let mut image = MappedFile::open(file.as_ref(), 0, u64::MAX).unwrap();
    for beyond in [usize::MAX, usize::MAX / 2, isize::MAX as usize] {
        let error = image.grow(beyond).expect_err("half the address space");
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }
    assert_eq!(image.bytes(), content(PAGE));
    let image = MappedFile::open(file.as_ref(), usize::MAX, u64::MAX).unwrap();
    assert_eq!(
        image.bytes(),
        content(PAGE),
        "read, since it can't be mapped"
    );
}

#[test]
fn a_file_over_the_limit_is_refused_before_memory_is_taken() {
    let (_dir, mut file) = file(0);
    let limit = (2u64 << 30) + (64 << 10);
    file.set_len(limit + 1).unwrap();
    let error = MappedFile::open(file.as_ref(), 0, limit).expect_err("one byte too long");
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    file.set_len(PAGE as u64 + 1).unwrap();
    MappedFile::open(file.as_ref(), 0, PAGE as u64 + 1).unwrap();
}

/// Zeros that were never stored would fill the memory of the reader. NTFS on Windows stores the
/// bytes by which a file is lengthened.
#[cfg(unix)]
#[test]
fn a_long_file_that_is_hardly_stored_is_refused_before_memory_is_taken() {
    const FREE: u64 = 64 << 20;
    let (_dir, mut file) = file(9 * PAGE);
    file.set_len(FREE).unwrap();
    MappedFile::open(file.as_ref(), 0, u64::MAX).expect("short enough to have any holes");
    file.set_len(2 << 30).unwrap();
    let error = MappedFile::open(file.as_ref(), 0, u64::MAX).expect_err("36 KiB of 2 GiB");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("clusters for"), "{error}");
}

/// Some file systems don't report what they store; a file that begins with a hole has nothing
/// stored.
#[cfg(unix)]
#[test]
fn a_long_file_of_nothing_but_a_hole_is_refused() {
    let (_dir, mut file) = file(0);
    file.set_len(2 << 30).unwrap();
    let error = MappedFile::open(file.as_ref(), 0, u64::MAX).expect_err("nothing of 2 GiB");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn an_image_may_be_used_from_another_thread() {
    let (_dir, file) = file(2 * PAGE);
    let mut image = MappedFile::open(file.as_ref(), RESERVE, u64::MAX).unwrap();
    let image = std::thread::spawn(move || {
        image.bytes_mut()[0] = 0;
        image
    });
    assert_eq!(image.join().unwrap().bytes()[..2], [0, 2]);
}
