//! For systems on which security descriptors can't be accessed yet.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use super::ObjectError;
use crate::metadata::Metadata;
use crate::system::SystemDir;

/// Never exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping(Infallible);

/// Never exists.
pub(super) struct Handle(Infallible);

impl Keeping {
    #[expect(clippy::unnecessary_wraps, reason = "the question can fail elsewhere")]
    pub(super) fn of(_root: &SystemDir) -> io::Result<Option<Self>> {
        Ok(None)
    }

    pub(super) fn listing(&self, _folder: &SystemDir) -> io::Result<PathBuf> {
        match self.0 {}
    }

    pub(super) fn flush(&self, _root: &SystemDir) -> io::Result<()> {
        match self.0 {}
    }
}

impl Handle {
    pub(super) fn open(_parent: &SystemDir, _name: &OsStr, keeping: &Keeping) -> io::Result<Self> {
        match keeping.0 {}
    }

    pub(super) fn of(_folder: &SystemDir, keeping: &Keeping) -> io::Result<Self> {
        match keeping.0 {}
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        match self.0 {}
    }

    pub(super) fn counts_short_name(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn read(&self) -> Result<Vec<u8>, ObjectError> {
        match self.0 {}
    }

    pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
        a == b
    }

    pub(super) fn write(&self, _bytes: &[u8]) -> Result<(), ObjectError> {
        match self.0 {}
    }
}
