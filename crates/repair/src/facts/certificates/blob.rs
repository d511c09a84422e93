//! A certificate as a store in the registry keeps it: records of an identifier, an encoding, a
//! length and data. One of them is the certificate itself, another tells where its private key is.

use diskmend_base::bytes::{slice, u32_at};
use diskmend_base::utf16;

/// The greatest number of records. Windows stores about ten.
const MOST_RECORDS: usize = 64;
/// The greatest length of the name of a key container, in bytes.
const MOST_NAME: usize = 1024;
/// `CERT_KEY_PROV_INFO_PROP_ID`.
const KEY_PROVIDER: u32 = 2;
/// `CERT_CERT_PROP_ID`: the certificate itself, in DER.
const CERTIFICATE: u32 = 32;
/// The length of identifier, encoding and length.
const HEADER_LEN: usize = 12;

/// What is stored of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored<'b> {
    /// The certificate in DER.
    pub(super) der: &'b [u8],
    /// Its private key, if the record about it is there and readable.
    pub(super) key: Option<Container>,
}

/// The place of a private key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// The name of the key container.
    pub(super) name: String,
    /// The type of the provider; 0 for providers of the newer kind (CNG).
    pub(super) provider_type: u32,
}

/// Reads a value `Blob`.
///
/// # Errors
/// What is wrong with it, for display.
pub(super) fn parse(blob: &[u8]) -> Result<Stored<'_>, &'static str> {
    let (mut der, mut key) = (None, None);
    let mut at = 0_usize;
    for _ in 0..MOST_RECORDS {
        if at == blob.len() {
            let der = der.ok_or("it holds no certificate")?;
            return Ok(Stored { der, key });
        }
        let (record, data) = record(blob, at).ok_or("a record ends outside it")?;
        match record {
            CERTIFICATE => der = Some(data),
            KEY_PROVIDER => key = container(data),
            _ => {}
        }
        at += HEADER_LEN + data.len();
    }
    Err("it has too many records")
}

fn record(blob: &[u8], at: usize) -> Option<(u32, &[u8])> {
    let id = u32_at(blob, at)?;
    let len = usize::try_from(u32_at(blob, at.checked_add(8)?)?).ok()?;
    Some((id, slice(blob, at.checked_add(HEADER_LEN)?, len)?))
}

/// A serialized `CRYPT_KEY_PROV_INFO`: the offsets of two names, the type of the provider, and more.
fn container(data: &[u8]) -> Option<Container> {
    let offset = usize::try_from(u32_at(data, 0)?).ok()?;
    let provider_type = u32_at(data, 8)?;
    let rest = data.get(offset..)?;
    let rest = rest.get(..rest.len().min(MOST_NAME))?;
    // An odd byte at the end of the limit is no part of the name.
    let rest = rest.get(..rest.len() & !1)?;
    let name = utf16::decode_to_nul(rest).filter(|name| !name.is_empty())?;
    Some(Container {
        name,
        provider_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u32, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).expect("short");
        let header = [id, 1, len].map(u32::to_le_bytes);
        [header.as_flattened(), data].concat()
    }

    fn provider(offset: u32, kind: u32, name: &str) -> Vec<u8> {
        let numbers = [offset, 28, kind, 0x20, 0, 0, 1].map(u32::to_le_bytes);
        [numbers.as_flattened(), &utf16::encode_terminated(name)].concat()
    }

    #[test]
    fn the_certificate_and_its_key_are_found() {
        let blob = [
            record(3, &[0; 20]),
            record(2, &provider(28, 1, "TSSecKeySet1")),
            record(32, b"der"),
        ]
        .concat();
        let stored = parse(&blob).expect("sound");
        assert_eq!(stored.der, b"der");
        let key = stored.key.expect("a key");
        assert_eq!((key.name.as_str(), key.provider_type), ("TSSecKeySet1", 1));
    }

    #[test]
    fn damage_is_told_and_nothing_outside_is_read() {
        let good = record(32, b"der");
        for len in 1..good.len() {
            assert!(parse(&good[..len]).is_err(), "{len}");
        }
        assert!(parse(&[]).is_err());
        let mut long = good.clone();
        long[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(parse(&long).is_err());
        assert!(parse(&record(7, b"").repeat(100)).is_err());
        for wrong in [provider(u32::MAX, 1, "a"), provider(28, 1, ""), vec![1, 2]] {
            let blob = [record(2, &wrong), good.clone()].concat();
            assert_eq!(parse(&blob).expect("sound").key, None);
        }
    }
}
