//! The user's own rules, in files.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use diskmend_repair::diagnosis::Rules;
use diskmend_repair::recipe::Catalogue;

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest number of bytes to read. It exceeds the limit for a file of rules, so that a file
/// that is too long is recognized.
const MAX_READ: u64 = 1 << 20;

/// The user's own rules.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleFiles {
    /// Also go by the rules in this file; may be repeated
    #[arg(id = "rule_files", long = "rule", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl RuleFiles {
    /// All rules. Each recipe that they name must be one of `recipes`.
    pub(crate) fn load(&self, recipes: &Catalogue) -> Result<Rules, Failure> {
        let mut rules = Rules::built_in()?;
        for path in &self.files {
            let shown = path.display().to_string();
            let mut text = String::new();
            File::open(path)
                .and_then(|file| file.take(MAX_READ).read_to_string(&mut text))
                .map_err(|error| {
                    Failure::of(Exit::Usage, &error).context(format_args!("rule file {shown}"))
                })?;
            rules.add(&shown, &text)?;
        }
        rules.check_recipes(recipes)?;
        Ok(rules)
    }
}
