//! The two streams that the program writes to, and the question that it may ask.

use std::fmt::Display;
use std::io::{self, BufRead, BufWriter, IsTerminal, LineWriter, Write};

use anstyle::Style;
use diskmend_base::escape::Visible;
use maud::Markup;
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use super::page::Page;
use super::{json, style};
use crate::common::Common;
use crate::exit::Exit;
use crate::failure::Failure;

/// The output streams and their format.
pub(crate) struct Console {
    /// Text is passed on line by line, so that it keeps its order with messages on stderr.
    out: Box<dyn Write>,
    json: bool,
    verbose: bool,
    width: Option<usize>,
    page: Option<Page>,
}

impl Console {
    /// The process's own streams, with the format from the common options.
    pub(crate) fn new(common: &Common) -> Self {
        common.color.apply();
        Self {
            out: if common.json {
                Box::new(BufWriter::new(anstream::stdout()))
            } else {
                Box::new(LineWriter::new(anstream::stdout()))
            },
            json: common.json,
            verbose: common.verbose > 0,
            width: terminal_size_of(io::stdout()).map(|(Width(width), _)| width.into()),
            page: None,
        }
    }

    /// True if the user wants results as JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// True if the user wants more output.
    pub(crate) fn verbose(&self) -> bool {
        self.verbose
    }

    /// The width of the terminal that shows the results; `None` for a file or a pipe, where nothing
    /// is cut off.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// The stream for results as text.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// The stream for results as bytes, which are not interpreted as terminal commands.
    pub(crate) fn bytes(&self) -> impl Write + use<> {
        BufWriter::new(io::stdout())
    }

    /// Writes a result as a JSON document.
    pub(crate) fn document<T: Serialize>(&mut self, body: &T) -> io::Result<()> {
        json::write(&mut self.out, body)
    }

    /// Writes a result of the engine, which already contains its schema, as a JSON document.
    pub(crate) fn engine_document<T: Serialize>(&mut self, document: &T) -> io::Result<()> {
        json::whole(&mut self.out, document)
    }

    /// Keeps a page for the result, which is written when the command has ended.
    pub(crate) fn begin_page(&mut self, page: Page) {
        self.page = Some(page);
    }

    /// Lets the page say what the Windows on the target is, if the user wants a page.
    pub(crate) fn page_windows(&mut self, windows: impl FnOnce() -> Option<Markup>) {
        if let Some(page) = &mut self.page {
            page.windows = windows();
        }
    }

    /// Sets the content of the page, if the user wants one. A later content replaces it.
    pub(crate) fn page(&mut self, content: impl FnOnce() -> Markup) {
        if let Some(page) = &mut self.page {
            page.content = Some(content());
        }
    }

    /// The page to write at the end.
    pub(crate) fn take_page(&mut self) -> Option<Page> {
        self.page.take()
    }

    /// Prints the result of a command that ends with `exit`.
    ///
    /// A closed pipe is the reader's choice: the changes stay, and the exit code does too.
    pub(crate) fn show(
        &mut self,
        exit: Exit,
        print: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<Exit, Failure> {
        match print(self).and_then(|()| self.flush()) {
            Ok(()) => Ok(exit),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
            Err(error) => Err(error.into()),
        }
    }

    /// Prints why a command failed, and returns its exit code.
    pub(crate) fn fail(&mut self, failure: &Failure) -> Exit {
        if failure.is_closed_pipe() {
            return failure.exit();
        }
        if self.json {
            // If stdout fails, the text below still goes to stderr.
            let _ = self.document(failure).and_then(|()| self.flush());
        }
        error(failure.message());
        failure.hints().iter().for_each(hint);
        failure.exit()
    }

    /// Flushes all output.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Prints a note, which is not part of the result.
pub(crate) fn note(text: impl Display) {
    say("note", style::FAINT, &text);
}

/// Prints a warning.
pub(crate) fn warn(text: impl Display) {
    say("warning", style::WARNING, &text);
}

/// Prints the error that ends the program.
pub(crate) fn error(text: impl Display) {
    say("error", style::BAD, &text);
}

/// Prints a hint what to do about it.
pub(crate) fn hint(text: impl Display) {
    say("hint", style::GOOD, &text);
}

fn say(label: &str, style: Style, text: &dyn Display) {
    let text = text.to_string();
    // One line, whatever the text contains: no part of it can imitate another message.
    let text = Visible(&text);
    // One write call: another process may write to the same terminal or log.
    let line = format!("{style}{label}:{style:#} {text}\n");
    // If stderr is closed, nobody can read the message.
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// True if the program can ask the user: both the question and the answer go through a terminal.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question. Only a clear yes confirms it.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    let mut stderr = anstream::stderr();
    stderr.write_all(format!("{} [y/N] ", Visible(question)).as_bytes())?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}
