//! The engine on a disk in memory, where every operation can fail and everything that was not
//! flushed can be lost.

mod auto;
mod boot;
mod boot_choice;
mod boot_fixture;
mod boot_support;
mod crash;
mod descriptors;
mod faults;
mod siblings;
mod support;
mod undo;
