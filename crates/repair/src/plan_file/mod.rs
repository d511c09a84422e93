//! Plans that are saved for a review: a sealed JSON document with the choice of repairs, everything
//! that was read, and every change.
//!
//! Nothing in the document is carried out. [`Engine::plan_saved`] plans again from the same choice
//! and compares, and what is carried out is the new plan.

mod check;
mod document;

use crate::boot_volume::{BootChoice, LoaderChoice};
use crate::changes::Change;
use crate::engine::Engine;
use crate::error::{Error, PlanFileError, Refusal};
use crate::finding::Goal;
use crate::json;
use crate::plan::Plan;
use crate::progress::Watch;
use crate::recipe::{Catalogue, Origin, Recipe};
use crate::trust::{Doubt, Keys, Trust};
use document::{Boot, Document, Loaders, PlannedRecipe, Read, Reviewed, SavedTarget, Serial};

/// The greatest length of a saved plan in bytes.
pub const MAX_LEN: u64 = 64 << 20;

/// A saved plan with a valid seal.
pub struct SavedPlan {
    document: Document<serde_json::Value>,
    recipes: Vec<Recipe>,
    boot: BootChoice,
    trust: Trust,
}

impl SavedPlan {
    /// Checks the seal of a saved plan, and reads it. At most [`MAX_LEN`] bytes and one more need
    /// to be given.
    ///
    /// # Errors
    /// [`PlanFileError`].
    pub fn read(bytes: &[u8], keys: &Keys) -> Result<Self, Error> {
        if bytes.len() as u64 > MAX_LEN {
            return Err(PlanFileError::TooLong { limit: MAX_LEN }.into());
        }
        let (trust, sealed) = keys.judge_plan(bytes);
        match trust {
            Trust::Own | Trust::Known { .. } => {}
            Trust::Foreign { key } => return Err(PlanFileError::Foreign { key }.into()),
            Trust::Unauthenticated {
                reason: Doubt::WrongSeal,
            } => return Err(PlanFileError::WrongSeal.into()),
            Trust::Unauthenticated { .. } => return Err(PlanFileError::NoSeal.into()),
        }
        let document = document::parse(sealed)?;
        let recipes = recipes_of(&document)?;
        Ok(Self {
            boot: document.boot.choice()?,
            recipes,
            document,
            trust,
        })
    }

    /// The choice of a boot store that it was made with. The target must be opened with it.
    #[must_use]
    pub fn boot(&self) -> BootChoice {
        self.boot.clone()
    }

    /// The key that sealed it: this machine's, or one that was given.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The version of diskmend that made it.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.document.program
    }

    /// The time at which it was made; UTC, RFC 3339.
    #[must_use]
    pub fn created(&self) -> &str {
        &self.document.created
    }

    const fn goal(&self) -> Goal {
        if self.document.auto {
            Goal::Faults
        } else {
            Goal::Desired
        }
    }
}

impl Plan<'_> {
    /// The plan as a sealed document, for [`SavedPlan::read`]. Nothing is written but this
    /// machine's key, if it does not exist yet.
    ///
    /// # Errors
    /// If a run waits to be settled, because then the plan could not be carried out; if this
    /// machine has no key; if a path can't be written as JSON.
    pub fn to_file(&self, watch: &mut Watch<'_>) -> Result<Vec<u8>, Error> {
        self.engine.site.no_unfinished_run(None)?;
        let mut text = Vec::new();
        json::write_pretty(&mut text, &self.document(watch)?)
            .map_err(|error| document::content(&error))?;
        text.push(b'\n');
        let sealed = self.engine.options.keys.seal_plan(&text);
        let sealed = sealed.map_err(Refusal::NoKey)?;
        let sealed = sealed.ok_or_else(|| document::content(&"it is not printed as JSON"))?;
        if sealed.len() as u64 > MAX_LEN {
            return Err(PlanFileError::TooLong { limit: MAX_LEN }.into());
        }
        Ok(sealed)
    }

    fn document(&self, watch: &mut Watch<'_>) -> Result<Document<Reviewed<'_>>, Error> {
        let Self {
            engine, planned, ..
        } = self;
        let permissions = planned.changes.iter().find_map(|change| match change {
            Change::Descriptors(change) => Some(Read::of(&change.draft)),
            Change::Registry(_) | Change::BootStore(_) | Change::Files(_) => None,
        });
        Ok(Document {
            format: document::FORMAT.to_owned(),
            schema: document::SCHEMA,
            program: document::PROGRAM.to_owned(),
            created: document::now(),
            target: SavedTarget::of(engine, watch),
            recipes: planned.recipes.iter().map(PlannedRecipe::of).collect(),
            auto: planned.goal == Goal::Faults,
            serial: Serial::of(&planned.recipes),
            boot: Boot::of(&engine.options.boot)?,
            files: planned.files_read.clone(),
            permissions,
            plan: Reviewed::of(self.report()),
        })
    }
}

