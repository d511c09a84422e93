//! The seal of a journal or of a saved plan: the last member of its JSON, over all bytes before it. The seal is
//! checked over the bytes on disk, without parsing and rewriting them.

use super::KeyId;
use super::run_key::{Mac, RunKey};

/// The end of a journal without a seal.
const END: &[u8] = b"\n}\n";
/// The text before the id of the key, before the MAC, and after it.
const BEFORE_KEY: &str = ",\n  \"seal\": {\n    \"key\": \"";
const BEFORE_MAC: &str = "\",\n    \"mac\": \"";
const AFTER: &str = "\"\n  }\n}\n";
const KEY_LEN: usize = 16;
const MAC_LEN: usize = 64;
const LEN: usize = BEFORE_KEY.len() + KEY_LEN + BEFORE_MAC.len() + MAC_LEN + AFTER.len();

/// A journal's bytes, and the content of its seal.
pub(crate) struct Sealed<'a> {
    /// The sealed bytes.
    pub(super) journal: &'a [u8],
    /// The key that its seal names, and the seal's MAC.
    pub(super) seal: Option<(KeyId, Mac)>,
}

/// Adds the seal to a journal, which must end like JSON that is printed with an indentation of two
/// spaces.
///
/// `None` if it ends in another way.
pub(crate) fn seal(journal: &[u8], key: &RunKey) -> Option<Vec<u8>> {
    with_seal(journal, key.id, |journal| key.seal(journal))
}

/// Adds the seal that `seal` makes with the key `id` to such a document.
pub(super) fn with_seal(
    document: &[u8],
    id: KeyId,
    seal: impl FnOnce(&[u8]) -> Mac,
) -> Option<Vec<u8>> {
    let document = document.strip_suffix(END)?;
    let mac = seal(document);
    let mut sealed = document.to_vec();
    sealed.extend(format!("{BEFORE_KEY}{id}{BEFORE_MAC}{mac}{AFTER}").into_bytes());
    Some(sealed)
}

impl<'a> Sealed<'a> {
    /// Removes the seal.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let unsealed = Self {
            journal: bytes,
            seal: None,
        };
        let Some((journal, seal)) = bytes
            .len()
            .checked_sub(LEN)
            .and_then(|at| bytes.split_at_checked(at))
        else {
            return unsealed;
        };
        match parse(seal) {
            Some(seal) => Self {
                journal,
                seal: Some(seal),
            },
            None => unsealed,
        }
    }
}

fn parse(seal: &[u8]) -> Option<(KeyId, Mac)> {
    let seal = std::str::from_utf8(seal).ok()?;
    let rest = seal.strip_prefix(BEFORE_KEY)?;
    let (key, rest) = rest.split_at_checked(KEY_LEN)?;
    let rest = rest.strip_prefix(BEFORE_MAC)?;
    let (mac, rest) = rest.split_at_checked(MAC_LEN)?;
    (rest == AFTER).then_some((KeyId::parse(key)?, Mac::parse(mac)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Judge, Key, Keys, Trust};
    use super::*;
    use crate::identity::TargetIdentity;
    use crate::run::RunId;

    const JOURNAL: &[u8] = b"{\n  \"schema\": 2,\n  \"note\": \"}\"\n}\n";

    fn run(name: &str) -> RunId {
        RunId::parse(name).expect("a run")
    }

    fn identity(volume: &str) -> TargetIdentity {
        TargetIdentity {
            volume: Some(volume.to_owned()),
            disk: None,
        }
    }

    fn sealed(key: &Key, name: &str) -> Vec<u8> {
        let run_key = RunKey::derive(key, &run(name), &identity("0000000000000001"));
        seal(JOURNAL, &run_key).expect("JSON")
    }

    fn trust(judge: &Judge, name: &str, bytes: &[u8]) -> Trust {
        let known = identity("0000000000000001");
        judge
            .judge(&run(name), &Sealed::of(bytes), (&known, None))
            .0
    }

    const NAME: &str = "20261123T124100Z";

    #[test]
    fn a_sealed_journal_is_still_json_and_known_to_its_machine_only() {
        let own = Key::from_bytes([3; 32]);
        let bytes = sealed(&own, NAME);
        let json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(json["seal"]["key"], own.id().to_string());
        let judge = |keys| Judge::new(keys, identity("0000000000000001"));
        let here = judge(Keys::own(own.clone()));
        assert_eq!(trust(&here, NAME, &bytes), Trust::Own);
        let key = own.id();
        let mut elsewhere = Keys::own(Key::from_bytes([4; 32]));
        assert_eq!(
            trust(&judge(elsewhere.clone()), NAME, &bytes),
            Trust::Foreign { key }
        );
        elsewhere.known.push(own);
        assert_eq!(trust(&judge(elsewhere), NAME, &bytes), Trust::Known { key });
        assert_eq!(
            trust(&judge(Keys::default()), NAME, &bytes),
            Trust::Foreign { key }
        );
    }

    #[test]
    fn no_bit_of_it_can_be_changed_and_it_fits_no_other_run() {
        let own = Key::from_bytes([3; 32]);
        let bytes = sealed(&own, NAME);
        let judge = Judge::new(Keys::own(own), identity("0000000000000001"));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(!trust(&judge, NAME, &changed).is_given(), "{at}.{bit}");
            }
        }
        assert!(!trust(&judge, "20261123T124100Z-2", &bytes).is_given());
        assert!(!trust(&judge, NAME, JOURNAL).is_given());
        assert!(!trust(&judge, NAME, b"").is_given());
    }

    #[test]
    fn on_another_disk_it_is_not_believed() {
        let own = Key::from_bytes([3; 32]);
        let bytes = sealed(&own, NAME);
        for (volume, given) in [
            (Some("0000000000000001"), true),
            // A disk that shows only half of the serial number, and one that shows none.
            (Some("00000001"), true),
            (None, true),
            (Some("0000000000000002"), false),
            (Some("00000002"), false),
            (Some("1000000000000001"), false),
        ] {
            let found = TargetIdentity {
                volume: volume.map(str::to_owned),
                disk: None,
            };
            let judge = Judge::new(Keys::own(own.clone()), found);
            assert_eq!(trust(&judge, NAME, &bytes).is_given(), given, "{volume:?}");
        }
    }
}
