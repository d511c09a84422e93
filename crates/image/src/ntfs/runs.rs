//! Mapping pairs: the clusters of the volume that contain a value (Linux-NTFS, Data runs).
//!
//! Each pair starts with a header byte. Its low half is the number of bytes of the length, and its
//! high half the number of bytes of the distance from the last run's first cluster. Both numbers
//! follow, signed and little-endian. A run without a distance is sparse; a header of zero ends the
//! list.

use super::place::Lcn;

/// Clusters of a value that are consecutive on the volume too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// First cluster, counted from the start of the value.
    pub(crate) vcn: u64,
    /// First cluster on the volume; `None` if the run is sparse and reads as zeros.
    pub(crate) lcn: Option<Lcn>,
    /// The number of clusters; never zero.
    pub(crate) len: u64,
}

impl Run {
    /// The cluster of the value that follows the run.
    pub(crate) fn end(&self) -> u64 {
        self.vcn.saturating_add(self.len)
    }
}

/// The reason why mapping pairs are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RunError {
    #[error("no end within the attribute")]
    Unended,
    #[error("a number that has no or too many bytes")]
    Width,
    #[error("a run of no or too many clusters")]
    Length,
    #[error("a run outside the volume")]
    Outside,
}

/// Parses mapping pairs that begin with the cluster `vcn` of the value, on a volume of `clusters`.
///
/// The number of runs is bounded by the length of `pairs`.
///
/// # Errors
/// Pairs that do not end, overflow or lead outside the volume.
pub(crate) fn decode(pairs: &[u8], vcn: u64, clusters: u64) -> Result<Vec<Run>, RunError> {
    let mut runs = Vec::new();
    each(pairs, vcn, clusters, |run| runs.push(run))?;
    Ok(runs)
}

/// Shows the runs of mapping pairs, as [`decode`] parses them, up to the first invalid one.
///
/// # Errors
/// Those of [`decode`].
pub(crate) fn each(
    pairs: &[u8],
    vcn: u64,
    clusters: u64,
    mut show: impl FnMut(Run),
) -> Result<(), RunError> {
    let mut rest = pairs;
    let mut vcn = vcn;
    let mut last = 0_i64;
    loop {
        let (&header, after) = rest.split_first().ok_or(RunError::Unended)?;
        if header == 0 {
            return Ok(());
        }
        let (len, after) = number(after, header & 0x0F)?;
        let len = u64::try_from(len.ok_or(RunError::Width)?).map_err(|_| RunError::Length)?;
        let (distance, after) = number(after, header >> 4)?;
        let end = vcn.checked_add(len).ok_or(RunError::Length)?;
        // Clusters are counted in 63 bits, and a value is at most 2^63 bytes long.
        if len == 0 || end > i64::MAX.unsigned_abs() {
            return Err(RunError::Length);
        }
        let lcn = match distance {
            None => None,
            Some(distance) => {
                last = last.checked_add(distance).ok_or(RunError::Outside)?;
                let first = u64::try_from(last).map_err(|_| RunError::Outside)?;
                if first.checked_add(len).is_none_or(|end| end > clusters) {
                    return Err(RunError::Outside);
                }
                Some(Lcn(first))
            }
        };
        show(Run { vcn, lcn, len });
        vcn = end;
        rest = after;
    }
}

/// A signed number of `width` bytes at the start of `data`, and the bytes after it; `None` if the
/// width is zero.
fn number(data: &[u8], width: u8) -> Result<(Option<i64>, &[u8]), RunError> {
    let width = usize::from(width);
    if width > size_of::<i64>() {
        return Err(RunError::Width);
    }
    let (number, rest) = data.split_at_checked(width).ok_or(RunError::Unended)?;
    let Some(&highest) = number.last() else {
        return Ok((None, rest));
    };
    let sign = if highest & 0x80 == 0 { 0 } else { 0xFF };
    let mut all = [sign; size_of::<i64>()];
    for (to, from) in all.iter_mut().zip(number) {
        *to = *from;
    }
    Ok((Some(i64::from_le_bytes(all)), rest))
}

