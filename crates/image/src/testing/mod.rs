//! What tests need: media that are special, and logs of NTFS that a crash has left.

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod file;
pub mod logfile;
#[cfg(test)]
mod memory;
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod programs;
#[cfg(test)]
pub(crate) mod recorder;
#[cfg(test)]
pub(crate) mod unreadable;

#[cfg(test)]
pub(crate) use memory::Memory;
