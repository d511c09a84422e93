//! The certificate with which Remote Desktop proves to clients who it is: the one that Windows made
//! itself, or the one that somebody chose for the listener.

mod blob;

use der::Decode;
use diskmend_base::hex;
use diskmend_disk::Dir;
use diskmend_hive::{Corruption, Hive, ValueType};
use md5::Md5;
use sha1::{Digest, Sha1};
use x509_cert::{Certificate, der};

use super::{Facts, Failure, identity};
use crate::error::{Error, chain};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::{Readable, ValueData};

/// The stores of the machine, in SOFTWARE.
const STORES: &str = r"Microsoft\SystemCertificates";
/// The store of the certificates that Windows makes for Remote Desktop.
const OWN_STORE: &str = "Remote Desktop";
/// The store from which somebody can choose one.
const CHOSEN_STORE: &str = "MY";
/// The greatest length of a stored certificate, in bytes. Windows's own has about 1,500.
const MOST_BYTES: usize = 64 << 10;
/// The length of a thumbprint, which is a SHA-1 digest.
const THUMBPRINT_LEN: usize = 20;
/// The folder of the machine's keys.
const KEYS: [&str; 5] = ["ProgramData", "Microsoft", "Crypto", "RSA", "MachineKeys"];
/// The greatest number of keys that are looked through.
const MOST_KEYS: usize = 1 << 16;
/// The seconds from 1601-01-01, when FILETIME begins, to 1970-01-01.
const EPOCH_SECONDS: u64 = 11_644_473_600;
const INTERVALS_PER_SECOND: u64 = 10_000_000;

/// What is wrong with the certificate of Remote Desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// It had ended when Windows ran last.
    Expired,
    /// It can't be read, or its name is not its digest.
    Unreadable,
    /// The file of its private key is missing.
    KeyMissing,
    /// The listener is bound to a certificate that no store has, or that had ended.
    PinnedMissing,
}

/// A certificate with a fault, and where that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyCertificate {
    /// What is wrong.
    pub fault: CertificateFault,
    /// Its key, or the value that names it.
    pub place: String,
    /// What was found there.
    pub found: String,
    /// The certificate, if Windows made it itself.
    pub(crate) own: Option<OwnCertificate>,
}

/// A certificate that Windows made itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnCertificate {
    /// Its key in SOFTWARE.
    pub(crate) key: String,
    /// True if there is no other one in the store.
    pub(crate) is_only: bool,
}

/// Reads what is wrong with the certificate; nothing if Windows makes a new one at the next start.
pub(super) fn read(facts: &Facts<'_>) -> Result<Vec<FaultyCertificate>, String> {
    let sets = facts.control_sets()?;
    let set = sets.starting_set()?;
    let system = facts.hive(HiveName::System).map_err(Failure::reason)?;
    let software = facts.hive(HiveName::Software).map_err(Failure::reason)?;
    let at = |opened: &HiveOnDisk| {
        let path = opened.path().to_owned();
        move |source| chain(&Error::corrupt(&path)(source))
    };
    let stations = format!(r"{}\Control\Terminal Server\WinStations", set.name);
    let listener = format!(r"{stations}\RDP-Tcp");
    let windows = format!(r"{}\Control\Windows", set.name);
    let value = |key: &str, name: &str| {
        reading::short_value(&system.hive, key, name, MOST_BYTES).map_err(at(system))
    };
    let shutdown = value(&windows, "ShutdownTime")?;
    let ran = last_run(&[system, software], shutdown.as_ref());
    if let Some(pinned) = value(&listener, "SSLCertificateSHA1Hash")? {
        let place = format!(r"SYSTEM\{listener}");
        return pinned_fault(&software.hive, &pinned, place, ran).map_err(at(software));
    }
    let named = value(&stations, "SelfSignedCertificate")?;
    let chosen = own(&software.hive, named.as_ref()).map_err(at(software))?;
    let Some(own) = chosen else {
        return Ok(Vec::new());
    };
    let guid = machine_guid(&software.hive).map_err(at(software))?;
    let stored = stored(&software.hive, &own.key).map_err(at(software))?;
    Ok(own_faults(stored, &own, ran, |container| {
        has_key_file(facts.site.root.as_ref(), container, guid.as_deref())
    }))
}

