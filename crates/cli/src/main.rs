//! The program `diskmend`. Everything is in the library, so that its command line can be read
//! too.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    diskmend::main()
}
