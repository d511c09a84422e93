//! `cargo xtask man` and `cargo xtask dist`: manual pages, shell completions, and what is given to
//! users: a static program for Linux, one for Windows, the licences of all that is in them.

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