/// The time at which Windows ran last for sure, as a FILETIME. The clock of the machine that looks
/// at the disk says nothing about that: a certificate that ended since is renewed at the next start.
fn last_run(hives: &[&HiveOnDisk], shutdown: Option<&ValueData>) -> u64 {
    let written = hives.iter();
    let written = written.map(|opened| opened.hive.base_block().last_written.get());
    let shutdown = shutdown.and_then(|data| Some(u64::from_le_bytes(*data.bytes.first_chunk()?)));
    written.chain(shutdown).max().unwrap_or(0)
}

/// The key of the certificate that Windows made and uses: the one that is named, or the only one.
fn own(hive: &Hive, named: Option<&ValueData>) -> Result<Option<OwnCertificate>, Corruption> {
    let below = format!(r"{STORES}\{OWN_STORE}\Certificates");
    let Some(store) = hive.key(&below)? else {
        return Ok(None);
    };
    let mut keys = store.subkeys()?;
    let (first, second) = (keys.next(), keys.next());
    let is_only = second.is_none();
    let is_thumbprint = |data: &&ValueData| data.bytes.len() == THUMBPRINT_LEN;
    if let Some(named) = named.filter(is_thumbprint) {
        let key = format!(r"{below}\{}", hex::encode(&named.bytes));
        let exists = hive.key(&key)?.is_some();
        return Ok(exists.then_some(OwnCertificate { key, is_only }));
    }
    // Of several, it isn't known which one Windows would use.
    match first {
        Some(only) if is_only => {
            let key = format!(r"{below}\{}", only?.name().in_path());
            Ok(Some(OwnCertificate { key, is_only }))
        }
        _ => Ok(None),
    }
}

fn stored(hive: &Hive, key: &str) -> Result<Option<ValueData>, Corruption> {
    let blob = reading::short_value(hive, key, "Blob", MOST_BYTES)?;
    Ok(blob.filter(|blob| blob.value_type == ValueType::BINARY))
}

fn own_faults(
    stored: Option<ValueData>,
    own: &OwnCertificate,
    ran: u64,
    has_key_file: impl Fn(&blob::Container) -> Option<(String, bool)>,
) -> Vec<FaultyCertificate> {
    let key = own.key.as_str();
    let place = format!(r"SOFTWARE\{key}");
    let fault = |fault, found: String| FaultyCertificate {
        fault,
        place: place.clone(),
        found,
        own: Some(own.clone()),
    };
    let unreadable = |found: &str| vec![fault(CertificateFault::Unreadable, found.to_owned())];
    let Some(stored) = stored else {
        return unreadable("Blob is missing, or no certificate");
    };
    let certificate = match blob::parse(&stored.bytes) {
        Ok(certificate) => certificate,
        Err(what) => return unreadable(&format!("Blob is damaged: {what}")),
    };
    let name = key.rsplit('\\').next().unwrap_or(key);
    let thumbprint = hex::encode(&Sha1::digest(certificate.der));
    if !thumbprint.eq_ignore_ascii_case(name) {
        return unreadable("the name of the key is not the digest of the certificate in it");
    }
    let mut faults = Vec::new();
    if let Some(found) = ended(certificate.der, ran) {
        faults.push(fault(CertificateFault::Expired, found));
    }
    if let Some((path, false)) = certificate.key.as_ref().and_then(has_key_file) {
        let found = format!("its private key is missing: {path}");
        faults.push(fault(CertificateFault::KeyMissing, found));
    }
    faults
}

/// The end of a certificate that had ended when Windows ran last. What can't be read is taken for
/// good: the digest has shown that it is what Windows stored.
fn ended(der: &[u8], ran: u64) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    let seconds = end.to_unix_duration().as_secs();
    let filetime = seconds.checked_add(EPOCH_SECONDS)?;
    let filetime = filetime.checked_mul(INTERVALS_PER_SECOND)?;
    let shown = identity::of_filetime(ran)?;
    (filetime < ran).then(|| format!("it ended at {end}, and Windows still ran at {shown}"))
}

