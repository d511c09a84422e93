//! Clusters as a set.

use super::place::Extent;

/// Clusters in order; adjacent ones are joined.
#[derive(Debug)]
pub(crate) struct Extents(Vec<Extent>);

impl Extents {
    /// The set of these clusters, which may overlap.
    pub(crate) fn of(extents: impl Iterator<Item = Extent>) -> Self {
        let mut extents: Vec<Extent> = extents.collect();
        extents.sort_unstable_by_key(|extent| extent.start);
        extents.dedup_by(|next, last| {
            let is_near = next.start.0 <= last.end();
            if is_near {
                last.len = next.end().max(last.end()).saturating_sub(last.start.0);
            }
            is_near
        });
        Self(extents)
    }

    /// All clusters.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Extent> {
        self.0.iter().copied()
    }

    /// True if the set contains all of these clusters.
    pub(crate) fn contain(&self, other: &Extent) -> bool {
        let first = self.0.partition_point(|own| own.end() <= other.start.0);
        let first = self.0.get(first);
        first.is_some_and(|own| own.start <= other.start && other.end() <= own.end())
    }

    /// True if the set contains one of these clusters.
    pub(crate) fn overlap(&self, other: &Extent) -> bool {
        let first = self.0.partition_point(|own| own.end() <= other.start.0);
        self.0.get(first).is_some_and(|own| own.overlaps(other))
    }
}

/// Sorts extents by their starts, and returns the first that overlaps the one before it.
pub(crate) fn first_overlap(extents: &mut [Extent]) -> Option<Extent> {
    extents.sort_by_key(|extent| extent.start);
    let mut pairs = extents.iter().zip(extents.iter().skip(1));
    pairs.find_map(|(first, second)| first.overlaps(second).then_some(*second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ntfs::place::Lcn;

    fn extent(start: u64, len: u64) -> Extent {
        let start = Lcn(start);
        Extent { start, len }
    }

    #[test]
    fn overlaps_are_those_of_any_of_them() {
        let all = [(40, 10), (10, 30), (12, 2), (70, 1), (u64::MAX, 9)];
        let all = all.map(|(start, len)| extent(start, len));
        let set = Extents::of(all.into_iter());
        for start in 0..80 {
            for len in 1..20 {
                let other = extent(start, len);
                let expected = all.iter().any(|own| own.overlaps(&other));
                assert_eq!(set.overlap(&other), expected, "{other:?}");
                let in_one = |at: u64| all.iter().any(|own| own.overlaps(&extent(at, 1)));
                let expected = (start..start + len).all(in_one);
                assert_eq!(set.contain(&other), expected, "{other:?}");
            }
        }
    }

    #[test]
    fn the_first_of_two_that_overlap_is_found_in_any_order() {
        let mut apart = [extent(30, 5), extent(10, 10), extent(20, 10)];
        assert_eq!(first_overlap(&mut apart), None);
        let mut twice = [extent(30, 5), extent(10, 11), extent(20, 10), extent(34, 1)];
        assert_eq!(first_overlap(&mut twice), Some(extent(20, 10)));
        assert_eq!(first_overlap(&mut []), None);
    }

    #[test]
    fn many_are_compared_with_many() {
        let many = |first| (0..1_u64 << 20).map(move |index| extent(first + index * 4, 2));
        let set = Extents::of(many(0));
        assert!(many(2).all(|other| !set.overlap(&other)));
        assert!(many(1).all(|other| set.overlap(&other)));
    }
}
