//! The table of Windows 8 and later, as its difference from that of Windows NT 5.

use super::{Run, run, upcase};

/// Code units with another upper case than in Windows NT 5, in ascending order of the first.
const CHANGED: [Run; 66] = [
    run(0x0180, 0x0180, 1, 195),
    run(0x0195, 0x0195, 1, 97),
    run(0x019A, 0x019A, 1, 163),
    run(0x019E, 0x019E, 1, 130),
    run(0x01BF, 0x01BF, 1, 56),
    run(0x01F9, 0x01F9, 1, -1),
    run(0x0219, 0x021F, 2, -1),
    run(0x0223, 0x0233, 2, -1),
    run(0x023C, 0x023C, 1, -1),
    run(0x0242, 0x0242, 1, -1),
    run(0x0247, 0x024F, 2, -1),
    run(0x0250, 0x0250, 1, 10783),
    run(0x0251, 0x0251, 1, 10780),
    run(0x026B, 0x026B, 1, 10743),
    run(0x0271, 0x0271, 1, 10749),
    run(0x027D, 0x027D, 1, 10727),
    run(0x0280, 0x0280, 1, -218),
    run(0x0289, 0x0289, 1, -69),
    run(0x028C, 0x028C, 1, -71),
    run(0x0371, 0x0373, 2, -1),
    run(0x0377, 0x0377, 1, -1),
    run(0x037B, 0x037D, 1, 130),
    run(0x03C2, 0x03C2, 1, 0),
    run(0x03D7, 0x03D7, 1, -8),
    run(0x03D9, 0x03E1, 2, -1),
    run(0x03F2, 0x03F2, 1, 7),
    run(0x03F8, 0x03F8, 1, -1),
    run(0x03FB, 0x03FB, 1, -1),
    run(0x0450, 0x0450, 1, -80),
    run(0x045D, 0x045D, 1, -80),
    run(0x048B, 0x048F, 2, -1),
    run(0x04C6, 0x04C6, 1, -1),
    run(0x04CA, 0x04CA, 1, -1),
    run(0x04CE, 0x04CE, 1, -1),
    run(0x04CF, 0x04CF, 1, -15),
    run(0x04ED, 0x04ED, 1, -1),
    run(0x04F7, 0x04F7, 1, -1),
    run(0x04FB, 0x0523, 2, -1),
    run(0x1D79, 0x1D79, 1, -30204),
    run(0x1D7D, 0x1D7D, 1, 3814),
    run(0x1EFB, 0x1EFF, 2, -1),
    run(0x1F80, 0x1F87, 1, 8),
    run(0x1F90, 0x1F97, 1, 8),
    run(0x1FA0, 0x1FA7, 1, 8),
    run(0x1FB3, 0x1FB3, 1, 9),
    run(0x1FC3, 0x1FC3, 1, 9),
    run(0x1FF3, 0x1FF3, 1, 9),
    run(0x214E, 0x214E, 1, -28),
    run(0x2184, 0x2184, 1, -1),
    run(0x2C30, 0x2C5E, 1, -48),
    run(0x2C61, 0x2C61, 1, -1),
    run(0x2C65, 0x2C65, 1, -10795),
    run(0x2C66, 0x2C66, 1, -10792),
    run(0x2C68, 0x2C6C, 2, -1),
    run(0x2C73, 0x2C73, 1, -1),
    run(0x2C76, 0x2C76, 1, -1),
    run(0x2C81, 0x2CE3, 2, -1),
    run(0x2D00, 0x2D25, 1, -7264),
    run(0xA641, 0xA65F, 2, -1),
    run(0xA663, 0xA66D, 2, -1),
    run(0xA681, 0xA697, 2, -1),
    run(0xA723, 0xA72F, 2, -1),
    run(0xA733, 0xA76F, 2, -1),
    run(0xA77A, 0xA77C, 2, -1),
    run(0xA77F, 0xA787, 2, -1),
    run(0xA78C, 0xA78C, 1, -1),
];

/// The run that holds a code unit.
fn run_of(unit: u16) -> Option<&'static Run> {
    // Runs with a stride of 2 may overlap others.
    CHANGED
        .iter()
        .take_while(|run| run.first <= unit)
        .find(|run| unit <= run.last && (unit - run.first).is_multiple_of(run.stride))
}

/// Whether Windows 8 and later have another upper case for this code unit than Windows NT 5.
#[must_use]
pub fn changed_since_nt5(unit: u16) -> bool {
    unit >= FIRST && run_of(unit).is_some()
}

/// Whether the order of a name with this code unit may depend on the Windows version: another
/// letter has, or has not, this one as its upper case.
#[must_use]
pub fn matters_since_nt5(unit: u16) -> bool {
    let is_upper = |run: &Run| {
        let distance = unit.wrapping_sub(run.first.wrapping_add_signed(run.delta));
        distance <= run.last - run.first && distance.is_multiple_of(run.stride)
    };
    unit >= FIRST && (run_of(unit).is_some() || CHANGED.iter().any(is_upper))
}

/// Lowest code unit in [`CHANGED`].
const FIRST: u16 = 0x0180;

/// The upper case of a code unit in Windows 8 and later.
pub(super) fn upcase_later(unit: u16) -> u16 {
    match run_of(unit) {
        Some(run) => unit.wrapping_add_signed(run.delta),
        None => upcase(unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_changed_unit_once() {
        let units: usize = CHANGED
            .iter()
            .map(|run| usize::from((run.last - run.first) / run.stride) + 1)
            .sum();
        assert_eq!(units, 339);
        let changed = (0..=u16::MAX).filter(|unit| changed_since_nt5(*unit));
        assert_eq!(changed.clone().count(), 339);
        for unit in changed {
            assert_ne!(upcase_later(unit), upcase(unit), "{unit:#06x}");
        }
        assert!(CHANGED.is_sorted_by(|a, b| a.first < b.first));
        assert_eq!(CHANGED[0].first, FIRST);
    }

    #[test]
    fn the_upper_cases_of_changed_letters_matter_too() {
        let changed: Vec<u16> = (0..=u16::MAX)
            .filter(|unit| changed_since_nt5(*unit))
            .collect();
        let uppers: Vec<u16> = changed.iter().map(|unit| upcase_later(*unit)).collect();
        for unit in 0..=u16::MAX {
            let expected = changed.contains(&unit) || uppers.contains(&unit);
            assert_eq!(matters_since_nt5(unit), expected, "{unit:#06x}");
        }
    }

    #[test]
    fn final_sigma_and_romanian_letters_changed() {
        for unit in [0x3C2, 0x219, 0x21B, 0x450] {
            assert!(changed_since_nt5(unit), "{unit:#06x}");
        }
        for unit in [0x61, 0xE9, 0x163, 0x3C3, 0x436, 0x218, 0xD800] {
            assert!(!changed_since_nt5(unit), "{unit:#06x}");
        }
        for (unit, upper) in [
            (0x3C2, 0x3C2),
            (0x219, 0x218),
            (0x450, 0x400),
            (0x2D00, 0x10A0),
        ] {
            assert_eq!(upcase_later(unit), upper, "{unit:#06x}");
        }
    }
}
