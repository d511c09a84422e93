//! `diskmend plan --out` and `diskmend repair --plan`: a plan that was reviewed is carried out as
//! it is, or refused.

use std::fs;
use std::path::Path;

use diskmend_hive::ValueType;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Volume, files, hive_file, utf16};
#[cfg(unix)]
use crate::program::command;
use crate::program::{Run, diskmend};
use crate::sealing::replace_in_plan;
use crate::trust::elsewhere;

const SYSTEM: &str = "Windows/System32/config/SYSTEM";
const RDP_TCP: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// A folder for plans, off the target.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Saves a plan for these recipes, and returns its path.
    #[track_caller]
    fn plan(&self, volume: &Volume, recipes: &[&str]) -> String {
        let file = self.path("plan.json");
        let args = [&["plan", volume.root(), "--out", &file][..], recipes].concat();
        diskmend(args).ends(3);
        file
    }
}

fn carry_out(target: &str, plan: &str) -> Run {
    diskmend(["repair", target, "--plan", plan, "--yes"])
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(file).expect("a plan");
    serde_json::from_str(&text).expect("JSON")
}

/// Checks that the plan is refused for this reason and that nothing is written.
#[track_caller]
fn refused(volume: &Volume, plan: &str, reason: &str) -> Run {
    let before = volume.hives();
    let run = carry_out(volume.root(), plan).ends(5).says(reason);
    assert_eq!(volume.hives(), before);
    run
}

#[test]
fn exactly_the_saved_plan_is_carried_out_once() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let pristine = volume.hives();
    let shown = diskmend(["plan", volume.root(), "nla", "--json"]);
    let shown = shown.ends(3).json();
    let file = desk.path("plan.json");
    let run = diskmend(["plan", volume.root(), "nla", "--out", &file]).ends(3);
    run.says("to carry out exactly this plan: diskmend repair");
    assert_eq!(volume.hives(), pristine);
    assert!(!volume.folder.path().join("diskmend").exists());

    let plan = read(&file);
    assert_eq!(plan["format"], "diskmend-plan");
    assert_eq!(plan["plan"]["changes"], shown["changes"]);
    assert_eq!(plan["plan"]["hives"], shown["hives"]);
    assert_eq!(plan["recipes"][0]["name"], "nla");
    assert_eq!(plan["recipes"][0]["text"], Value::Null);
    assert_eq!(plan["auto"], false);
    assert_eq!(plan["files"][0]["path"], SYSTEM);
    assert_eq!(plan["program"], env!("CARGO_PKG_VERSION"));

    // Looking at it is possible without carrying it out.
    let dry = diskmend(["repair", volume.root(), "--plan", &file, "--dry-run"]).ends(3);
    assert!(dry.stdout.contains("4 values to change"), "{}", dry.stdout);
    diskmend(["repair", volume.root(), "--plan", &file]).ends(2);
    assert_eq!(volume.hives(), pristine);

    let args = ["repair", volume.root(), "--plan", &file, "--yes", "--json"];
    let done = diskmend(args).ends(0).json();
    assert_eq!(done["changes"], shown["changes"]);
    let run = done["run"].as_str().expect("a run");
    diskmend(["plan", volume.root(), "nla"]).ends(0);
    refused(&volume, &file, "the plan is stale").says("there is nothing to do");

    // Undo restores every byte that the plan was made from.
    diskmend(["undo", volume.root(), run, "--yes"]).ends(0);
    assert_eq!(volume.hives(), pristine);
    carry_out(volume.root(), &file).ends(0);
}

#[test]
fn a_plan_of_faults_only_and_one_without_changes_can_be_saved() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let file = desk.path("auto.json");
    diskmend(["plan", volume.root(), "--auto", "--out", &file]).ends(3);
    assert_eq!(read(&file)["auto"], true);
    let planned = read(&file)["plan"]["changes"].clone();
    let done = diskmend(["repair", volume.root(), "--plan", &file, "--yes", "--json"]);
    assert_eq!(done.ends(0).json()["changes"], planned);

    let nothing = desk.path("nothing.json");
    diskmend(["plan", volume.root(), "--auto", "--out", &nothing]).ends(0);
    let before = volume.hives();
    let run = carry_out(volume.root(), &nothing).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(volume.hives(), before);
}

