//! Changes a security descriptor from one state to another.

use super::object::Parents;
use super::{Handle, ObjectError, SystemDescriptors};
use crate::metadata::Kind;
use crate::nt_path::NtPath;

/// A change of one object's security descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object's path below the root, spelled as on disk.
    pub path: NtPath,
    /// The kind that it must have.
    pub kind: Kind,
    /// The descriptor that it must have, unless it already has the new one.
    pub before: Vec<u8>,
    /// The descriptor that it gets.
    pub after: Vec<u8>,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The descriptor was set and read back.
    Set,
    /// The object already had the new descriptor.
    AlreadyThere,
}

impl Change {
    pub(super) fn make(
        &self,
        volume: &SystemDescriptors,
        parents: &mut Parents,
    ) -> Result<Changed, ObjectError> {
        let opened = volume.open(&self.path, parents)?;
        if opened.kind != self.kind {
            return Err(ObjectError::Other {
                expected: self.kind,
                found: opened.kind,
            });
        }
        let found = opened.handle.read()?;
        if Handle::is_same(&found, &self.after) {
            return Ok(Changed::AlreadyThere);
        }
        if !Handle::is_same(&found, &self.before) {
            return Err(ObjectError::ChangedMeanwhile);
        }
        opened.handle.write(&self.after)?;
        if !Handle::is_same(&opened.handle.read()?, &self.after) {
            return Err(ObjectError::ReadBack);
        }
        Ok(Changed::Set)
    }
}
