//! The names that are most similar to a misspelled one.

/// The longest name to compare; the time grows with the square of it.
const MAX_LEN: usize = 64;

/// The known names that the user most likely meant: those that begin with what was typed, or else
/// those that take the fewest edits, if these are few. Case is ignored.
pub(crate) fn nearest<'a>(typed: &str, known: &'a [String]) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let length = typed.chars().count();
    if length == 0 || length > MAX_LEN {
        return Vec::new();
    }
    let known = known.iter().map(String::as_str);
    let begun = known
        .clone()
        .filter(|name| length > 1 && name.to_lowercase().starts_with(&typed));
    let begun: Vec<&str> = begun.collect();
    if !begun.is_empty() {
        return begun;
    }
    // One edit in three characters: more would make unrelated short names similar.
    let most = (length / 3).max(1);
    let near = known.filter_map(|name| {
        let edits = strsim::osa_distance(&typed, &name.to_lowercase());
        (edits <= most && edits < length && name.len() <= MAX_LEN).then_some((edits, name))
    });
    let near: Vec<(usize, &str)> = near.collect();
    let least = near.iter().map(|(edits, _)| *edits).min();
    let near = near.into_iter().filter(|(edits, _)| Some(*edits) == least);
    near.map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_found_and_an_unrelated_one_is_not() {
        let known = ["tls", "nla", "crash-dump", "safe-mode-on", "safe-mode-off"];
        let known = known.map(str::to_owned);
        for (typed, meant) in [
            ("tsl", &["tls"][..]),
            ("TLS1", &["tls"]),
            ("nlaa", &["nla"]),
            ("crashdump", &["crash-dump"]),
            ("crash_dmup", &["crash-dump"]),
            ("crash", &["crash-dump"]),
            ("Safe-Mode", &["safe-mode-on", "safe-mode-off"]),
            ("safe-mode-of", &["safe-mode-off"]),
            ("", &[]),
            ("t", &[]),
            ("x", &[]),
            ("xyz", &[]),
            ("nothing", &[]),
            ("ä-ö-ü", &[]),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
        let long = "tls".repeat(50_000);
        assert!(nearest(&long, &known).is_empty());
    }
}
