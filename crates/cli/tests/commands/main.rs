//! The commands, run as a script runs them: one file for each command, and named after it.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod acl;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bcd_check;
#[cfg(test)]
mod bcd_copy;
#[cfg(test)]
mod bcd_delete;
#[cfg(test)]
mod bcd_disks;
#[cfg(test)]
mod bcd_export;
#[cfg(test)]
mod bcd_import;
#[cfg(test)]
mod bcd_set;
#[cfg(test)]
mod bcd_show;
#[cfg(test)]
mod bcd_store;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../../../disk/tests/common/mod.rs"]
mod common;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod diagnose;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod disks;
#[cfg(test)]
mod events;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod fixture;
#[cfg(test)]
#[cfg(unix)]
mod forged;
#[cfg(test)]
mod help;
#[cfg(test)]
mod hive_check;
#[cfg(test)]
mod hive_delete;
#[cfg(test)]
mod hive_export;
#[cfg(test)]
mod hive_get;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod hive_image;
#[cfg(test)]
mod hive_import;
#[cfg(test)]
mod hive_links;
#[cfg(test)]
mod hive_ls;
#[cfg(test)]
mod hive_recover;
#[cfg(test)]
mod hive_set;
#[cfg(test)]
mod hive_target;
#[cfg(test)]
mod hostile_text;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../../../disk/tests/ntfs/image.rs"]
mod image;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod image_disk;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod image_volume;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_boot;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_clusters;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_crashed;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_devices;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_diagnose;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_forged;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_grow;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_refused;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_states;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_undo;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod images_volumes;
#[cfg(test)]
#[cfg(windows)]
mod in_use;
#[cfg(test)]
mod inspect;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod interrupt;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod ntfs_disk;
#[cfg(test)]
mod other_readers;
#[cfg(test)]
mod output;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod plan_file;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod plan_file_image;
#[cfg(test)]
mod program;
#[cfg(test)]
mod recipes;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod repair_boot;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod repair_keys;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod repair_keys_hostile;
#[cfg(test)]
mod report;
#[cfg(test)]
mod report_option;
#[cfg(test)]
mod run_file;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod sealing;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod state_folder;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod undo;
