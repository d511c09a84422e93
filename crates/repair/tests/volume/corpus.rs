//! Real SYSTEM hives are repaired in every control set, left alone by a second run, and undone to
//! the byte.

use std::path::Path;

use diskmend_repair::Class;
use diskmend_repair::documents::{Method, Outcome, RowState};

use crate::support::{Volume, corpus, same};

const RECIPES: [&str; 3] = ["tls", "nla", "crash-dump"];
/// The number of values of these recipes in each control set, without the one that may be missing.
const VALUES: usize = 9;

fn round_trip(folder: &Path, name: &str, logs: &[&str], sets: &[&str]) {
    let volume = Volume::empty("Windows/System32/config");
    let config = "Windows/System32/config/SYSTEM";
    volume.put(config, &folder.join(name));
    for log in logs {
        volume.put(
            &format!("{config}{log}"),
            &folder.join(format!("{name}{log}")),
        );
    }
    let before = volume.windows();
    let report = volume
        .repair(&RECIPES)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(report.outcome, Outcome::Done, "{name}");
    assert_eq!(
        report.hives[0].recovery.is_some(),
        !logs.is_empty(),
        "{name}"
    );
    println!(
        "{name}: {} values changed, {} bytes written, second reader: {:?}",
        report.changes.len(),
        report.hives[0].bytes_written,
        report.hives[0].second_reader
    );

    let found = volume.inspect(&RECIPES).expect(name);
    assert!(!found.has_findings(), "{name}");
    let found_sets = found.hives[0]
        .control_sets
        .as_ref()
        .expect("SYSTEM")
        .names();
    assert_eq!(found_sets, sets, "{name}");
    for set in sets {
        let rows = found.rows.iter().filter(|row| row.key.starts_with(set));
        let right = rows.filter(|row| row.state == RowState::Ok && row.current.is_some());
        assert!(right.count() >= VALUES, "{name}, {set}");
    }

    let repaired = volume.snapshot();
    let again = volume.repair(&RECIPES).expect(name);
    assert_eq!(again.outcome, Outcome::NothingToDo, "{name}");
    same(&volume.snapshot(), &repaired, name);

    let undone = volume.undo(None).expect(name);
    assert_eq!(undone.method, Method::Bytes, "{name}");
    same(&volume.windows(), &before, name);
}

#[test]
fn real_hives_survive_the_round_trip() {
    let Some(corpus) = corpus() else {
        return;
    };
    let hives = corpus.join("hives");
    round_trip(
        &hives.join("regipy"),
        "SYSTEM_B",
        &[".LOG1", ".LOG2"],
        &["ControlSet001"],
    );
    round_trip(
        &hives.join("regipy"),
        "SYSTEM",
        &[],
        &["ControlSet001", "ControlSet002"],
    );
    round_trip(
        &hives.join("winevt-kb"),
        "SYSTEM",
        &[],
        &["ControlSet001", "ControlSet003"],
    );
}

/// The identity in real SYSTEM hives, by its structure. There is no public SOFTWARE hive.
#[test]
fn real_hives_say_what_their_windows_is() {
    let Some(corpus) = corpus() else {
        return;
    };
    // Windows XP and 7 do not store the machine on which they ran, nor the build that shut down.
    for (path, logs, sets, agents, newer) in [
        ("regipy/SYSTEM_B", &[".LOG1", ".LOG2"][..], 1, 0, true),
        ("regipy/SYSTEM", &[], 2, 1, false),
        ("winevt-kb/SYSTEM", &[], 2, 0, false),
    ] {
        let volume = Volume::empty("Windows/System32/config");
        let from = corpus.join("hives").join(path);
        let config = "Windows/System32/config/SYSTEM";
        volume.put(config, &from);
        for log in logs {
            let from = from.with_extension(log.trim_start_matches('.'));
            volume.put(&format!("{config}{log}"), &from);
        }
        let identity = volume.inspect(&RECIPES).expect(path).identity;
        let name = identity.computer_name.as_deref().expect(path);
        assert!((1..=15).contains(&name.chars().count()), "{path}");
        assert!(identity.time_zone.expect(path).ends_with(" Time"), "{path}");
        assert!(
            identity.last_shutdown.expect(path).starts_with("20"),
            "{path}"
        );
        assert_eq!(identity.last_boot_on.is_some(), newer, "{path}");
        assert_eq!(identity.build.is_some(), newer, "{path}");
        assert_eq!(identity.control_sets, Some(sets), "{path}");
        assert_eq!(
            identity.agents.map(|found| found.len()),
            Some(agents),
            "{path}"
        );
        assert_eq!(identity.product_name, None, "{path}");
        let unread: Vec<_> = identity.unread.iter().map(|unread| unread.hive).collect();
        assert_eq!(unread, ["SOFTWARE"], "{path}");
    }
}

#[test]
fn a_real_damaged_hive_is_refused() {
    let Some(corpus) = corpus() else {
        return;
    };
    let volume = Volume::empty("Windows/System32/config");
    let damaged = corpus.join("hives/regipy/corrupted_system_hive");
    volume.put("Windows/System32/config/SYSTEM", &damaged);
    let before = volume.snapshot();
    let error = volume.repair(&RECIPES).expect_err("damaged");
    assert_eq!(error.class(), Class::Refused, "{error}");
    same(&volume.snapshot(), &before, "damaged");
}
