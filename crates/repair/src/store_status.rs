//! The state in which boot stores were found.

use serde::Serialize;

use crate::place::on_volume;

/// A boot store that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// The root of its volume, if that isn't the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// True for the one that starts the target's Windows.
    pub chosen: bool,
    /// The reason why it isn't chosen; absent if it could be.
    pub problem: Option<String>,
    /// The reason why it doesn't start the target's Windows although it should: a loader names a
    /// partition that the disk doesn't have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Its loaders, in the order of their keys.
    pub loaders: Vec<LoaderStatus>,
}

impl StoreStatus {
    /// Its path for display: the whole path if its volume isn't the target.
    #[must_use]
    pub fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

/// A loader of a boot store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoaderStatus {
    /// Its GUID.
    pub object: String,
    /// Its text in the boot menu.
    pub description: Option<String>,
    /// The loader's file.
    pub path: Option<String>,
    /// The Windows folder.
    pub system_root: Option<String>,
    /// The partition from which it loads Windows, for display; absent if it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_device: Option<String>,
    /// True if the boot menu shows it.
    pub in_menu: bool,
    /// True if it is started unless somebody chooses another one.
    pub default: bool,
    /// True if recipes about the loader are about this one.
    pub chosen: bool,
    /// The reason why it doesn't start the target's Windows; absent if it does.
    pub mismatch: Option<String>,
}
