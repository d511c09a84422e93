//! Safe wrappers for calls of the Windows kernel that take handles instead of paths.

mod change;
mod listing;
mod open;
mod privilege;
mod query;
mod security;
mod status;
mod streams;
mod volumes;

pub(crate) use change::{delete, rename, set_attributes, set_basic};
pub(crate) use listing::names;
pub(crate) use open::{Opening, open_beneath, reopen};
pub(crate) use privilege::{Privileges, own_sid};
pub(crate) use query::{
    basic, dos_attributes, free_bytes, is_read_only, keeps_security, keeps_streams, metadata,
    path_by_guid, space, stored_bytes, system_root, volume_path,
};
pub(crate) use security::{owner_and_dacl, security, set_security};
pub(crate) use streams::{open_stream, stream_names};
pub(crate) use volumes::{
    disk_size, disk_state, disks_of, drive_layout, extents_of, is_dirty, volume_roots,
};
