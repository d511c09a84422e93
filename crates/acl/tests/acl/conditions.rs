//! Conditions of ACEs are read back from their text as the same bytes.

use diskmend_acl::{Domains, SddlParts, SecurityDescriptor};
use proptest::prelude::*;
use proptest::sample::select;

fn attribute() -> BoxedStrategy<String> {
    let names = vec![
        "a",
        "WIN://SYSAPPID",
        "b%0020c%D83D%DE00",
        "@User.d",
        "@Device.e-f%0025",
        "@Resource.\u{e9}$",
    ];
    select(names).prop_map(str::to_owned).boxed()
}

fn integer() -> BoxedStrategy<String> {
    (any::<i64>(), select(vec!["", "+"]), 0..3)
        .prop_map(|(number, sign, base)| {
            let sign = if number < 0 { "-" } else { sign };
            let digits = number.unsigned_abs();
            match base {
                0 => format!("{sign}{digits}"),
                // A lone 0 would be read as decimal.
                1 => format!("{sign}0{digits:o}"),
                _ => format!("{sign}{digits:#x}"),
            }
        })
        .boxed()
}

fn sid() -> BoxedStrategy<String> {
    select(vec!["SID(BA)", "SID(S-1-5-21-1-2-3-500)"])
        .prop_map(str::to_owned)
        .boxed()
}

fn value() -> BoxedStrategy<String> {
    let text = "[ a-z(){}&|!\u{e9}\u{1f600}]{0,6}".prop_map(|text| format!("\"{text}\""));
    let octets = "([0-9a-f]{2}){0,4}".prop_map(|digits| format!("#{digits}"));
    prop_oneof![integer(), text, octets, sid()].boxed()
}

fn list(item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop::collection::vec(item, 0..4)
        .prop_map(|items| format!("{{{}}}", items.join(", ")))
        .boxed()
}

fn leaf() -> BoxedStrategy<String> {
    let relations = vec![
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "Contains",
        "Any_of",
        "Not_Contains",
        "Not_Any_of",
    ];
    let memberships = vec![
        "Member_of",
        "Member_of_Any",
        "Device_Member_of",
        "Not_Member_of_Any",
        "Not_Device_Member_of",
    ];
    let operand = prop_oneof![attribute(), value(), list(value())];
    let relation = (attribute(), select(relations), operand)
        .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    let existence = (select(vec!["Exists", "Not_Exists"]), attribute())
        .prop_map(|(operator, name)| format!("{operator} {name}"));
    let membership = (select(memberships), prop_oneof![sid(), list(sid())])
        .prop_map(|(operator, sids)| format!("{operator} {sids}"));
    prop_oneof![attribute(), relation, existence, membership].boxed()
}

/// An expression with superfluous parentheses.
fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 24, 2, |inner| {
        let two = (inner.clone(), select(vec!["&&", "||"]), inner.clone());
        prop_oneof![
            two.clone()
                .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
            two.prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn data(descriptor: &SecurityDescriptor) -> &[u8] {
    let ace = &descriptor.dacl.list().unwrap().aces[0];
    &ace.trustee().unwrap().data
}

proptest! {
    #[test]
    fn a_condition_comes_back(expression in expression()) {
        let sddl = format!("D:(XA;;FA;;;WD;({expression}))");
        let read = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
        let written = read.to_sddl(SddlParts::All).unwrap();
        let again = SecurityDescriptor::from_sddl(&written, &Domains::default()).unwrap();
        prop_assert_eq!(data(&again), data(&read), "{} from {}", written, sddl);
        prop_assert!(written.len() <= sddl.len(), "{} from {}", written, sddl);
        let stored = SecurityDescriptor::from_bytes(&read.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(stored.to_sddl(SddlParts::All).unwrap(), written);
    }
}
