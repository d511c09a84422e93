//! The recipes that can be named, and choosing among them.

use std::sync::OnceLock;

use crate::recipe::{Origin, Recipe, RecipeError, builtin};
use crate::rows::{Claim, Terms};

/// All recipes that can be named on the command line.
#[derive(Clone, Debug)]
pub struct Catalogue {
    recipes: Vec<Recipe>,
}

impl Catalogue {
    /// The recipes that come with the program.
    ///
    /// # Errors
    /// If one of them is wrong; a test makes sure that none is.
    pub fn built_in() -> Result<Self, RecipeError> {
        static READ: OnceLock<Catalogue> = OnceLock::new();
        if let Some(read) = READ.get() {
            return Ok(read.clone());
        }
        let mut catalogue = Self {
            recipes: Vec::new(),
        };
        for (file, text) in builtin::FILES {
            let mut recipe = Recipe::parse(file, text)?;
            recipe.origin = Origin::BuiltIn;
            catalogue.add(recipe)?;
        }
        Ok(READ.get_or_init(|| catalogue).clone())
    }

    /// Adds a recipe of the user's.
    ///
    /// # Errors
    /// [`RecipeError::Duplicate`] if its name is taken.
    pub fn add(&mut self, recipe: Recipe) -> Result<(), RecipeError> {
        if self.get(&recipe.name).is_some() {
            return Err(RecipeError::Duplicate { name: recipe.name });
        }
        self.recipes.push(recipe);
        Ok(())
    }

    /// The recipe with this name; case is ignored.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Recipe> {
        self.recipes
            .iter()
            .find(|recipe| recipe.name.eq_ignore_ascii_case(name))
    }

    /// All recipes, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.iter()
    }

    /// The names of the recipes that are inspected if none is named. Bundles aren't among them;
    /// their parts are, unless these are for use on request only.
    #[must_use]
    pub fn by_default(&self) -> Vec<&str> {
        let wanted = |recipe: &&Recipe| !recipe.on_request && recipe.has_rows();
        let wanted = self.recipes.iter().filter(wanted);
        wanted.map(|recipe| recipe.name.as_str()).collect()
    }

    /// Gives a parameter a value, in the recipe of this name and in those that it includes.
    ///
    /// # Errors
    /// There is no such recipe or parameter, or the parameter can't have this value or already has
    /// another one.
    pub fn set_parameter(
        &mut self,
        recipe: &str,
        name: &str,
        value: &str,
    ) -> Result<(), RecipeError> {
        let mut all = Vec::new();
        self.expand(recipe, &mut Vec::new(), &mut all)?;
        let known = all.iter().flat_map(|part| &part.parameters);
        let known: Vec<&str> = known.map(|known| known.name.as_str()).collect();
        if !known.contains(&name) {
            let known = match known.as_slice() {
                [] => "none".to_owned(),
                known => known.join(", "),
            };
            return Err(RecipeError::Parameter {
                name: name.to_owned(),
                value: value.to_owned(),
                what: format!("recipe {recipe} has no parameter \"{name}\": it has {known}"),
            });
        }
        let has_it = |part: &&&Recipe| part.parameters.iter().any(|known| known.name == name);
        let changed = all.iter().filter(has_it).map(|part| part.with(name, value));
        for new in changed.collect::<Result<Vec<_>, _>>()? {
            self.replace(new);
        }
        Ok(())
    }

    /// Gives a parameter a value, in the recipe of this name alone.
    ///
    /// # Errors
    /// As for [`set_parameter`](Self::set_parameter).
    pub(crate) fn set_own_parameter(
        &mut self,
        recipe: &str,
        name: &str,
        value: &str,
    ) -> Result<(), RecipeError> {
        let new = self.known(recipe)?.with(name, value)?;
        self.replace(new);
        Ok(())
    }

    fn replace(&mut self, new: Recipe) {
        let mut recipes = self.recipes.iter_mut();
        if let Some(old) = recipes.find(|old| old.name == new.name) {
            *old = new;
        }
    }

    /// Gives the parameters of a recipe the values in its label, and returns its name.
    ///
    /// # Errors
    /// As for [`set_parameter`](Self::set_parameter).
    pub(crate) fn set_by_label<'l>(&mut self, label: &'l str) -> Result<&'l str, RecipeError> {
        // Neither a name nor a value has a space.
        let mut parts = label.split(' ');
        let name = parts.next().unwrap_or(label);
        for (parameter, value) in parts.filter_map(|part| part.split_once('=')) {
            self.set_own_parameter(name, parameter, value)?;
        }
        Ok(name)
    }

    pub(super) fn recipes_mut(&mut self) -> impl Iterator<Item = &mut Recipe> {
        self.recipes.iter_mut()
    }

    /// The recipes that these names stand for, to repair and not only to inspect.
    ///
    /// # Errors
    /// The errors of [`select`](Self::select), and two recipes that set the permissions of the same
    /// folder.
    pub fn select_to_repair<S: AsRef<str>>(
        &self,
        names: &[S],
    ) -> Result<Vec<&Recipe>, RecipeError> {
        let selected = self.select(names)?;
        folders_apart(&selected)?;
        Ok(selected)
    }

    /// The recipes that these names stand for, each once. Bundles are replaced by what they
    /// include.
    ///
    /// # Errors
    /// A name is unknown, a bundle includes itself, or recipes contradict each other.
    pub fn select<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<&Recipe>, RecipeError> {
        let mut selected = Vec::new();
        for name in names {
            self.expand(name.as_ref(), &mut Vec::new(), &mut selected)?;
        }
        consistent(&selected)?;
        Ok(selected)
    }

    /// The recipes with exactly these names, in this order, without those that they include.
    ///
    /// # Errors
    /// As for [`select_to_repair`](Self::select_to_repair).
    pub(crate) fn exactly<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<&Recipe>, RecipeError> {
        let selected = names.iter().map(|name| self.known(name.as_ref()));
        let selected = selected.collect::<Result<Vec<_>, _>>()?;
        consistent(&selected)?;
        folders_apart(&selected)?;
        Ok(selected)
    }

    fn known(&self, name: &str) -> Result<&Recipe, RecipeError> {
        self.get(name).ok_or_else(|| RecipeError::Unknown {
            name: name.to_owned(),
            known: self.recipes.iter().map(|r| r.name.clone()).collect(),
        })
    }

    fn expand<'a>(
        &'a self,
        name: &str,
        path: &mut Vec<&'a str>,
        selected: &mut Vec<&'a Recipe>,
    ) -> Result<(), RecipeError> {
        let recipe = self.known(name)?;
        if path.contains(&recipe.name.as_str()) {
            return Err(RecipeError::Cycle {
                name: recipe.name.clone(),
            });
        }
        path.push(&recipe.name);
        for included in &recipe.includes {
            self.expand(included, path, selected)?;
        }
        path.pop();
        let new = selected.iter().all(|other| other.name != recipe.name);
        if new && recipe.has_rows() {
            selected.push(recipe);
        }
        Ok(())
    }
}

