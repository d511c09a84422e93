//! The security descriptor definition language (MS-DTYP 2.5.1): reading and writing it.
//!
//! What SDDL can't express is refused and never silently left out. That is: ACEs of reserved and
//! unknown types, of callback object types that deny or alarm, ACEs with data that their type
//! doesn't have, object ACEs with unknown flags, SIDs without sub-authorities, and conditions that
//! wouldn't read back as the same bytes. Resource attribute ACEs are neither read nor written. The
//! byte Sbz1, the bits that say that a part came from a default, and unused space have no place in
//! SDDL, and Windows doesn't write them either.

mod ace;
mod condition;
mod cursor;
mod document;
mod kinds;
mod rights;

use std::borrow::Cow;

use crate::sid::{RelativeAlias, Sid};

/// Text that isn't SDDL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sddl at byte {offset}: expected {expected}, found {actual}")]
pub struct SddlError {
    /// The offset in the text, in bytes.
    pub offset: usize,
    /// What the grammar demands at this offset.
    pub expected: Cow<'static, str>,
    /// What the text holds there.
    pub actual: String,
    /// The account without a known SID, if nothing else is wrong up to here.
    pub unresolved: Option<RelativeAlias>,
}

/// Something that SDDL can't express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inexpressible {
    /// An entry can't be written.
    #[error("{list} entry {index} of type {ace_type:#04x} can't be written as sddl: {why}")]
    Entry {
        /// `DACL` or `SACL`.
        list: &'static str,
        /// The entry's index, from 0.
        index: usize,
        /// The entry's type, as a number.
        ace_type: u8,
        /// The reason.
        why: Cow<'static, str>,
    },
    /// An owner or group has a SID without sub-authorities, which has no text.
    #[error("the {part} {sid} can't be written as sddl: it has no sub-authority")]
    Sid {
        /// `owner` or `group`.
        part: &'static str,
        /// The SID.
        sid: Sid,
    },
}

/// The parts of a descriptor to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SddlParts {
    /// All parts.
    All,
    /// `O:` and `G:`.
    OwnerAndGroup,
    /// `D:`, as icacls saves it.
    Dacl,
}
