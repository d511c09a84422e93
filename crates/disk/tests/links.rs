//! A disk is untrusted input: nothing on it leads out of the target or blocks.

#![cfg(test)]
#![cfg(unix)]

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use diskmend_disk::{Access, Kind, LookupError, NotRegular, OpenError, Target, folder_and_name};
use tempfile::TempDir;

const HIVE: [&str; 4] = ["Windows", "System32", "config", "SYSTEM"];
const SECRET: &[u8] = b"the recovery machine's own bytes";

/// A target with a hive, beside a folder tree of the same shape with a hive that must not be
/// reached.
struct Trap {
    dir: TempDir,
}

impl Trap {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for root in ["target", "outside"] {
            fs::create_dir_all(dir.path().join(root).join("Windows/System32/config")).unwrap();
        }
        let trap = Self { dir };
        fs::write(trap.target().join(HIVE.join("/")), b"regf").unwrap();
        fs::write(trap.outside().join(HIVE.join("/")), SECRET).unwrap();
        trap
    }

    fn target(&self) -> std::path::PathBuf {
        self.dir.path().join("target")
    }

    fn outside(&self) -> std::path::PathBuf {
        self.dir.path().join("outside")
    }

    /// Replaces the component at `depth` by a link to `to`.
    fn plant(&self, depth: usize, to: &Path) -> String {
        let component = HIVE[..=depth].join("/");
        let path = self.target().join(&component);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(to, &path).unwrap();
        component
    }

    fn assert_outside_untouched(&self) {
        assert_eq!(
            fs::read(self.outside().join(HIVE.join("/"))).unwrap(),
            SECRET
        );
        let names = fs::read_dir(self.outside().join("Windows/System32/config")).unwrap();
        assert_eq!(names.count(), 1);
    }
}

#[test]
fn a_link_at_any_component_is_refused_and_named() {
    for depth in 0..HIVE.len() {
        for relative in [false, true] {
            let trap = Trap::new();
            let to = HIVE[..=depth].join("/");
            let to = if relative {
                let up = "../".repeat(depth + 1);
                format!("{up}outside/{to}").into()
            } else {
                trap.outside().join(to)
            };
            let planted = trap.plant(depth, &to);
            assert_eq!(
                fs::read(trap.target().join(HIVE.join("/"))).unwrap(),
                SECRET,
                "the trap works for those who follow links"
            );

            let target = Target::open(&trap.target()).unwrap();
            for components in [HIVE, ["WINDOWS", "system32", "CONFIG", "system"]] {
                match target.root().find(&components) {
                    Err(LookupError::Link { path }) => assert_eq!(path, Path::new(&planted)),
                    other => panic!("link at {planted}: {other:?}"),
                }
            }
            trap.assert_outside_untouched();
        }
    }
}

#[test]
fn a_link_that_stays_inside_of_the_target_is_refused_too() {
    let trap = Trap::new();
    let config = trap.target().join("Windows/System32/config");
    fs::rename(config.join("SYSTEM"), config.join("SYSTEM.real")).unwrap();
    symlink("SYSTEM.real", config.join("SYSTEM")).unwrap();
    let target = Target::open(&trap.target()).unwrap();
    assert!(matches!(
        target.root().find(&HIVE),
        Err(LookupError::Link { .. })
    ));
}

/// The folder is looked up before the link replaces the file.
#[test]
fn a_link_planted_after_the_lookup_is_refused_by_every_operation() {
    let trap = Trap::new();
    let target = Target::open(&trap.target()).unwrap();
    let found = target
        .root()
        .find(&HIVE)
        .unwrap()
        .expect("the hive is there");
    trap.plant(3, &trap.outside().join(HIVE.join("/")));
    let folder = found.dir.as_ref();

    for access in [Access::Read, Access::ReadWrite] {
        let error = found.open(access).expect_err("a link");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        assert_eq!(inner, Some(&NotRegular { kind: Kind::Link }));
    }
    let error = folder.create("SYSTEM").expect_err("a link");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(folder.metadata("SYSTEM").unwrap().kind, Kind::Link);

    folder.create("new").unwrap();
    folder.replace("new", "SYSTEM").unwrap();
    assert_eq!(folder.metadata("SYSTEM").unwrap().kind, Kind::File);
    trap.assert_outside_untouched();
}

