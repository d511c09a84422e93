//! The security descriptor definition language (MS-DTYP 2.5.1), both ways.
//!
//! What SDDL has no words for is refused, never left out in silence: ACEs of the reserved and of
//! unknown types, of the denying and the alarming callback object types, ACEs with data that
//! their type does not have, object ACEs with unknown flags, SIDs without sub-authorities, and
//! conditions that would not read back as the same bytes. Resource attribute ACEs are not supported, neither way. The byte Sbz1, the bits that say
//! that a part came from a default, and unused space have no place in SDDL, in Windows neither.

mod ace;
mod condition;
mod cursor;
mod document;
mod kinds;
mod rights;

use std::borrow::Cow;

use crate::sid::{RelativeAlias, Sid};

/// Text that is not SDDL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sddl at byte {offset}: expected {expected}, found {actual}")]
pub struct SddlError {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// What the grammar demands there.
    pub expected: Cow<'static, str>,
    /// What is there.
    pub actual: String,
    /// The account whose SID would have to be known, if that is all that is wrong up to here.
    pub unresolved: Option<RelativeAlias>,
}

/// What SDDL has no words for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inexpressible {
    /// An entry.
    #[error("{list} entry {index} of type {ace_type:#04x} can't be written as sddl: {why}")]
    Entry {
        /// `DACL` or `SACL`.
        list: &'static str,
        /// Which entry, from 0.
        index: usize,
        /// The number of its type.
        ace_type: u8,
        /// What has no words.
        why: Cow<'static, str>,
    },
    /// An owner or group whose SID has no sub-authority, and so no text.
    #[error("the {part} {sid} can't be written as sddl: it has no sub-authority")]
    Sid {
        /// `owner` or `group`.
        part: &'static str,
        /// The SID.
        sid: Sid,
    },
}

/// The parts of a descriptor that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SddlParts {
    /// All of them.
    All,
    /// `O:` and `G:`.
    OwnerAndGroup,
    /// `D:`, which is what icacls saves.
    Dacl,
}
