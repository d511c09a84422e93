//! The repairs of diskmend as data, and the engine that inspects a target, plans changes, applies
//! them crash-safely and undoes them. It prints nothing and reads no environment.

#![forbid(unsafe_code)]

mod control_sets;
pub mod documents;
mod error;
mod hex;
mod names;
mod progress;
mod reading;
pub mod recipe;
mod value_data;

pub use control_sets::{ControlSet, ControlSets, MissingSet, Select};
pub use error::{Class, Error, Refusal};
pub use progress::{Interrupted, Phase, Progress, Watch};
pub use value_data::{Readable, ValueData};
