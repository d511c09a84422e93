//! Security descriptors of open objects, as self-relative bytes.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::ERROR_INSUFFICIENT_BUFFER;
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity,
    IsValidSecurityDescriptor, LABEL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    SACL_SECURITY_INFORMATION, SetKernelObjectSecurity,
};

use crate::security::{MAX_DESCRIPTOR_LEN, is_whole};

/// All parts that every Windows knows.
const PARTS: u32 = OWNER_SECURITY_INFORMATION
    | GROUP_SECURITY_INFORMATION
    | DACL_SECURITY_INFORMATION
    | SACL_SECURITY_INFORMATION
    | LABEL_SECURITY_INFORMATION;

/// The whole descriptor of an open object.
pub(crate) fn security(object: &File) -> io::Result<Vec<u8>> {
    parts_of(object, PARTS)
}

/// The owner and the DACL of an open object, which need no privilege.
pub(crate) fn owner_and_dacl(object: &File) -> io::Result<Vec<u8>> {
    parts_of(
        object,
        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
    )
}

/// Sets all parts of an open object's descriptor to these, and nothing else: Windows computes no
/// inheritance.
pub(crate) fn set_security(object: &File, descriptor: &[u8]) -> io::Result<()> {
    set_parts(object, PARTS, descriptor)
}

fn parts_of(object: &File, parts: u32) -> io::Result<Vec<u8>> {
    // Aligned as the structure is.
    let mut words = vec![0u32; 64];
    loop {
        let room = size_of_val(words.as_slice());
        let mut needed = 0;
        // SAFETY: the kernel writes at most `room` bytes to a live buffer of so many; `object`
        // keeps its handle open.
        let done = unsafe {
            GetKernelObjectSecurity(
                object.as_raw_handle(),
                parts,
                words.as_mut_ptr().cast(),
                room as u32,
                &raw mut needed,
            )
        };
        let needed = needed as usize;
        if done != 0 {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let found = bytes.get(..needed).ok_or(io::ErrorKind::InvalidData)?;
            return Ok(found.to_vec());
        }
        let error = io::Error::last_os_error();
        let too_small = error.raw_os_error() == Some(ERROR_INSUFFICIENT_BUFFER.cast_signed());
        if !too_small || needed <= room || needed > MAX_DESCRIPTOR_LEN {
            return Err(error);
        }
        words.resize(needed.div_ceil(size_of::<u32>()), 0);
    }
}

