//! Files that services and filters name.

use super::{disk, list, number, text, with_facts};
use crate::facts::{FileFault, FilterFault, ServiceFiles};
use crate::value_data::ValueData;
use diskmend_disk::testing::FaultyDisk;

pub(in crate::engine_tests) const DRIVERS: &str = "Windows/System32/drivers";
pub(super) const DISKS: &str =
    r"ControlSet001\Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";

fn services(disk: &FaultyDisk) -> ServiceFiles {
    with_facts(disk, |facts| facts.service_files().cloned()).expect("known")
}

/// Values of services: name, start, type, error control, image path.
fn written<'a>(
    keys: &'a [String],
    services: &[(u32, u32, u32, Option<&str>)],
) -> Vec<(&'a str, &'static str, ValueData)> {
    let mut values = Vec::new();
    for (key, (start, kind, control, path)) in keys.iter().zip(services) {
        values.push((key.as_str(), "Start", number(*start)));
        values.push((key.as_str(), "Type", number(*kind)));
        values.push((key.as_str(), "ErrorControl", number(*control)));
        if let Some(path) = path {
            values.push((key.as_str(), "ImagePath", text(path)));
        }
    }
    values
}

fn keys(names: &[&str]) -> Vec<String> {
    let key = |name: &&str| format!(r"ControlSet001\Services\{name}");
    names.iter().map(key).collect()
}

/// A whole Windows, with what surprises other tools on healthy disks: drivers without `ImagePath`,
/// a vendor's filter, a driver without a file whose errors are ignored.
pub(super) fn healthy(more: &[(&str, &str, ValueData)]) -> FaultyDisk {
    let names = keys(&[
        "disk", "partmgr", "Beep", "stdcfltn", "Changer", "Dnscache", "Spooler", "manual", "other",
    ]);
    let mut values = written(
        &names,
        &[
            (0, 1, 1, Some(r"System32\drivers\disk.sys")),
            (0, 1, 3, None),
            (1, 1, 1, None),
            (0, 1, 1, Some(r"\SystemRoot\System32\drivers\stdcfltn.sys")),
            (1, 1, 0, None),
            (
                2,
                32,
                1,
                Some(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p"),
            ),
            (2, 16, 1, Some(r"C:\Program Files\A B\spool.exe -service")),
            (3, 1, 1, Some(r"System32\drivers\manual.sys")),
            (0, 1, 3, Some(r"\??\D:\drivers\other.sys")),
        ],
    );
    values.push((DISKS, "UpperFilters", list(&["partmgr"])));
    values.push((DISKS, "LowerFilters", list(&["stdcfltn"])));
    values.extend_from_slice(more);
    let root = text(r"C:\Windows");
    let version = r"Microsoft\Windows NT\CurrentVersion";
    let disk = disk(&values, &[(version, "SystemRoot", root)]);
    for name in ["disk.sys", "PARTMGR.SYS", "beep.sys", "stdcfltn.sys"] {
        disk.put(&format!("{DRIVERS}/{name}"), b"MZ".to_vec());
    }
    for path in [
        "Windows/System32/services.exe",
        "Windows/System32/svchost.exe",
        "Program Files/A B/spool.exe",
    ] {
        disk.put(path, b"MZ".to_vec());
    }
    disk
}

#[test]
fn a_healthy_windows_lacks_no_file() {
    let nothing = ServiceFiles {
        whole: true,
        ..ServiceFiles::default()
    };
    assert_eq!(services(&healthy(&[])), nothing);
}

#[test]
fn a_missing_or_empty_boot_driver_stops_the_start() {
    let names = keys(&["gone", "empty"]);
    let more = written(
        &names,
        &[
            (0, 1, 1, Some(r"System32\drivers\gone.sys")),
            (1, 2, 3, None),
        ],
    );
    let disk = healthy(&more);
    disk.put(&format!("{DRIVERS}/empty.sys"), Vec::new());
    let found = services(&disk).missing;
    let found: Vec<_> = found
        .iter()
        .map(|file| {
            assert!(file.stops_the_start());
            (file.service.as_str(), file.path.as_str(), file.fault)
        })
        .collect();
    let path = |name| format!("{DRIVERS}/{name}.sys");
    let (empty, gone) = (path("empty"), path("gone"));
    assert_eq!(
        found,
        [
            ("empty", empty.as_str(), FileFault::Empty),
            ("gone", gone.as_str(), FileFault::Missing),
        ]
    );
}

#[test]
fn a_service_without_its_program_or_library_is_found() {
    let names = keys(&["lost", "hosted"]);
    let mut more = written(
        &names,
        &[
            (2, 16, 1, Some(r"C:\Program Files\No Such\lost.exe -x")),
            (2, 32, 1, Some(r"%SystemRoot%\system32\svchost.exe -k a")),
        ],
    );
    let parameters = format!(r"{}\Parameters", names[1]);
    let library = text(r"%SystemRoot%\System32\termsrv.dll");
    more.push((&parameters, "ServiceDll", library));
    let found = services(&healthy(&more)).missing;
    let paths: Vec<_> = found.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "Windows/System32/termsrv.dll",
            "Program Files/No Such/lost.exe"
        ]
    );
    assert!(found.iter().all(|file| !file.stops_the_start()));
}

#[test]
fn a_filter_without_service_or_file_is_found() {
    let names = keys(&["nofile"]);
    let mut more = written(&names, &[(3, 1, 1, None)]);
    more.push((
        DISKS,
        "UpperFilters",
        list(&["partmgr", "removed", "nofile"]),
    ));
    let found = services(&healthy(&more)).filters;
    let file = FilterFault::File(
        "Windows/System32/drivers/nofile.sys".to_owned(),
        FileFault::Missing,
    );
    let found: Vec<_> = found
        .iter()
        .map(|filter| (filter.value, filter.name.as_str(), &filter.fault))
        .collect();
    assert_eq!(
        found,
        [
            ("UpperFilters", "removed", &FilterFault::NoService),
            ("UpperFilters", "nofile", &file),
        ]
    );
}

/// A copy of some files of a disk must not look as if everything were missing.
#[test]
fn without_the_folder_of_drivers_nothing_is_said_about_files() {
    let names = keys(&["gone"]);
    let mut values = written(&names, &[(0, 1, 3, None)]);
    values.push((DISKS, "UpperFilters", list(&["gone"])));
    let hives_only = disk(&values, &[]);
    let found = services(&hives_only);
    assert_eq!((found.missing.len(), found.filters.len()), (0, 0));
    assert!(found.unknown[0].contains("drivers"), "{found:?}");
    // The services are in the hive, so their absence is known.
    let unknown = [(DISKS, "UpperFilters", list(&["removed"]))];
    values.extend(unknown);
    let found = services(&disk(&values, &[]));
    assert_eq!(found.filters.len(), 1);
}

#[test]
fn a_disk_with_few_of_its_drivers_is_no_whole_volume() {
    let names: Vec<String> = (0..40).map(|number| format!("d{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let names = keys(&names);
    let disk = healthy(&written(&names, &[(0, 1, 3, None); 40]));
    let found = services(&disk);
    assert!(found.missing.is_empty());
    assert!(found.unknown[0].contains("40 of 44"), "{found:?}");
}
