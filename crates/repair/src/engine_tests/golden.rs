//! The documents of all commands, byte for byte, in schema 1.
//!
//! The expected documents are files in `golden/`. If `DISKMEND_BLESS` is set, the test rewrites
//! them, and the difference shows the changes of the schema.

use std::fs;
use std::path::Path;

use diskmend_disk::testing::FaultyDisk;
use serde::Serialize;

use super::boot_fixture::{BIOS, EFI, Maker, bios, efi, hive};
use super::boot_support::repair_at;
use super::descriptors::{bytes, disk as disk_of_keys, key};
use super::support::{FaultyHive, site, undo, volume, with_watch};
use crate::documents::{InspectReport, PlanReport, RecipeEntry};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::runs::runs_site;
use crate::site::Options;
use crate::value_data::ValueData;
use diskmend_hive::ValueType;

const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";
const NAMED: [&str; 6] = [
    "tls",
    "nla",
    "crash-dump",
    "serial-console",
    "safe-mode-off",
    "machine-keys-default",
];
/// Rows of both hives that set, create and keep values, rows that find faults, and rows for
/// permissions.
const OWN: &str = r#"
schema = 1
name = "own"
title = "Rows of every form"
summary = "What the recipes that come with the program do not say."
sources = ["https://example.org/"]

[[registry]]
hive = "SOFTWARE"
key = 'Microsoft\Windows NT\CurrentVersion'
value = "CurrentBuildNumber"
type = "REG_SZ"
data = "20348"
why = "a text"

[[registry]]
hive = "SYSTEM"
key = 'ControlSet*\Control\Session Manager'
value = "PendingFileRenameOperations"
type = "REG_MULTI_SZ"
data = ["a", "b"]
if_missing = "leave"
why = "a list that may be missing"

[[registry]]
hive = "SYSTEM"
key = 'Setup'
value = ""
type = "REG_BINARY"
data = "01 ff"
fault = "missing"
why = "a default value that is a fault where it is missing"

[[bcd]]
object = "{bootmgr}"
element = "timeout"
data = 5
why = "what another recipe wants too"

[[bcd]]
object = "{emssettings}"
create_as = 0x20100000
element = "emsport"
data = 1
fault = "missing"
why = "an object that is created"

[[acl]]
path = 'Windows\System32\spool'
applies_to = "folder"
builds = "17763.."
descriptor = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
why = "the build decides"

[[acl]]
path = 'Windows\System32\missing'
applies_to = "contents"
grant = ['NT AUTHORITY\SYSTEM:(F)']
why = "there is no such folder"
"#;

/// Compares documents with the files, or writes the files.
struct Golden {
    changed: Vec<String>,
    run: Option<String>,
}

impl Golden {
    fn hold(&mut self, name: &str, document: &impl Serialize) {
        let mut text = Vec::new();
        crate::json::write_pretty(&mut text, document).expect("JSON");
        let mut text = String::from_utf8(text).expect("UTF-8") + "\n";
        if let Some(run) = &self.run {
            text = text.replace(run, "RUN");
        }
        let text: String = text.lines().map(without_time).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine_tests/golden");
        let file = folder.join(format!("{name}.json"));
        if std::env::var_os("DISKMEND_BLESS").is_some() {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&file, &text).expect("a file");
        }
        let wanted = fs::read_to_string(&file).expect("the document");
        if wanted.replace("\r\n", "\n") != text {
            println!("{name}:\n{text}");
            self.changed.push(name.to_owned());
        }
    }
}

/// A line of a document without the time of the run.
fn without_time(line: &str) -> String {
    for field in ["started", "updated"] {
        if let Some((start, _)) = line.split_once(&format!("\"{field}\": ")) {
            return format!("{start}\"{field}\": \"TIME\",\n");
        }
    }
    format!("{line}\n")
}

/// A disk with everything that the recipes concern.
fn disk() -> FaultyDisk {
    let disk = disk_of_keys();
    let build = ValueData::text(ValueType::SZ, "17763");
    disk.put(
        SOFTWARE,
        hive(|editor| {
            let key = r"Microsoft\Windows NT\CurrentVersion";
            editor.create_key(key)?;
            editor.set_value(key, "CurrentBuildNumber", ValueType::SZ, &build.bytes)?;
            let name = ValueData::text(ValueType::SZ, "Windows Server 2019 Datacenter");
            editor.set_value(key, "ProductName", ValueType::SZ, &name.bytes)?;
            editor.set_value(key, "UBR", ValueType::DWORD, &6414_u32.to_le_bytes())?;
            Ok(())
        }),
    );
    disk.put(BIOS, bios().bytes());
    let other = Maker::new(r"\Other\winload.efi").loader_of_other_folder();
    disk.put(EFI, other.bytes());
    disk.put("Windows/System32/spool/PRINTERS/1.SPL", b"job".to_vec());
    disk.secure("Windows/System32/spool", bytes("O:BAG:SYD:(A;;FA;;;BA)"));
    disk.secure(
        "Windows/System32/spool/PRINTERS",
        bytes("O:BAG:SYD:(A;;FA;;;BA)"),
    );
    disk
}

