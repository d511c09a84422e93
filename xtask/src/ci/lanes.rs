//! Runs steps as processes, and shows the output of each as a whole when it ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// The first line of the file in which a step's process says how the step ended.
const PASSED: &str = "passed";
const FAILED: &str = "failed";

/// One line of the summary.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) step: &'static str,
    pub(super) took: Duration,
    pub(super) result: Result<String>,
}

/// Makes the command that runs a step and says in a file how it ended ([`tell`]).
type Start = Box<dyn Fn(&str, &Path) -> Command + Send + Sync>;

/// Runs steps.
pub(super) struct Runner {
    folder: PathBuf,
    start: Start,
    out: Mutex<Box<dyn Write + Send>>,
    /// The process groups of the steps that are running.
    running: Mutex<BTreeMap<&'static str, rustix::process::Pid>>,
}

impl Runner {
    /// Keeps the output of each step in `folder`, and shows it on `out`.
    pub(super) fn new(folder: PathBuf, start: Start, out: Box<dyn Write + Send>) -> Self {
        Self {
            folder,
            start,
            out: Mutex::new(out),
            running: Mutex::new(BTreeMap::new()),
        }
    }

    /// Runs the steps of each lane one after another, and the lanes beside each other. A failure
    /// stops nothing. The outcomes are in the order of the lanes.
    pub(super) fn run(&self, lanes: &[Vec<&'static str>]) -> Vec<Outcome> {
        thread::scope(|scope| {
            let lane = |steps: &'_ [&'static str]| {
                let steps = steps.to_vec();
                scope.spawn(move || steps.into_iter().map(|step| self.step(step)).collect())
            };
            let started: Vec<_> = lanes.iter().map(|steps| lane(steps)).collect();
            let ended = started
                .into_iter()
                .zip(lanes)
                .map(|(lane, steps)| lane.join().unwrap_or_else(|_| vec![crashed(steps)]));
            ended.flatten().collect()
        })
    }

    fn step(&self, step: &'static str) -> Outcome {
        let start = Instant::now();
        let result = self.process(step);
        let shown = self.show(step, result.as_ref().err());
        Outcome {
            step,
            took: start.elapsed(),
            result: result.and_then(|note| shown.map(|()| note)),
        }
    }

    fn output(&self, step: &str) -> PathBuf {
        self.folder.join(format!("{}.txt", step.replace(' ', "-")))
    }

    fn process(&self, step: &'static str) -> Result<String> {
        let path = self.output(step);
        let told = path.with_extension("result");
        if told.exists() {
            fs::remove_file(&told)?;
        }
        let output = File::create(&path).with_context(|| path.display().to_string())?;
        let mut command = (self.start)(step, &told);
        let errors = output.try_clone()?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // A group of its own, so that all it has started can be ended.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = {
            // Between the start and the entry in the list nothing can end the run.
            let mut running = lock(&self.running);
            let child = command.spawn().context("the step did not start")?;
            running.insert(step, rustix::process::Pid::from_child(&child));
            child
        };
        let status = child.wait();
        lock(&self.running).remove(step);
        let status = status?;
        match fs::read_to_string(&told) {
            Ok(text) => match text.split_once('\n') {
                Some((PASSED, note)) if status.success() => Ok(note.to_owned()),
                Some((FAILED, error)) => Err(anyhow!("{error}")),
                _ => bail!("{status}, though it said {text:?}"),
            },
            Err(_) => bail!("{status}, and it did not say why"),
        }
    }

    /// Shows the output of a step as a whole.
    fn show(&self, step: &str, error: Option<&anyhow::Error>) -> Result<()> {
        let mut out = lock(&self.out);
        writeln!(out, "\n=== {step} ===")?;
        let output = fs::read(self.output(step))?;
        out.write_all(&output)?;
        if !output.ends_with(b"\n") && !output.is_empty() {
            writeln!(out)?;
        }
        if let Some(error) = error {
            writeln!(out, "FAILED: {error:#}")?;
        }
        Ok(out.flush()?)
    }

    /// Ends the steps that are running and shows their output so far. No other step starts until
    /// the result is dropped.
    pub(super) fn stop(&self) -> impl Sized + '_ {
        let running = lock(&self.running);
        for (step, group) in &*running {
            // If it has just ended, there is nothing to end.
            let _ = rustix::process::kill_process_group(*group, rustix::process::Signal::TERM);
            // If the output can't be shown, the file remains.
            let _ = self.show(step, Some(&anyhow!("stopped")));
        }
        running
    }
}

/// Writes how a step has ended to the file from which [`Runner`] reads it.
pub(super) fn tell(file: &Path, result: &Result<String>) -> Result<()> {
    let text = match result {
        Ok(note) => format!("{PASSED}\n{note}"),
        Err(error) => format!("{FAILED}\n{error:#}"),
    };
    fs::write(file, text).with_context(|| file.display().to_string())
}

