//! The program's output: results go to stdout, everything else to stderr.

pub(crate) mod acl;
pub(crate) mod console;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod identity;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod page;
pub(crate) mod preview;
pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod value;
pub(crate) mod volume;

pub(crate) use diskmend_base::shell;
