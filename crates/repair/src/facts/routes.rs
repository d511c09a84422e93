//! Routes that Windows sets at each start (`route -p`), and the networks of its interfaces.
//!
//! Each route is a value of `PersistentRoutes`; its name says everything:
//! `destination,mask,gateway,metric`.

use std::net::Ipv4Addr;

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive};

use crate::reading;

const PARAMETERS: &str = r"Services\Tcpip\Parameters";
/// The values with the addresses of an interface and their masks: those set by hand, and those that
/// DHCP gave last.
const ADDRESSES: [(&str, &str); 2] = [
    ("IPAddress", "SubnetMask"),
    ("DhcpIPAddress", "DhcpSubnetMask"),
];
/// The greatest number of routes and of interfaces of a control set that are looked at.
const MOST: usize = 10_000;
/// The greatest length of a list of addresses, in bytes.
const MOST_BYTES: usize = 16 << 10;

/// A route as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) destination: Ipv4Addr,
    pub(crate) mask: Ipv4Addr,
    pub(crate) gateway: Ipv4Addr,
    /// Absent if any will do.
    pub(crate) metric: Option<i64>,
}

impl Route {
    /// Reads `destination,mask,gateway,metric`; the metric may be missing.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split(',');
        let mut address = || parts.next()?.trim().parse::<Ipv4Addr>().ok();
        let (destination, mask, gateway) = (address()?, address()?, address()?);
        let metric = match parts.next() {
            None => None,
            Some(metric) => Some(metric.trim().parse().ok()?),
        };
        parts.next().is_none().then_some(Self {
            destination,
            mask,
            gateway,
            metric,
        })
    }

    /// True if the other route is this one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.destination, self.mask, self.gateway)
            == (other.destination, other.mask, other.gateway)
            && (self.metric.is_none() || self.metric == other.metric)
    }

    /// True if it is for every address that has no route of its own.
    pub(crate) fn is_default(&self) -> bool {
        self.destination.is_unspecified() && self.mask.is_unspecified()
    }
}

/// A route of a control set.
pub(crate) struct SetRoute {
    /// The name of its value.
    pub(crate) name: String,
    /// The route; absent if the name says none.
    pub(crate) route: Option<Route>,
}

/// The key with the routes of a control set.
pub(crate) fn key(set: &str) -> String {
    format!(r"{set}\{PARAMETERS}\PersistentRoutes")
}

/// The routes of a control set.
///
/// # Errors
/// If the hive is corrupt.
pub(crate) fn of_set(hive: &Hive, set: &str) -> Result<Vec<SetRoute>, Corruption> {
    let Some(key) = hive
        .key(&key(set))?
        .filter(|key| !key.has_predefined_handle())
    else {
        return Ok(Vec::new());
    };
    let mut routes = Vec::new();
    for value in key.values()?.take(MOST) {
        let name = value?.name().escaped().to_string();
        let route = Route::parse(&name);
        routes.push(SetRoute { name, route });
    }
    Ok(routes)
}

/// The networks of the interfaces of a control set, each as an address in it and its mask; absent if
/// one of them can't be read.
pub(crate) struct Networks(Option<Vec<(Ipv4Addr, Ipv4Addr)>>);

impl Networks {
    /// # Errors
    /// If the hive is corrupt.
    pub(crate) fn of_set(hive: &Hive, set: &str) -> Result<Self, Corruption> {
        let interfaces = format!(r"{set}\{PARAMETERS}\Interfaces");
        let mut networks = Vec::new();
        let Some(key) = hive.key(&interfaces)? else {
            return Ok(Self(Some(networks)));
        };
        for (number, interface) in key.subkeys()?.enumerate() {
            let interface = format!(r"{interfaces}\{}", interface?.name().in_path());
            for (addresses, masks) in ADDRESSES {
                let addresses = list(hive, &interface, addresses)?;
                let masks = list(hive, &interface, masks)?;
                match (addresses, masks) {
                    (Some(addresses), Some(masks))
                        if number < MOST && addresses.len() == masks.len() =>
                    {
                        let both = addresses.into_iter().zip(masks);
                        networks.extend(both.filter(|(address, _)| !address.is_unspecified()));
                    }
                    _ => return Ok(Self(None)),
                }
            }
        }
        Ok(Self(Some(networks)))
    }

    /// True if it is known that Windows can't reach the gateway: some interface has an address, and
    /// the gateway is in no interface's network.
    pub(crate) fn lack(&self, gateway: Ipv4Addr) -> bool {
        let is_in = |(address, mask): &(Ipv4Addr, Ipv4Addr)| {
            let [address, mask, gateway] = [*address, *mask, gateway].map(u32::from);
            address & mask == gateway & mask
        };
        // The first stands for the interface itself.
        let needs_network = !gateway.is_unspecified() && !gateway.is_loopback();
        let known = self.0.as_ref().filter(|networks| !networks.is_empty());
        needs_network && known.is_some_and(|networks| !networks.iter().any(is_in))
    }
}

/// The addresses of a text or a list of texts; `None` if one of them is no address, or there are too
/// many.
fn list(hive: &Hive, key: &str, name: &str) -> Result<Option<Vec<Ipv4Addr>>, Corruption> {
    let Some(data) = reading::value(hive, key, name)? else {
        return Ok(Some(Vec::new()));
    };
    if data.bytes.len() > MOST_BYTES {
        return Ok(None);
    }
    let text = utf16::decode(&data.bytes);
    Ok(text.and_then(|text| {
        let parts = text.split('\0').filter(|part| !part.is_empty());
        parts.map(|part| part.trim().parse().ok()).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_four_parts() {
        let route = Route::parse("0.0.0.0,0.0.0.0,10.0.0.1,-1").expect("a route");
        assert!(route.is_default());
        assert_eq!(route.gateway, Ipv4Addr::new(10, 0, 0, 1));
        let any = Route::parse("0.0.0.0,0.0.0.0,10.0.0.1").expect("a route");
        assert!(any.is(&route) && !route.is(&any));
        for no_route in [
            "",
            "10.0.0.1",
            "0.0.0.0,0.0.0.0",
            "0.0.0.0,0.0.0.0,10.0.0.1,",
            "0.0.0.0,0.0.0.0,10.0.0.1,x",
            "0.0.0.0,0.0.0.0,10.0.0.1,1,1",
            "0.0.0.0,0.0.0.0,10.0.0.256,1",
            "0.0.0.0,0.0.0.0,::1,1",
        ] {
            assert_eq!(Route::parse(no_route), None, "{no_route}");
        }
    }

    #[test]
    fn a_gateway_is_unreachable_only_if_all_networks_are_known_to_be_others() {
        let address = Ipv4Addr::new;
        let networks = Networks(Some(vec![
            (address(10, 0, 0, 4), address(255, 255, 255, 0)),
            (address(192, 168, 7, 4), address(255, 255, 0, 0)),
        ]));
        for (gateway, lacks) in [
            (address(10, 0, 0, 1), false),
            (address(192, 168, 200, 1), false),
            (address(10, 0, 1, 1), true),
            (address(0, 0, 0, 0), false),
            (address(127, 0, 0, 1), false),
        ] {
            assert_eq!(networks.lack(gateway), lacks, "{gateway}");
        }
        for unknown in [None, Some(Vec::new())] {
            assert!(!Networks(unknown).lack(address(10, 0, 1, 1)));
        }
    }
}
