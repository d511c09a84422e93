//! Names as text in the form of [`diskmend_base::escape`].

use diskmend_base::escape::unescape;
use diskmend_base::upcase::CaseTable;
use diskmend_hive::name::NameBuf;

/// Whether Windows takes both for one name or path of a key, or for one name of a value.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a == b
        || NameBuf::new(a)
            .as_name()
            .eq_ignore_case(NameBuf::new(b).as_name())
}

/// Whether Windows takes both for one name or path of a file.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    a == b || CaseTable::FILES.same(unescape(a), unescape(b))
}
