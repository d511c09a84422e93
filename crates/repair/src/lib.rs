//! diskmend's repairs as data, and the engine that inspects a target, plans changes, makes them
//! crash-safely and undoes them. It prints nothing and reads no environment variables.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! use diskmend_disk::Target;
//! use diskmend_repair::recipe::Catalogue;
//! use diskmend_repair::{Engine, Goal, Key, Keys, Options, Watch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::open("/mnt/windows".as_ref())?;
//! let catalogue = Catalogue::built_in()?;
//! let recipes = catalogue.select(&["tls", "nla"])?;
//! let (mut progress, cancel) = ((), AtomicBool::new(false));
//! let mut watch = Watch::new(&mut progress, &cancel);
//!
//! // The key of this machine, kept off the disk, by which it knows what it has written.
//! let key = Key::from_line(&std::fs::read_to_string("/var/lib/diskmend/key")?)?;
//! let options = Options { keys: Keys::own(key), ..Options::default() };
//! let engine = Engine::open(target, options)?;
//! let plan = engine.plan(&recipes, Goal::Desired, &mut watch)?;
//! for change in &plan.report().changes {
//!     println!("{}\\{}", change.value.key, change.value.value);
//! }
//! let report = plan.apply(&mut watch)?;
//! println!("{:?}", report.run);
//! # Ok(())
//! # }
//! ```
//!
//! | item | meaning |
//! |---|---|
//! | [`recipe`] | repairs as data: the TOML format, the built-in catalogue |
//! | [`rows`] | the content of a recipe: a file for each kind of row |
//! | [`Engine`] | a target opened for a command: inspect, plan, undo, list and prune runs |
//! | [`Facts`] | facts about the disk: control sets, build and product of Windows, services |
//! | [`Plan`] | the changes that would be made, and making them |
//! | [`hive_file`] | the same engine on any hive file |
//! | [`acl_edit`] | permissions of files, reset or restored by hand |
//! | [`documents`] | the results, ready to be serialized |
//! | [`json`] | writing the results |
//! | [`Error`] | the reason of a refusal or failure, with its [`Class`] |
//!
//! A change goes through these modules, and each knows only the ones before it. `hive_on_disk`
//! opens a hive and recovers it in memory. `facts` reads facts about the disk, `rows` judge them
//! and return findings, and `changes` plans changes from these. `session` edits, verifies, backs
//! up, commits and rolls back, `run` keeps the journal and the undo data, and `disk_record` records
//! the sectors of a disk that isn't mounted. `documents` is made from all of them, and nothing
//! reads it back. docs/architecture.md has a drawing.

#![forbid(unsafe_code)]

pub mod acl_edit;
mod beside;
pub mod boot_store;
mod boot_volume;
mod changes;
mod check_summary;
mod differences;
mod digest;
mod disk_record;
pub mod documents;
mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
mod examined;
mod facts;
mod finding;
mod guards;
pub mod hive_file;
mod hive_on_disk;
mod identity;
mod inspect;
pub mod json;
mod names;
mod place;
mod plan;
mod planned;
mod preview;
mod progress;
mod prune;
mod reading;
pub mod recipe;
mod repair;
mod restored;
pub mod rows;
mod run;
mod run_id;
mod run_state;
mod run_summary;
mod runs;
mod second_reader;
mod session;
mod site;
mod stop;
mod store_status;
mod survey;
mod trust;
mod undo;
mod unfinished;
mod value_data;
mod volume;
mod whereabouts;

pub use boot_volume::{BootChoice, LoaderChoice};
pub(crate) use changes::descriptors;
pub use engine::Engine;
pub use error::{Class, Error, Refusal};
pub use facts::{
    Accounts, ControlSet, ControlSets, Facts, MissingSet, Product, Select, Service, ServiceStart,
};
pub use plan::{Goal, Plan};
pub use preview::WouldChange;
pub use progress::{Interrupted, Phase, Progress, Watch};
pub use run::{STATE_FOLDER, STATE_SUFFIX};
pub use site::Options;
pub use stop::{NotEdited, Stop};
pub use trust::{Doubt, Key, KeyError, KeyId, KeyStore, Keys, OwnKey, Trust};
pub use value_data::{Readable, ValueData};
