//! Reading an expression into tokens by recursive descent.

use diskmend_base::hex;
use diskmend_base::utf16;

use super::{
    AND, ATTRIBUTES, BASE_DECIMAL, BASE_HEXADECIMAL, BASE_OCTAL, COMPOSITE, EXISTENCE, INT64,
    MAX_DEPTH, MEMBERSHIP, NOT, OCTETS, OR, PADDING, RELATIONS, SID, SIGN_MINUS, SIGN_NONE,
    SIGN_PLUS, SIGNATURE, SIMPLE_ATTRIBUTE, STRING, is_plain,
};
use crate::format::ALIGNMENT;
use crate::sddl::SddlError;
use crate::sddl::ace;
use crate::sddl::cursor::Cursor;
use crate::sid::Domains;

/// Reads a condition in parentheses and returns the ACE's data for it.
pub(in crate::sddl) fn read(
    cursor: &mut Cursor<'_>,
    domains: &Domains,
) -> Result<Vec<u8>, SddlError> {
    let mut reader = Reader {
        cursor,
        domains,
        tokens: SIGNATURE.to_vec(),
        depth: 0,
    };
    reader.cursor.expect("(")?;
    reader.any()?;
    reader.cursor.expect(")")?;
    let mut tokens = reader.tokens;
    tokens.resize(tokens.len().next_multiple_of(ALIGNMENT), PADDING);
    Ok(tokens)
}

struct Reader<'r, 'text> {
    cursor: &'r mut Cursor<'text>,
    domains: &'r Domains,
    tokens: Vec<u8>,
    depth: usize,
}

impl Reader<'_, '_> {
    /// Terms with `||` between them.
    fn any(&mut self) -> Result<(), SddlError> {
        self.all()?;
        while self.cursor.take("||") {
            self.all()?;
            self.tokens.push(OR);
        }
        Ok(())
    }

    /// Terms with `&&` between them.
    fn all(&mut self) -> Result<(), SddlError> {
        self.term()?;
        while self.cursor.take("&&") {
            self.term()?;
            self.tokens.push(AND);
        }
        Ok(())
    }

