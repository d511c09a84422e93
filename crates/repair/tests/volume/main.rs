//! The engine on real folders and files.

mod corpus;
mod docs;
mod guards;
mod hive_file;
mod repair;
mod support;
