//! The `[[boot_store]]` rows: a boot store that is missing or can't be read.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{About, Claim, Kind, Shown, Wrong, sentence, wrong};

const REBUILD: &str = "rebuild";

/// A boot store that is missing, empty or can't be read is built anew for the target's Windows. A
/// store that can be read is never touched.
#[derive(Clone, Debug)]
pub struct BootStoreRow {
    why: String,
}

/// The fields in a recipe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootStoreFile {
    action: Spanned<String>,
    why: Spanned<String>,
}

/// The row in the JSON of `diskmend recipes`.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    action: &'static str,
    why: &'a str,
}

impl Kind for BootStoreRow {
    type Written = BootStoreFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: BootStoreFile) -> Result<Self, Wrong> {
        let BootStoreFile { action, why } = written;
        if action.get_ref() != REBUILD {
            return Err(wrong(&action)(format!(
                "no action \"{}\": expected \"{REBUILD}\"",
                action.get_ref()
            )));
        }
        sentence(why.get_ref()).map_err(wrong(&why))?;
        Ok(Self {
            why: why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::NewStore
    }

    /// It is about no store that another row could change in the same run.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            action: REBUILD,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: "Boot store".to_owned(),
            lines: vec![
                "if it is missing, empty or can't be read: is built anew for this Windows"
                    .to_owned(),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::recipe::test_support::refused;

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[[boot_store]]\naction = 'rebuild'\nwhy = 'because'\n";

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("'rebuild'", "'delete'", "8:10", "no action \"delete\""),
            ("'because'", "''", "9:7", "say something"),
            (
                "why = 'because'",
                "fault = 'missing'\nwhy = 'x'",
                "9:1",
                "fault",
            ),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