fn crashed(steps: &[&'static str]) -> Outcome {
    Outcome {
        step: steps.first().copied().unwrap_or("a lane"),
        took: Duration::ZERO,
        result: Err(anyhow!("the lane that begins with this step has crashed")),
    }
}

/// The content of a lock. If a thread has panicked, what it was writing is shown nevertheless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    /// What was shown so far.
    #[derive(Clone, Default)]
    struct Shown(Arc<Mutex<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shown {
        fn text(&self) -> String {
            String::from_utf8(lock(&self.0).clone()).expect("UTF-8")
        }
    }

    struct Bench {
        runner: Runner,
        shown: Shown,
        // The scripts run here.
        _folder: tempfile::TempDir,
    }

    /// Steps that are scripts with the file `$result`.
    fn bench(scripts: &'static [(&'static str, &'static str)]) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let work = folder.path().to_owned();
        let start = move |step: &str, result: &Path| {
            let script = scripts.iter().find(|(name, _)| *name == step);
            let mut shell = Command::new("sh");
            shell.args(["-c", script.expect("a script").1]);
            shell.env("result", result).current_dir(&work);
            shell
        };
        let shown = Shown::default();
        let out = folder.path().join("out");
        fs::create_dir(&out).expect("a folder");
        Bench {
            runner: Runner::new(out, Box::new(start), Box::new(shown.clone())),
            shown,
            _folder: folder,
        }
    }

    /// The names of the steps with their notes or errors.
    fn told(outcomes: &[Outcome]) -> Vec<(&'static str, String)> {
        let said = |outcome: &Outcome| match &outcome.result {
            Ok(note) => format!("ok {note}"),
            Err(error) => format!("{error:#}"),
        };
        let line = |outcome: &Outcome| (outcome.step, said(outcome));
        outcomes.iter().map(line).collect()
    }

    #[test]
    fn a_failure_or_a_crash_stops_nothing_and_loses_nothing() {
        let bench = bench(&[
            (
                "good",
                "echo out; echo err >&2; printf 'passed\\n3 of 3' > $result",
            ),
            (
                "bad",
                "echo tried; printf 'failed\\nwhy:\\nso' > $result; exit 1",
            ),
            ("crash", "echo before; kill -KILL $$"),
            ("liar", "printf 'passed\\n' > $result; exit 4"),
            ("mute", "printf 'the end without a new line'"),
            ("last", "printf 'passed\\n' > $result"),
        ]);
        let steps = vec!["good", "bad", "crash", "liar", "mute", "last"];
        let outcomes = bench.runner.run(&[steps]);
        let told = told(&outcomes);
        assert_eq!(told[0], ("good", "ok 3 of 3".to_owned()));
        assert_eq!(told[1], ("bad", "why:\nso".to_owned()));
        assert!(told[2].1.starts_with("signal: 9"), "{told:?}");
        assert!(told[3].1.starts_with("exit status: 4"), "{told:?}");
        assert!(told[4].1.contains("did not say"), "{told:?}");
        assert_eq!(told[5], ("last", "ok ".to_owned()));
        let shown = bench.shown.text();
        for part in [
            "=== good ===\nout\nerr\n",
            "=== bad ===\ntried\nFAILED: why:\nso\n",
            "=== crash ===\nbefore\nFAILED: signal: 9",
            "the end without a new line\nFAILED",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    /// Each of the first steps ends only when the other has begun.
    #[test]
    fn lanes_run_beside_each_other_and_outputs_stay_whole() {
        let bench = bench(&[
            (
                "a",
                "echo a; touch a; until [ -e b ]; do sleep 0.01; done; echo a; printf 'passed\\n' > $result",
            ),
            (
                "b",
                "echo b; touch b; until [ -e a ]; do sleep 0.01; done; echo b; printf 'passed\\n' > $result",
            ),
            ("c", "printf 'passed\\n' > $result"),
        ]);
        let outcomes = bench.runner.run(&[vec!["a"], vec!["b", "c"]]);
        let ok = || "ok ".to_owned();
        assert_eq!(told(&outcomes), [("a", ok()), ("b", ok()), ("c", ok())]);
        let shown = bench.shown.text();
        for step in ["a", "b"] {
            let whole = format!("=== {step} ===\n{step}\n{step}\n");
            assert!(shown.contains(&whole), "{shown}");
        }
    }

    #[test]
    fn what_is_stopped_is_ended_with_all_it_started_and_shown() {
        let bench = bench(&[("long", "echo so far; touch begun; sleep 600 & wait")]);
        let began = Instant::now();
        thread::scope(|scope| {
            let run = scope.spawn(|| bench.runner.run(&[vec!["long"]]));
            while fs::read(bench.runner.output("long")).map_or(true, |text| text.is_empty()) {
                thread::sleep(Duration::from_millis(5));
            }
            let held = bench.runner.stop();
            let shown = bench.shown.text();
            assert_eq!(shown, "\n=== long ===\nso far\nFAILED: stopped\n");
            drop(held);
            let outcomes = run.join().expect("no panic");
            assert!(told(&outcomes)[0].1.starts_with("signal: 15"));
        });
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
