//! A broken disk for each recipe.

mod boot_store;
mod families;
mod files;
mod listener;
mod lists;
mod network;
mod permissions;
mod remote_desktop;
mod services;
mod settings;
mod system;

use super::Case;
pub(super) use boot_store::boot_store;
pub(super) use families::families;
pub(in crate::engine_tests) use families::profile;
pub(super) use files::files;
pub(super) use listener::listener;
pub(super) use lists::lists;
pub(super) use network::network;
pub(super) use permissions::permissions;
pub(super) use remote_desktop::remote_desktop;
pub(super) use services::services;
pub(super) use settings::settings;
pub(super) use system::system;

use crate::engine_tests::diagnosis::disk::{Break, SET};
use crate::place::HiveName;
use crate::value_data::ValueData;
use diskmend_hive::ValueType;

pub(super) type Cases = Vec<Case>;

/// All cases.
pub(super) fn all() -> Cases {
    let mut all = remote_desktop();
    all.extend(permissions());
    all.extend(boot_store());
    all.extend(services());
    all.extend(lists());
    all.extend(system());
    all.extend(files());
    all.extend(listener());
    all.extend(settings());
    all.extend(network());
    all.extend(families());
    all
}

/// Another build of Windows.
fn build(number: &str) -> Break {
    Break::Data(
        HiveName::Software,
        r"Microsoft\Windows NT\CurrentVersion".to_owned(),
        "CurrentBuildNumber",
        ValueData::text(ValueType::SZ, number),
    )
}

/// A number in the control set.
fn number(key: &str, name: &'static str, number: u32) -> Break {
    Break::Number(HiveName::System, format!(r"{SET}\{key}"), name, number)
}

/// Other data in the control set.
fn data(key: &str, name: &'static str, data: ValueData) -> Break {
    Break::Data(HiveName::System, format!(r"{SET}\{key}"), name, data)
}

/// A drive that this Windows has had.
fn drive(name: &'static str) -> Break {
    let data = ValueData {
        value_type: ValueType::BINARY,
        bytes: vec![1; 12],
    };
    Break::Data(HiveName::System, "MountedDevices".to_owned(), name, data)
}
