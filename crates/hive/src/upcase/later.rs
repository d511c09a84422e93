//! Letters whose upper case depends on the Windows version.

/// Lowest code unit in [`CHANGED`].
const FIRST: u16 = 0x0180;

/// Code units whose upper case differs between Windows NT 5 and Windows 8 (first, last, stride),
/// in ascending order of the first.
const CHANGED: [(u16, u16, u16); 62] = [
    (0x0180, 0x0180, 1),
    (0x0195, 0x0195, 1),
    (0x019A, 0x019A, 1),
    (0x019E, 0x019E, 1),
    (0x01BF, 0x01BF, 1),
    (0x01F9, 0x01F9, 1),
    (0x0219, 0x021F, 2),
    (0x0223, 0x0233, 2),
    (0x023C, 0x023C, 1),
    (0x0242, 0x0242, 1),
    (0x0247, 0x0251, 2),
    (0x0250, 0x0250, 1),
    (0x026B, 0x026B, 1),
    (0x0271, 0x0271, 1),
    (0x027D, 0x027D, 1),
    (0x0280, 0x0280, 1),
    (0x0289, 0x0289, 1),
    (0x028C, 0x028C, 1),
    (0x0371, 0x0373, 2),
    (0x0377, 0x0377, 1),
    (0x037B, 0x037D, 1),
    (0x03C2, 0x03C2, 1),
    (0x03D7, 0x03E1, 2),
    (0x03F2, 0x03F2, 1),
    (0x03F8, 0x03F8, 1),
    (0x03FB, 0x03FB, 1),
    (0x0450, 0x0450, 1),
    (0x045D, 0x045D, 1),
    (0x048B, 0x048F, 2),
    (0x04C6, 0x04C6, 1),
    (0x04CA, 0x04CA, 1),
    (0x04CE, 0x04CF, 1),
    (0x04ED, 0x04ED, 1),
    (0x04F7, 0x04F7, 1),
    (0x04FB, 0x0523, 2),
    (0x1D79, 0x1D79, 1),
    (0x1D7D, 0x1D7D, 1),
    (0x1EFB, 0x1EFF, 2),
    (0x1F80, 0x1F87, 1),
    (0x1F90, 0x1F97, 1),
    (0x1FA0, 0x1FA7, 1),
    (0x1FB3, 0x1FB3, 1),
    (0x1FC3, 0x1FC3, 1),
    (0x1FF3, 0x1FF3, 1),
    (0x214E, 0x214E, 1),
    (0x2184, 0x2184, 1),
    (0x2C30, 0x2C5E, 1),
    (0x2C61, 0x2C61, 1),
    (0x2C65, 0x2C66, 1),
    (0x2C68, 0x2C6C, 2),
    (0x2C73, 0x2C73, 1),
    (0x2C76, 0x2C76, 1),
    (0x2C81, 0x2CE3, 2),
    (0x2D00, 0x2D25, 1),
    (0xA641, 0xA65F, 2),
    (0xA663, 0xA66D, 2),
    (0xA681, 0xA697, 2),
    (0xA723, 0xA72F, 2),
    (0xA733, 0xA76F, 2),
    (0xA77A, 0xA77C, 2),
    (0xA77F, 0xA787, 2),
    (0xA78C, 0xA78C, 1),
];

/// Whether Windows 8 and later have another upper case for this code unit than Windows NT 5.
pub(crate) fn changed_since_nt5(unit: u16) -> bool {
    unit >= FIRST
        && CHANGED
            .iter()
            .take_while(|(first, ..)| *first <= unit)
            .any(|(first, last, stride)| {
                unit <= *last && unit.abs_diff(*first).is_multiple_of(*stride)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_changed_unit_once() {
        let units: usize = CHANGED
            .iter()
            .map(|(first, last, stride)| usize::from((last - first) / stride) + 1)
            .sum();
        assert_eq!(units, 339);
        assert_eq!(
            (0..=u16::MAX)
                .filter(|unit| changed_since_nt5(*unit))
                .count(),
            339
        );
        assert!(CHANGED.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(CHANGED[0].0, FIRST);
    }

    #[test]
    fn final_sigma_and_romanian_letters_changed() {
        for unit in [0x3C2, 0x219, 0x21B, 0x450] {
            assert!(changed_since_nt5(unit), "{unit:#06x}");
        }
        for unit in [0x61, 0xE9, 0x163, 0x3C3, 0x436, 0x218, 0xD800] {
            assert!(!changed_since_nt5(unit), "{unit:#06x}");
        }
    }
}
