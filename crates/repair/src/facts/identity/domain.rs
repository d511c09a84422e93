//! The domain or workgroup, from the policy of the local security authority in SECURITY.

use diskmend_acl::Sid;
use diskmend_base::utf16;
use diskmend_disk::{Access, Kind};
use serde::Serialize;

use super::reader::{Reader, Unread, bounded};
use crate::error::{Error, chain};
use crate::hive_on_disk;
use crate::place::HiveId;
use crate::site::Site;

/// The greatest length of a SECURITY hive that is read. Real ones have less than 1 MiB.
const MOST_BYTES: u64 = 16 << 20;
/// The length of `Length`, `MaximumLength` and `Offset` before the text of a name.
const HEADER_LEN: usize = 8;

/// What a computer belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// A domain, by its DNS name, or its NetBIOS name if it has no other.
    Domain(String),
    /// A workgroup.
    Workgroup(String),
}

type Read = (Option<Membership>, Option<Unread>);

/// Reads the membership; nothing without a SECURITY hive.
///
/// # Errors
/// The reason why the hive can't be opened.
pub(super) fn of_site(site: &Site) -> Result<Read, String> {
    match open(site) {
        Ok(opened) => {
            let mut security = Reader::of(&opened);
            let membership = membership(&mut security);
            Ok((membership, security.unread("SECURITY")))
        }
        Err(Error::NoHive { .. }) => Ok((None, None)),
        Err(error) => Err(chain(&error)),
    }
}

fn open(site: &Site) -> Result<hive_on_disk::HiveOnDisk, Error> {
    let place = hive_on_disk::find_file(site.root.as_ref(), HiveId::File("SECURITY".to_owned()))?;
    let found = &place.place;
    if found.kind() == Kind::File {
        let io = || Error::io(&found.path, "open the hive");
        let file = found.dir.open(&found.name, Access::Read).map_err(io())?;
        let length = file.len().map_err(io())?;
        if length > MOST_BYTES {
            let text = format!("{length} bytes, at most {MOST_BYTES} expected");
            return Err(io()(std::io::Error::other(text)));
        }
    }
    hive_on_disk::open(place, Access::Read)
}

fn membership(security: &mut Reader<'_>) -> Option<Membership> {
    // A computer that isn't in a domain has no SID here, and its workgroup for a name.
    let sid = security.bytes(r"Policy\PolPrDmS", "");
    let in_domain = sid.is_some_and(|sid| Sid::from_bytes(&sid).is_ok());
    let mut name = |key| security.bytes(key, "").as_deref().and_then(unicode_string);
    let short = name(r"Policy\PolPrDmN");
    if in_domain {
        name(r"Policy\PolDnDDN").or(short).map(Membership::Domain)
    } else {
        short.map(Membership::Workgroup)
    }
}

/// The text of a self-relative `UNICODE_STRING`: its length in bytes, its capacity, its offset.
fn unicode_string(data: &[u8]) -> Option<String> {
    let (header, _) = data.split_first_chunk::<HEADER_LEN>()?;
    let [l0, l1, _, _, offset @ ..] = header;
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    let offset = usize::try_from(u32::from_le_bytes(*offset)).ok()?;
    if offset < HEADER_LEN {
        return None;
    }
    let end = offset.checked_add(length)?;
    bounded(utf16::decode_to_nul(data.get(offset..end)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_only_within_its_data() {
        let string = |length: u16, offset: u32, text: &str| {
            let mut data = length.to_le_bytes().to_vec();
            data.extend(length.to_le_bytes());
            data.extend(offset.to_le_bytes());
            data.extend(utf16::encode(text));
            data
        };
        let good = string(8, 8, "CORP");
        assert_eq!(unicode_string(&good).as_deref(), Some("CORP"));
        for wrong in [
            string(10, 8, "CORP"),
            string(8, 10, "CORP"),
            string(8, 0, "CORP"),
            string(7, 8, "CORP"),
            string(8, u32::MAX, "CORP"),
            string(0, 8, ""),
            Vec::new(),
        ] {
            assert_eq!(unicode_string(&wrong), None, "{wrong:?}");
        }
    }
}
