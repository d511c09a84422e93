//! What a [`Folder`](crate::Folder) stands on: the platform's way to work on one name beneath an
//! open folder without following a link.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Dir;
#[cfg(windows)]
pub(crate) use windows::Dir;
