//! The document of a saved plan (docs/plans.md describes it). All of it is sealed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use diskmend_base::hex::Hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::boot_volume::{BootChoice, LoaderChoice};
use crate::documents::{
    AclReport, Change, FileChange, HiveStatus, PlanReport, SkippedHive, StoreStatus,
};
use crate::engine::Engine;
use crate::error::{Error, PlanFileError};
use crate::facts::names_of;
use crate::hive_on_disk::FileRead;
use crate::identity::{TargetIdentity, WindowsNames};
use crate::progress::Watch;
use crate::recipe::{Origin, Recipe};
use crate::run::Draft;

pub(super) const FORMAT: &str = "diskmend-plan";
pub(super) const SCHEMA: u32 = 1;
/// The version of this program.
pub(super) const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// What the seal covers lacks this end.
const END: &[u8] = b"\n}\n";

/// A saved plan. `P` is what a person reviews: of this program when the document is written, and
/// any JSON when it is read, because it is only compared.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<P> {
    /// [`FORMAT`].
    pub(super) format: String,
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// The version of diskmend that made it.
    pub(super) program: String,
    /// The time at which it was made; UTC, RFC 3339.
    pub(super) created: String,
    /// The disk that it is for.
    pub(super) target: SavedTarget,
    /// The chosen recipes, with bundles replaced by their parts.
    pub(super) recipes: Vec<PlannedRecipe>,
    /// True if only faults are repaired (`--auto`).
    pub(super) auto: bool,
    /// The serial port that the recipes set.
    pub(super) serial: Serial,
    /// The choice of a boot store.
    pub(super) boot: Boot,
    /// The hives, logs and boot stores that were read.
    pub(super) files: Vec<FileRead>,
    /// The security descriptors that were read.
    pub(super) permissions: Option<Read>,
    /// What was found, and every change.
    pub(super) plan: P,
}

/// The disk that a plan is for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedTarget {
    /// The target as named by the user; only for a person.
    pub(super) name: String,
    /// The numbers of the volume and the disk.
    pub(super) identity: TargetIdentity,
    /// The number of the partition, on an unmounted disk.
    pub(super) partition: Option<u32>,
    /// The Windows on it.
    pub(super) windows: WindowsNames,
}

/// A recipe that the plan was made from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlannedRecipe {
    pub(super) name: String,
    /// The name of its file, or `built-in`.
    pub(super) origin: String,
    /// The values of its parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parameters: BTreeMap<String, String>,
    /// The SHA-256 of its text.
    sha256: String,
    /// Its text, if it does not come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// The serial port that the recipes set, if they set one.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Serial {
    pub(super) port: Option<u64>,
    pub(super) baud_rate: Option<u64>,
}

/// The choice of a boot store. The paths are absolute.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boot {
    pub(super) volume: Option<PathBuf>,
    pub(super) store: Option<PathBuf>,
    pub(super) loaders: Loaders,
}

/// The choice of loaders.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Loaders {
    /// The one that certainly starts the target's Windows.
    Default,
    /// All that start it.
    All,
    /// The one with this GUID.
    Named(String),
}

/// The security descriptors that were read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    /// The number of files and folders that would get another descriptor.
    to_change: u64,
    /// The SHA-256 of the path, the descriptor and the planned descriptor of everything that was
    /// read.
    sha256: String,
}

/// The part of a plan that a person reviews: the document of `plan --json` without what depends on
/// how the target was named, and without remarks.
#[derive(Debug, Serialize)]
pub(super) struct Reviewed<'a> {
    pub(super) changes: &'a [Change],
    pub(super) files: &'a [FileChange],
    pub(super) acls: &'a [AclReport],
    pub(super) hives: &'a [HiveStatus],
    pub(super) stores: &'a [StoreStatus],
    pub(super) skipped: &'a [SkippedHive],
}

impl SavedTarget {
    pub(super) fn of(engine: &Engine, watch: &mut Watch<'_>) -> Self {
        let facts = engine.facts(watch);
        let windows = facts.identity();
        Self {
            name: engine.site.display.clone(),
            identity: engine.site.judge.identity.clone(),
            partition: engine.site.partition,
            windows: names_of(windows),
        }
    }
}

impl PlannedRecipe {
    pub(super) fn of(recipe: &Recipe) -> Self {
        let (origin, text) = match &recipe.origin {
            Origin::BuiltIn => ("built-in", None),
            Origin::File(file) => (file.as_str(), Some(recipe.text.clone())),
        };
        let parameters = recipe.parameters.iter();
        let parameters = parameters.map(|one| (one.name.clone(), one.value.clone()));
        Self {
            name: recipe.name.clone(),
            parameters: parameters.collect(),
            origin: origin.to_owned(),
            sha256: Hex(&Sha256::digest(&recipe.text)).to_string(),
            text,
        }
    }
}

impl Serial {
    pub(super) fn of(recipes: &[Recipe]) -> Self {
        recipes.iter().fold(Self::default(), |serial, recipe| {
            let (port, baud_rate) = recipe.serial_port();
            Self {
                port: serial.port.or(port),
                baud_rate: serial.baud_rate.or(baud_rate),
            }
        })
    }
}

impl Boot {
    pub(super) fn of(choice: &BootChoice) -> Result<Self, Error> {
        let absolute = |path: &Option<PathBuf>| {
            let absolute = |path: &PathBuf| {
                let shown = path.display().to_string();
                std::path::absolute(path).map_err(Error::io(&shown, "find the file"))
            };
            path.as_ref().map(absolute).transpose()
        };
        Ok(Self {
            volume: absolute(&choice.volume)?,
            store: absolute(&choice.store)?,
            loaders: match choice.loaders {
                LoaderChoice::Plain => Loaders::Default,
                LoaderChoice::All => Loaders::All,
                LoaderChoice::Named(guid) => Loaders::Named(guid.to_string()),
            },
        })
    }
}

impl Read {
    pub(super) fn of(draft: &Draft) -> Self {
        Self {
            to_change: draft.objects(),
            sha256: Hex(&draft.digest_of_read()).to_string(),
        }
    }
}

impl<'a> Reviewed<'a> {
    pub(super) fn of(report: &'a PlanReport) -> Self {
        Self {
            changes: &report.changes,
            files: &report.files,
            acls: &report.acls,
            hives: &report.hives,
            stores: &report.stores,
            skipped: &report.skipped,
        }
    }
}

/// The time now; UTC, RFC 3339.
pub(super) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The error of a plan with a problem in its content.
pub(super) fn content(what: &dyn Display) -> PlanFileError {
    PlanFileError::Content {
        what: what.to_string(),
    }
}

/// Reads what the seal covers.
pub(super) fn parse(sealed: &[u8]) -> Result<Document<serde_json::Value>, PlanFileError> {
    #[derive(Deserialize)]
    struct Start {
        format: String,
        schema: u64,
    }
    let text = [sealed, END].concat();
    let start: Start = serde_json::from_slice(&text).map_err(|error| content(&error))?;
    if start.format != FORMAT {
        return Err(content(&format_args!("its format is not {FORMAT}")));
    }
    if start.schema != u64::from(SCHEMA) {
        return Err(PlanFileError::Schema {
            found: start.schema,
            known: SCHEMA,
        });
    }
    let document = serde_json::from_slice(&text).map_err(|error| content(&error))?;
    // Some of the parts are read elsewhere too, and there leniently.
    let known = serde_json::to_value(&document).map_err(|error| content(&error))?;
    let written: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| content(&error))?;
    if known != written {
        return Err(content(&"it has a member that this diskmend does not know"));
    }
    Ok(document)
}
