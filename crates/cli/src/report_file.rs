//! `--report FILE`: the result of a command as a page for a ticket.

use std::io;
use std::path::{Path, PathBuf};

use diskmend_disk::{Target, guard, is_on};
use diskmend_repair::hive_file::HivePath;
use diskmend_repair::{Engine, hive_file};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::hive_arg::shown;
use crate::hive_target::is_hive_file;
use crate::html::{self, Ending};
use crate::new_file;
use crate::output::console::{Console, error, hint, note};
use crate::output::page::Page;
use crate::progress::Steps;
use crate::volume_root::volume_root;

/// The option of every command that looks at a disk or changes it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ReportArgs {
    /// Also write the result to this new file, as a page of HTML for a ticket. The file can't be on
    /// the disk that the command is about
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl ReportArgs {
    /// Fails if the page of a command about this target could not be written. If the user wants the
    /// page, the console will write it.
    pub(crate) fn about(&self, target: &Path, console: &mut Console) -> Result<(), Failure> {
        self.check_and_begin(target, console, |path| refuse_on(path, target))
    }

    /// Does the same for a command about a hive file, which may be on a Windows volume.
    pub(crate) fn about_hive(&self, file: &Path, console: &mut Console) -> Result<(), Failure> {
        self.check_and_begin(file, console, |path| {
            let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            let mut folders = whole.ancestors().skip(1);
            let own = hive_file::target_of(file).ok();
            // The root of a boot store's volume need not have a Windows.
            let own =
                own.filter(|root| !whole.parent().is_some_and(|folder| is_same(root, folder)));
            let root = folders.find(|folder| is_windows(folder));
            match own.as_deref().or(root) {
                Some(root) => refuse_on(path, root),
                None => Ok(()),
            }
        })
    }

    /// Does the same for a command about a hive file that may be on an unmounted disk.
    pub(crate) fn about_file(&self, file: &HivePath, console: &mut Console) -> Result<(), Failure> {
        match file {
            HivePath::File(path) => self.about_hive(path, console),
            HivePath::OnDisk { disk, .. } => {
                self.check_and_begin(&shown(file), console, |path| refuse_on(path, disk))
            }
        }
    }

    /// Does the same for a command about a target that may also be a hive file.
    pub(crate) fn about_any(&self, target: &Path, console: &mut Console) -> Result<(), Failure> {
        if is_hive_file(target) {
            self.about_hive(target, console)
        } else {
            self.about(target, console)
        }
    }

    /// Does the same for a command that is about all disks.
    pub(crate) fn about_all(&self, console: &mut Console) -> Result<(), Failure> {
        self.check_and_begin("disks of this machine".as_ref(), console, |_| Ok(()))
    }

    fn check_and_begin(
        &self,
        subject: &Path,
        console: &mut Console,
        check: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(path) = &self.report else {
            return Ok(());
        };
        new_file::can_be_made(path)?;
        check(path)?;
        console.begin_page(Page {
            path: path.clone(),
            subject: subject.display().to_string(),
            windows: None,
            content: None,
        });
        Ok(())
    }
}

/// Fails if the file would be on this target.
pub(crate) fn refuse_on(file: &Path, target: &Path) -> Result<(), Failure> {
    let folder = new_file::folder_of(file);
    match is_on(folder, &volume_root(target)) {
        Ok(false) => Ok(()),
        Ok(true) => {
            let message = format!(
                "{}: this is on the disk that the command is about",
                file.display()
            );
            Err(Failure::new(Exit::Refused, message).hint("keep the page on this machine's disk"))
        }
        // The command itself says what is wrong with the target.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let what = format!(
                "{}: cannot find out whether this is on {}",
                file.display(),
                target.display()
            );
            Err(Failure::of(Exit::Failure, &error).context(what))
        }
    }
}

/// True if both paths are known to mean the same folder.
fn is_same(one: &Path, other: &Path) -> bool {
    let one = if one.as_os_str().is_empty() {
        Path::new(".")
    } else {
        one
    };
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// True if Windows is on the volume with this root.
fn is_windows(root: &Path) -> bool {
    Target::open(root).is_ok_and(|target| guard::windows_volume(&target).is_ok())
}

/// Lets the page say what the Windows on the target is, if the user wants a page and there is one.
pub(crate) fn identify(console: &mut Console, engine: &Engine) {
    console.page_windows(|| {
        guard::windows_volume(engine.target()).ok()?;
        let mut steps = Steps::start();
        Some(html::identity(engine.facts(&mut steps.watch()).identity()))
    });
}

/// Writes the page of a command that ended with `exit`, and returns the exit code of the program.
pub(crate) fn write(page: &Page, command: &str, exit: Exit, failure: Option<&Failure>) -> Exit {
    if exit == Exit::Usage {
        // The command has not begun, and the user will repeat it with this name of the file.
        return exit;
    }
    let title = format!("diskmend {command}: {}", page.subject);
    let ending = Ending { exit, failure };
    let parts = [page.windows.as_ref(), page.content.as_ref()];
    let content = html::page_of(&title, &ending, parts).into_string();
    match new_file::write_whole(&page.path, content.as_bytes()) {
        Ok(()) => {
            note(format_args!("the page is in {}", page.path.display()));
            exit
        }
        Err(failure) => {
            error(format_args!("no page was written: {}", failure.message()));
            failure.hints().iter().for_each(hint);
            hint(hints::NO_REPORT);
            exit.without_report()
        }
    }
}
