//! The repairs of diskmend as data, and the engine that inspects a target, plans changes, applies
//! them crash-safely and undoes them. It prints nothing and reads no environment.

#![forbid(unsafe_code)]

mod control_sets;
mod hex;
mod names;
mod reading;
pub mod recipe;
mod value_data;

pub use control_sets::{ControlSet, ControlSets, MissingSet, Select};
pub use value_data::{Readable, ValueData};
