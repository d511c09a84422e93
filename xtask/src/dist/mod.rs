//! `cargo xtask man` and `cargo xtask dist`: manual pages, shell completions, and the packages for
//! users, with a static program for Linux, one for Windows, and the licences of everything in them.

#[cfg(unix)]
mod archive;
#[cfg(unix)]
mod checksums;
#[cfg(unix)]
mod licences;
#[cfg(unix)]
mod linux;
mod man;
#[cfg(unix)]
mod package;

#[cfg(unix)]
pub use archive::archive;
pub use man::write_man;