#[test]
fn a_plan_is_stale_when_anything_that_it_read_has_changed() {
    let volume = Volume::new();
    let desk = Desk::new();
    let plan = desk.plan(&volume, &["nla"]);
    let pristine = volume.hives();
    let restore = || {
        for name in volume.hives().keys() {
            fs::remove_file(volume.config().join(name)).expect("removable");
        }
        for (name, bytes) in &pristine {
            fs::write(volume.config().join(name), bytes).expect("writable");
        }
        fs::remove_dir_all(volume.folder.path().join("diskmend")).expect("undo data");
    };
    let system = volume.system();
    let system = system.to_str().expect("UTF-8");
    let set = |key: &str, name: &str| {
        diskmend(["hive", "set", system, key, name, "REG_DWORD", "7", "--yes"]).ends(0);
    };

    // A value that the plan changes.
    set(RDP_TCP, "SecurityLayer");
    let changed = format!("{SYSTEM} has changed");
    refused(&volume, &plan, &changed)
        .says(r"RDP-Tcp\SecurityLayer is not what it was")
        .says("make the plan again");
    restore();
    // Another value of the same hive.
    set("Other", "Value");
    refused(&volume, &plan, &changed);
    restore();
    // A log, which a clean hive does not need.
    for name in ["SYSTEM.LOG1", "SYSTEM.LOG2"] {
        let log = volume.config().join(name);
        let old = fs::read(&log).ok();
        fs::write(
            &log,
            [old.as_deref().unwrap_or(&[]), &[0; 512][..]].concat(),
        )
        .expect("writable");
        refused(&volume, &plan, &format!("{SYSTEM}{}", &name[6..]));
        match old {
            Some(bytes) => fs::write(&log, bytes).expect("writable"),
            None => fs::remove_file(&log).expect("removable"),
        }
    }
    // The same bytes are the same plan.
    carry_out(volume.root(), &plan).ends(0);
}

/// The recipe is in the plan, so that exactly what was reviewed is carried out.
#[test]
fn a_recipe_of_ones_own_is_in_the_plan() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let recipe = desk.path("own.toml");
    let text = "schema = 1\nname = 'own'\ntitle = 'Own'\nsummary = 'Mine'\n\
                sources = ['https://example.org']\n[[registry]]\nhive = 'SYSTEM'\nkey = 'Setup'\n\
                value = 'A'\ntype = 'REG_DWORD'\ndata = 1\nwhy = 'because'\n";
    fs::write(&recipe, text).expect("writable");
    let plan = desk.plan(&volume, &["--recipe", &recipe]);
    assert_eq!(read(&plan)["recipes"][0]["text"], text);
    fs::write(&recipe, text.replace("data = 1", "data = 2")).expect("writable");
    carry_out(volume.root(), &plan).ends(0);
    assert_eq!(volume.dword("Setup", "A"), Some(1));
}

#[test]
fn a_plan_is_for_its_own_target() {
    let named = |name: &str| {
        let volume = Volume::new();
        fs::remove_file(volume.system()).expect("removable");
        hive_file(&volume.system(), |editor| {
            crate::fixture::system(editor);
            let key = r"ControlSet001\Control\ComputerName\ComputerName";
            editor.create_key(key).expect("valid");
            let data = utf16(&format!("{name}\0"));
            let set = editor.set_value(key, "ComputerName", ValueType::SZ, &data);
            set.expect("valid");
        });
        volume
    };
    let (one, other, copy) = (named("ONE"), named("OTHER"), named("ONE"));
    let desk = Desk::new();
    let plan = desk.plan(&one, &["nla"]);
    assert_eq!(read(&plan)["target"]["windows"]["computer_name"], "ONE");
    refused(&other, &plan, "made for another target").says("computer name is ONE");
    // A copy with the same content is the same target.
    carry_out(copy.root(), &plan).ends(0);
    carry_out(one.root(), &plan).ends(0);
}

