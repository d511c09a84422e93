//! The names of recipes, and of what is named in the same way.

/// Checks the name of a recipe, or of anything else that is named in the same way.
pub(crate) fn recipe_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    if starts && name.len() <= 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "\"{name}\" can't be a name: a name has up to 64 lower-case letters, digits and \
         hyphens, and starts with a letter"
    ))
}
