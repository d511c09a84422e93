//! An error in a recipe's file, with its place.

use std::ops::Range;

use toml::Spanned;

/// What is wrong, with the place in the text.
pub(crate) struct Wrong {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// An error in a field.
pub(crate) fn wrong<T>(at: &Spanned<T>) -> impl Fn(String) -> Wrong + '_ {
    |message| Wrong {
        span: at.span(),
        message,
    }
}

/// An error at a place.
pub(crate) fn wrong_at(span: Range<usize>) -> impl Fn(&str) -> Wrong {
    move |message| Wrong {
        span: span.clone(),
        message: message.to_owned(),
    }
}

/// Checks text for display: it isn't empty and holds no control characters except line
/// feeds.
pub(crate) fn sentence(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("say something".to_owned());
    }
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(c) => Err(format!("'{c}' is not accepted here")),
        None => Ok(()),
    }
}
