//! The examples in the documentation.

use diskmend_repair::recipe::{Catalogue, Recipe};

#[test]
fn the_recipes_of_the_documentation_are_valid() {
    let text = include_str!("../../../../docs/recipes.md");
    let mut catalogue = Catalogue::built_in().expect("valid");
    let mut examples = 0;
    for block in text.split("```toml\n").skip(1) {
        let (recipe, _) = block.split_once("```").expect("the end of the block");
        if recipe.starts_with("schema") {
            let recipe = Recipe::parse("docs/recipes.md", recipe).expect("a recipe");
            let name = recipe.name.clone();
            catalogue.add(recipe).expect("a new name");
            catalogue.select(&[name]).expect("consistent");
            examples += 1;
        }
    }
    assert!(examples >= 2, "{examples} examples");
}
