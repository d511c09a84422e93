//! The certificate of Remote Desktop and its private key.

use super::{disk, text, with_facts};
use crate::facts::{CertificateFault, FaultyCertificate};
use crate::value_data::ValueData;
use diskmend_base::{hex, utf16};
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;
use sha1::{Digest, Sha1};

pub(in crate::engine_tests) const STATIONS: &str =
    r"ControlSet001\Control\Terminal Server\WinStations";
pub(in crate::engine_tests) const LISTENER: &str =
    r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
pub(in crate::engine_tests) const STORE: &str =
    r"Microsoft\SystemCertificates\Remote Desktop\Certificates";
pub(in crate::engine_tests) const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The digest of TSSecKeySet1.
const PREFIX: &str = "f686aace6942fb7f7ceb231212eef4a4";
pub(in crate::engine_tests) const GUID: &str = "5c6d2f4a-0000-4000-8000-000000000001";
/// Long before and after the hives of these tests were written, in 2024.
pub(in crate::engine_tests) const PAST: &str = "200101000000Z";
pub(in crate::engine_tests) const FUTURE: &str = "400101000000Z";

fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let len = u8::try_from(content.len()).expect("short");
    // DER demands the shortest form of a length.
    let head = if len < 0x80 {
        vec![tag, len]
    } else {
        vec![tag, 0x81, len]
    };
    [head, content].concat()
}

/// A certificate that ends then. Nobody has to believe its signature.
pub(in crate::engine_tests) fn certificate(end: &str) -> Vec<u8> {
    let sequence = |parts: &[Vec<u8>]| der(0x30, parts);
    let sha256_with_rsa = vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11];
    let algorithm = sequence(&[der(6, &[sha256_with_rsa]), der(5, &[])]);
    let name = sequence(&[]);
    let time = |text: &str| der(0x17, &[text.as_bytes().to_vec()]);
    let bits = der(3, &[vec![0, 1, 2]]);
    let signed = sequence(&[
        der(0xa0, &[der(2, &[vec![2]])]),
        der(2, &[vec![1]]),
        algorithm.clone(),
        name.clone(),
        sequence(&[time("190101000000Z"), time(end)]),
        name,
        sequence(&[algorithm.clone(), bits.clone()]),
    ]);
    sequence(&[signed, algorithm, bits])
}

fn record(id: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).expect("short");
    let header = [id, 1, len].map(u32::to_le_bytes);
    [header.as_flattened(), data].concat()
}

pub(in crate::engine_tests) fn binary(bytes: Vec<u8>) -> ValueData {
    ValueData {
        value_type: ValueType::BINARY,
        bytes,
    }
}

/// A stored certificate with its private key in a container of this provider.
pub(in crate::engine_tests) fn blob(der: &[u8], provider: u32) -> ValueData {
    let numbers = [28, 28, provider, 0x20, 0, 0, 1].map(u32::to_le_bytes);
    let key = [
        numbers.as_flattened(),
        &utf16::encode_terminated("TSSecKeySet1"),
    ]
    .concat();
    binary([record(2, &key), record(32, der)].concat())
}

pub(in crate::engine_tests) fn thumbprint(der: &[u8]) -> Vec<u8> {
    Sha1::digest(der).to_vec()
}

/// A disk with a certificate, as Windows names and stores it, and the file of its key.
fn with(der: &[u8], stored: ValueData, keys: &[String]) -> FaultyDisk {
    let key = format!(r"{STORE}\{}", hex::encode(&thumbprint(der)).to_uppercase());
    let software = [
        (key.as_str(), "Blob", stored),
        (r"Microsoft\Cryptography", "MachineGuid", text(GUID)),
    ];
    let named = [(STATIONS, "SelfSignedCertificate", binary(thumbprint(der)))];
    let disk = disk(&named, &software);
    disk.put(&format!("{KEYS}/other"), b"key".to_vec());
    for name in keys {
        disk.put(&format!("{KEYS}/{name}"), b"key".to_vec());
    }
    disk
}

fn faults(disk: &FaultyDisk) -> Vec<FaultyCertificate> {
    with_facts(disk, |facts| facts.faulty_certificates().map(<[_]>::to_vec)).expect("known")
}

fn kinds(disk: &FaultyDisk) -> Vec<CertificateFault> {
    faults(disk).iter().map(|fault| fault.fault).collect()
}

pub(in crate::engine_tests) fn key_file() -> Vec<String> {
    vec![format!("{PREFIX}_{GUID}")]
}

#[test]
fn a_certificate_with_its_key_is_no_fault() {
    let good = certificate(FUTURE);
    assert_eq!(faults(&with(&good, blob(&good, 1), &key_file())), []);
    // The file of a newer provider's key has another name.
    assert_eq!(faults(&with(&good, blob(&good, 0), &[])), []);
    // No store, or none that is named: Windows makes a new one.
    assert_eq!(faults(&disk(&[], &[])), []);
    let named = [(STATIONS, "SelfSignedCertificate", binary(vec![1; 20]))];
    assert_eq!(faults(&disk(&named, &[])), []);
}

#[test]
fn a_certificate_that_ended_while_windows_ran_is_a_fault() {
    let old = certificate(PAST);
    let found = faults(&with(&old, blob(&old, 1), &key_file()));
    let [fault] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(fault.fault, CertificateFault::Expired);
    assert!(fault.found.contains("2020-01-01"), "{fault:?}");
    // One that ended since then is renewed at the next start.
    let later = certificate("250101000000Z");
    assert_eq!(kinds(&with(&later, blob(&later, 1), &key_file())), []);
}

#[test]
fn a_missing_key_and_damage_are_faults() {
    let good = certificate(FUTURE);
    let missing = with(&good, blob(&good, 1), &[]);
    assert_eq!(kinds(&missing), [CertificateFault::KeyMissing]);
    let found = &faults(&missing)[0].found;
    assert!(found.contains(&key_file()[0]), "{found}");
    let other = certificate(PAST);
    for damaged in [
        binary(vec![1, 2, 3]),
        binary(Vec::new()),
        blob(&other, 1),
        text("no certificate"),
    ] {
        let disk = with(&good, damaged, &key_file());
        assert_eq!(kinds(&disk), [CertificateFault::Unreadable]);
    }
}

#[test]
fn a_key_is_not_missing_on_a_disk_without_any_keys() {
    let good = certificate(FUTURE);
    let name = hex::encode(&thumbprint(&good));
    let key = format!(r"{STORE}\{name}");
    let disk = disk(&[], &[(key.as_str(), "Blob", blob(&good, 1))]);
    assert_eq!(faults(&disk), []);
}

#[test]
fn a_pinned_certificate_must_be_in_a_store() {
    let good = certificate(FUTURE);
    let old = certificate(PAST);
    let mine = |der: &[u8]| {
        let name = hex::encode(&thumbprint(der));
        format!(r"Microsoft\SystemCertificates\MY\Certificates\{name}")
    };
    let (good_key, old_key) = (mine(&good), mine(&old));
    let software = [
        (good_key.as_str(), "Blob", blob(&good, 1)),
        (old_key.as_str(), "Blob", blob(&old, 1)),
    ];
    let pinned = |bytes: Vec<u8>| {
        kinds(&disk(
            &[(LISTENER, "SSLCertificateSHA1Hash", binary(bytes))],
            &software,
        ))
    };
    assert_eq!(pinned(thumbprint(&good)), []);
    let fault = [CertificateFault::PinnedMissing];
    assert_eq!(pinned(thumbprint(&old)), fault);
    assert_eq!(pinned(vec![7; 20]), fault);
    assert_eq!(pinned(vec![7; 19]), fault);
}
