//! The folder in which diskmend works, and its output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::disk::Tree;
use super::sample::Holder;

/// The key of the recovery machine, below the folder, because that machine loses power too.
pub(crate) const KEY: &str = "machine/key";
/// The greatest number of commands after which a disk must be settled.
const MOST_UNDOS: usize = 4;

/// The files of a target with their bytes.
pub(super) type Content = BTreeMap<PathBuf, Rc<Vec<u8>>>;

/// A target in a folder of its own.
pub(super) struct Bench {
    diskmend: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) holder: Holder,
}

/// A run in the output of `runs`.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) unfinished: bool,
}

impl Bench {
    pub(super) fn new(diskmend: PathBuf, folder: PathBuf, holder: Holder) -> Self {
        Self {
            diskmend,
            folder,
            holder,
        }
    }

    /// A command of diskmend on the target, with the target after its name.
    pub(super) fn command(&self, name: &str, more: &[&str]) -> Command {
        let mut command = Command::new(&self.diskmend);
        command.args([name, self.holder.target()]).args(more);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.env("DISKMEND_KEY_FILE", self.folder.join(KEY));
        command
    }

    /// Runs a command and returns its output.
    pub(super) fn run(&self, name: &str, more: &[&str]) -> Result<Output> {
        self.command(name, more).output().context("diskmend")
    }

    /// Runs a command that must succeed.
    pub(super) fn succeed(&self, name: &str, more: &[&str]) -> Result<()> {
        let output = self.run(name, more)?;
        expect_success(&output).with_context(|| format!("{name} {}", more.join(" ")))
    }

    fn json(&self, name: &str, more: &[&str]) -> Result<Value> {
        let output = self.run(name, &[more, &["--json"]].concat())?;
        serde_json::from_slice(&output.stdout).with_context(|| said(&output))
    }

    /// The runs, oldest first.
    pub(super) fn runs(&self) -> Result<Vec<Run>> {
        let list = self.json("runs", &[])?;
        let runs = list.get("runs").and_then(Value::as_array).context("runs")?;
        let text = |run: &Value, name: &str| {
            let text = run.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let is = |run: &Value, name: &str| run.get(name) == Some(&Value::Bool(true));
        Ok(runs
            .iter()
            .map(|run| Run {
                name: text(run, "run"),
                state: text(run, "state"),
                unfinished: is(run, "unfinished"),
            })
            .collect())
    }

    /// The value of each setting that these recipes name.
    pub(super) fn settings(&self, recipes: &[&str]) -> Result<BTreeMap<String, String>> {
        let inspection = self.json("inspect", recipes)?;
        let rows = inspection.get("rows").and_then(Value::as_array);
        let setting = |row: &Value| {
            let member = |name| row.get(name).map(Value::to_string).unwrap_or_default();
            (member("key") + " " + &member("value"), member("current"))
        };
        Ok(rows.context("rows")?.iter().map(setting).collect())
    }

    /// The content of the folder.
    pub(super) fn tree(&self) -> Result<Tree> {
        Tree::read(&self.folder)
    }

    /// The content of the target.
    pub(super) fn content(&self) -> Result<Content> {
        let holder = self.holder;
        Ok(self.tree()?.files(&|path: &Path| holder.holds(path)))
    }

    /// Follows the advice of `runs` and the messages until no run is unfinished.
    pub(super) fn settle(&self) -> Result<()> {
        for _ in 0..MOST_UNDOS {
            let runs = self.runs()?;
            let Some(run) = runs.iter().rev().find(|run| run.unfinished) else {
                return Ok(());
            };
            self.succeed("undo", &[&run.name, "--yes"])?;
        }
        bail!("a run is still unfinished: {:?}", self.runs()?)
    }

    /// Undoes a run, unless it already is undone.
    pub(super) fn undo(&self, name: &str) -> Result<()> {
        let runs = self.runs()?;
        let run = runs.iter().find(|run| run.name == name);
        match run.context("the run is gone")?.state.as_str() {
            "undone" => Ok(()),
            _ => self.succeed("undo", &[name, "--yes"]),
        }
    }

    /// Fails if the target isn't as it was.
    pub(super) fn expect_content(&self, wanted: &Content) -> Result<()> {
        let found = self.content()?;
        for (path, bytes) in wanted {
            let now = found.get(path);
            let now = now.with_context(|| format!("{} is gone", path.display()))?;
            if let Some(at) = first_difference(bytes, now) {
                bail!("{} differs from byte {at} on", path.display());
            }
        }
        let new = found.keys().find(|path| !wanted.contains_key(*path));
        ensure!(new.is_none(), "{new:?} was not there");
        Ok(())
    }
}

fn first_difference(old: &[u8], new: &[u8]) -> Option<usize> {
    if old == new {
        return None;
    }
    let same = old.iter().zip(new).take_while(|(old, new)| old == new);
    Some(same.count())
}

/// Fails with the command's output, unless the command has succeeded.
pub(super) fn expect_success(output: &Output) -> Result<()> {
    ensure!(output.status.success(), "{}", said(output));
    Ok(())
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    let text = [String::from_utf8_lossy(out), String::from_utf8_lossy(err)].concat();
    format!("{}: {}", output.status, text.trim())
}
