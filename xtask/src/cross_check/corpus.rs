//! `cargo xtask conformance`: checks every real hive of a corpus, edits it if that is allowed,
//! compares it with other programs, and undoes the edits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::chkreg::{Chkreg, Verdict};
use super::content::differences;
use super::tools::{self, Tool};
use super::{crashes, edits, event_logs, recipes};
use crate::{program, workspace};

const CORPUS: &str = "DISKMEND_CORPUS";
const PAGE: &str = "docs/conformance.md";
const BEGIN: &str = "<!-- table: cargo xtask conformance --write -->\n";
const END: &str = "<!-- end of table -->\n";

/// What to do with the result.
#[derive(clap::Args)]
pub struct CorpusOptions {
    /// Write the table to docs/conformance.md
    #[arg(long)]
    pub write: bool,
    /// Only let chkreg replay what power failures during a commit leave
    #[arg(long, conflicts_with = "write")]
    pub crashes: bool,
    /// Only compare with python-evtx, from the Python Package Index, what diskmend reads of every
    /// event log (*.evtx) below $DISKMEND_CORPUS and $DISKMEND_EVENT_LOGS
    #[arg(long, conflicts_with_all = ["write", "crashes"])]
    pub events: bool,
    /// Only let chkreg check every hive that a recipe writes in the tests of the catalogue
    #[arg(long, conflicts_with_all = ["write", "crashes", "events"])]
    pub recipes: bool,
}

/// Tries all hives below `$DISKMEND_CORPUS/hives`.
///
/// # Errors
/// If a hive does not give the expected result, or a program is missing.
pub fn run_corpus(options: &CorpusOptions) -> Result<()> {
    if options.events {
        return conclude(event_logs::compare()?);
    }
    if options.recipes {
        let chkreg = Chkreg::find()?.context("DISKMEND_CHKREG is not set")?;
        return conclude(recipes::check(&chkreg)?);
    }
    let corpus = PathBuf::from(std::env::var_os(CORPUS).context("DISKMEND_CORPUS is not set")?);
    let root = corpus.join("hives");
    let chkreg = Chkreg::find()?;
    if options.crashes {
        let chkreg = chkreg.context("DISKMEND_CHKREG is not set")?;
        return conclude(crash(&chkreg, &root)?);
    }
    let diskmend = program::diskmend(true)?;
    let mut table = String::from(
        "| hive | state | check | edited | check after | hivexregedit | hivexget | undone |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut failures = 0;
    for hive in hives(&root)? {
        let name = hive.strip_prefix(&root)?.to_string_lossy().into_owned();
        let row = Trial::new(&diskmend, chkreg.as_ref(), &hive)?
            .run()
            .with_context(|| name.clone())?;
        failures += row.failures.len();
        for failure in &row.failures {
            println!("FAILED: {name}: {failure}");
        }
        writeln!(table, "| {name} | {} |", row.cells.join(" | "))?;
    }
    print!("{table}");
    if let Some(chkreg) = &chkreg {
        failures += crash(chkreg, &root)?;
    } else {
        // Repeat the line about a missing chkreg, because the table has scrolled it away.
        Chkreg::find()?;
    }
    if options.write {
        write(&table)?;
    }
    conclude(failures)
}

fn conclude(failures: usize) -> Result<()> {
    if failures > 0 {
        bail!("{failures} failures");
    }
    Ok(())
}

/// Has chkreg replay the states that power failures leave. Returns the number of failures.
fn crash(chkreg: &Chkreg, hives: &Path) -> Result<usize> {
    let fixtures = workspace::root()?.join("fixtures");
    let failed = crashes::run(chkreg, &fixtures, hives)?;
    for failure in &failed {
        println!("FAILED: {failure}");
    }
    Ok(failed.len())
}

/// All files below `root` except logs, in order.
fn hives(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let is_log = path
                .extension()
                .is_some_and(|extension| extension.to_string_lossy().starts_with("LOG"));
            if path.is_dir() {
                folders.push(path);
            } else if !is_log {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Default)]
struct Row {
    cells: Vec<String>,
    failures: Vec<String>,
}

impl Row {
    fn cell(&mut self, text: impl Into<String>) {
        self.cells.push(text.into());
    }

    /// Notes `yes`, or the failure.
    fn verdict(&mut self, failure: Option<String>) {
        self.cell(if failure.is_some() { "**no**" } else { "yes" });
        self.failures.extend(failure);
    }
}

/// One hive, copied with its logs into a folder of its own.
struct Trial<'a> {
    diskmend: &'a Path,
    chkreg: Option<&'a Chkreg>,
    folder: tempfile::TempDir,
    hive: PathBuf,
    row: Row,
}

