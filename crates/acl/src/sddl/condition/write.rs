//! Writing a condition's tokens as an expression, with a stack of operands.

use diskmend_base::hex::Hex;
use diskmend_base::utf16;

use super::{
    AND, ATTRIBUTES, BASE_DECIMAL, BASE_HEXADECIMAL, BASE_OCTAL, COMPOSITE, EXISTENCE, INT64,
    MAX_DEPTH, MEMBERSHIP, NOT, OCTETS, OR, PADDING, RELATIONS, SID, SIGN_MINUS, SIGN_NONE,
    SIGN_PLUS, SIGNATURE, SIMPLE_ATTRIBUTE, STRING, is_plain,
};
use crate::sddl::ace;
use crate::sddl::cursor::Cursor;
use crate::sid::{Domains, Sid};

/// The precedence of an expression's outermost operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Operand,
}

struct Operand {
    text: String,
    binding: Binding,
    depth: usize,
}

impl Operand {
    fn plain(text: String) -> Self {
        Self {
            text,
            binding: Binding::Operand,
            depth: 0,
        }
    }

    /// The text, in parentheses if its precedence is lower than `least`.
    fn within(&self, least: Binding) -> String {
        if self.binding < least {
            format!("({})", self.text)
        } else {
            self.text.clone()
        }
    }
}

/// The condition in an ACE's data, in parentheses. `None` if the data aren't a condition, or if the
/// text wouldn't read back as the same data.
pub(in crate::sddl) fn write(data: &[u8]) -> Option<String> {
    let mut rest = data.strip_prefix(&SIGNATURE)?;
    let mut stack: Vec<Operand> = Vec::new();
    while let [token, after @ ..] = rest {
        rest = after;
        let operand = match *token {
            PADDING if rest.iter().all(|byte| *byte == PADDING) => break,
            NOT => {
                let inner = stack.pop()?;
                combine(
                    format!("!{}", inner.within(Binding::Not)),
                    Binding::Not,
                    &[&inner],
                )?
            }
            AND => logical(&mut stack, "&&", Binding::And, Binding::Not)?,
            OR => logical(&mut stack, "||", Binding::Or, Binding::And)?,
            token => match operator(token, &mut stack) {
                Some(operand) => operand,
                None => Operand::plain(value(token, &mut rest, 0)?),
            },
        };
        stack.push(operand);
    }
    let [whole] = stack.as_slice() else {
        return None;
    };
    let text = format!("({})", whole.text);
    let reads_back = super::read(&mut Cursor::new(&text), &Domains::default());
    (reads_back.is_ok_and(|tokens| tokens == data)).then_some(text)
}

/// `a && b`: the left operand may be of the same kind, and the right one needs a higher precedence.
fn logical(
    stack: &mut Vec<Operand>,
    word: &str,
    binding: Binding,
    stronger: Binding,
) -> Option<Operand> {
    let right = stack.pop()?;
    let left = stack.pop()?;
    let text = format!("{} {word} {}", left.within(binding), right.within(stronger));
    combine(text, binding, &[&left, &right])
}

fn operator(token: u8, stack: &mut Vec<Operand>) -> Option<Operand> {
    let word_of = |table: &[(u8, &'static str)]| {
        let entry = table.iter().find(|(operator, _)| *operator == token);
        entry.map(|(_, word)| *word)
    };
    if let Some(word) = word_of(&RELATIONS) {
        let right = stack.pop()?;
        let left = stack.pop()?;
        let text = format!("{} {word} {}", left.text, right.text);
        return combine(text, Binding::Operand, &[&left, &right]);
    }
    let word = word_of(&EXISTENCE).or_else(|| word_of(&MEMBERSHIP))?;
    let inner = stack.pop()?;
    combine(
        format!("{word} {}", inner.text),
        Binding::Operand,
        &[&inner],
    )
}

/// An expression of these operands, unless they are nested too deeply already.
fn combine(text: String, binding: Binding, operands: &[&Operand]) -> Option<Operand> {
    let deepest = operands.iter().map(|operand| operand.depth).max()?;
    let depth = deepest.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
    Some(Operand {
        text,
        binding,
        depth,
    })
}

/// A literal or an attribute. `rest` moves past it.
fn value(token: u8, rest: &mut &[u8], depth: usize) -> Option<String> {
    if token == INT64 {
        return integer(rest);
    }
    let (len, after) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (bytes, after) = after.split_at_checked(len)?;
    *rest = after;
    match token {
        STRING => Some(format!("\"{}\"", utf16::decode(bytes)?)),
        OCTETS => Some(format!("#{}", Hex(bytes))),
        SID => {
            let mut text = "SID(".to_owned();
            ace::write_sid(&Sid::from_bytes(bytes).ok()?, &mut text);
            Some(text + ")")
        }
        // SDDL can't express a list in a list.
        COMPOSITE if depth == 0 => {
            let mut items = Vec::new();
            let mut rest = bytes;
            while let [token, after @ ..] = rest {
                rest = after;
                items.push(value(*token, &mut rest, 1)?);
            }
            Some(format!("{{{}}}", items.join(", ")))
        }
        SIMPLE_ATTRIBUTE => name("", &utf16::units(bytes)?),
        _ => {
            let (_, prefix) = ATTRIBUTES.iter().find(|(known, _)| *known == token)?;
            name(prefix, &utf16::units(bytes)?)
        }
    }
}

fn integer(rest: &mut &[u8]) -> Option<String> {
    let (value, after) = rest.split_first_chunk::<8>()?;
    let ([sign, base], after) = after.split_first_chunk::<2>()?;
    *rest = after;
    let sign = match *sign {
        SIGN_PLUS => "+",
        SIGN_MINUS => "-",
        SIGN_NONE => "",
        _ => return None,
    };
    let number = i64::from_le_bytes(*value).unsigned_abs();
    match *base {
        BASE_OCTAL => Some(format!("{sign}0{number:o}")),
        BASE_DECIMAL => Some(format!("{sign}{number}")),
        BASE_HEXADECIMAL => Some(format!("{sign}{number:#x}")),
        _ => None,
    }
}

fn name(prefix: &str, units: &[u16]) -> Option<String> {
    let mut text = prefix.to_owned();
    for decoded in char::decode_utf16(units.iter().copied()) {
        let c = decoded.ok()?;
        if is_plain(c, prefix.is_empty()) {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("%{unit:04X}"));
            }
        }
    }
    Some(text)
}
