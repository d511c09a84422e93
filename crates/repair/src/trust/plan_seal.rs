//! The seal of a plan that was saved for a review. It is made with a machine's key like the seals of
//! runs, but over other first bytes, so that the seal of a plan never fits a run, nor that of a run
//! a plan.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::run_key::{Mac, hmac};
use super::seal::with_seal;
use super::{Doubt, Key, KeyError, Keys, Sealed, Trust};

/// The first bytes of everything that is sealed as a plan.
const DOMAIN: &[u8] = b"diskmend plan\0";

impl Keys {
    /// Seals a plan with this machine's key. `plan` must end like JSON that is printed with an
    /// indentation of two spaces; `None` if it ends in another way.
    ///
    /// # Errors
    /// The reason why this machine has no key.
    pub(crate) fn seal_plan(&self, plan: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        let key = self.obtain()?;
        Ok(with_seal(plan, key.id(), |plan| Mac::of(over(&key, plan))))
    }

    /// The trust in a plan, and the bytes that its seal covers.
    pub(crate) fn judge_plan<'a>(&self, plan: &'a [u8]) -> (Trust, &'a [u8]) {
        let Sealed { journal, seal } = Sealed::of(plan);
        let doubt = |reason| Trust::Unauthenticated { reason };
        let trust = match seal {
            None => doubt(Doubt::NoSeal),
            Some((id, mac)) => match self.named(id) {
                None => Trust::Foreign { key: id },
                Some((key, own)) if mac.is_of(over(&key, journal)) => {
                    if own {
                        Trust::Own
                    } else {
                        Trust::Known { key: id }
                    }
                }
                Some(_) => doubt(Doubt::WrongSeal),
            },
        };
        (trust, journal)
    }
}

fn over(key: &Key, plan: &[u8]) -> Hmac<Sha256> {
    let mut mac = hmac(key.bytes(), DOMAIN);
    mac.update(plan);
    mac
}

#[cfg(test)]
mod tests {
    use super::super::{RunKey, seal};
    use super::*;
    use crate::identity::TargetIdentity;
    use crate::run_id::RunId;

    const PLAN: &[u8] = b"{\n  \"format\": \"diskmend-plan\"\n}\n";

    fn key(byte: u8) -> Key {
        Key::from_bytes([byte; 32])
    }

    #[test]
    fn only_the_key_that_sealed_a_plan_believes_it() {
        let own = Keys::own(key(1));
        let sealed = own.seal_plan(PLAN).expect("a key").expect("JSON");
        let (trust, covered) = own.judge_plan(&sealed);
        assert_eq!(trust, Trust::Own);
        assert_eq!([covered, b"\n}\n"].concat(), PLAN);
        let mut other = Keys::own(key(2));
        let id = key(1).id();
        assert_eq!(other.judge_plan(&sealed).0, Trust::Foreign { key: id });
        other.known.push(key(1));
        assert_eq!(other.judge_plan(&sealed).0, Trust::Known { key: id });
        let none = Trust::Unauthenticated {
            reason: Doubt::NoSeal,
        };
        assert_eq!(own.judge_plan(PLAN).0, none);
        assert!(Keys::default().seal_plan(PLAN).is_err());
    }

    #[test]
    fn no_bit_of_a_sealed_plan_can_be_changed() {
        let own = Keys::own(key(1));
        let sealed = own.seal_plan(PLAN).expect("a key").expect("JSON");
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                let (trust, _) = own.judge_plan(&changed);
                assert!(!trust.is_given(), "bit {bit} of byte {at}");
            }
            assert!(!own.judge_plan(&sealed[..at]).0.is_given(), "{at} bytes");
        }
    }

    #[test]
    fn the_seal_of_a_run_does_not_fit_a_plan() {
        let run = RunId::parse("20261123T124100Z").expect("a run");
        let run = RunKey::derive(&key(1), &run, &TargetIdentity::default());
        let sealed = seal(PLAN, &run).expect("JSON");
        let wrong = Trust::Unauthenticated {
            reason: Doubt::WrongSeal,
        };
        assert_eq!(Keys::own(key(1)).judge_plan(&sealed).0, wrong);
    }
}
