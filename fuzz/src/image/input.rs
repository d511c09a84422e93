//! The inputs of the targets for images: a sound image, changes of it, and a script that says what
//! to do with it.
//!
//! ```text
//! number of the image u8 | flags u8 | change | change | ... | 0 u8 | what is done
//! change: length u8, not 0 | region u8 | offset in the region u16 | bytes
//! ```

use std::ops::Range;
use std::sync::Arc;

use super::sparse::Sparse;

/// Flag: the checksums are corrected after the changes.
pub(super) const SEAL: u8 = 1;

/// A sound image, made by this crate.
pub(super) struct Base {
    pub(super) bytes: Arc<[u8]>,
    /// The length of the medium; after the bytes, it contains zeros.
    pub(super) len: u64,
    /// The places of structures.
    pub(super) regions: Vec<Range<usize>>,
}

impl Base {
    pub(super) fn new(bytes: Vec<u8>, regions: Vec<Range<usize>>) -> Self {
        Self {
            len: bytes.len() as u64,
            bytes: bytes.into(),
            regions,
        }
    }

    /// The offset of a place in one of the regions.
    fn place(&self, region: u8, offset: u16) -> u64 {
        let whole = 0..self.bytes.len();
        let region = self
            .regions
            .get(usize::from(region) % self.regions.len().max(1));
        let region = region.unwrap_or(&whole);
        (region.start + usize::from(offset) % region.len().max(1)) as u64
    }
}

/// A parsed input.
pub(super) struct Input<'a> {
    /// The chosen image.
    pub(super) base: &'static Base,
    flags: u8,
    /// The changes: offsets and bytes.
    pub(super) changes: Vec<(u64, &'a [u8])>,
    /// The script.
    pub(super) script: Script<'a>,
}

impl<'a> Input<'a> {
    /// Parses an input for one of `bases`; `None` if there is no base.
    pub(super) fn parse(data: &'a [u8], bases: &'static [Base]) -> Option<Self> {
        let mut script = Script::new(data);
        let (number, flags) = (script.byte(), script.byte());
        let base = bases.get(usize::from(number) % bases.len().max(1))?;
        let mut changes = Vec::new();
        loop {
            let len = usize::from(script.byte());
            if len == 0 {
                break;
            }
            let offset = base.place(script.byte(), script.half());
            changes.push((offset, script.take(len)));
        }
        Some(Self {
            base,
            flags,
            changes,
            script,
        })
    }

    /// The changed image; `seal` corrects its checksums.
    pub(super) fn medium(&self, seal: impl FnOnce(&Sparse)) -> Arc<Sparse> {
        let medium = Sparse::new(&self.base.bytes, self.base.len);
        for (offset, bytes) in &self.changes {
            medium.patch(*offset, bytes);
        }
        if self.flags & SEAL != 0 {
            seal(&medium);
        }
        Arc::new(medium)
    }
}

/// The rest of an input; after its end it yields zeros.
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub(crate) fn half(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn number(&mut self) -> u32 {
        let bytes = self.take(4).iter().rev();
        bytes.fold(0, |number, byte| number << 8 | u32::from(*byte))
    }

    /// A number below `end`, often 0 or close to `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let (kind, number) = (self.byte(), u64::from(self.number()));
        let last = end.saturating_sub(1);
        match kind % 4 {
            0 => number.min(last),
            1 => last.saturating_sub(number % 1024),
            _ => ((u128::from(number) * u128::from(end)) >> 32) as u64,
        }
    }

    /// Bytes to write; mostly few.
    pub(crate) fn content(&mut self) -> Vec<u8> {
        let (kind, byte) = (self.byte(), self.byte());
        let len = match kind % 8 {
            0 => 1,
            1 => 512,
            2 => 4096,
            3 => 70_000,
            _ => usize::from(kind) * 3,
        };
        (0..len).map(|at| byte.wrapping_add(at as u8)).collect()
    }
}
