//! Reads and writes at an offset, without a file cursor.

use std::fs::File;
use std::io;

/// Fills `buf` from `offset` on; interrupted calls are taken up again.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] if the file ends before the buffer is full, or what the system
/// reported.
#[cfg(unix)]
pub fn read_exact_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.read_exact_at(buf, offset)
}

/// Writes all of `data` at `offset`; interrupted calls are taken up again.
///
/// # Errors
/// What the system reported; part of the data may have been written.
#[cfg(unix)]
pub fn write_all_at(file: &File, data: &[u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.write_all_at(data, offset)
}

/// Fills `buf` from `offset` on; interrupted calls are taken up again.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] if the file ends before the buffer is full, or what the system
/// reported.
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buf.is_empty() {
        match file.seek_read(buf, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                let (_, rest) = buf.split_at_mut(read);
                buf = rest;
                offset = offset.saturating_add(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `data` at `offset`; interrupted calls are taken up again.
///
/// # Errors
/// What the system reported; part of the data may have been written.
#[cfg(windows)]
pub fn write_all_at(file: &File, mut data: &[u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !data.is_empty() {
        match file.seek_write(data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                (_, data) = data.split_at(written);
                offset = offset.saturating_add(written as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
