//! Descriptors in the formats of the reports, converted once for each distinct descriptor: usually
//! thousands of files have equal descriptors.

use std::collections::HashMap;
use std::rc::Rc;

use diskmend_acl::{SavedPart, SavedSddl, SecurityDescriptor, icacls_lines};
use diskmend_base::escape::Visible;
use diskmend_base::hex;
use serde::Serialize;
use serde_json::value::RawValue;

use super::DescriptorWords;
use crate::json::write_line;

/// The maximum total size in bytes of descriptors with remembered forms; the forms take a few times
/// as much.
const MAX_KNOWN: usize = 1 << 18;

/// Remembers the forms of a limited number of descriptors.
pub(super) struct Forms<T> {
    known: HashMap<Vec<u8>, Rc<T>>,
    bytes: usize,
}

impl<T> Default for Forms<T> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<T> Forms<T> {
    /// The form of a descriptor; `make` computes it if it is not known.
    pub(super) fn of(&mut self, descriptor: &[u8], make: impl FnOnce(&[u8]) -> T) -> Rc<T> {
        if let Some(form) = self.known.get(descriptor) {
            return Rc::clone(form);
        }
        let form = Rc::new(make(descriptor));
        // If every file has a descriptor of its own, the oldest are as useless as the newest.
        if self.bytes.saturating_add(descriptor.len()) > MAX_KNOWN {
            *self = Self::default();
        }
        self.bytes = self.bytes.saturating_add(descriptor.len());
        self.known.insert(descriptor.to_vec(), Rc::clone(&form));
        form
    }
}

/// What icacls prints for a descriptor.
pub(super) struct Printed(String);

impl Printed {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(match SecurityDescriptor::from_bytes(bytes) {
            Ok(descriptor) => icacls_lines("", &descriptor),
            Err(corruption) => format!(" (corrupt: {})\n", Visible(&corruption.to_string())),
        })
    }

    /// The lines for an object with this path, completely escaped: the first begins with the path,
    /// the others are indented by its width.
    pub(super) fn lines(&self, path: &str) -> String {
        let mut lines = String::with_capacity(self.0.len() + 8 * path.len());
        let indent = " ".repeat(path.chars().count());
        for (number, line) in self.0.split_inclusive('\n').enumerate() {
            match number {
                0 => lines.push_str(path),
                _ => lines.push_str(&indent),
            }
            lines.push_str(line);
        }
        lines
    }
}

/// What the reports show about a descriptor before it is changed.
pub(super) struct Before {
    pub(super) printed: Printed,
    /// Its DACL, then its owner, for icacls's save files; `None` for parts that they can't express.
    pub(super) saved: [Option<SavedSddl>; 2],
}

impl Before {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let descriptor = SecurityDescriptor::from_bytes(bytes).ok();
        let saved = |part| SavedSddl::of(descriptor.as_ref()?, part).ok();
        Self {
            printed: Printed::new(bytes),
            saved: [SavedPart::Dacl, SavedPart::Owners].map(saved),
        }
    }
}

#[derive(Serialize)]
struct State {
    #[serde(flatten)]
    words: DescriptorWords,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// A descriptor as JSON: in words, and as bytes if SDDL can't express it; `None` if JSON can't
/// express it.
pub(super) fn json(bytes: &[u8]) -> Option<Box<RawValue>> {
    let words = DescriptorWords::of(bytes);
    let hex = words.sddl.is_none().then(|| hex::encode(bytes));
    let state = State { words, hex };
    let mut text = Vec::new();
    write_line(&mut text, &state).ok()?;
    RawValue::from_string(String::from_utf8(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use diskmend_acl::Domains;

    #[test]
    fn the_text_below_a_path_is_what_icacls_prints() {
        for sddl in [
            "O:BAG:SYD:(D;;FR;;;NS)(A;;FA;;;SY)(A;;FA;;;BA)",
            "O:BAG:SYD:P",
            "O:BAG:SYD:NO_ACCESS_CONTROL",
        ] {
            let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default());
            let descriptor = descriptor.expect("SDDL");
            let printed = Printed::new(&descriptor.to_bytes().expect("fits"));
            for path in ["", "Keys\\\u{e4}", "Keys<U+000A>"] {
                assert_eq!(printed.lines(path), icacls_lines(path, &descriptor));
            }
        }
        let lines = Printed::new(&[]).lines("Keys");
        assert!(lines.starts_with("Keys (corrupt: "), "{lines}");
    }

    #[test]
    fn remembered_forms_are_bounded_and_right() {
        let mut forms = Forms::default();
        let long = |number: usize| vec![number as u8; 1000];
        for number in (0..255).chain(0..255).chain([0; 100]) {
            let form = forms.of(&long(number), |bytes| bytes.first().copied());
            assert_eq!(*form, Some(number as u8));
            forms.of(&[], |_| None);
        }
        for number in 0..1000usize {
            let key = [number.to_le_bytes().as_slice(), &long(0)].concat();
            forms.of(&key, |_| None);
            assert!(forms.bytes <= MAX_KNOWN);
            assert!(forms.known.keys().map(Vec::len).sum::<usize>() <= MAX_KNOWN);
        }
        let mut made = 0;
        for _ in 0..2 {
            forms.of(&long(7), |_| {
                made += 1;
                None
            });
        }
        assert_eq!(made, 1);
    }
}
