//! Helpers for the tests of recipes.

use super::Recipe;

/// Checks that a recipe is refused after `from` was replaced by `to`, and that the error names the
/// place (line and column) and contains `say`.
pub(crate) fn refused(good: &str, (from, to): (&str, &str), place: &str, say: &str) {
    let text = good.replace(from, to);
    assert_ne!(text, good, "{from}");
    let error = Recipe::parse("own.toml", &text).expect_err(to).to_string();
    let place = format!("own.toml:{place}: ");
    assert!(error.contains(&place), "{to}: {error}");
    assert!(error.contains(say), "{to}: {error}");
}
