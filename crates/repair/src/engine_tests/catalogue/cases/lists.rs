//! Recipes for what names files that are gone, and for control sets.

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, SET, whole};
use crate::place::HiveName;
use crate::value_data::ValueData;
use diskmend_hive::ValueType;

fn list(key: &str, name: &'static str, entries: &[&str]) -> Break {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    let key = format!(r"{SET}\{key}");
    Break::Data(HiveName::System, key, name, ValueData::list(&entries))
}

fn text(key: &str, name: &'static str, text: &str) -> Break {
    let data = ValueData::text(ValueType::SZ, text);
    Break::Data(HiveName::System, format!(r"{SET}\{key}"), name, data)
}

pub(in super::super) fn lists() -> Cases {
    let disks = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let library = r"C:\Program Files\VPN\provider.dll";
    let session = r"Control\Session Manager";
    let with_files = |own: &[Break]| [own, &whole()].concat();
    vec![
        Case::broken(
            "filter-orphan",
            vec![list(disks, "UpperFilters", &["partmgr", "gone"])],
            &["UpperFilters"],
        ),
        // Of a single device.
        Case::broken(
            "filter-orphan",
            vec![
                list(r"Enum\SCSI\Disk&Ven_Msft\000000", "LowerFilters", &["gone"]),
                list(r"Enum\ACPI\PNP0303\4&1", "UpperFilters", &["partmgr"]),
            ],
            &[r"000000\LowerFilters"],
        ),
        Case::broken(
            "net-provider-order",
            with_files(&[
                text(
                    r"Control\NetworkProvider\Order",
                    "ProviderOrder",
                    "RDPNP,VPN",
                ),
                text(r"Services\VPN\NetworkProvider", "ProviderPath", library),
            ]),
            &[r"Order\ProviderOrder"],
        ),
        Case::broken(
            "boot-execute",
            with_files(&[list(
                session,
                "BootExecute",
                &["autocheck autochk *", "gone"],
            )]),
            &["BootExecute"],
        ),
        Case::broken(
            "setup-execute",
            with_files(&[list(session, "SetupExecute", &["gone.exe"])]),
            &["SetupExecute"],
        ),
        Case::broken(
            "driver-missing",
            with_files(&[
                number(r"Services\gone", "Type", 1),
                number(r"Services\gone", "Start", 0),
                text(r"Services\gone", "ImagePath", r"system32\drivers\gone.sys"),
            ]),
            &[r"gone\Start"],
        ),
        Case::other(
            "last-known-good",
            vec![
                Break::Number(HiveName::System, "Select".to_owned(), "LastKnownGood", 2),
                // Recipes that depend on the kind of Windows are tried on the same disk.
                Break::Data(
                    HiveName::System,
                    r"ControlSet002\Control\ProductOptions".to_owned(),
                    "ProductType",
                    ValueData::text(ValueType::SZ, "ServerNT"),
                ),
                Break::Number(
                    HiveName::System,
                    r"ControlSet002\Services".to_owned(),
                    "a",
                    1,
                ),
            ],
            &[r"Select\Default", r"Select\Current", r"Select\Failed"],
        ),
    ]
}
