//! Boot stores, and how they were found.

use serde::Serialize;

use crate::run::on_volume;

/// A boot store that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// The root of its volume, where that is not the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// Whether it is the one that starts the target's Windows.
    pub chosen: bool,
    /// Why it is not; absent where it could be.
    pub problem: Option<String>,
    /// Why it does not start the target's Windows though it is meant to: a loader names a partition that
    /// the disk does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Its loaders, in the order of their keys.
    pub loaders: Vec<LoaderStatus>,
}

impl StoreStatus {
    /// Its path for a person: whole where its volume is not the target.
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
    /// What the boot menu shows.
    pub description: Option<String>,
    /// The loader's file.
    pub path: Option<String>,
    /// The Windows folder.
    pub system_root: Option<String>,
    /// The partition that it loads Windows from, for a person; absent where it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_device: Option<String>,
    /// Whether the boot menu shows it.
    pub in_menu: bool,
    /// Whether it is started where nobody chooses.
    pub default: bool,
    /// Whether recipes about the loader are about this one.
    pub chosen: bool,
    /// Why it does not start the target's Windows; absent where it does.
    pub mismatch: Option<String>,
}
