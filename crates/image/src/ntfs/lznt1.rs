//! LZNT1, the compression of NTFS ([MS-XCA] 2.5).
//!
//! Compressed data consist of chunks, each with a header of two bytes: its length, and whether it
//! is compressed or plain. Each chunk expands to up to 4096 bytes. A compressed chunk consists of
//! groups of eight items after a byte that says which of them are bytes, and which are references
//! to earlier bytes of this chunk.

/// The maximum number of bytes of an expanded chunk.
const CHUNK: usize = 4096;
/// The length of the header of a chunk.
const HEADER: usize = 2;
/// Header bits: the length of the following bytes minus one.
const LEN: u16 = 0x0FFF;
/// Header bits with a fixed value.
const SIGNATURE: u16 = 0x3000;
const SIGNATURE_MASK: u16 = 0x7000;
/// Header bit: the chunk is compressed.
const COMPRESSED: u16 = 0x8000;
/// The minimum number of bytes of a reference.
const MIN_LEN: usize = 3;

/// The reason why data are not validly compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lznt1Error {
    #[error("a chunk without the signature")]
    Signature,
    #[error("a chunk that is cut off")]
    Short,
    #[error("a chunk of more than 4096 bytes, or more chunks than there is room for")]
    Long,
    #[error("a reference to before the chunk")]
    Reference,
}

/// Decompresses `data` into `out`. All of `out` is written: bytes that no chunk describes are zero.
///
/// # Errors
/// Data that are not validly compressed, or expand to more than `out`; the content of `out` is then
/// undefined.
pub(crate) fn decompress(data: &[u8], out: &mut [u8]) -> Result<(), Lznt1Error> {
    let mut rest = data;
    let mut chunks = out.chunks_mut(CHUNK);
    loop {
        // The data end if no further header fits, or at a header of zero.
        let (header, after) = match rest.split_first_chunk::<HEADER>() {
            Some((header, after)) => (u16::from_le_bytes(*header), after),
            None => (0, rest),
        };
        if header == 0 {
            break;
        }
        if header & SIGNATURE_MASK != SIGNATURE {
            return Err(Lznt1Error::Signature);
        }
        let len = usize::from(header & LEN).saturating_add(1);
        let (chunk, after) = after.split_at_checked(len).ok_or(Lznt1Error::Short)?;
        let out = chunks.next().ok_or(Lznt1Error::Long)?;
        let written = match header & COMPRESSED {
            0 => {
                let place = out.get_mut(..len).ok_or(Lznt1Error::Long)?;
                place.copy_from_slice(chunk);
                len
            }
            _ => expand(chunk, out)?,
        };
        if let Some(unwritten) = out.get_mut(written..) {
            unwritten.fill(0);
        }
        rest = after;
    }
    chunks.for_each(|chunk| chunk.fill(0));
    Ok(())
}

/// Expands a chunk, and returns the number of its bytes.
fn expand(chunk: &[u8], out: &mut [u8]) -> Result<usize, Lznt1Error> {
    let mut rest = chunk;
    let mut at = 0_usize;
    while let Some((flags, after)) = rest.split_first() {
        rest = after;
        for bit in 0..8 {
            if rest.is_empty() {
                break;
            }
            if flags & 1 << bit == 0 {
                let (byte, after) = rest.split_first().ok_or(Lznt1Error::Short)?;
                *out.get_mut(at).ok_or(Lznt1Error::Long)? = *byte;
                at = at.saturating_add(1);
                rest = after;
                continue;
            }
            let (token, after) = rest.split_first_chunk().ok_or(Lznt1Error::Short)?;
            let (distance, len) = reference(u16::from_le_bytes(*token), at);
            let from = at.checked_sub(distance).ok_or(Lznt1Error::Reference)?;
            let end = at.checked_add(len).filter(|end| *end <= out.len());
            end.ok_or(Lznt1Error::Long)?;
            // Byte by byte, because a reference may include bytes that it writes itself.
            for step in 0..len {
                let byte = out.get(from.saturating_add(step)).copied();
                let place = out.get_mut(at.saturating_add(step));
                *place.ok_or(Lznt1Error::Long)? = byte.ok_or(Lznt1Error::Reference)?;
            }
            at = at.saturating_add(len);
            rest = after;
        }
    }
    Ok(at)
}

/// The distance and the length in a reference at `at` of its chunk. The later it is in the chunk,
/// the more of its bits belong to the distance: at least 4, and as many as are needed to reach the
/// start of the chunk.
fn reference(token: u16, at: usize) -> (usize, usize) {
    let last = at.saturating_sub(1);
    let bits = (usize::BITS.saturating_sub(last.leading_zeros())).clamp(4, 12);
    let len_bits = 16_u32.saturating_sub(bits);
    let mask = (1_u16 << len_bits).wrapping_sub(1);
    let distance = usize::from(token >> len_bits).saturating_add(1);
    (distance, usize::from(token & mask).saturating_add(MIN_LEN))
}

#[cfg(test)]
mod tests;