fn set_parts(object: &File, parts: u32, descriptor: &[u8]) -> io::Result<()> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "no valid security descriptor");
    // The calls are not told the number of bytes.
    if !is_whole(descriptor) {
        return Err(invalid());
    }
    let mut words = vec![0u32; descriptor.len().div_ceil(size_of::<u32>())];
    for (word, bytes) in words.iter_mut().zip(descriptor.chunks(size_of::<u32>())) {
        let mut whole = [0; size_of::<u32>()];
        for (byte, value) in whole.iter_mut().zip(bytes) {
            *byte = *value;
        }
        *word = u32::from_le_bytes(whole);
    }
    let pointer = words.as_mut_ptr().cast();
    // SAFETY: a live buffer that holds the header and every part to its end; `object` keeps its
    // handle open.
    let done = unsafe {
        if IsValidSecurityDescriptor(pointer) == 0 {
            return Err(invalid());
        }
        SetKernelObjectSecurity(object.as_raw_handle(), parts, pointer)
    };
    match done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::mem::ManuallyDrop;
    use std::os::windows::io::FromRawHandle;
    use std::ptr;

    use windows_sys::Win32::System::Registry::{
        HKEY, HKEY_CURRENT_USER, KEY_ALL_ACCESS, REG_OPTION_VOLATILE, RegCloseKey, RegCreateKeyExW,
        RegDeleteKeyW,
    };

    use super::*;

    /// Under Wine, the owner and the DACL of a registry key can be changed, unlike those of a file.
    const KEPT: u32 = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

    /// A registry key as a kernel object.
    struct Key {
        name: Vec<u16>,
        key: HKEY,
        object: ManuallyDrop<File>,
    }

    impl Key {
        fn new(name: &str) -> Self {
            let name: Vec<u16> = format!("Software\\{name}\0").encode_utf16().collect();
            let mut key = ptr::null_mut();
            // SAFETY: the name ends with a zero; all pointers are to live variables, or null where
            // that is allowed.
            let created = unsafe {
                RegCreateKeyExW(
                    HKEY_CURRENT_USER,
                    name.as_ptr(),
                    0,
                    ptr::null(),
                    REG_OPTION_VOLATILE,
                    KEY_ALL_ACCESS,
                    ptr::null(),
                    &raw mut key,
                    ptr::null_mut(),
                )
            };
            assert_eq!(created, 0);
            // SAFETY: an open handle, which stays open and is closed below.
            let object = ManuallyDrop::new(unsafe { File::from_raw_handle(key.cast()) });
            Self { name, key, object }
        }
    }

    impl Drop for Key {
        fn drop(&mut self) {
            // SAFETY: the key is open, and its name ends with a zero.
            unsafe {
                RegCloseKey(self.key);
                RegDeleteKeyW(HKEY_CURRENT_USER, self.name.as_ptr());
            }
        }
    }

    /// `O:BAD:P(A;;mask;;;SY)`, and entries that each deny Everyone another right.
    fn descriptor(mask: u32, denies: u16) -> Vec<u8> {
        const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
        const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
        const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let len = 8 + 20 * (1 + denies);
        let mut bytes = vec![1, 0, 0x04, 0x90];
        for offset in [20 + u32::from(len), 0, 0, 20] {
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend([2, 0]);
        bytes.extend(len.to_le_bytes());
        bytes.extend((1 + denies).to_le_bytes());
        bytes.extend([0, 0]);
        for number in 0..denies {
            bytes.extend([1, 0, 20, 0]);
            bytes.extend((1u32 << (number % 6)).to_le_bytes());
            bytes.extend(EVERYONE);
        }
        bytes.extend([0, 0, 20, 0]);
        bytes.extend(mask.to_le_bytes());
        bytes.extend(SYSTEM);
        bytes.extend(ADMINISTRATORS);
        bytes
    }

    #[test]
    fn owner_and_dacl_arrive_as_they_were_given() {
        let key = Key::new("diskmend test of descriptors");
        for (mask, denies) in [(0xF003F, 0), (0x20019, 3), (0xF003F, 100)] {
            let wanted = descriptor(mask, denies);
            set_parts(&key.object, KEPT, &wanted).expect("set");
            let found = parts_of(&key.object, KEPT).expect("read");
            let masked = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                // Wine drops the flag that the DACL is protected.
                bytes[3] &= !0x10;
                bytes
            };
            assert!(
                crate::security::same_parts(&masked(&found), &masked(&wanted)),
                "{mask:#x}, {denies}: {found:02x?}"
            );
        }
    }

    #[test]
    fn a_descriptor_that_reaches_past_its_end_is_not_passed_to_the_kernel() {
        let key = Key::new("diskmend test of bad descriptors");
        set_parts(&key.object, KEPT, &descriptor(0xF003F, 0)).expect("set");
        let before = parts_of(&key.object, KEPT).expect("read");
        let good = descriptor(0x20019, 1);
        for len in 0..good.len() {
            set_parts(&key.object, KEPT, &good[..len]).expect_err("cut off");
        }
        for offset in [4, 16] {
            let mut bad = good.clone();
            bad[offset..offset + 4].fill(0xFF);
            set_parts(&key.object, KEPT, &bad).expect_err("outside");
        }
        assert_eq!(parts_of(&key.object, KEPT).expect("read"), before);
    }
}
