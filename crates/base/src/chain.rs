//! Errors with their causes.

use std::error::Error;

/// An error and its causes in one line, without repeating any of them.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors already contain the text of their cause.
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Failure(&'static str, Option<Box<Failure>>);

    impl fmt::Display for Failure {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Failure {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn every_cause_is_named_once() {
        let of = |text, cause| Failure(text, Some(Box::new(cause)));
        let inner = || Failure("inner", None);
        assert_eq!(chain(&inner()), "inner");
        assert_eq!(chain(&of("outer", of("inner", inner()))), "outer: inner");
        let told = of("outer (inner)", of("middle", inner()));
        assert_eq!(chain(&told), "outer (inner): middle");
    }
}
