//! The terms of rows on a disk: conditions, builds, products and notes.

use super::descriptors::{SOUND, bytes};
use super::diagnosis::disk::{Break, KEY, SET, disk};
use super::support::{site, with_watch};
use crate::documents::{InspectReport, PlanReport, RowState};
use crate::inspect::inspect_site;
use crate::place::HiveName;
use crate::plan::{Goal, plan_site};
use crate::recipe::Recipe;
use crate::site::Options;
use diskmend_disk::testing::FaultyDisk;

const BROKEN: &str = "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FA;;;SY)(A;;FA;;;BA)";

/// A recipe with a row of each kind, each a fault on the disk of [`broken`].
fn recipe(condition: &str, terms: &str, and: &str) -> Recipe {
    let text = format!(
        "schema = 1
name = 'own'
title = 't'
summary = 's'
sources = ['https://example.org']

[[condition]]
name = 'asked'
{condition}

[[registry]]
hive = 'SYSTEM'
key = 'ControlSet*\\Control\\Terminal Server'
value = 'fDenyTSConnections'
type = 'REG_DWORD'
data = 0
fault = {{ equals = [1]{and} }}
why = 'a value'
{terms}

[[bcd]]
object = '{{loader}}'
element = 'safeboot'
delete = true
fault = {{ different = true{and} }}
why = 'an element'
{terms}

[[acl]]
path = 'ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys'
applies_to = 'contents'
grant = ['NT AUTHORITY\\SYSTEM:(F)']
fault = {{ blocked = ['NT AUTHORITY\\SYSTEM:(R)']{and} }}
why = 'permissions'
{terms}
"
    );
    Recipe::parse("own.toml", &text).expect("valid")
}

fn broken(more: &[Break]) -> FaultyDisk {
    let key = format!(r"{SET}\Control\Terminal Server");
    let mut breaks = vec![
        Break::Number(HiveName::System, key, "fDenyTSConnections", 1),
        Break::SafeMode,
        Break::Permissions(KEY, BROKEN),
    ];
    breaks.extend_from_slice(more);
    disk(&breaks)
}

fn inspect(disk: &FaultyDisk, recipe: &Recipe) -> InspectReport {
    let inspected =
        with_watch(|watch| inspect_site(&site(disk), &[recipe], &Options::default(), watch));
    inspected.expect("a report")
}

fn plan(disk: &FaultyDisk, recipe: &Recipe, goal: Goal) -> PlanReport {
    let options = Options::default();
    let planned = with_watch(|watch| plan_site(&site(disk), &[recipe], goal, &options, watch));
    PlanReport::of(&planned.expect("a plan"))
}

/// What the rows of the recipe find: a value, an element, and permissions.
fn states(report: &InspectReport) -> Vec<RowState> {
    let values = report.rows.iter().map(|row| row.state);
    let elements = report.elements.iter().map(|row| row.state);
    let groups = report.acls.iter().flat_map(|acl| &acl.groups);
    values
        .chain(elements)
        .chain(groups.map(|group| group.state))
        .collect()
}

const AND: &str = ", and = ['asked']";
const AGENT: &str = "service = { names = ['RdAgent'], start = ['automatic'] }";
const NO_AGENT: &str = "none = [{ service = { names = ['RdAgent'], start = ['automatic'] } }]";

#[test]
fn a_fault_of_every_kind_counts_only_if_its_conditions_hold() {
    let disk = broken(&[]);
    let faults = [RowState::Fault; 3];
    let differ = [RowState::Differs; 3];
    let file = "file = { path = 'Windows\\gone', is = 'present' }";
    for (condition, expected) in [
        (AGENT.to_owned(), faults),
        (NO_AGENT.to_owned(), differ),
        (file.to_owned(), differ),
        (format!("any = [{{ {file} }}, {{ {AGENT} }}]"), faults),
        (format!("all = [{{ {file} }}, {{ {AGENT} }}]"), differ),
        (format!("none = [{{ {file} }}]"), faults),
    ] {
        let recipe = recipe(&condition, "", AND);
        let report = inspect(&disk, &recipe);
        assert_eq!(states(&report), expected, "{condition}");
        assert!(report.notices.is_empty(), "{:?}", report.notices);
        let planned = plan(&disk, &recipe, Goal::Faults);
        let changed = expected == faults;
        assert_eq!(
            planned.changes.len(),
            if changed { 2 } else { 0 },
            "{condition}"
        );
        assert_eq!(
            planned.objects_to_change(),
            u64::from(changed),
            "{condition}"
        );
        // A repair that is named sets everything.
        let planned = plan(&disk, &recipe, Goal::Desired);
        assert_eq!((planned.changes.len(), planned.objects_to_change()), (2, 1));
    }
}

