//! Calls of the Windows kernel that take handles rather than paths, each wrapped so that it can be
//! called safely.

mod change;
mod listing;
mod open;
mod query;
mod status;

pub(crate) use change::{delete, rename};
pub(crate) use listing::names;
pub(crate) use open::{Opening, open_beneath};
pub(crate) use query::{free_bytes, is_read_only, metadata, system_root, volume_path};
