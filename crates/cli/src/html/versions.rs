//! With which program and rules a page was made.

use diskmend_repair::WindowsIdentity;
use maud::{Markup, html};

use crate::output::identity::version;
use crate::output::json::SCHEMA;

use super::shown;

/// What the content of a page depends on, besides the disk.
pub(crate) struct Versions<'a> {
    /// The numbers of recipes and of rules, with those of the user.
    pub(crate) recipes: usize,
    pub(crate) rules: usize,
    pub(crate) identity: &'a WindowsIdentity,
}

pub(crate) fn versions(versions: &Versions<'_>) -> Markup {
    let windows = version(versions.identity);
    html! {
        section aria-labelledby="versions" {
            h2 id="versions" { "Versions" }
            dl {
                dt { "diskmend" } dd { (env!("CARGO_PKG_VERSION")) }
                dt { "JSON schema" } dd { (SCHEMA) }
                dt { "recipes" } dd { (versions.recipes) }
                dt { "rules" } dd { (versions.rules) }
                @if !windows.is_empty() { dt { "Windows" } dd { (shown(&windows)) } }
            }
        }
    }
}
