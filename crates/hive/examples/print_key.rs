//! Prints the subkeys and values of a key of a clean hive: `print_key HIVE [KEY]`.
//!
//!     cargo run -p diskmend-hive --example print_key -- SYSTEM 'Select'

#![expect(clippy::print_stdout, reason = "it shows what it finds")]

use std::env;
use std::error::Error;
use std::fs;

use diskmend_hive::{Opened, ValueContent, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let file = args.next().ok_or("the path of a hive is missing")?;
    let path = args.next().unwrap_or_default();
    let hive = match open(Box::new(fs::read(file)?))? {
        Opened::Clean(hive) => hive,
        Opened::Dirty(dirty) => {
            return Err(format!("the hive is dirty: {}", dirty.state()).into());
        }
    };
    let key = hive.key(&path)?.ok_or("no such key")?;
    for subkey in key.subkeys()? {
        println!("[{}]", subkey?.name().escaped());
    }
    for value in key.values()? {
        let value = value?;
        println!("{} = {}", value.name().escaped(), ValueContent::of(&value)?);
    }
    Ok(())
}
