//! The memory map behind [`MappedFile`](crate::MappedFile) on Linux: the only unsafe code.
//!
//! One region of address space holds the file's pages, mapped private and writable, and after
//! them zero pages to grow into, which cost nothing until touched:
//!
//! ```text
//! start                 len        page end                   capacity
//! | the file's bytes     | zeros    | reserve: zero pages      |
//! ```

use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::mpsc;
use std::thread;

use rustix::io::retry_on_intr;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use rustix::param::page_size;

/// The number of bytes that are read at once.
const PIECE: usize = 4 << 20;

/// The alignment at which the system can map that many bytes of a file at once.
const LARGE_PAGE: usize = 2 << 20;

/// A private mapping of a file and the zero pages after it.
///
/// Invariant: `start` is the start of a mapping of `capacity` bytes, all readable and writable, to
/// which no other code has access; `len <= capacity <= isize::MAX`.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    capacity: usize,
    len: usize,
}

// SAFETY: only this value owns the mapping, which is not tied to a thread.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it can only be read.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of `file`, with room for `reserve` more. `len` must not be 0.
    /// Touching a page that can't be read ends the process, until [`populate`](Self::populate) has
    /// read it.
    ///
    /// # Errors
    /// If the system does not map it.
    fn unread(file: &File, len: usize, reserve: usize) -> io::Result<Self> {
        let capacity = len
            .checked_next_multiple_of(page_size())
            .and_then(|end| end.checked_add(reserve))
            .and_then(|end| end.checked_next_multiple_of(page_size()))
            .filter(|&capacity| isize::try_from(capacity).is_ok())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;

        let room = capacity
            .checked_add(LARGE_PAGE)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a null hint lets the system choose a place that nothing else uses.
        let region = unsafe { mmap_anonymous(ptr::null_mut(), room, access, flags) }?;
        let unused = region.align_offset(LARGE_PAGE);
        // SAFETY: `unused` is less than `LARGE_PAGE`, so both ends lie in the region just made, to
        // which no reference exists, and start at a page. The `capacity` bytes between them stay.
        let region = unsafe {
            if unused > 0 {
                munmap(region, unused)?;
            }
            let region = region.byte_add(unused);
            munmap(region.byte_add(capacity), LARGE_PAGE - unused)?;
            region
        };
        let start = NonNull::new(region.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // From here on dropping it unmaps the region.
        let mapping = Self {
            start,
            capacity,
            len,
        };

        // SAFETY: it replaces only the start of the region just made, to which no reference
        // exists yet; `len` rounded up to a page is at most `capacity`.
        unsafe { mmap(region, len, access, flags | MapFlags::FIXED, file, 0) }?;
        Ok(mapping)
    }

    /// Maps the first `len` bytes of `file`, with room for `reserve` more, and reads all its pages
    /// once. `len` must not be 0. Meanwhile `look` gets the bytes that have been read, piece by
    /// piece.
    ///
    /// # Errors
    /// If the system does not map it, or a page can't be read.
    pub(crate) fn new(
        file: &File,
        len: usize,
        reserve: usize,
        look: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Self> {
        let mapping = Self::unread(file, len, reserve)?;
        if len <= PIECE {
            mapping.populate(&(0..len))?;
            look(mapping.bytes());
            return Ok(mapping);
        }
        let pieces = (0..len).step_by(PIECE);
        let pieces = pieces.map(|start| start..len.min(start.saturating_add(PIECE)));
        thread::scope(|scope| {
            let (read, pieces_read) = mpsc::channel();
            let mapping = &mapping;
            let populate = move || -> io::Result<()> {
                for piece in pieces {
                    mapping.populate(&piece)?;
                    // Nobody waits for it any more if `look` has panicked.
                    let _ = read.send(piece);
                }
                Ok(())
            };
            let populating = thread::Builder::new().spawn_scoped(scope, populate)?;
            for piece in pieces_read {
                mapping.bytes().get(piece).into_iter().for_each(&mut *look);
            }
            populating
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        Ok(mapping)
    }

    /// Reads pages. An error here is one that would end the process when the page is touched.
    fn populate(&self, piece: &Range<usize>) -> io::Result<()> {
        let inside = piece.start <= piece.end && piece.end <= self.capacity;
        if !inside || !piece.start.is_multiple_of(page_size()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the range is in the region, and starts at a page; populating does not change its
        // content.
        retry_on_intr(|| unsafe {
            let start = self.start.as_ptr().add(piece.start).cast();
            madvise(start, piece.len(), Advice::LinuxPopulateRead)
        })?;
        Ok(())
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: by the invariant `len` bytes are readable, and initialised since they come from
        // a file or are zero. The mapping is private and written through `bytes_mut` only; that
        // the file may be changed meanwhile is the documented limit of `MappedFile`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// All bytes, for writing.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the exclusive reference excludes any other to the region.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Lengthens the mapping to `new_len` bytes, the new ones zero; `false` if there is not enough
    /// room.
    pub(crate) fn grow(&mut self, new_len: usize) -> bool {
        if new_len > self.capacity {
            return false;
        }
        let old_len = self.len;
        self.len = self.len.max(new_len);
        // The bytes after a file's end in its last page are zero only as long as nobody else has
        // that page mapped. Later pages are the system's zero pages.
        let page_end = old_len.next_multiple_of(page_size()).min(self.len);
        if let Some(rest) = self.bytes_mut().get_mut(old_len..page_end) {
            rest.fill(0);
        }
        true
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: by the invariant the region is this value's own, and no reference to it outlives
        // the value. Failure is only possible for arguments that are none of ours.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.capacity) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    fn file(content: &[u8]) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(content.len() as u64).expect("room");
        diskmend_base::positioned::write_all_at(&file, content, 0).expect("room");
        file
    }

    #[test]
    fn a_page_that_cannot_be_read_is_an_error_and_no_signal() {
        // A page beyond the file's end can't be read, as if the file had been truncated meanwhile.
        let file = file(&[1; PAGE]);
        let far = 16 * page_size();
        let error = Mapping::new(&file, far, 0, &mut |_| ()).expect_err("not that long");
        assert_eq!(
            error.raw_os_error(),
            Some(rustix::io::Errno::FAULT.raw_os_error())
        );
        assert_eq!(
            Mapping::new(&file, PAGE, 0, &mut |_| ())
                .expect("readable")
                .bytes(),
            [1; PAGE]
        );
    }

    #[test]
    fn bytes_after_the_end_in_the_last_page_are_zero_after_growing() {
        let file = file(&[1; PAGE + 10]);
        let mut mapping = Mapping::new(&file, PAGE + 10, PAGE, &mut |_| ()).expect("a small file");
        // SAFETY: the last page of the file is mapped up to its end.
        unsafe { mapping.start.as_ptr().add(PAGE + 10).write(0xee) };
        assert!(mapping.grow(PAGE + 20));
        assert_eq!(
            mapping.bytes()[PAGE + 9..],
            [[1].as_slice(), &[0; 10]].concat()
        );
    }

    #[test]
    fn all_bytes_are_seen_in_order_and_none_that_cannot_be_read() {
        let content: Vec<u8> = (0..2 * PIECE + PAGE + 10).map(|n| (n / 7) as u8).collect();
        let mut seen = Vec::new();
        let mut look = |piece: &[u8]| seen.extend_from_slice(piece);
        let mapping = Mapping::new(&file(&content), content.len(), PAGE, &mut look);
        assert!(mapping.expect("readable").bytes() == content);
        assert!(seen == content);

        let mut seen = 0;
        let mut look = |piece: &[u8]| seen += piece.len();
        let far = 3 * PIECE;
        Mapping::new(&file(&content), far, 0, &mut look).expect_err("not that long");
        assert_eq!(seen, 2 * PIECE);
    }

    #[test]
    fn a_mapping_starts_where_large_pages_do_and_leaves_nothing_behind() {
        let regions = || {
            let maps = std::fs::read_to_string("/proc/self/maps").expect("the list of regions");
            maps.lines().count()
        };
        let file = file(&[1; PAGE]);
        let before = regions();
        let mappings: Vec<_> = (0..8 * page_size())
            .step_by(page_size())
            .map(|reserve| Mapping::new(&file, PAGE, reserve, &mut |_| ()).expect("readable"))
            .collect();
        for mapping in &mappings {
            assert!(mapping.start.as_ptr().addr().is_multiple_of(LARGE_PAGE));
            assert_eq!(mapping.bytes(), [1; PAGE]);
        }
        drop(mappings);
        // Other tests of this process map something, too.
        assert!(regions() < before + 8);
    }

    #[test]
    fn there_is_room_for_the_reserve_and_no_more() {
        let file = file(&[1; 10]);
        let mut mapping = Mapping::new(&file, 10, PAGE, &mut |_| ()).expect("a small file");
        let room = mapping.capacity;
        assert!(room >= 10 + PAGE);
        assert!(!mapping.grow(room + 1));
        assert_eq!(mapping.bytes(), [1; 10]);
        assert!(mapping.grow(room));
        mapping.bytes_mut().fill(2);
        assert_eq!(mapping.bytes(), vec![2; room]);
        assert!(Mapping::new(&file, 10, usize::MAX, &mut |_| ()).is_err());
    }
}
