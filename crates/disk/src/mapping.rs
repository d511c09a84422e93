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
use std::ptr::{self, NonNull};
use std::slice;

use rustix::io::retry_on_intr;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use rustix::param::page_size;

/// A private mapping of a file and the zero pages after it.
///
/// Invariant: `start` is the start of a mapping of `capacity` bytes, all readable and writable,
/// that nothing else knows of; `len <= capacity <= isize::MAX`.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    capacity: usize,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone and is not tied to a thread.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it can only be read.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of `file`, with room for `reserve` more, and reads all its pages
    /// once. `len` must not be 0.
    ///
    /// # Errors
    /// Where the system does not map it, or a page can't be read.
    pub(crate) fn new(file: &File, len: usize, reserve: usize) -> io::Result<Self> {
        let capacity = len
            .checked_next_multiple_of(page_size())
            .and_then(|end| end.checked_add(reserve))
            .and_then(|end| end.checked_next_multiple_of(page_size()))
            .filter(|&capacity| isize::try_from(capacity).is_ok())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;

        // SAFETY: a null hint lets the system choose a place that nothing else uses.
        let region = unsafe { mmap_anonymous(ptr::null_mut(), capacity, access, flags) }?;
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

        // An error here is one that would end the process when the page is touched.
        // SAFETY: the range lies in the region; populating does not change its content.
        retry_on_intr(|| unsafe { madvise(region, len, Advice::LinuxPopulateRead) })?;
        Ok(mapping)
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

    /// Lengthens it to `new_len` bytes, the new ones zero; `false` where the room does not suffice.
    pub(crate) fn grow(&mut self, new_len: usize) -> bool {
        if new_len > self.capacity {
            return false;
        }
        let old_len = self.len;
        self.len = self.len.max(new_len);
        // Whatever follows a file's end in its last page is zero only as long as no one else has
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