impl<'a> Trial<'a> {
    fn new(diskmend: &'a Path, chkreg: Option<&'a Chkreg>, source: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let name = source.file_name().context("a file")?;
        let hive = folder.path().join(name);
        std::fs::write(&hive, std::fs::read(source)?)?;
        for suffix in [".LOG", ".LOG1", ".LOG2"] {
            let with_suffix = |path: &Path| {
                let mut path = path.as_os_str().to_owned();
                path.push(suffix);
                PathBuf::from(path)
            };
            if let Ok(log) = std::fs::read(with_suffix(source)) {
                std::fs::write(with_suffix(&hive), log)?;
            }
        }
        Ok(Self {
            diskmend,
            chkreg,
            folder,
            hive,
            row: Row::default(),
        })
    }

    fn run(mut self) -> Result<Row> {
        let untouched = self.files()?;
        let Some(report) = self.check()? else {
            self.row.cell("refused");
            self.refused(&untouched)?;
            return Ok(self.row);
        };
        self.row.cell(if report.dirty {
            "dirty, recovered"
        } else {
            "clean"
        });
        self.row.cell(report.text());
        if report.errors > 0 {
            self.refused(&untouched)?;
            return Ok(self.row);
        }
        if self.files()? != untouched {
            self.row.failures.push("the check wrote".to_owned());
        }

        let Ok(mut expected) = tools::ours(self.diskmend, &self.hive) else {
            self.row
                .cell("not compared: a name has no form in registry text");
            self.empty_cells(4);
            return Ok(self.row);
        };
        if expected.len() < 2 {
            // The edits delete a key that existed before them.
            self.diskmend(&["hive", "set", &self.path(), "Before", "v", "REG_DWORD", "1"])?;
            expected = tools::ours(self.diskmend, &self.hive)?;
        }
        let loaded = self.loads()?;
        edits::edit(self.diskmend, &self.hive, &mut expected)?;
        self.still_loads(loaded)?;
        let after = tools::ours(self.diskmend, &self.hive)?;
        let wrong = differences(&after, &expected, |a, b| a == b);
        self.row.verdict(wrong.into_iter().next());
        match self.check()? {
            Some(after) if after.errors == 0 => {
                self.row.cell(after.text());
            }
            after => {
                let text = after.map_or("not opened".to_owned(), |after| after.text());
                self.row.cell(text.clone());
                self.row.failures.push(format!("check after edits: {text}"));
            }
        }
        for tool in [Tool::HivexRegedit, Tool::HivexGet] {
            let mut ours = after.clone();
            let left_out = tool.leave_out(&mut ours);
            match tool.compare(&self.hive, &ours) {
                Ok(wrong) if wrong.is_empty() => self.row.cell(match left_out {
                    Some((count, reason)) => format!("agrees but for {count} values: {reason}"),
                    None => "agrees".to_owned(),
                }),
                Ok(wrong) => {
                    self.row.cell("**differs**");
                    let first = wrong.first().cloned().unwrap_or_default();
                    self.row.failures.push(format!("{}: {first}", tool.name()));
                }
                Err(error) => self.row.cell(format!(
                    "can't read it: {}",
                    format!("{error:#}").lines().next().unwrap_or_default()
                )),
            }
        }
        self.undo(&untouched)?;
        Ok(self.row)
    }

