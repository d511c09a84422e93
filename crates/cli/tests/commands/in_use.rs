//! A hive that another program has open, as Windows has all loaded hives.

use std::fs::OpenOptions;
use std::os::windows::fs::OpenOptionsExt;

use crate::fixture::Volume;
use crate::program::diskmend;

#[test]
fn a_hive_that_is_loaded_is_left_and_the_hint_says_how_to_unload_it() {
    let volume = Volume::new();
    let before = volume.hives();
    let loaded = OpenOptions::new()
        .read(true)
        .write(true)
        .share_mode(0)
        .open(volume.system())
        .expect("a file");
    for command in ["inspect", "repair"] {
        let mut args = vec![command, volume.root(), "tls"];
        args.extend((command == "repair").then_some("--yes"));
        diskmend(args).ends(1).says("hint: ").says("reg unload");
    }
    drop(loaded);
    assert_eq!(volume.hives(), before);
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
}
