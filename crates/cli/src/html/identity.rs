//! What the Windows is.

use diskmend_repair::WindowsIdentity;
use maud::{Markup, html};

use super::shown;
use crate::output::identity::facts;

/// What is known about a Windows.
pub(crate) fn identity(identity: &WindowsIdentity) -> Markup {
    html! {
        section aria-labelledby="windows" {
            h2 id="windows" { "The Windows" }
            dl {
                @for (label, text) in facts(identity) {
                    dt { (label) }
                    dd { (shown(&text)) }
                }
            }
            @for unread in &identity.unread {
                p { span.warn { (unread.hive) " can't be read" } ": " (shown(&unread.reason)) }
            }
        }
    }
}
