//! Recipes that are used as a whole or not at all.

use diskmend_disk::testing::FaultyDisk;

use super::support::{hives, site, volume, with_watch};
use crate::documents::{Outcome, RepairReport};
use crate::error::{Class, Error, Refusal};
use crate::plan::{Goal, plan_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::site::Options;

const HEAD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
    sources = [\"https://example.org\"]\n";
const ROWS: &str = "\n[[registry]]\nhive = \"SYSTEM\"\nkey = 'ControlSet*\\Control'\n\
    value = \"WholeTest\"\ntype = \"REG_DWORD\"\ndata = 1\nwhy = \"a value\"\n\
    \n[[file]]\npath = 'Windows\\Logs'\nmatch = \"*.blf\"\naction = \"rename\"\nwhy = \"a file\"\n";
const SOFTWARE: &str = "\n[[registry]]\nhive = \"SOFTWARE\"\nkey = 'Own'\nvalue = \"a\"\n\
    delete = true\nwhy = \"a value\"\n";
const LOG: &str = "Windows/Logs/a.blf";

fn repair(disk: &FaultyDisk, whole: bool, rows: &str) -> Result<RepairReport, Error> {
    let text = format!("{HEAD}all_or_nothing = {whole}\n{rows}");
    let recipe = Recipe::parse("own.toml", &text).expect("valid");
    let options = Options {
        check: false,
        ..Options::default()
    };
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

#[track_caller]
fn refused(disk: &FaultyDisk, rows: &str, at: &str) {
    let before = (disk.operations(), hives(disk));
    let error = repair(disk, true, rows).expect_err("a part can't be changed");
    assert_eq!(error.class(), Class::Refused, "{error}");
    match &error {
        Error::Refused(Refusal::NotWhole { recipe, place, .. }) => {
            assert_eq!((recipe.as_str(), place.as_str()), ("own", at));
        }
        _ => panic!("{error}"),
    }
    assert!((disk.operations(), hives(disk)) == before, "written");
    // Otherwise the other parts are changed.
    let report = repair(disk, false, rows).expect("the rest");
    assert_eq!(report.outcome, Outcome::PartlyDone, "{report:?}");
}

#[test]
fn a_part_that_cant_be_changed_keeps_everything_from_being_changed() {
    let disk = volume("system-001-002");
    disk.put(LOG, b"a log".to_vec());
    // A folder is no file.
    disk.put("Windows/Logs/b.blf/c", b"c".to_vec());
    refused(&disk.fork(), ROWS, "Windows/Logs/b.blf");
    let sound = volume("system-001-002");
    sound.put(LOG, b"a log".to_vec());
    let both = format!("{ROWS}{SOFTWARE}");
    refused(&sound.fork(), &both, "SOFTWARE");
    let report = repair(&sound, true, ROWS).expect("everything");
    assert_eq!(report.outcome, Outcome::Done);
    assert!(!sound.files().contains_key(LOG));
}
