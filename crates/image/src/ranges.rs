//! Sets of byte ranges.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges of offsets that neither touch nor overlap.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    pub(crate) fn insert(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.ends.range(..=end).next_back() {
            if to < start {
                break;
            }
            start = start.min(from);
            end = end.max(to);
            self.ends.remove(&from);
        }
        self.ends.insert(start, end);
    }

    /// The number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of offsets.
    pub(crate) fn total(&self) -> u64 {
        let lengths = self
            .ends
            .iter()
            .map(|(start, end)| end.saturating_sub(*start));
        lengths.fold(0, u64::saturating_add)
    }

    /// True if the set holds an offset of a range.
    pub(crate) fn meets(&self, range: Range<u64>) -> bool {
        let before = self.ends.range(..range.end).next_back();
        range.start < range.end && before.is_some_and(|(_, end)| *end > range.start)
    }

    /// The parts of a range that the set doesn't hold.
    pub(crate) fn missing(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut at = range.start;
        let before = self.ends.range(..at).next_back();
        let inside = self.ends.range(at..range.end);
        for (&from, &to) in before.into_iter().chain(inside) {
            if from > at {
                missing.push(at..from);
            }
            at = at.max(to);
        }
        if at < range.end {
            missing.push(at..range.end);
        }
        missing
    }

    /// The parts of this set that the other set doesn't hold, in ascending order.
    pub(crate) fn outside(&self, other: &Self) -> impl Iterator<Item = Range<u64>> {
        let ranges = self.ends.iter();
        ranges.flat_map(|(&start, &end)| other.missing(start..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_merged() {
        let mut set = Ranges::default();
        set.insert(10..20);
        set.insert(30..40);
        set.insert(50..50);
        assert_eq!(set.missing(0..50), [0..10, 20..30, 40..50]);
        assert!(set.meets(0..11) && set.meets(19..25) && set.meets(12..13) && set.meets(0..99));
        assert!(
            !set.meets(0..10) && !set.meets(20..30) && !set.meets(40..99) && !set.meets(15..15)
        );
        assert_eq!((set.len(), set.total()), (2, 20));
        assert_eq!(set.missing(15..65), [20..30, 40..65]);
        assert!(set.missing(12..18).is_empty());
        set.insert(20..30);
        assert_eq!(set.ends, BTreeMap::from([(10, 40)]));
        set.insert(5..60);
        assert_eq!(set.ends, BTreeMap::from([(5, 60)]));
        let mut other = Ranges::default();
        other.insert(0..30);
        assert_eq!(set.outside(&other).next(), Some(30..60));
        assert_eq!(set.outside(&other).count(), 1);
        assert_eq!(Ranges::default().outside(&other).next(), None);
        other.insert(25..99);
        assert_eq!(set.outside(&other).next(), None);
    }
}
