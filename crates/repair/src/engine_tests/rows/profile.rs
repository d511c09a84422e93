//! `[[profile]]` rows.

use super::*;

const LIST: &str = r"Microsoft\Windows NT\CurrentVersion\ProfileList";
const OWN: &str = r"C:\Users\admin";
const TEMPORARY: &str = r"C:\Users\TEMP.CORP.000";

/// A disk with these folders for a user's key and the one that was put aside, and the registry of
/// the user in the folder `Users/admin`.
fn with(plain: &str, aside: &str) -> FaultyDisk {
    let keys = ["", ".bak"].map(|end| format!(r"{LIST}\S-1-5-21-1{end}"));
    let values = [
        (keys[0].as_str(), "ProfileImagePath", text(plain)),
        (keys[0].as_str(), "State", number(0x204)),
        (keys[0].as_str(), "Temporary", number(1)),
        (keys[1].as_str(), "profileimagepath", text(aside)),
        (keys[1].as_str(), "State", number(0x8000)),
        (keys[1].as_str(), "RefCount", number(3)),
        (keys[1].as_str(), "Sid", number(9)),
    ];
    let disk = disk(&[], &values);
    disk.put("Users/admin/NTUSER.DAT", b"regf".to_vec());
    disk
}

fn named(disk: &FaultyDisk) -> Vec<String> {
    built_in("profile-bak", |recipes| {
        assert_eq!(planned(disk, recipes, Goal::Faults), [], "it is a choice");
        let found = planned(disk, recipes, Goal::Desired).into_iter();
        let name = |key: String| key.strip_prefix(LIST).expect("a user").to_owned();
        found
            .map(|(key, value, new)| format!("{} {value}={new}", &name(key)[1..]))
            .collect()
    })
}

#[test]
fn the_keys_of_a_user_change_places() {
    let broken = with(TEMPORARY, OWN);
    assert_eq!(
        named(&broken),
        [
            r#"S-1-5-21-1 profileimagepath="C:\Users\admin""#,
            "S-1-5-21-1 RefCount=0",
            "S-1-5-21-1 Sid=9",
            "S-1-5-21-1 State=0",
            "S-1-5-21-1 Temporary=deleted",
            r#"S-1-5-21-1.bak profileimagepath="C:\Users\TEMP.CORP.000""#,
            "S-1-5-21-1.bak RefCount=deleted",
            "S-1-5-21-1.bak Sid=deleted",
            "S-1-5-21-1.bak State=516 (0x204)",
            "S-1-5-21-1.bak Temporary=1",
        ]
    );
    built_in("profile-bak", |recipes| {
        repaired(&broken, recipes, Goal::Desired);
    });
    for path in [r"%SystemDrive%\Users\admin", r"c:\USERS\ADMIN"] {
        assert!(!named(&with(r"C:\Users\TEMP", path)).is_empty(), "{path}");
    }
}

#[test]
fn profiles_that_are_not_temporary_or_not_there_stay() {
    for (plain, aside) in [
        (OWN, TEMPORARY),
        (OWN, OWN),
        (r"C:\Users\template", OWN),
        (TEMPORARY, TEMPORARY),
        (TEMPORARY, r"C:\Users\other"),
        (TEMPORARY, r"D:\Users\admin"),
        (TEMPORARY, r"C:\Users\..\Users\admin"),
        (TEMPORARY, ""),
    ] {
        assert_eq!(named(&with(plain, aside)), [""; 0], "{plain} {aside}");
    }
    let empty = with(TEMPORARY, OWN);
    empty.put("Users/admin/NTUSER.DAT", Vec::new());
    assert_eq!(named(&empty), [""; 0], "an empty registry");
    let key = format!(r"{LIST}\S-1-5-21-1.bak");
    let alone = disk(&[], &[(key.as_str(), "ProfileImagePath", text(OWN))]);
    alone.put("Users/admin/NTUSER.DAT", b"regf".to_vec());
    assert_eq!(named(&alone), [""; 0], "one key");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let row = "[[profile]]\nrestore = 'backup'\nwhy = 'w'\n";
    recipe(row);
    for (from, to, place, say) in [
        ("'backup'", "'all'", "7:11", "no \"all\""),
        ("'w'", "''", "8:7", "say something"),
        ("why = 'w'", "why = 'w'\nfault = 'exists'", "9:1", "fault"),
    ] {
        refused(&row.replacen(from, to, 1), place, say);
    }
}
