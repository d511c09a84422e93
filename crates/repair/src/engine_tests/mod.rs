//! The engine on a disk in memory, on which every operation can fail and everything that was not
//! flushed can be lost.

mod auto;
mod boot;
mod boot_choice;
mod boot_devices;
mod boot_evidence;
mod boot_fixture;
mod boot_sector;
mod boot_support;
mod catalogue;
mod conditions;
mod crash;
mod descriptors;
mod diagnosis;
mod earlier_versions;
mod event_evidence;
mod evidence;
mod exact;
mod facts;
mod faults;
mod files;
mod files_created;
mod files_replaced;
mod flushes;
mod folders_renamed;
mod forged;
mod golden;
mod identity;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod image_boot;
#[cfg(target_os = "linux")]
mod image_crash;
#[cfg(target_os = "linux")]
mod image_files;
#[cfg(target_os = "linux")]
mod image_fixture;
#[cfg(target_os = "linux")]
mod image_room;
#[cfg(target_os = "linux")]
mod image_undo;
mod later_runs;
mod new_store;
mod outcomes;
mod prune;
mod registry_key_copies;
mod registry_keys;
mod registry_rows;
mod rows;
mod siblings;
mod support;
mod undo;
mod volume_evidence;
mod vouched;
mod whole;
