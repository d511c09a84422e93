//! Facts about the Windows on the target.

use super::{Facts, Failure};
use crate::error::{Error, chain};
use crate::place::HiveName;
use crate::reading;
use crate::value_data::Readable;

const VERSION_KEY: &str = r"Microsoft\Windows NT\CurrentVersion";
const BUILD: &str = "CurrentBuildNumber";
const PRODUCT_KEY: &str = r"Control\ProductOptions";
const PRODUCT: &str = "ProductType";

/// The kind of Windows, by `ProductType` of the current control set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A Windows for a workstation (`WinNT`).
    Workstation,
    /// A server that is not a domain controller (`ServerNT`).
    Server,
    /// A domain controller (`LanmanNT`).
    DomainController,
}

/// The build number, from the SOFTWARE hive after its logs were replayed.
pub(super) fn build(facts: &Facts<'_>) -> Result<u32, String> {
    let text = text(facts, HiveName::Software, VERSION_KEY, BUILD)?;
    let build = text.and_then(|text| text.trim().parse().ok());
    build.ok_or_else(|| "SOFTWARE does not say".to_owned())
}

/// The kind of Windows, from the control set from which Windows would start.
pub(super) fn product(facts: &Facts<'_>) -> Result<Product, String> {
    let sets = facts.control_sets()?;
    let key = format!(r"{}\{PRODUCT_KEY}", sets.starting_set()?.name);
    let text = text(facts, HiveName::System, &key, PRODUCT)?;
    match text.as_deref().map(str::trim) {
        Some(text) if text.eq_ignore_ascii_case("WinNT") => Ok(Product::Workstation),
        Some(text) if text.eq_ignore_ascii_case("ServerNT") => Ok(Product::Server),
        Some(text) if text.eq_ignore_ascii_case("LanmanNT") => Ok(Product::DomainController),
        _ => Err("SYSTEM does not say".to_owned()),
    }
}

/// The text of a value; `None` if there is no such value, or it is not text.
fn text(
    facts: &Facts<'_>,
    hive: HiveName,
    key: &str,
    value: &str,
) -> Result<Option<String>, String> {
    let opened = facts.hive(hive).map_err(Failure::reason)?;
    let found = reading::value(&opened.hive, key, value);
    let found = found.map_err(|source| chain(&Error::corrupt(opened.path())(source)))?;
    Ok(match found.and_then(|data| data.readable()) {
        Some(Readable::Text(text)) => Some(text),
        _ => None,
    })
}