/// An open folder stays the same folder even if its path is redirected.
#[test]
fn a_folder_swapped_for_a_link_does_not_redirect_an_open_one() {
    let trap = Trap::new();
    let target = Target::open(&trap.target()).unwrap();
    let found = target
        .root()
        .find(&HIVE)
        .unwrap()
        .expect("the hive is there");
    fs::rename(trap.target().join("Windows"), trap.target().join("moved")).unwrap();
    symlink(
        trap.outside().join("Windows"),
        trap.target().join("Windows"),
    )
    .unwrap();

    let mut file = found.open(Access::ReadWrite).unwrap();
    file.write_all_at(b"REGF", 0).unwrap();
    found.dir.create("SYSTEM.new").unwrap();
    trap.assert_outside_untouched();
    assert!(
        trap.target()
            .join("moved/System32/config/SYSTEM.new")
            .exists()
    );
}

#[test]
fn a_link_is_no_folder_to_open() {
    let trap = Trap::new();
    trap.plant(0, &trap.outside().join("Windows"));
    let target = Target::open(&trap.target()).unwrap();
    target.root().open_dir("Windows").expect_err("a link");
    let names = target.root().names(10).unwrap();
    let kind = target.root().metadata(&names[0]).unwrap().kind;
    assert_eq!(kind, Kind::Link);
    target.root().remove_file("Windows").unwrap();
    trap.assert_outside_untouched();
}

#[test]
fn names_that_lead_elsewhere_are_refused_everywhere() {
    let trap = Trap::new();
    let target = Target::open(&trap.target()).unwrap();
    let root = target.root();
    for name in ["..", "../outside", "Windows/System32", "/etc", "."] {
        let refused = [
            root.open(name, Access::Read).err(),
            root.create(name).err(),
            root.open_dir(name).err(),
            root.create_dir(name).err(),
            root.remove_file(name).err(),
            root.remove_dir(name).err(),
            root.replace(name, "x").err(),
            root.replace("Windows", name).err(),
            root.metadata(name).err(),
        ];
        for error in refused {
            let error = error.expect(name);
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        match target.root().find(&[name, "x"]) {
            Err(LookupError::Io { source, .. }) => {
                assert_eq!(source.kind(), io::ErrorKind::InvalidInput);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    trap.assert_outside_untouched();
}

#[test]
fn a_fifo_or_socket_in_place_of_the_hive_is_refused_without_waiting() {
    let trap = Trap::new();
    let hive = trap.target().join(HIVE.join("/"));
    let target = Target::open(&trap.target()).unwrap();

    let refused = || {
        let found = target
            .root()
            .find(&HIVE)
            .unwrap()
            .expect("something is there");
        assert_eq!(found.kind(), Kind::Other);
        for access in [Access::Read, Access::ReadWrite] {
            let error = found.open(access).expect_err("not a file");
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            assert_eq!(inner, Some(&NotRegular { kind: Kind::Other }));
        }
    };

    fs::remove_file(&hive).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &hive, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    refused();

    fs::remove_file(&hive).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&hive).unwrap();
    refused();
}

#[test]
fn a_file_named_by_a_person_may_be_reached_through_links_but_not_be_one() {
    let trap = Trap::new();
    let shortcut = trap.dir.path().join("shortcut");
    symlink(trap.target().join("Windows/System32/config"), &shortcut).unwrap();
    let (folder, name) = folder_and_name(&shortcut.join("SYSTEM")).unwrap();
    assert_eq!(name, "SYSTEM");
    assert_eq!(folder.open(&name, Access::Read).unwrap().len().unwrap(), 4);
    folder_and_name(&shortcut.join("not there yet")).unwrap();

    symlink("SYSTEM", shortcut.join("SYSTEM.link")).unwrap();
    let refused = folder_and_name(&shortcut.join("SYSTEM.link"));
    assert!(matches!(refused, Err(OpenError::Link { .. })));
    let refused = folder_and_name(&shortcut.join(".."));
    assert!(matches!(refused, Err(OpenError::NoFileName { .. })));
    let refused = folder_and_name(&trap.dir.path().join("nowhere/SYSTEM"));
    assert!(matches!(refused, Err(OpenError::NotFound { .. })));
    let refused = folder_and_name(&shortcut.join("SYSTEM/x"));
    assert!(matches!(refused, Err(OpenError::NotAFolder { .. })));
}