#[test]
fn a_file_that_is_not_a_whole_sealed_plan_is_refused() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let plan = desk.plan(&volume, &["nla"]);
    let good = fs::read(&plan).expect("a plan");
    let bad = desk.path("bad.json");
    let with = |bytes: &[u8]| fs::write(&bad, bytes).expect("writable");

    // A unit test flips every byte of a sealed document.
    for at in (0..good.len()).step_by(good.len() / 24) {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        with(&flipped);
        refused(&volume, &bad, "bad.json: ");
    }
    let seal = good.len() - 20;
    for (bytes, reason) in [
        (&good[..good.len() - 1], "does not end with a seal"),
        (&good[..seal], "does not end with a seal"),
        (&[], "does not end with a seal"),
        (b"no JSON", "does not end with a seal"),
        (&[&good[..], b"\n"].concat(), "does not end with a seal"),
        (&[b" ", &good[..]].concat(), "its seal does not match"),
    ] {
        with(bytes);
        refused(&volume, &bad, reason);
    }
    // Much longer than any plan; the file is sparse.
    let huge = fs::File::create(&bad).expect("writable");
    huge.set_len(1 << 40)
        .or_else(|_| huge.set_len(1 << 30))
        .expect("sparse");
    refused(&volume, &bad, "at most 67108864 bytes");
    // Windows keeps the name of a file that is open.
    drop(huge);
    fs::remove_file(&bad).expect("removable");
    carry_out(volume.root(), &bad).ends(1).says("bad.json");
    carry_out(volume.root(), desk.0.path().to_str().expect("UTF-8"))
        .ends(1)
        .says("a plan is a regular file");
    carry_out(volume.root(), &plan).ends(0);
}

/// What this machine has sealed is read strictly too: another version may have written it.
#[test]
fn a_sealed_file_with_another_content_is_refused() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let plan = desk.plan(&volume, &["nla"]);
    let good = fs::read_to_string(&plan).expect("a plan");
    let bad = desk.path("bad.json");
    let sha256 = read(&plan)["recipes"][0]["sha256"].clone();
    let sha256 = sha256.as_str().expect("a digest");
    for (from, to, reason) in [
        (
            "\"diskmend-plan\"",
            "\"diskmend-plum\"",
            "its format is not diskmend-plan",
        ),
        (
            "\"schema\": 1",
            "\"schema\": 2",
            "it has schema 2, and this diskmend reads 1",
        ),
        (
            "  \"auto\"",
            "  \"more\": 1,\n  \"auto\"",
            "unknown field `more`",
        ),
        ("  \"auto\": false,\n", "", "missing field `auto`"),
        (
            "\"auto\": false",
            "\"auto\": false,\n  \"auto\": true",
            "duplicate field",
        ),
        (
            "\"length\": ",
            "\"more\": 1, \"length\": ",
            "it has a member that this diskmend does not know",
        ),
        (sha256, &"0".repeat(64), "recipe nla is another one"),
        (
            "\"name\": \"nla\"",
            "\"name\": \"tls\"",
            "recipe tls is another one",
        ),
        ("\"auto\": false", "\"auto\": true", "the plan is stale"),
        (
            "\"why\": \"",
            "\"why\": \"x",
            "would be changed in another way",
        ),
        ("\"changes\": [", "\"changes\": [7, ", "the plan is stale"),
        (
            "\"permissions\": null",
            "\"permissions\": {\"to_change\": 1, \"sha256\": \"0\"}",
            "permissions that the recipes are about",
        ),
    ] {
        fs::write(&bad, replace_in_plan(&good, from, to)).expect("writable");
        refused(&volume, &bad, reason);
    }
    // A plan of another version is carried out if it is the same.
    let version = format!("\"program\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = "\"program\": \"0.0.9\"";
    fs::write(&bad, replace_in_plan(&good, &version, older)).expect("writable");
    carry_out(volume.root(), &bad)
        .ends(0)
        .says("diskmend 0.0.9 made this plan");
    refused(&volume, &bad, "it was made by diskmend 0.0.9");
}

