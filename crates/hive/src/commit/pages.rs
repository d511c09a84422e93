//! The pages that a commit writes.

use std::borrow::Cow;

use diskmend_base::bytes;

use crate::format::HiveBin;
use crate::image::{Image, PageSet};
use crate::offset::{BASE_BLOCK_LEN, PAGE_LEN};
use crate::time::Filetime;

/// The position of the first hive bin's timestamp in the hive bins (regf spec, Hive bin).
pub(crate) const TIMESTAMP: usize = std::mem::offset_of!(HiveBin, timestamp);

/// Adjacent pages of the hive bins, with the bytes to write.
#[derive(Clone)]
pub(crate) struct PageRun<'a> {
    /// Index of the first page.
    pub(crate) first: usize,
    /// The bytes of all pages.
    pub(crate) data: Cow<'a, [u8]>,
}

impl<'a> PageRun<'a> {
    /// Offset in the primary file, in bytes.
    pub(crate) fn file_offset(&self) -> u64 {
        (BASE_BLOCK_LEN + self.first * PAGE_LEN) as u64
    }

    /// The number of pages.
    pub(crate) fn count(&self) -> usize {
        self.data.len() / PAGE_LEN
    }

    /// Splits off all pages before the page `at`.
    fn split(self, at: usize) -> (Option<Self>, Option<Self>) {
        let before = at.saturating_sub(self.first).min(self.count()) * PAGE_LEN;
        let first = self.first;
        let (head, tail) = match self.data {
            Cow::Borrowed(data) => {
                let (head, tail) = data.split_at_checked(before).unwrap_or((data, &[]));
                (Cow::Borrowed(head), Cow::Borrowed(tail))
            }
            Cow::Owned(mut data) => {
                let tail = data.split_off(before.min(data.len()));
                (Cow::Owned(data), Cow::Owned(tail))
            }
        };
        let run = |first, data: Cow<'a, [u8]>| (!data.is_empty()).then_some(Self { first, data });
        (run(first, head), run(first + before / PAGE_LEN, tail))
    }

    /// At most `pages` pages, and the rest.
    pub(crate) fn take(self, pages: usize) -> (Option<Self>, Option<Self>) {
        let at = self.first.saturating_add(pages);
        self.split(at)
    }
}

/// Divides runs at the page `at`: those before it, and those from it on.
pub(crate) fn part(runs: Vec<PageRun<'_>>, at: usize) -> (Vec<PageRun<'_>>, Vec<PageRun<'_>>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for run in runs {
        let (head, tail) = run.split(at);
        before.extend(head);
        after.extend(tail);
    }
    (before, after)
}

/// The edited pages, with the new timestamp in the first, in ascending order. They include all
/// pages after `old_pages`, because the file's bytes there mean nothing yet.
pub(crate) fn edited<'a>(image: &'a Image, old_pages: usize, time: Filetime) -> Vec<PageRun<'a>> {
    let pages = image.bins_len() / PAGE_LEN;
    let mut set: PageSet = image.dirty().clone();
    set.mark(0, 1);
    let new = pages.saturating_sub(old_pages) * PAGE_LEN;
    set.mark(old_pages * PAGE_LEN, new);
    let runs = set.runs().filter_map(|(first, count)| {
        let count = count.min(pages.checked_sub(first)?);
        let data = bytes::slice(image.bins(), first * PAGE_LEN, count * PAGE_LEN)?;
        let run = PageRun {
            first,
            data: Cow::Borrowed(data),
        };
        (count > 0).then_some(run)
    });
    let (first, rest) = part(runs.collect(), 1);
    let first = first.into_iter().map(|run| PageRun {
        first: run.first,
        data: Cow::Owned(stamped(run.data.into_owned(), time)),
    });
    first.chain(rest).collect()
}

fn stamped(mut page: Vec<u8>, time: Filetime) -> Vec<u8> {
    if let Some(bin) = bytes::view_mut::<HiveBin>(&mut page, 0) {
        bin.timestamp = time.0.into();
    }
    page
}
