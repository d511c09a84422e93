//! `[[certificate]]` rows.

use super::*;
use crate::engine_tests::evidence::certificates::{
    FUTURE, GUID, KEYS, LISTENER, PAST, STATIONS, STORE, binary, blob, certificate, key_file,
    thumbprint,
};
use diskmend_base::hex;

const ROW: &str = "[[certificate]]\nstore = 'Remote Desktop'\ndelete = true\n\
                   fault = ['expired', 'unreadable', 'key_missing']\nwhy = 'w'\n";

fn key_of(der: &[u8]) -> String {
    format!(r"{STORE}\{}", hex::encode(&thumbprint(der)))
}

/// A disk with these certificates, the first one in use, and the file of its key.
fn with(certificates: &[(&[u8], ValueData)], more: &[(&str, &str, ValueData)]) -> FaultyDisk {
    let disk = without_key_file(certificates, more);
    for name in key_file() {
        disk.put(&format!("{KEYS}/{name}"), b"key".to_vec());
    }
    disk
}

fn without_key_file(
    certificates: &[(&[u8], ValueData)],
    more: &[(&str, &str, ValueData)],
) -> FaultyDisk {
    let keys: Vec<String> = certificates.iter().map(|(der, _)| key_of(der)).collect();
    let mut software: Vec<_> = keys
        .iter()
        .zip(certificates)
        .map(|(key, (_, blob))| (key.as_str(), "Blob", blob.clone()))
        .collect();
    software.push((r"Microsoft\Cryptography", "MachineGuid", text(GUID)));
    let mut system = more.to_vec();
    if let Some((der, _)) = certificates.first() {
        system.push((STATIONS, "SelfSignedCertificate", binary(thumbprint(der))));
    }
    let disk = disk(&system, &software);
    disk.put(&format!("{KEYS}/other"), b"key".to_vec());
    disk
}

fn auto(disk: &FaultyDisk) -> Changes {
    planned(disk, &[&recipe(ROW)], Goal::Faults)
}

fn deleted(der: &[u8]) -> Changes {
    vec![
        change(STATIONS, "SelfSignedCertificate", "deleted"),
        change(&key_of(der), "", "deleted"),
    ]
}

#[test]
fn an_expired_certificate_is_deleted_with_its_name_and_undone() {
    let old = certificate(PAST);
    let broken = with(&[(&old, blob(&old, 1))], &[]);
    assert_eq!(auto(&broken), deleted(&old));
    built_in("rdp-certificate", |recipes| {
        repaired(&broken, recipes, Goal::Faults);
    });
    let only = recipe(&ROW.replace("'expired', ", ""));
    assert_eq!(planned(&broken, &[&only], Goal::Faults), []);
}

#[test]
fn a_damaged_one_and_one_without_key_are_deleted() {
    let good = certificate(FUTURE);
    let damaged = with(&[(&good, binary(vec![1, 2, 3]))], &[]);
    assert_eq!(auto(&damaged), deleted(&good));
    let stored = [(good.as_slice(), blob(&good, 1))];
    assert_eq!(auto(&with(&stored, &[])), []);
    assert_eq!(auto(&without_key_file(&stored, &[])), deleted(&good));
}

#[test]
fn a_good_one_a_pinned_one_and_one_of_several_are_left_alone() {
    let (good, old) = (certificate(FUTURE), certificate(PAST));
    built_in("rdp-certificate", |recipes| {
        let healthy = with(&[(&good, blob(&good, 1))], &[]);
        assert_eq!(planned(&healthy, recipes, Goal::Desired), []);
        let none = with(&[], &[]);
        assert_eq!(planned(&none, recipes, Goal::Desired), []);
        let pin = [(LISTENER, "SSLCertificateSHA1Hash", binary(thumbprint(&old)))];
        let pinned = with(&[(&old, blob(&old, 1))], &pin);
        assert_eq!(planned(&pinned, recipes, Goal::Desired), []);
        let two = with(&[(&old, blob(&old, 1)), (&good, blob(&good, 1))], &[]);
        assert_eq!(planned(&two, recipes, Goal::Faults), []);
        // The one in use is known, so it can be deleted by name.
        assert_eq!(planned(&two, recipes, Goal::Desired), deleted(&old));
    });
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, place, say) in [
        ("'Remote Desktop'", "'MY'", "7:9", "no store"),
        ("true", "false", "8:10", "only delete"),
        ("'expired'", "'old'", "9:10", "no fault \"old\""),
        ("'unreadable'", "'expired'", "9:21", "twice"),
        ("'w'", "''", "10:7", "say something"),
        ("delete = true\n", "", "6:1", "delete"),
    ] {
        let row = ROW.replacen(from, to, 1);
        assert_ne!(row, ROW, "{from}");
        refused(&row, place, say);
    }
}
