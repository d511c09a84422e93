//! The storage of a run's journal and undo data: its run file or, as in earlier versions, a folder
//! with a file for each. Runs of earlier versions can be read. The first journal that is written to
//! such a run replaces the old journal by a run file.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Access, Dir, File};

use super::journal::MAX_OLD_LEN;
use super::keepers;
use super::run_file::{Append, Frames, Kind, Part};

/// The journal of a run of an earlier version.
pub(super) const JOURNAL: &str = "journal.json";
const JOURNAL_NEW: &str = "journal.json.new";
/// The last journal of such a run that was made durable, if a later one couldn't be.
pub(super) const JOURNAL_DURABLE: &str = "journal.json.durable";

/// The journal and undo data of a run.
pub(super) struct Log {
    dir: Rc<dyn Dir>,
    /// The name of the run file, or of the file that replaces it.
    name: String,
    state: RefCell<State>,
}

/// The form in which a run is stored.
#[derive(Debug)]
pub(super) enum Form {
    /// A run file.
    Frames(Frames),
    /// A folder with a journal as JSON.
    Json,
}

struct State {
    form: Form,
    /// The frames that are being added.
    append: Option<Append>,
    /// True if the name of the run file is durable.
    is_named: bool,
}

impl Log {
    /// For a new run with a newly created file.
    pub(super) fn begin(dir: Rc<dyn Dir>, name: String, file: Box<dyn File>) -> io::Result<Self> {
        let append = Append::at(file, 0)?;
        let state = State {
            form: Form::Frames(Frames::default()),
            append: Some(append),
            is_named: false,
        };
        Ok(Self::with(dir, name, state))
    }

    /// For a run that was found.
    pub(super) fn found(dir: Rc<dyn Dir>, name: String, form: Form) -> Self {
        let state = State {
            form,
            append: None,
            is_named: true,
        };
        Self::with(dir, name, state)
    }

    fn with(dir: Rc<dyn Dir>, name: String, state: State) -> Self {
        let state = RefCell::new(state);
        Self { dir, name, state }
    }

    /// Its name for display.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// True if the run file's name is durable. In a new run the first journal makes it durable,
    /// together with the name of the run's own folder.
    pub(super) fn is_named(&self) -> bool {
        self.state.borrow().is_named
    }

    /// The reason why somebody else may have written to it, if there is one.
    pub(super) fn doubt(&self) -> Option<String> {
        keepers::doubt_of_file(self.dir.as_ref(), &self.name)
    }

    /// Adds undo data. They become durable with the journal that names them.
    pub(super) fn add(
        &self,
        kind: Kind,
        number: u32,
        body: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let State {
            form: Form::Frames(frames),
            append: Some(append),
            ..
        } = &mut *state
        else {
            return Err(io::Error::other("undo data of a run that has begun"));
        };
        frames.push(append.frame(kind, number, body)?);
        Ok(())
    }

    /// Adds a journal and makes it durable, together with everything added before.
    ///
    /// # Errors
    /// The system's error. Then the previous journal stays the last one, and the next addition
    /// replaces this one.
    pub(super) fn add_journal(&self, journal: &[u8]) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let (mut append, number) = match (state.append.take(), &state.form) {
            (Some(append), Form::Frames(frames)) => (append, frames.journals()),
            (None, Form::Frames(frames)) => {
                let file = self.dir.open(&self.name, Access::ReadWrite)?;
                (Append::at(file, frames.end())?, frames.journals())
            }
            (_, Form::Json) => {
                remove_if_there(self.dir.as_ref(), JOURNAL_NEW)?;
                (Append::at(self.dir.create(JOURNAL_NEW)?, 0)?, 0)
            }
        };
        let frame = append.frame(Kind::Journal, number.saturating_add(1), |write| {
            write(journal)
        })?;
        append.flush()?;
        match &mut state.form {
            Form::Frames(frames) => {
                if !state.is_named {
                    self.dir.sync()?;
                    state.is_named = true;
                }
                frames.push(frame);
            }
            Form::Json => {
                self.dir.replace(JOURNAL_NEW, &self.name)?;
                self.dir.sync()?;
                let mut frames = Frames::default();
                frames.push(frame);
                state.form = Form::Frames(frames);
                remove_if_there(self.dir.as_ref(), JOURNAL_DURABLE)?;
            }
        }
        Ok(())
    }

    /// The undo data with this kind and number; `None` if the run file has none.
    pub(super) fn part(&self, kind: Kind, number: u32) -> io::Result<Option<Part>> {
        let state = self.state.borrow();
        let Form::Frames(frames) = &state.form else {
            return Ok(None);
        };
        let Some(frame) = frames.part(kind, number) else {
            return Ok(None);
        };
        let file = self.dir.open(&self.name, Access::Read)?;
        Ok(Some(Part::of_frame(file, frame)))
    }

    /// Reads the journal.
    pub(super) fn journal(&self) -> io::Result<Vec<u8>> {
        let file = self.dir.open(&self.name, Access::Read)?;
        let mut state = self.state.borrow_mut();
        match &mut state.form {
            Form::Frames(frames) => {
                let read = frames.read_journal(file.as_ref())?;
                read.ok_or_else(|| io::Error::other("it has no journal any more"))
            }
            Form::Json => {
                let len = file.len()?;
                let fits = usize::try_from(len).ok().filter(|_| len <= MAX_OLD_LEN);
                let mut bytes = vec![0; fits.ok_or(io::ErrorKind::FileTooLarge)?];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(bytes)
            }
        }
    }
}

pub(super) fn remove_if_there(dir: &dyn Dir, name: &str) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
