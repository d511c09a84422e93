//! Shows the hidden characters of a text. With two texts, says if Windows takes them for the name
//! of one file: `show_hidden TEXT [OTHER]`.
//!
//!     cargo run -p diskmend-base --example show_hidden -- "$(printf 'photo\342\200\256gpj.exe')"

#![expect(clippy::print_stdout, reason = "it shows what it finds")]

use std::env;
use std::error::Error;

use diskmend_base::escape::Escaped;
use diskmend_base::upcase::CaseTable;

fn main() -> Result<(), Box<dyn Error>> {
    let mut texts = env::args().skip(1);
    let text = texts.next().ok_or("a text is missing")?;
    println!("{}", Escaped(&text));
    if let Some(other) = texts.next() {
        let same = CaseTable::FILES.same(text.encode_utf16(), other.encode_utf16());
        let answer = if same { "one name" } else { "two names" };
        println!("{}: {answer}", Escaped(&other));
    }
    Ok(())
}
