//! When what is found in a value is evidence of a fault.

use crate::value_data::ValueData;

/// The condition under which a value is a fault, as opposed to merely not what a recipe wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// It is one when the value does not exist.
    pub missing: bool,
    /// It is one when the value exists and is anything but the desired data.
    pub different: bool,
    /// It is one when the value is one of these.
    pub equals: Vec<ValueData>,
    /// Only where this holds as well.
    pub companion: Option<Companion>,
}

/// Another value of the same key that must hold one of some data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its name.
    pub value: String,
    /// The data, one of which it must hold.
    pub equals: Vec<ValueData>,
}

impl Fault {
    /// Whether what was found is a fault. `companion` looks another value of the same key up.
    ///
    /// # Errors
    /// What `companion` reports.
    pub fn holds<E>(
        &self,
        current: Option<&ValueData>,
        desired: &ValueData,
        companion: impl FnOnce(&str) -> Result<Option<ValueData>, E>,
    ) -> Result<bool, E> {
        let here = match current {
            None => self.missing,
            Some(current) => {
                self.equals.contains(current) || (self.different && current != desired)
            }
        };
        match &self.companion {
            Some(other) if here => {
                let found = companion(&other.value)?;
                Ok(found.is_some_and(|found| other.equals.contains(&found)))
            }
            _ => Ok(here),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn holds(fault: &Fault, current: Option<u32>, other: Option<u32>) -> bool {
        let current = current.map(ValueData::dword);
        fault
            .holds::<Infallible>(current.as_ref(), &ValueData::dword(1), |name| {
                assert_eq!(name, "Other");
                Ok(other.map(ValueData::dword))
            })
            .expect("infallible")
    }

    #[test]
    fn holds_for_the_named_data_only() {
        let fault = Fault {
            missing: false,
            different: false,
            equals: vec![ValueData::dword(0)],
            companion: None,
        };
        assert!(holds(&fault, Some(0), None));
        assert!(!holds(&fault, Some(2), None));
        assert!(!holds(&fault, None, None));
    }

    #[test]
    fn a_companion_must_hold_as_well() {
        let fault = Fault {
            missing: true,
            different: true,
            equals: vec![],
            companion: Some(Companion {
                value: "Other".to_owned(),
                equals: vec![ValueData::dword(1)],
            }),
        };
        assert!(holds(&fault, None, Some(1)));
        assert!(holds(&fault, Some(0), Some(1)));
        assert!(!holds(&fault, Some(1), Some(1)));
        assert!(!holds(&fault, Some(0), Some(0)));
        assert!(!holds(&fault, Some(0), None));
    }
}
