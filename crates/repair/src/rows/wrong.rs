//! What is wrong in a recipe's file, and where.

use std::ops::Range;

use toml::Spanned;

/// What is wrong, and where in the text.
pub(crate) struct Wrong {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// Says what is wrong with a field.
pub(crate) fn wrong<T>(at: &Spanned<T>) -> impl Fn(String) -> Wrong + '_ {
    |message| Wrong {
        span: at.span(),
        message,
    }
}

/// Says what is wrong at a place.
pub(crate) fn wrong_at(span: Range<usize>) -> impl Fn(&str) -> Wrong {
    move |message| Wrong {
        span: span.clone(),
        message: message.to_owned(),
    }
}

/// Text for a person: it says something, and nothing that a terminal would act on.
pub(crate) fn sentence(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("say something".to_owned());
    }
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(c) => Err(format!("{c:?} is not accepted here")),
        None => Ok(()),
    }
}
