//! The commands, run as a script runs them: a file for each, named after it.

mod bad_input;
mod fixture;
mod help;
mod hive_check;
mod hive_export;
mod hive_get;
mod hive_ls;
mod output;
mod program;
mod recipes;
