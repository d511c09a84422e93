//! The SIDs of the machine and domain of a disk's Windows, from its own hives.

use diskmend_acl::{Domains, Sid};
use diskmend_disk::Access;
use diskmend_hive::Hive;

use crate::error::{Error, chain};
use crate::hive_on_disk;
use crate::place::HiveId;
use crate::reading;
use crate::site::Site;

/// The number of sub-authorities in the SID of a machine or a domain: 21 and three numbers.
const SUB_AUTHORITIES: usize = 4;

/// The target's accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The SIDs that are known.
    pub domains: Domains,
    /// The reasons why other SIDs aren't known, for display.
    pub problems: Vec<String>,
}

pub(crate) fn of_site(site: &Site) -> Accounts {
    let mut accounts = Accounts::default();
    let mut read = |name: &str, sid: fn(&Hive) -> Result<[Option<Sid>; 2], Error>| {
        let opened = hive_on_disk::find_file(site.root.as_ref(), HiveId::File(name.to_owned()))
            .and_then(|place| hive_on_disk::open(place, Access::Read));
        match opened.and_then(|opened| sid(&opened.hive)) {
            Ok(sids) => sids,
            Err(error) => {
                accounts.problems.push(chain(&error));
                [None; 2]
            }
        }
    };
    let [machine, _] = read("SAM", of_sam);
    let [policy, domain] = read("SECURITY", of_security);
    accounts.domains = Domains {
        machine: machine.or(policy),
        domain,
        root: None,
    };
    accounts
}

/// The machine's SID. Its three numbers are the last twelve bytes of the account domain's value
/// `V`.
fn of_sam(hive: &Hive) -> Result<[Option<Sid>; 2], Error> {
    let found = reading::value(hive, r"SAM\Domains\Account", "V").map_err(Error::corrupt("SAM"))?;
    let numbers = found
        .as_ref()
        .and_then(|data| data.bytes.last_chunk::<12>());
    Ok([numbers.and_then(of_numbers), None])
}

fn of_numbers(bytes: &[u8; 12]) -> Option<Sid> {
    let (numbers, _) = bytes.as_chunks::<4>();
    let numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
    let all: Vec<u32> = std::iter::once(21).chain(numbers).collect();
    Sid::new(5, &all).filter(is_domain)
}

/// The SIDs of the machine's accounts and of its domain, from the policy of the local security
/// authority.
fn of_security(hive: &Hive) -> Result<[Option<Sid>; 2], Error> {
    let mut sids = [None; 2];
    for (sid, name) in sids.iter_mut().zip(["PolAcDmS", "PolPrDmS"]) {
        let key = format!(r"Policy\{name}");
        let found = reading::value(hive, &key, "").map_err(Error::corrupt("SECURITY"))?;
        // A machine that isn't in a domain has no SID there.
        *sid = found
            .and_then(|data| Sid::from_bytes(&data.bytes).ok())
            .filter(is_domain);
    }
    Ok(sids)
}

/// True for the SID of a machine or a domain, to which an account's number can be appended.
fn is_domain(sid: &Sid) -> bool {
    let numbers = sid.sub_authorities();
    sid.authority() == 5
        && numbers.len() == SUB_AUTHORITIES
        && numbers.first() == Some(&21)
        && numbers.iter().skip(1).any(|number| *number != 0)
}
