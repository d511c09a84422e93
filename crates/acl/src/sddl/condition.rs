//! The condition of a conditional ACE: tokens in postfix order (MS-DTYP 2.4.4.17) and the
//! expression that SDDL writes for them (MS-DTYP 2.5.1.1, cond-expr).

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;

/// An ACE's data that hold a condition start with these bytes.
const SIGNATURE: [u8; 4] = *b"artx";

/// Deeper expressions are refused. Nothing writes them, and a hostile one would exhaust the stack.
const MAX_DEPTH: usize = 64;

const INT64: u8 = 0x04;
const STRING: u8 = 0x10;
const OCTETS: u8 = 0x18;
const COMPOSITE: u8 = 0x50;
const SID: u8 = 0x51;
const PADDING: u8 = 0x00;

const SIGN_PLUS: u8 = 0x01;
const SIGN_MINUS: u8 = 0x02;
const SIGN_NONE: u8 = 0x03;
const BASE_OCTAL: u8 = 0x01;
const BASE_DECIMAL: u8 = 0x02;
const BASE_HEXADECIMAL: u8 = 0x03;

const NOT: u8 = 0xA2;
const AND: u8 = 0xA0;
const OR: u8 = 0xA1;

/// The sources of an attribute. The simple form has no prefix.
const ATTRIBUTES: [(u8, &str); 3] = [(0xF9, "@User."), (0xFA, "@Resource."), (0xFB, "@Device.")];
const SIMPLE_ATTRIBUTE: u8 = 0xF8;

/// Operators between two operands. An operator that starts with another one comes before it.
const RELATIONS: [(u8, &str); 10] = [
    (0x80, "=="),
    (0x81, "!="),
    (0x83, "<="),
    (0x82, "<"),
    (0x85, ">="),
    (0x84, ">"),
    (0x86, "Contains"),
    (0x88, "Any_of"),
    (0x8E, "Not_Contains"),
    (0x8F, "Not_Any_of"),
];

/// Operators before an attribute.
const EXISTENCE: [(u8, &str); 2] = [(0x87, "Exists"), (0x8D, "Not_Exists")];

/// Operators before SIDs. An operator that starts with another one comes before it.
const MEMBERSHIP: [(u8, &str); 8] = [
    (0x8B, "Member_of_Any"),
    (0x89, "Member_of"),
    (0x8C, "Device_Member_of_Any"),
    (0x8A, "Device_Member_of"),
    (0x92, "Not_Member_of_Any"),
    (0x90, "Not_Member_of"),
    (0x93, "Not_Device_Member_of_Any"),
    (0x91, "Not_Device_Member_of"),
];

/// True if a character of an attribute's name is written as it is. Other characters are written as
/// `%` and the four hexadecimal digits of their UTF-16 unit.
fn is_plain(c: char, simple: bool) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii() && c.is_alphanumeric())
        || matches!(c, ':' | '.' | '/' | '_')
        || (!simple
            && matches!(
                c,
                '#' | '$'
                    | '\''
                    | '*'
                    | '+'
                    | '-'
                    | '?'
                    | '@'
                    | '['
                    | '\\'
                    | ']'
                    | '^'
                    | '`'
                    | '{'
                    | '}'
                    | '~'
            ))
}

#[cfg(test)]
mod tests {
    use crate::sddl::SddlParts;
    use crate::{Domains, SecurityDescriptor};

    fn data(sddl: &str) -> Vec<u8> {
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        assert_eq!(descriptor.to_sddl(SddlParts::All).unwrap(), sddl);
        let acl = descriptor.dacl.list().unwrap();
        acl.aces[0].trustee().unwrap().data.clone()
    }

    #[test]
    fn the_condition_on_windows_s_apps_is_read() {
        let data = data("D:(XA;;0x1200a9;;;BU;(Exists WIN://SYSAPPID))");
        let mut tokens = b"artx\xF8\x1C\0\0\0".to_vec();
        tokens.extend("WIN://SYSAPPID".encode_utf16().flat_map(u16::to_le_bytes));
        tokens.extend(b"\x87\0\0");
        assert_eq!(data, tokens);
    }

    #[test]
    fn the_example_of_the_specification_is_encoded_as_there() {
        // MS-DTYP 2.4.4.17.9, example 1.
        let title = data("D:(XA;;FX;;;WD;(Title == \"VP\"))");
        let mut tokens = b"artx\xF8\x0A\0\0\0T\0i\0t\0l\0e\0".to_vec();
        tokens.extend(b"\x10\x04\0\0\0V\0P\0\x80\0\0\0");
        assert_eq!(title, tokens);
        let both = data(
            "D:(XA;;FX;;;WD;(@User.Smartcard == 1 || @Device.Managed == 1 && @Resource.dept Any_of {\"Sales\", \"HR\"}))",
        );
        let (and, or) = (
            both.iter().rposition(|b| *b == 0xA0),
            both.iter().rposition(|b| *b == 0xA1),
        );
        assert!(and < or, "|| binds weaker");
    }

    #[test]
    fn every_form_comes_back() {
        for condition in [
            "Member_of {SID(BA), SID(S-1-5-21-1-2-3-500)}",
            "Not_Member_of_Any SID(BA)",
            "!(Exists @User.a && !@Device.b)",
            "@User.a > -017",
            "@User.a <= +0x1f",
            "@User.a != 9223372036854775807",
            "@User.a >= -9223372036854775808",
            "@User.a < #0102ff",
            "@User.a == {}",
            "@User.a%0020b%0025 Contains {1, \"x\", SID(SY)}",
            "@Resource.a Not_Any_of @User.b",
            "a && (b && c)",
            "a && b && c",
            "(a || b) && c",
            "Device_Member_of_Any {SID(BU)}",
        ] {
            data(&format!("D:(XD;OICI;FA;;;WD;({condition}))"));
        }
    }

    #[test]
    fn text_that_is_not_a_condition_is_refused() {
        let deep = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
        let many = "!".repeat(1000);
        for condition in [
            "",
            "(",
            "a &&",
            "a = 1",
            "a ==",
            "Member_of {1}",
            "Member_of a",
            "a == \"x",
            "a == #0",
            "a == 08",
            "a == 9223372036854775808",
            "@Nobody.a",
            "@User.",
            "a b",
            "@User.%00",
            "SID(BA)",
            &deep,
            &many,
        ] {
            let sddl = format!("D:(XA;;FA;;;WD;({condition}))");
            assert!(
                SecurityDescriptor::from_sddl(&sddl, &Domains::default()).is_err(),
                "{condition}"
            );
        }
    }
}