/// What the rows of recipes would set, each with the name of its recipe.
fn claims<'r>(recipes: &[&'r Recipe]) -> Vec<Named<'r>> {
    let claims = recipes.iter().flat_map(|recipe| {
        let rows = recipe.rows_with_terms();
        rows.filter_map(|(row, terms)| Some((recipe.name.as_str(), row.claim()?, terms)))
    });
    claims.collect()
}

/// Checks that no two rows want different things.
fn consistent(recipes: &[&Recipe]) -> Result<(), RecipeError> {
    undoes_none(recipes)?;
    no_conflict(recipes, |(_, one, _), (_, other, _)| one.contradicts(other))
}

/// Checks that the rows of two recipes aren't about the same folder. The rows of one recipe may be.
fn folders_apart(recipes: &[&Recipe]) -> Result<(), RecipeError> {
    no_conflict(recipes, |(first, one, _), (second, other, _)| {
        let is_other = first != second;
        is_other.then(|| one.interferes(other)).flatten()
    })
}

/// Checks that no recipe undoes the effect of another one.
fn undoes_none(recipes: &[&Recipe]) -> Result<(), RecipeError> {
    for one in recipes {
        let undoes = |other: &&&Recipe| one.conflicts.contains(&other.name);
        if let Some(other) = recipes.iter().find(undoes) {
            return Err(RecipeError::Conflict {
                first: one.name.clone(),
                second: other.name.clone(),
                what: "undo each other's effect".to_owned(),
            });
        }
    }
    Ok(())
}

/// A row's claim, with the name of its recipe and the row's terms.
type Named<'r> = (&'r str, Claim<'r>, &'r Terms);

