//! Privileges of this process.

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_NOT_ALL_ASSIGNED, GetLastError, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, GetLengthSid, GetTokenInformation, LUID_AND_ATTRIBUTES,
    LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED, SECURITY_MAX_SID_SIZE, TOKEN_ADJUST_PRIVILEGES,
    TOKEN_PRIVILEGES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::PCWSTR;

/// The number of privileges that are enabled together.
const COUNT: usize = 4;

/// `TOKEN_PRIVILEGES` with room for all of them.
#[repr(C)]
#[derive(Clone, Copy)]
struct Several {
    count: u32,
    privileges: [LUID_AND_ATTRIBUTES; COUNT],
}

/// Privileges that stay enabled until this is dropped.
pub(crate) struct Privileges {
    token: File,
    /// The privileges that were not enabled before, in their former state.
    before: Several,
}

impl std::fmt::Debug for Privileges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Privileges").finish_non_exhaustive()
    }
}

impl Privileges {
    /// Enables these privileges, which must be names of `SE_..._NAME`, for the whole process.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] if the process does not have all of them: it was not
    /// started as administrator.
    pub(crate) fn enable(names: [PCWSTR; COUNT]) -> io::Result<Self> {
        let mut token = ptr::null_mut();
        let access = TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY;
        // SAFETY: the pointer is to a variable of this function.
        let opened = unsafe { OpenProcessToken(GetCurrentProcess(), access, &raw mut token) };
        if opened == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, so that this is an open handle that nobody else owns.
        let token = unsafe { File::from_raw_handle(token) };
        let mut wanted = none();
        wanted.count = COUNT as u32;
        for (privilege, name) in wanted.privileges.iter_mut().zip(names) {
            // SAFETY: the name is one of Windows's constants, which end with a zero.
            let known =
                unsafe { LookupPrivilegeValueW(ptr::null(), name, &raw mut privilege.Luid) };
            if known == 0 {
                return Err(io::Error::last_os_error());
            }
            privilege.Attributes = SE_PRIVILEGE_ENABLED;
        }
        let mut before = none();
        // SAFETY: both have the form of TOKEN_PRIVILEGES with `COUNT` entries, and live here.
        let (done, error) = unsafe {
            let mut len = 0;
            let done = AdjustTokenPrivileges(
                token.as_raw_handle(),
                0,
                ptr::from_ref(&wanted).cast::<TOKEN_PRIVILEGES>(),
                size_of::<Several>() as u32,
                ptr::from_mut(&mut before).cast::<TOKEN_PRIVILEGES>(),
                &raw mut len,
            );
            (done, GetLastError())
        };
        let privileges = Self { token, before };
        match (done, error) {
            (0, error) => Err(io::Error::from_raw_os_error(error.cast_signed())),
            (_, ERROR_NOT_ALL_ASSIGNED) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "this process may not read and set permissions that do not admit it",
            )),
            _ => Ok(privileges),
        }
    }
}

impl Drop for Privileges {
    fn drop(&mut self) {
        if self.before.count == 0 {
            return;
        }
        // If this fails, they stay enabled until the process ends, which does no harm.
        // SAFETY: it is a TOKEN_PRIVILEGES with at most `COUNT` entries; the token is open.
        unsafe {
            AdjustTokenPrivileges(
                self.token.as_raw_handle(),
                0,
                ptr::from_ref(&self.before).cast::<TOKEN_PRIVILEGES>(),
                0,
                ptr::null_mut(),
                ptr::null_mut(),
            );
        }
    }
}

/// The bytes of the SID of the user who runs this process.
pub(crate) fn own_sid() -> io::Result<Vec<u8>> {
    /// `TOKEN_USER`, and room for the longest SID, to which it points.
    #[repr(C)]
    struct User {
        user: TOKEN_USER,
        room: [u8; SECURITY_MAX_SID_SIZE as usize],
    }

    let mut token = ptr::null_mut();
    // SAFETY: the pointer is to a variable of this function.
    let opened = unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) };
    if opened == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so that this is an open handle that nobody else owns.
    let token = unsafe { File::from_raw_handle(token) };
    let mut found = User {
        user: TOKEN_USER::default(),
        room: [0; SECURITY_MAX_SID_SIZE as usize],
    };
    let mut len = 0;
    // SAFETY: the kernel writes at most `size_of::<User>()` bytes to a live value that is made of
    // numbers and pointers; the token is open.
    let done = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            (&raw mut found).cast(),
            size_of::<User>() as u32,
            &raw mut len,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has written a SID behind the pointer, which leads into `found`; a SID's
    // length follows from its first bytes.
    let sid = unsafe {
        let sid = found.user.User.Sid;
        let len = GetLengthSid(sid) as usize;
        std::slice::from_raw_parts(sid.cast::<u8>(), len.min(SECURITY_MAX_SID_SIZE as usize))
    };
    Ok(sid.to_vec())
}

fn none() -> Several {
    let none = LUID_AND_ATTRIBUTES {
        Luid: LUID {
            LowPart: 0,
            HighPart: 0,
        },
        Attributes: 0,
    };
    Several {
        count: 0,
        privileges: [none; COUNT],
    }
}