/// Encodes mapping pairs, with the zero that ends them.
///
/// # Errors
/// A run of more clusters, or further from the last one, than the format can express.
pub(crate) fn encode(runs: &[Run]) -> Result<Vec<u8>, RunError> {
    let mut pairs = Vec::new();
    let mut last = 0_i64;
    for run in runs {
        let len = i64::try_from(run.len).map_err(|_| RunError::Length)?;
        let (len, len_width) = shortest(len);
        let mut header = len_width;
        let mut place = None;
        if let Some(Lcn(lcn)) = run.lcn {
            let lcn = i64::try_from(lcn).map_err(|_| RunError::Outside)?;
            let distance = lcn.checked_sub(last).ok_or(RunError::Outside)?;
            let (distance, width) = shortest(distance);
            header |= width << 4;
            place = Some((distance, width));
            last = lcn;
        }
        pairs.push(header);
        pairs.extend(len.iter().take(usize::from(len_width)));
        if let Some((distance, width)) = place {
            pairs.extend(distance.iter().take(usize::from(width)));
        }
    }
    pairs.push(0);
    Ok(pairs)
}

/// The bytes of a number, and the minimum number of bytes that includes its sign.
fn shortest(number: i64) -> ([u8; 8], u8) {
    let width = (1..8_u8)
        .find(|width| {
            let unused = 64_u32.saturating_sub(u32::from(*width).saturating_mul(8));
            (number << unused) >> unused == number
        })
        .unwrap_or(8);
    (number.to_le_bytes(), width)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(vcn: u64, lcn: Option<u64>, len: u64) -> Run {
        Run {
            vcn,
            lcn: lcn.map(Lcn),
            len,
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_read_and_written() {
        // The examples "fragmented" and "sparse" of Linux-NTFS, Data runs.
        let pairs = [
            0x11, 0x30, 0x60, 0x21, 0x10, 0x00, 0x01, 0x11, 0x20, 0xE0, 0x01, 0x30, 0x00,
        ];
        let runs = vec![
            run(0, Some(0x60), 0x30),
            run(0x30, Some(0x160), 0x10),
            run(0x40, Some(0x140), 0x20),
            run(0x60, None, 0x30),
        ];
        assert_eq!(decode(&pairs, 0, 0x200).expect("sound"), runs);
        assert_eq!(encode(&runs).expect("fits"), pairs);
    }

    #[test]
    fn a_run_may_be_at_the_first_cluster() {
        let runs = [run(5, Some(0), 2)];
        let pairs = encode(&runs).expect("fits");
        assert_eq!(pairs, [0x11, 2, 0, 0]);
        assert_eq!(decode(&pairs, 5, 2).expect("sound"), runs);
    }

    #[test]
    fn a_length_whose_highest_bit_is_set_takes_one_byte_more() {
        let runs = [run(0, Some(200), 200)];
        let pairs = encode(&runs).expect("fits");
        assert_eq!(pairs, [0x22, 200, 0, 200, 0, 0]);
        assert_eq!(decode(&pairs, 0, 400).expect("sound"), runs);
    }

    #[test]
    fn hostile_pairs_are_refused() {
        let cases: [(&[u8], RunError); 13] = [
            (&[], RunError::Unended),
            (&[0x11, 1, 1], RunError::Unended),
            (&[0x11, 1], RunError::Unended),
            (&[0x21, 1, 1], RunError::Unended),
            (&[0x10, 1, 0], RunError::Width),
            (&[0x19, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], RunError::Width),
            (&[0x91, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], RunError::Width),
            (&[0x11, 0, 1, 0], RunError::Length),
            (&[0x11, 0xFF, 1, 0], RunError::Length),
            (
                &[
                    0x01, 1, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0,
                ],
                RunError::Length,
            ),
            (&[0x11, 1, 0xFF, 0], RunError::Outside),
            (&[0x11, 60, 50, 0], RunError::Outside),
            (
                &[0x81, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0],
                RunError::Outside,
            ),
        ];
        for (pairs, error) in cases {
            assert_eq!(decode(pairs, 0, 100), Err(error), "{pairs:x?}");
        }
    }

    proptest! {
        #[test]
        fn written_runs_are_read_again(
            parts in prop::collection::vec((prop::option::of(0_u64..1 << 50), 1_u64..1 << 40), 0..40)
        ) {
            let mut vcn = 0;
            let mut runs = Vec::new();
            for (lcn, len) in parts {
                runs.push(run(vcn, lcn, len));
                vcn += len;
            }
            let pairs = encode(&runs).expect("fits");
            prop_assert_eq!(decode(&pairs, 0, 1 << 52).expect("sound"), runs);
        }

        #[test]
        fn any_bytes_give_runs_inside_the_volume_or_an_error(
            pairs in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            if let Ok(runs) = decode(&pairs, 0, 1000) {
                for run in runs {
                    prop_assert!(run.len > 0);
                    if let Some(lcn) = run.lcn {
                        prop_assert!(lcn.0 + run.len <= 1000);
                    }
                }
            }
        }
    }
}