struct Catalogues {
    catalogue: Catalogue,
}

impl Catalogues {
    fn new() -> Self {
        let mut catalogue = Catalogue::built_in().expect("valid");
        let own = Recipe::parse("own.toml", OWN).expect("valid");
        catalogue.add(own).expect("a new name");
        Self { catalogue }
    }

    fn select(&self, names: &[&str]) -> Vec<&Recipe> {
        self.catalogue.select(names).expect("known")
    }

    fn inspect(&self, disk: &FaultyDisk, names: &[&str]) -> InspectReport {
        let (recipes, options) = (self.select(names), Options::default());
        with_watch(|watch| inspect_site(&site(disk), &recipes, &options, watch)).expect("inspect")
    }

    fn plan(&self, disk: &FaultyDisk, names: &[&str], goal: Goal) -> PlanReport {
        let (recipes, options) = (self.select(names), Options::default());
        let plan = with_watch(|watch| plan_site(&site(disk), &recipes, goal, &options, watch));
        PlanReport::of(&plan.expect("a plan"))
    }
}

#[test]
fn the_documents_of_schema_1_stay_as_they_are() {
    let all = Catalogues::new();
    let mut golden = Golden {
        changed: Vec::new(),
        run: None,
    };
    let disk = disk();
    let with_own: Vec<&str> = NAMED.iter().copied().chain(["own"]).collect();
    let recipes = all.select(&with_own);
    let recipes: Vec<RecipeEntry<'_>> = recipes.into_iter().map(RecipeEntry::from).collect();
    golden.hold("recipes", &recipes);
    golden.hold("inspect", &all.inspect(&disk, &with_own));
    golden.hold("plan", &all.plan(&disk, &with_own, Goal::Desired));
    golden.hold("plan-auto", &all.plan(&disk, &with_own, Goal::Faults));

    // Without a hive, a boot store, and a known build.
    let bare = volume("dirty-hvle-both");
    bare.put(EFI, efi().with_second_loader().bytes());
    golden.hold("inspect-bare", &all.inspect(&bare, &with_own));
    golden.hold("plan-bare", &all.plan(&bare, &with_own, Goal::Desired));
    golden.hold("plan-bare-auto", &all.plan(&bare, &NAMED, Goal::Faults));
    let damaged = volume("broken-free-cell");
    golden.hold("plan-damaged", &all.plan(&damaged, &NAMED, Goal::Faults));

    let repaired = disk.fork();
    let names = ["tls", "nla", "serial-console", "machine-keys"];
    let done = repair_at(&site(&repaired), &names, Goal::Desired, &Options::default());
    let (planned, report) = done.expect("repair");
    golden.run.clone_from(&report.run);
    golden.hold("plan-repair", &planned);
    golden.hold("repair", &report);
    golden.hold("runs", &runs_site(&site(&repaired)).expect("runs"));
    let again = repair_at(&site(&repaired), &names, Goal::Desired, &Options::default());
    golden.hold("repair-again", &again.expect("repair").1);

    let by_bytes = repaired.fork();
    golden.hold("undo-bytes", &undo(&by_bytes, None).expect("undo"));
    golden.hold("runs-undone", &runs_site(&site(&by_bytes)).expect("runs"));

    let by_values = repaired.fork();
    by_values.secure(&key(1), bytes("O:SYG:SYD:(A;;FA;;;SY)"));
    let later = by_values.set_all(&[("Setup", "Later", 1)]);
    let undone = undo(&by_values, golden.run.as_deref()).expect("undo");
    let recorded = undone.recorded_as.clone().expect("a run of its own");
    let mut text = serde_json::to_value(&undone).expect("JSON");
    text["recorded_as"] = "RECORDED".into();
    assert!(later < recorded);
    golden.hold("undo-values", &text);
    assert_eq!(golden.changed, [""; 0], "these documents changed");
}
