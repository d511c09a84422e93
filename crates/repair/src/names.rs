//! Compares names in the form of [`diskmend_base::escape`].

use diskmend_base::escape::unescape;
use diskmend_base::upcase::CaseTable;

/// True if Windows takes both for one name or path of a file.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    a == b || CaseTable::FILES.same(unescape(a), unescape(b))
}