impl Engine {
    /// Makes a saved plan again from what is on the target now. The result is exactly the saved
    /// plan, and is carried out as a whole or not at all. Nothing is written.
    ///
    /// # Errors
    /// [`Refusal::OtherTarget`], [`Refusal::StalePlan`], [`Refusal::Unfinished`] if a run waits to
    /// be settled, and the errors of [`plan`](Self::plan).
    pub fn plan_saved(&self, saved: &SavedPlan, watch: &mut Watch<'_>) -> Result<Plan<'_>, Error> {
        let recipes: Vec<&Recipe> = saved.recipes.iter().collect();
        check::is_target(&saved.document.target, self, watch)?;
        let mut plan = self.plan(&recipes, saved.goal(), watch)?;
        self.site.no_unfinished_run(None)?;
        let what = check::differences(&saved.document, &plan.document(watch)?)?;
        if !what.is_empty() {
            let nothing_left = !plan.report().has_changes();
            return Err(Refusal::StalePlan { what, nothing_left }.into());
        }
        plan.planned.exact = true;
        Ok(plan)
    }
}

/// The recipes of a plan. Those that come with the program must have the text that the plan was
/// made with; the others have it in the plan.
fn recipes_of(document: &Document<serde_json::Value>) -> Result<Vec<Recipe>, PlanFileError> {
    let mut catalogue = Catalogue::built_in().map_err(|error| document::content(&error))?;
    for planned in &document.recipes {
        if let Some(text) = &planned.text {
            let recipe = Recipe::parse(&planned.origin, text);
            let recipe = recipe.map_err(|error| document::content(&error))?;
            let added = catalogue.add(recipe);
            added.map_err(|error| document::content(&error))?;
        }
        let other = || PlanFileError::OtherRecipe {
            recipe: planned.name.clone(),
            program: document.program.clone(),
        };
        for (name, value) in &planned.parameters {
            let set = catalogue.set_own_parameter(&planned.name, name, value);
            set.map_err(|_| other())?;
        }
        match &planned.text {
            // The seal vouches for it.
            Some(_) => {}
            None => {
                let known = catalogue.get(&planned.name);
                let same = known.is_some_and(|known| {
                    known.origin == Origin::BuiltIn && PlannedRecipe::of(known) == *planned
                });
                if !same {
                    return Err(other());
                }
            }
        }
    }
    let Serial { port, baud_rate } = document.serial;
    catalogue.set_serial_port(port, baud_rate);
    let names: Vec<&str> = document
        .recipes
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let recipes = catalogue.exactly(&names);
    let recipes = recipes.map_err(|error| document::content(&error))?;
    Ok(recipes.into_iter().cloned().collect())
}

impl Boot {
    fn choice(&self) -> Result<BootChoice, PlanFileError> {
        let loaders = match &self.loaders {
            Loaders::Default => LoaderChoice::Plain,
            Loaders::All => LoaderChoice::All,
            Loaders::Named(guid) => {
                let guid = guid.parse();
                LoaderChoice::Named(guid.map_err(|_| document::content(&"a loader has no GUID"))?)
            }
        };
        Ok(BootChoice {
            volume: self.volume.clone(),
            store: self.store.clone(),
            loaders,
        })
    }
}