#[test]
fn a_condition_that_cannot_be_read_makes_no_fault_and_says_why() {
    let software = "Windows/System32/config/SOFTWARE".to_owned();
    let disk = broken(&[Break::File(software, b"no hive".to_vec())]);
    let value = "registry = { hive = 'SOFTWARE', key = 'Own', value = 'V', equals = [1] }";
    let recipe = recipe(value, "", AND);
    let report = inspect(&disk, &recipe);
    assert_eq!(states(&report), [RowState::Differs; 3]);
    let [notice] = report.notices.as_slice() else {
        panic!("{:?}", report.notices);
    };
    assert_eq!(notice.kind, "condition-unknown");
    assert!(
        notice.text.contains("own: it is not known if asked holds"),
        "{}",
        notice.text
    );
    assert!(
        notice.text.contains("not a registry hive"),
        "{}",
        notice.text
    );
    let planned = plan(&disk, &recipe, Goal::Faults);
    assert!(!planned.has_changes());
}

#[test]
fn rows_of_every_kind_count_on_some_windows_only() {
    let disk = broken(&[]);
    for (terms, count) in [
        ("builds = '17763..'", 3),
        ("builds = '..17762'", 0),
        ("product = 'server'", 3),
        ("product = 'workstation'", 0),
        ("product = 'domain-controller'", 0),
        ("builds = '17763..'\nproduct = 'server'", 3),
    ] {
        let recipe = recipe(AGENT, terms, "");
        assert_eq!(states(&inspect(&disk, &recipe)).len(), count, "{terms}");
        let planned = plan(&disk, &recipe, Goal::Desired);
        assert_eq!(planned.has_changes(), count > 0, "{terms}");
        let notices: Vec<_> = planned.notices.iter().map(|notice| notice.kind).collect();
        let expected: &[&str] = if count > 0 { &[] } else { &["another-windows"] };
        assert_eq!(notices, expected, "{terms}");
    }
}

#[test]
fn rows_only_look_if_it_is_not_known_what_the_windows_is() {
    let build = Break::NoValue(
        HiveName::Software,
        r"Microsoft\Windows NT\CurrentVersion".to_owned(),
        "CurrentBuildNumber",
    );
    let key = format!(r"{SET}\Control\ProductOptions");
    let product = Break::NoValue(HiveName::System, key, "ProductType");
    for (gone, terms, kind) in [
        (build, "builds = '17763..'", "build-unknown"),
        (product, "product = 'server'", "product-unknown"),
    ] {
        let disk = broken(&[gone]);
        let recipe = recipe(AGENT, terms, "");
        let report = inspect(&disk, &recipe);
        assert_eq!(states(&report), [RowState::Fault; 3], "{terms}");
        let kinds: Vec<_> = report.notices.iter().map(|notice| notice.kind).collect();
        assert_eq!(kinds, [kind]);
        let planned = plan(&disk, &recipe, Goal::Faults);
        assert!(!planned.has_changes(), "{terms}");
        let planned = plan(&disk, &recipe, Goal::Desired);
        assert!(!planned.has_changes(), "{terms}");
        let [skipped] = planned.skipped.as_slice() else {
            panic!("{:?}", planned.skipped);
        };
        assert!(
            skipped.reason.contains("is not known"),
            "{}",
            skipped.reason
        );
    }
}

#[test]
fn findings_of_every_kind_carry_a_note_if_its_condition_holds() {
    let disk = broken(&[]);
    let terms = "note_if = { condition = 'asked', text = 'look again' }";
    let both = format!("{terms}\nnote = 'and now'");
    for (condition, terms, expected) in [
        (AGENT, terms, Some("look again")),
        (NO_AGENT, terms, None),
        (AGENT, &both, Some("and now; look again")),
        (NO_AGENT, &both, Some("and now")),
    ] {
        let recipe = recipe(condition, terms, "");
        let report = inspect(&disk, &recipe);
        let values = report.rows.iter().map(|row| row.note.as_deref());
        let elements = report.elements.iter().map(|row| row.note.as_deref());
        let groups = report.acls.iter().flat_map(|acl| &acl.groups);
        let groups = groups.map(|group| group.note.as_deref());
        let notes: Vec<_> = values.chain(elements).chain(groups).collect();
        assert_eq!(notes, [expected; 3]);
        let planned = plan(&disk, &recipe, Goal::Faults);
        assert!(
            planned
                .changes
                .iter()
                .all(|change| change.note.as_deref() == expected)
        );
    }
}

#[test]
fn a_healthy_disk_has_no_fault_whatever_holds() {
    let disk = disk(&[Break::Permissions(KEY, SOUND)]);
    assert_eq!(disk.descriptors()[KEY], bytes(SOUND));
    let recipe = recipe(AGENT, "", AND);
    assert!(!plan(&disk, &recipe, Goal::Faults).has_changes());
}