#[test]
fn a_plan_of_another_machine_needs_its_key() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let plan = desk.plan(&volume, &["nla"]);
    let (other, exported) = (desk.path("other.key"), desk.path("exported.key"));
    diskmend(["key", "export", "-o", &exported]).ends(0);
    let before = volume.hives();
    let args = ["repair", volume.root(), "--plan", &plan, "--yes"];
    elsewhere(Path::new(&other), args)
        .ends(5)
        .says("of another machine")
        .says("--key FILE");
    assert_eq!(volume.hives(), before);
    let args = [
        "repair",
        volume.root(),
        "--plan",
        &plan,
        "--yes",
        "--key",
        &exported,
    ];
    elsewhere(Path::new(&other), args)
        .ends(0)
        .says("made this plan on 20");
    assert_ne!(volume.hives(), before);
}

#[test]
fn without_a_key_no_plan_is_saved() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let (broken, file) = (desk.path("broken.key"), desk.path("plan.json"));
    fs::write(&broken, "no key").expect("writable");
    let args = ["plan", volume.root(), "nla", "--out", &file];
    elsewhere(Path::new(&broken), args)
        .ends(5)
        .says("this machine's key can't be used");
    assert_eq!(files(desk.0.path()).len(), 1);
}

#[test]
fn a_plan_gets_a_new_name_when_it_is_whole() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let plan = desk.plan(&volume, &["nla"]);
    let before = files(desk.0.path());
    diskmend(["plan", volume.root(), "tls", "--out", &plan])
        .ends(1)
        .says("plan.json: already exists");
    assert_eq!(files(desk.0.path()), before);
    let nowhere = desk.path("missing/plan.json");
    diskmend(["plan", volume.root(), "tls", "--out", &nowhere])
        .ends(1)
        .says("cannot write");
    assert_eq!(files(desk.0.path()), before);
}

/// As on a full disk, only a part of the file can be written.
#[cfg(unix)]
#[test]
fn a_plan_that_does_not_fit_leaves_no_file() {
    let (volume, desk) = (Volume::new(), Desk::new());
    // The key exists before.
    diskmend(["key", "show"]);
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let program = command([
        "plan",
        volume.root(),
        "nla",
        "--out",
        &desk.path("plan.json"),
    ]);
    let output = std::process::Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .env("DISKMEND_KEY_FILE", crate::program::key_file())
        .output();
    let run = Run::of(output.expect("a shell"));
    run.ends(1).says("plan.json: cannot write");
    assert!(files(desk.0.path()).is_empty());
}

#[test]
fn a_plan_stands_alone() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let plan = desk.plan(&volume, &["nla"]);
    for more in [
        &["nla"][..],
        &["--auto"],
        &["--recipe", &plan],
        &["--ems-port", "2"],
        &["--boot-volume", volume.root()],
        &["--all-loaders"],
    ] {
        let args = [
            &["repair", volume.root(), "--plan", &plan, "--yes"][..],
            more,
        ]
        .concat();
        diskmend(args).ends(2).says("cannot be used with");
    }
    diskmend(["repair", volume.root(), "--yes"]).ends(2);
}

/// A run that was killed is not completed with a plan that nobody has reviewed.
#[test]
fn a_killed_run_must_be_settled_first() {
    let (volume, desk) = (Volume::new(), Desk::new());
    let done = diskmend(["repair", volume.root(), "tls", "--yes", "--json"]);
    let run = done.ends(0).json()["run"].clone();
    let run = run.as_str().expect("a run").to_owned();
    let plan = desk.plan(&volume, &["nla"]);
    let path = crate::trust::runs_folder(volume.root()).join(&run);
    crate::sealing::replace(&path, "\"state\": \"done\"", "\"state\": \"applying\"");
    refused(
        &volume,
        &plan,
        &format!("run {run} of this target did not end"),
    );
    let late = desk.path("late.json");
    diskmend(["plan", volume.root(), "nla", "--out", &late])
        .ends(5)
        .says("did not end");
    assert!(!Path::new(&late).exists());
    diskmend(["undo", volume.root(), &run, "--yes"]).ends(0);
    refused(&volume, &plan, "the plan is stale");
    assert_eq!(json!(volume.dword(RDP_TCP, "SecurityLayer")), json!(0));
}
