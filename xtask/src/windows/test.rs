//! `cargo xtask windows test`: runs the tests under Wine.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::compiler::Compiler;
use super::wine::{Volume, Wine};
use super::{parity, setup};
use crate::test_run::{self, Failed};
use crate::{cargo, workspace};

const VOLUME: &str = "volume{6469736b-6d65-6e64-0000-746573747300}";
/// The libraries that only compute, and do the same on every system, are left out.
const ALL: [&str; 14] = [
    "--workspace",
    "--exclude",
    "diskmend-acl",
    "--exclude",
    "diskmend-base",
    "--exclude",
    "diskmend-bcd",
    "--exclude",
    "diskmend-fuzz",
    "--exclude",
    "diskmend-hive",
    "--no-fail-fast",
    "--",
    "--show-output",
];
/// Up to this number of failures may be Wine's own.
const FEW: usize = 3;

/// Runs the tests that `arguments` name; without arguments, runs all tests and then the comparison.
pub(super) fn run(arguments: &[String]) -> Result<String> {
    let wine = setup::wine()?;
    if arguments.is_empty() {
        // The result of the comparison is useful even if a test has failed.
        return both(all(), parity::run(&wine));
    }
    let named: Vec<&str> = arguments.iter().map(String::as_str).collect();
    cargo_test(&setup::compiler()?, &wine, &named)
}

/// Runs all tests.
pub(super) fn all() -> Result<String> {
    let (compiler, wine) = (setup::compiler()?, setup::wine()?);
    let run = |which: &[&str]| cargo_test(&compiler, &wine, which);
    run(&ALL).or_else(|error| once_more(error, run))
}

fn cargo_test(compiler: &Compiler, wine: &Wine, which: &[&str]) -> Result<String> {
    let mut test = compiler.cargo("test", which)?;
    wine.run_tests_of(&mut test);
    let _volumes = volumes(wine, &mut test)?;
    wine.keep_server()?;
    test_run::run(&mut test)
}

/// Joins the results of the tests and of the comparison, so that the failure of one of them does
/// not hide the other's.
fn both(counts: Result<String>, compared: Result<String>) -> Result<String> {
    match (counts, compared) {
        (Ok(counts), Ok(compared)) => Ok(format!("{counts}; {compared}")),
        (Ok(counts), Err(failed)) => Err(failed.context(format!("the comparison ({counts})"))),
        (Err(failed), Ok(compared)) => Err(failed.context(format!("the tests ({compared})"))),
        (Err(failed), Err(too)) => bail!("the tests: {failed:#}; and the comparison: {too:#}"),
    }
}

/// Wine sometimes fails to run one of the thousands of programs that the tests start, or a whole
/// test program. If few tests have failed, their test programs are run once more. The output of the
/// first attempt is shown nevertheless.
fn once_more(error: anyhow::Error, run: impl Fn(&[&str]) -> Result<String>) -> Result<String> {
    let failed = match error.downcast::<Failed>() {
        Ok(failed)
            if failed.names().len() <= FEW && (1..=FEW).contains(&failed.targets().len()) =>
        {
            failed
        }
        Ok(failed) => return Err(failed.into()),
        Err(error) => return Err(error),
    };
    println!("FAILED UNDER WINE, tried once more: {failed}");
    let mut results = Vec::new();
    for target in failed.targets() {
        let mut which: Vec<&str> = target.split(' ').collect();
        which.extend(["--no-fail-fast", "--", "--show-output"]);
        let counts = run(&which).with_context(|| format!("also when tried once more: {failed}"))?;
        results.push(format!("{target}: {counts}"));
    }
    Ok(format!(
        "passed when tried once more: {}",
        results.join("; ")
    ))
}

/// The volumes that some tests need; environment variables name them.
fn volumes(wine: &Wine, test: &mut Command) -> Result<[Volume; 3]> {
    let folder = workspace::output("windows-volume")?;
    let own = wine.system_drive();
    let by_path = format!("Z:{}", own.display());
    test.env(
        "DISKMEND_TEST_DRIVES",
        format!(r"R:\|\\?\R:\|\\?\{VOLUME}\"),
    );
    test.env("DISKMEND_TEST_OWN", format!(r"S:\|{by_path}"));
    Ok([
        wine.volume("r:", &folder)?,
        wine.volume("s:", &own)?,
        wine.volume(VOLUME, &folder)?,
    ])
}

/// Runs the lints.
pub(super) fn clippy() -> Result<String> {
    let compiler = setup::compiler()?;
    cargo::run(&mut compiler.clippy()?)?;
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use anyhow::anyhow;

    use super::*;

    fn tried(failed: Failed, fails: &str) -> (Result<String>, Vec<String>) {
        let tried = RefCell::new(Vec::new());
        let result = once_more(failed.into(), |which| {
            let which = which.join(" ");
            let found = which.contains(fails);
            tried.borrow_mut().push(which);
            if found {
                bail!("again")
            } else {
                Ok("3 passed".to_owned())
            }
        });
        (result, tried.into_inner())
    }

    #[test]
    fn whole_programs_are_tried_once_more() {
        let targets = ["-p a --test one", "-p b --lib"];
        let (result, which) = tried(Failed::of(&targets, &["x::y"]), "nothing");
        let expected =
            "passed when tried once more: -p a --test one: 3 passed; -p b --lib: 3 passed";
        assert_eq!(result.expect("passed"), expected);
        let more = "--no-fail-fast -- --show-output";
        assert_eq!(which, targets.map(|target| format!("{target} {more}")));
        let (result, _) = tried(Failed::of(&targets, &[]), "-p b");
        result.expect_err("fails again");
    }

    #[test]
    fn the_failure_of_a_test_does_not_hide_the_comparison() {
        let told = |tests: bool, comparison: bool| {
            let of = |ok: bool, what: &str| {
                let (good, bad) = (format!("{what} good"), anyhow!("{what} bad"));
                if ok { Ok(good) } else { Err(bad) }
            };
            match both(of(tests, "tests"), of(comparison, "disks")) {
                Ok(told) => (true, told),
                Err(error) => (false, format!("{error:#}")),
            }
        };
        for (tests, comparison) in [(true, true), (true, false), (false, true), (false, false)] {
            let (passed, told) = told(tests, comparison);
            assert_eq!(passed, tests && comparison, "{told}");
            for (what, ok) in [("tests", tests), ("disks", comparison)] {
                let expected = if ok { "good" } else { "bad" };
                assert!(told.contains(&format!("{what} {expected}")), "{told}");
            }
        }
    }

    #[test]
    fn many_failures_and_such_of_no_program_stay_failures() {
        for (targets, names) in [
            (&[][..], &["x"][..]),
            (&["-p a"; 4], &["x"]),
            (&["-p a"], &["v", "w", "x", "y"]),
        ] {
            let (result, which) = tried(Failed::of(targets, names), "nothing");
            result.expect_err("a failure");
            assert!(which.is_empty());
        }
    }
}
