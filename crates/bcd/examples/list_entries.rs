//! Lists the entries of a boot store, as `bcdedit /enum all` does: `list_entries STORE`.
//!
//!     cargo run -p diskmend-bcd --example list_entries -- /mnt/f/Boot/BCD

#![expect(clippy::print_stdout, reason = "it shows what it finds")]

use std::env;
use std::error::Error;
use std::fs;

use diskmend_bcd::{Listing, Store};
use diskmend_hive::{Opened, open};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args()
        .nth(1)
        .ok_or("the path of a boot store is missing")?;
    let hive = match open(Box::new(fs::read(file)?))? {
        Opened::Clean(hive) => hive,
        Opened::Dirty(dirty) => {
            return Err(format!("the store is dirty: {}", dirty.state()).into());
        }
    };
    print!("{}", Listing::new(&Store::new(hive.root()?)?, false)?);
    Ok(())
}