    /// For a hive that may not be edited: the attempt must fail and change nothing.
    fn refused(&mut self, untouched: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        let arguments = [
            "hive",
            "set",
            &self.path(),
            "New",
            "v",
            "REG_DWORD",
            "1",
            "--yes",
        ];
        let output = program::run(self.diskmend, &arguments)?;
        let code = output.status.code().unwrap_or(-1);
        if self.row.cells.len() < 2 {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = error.lines().next().unwrap_or_default();
            let shown = line.replace(&*self.path(), "FILE").replace('|', "\\|");
            self.row.cell(shown);
        }
        self.row.cell(format!("refused, exit {code}"));
        if !matches!(code, 1 | 5) {
            self.row
                .failures
                .push(format!("exit code {code} of an edit"));
        }
        if self.files()? != *untouched {
            self.row.failures.push("a refused edit wrote".to_owned());
        }
        self.empty_cells(4);
        Ok(())
    }

    /// The reason why Windows rejects the hive as it is, according to chkreg; `None` if Windows
    /// loads it, or if chkreg is missing.
    fn loads(&self) -> Result<Option<String>> {
        match self.chkreg.map(|chkreg| chkreg.check(&self.hive)) {
            None => Ok(None),
            Some(verdict) => Ok(match verdict? {
                Verdict::Loads => None,
                Verdict::Rejected(why) => Some(why),
            }),
        }
    }

    /// Checks that Windows still loads the hive after the edits, if it did before.
    fn still_loads(&mut self, before: Option<String>) -> Result<()> {
        match (before, self.loads()?) {
            (None, Some(after)) => {
                let failure = format!("chkreg rejects it after edits: {after}");
                self.row.failures.push(failure);
            }
            (Some(before), None) => {
                println!(
                    "{}: chkreg rejected it before the edits only: {before}",
                    self.path()
                );
            }
            (Some(before), Some(_)) => {
                println!(
                    "{}: chkreg rejects it, as before the edits: {before}",
                    self.path()
                );
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn empty_cells(&mut self, count: usize) {
        for _ in 0..count {
            self.row.cell("");
        }
    }

    fn undo(&mut self, untouched: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        let state = self.hive.with_extension("state");
        let folder = self.folder.path().to_string_lossy().into_owned();
        for state in [Some(&state), None] {
            loop {
                let mut arguments = vec!["undo", &*folder, "--yes"];
                let text = state.map(|path| path.to_string_lossy().into_owned());
                if let Some(text) = &text {
                    arguments.extend(["--state-dir", text]);
                }
                if !program::run(self.diskmend, &arguments)?.status.success() {
                    break;
                }
            }
        }
        let same = self.files()? == *untouched;
        let failure = (!same).then(|| "undo did not restore the bytes".to_owned());
        self.row.verdict(failure);
        Ok(())
    }

    fn path(&self) -> String {
        self.hive.to_string_lossy().into_owned()
    }

    fn diskmend(&self, arguments: &[&str]) -> Result<()> {
        let mut arguments = arguments.to_vec();
        arguments.push("--yes");
        program::stdout(self.diskmend, &arguments).map(drop)
    }

    /// The result of `hive check`; `None` if the file can't be opened as a hive.
    fn check(&self) -> Result<Option<Checked>> {
        let output = program::run(self.diskmend, &["hive", "check", &*self.path(), "--json"])?;
        if !matches!(output.status.code(), Some(0 | 3)) {
            return Ok(None);
        }
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| report.get(name).and_then(serde_json::Value::as_u64);
        Ok(Some(Checked {
            dirty: report.get("dirty").is_some_and(|dirty| !dirty.is_null()),
            errors: number("errors").context("errors")?,
            warnings: number("warnings").context("warnings")?,
        }))
    }

    /// All files directly in the folder.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.is_file() {
                files.insert(path.clone(), std::fs::read(path)?);
            }
        }
        Ok(files)
    }
}

struct Checked {
    dirty: bool,
    errors: u64,
    warnings: u64,
}

impl Checked {
    fn text(&self) -> String {
        match (self.errors, self.warnings) {
            (0, 0) => "no problems".to_owned(),
            (0, warnings) => format!("{warnings} warnings"),
            (errors, warnings) => format!("{errors} errors, {warnings} warnings"),
        }
    }
}

/// Replaces the table in docs/conformance.md.
fn write(table: &str) -> Result<()> {
    let path = workspace::root()?.join(PAGE);
    let page = std::fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(BEGIN).context("no begin of the table")?;
    let (_, after) = rest.split_once(END).context("no end of the table")?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}
