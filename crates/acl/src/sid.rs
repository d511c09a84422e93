//! Security identifiers (MS-DTYP 2.4.2).

mod binary;
mod domain;
mod hashed;
mod names;
mod text;
mod well_known;

pub use domain::{Domains, RelativeAlias};
pub use text::SidTextError;

use crate::format::MAX_SUB_AUTHORITIES;

/// A security identifier of revision 1, the only one there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// 48 bits, big-endian as on disk.
    authority: [u8; 6],
    count: u8,
    /// Zero from `count` on, so that equality and hashing consider only the used ones.
    sub_authorities: [u32; MAX_SUB_AUTHORITIES],
}

impl Sid {
    /// Everyone, S-1-1-0.
    pub const EVERYONE: Self = Self::one(1, 0);
    /// LOCAL, S-1-2-0.
    pub(crate) const LOCAL: Self = Self::one(2, 0);
    /// CREATOR OWNER, S-1-3-0.
    pub(crate) const CREATOR_OWNER: Self = Self::one(3, 0);
    /// CREATOR GROUP, S-1-3-1.
    pub(crate) const CREATOR_GROUP: Self = Self::one(3, 1);
    /// OWNER RIGHTS, S-1-3-4.
    pub const OWNER_RIGHTS: Self = Self::one(3, 4);
    /// NT AUTHORITY\SERVICE, S-1-5-6.
    pub(crate) const SERVICE: Self = Self::one(5, 6);
    /// NT AUTHORITY\Authenticated Users, S-1-5-11.
    pub(crate) const AUTHENTICATED_USERS: Self = Self::one(5, 11);
    /// NT AUTHORITY\SYSTEM, S-1-5-18.
    pub const SYSTEM: Self = Self::one(5, 18);
    /// NT AUTHORITY\LOCAL SERVICE, S-1-5-19.
    pub(crate) const LOCAL_SERVICE: Self = Self::one(5, 19);
    /// NT AUTHORITY\NETWORK SERVICE, S-1-5-20.
    pub const NETWORK_SERVICE: Self = Self::one(5, 20);
    /// BUILTIN\Administrators, S-1-5-32-544.
    pub const ADMINISTRATORS: Self = Self::two(5, 32, 544);
    /// BUILTIN\Users, S-1-5-32-545.
    pub const USERS: Self = Self::two(5, 32, 545);

    /// The SID with these sub-authorities; `None` for an authority of more than 48 bits or more
    /// than 15 sub-authorities.
    #[must_use]
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Option<Self> {
        let [0, 0, authority @ ..] = authority.to_be_bytes() else {
            return None;
        };
        let mut all = [0; MAX_SUB_AUTHORITIES];
        all.get_mut(..sub_authorities.len())?
            .copy_from_slice(sub_authorities);
        Some(Self {
            authority,
            count: u8::try_from(sub_authorities.len()).ok()?,
            sub_authorities: all,
        })
    }

    pub(crate) const fn one(authority: u8, sub: u32) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, authority],
            count: 1,
            sub_authorities: [sub, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    pub(crate) const fn two(authority: u8, first: u32, second: u32) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, authority],
            count: 2,
            sub_authorities: [first, second, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// A SID of authority 5 that ends in the five words of a hash.
    pub(crate) const fn hashed(first: u32, [a, b, c, d, e]: [u32; 5]) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, 5],
            count: 6,
            sub_authorities: [first, a, b, c, d, e, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// The identifier authority, a number of 48 bits.
    #[must_use]
    pub const fn authority(&self) -> u64 {
        let [a, b, c, d, e, f] = self.authority;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The sub-authorities, the relative identifier last; at most 15.
    #[must_use]
    pub fn sub_authorities(&self) -> &[u32] {
        // The count is never above 15, because no SID is made with more.
        self.sub_authorities.split_at(usize::from(self.count)).0
    }

    /// The SID with one more sub-authority; `None` if there are 15 already.
    #[must_use]
    pub(crate) fn with_relative(&self, relative: u32) -> Option<Self> {
        let mut longer = *self;
        *longer.sub_authorities.get_mut(usize::from(self.count))? = relative;
        longer.count = self.count.checked_add(1)?;
        Some(longer)
    }
}