    fn term(&mut self) -> Result<(), SddlError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(self.cursor.error("a condition that is not nested as deep"));
        }
        self.cursor.skip_spaces();
        if self.cursor.take("!") {
            self.term()?;
            self.tokens.push(NOT);
        } else if self.cursor.take("(") {
            self.any()?;
            self.cursor.expect(")")?;
        } else if let Some(operator) = self.word(&MEMBERSHIP) {
            self.sids()?;
            self.tokens.push(operator);
        } else if let Some(operator) = self.word(&EXISTENCE) {
            self.attribute()?;
            self.tokens.push(operator);
        } else {
            self.relation()?;
        }
        self.cursor.skip_spaces();
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    /// An attribute alone, or with an operator and the value to compare.
    fn relation(&mut self) -> Result<(), SddlError> {
        self.attribute()?;
        self.cursor.skip_spaces();
        let operator = RELATIONS.iter().find(|(_, word)| self.cursor.take(word));
        let Some((operator, _)) = operator else {
            return Ok(());
        };
        self.cursor.skip_spaces();
        match self.cursor.peek() {
            Some('{') => self.composite(Self::value)?,
            Some('"' | '#' | '+' | '-' | '0'..='9') => self.value()?,
            _ if self.cursor.rest().get(..4).is_some_and(is_sid) => self.value()?,
            _ => self.attribute()?,
        }
        self.tokens.push(*operator);
        Ok(())
    }

    /// The next operator, if it is a whole word.
    fn word(&mut self, operators: &[(u8, &str)]) -> Option<u8> {
        let rest = self.cursor.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_alphabetic() && c != '_')
            .unwrap_or(rest.len());
        let next = rest.get(..len)?;
        let (operator, word) = operators
            .iter()
            .find(|(_, word)| word.eq_ignore_ascii_case(next))?;
        let followed = rest.get(len..)?.starts_with([' ', '{', '@']);
        if !followed {
            return None;
        }
        self.cursor.take(word);
        self.cursor.skip_spaces();
        Some(*operator)
    }

    fn sids(&mut self) -> Result<(), SddlError> {
        if self.cursor.peek() == Some('{') {
            self.composite(Self::sid)
        } else {
            self.sid()
        }
    }

    fn composite(
        &mut self,
        item: impl Fn(&mut Self) -> Result<(), SddlError>,
    ) -> Result<(), SddlError> {
        self.cursor.expect("{")?;
        self.cursor.skip_spaces();
        let before = std::mem::take(&mut self.tokens);
        while self.cursor.peek() != Some('}') {
            item(self)?;
            self.cursor.skip_spaces();
            if !self.cursor.take(",") {
                break;
            }
            self.cursor.skip_spaces();
        }
        self.cursor.expect("}")?;
        let items = std::mem::replace(&mut self.tokens, before);
        self.sized(COMPOSITE, &items)
    }

    fn value(&mut self) -> Result<(), SddlError> {
        match self.cursor.peek() {
            Some('"') => self.string(),
            Some('#') => self.octets(),
            Some('S' | 's') => self.sid(),
            _ => self.integer(),
        }
    }

    fn sid(&mut self) -> Result<(), SddlError> {
        self.cursor.expect("SID(")?;
        let sid = ace::sid(self.cursor, self.domains)?;
        self.cursor.expect(")")?;
        self.sized(SID, &sid.to_bytes())
    }

    fn string(&mut self) -> Result<(), SddlError> {
        self.cursor.expect("\"")?;
        let text = self.cursor.take_while(|c| c != '"');
        self.cursor.expect("\"")?;
        self.sized(STRING, &utf16::encode(text))
    }

    fn octets(&mut self) -> Result<(), SddlError> {
        self.cursor.expect("#")?;
        let digits = self.cursor.take_while(|c| c.is_ascii_hexdigit());
        let bytes = hex::decode(digits).ok_or_else(|| {
            self.cursor
                .error_about(digits, "an even number of hexadecimal digits")
        })?;
        self.sized(OCTETS, &bytes)
    }

    fn integer(&mut self) -> Result<(), SddlError> {
        let sign = if self.cursor.take("-") {
            SIGN_MINUS
        } else if self.cursor.take("+") {
            SIGN_PLUS
        } else {
            SIGN_NONE
        };
        let (base, radix) = if self.cursor.take("0x") {
            (BASE_HEXADECIMAL, 16)
        } else if self.cursor.rest().starts_with('0')
            && self
                .cursor
                .rest()
                .get(1..2)
                .is_some_and(|c| c.as_bytes().iter().all(u8::is_ascii_digit))
        {
            (BASE_OCTAL, 8)
        } else {
            (BASE_DECIMAL, 10)
        };
        let digits = self.cursor.take_while(|c| c.is_ascii_alphanumeric());
        let signed = if sign == SIGN_MINUS {
            format!("-{digits}")
        } else {
            digits.to_owned()
        };
        let value = i64::from_str_radix(&signed, radix).map_err(|_| {
            self.cursor
                .error_about(digits, format!("a number of 64 bits to the base {radix}"))
        })?;
        self.tokens.push(INT64);
        self.tokens.extend(value.to_le_bytes());
        self.tokens.extend([sign, base]);
        Ok(())
    }

    fn attribute(&mut self) -> Result<(), SddlError> {
        let prefix = ATTRIBUTES
            .iter()
            .find(|(_, prefix)| self.cursor.take(prefix));
        let (token, simple) = prefix.map_or((SIMPLE_ATTRIBUTE, true), |(token, _)| (*token, false));
        let mut name: Vec<u16> = Vec::new();
        loop {
            let plain = self.cursor.take_while(|c| is_plain(c, simple));
            name.extend(plain.encode_utf16());
            if !self.cursor.take("%") {
                break;
            }
            name.push(self.escaped()?);
        }
        if name.is_empty() {
            return Err(self.cursor.error("an attribute, Exists, Member_of or ("));
        }
        let bytes: Vec<u8> = name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        self.sized(token, &bytes)
    }

    fn escaped(&mut self) -> Result<u16, SddlError> {
        let digits = self.cursor.rest().get(..4);
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| {
            self.cursor.take(digits);
            u16::from_str_radix(digits, 16).ok()
        });
        unit.ok_or_else(|| self.cursor.error("four hexadecimal digits after %"))
    }

    fn sized(&mut self, token: u8, bytes: &[u8]) -> Result<(), SddlError> {
        let len = u32::try_from(bytes.len())
            .map_err(|_| self.cursor.error("a value of less than 4 GiB"))?;
        self.tokens.push(token);
        self.tokens.extend(len.to_le_bytes());
        self.tokens.extend_from_slice(bytes);
        Ok(())
    }
}

fn is_sid(start: &str) -> bool {
    start.eq_ignore_ascii_case("SID(")
}
