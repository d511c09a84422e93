//! Prints a security descriptor as icacls does, and says if NETWORK SERVICE may read the object:
//! `explain_sddl SDDL`.
//!
//!     cargo run -p diskmend-acl --example explain_sddl -- 'O:BAG:SYD:AI(D;;FR;;;NS)(A;;FA;;;SY)'

#![expect(clippy::print_stdout, reason = "it shows what it finds")]

use std::env;
use std::error::Error;

use diskmend_acl::{AccessMask, Domains, SecurityDescriptor, Token, icacls_lines};

fn main() -> Result<(), Box<dyn Error>> {
    let sddl = env::args()
        .nth(1)
        .ok_or("a descriptor in SDDL is missing")?;
    let descriptor = SecurityDescriptor::from_sddl(&sddl, &Domains::default())?;
    print!("{}", icacls_lines("object", &descriptor));
    let access = descriptor.access(&Token::network_service(), AccessMask::FILE_READ);
    let can = if access.is_granted() { "can" } else { "can't" };
    println!("NETWORK SERVICE {can} read it");
    Ok(())
}