fn no_conflict(
    recipes: &[&Recipe],
    conflict: impl Fn(&Named<'_>, &Named<'_>) -> Option<String>,
) -> Result<(), RecipeError> {
    let claims = claims(recipes);
    for (index, second) in claims.iter().enumerate() {
        for first in claims.iter().take(index) {
            // Rows for different builds of Windows never count together.
            if first.2.may_meet(second.2)
                && let Some(what) = conflict(first, second)
            {
                return Err(RecipeError::Conflict {
                    first: first.0.to_owned(),
                    second: second.0.to_owned(),
                    what,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(name: &str, rest: &str) -> Recipe {
        let text = format!(
            "schema = 1\nname = '{name}'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n{rest}"
        );
        Recipe::parse(name, &text).expect(name)
    }

    fn row(key: &str, data: u32) -> String {
        format!(
            "[[registry]]\nhive = 'SYSTEM'\nkey = '{key}'\nvalue = 'V'\ntype = 'REG_DWORD'\n\
             data = {data}\nwhy = 'w'\n"
        )
    }

    #[test]
    fn the_built_in_recipes_hold_and_a_bundle_stands_for_its_parts() {
        let catalogue = Catalogue::built_in().expect("valid");
        let names: Vec<_> = catalogue
            .select(&["RDP-internal-error", "nla"])
            .expect("consistent")
            .iter()
            .map(|recipe| recipe.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "tls",
                "nla",
                "crash-dump",
                "serial-console",
                "machine-keys",
                "rdp-cert-pin",
                "rdp-cert-store",
                "services-remote-desktop"
            ]
        );
        for recipe in catalogue.iter() {
            assert_eq!(recipe.origin, Origin::BuiltIn);
            assert!(!recipe.sources.is_empty(), "{}", recipe.name);
        }
    }

    #[test]
    fn unknown_names_say_what_there_is() {
        let catalogue = Catalogue::built_in().expect("valid");
        match catalogue.select(&["tsl"]) {
            Err(RecipeError::Unknown { name, known }) => {
                assert_eq!(name, "tsl");
                assert!(known.contains(&"tls".to_owned()));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_taken_name_and_a_cycle_are_refused() {
        let mut catalogue = Catalogue::built_in().expect("valid");
        let taken = catalogue.add(recipe("tls", "includes = ['nla']"));
        assert!(matches!(taken, Err(RecipeError::Duplicate { .. })));
        catalogue.add(recipe("a", "includes = ['b']")).expect("new");
        catalogue.add(recipe("b", "includes = ['a']")).expect("new");
        let cycle = catalogue.select(&["a"]);
        assert!(matches!(cycle, Err(RecipeError::Cycle { .. })));
    }

    #[test]
    fn two_recipes_do_not_set_the_permissions_of_the_same_folder() {
        let catalogue = Catalogue::built_in().expect("valid");
        let both = ["machine-keys", "machine-keys-default"];
        assert_eq!(catalogue.select(&both).expect("to be compared").len(), 2);
        let conflict = catalogue.select_to_repair(&both);
        assert!(matches!(conflict, Err(RecipeError::Conflict { .. })));
    }

    #[test]
    fn recipes_that_contradict_each_other_are_refused() {
        let mut catalogue = Catalogue::built_in().expect("valid");
        for (name, key, data) in [
            ("a", r"ControlSet*\Control\A", 1),
            ("same", r"CONTROLSET*\control\a", 1),
            ("other", r"ControlSet*\control\a", 2),
            ("one-set", r"ControlSet001\control\a", 2),
        ] {
            catalogue.add(recipe(name, &row(key, data))).expect(name);
        }
        assert_eq!(catalogue.select(&["a", "same"]).expect("agree").len(), 2);
        for name in ["other", "one-set"] {
            let conflict = catalogue.select(&["a", name]);
            assert!(
                matches!(conflict, Err(RecipeError::Conflict { .. })),
                "{name}"
            );
        }
        assert!(catalogue.select(&["other", "one-set"]).is_ok());
    }

    #[test]
    fn recipes_that_undo_each_other_are_refused_and_rows_for_different_builds_are_not() {
        let mut catalogue = Catalogue::built_in().expect("valid");
        let key = r"ControlSet*\Control\A";
        let hold = format!(
            "conflicts = ['release']\n{}",
            row(r"ControlSet*\Control\B", 1)
        );
        catalogue.add(recipe("hold", &hold)).expect("new");
        catalogue.add(recipe("release", &row(key, 1))).expect("new");
        let old = format!("{}builds = '..9199'\n", row(key, 2));
        let new = format!("{}builds = '9200..'\n", row(key, 3));
        catalogue.add(recipe("old", &old)).expect("new");
        catalogue.add(recipe("new", &new)).expect("new");
        for names in [["hold", "release"], ["release", "hold"], ["release", "old"]] {
            let conflict = catalogue.select(&names);
            assert!(
                matches!(conflict, Err(RecipeError::Conflict { .. })),
                "{names:?}"
            );
        }
        assert_eq!(
            catalogue
                .select(&["old", "new", "hold"])
                .expect("apart")
                .len(),
            3
        );
    }
}