/// What is wrong with the certificate to which somebody bound the listener.
fn pinned_fault(
    hive: &Hive,
    pinned: &ValueData,
    place: String,
    ran: u64,
) -> Result<Vec<FaultyCertificate>, Corruption> {
    let fault = |found: String| {
        vec![FaultyCertificate {
            fault: CertificateFault::PinnedMissing,
            place,
            found,
            own: None,
        }]
    };
    let len = pinned.bytes.len();
    if len != THUMBPRINT_LEN {
        let found = format!("SSLCertificateSHA1Hash has {len} bytes, {THUMBPRINT_LEN} expected");
        return Ok(fault(found));
    }
    let thumbprint = hex::encode(&pinned.bytes);
    for store in [CHOSEN_STORE, OWN_STORE] {
        let key = format!(r"{STORES}\{store}\Certificates\{thumbprint}");
        let Some(stored) = stored(hive, &key)? else {
            continue;
        };
        let end = match blob::parse(&stored.bytes) {
            Ok(certificate) => ended(certificate.der, ran),
            Err(_) => None,
        };
        return Ok(match end {
            Some(end) => fault(format!("the certificate {thumbprint}: {end}")),
            None => Vec::new(),
        });
    }
    // Without any store, this is no whole SOFTWARE hive.
    if hive.key(STORES)?.is_none() {
        return Ok(Vec::new());
    }
    Ok(fault(format!(
        "SSLCertificateSHA1Hash names {thumbprint}, which no store has"
    )))
}

fn machine_guid(hive: &Hive) -> Result<Option<String>, Corruption> {
    let found = reading::short_value(hive, r"Microsoft\Cryptography", "MachineGuid", 256)?;
    Ok(match found.and_then(|data| data.readable()) {
        Some(Readable::Text(guid)) if !guid.contains(['/', '\\']) => Some(guid),
        _ => None,
    })
}

/// The path of the file of a key container, and whether it exists; `None` if that can't be said.
fn has_key_file(
    root: &dyn Dir,
    container: &blob::Container,
    guid: Option<&str>,
) -> Option<(String, bool)> {
    // The name of the file of a newer provider's key can't be computed.
    if container.provider_type == 0 {
        return None;
    }
    let folder = root.find(&KEYS).ok()??;
    let folder_path = folder.path.clone();
    let folder = folder.open_dir().ok()?;
    let prefix = file_prefix(&container.name);
    let Some(guid) = guid else {
        let names = folder.names(MOST_KEYS).ok()?;
        let exists = names.iter().any(|name| name.starts_with(&prefix));
        return Some((format!("{folder_path}/{prefix}*"), exists));
    };
    let name = format!("{prefix}{guid}");
    let exists = folder.find(&[&name]).ok()?.is_some();
    Some((format!("{folder_path}/{name}"), exists))
}

/// The name of a container's file up to the machine's GUID: the MD5 digest of its name in lower
/// case with a NUL, as four little-endian numbers.
fn file_prefix(container: &str) -> String {
    let mut name = container.to_lowercase().into_bytes();
    name.push(0);
    let digest: [u8; 16] = Md5::digest(&name).into();
    let (numbers, _) = digest.as_chunks::<4>();
    let numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
    let mut prefix: String = numbers.map(|number| format!("{number:08x}")).collect();
    prefix.push('_');
    prefix
}

/// Reads untrusted bytes as a stored certificate.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(data: &[u8]) {
    if let Ok(stored) = blob::parse(data) {
        std::hint::black_box(ended(stored.der, u64::MAX / 2));
        std::hint::black_box(stored.key.map(|key| file_prefix(&key.name)));
    }
    std::hint::black_box(ended(data, u64::MAX / 2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_known_containers() {
        for (container, prefix) in [
            ("TSSecKeySet1", "f686aace6942fb7f7ceb231212eef4a4_"),
            ("TSSecKeySet2", "d86b1e848570377d7cb27ddc5de661b0_"),
            ("TSSecKeySet3", "7215b202ff2cf52c0ac38e6346ef075f_"),
            ("iisWasKey", "76944fb33636aeddb9590521c2e8815a_"),
        ] {
            assert_eq!(file_prefix(container), prefix);
        }
    }
}
