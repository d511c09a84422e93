//! Which build of Windows lies on the target.

use diskmend_disk::Access;

use crate::error::Error;
use crate::hive_on_disk;
use crate::reading;
use crate::recipe::HiveName;
use crate::site::Site;
use crate::value_data::Readable;

const KEY: &str = r"Microsoft\Windows NT\CurrentVersion";
const VALUE: &str = "CurrentBuildNumber";

/// The build number, from the SOFTWARE hive as its logs recover it; `None` where it does not say.
pub(super) fn build(site: &Site) -> Result<Option<u32>, Error> {
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::Software)?;
    let path = place.place.path.clone();
    let opened = hive_on_disk::open(place, Access::Read)?;
    let found = reading::value(&opened.hive, KEY, VALUE).map_err(Error::corrupt(&path))?;
    Ok(match found.and_then(|data| data.readable()) {
        Some(Readable::Text(text)) => text.trim().parse().ok(),
        _ => None,
    })
}
