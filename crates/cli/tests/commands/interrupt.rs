//! Signals during a change: whenever they come, the hive has its old or its new content.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;
use crate::program::{command, diskmend};

#[test]
fn a_signal_leaves_the_old_state_with_130_or_the_new_one_with_0() {
    let mut text = String::from("Windows Registry Editor Version 5.00\n");
    for key in 0..400 {
        let _ = write!(text, "\n[Many\\Key{key}]\n");
        for value in 0..10 {
            let _ = writeln!(text, "\"{value}\"=\"some text\"");
        }
    }
    let (mut old, mut new) = (0, 0);
    for delay in [0, 2, 5, 10, 20, 40, 80, 160, 320, 640, 2000] {
        let fixture = Fixture::new();
        let before = fs::read(fixture.system()).expect("readable");
        let reg = fixture.path("many.reg");
        fs::write(&reg, &text).expect("writable");
        let file = fixture.system();
        let file = file.to_str().expect("UTF-8");
        let mut child = command([
            "hive",
            "import",
            file,
            reg.to_str().expect("UTF-8"),
            "--yes",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
        std::thread::sleep(Duration::from_millis(delay));
        // It may already have ended.
        let _ = kill_process(Pid::from_child(&child), Signal::INT);
        let status = child.wait().expect("it ends");
        let after = fs::read(file).expect("readable");
        match status.code() {
            Some(0) => {
                new += 1;
                diskmend(["hive", "get", file, r"Many\Key399", "9"]).ends(0);
            }
            // Before the program handles the signal, the signal ends it like any program.
            Some(130) | None => {
                old += 1;
                assert_eq!(after, before, "after {delay} ms");
            }
            other => panic!("ended with {other:?} after {delay} ms"),
        }
        diskmend(["hive", "check", file]).ends(0);
    }
    println!("{old} times the old state, {new} times the new one");
}
