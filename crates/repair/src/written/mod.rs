//! What is written alike in every file for people, be it a recipe or a file of rules: the data of
//! values, paths, and what is wrong with a file, with the place.

mod data;
pub(crate) mod document;
mod folder_path;
mod key_pattern;
mod name_pattern;
pub(crate) mod shape;
mod time_window;
mod wrong;

pub(crate) use data::{Written, encode, value_name, value_type};
pub use folder_path::FolderPath;
pub use key_pattern::KeyPattern;
pub use name_pattern::NamePattern;
pub(crate) use time_window::TimeWindow;
pub(crate) use wrong::{Wrong, sentence, wrong, wrong_at};
