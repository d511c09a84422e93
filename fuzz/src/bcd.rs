//! Reading boot stores.

use diskmend_bcd::text::Document;
use diskmend_bcd::{Listing, Store, check};

use crate::hive_input::HiveInput;
use crate::settled;

/// Lists, checks and exports a boot store. The exported text must parse as the same store.
///
/// # Panics
/// If it does not.
pub fn bcd(data: &[u8]) {
    let [primary, ..] = HiveInput::of_store(data).files;
    let Some(hive) = settled(primary) else {
        return;
    };
    let Ok(root) = hive.root() else {
        return;
    };
    std::hint::black_box(check::check(root));
    if let Ok(document) = Document::export(&root) {
        let text = document.to_string();
        assert_eq!(Document::parse(&text).as_ref(), Ok(&document), "{text}");
    }
    let Ok(store) = Store::open(&hive) else {
        return;
    };
    for verbose in [false, true] {
        if let Ok(listing) = Listing::new(&store, verbose) {
            std::hint::black_box(listing.to_string());
        }
    }
}
