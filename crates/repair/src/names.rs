//! Names of keys and values as text.

use diskmend_hive::name::NameBuf;

/// Whether Windows takes both for the same name or path.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a == b
        || NameBuf::new(a)
            .as_name()
            .eq_ignore_case(NameBuf::new(b).as_name())
}
