//! What is written alike in every file for people, be it a recipe or a file of rules: the data of
//! values, paths, and what is wrong with a file, with the place.

mod bits;
mod companion;
mod data;
pub(crate) mod document;
mod expected;
mod folder_path;
mod key_pattern;
mod name_pattern;
mod numbers;
pub(crate) mod shape;
mod time_window;
mod wrong;

pub(crate) use bits::{AnyBitsFile, BitsFile};
pub use companion::Companion;
pub(crate) use companion::CompanionFile;
pub(crate) use data::{Written, encode, value_name, value_type};
pub use expected::Expected;
pub(crate) use expected::{is_one_of, is_read_as_one_of};
pub use folder_path::FolderPath;
pub use key_pattern::KeyPattern;
pub use name_pattern::NamePattern;
pub use numbers::Numbers;
pub(crate) use time_window::TimeWindow;
pub(crate) use wrong::{Wrong, sentence, wrong, wrong_at};
