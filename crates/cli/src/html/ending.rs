//! How a command ended.

use maud::{Markup, html};

use super::shown;
use crate::exit::Exit;
use crate::failure::Failure;

/// How a command ended.
pub(crate) struct Ending<'a> {
    pub(crate) exit: Exit,
    pub(crate) failure: Option<&'a Failure>,
}

pub(super) fn ending(ending: &Ending<'_>) -> Markup {
    let meaning = ending.exit.meaning();
    html! {
        section aria-labelledby="result" {
            h2 id="result" { "The result" }
            @match ending.failure {
                Some(failure) => {
                    p.verdict { span.bad { "Failed: " } (shown(failure.message())) }
                    @if !failure.hints().is_empty() {
                        p { "What to do:" }
                        ul { @for hint in failure.hints() { li { (shown(hint)) } } }
                    }
                },
                None if ending.exit == Exit::Done => p.verdict { span.good { "Exit code 0" } ": " (meaning) },
                None => p.verdict {
                    span.warn { "Exit code " (ending.exit.code()) } ": " (meaning)
                },
            }
            @if ending.failure.is_some() { p { "Exit code " (ending.exit.code()) ": " (meaning) } }
        }
    }
}
