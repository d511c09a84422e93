use diskmend_base::utf16::encode_terminated;
use diskmend_hive::name::NameBuf;
use diskmend_hive::{Editor, Filetime, Hive, ValueType};
use proptest::prelude::*;

use super::tree::{Node, RawValue};
use super::*;

fn empty() -> Editor {
    let hive = Hive::create(5, &[0; 20], Filetime(0)).unwrap();
    Editor::new(hive, Filetime(0))
}

fn units() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        Just(0x20u16),
        Just(0x22),
        Just(0x5d),
        Just(0x23),
        0x30u16..0x7f,
        any::<u16>(),
    ];
    prop::collection::vec(
        unit.prop_filter("registry names", |u| *u != 0 && *u != 0x5c),
        1..6,
    )
}

fn name() -> impl Strategy<Value = NameBuf> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "Objects", "Description", "Elements", "Element", "Type", "objects", "KeyName",
            "{9dea862c-5cdd-4e70-acc1-f32b344d4795}", "{9DEA862C-5cdd-4e70-acc1-f32b344d4796}",
            "12000004", "1600000B", "25000004", "24000001", "17000077", "11000001", "23000003",
            "28000001",
        ]).prop_map(NameBuf::new),
        1 => units().prop_map(|units| NameBuf::from_units(&units)),
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let guids = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(any::<u16>(), 0..6)
            .prop_map(|units| units.into_iter().flat_map(u16::to_le_bytes).collect()),
        "[ -~\u{e9}\u{202e}]{0,9}".prop_map(|text: String| encode_terminated(&text)),
        Just(encode_terminated(guids)),
        Just([encode_terminated(guids), vec![0, 0]].concat()),
        any::<u64>().prop_map(|number| number.to_le_bytes().to_vec()),
        any::<u32>().prop_map(|number| number.to_le_bytes().to_vec()),
        any::<bool>().prop_map(|yes| vec![u8::from(yes)]),
        prop::collection::vec(any::<u8>(), 32..60),
    ]
}

fn value() -> impl Strategy<Value = RawValue> {
    let value_type = prop_oneof![
        Just(ValueType::SZ),
        Just(ValueType::BINARY),
        Just(ValueType::DWORD),
        Just(ValueType::MULTI_SZ),
        any::<u32>().prop_map(ValueType),
    ];
    (name(), value_type, data()).prop_map(|(name, value_type, data)| RawValue {
        name,
        value_type,
        data,
    })
}

fn with_parts(node: &mut Node, values: Vec<RawValue>, children: Vec<Node>) {
    for value in values {
        if !node.has_value(value.name.as_name()) {
            node.values.push(value);
        }
    }
    for child in children {
        if let Err(index) = node.find(child.name.as_name()) {
            node.children.insert(index, child);
        }
    }
}

/// Any keys and values.
fn wild() -> impl Strategy<Value = Node> {
    let leaf = (name(), prop::collection::vec(value(), 0..3)).prop_map(|(name, values)| {
        let mut node = Node::new(name);
        with_parts(&mut node, values, vec![]);
        node
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (
            name(),
            prop::collection::vec(value(), 0..3),
            prop::collection::vec(inner, 0..4),
        )
            .prop_map(|(name, values, children)| {
                let mut node = Node::new(name);
                with_parts(&mut node, values, children);
                node
            })
    })
}

/// Objects with the keys that Windows creates, with elements of all kinds.
fn object() -> impl Strategy<Value = Node> {
    let id = prop_oneof![
        Just(0x1200_0004u32),
        Just(0x1600_0020),
        Just(0x2500_0004),
        Just(0x2400_0001),
        Just(0x1700_0077),
        Just(0x1100_0001),
        any::<u32>()
    ];
    let element = (id, any::<bool>(), any::<bool>(), value());
    (
        any::<[u8; 16]>(),
        any::<u32>(),
        prop::collection::vec(value(), 0..2),
        prop::collection::vec(element, 0..6),
    )
        .prop_map(|(guid, object_type, mut values, elements)| {
            values.insert(
                values.len() / 2,
                RawValue {
                    name: NameBuf::new("Type"),
                    value_type: ValueType::DWORD,
                    data: object_type.to_le_bytes().to_vec(),
                },
            );
            let mut description = Node::new(NameBuf::new("Description"));
            with_parts(&mut description, values, vec![]);
            let mut holder = Node::new(NameBuf::new("Elements"));
            for (id, upper, fits, mut value) in elements {
                let id = crate::ElementId(id);
                let name = if upper {
                    id.to_string().to_uppercase()
                } else {
                    id.to_string()
                };
                let mut element = Node::new(NameBuf::new(&name));
                value.name = NameBuf::new("Element");
                if fits {
                    value.value_type = id.format().value_type();
                }
                element.values.push(value);
                with_parts(&mut holder, vec![], vec![element]);
            }
            let mut node = Node::new(NameBuf::new(&crate::Guid(guid).to_string()));
            with_parts(&mut node, vec![], vec![description, holder]);
            node
        })
}

fn store() -> impl Strategy<Value = Node> {
    (
        prop::collection::vec(value(), 0..2),
        prop::collection::vec(wild(), 0..3),
        prop::collection::vec(object(), 0..4),
        prop::collection::vec(wild(), 0..2),
        prop::collection::vec(value(), 0..3),
    )
        .prop_map(|(values, others, objects, in_objects, description)| {
            let mut holder = Node::new(NameBuf::new("Objects"));
            with_parts(&mut holder, vec![], objects);
            with_parts(&mut holder, vec![], in_objects);
            let mut own = Node::new(NameBuf::new("Description"));
            with_parts(&mut own, description, vec![]);
            let mut root = Node::new(NameBuf::new(""));
            with_parts(&mut root, values, vec![holder, own]);
            with_parts(&mut root, vec![], others);
            root
        })
}

proptest! {
    #[test]
    fn text_gives_the_same_tree_again(root in store()) {
        let document = Document { root };
        let text = document.to_string();
        prop_assert_eq!(Document::parse(&text).map_err(|e| format!("{e}\n{text}")), Ok(document));
    }

    #[test]
    fn a_store_that_is_imported_is_exported_alike(root in store(), before in store()) {
        let document = Document { root };
        let mut editor = empty();
        // A name that is not valid text can't be imported, so there is nothing to compare.
        let old = Document { root: before }.import(&mut editor);
        prop_assume!(old.is_ok());
        prop_assume!(document.import(&mut editor).is_ok());
        let again = Document::export(&editor.root().unwrap()).unwrap();
        prop_assert_eq!(&again, &document);
        let changes = editor.changes().len();
        document.import(&mut editor).unwrap();
        prop_assert_eq!(editor.changes().len(), changes, "a second import edits nothing");
    }

    #[test]
    fn no_text_panics(text in "(diskmend-bcd 1\n)?(\\PC|\n|\\[object |\\[key |\\[store\\]| = |\"){0,60}") {
        let _ = Document::parse(&text);
    }
}

fn problem(lines: &str) -> String {
    let text = format!("diskmend-bcd 1\n{lines}\n");
    Document::parse(&text).unwrap_err().to_string()
}

#[test]
fn a_wrong_line_is_named_with_what_was_expected() {
    let object = "[object {9dea862c-5cdd-4e70-acc1-f32b344d4795}]\ntype = 0x10100002";
    assert_eq!(
        Document::parse("x").unwrap_err().to_string(),
        "line 1: expected \"diskmend-bcd 1\""
    );
    assert_eq!(
        problem("timeout = integer 3"),
        "line 2: expected a section such as [store]"
    );
    assert_eq!(
        problem(&format!("{object}\ntimeout = boolean yes")),
        "line 4: element 25000004 takes a value of type integer, not boolean"
    );
    assert_eq!(
        problem(&format!("{object}\nosdevice = device 00")),
        "line 4: element \"osdevice\" is not known in objects of type 0x10100002"
    );
    assert_eq!(
        problem(&format!("{object}\n25000004 default = integer 3")),
        "line 4: element 25000004 is not \"default\""
    );
    assert_eq!(
        problem(&format!(
            "{object}\ntimeout = integer 3\n25000004 = integer 3"
        )),
        "line 5: value \"Element\" occurs twice"
    );
    assert_eq!(
        problem(&format!(
            "{object}\n[object {{9DEA862C-5cdd-4e70-acc1-f32b344d4795}}]"
        )),
        "line 4: key \"{9DEA862C-5cdd-4e70-acc1-f32b344d4795}\" exists in another case"
    );
    assert!(problem("[object {bootmgr}]").contains("expected a GUID"));
    assert!(problem("[nothing]").contains("expected store, object or key"));
    assert!(problem(&format!("[key{}]", " \"k\"".repeat(16))).contains("level 16"));
    assert!(problem("[key \"a\\\\b\"]").contains("backslash"));
}

#[test]
fn an_element_needs_only_one_of_its_names_and_comments_are_passed_over() {
    let text = "\u{feff}diskmend-bcd 1\r\n# a comment\r\n\
        [object {9dea862c-5cdd-4e70-acc1-f32b344d4795}] # the boot manager\r\n\
        type = 0x10100002\r\ntimeout = integer 5 # seconds\r\n16000020 = boolean yes\r\n\
        description = string \"a # b\" # c\r\n";
    let document = Document::parse(text).unwrap().to_string();
    assert!(
        document.contains("\n25000004 timeout = integer 5\n"),
        "{document}"
    );
    assert!(
        document.contains("\n16000020 bootems = boolean yes\n"),
        "{document}"
    );
    assert!(
        document.contains("\n12000004 description = string \"a # b\"\n"),
        "{document}"
    );
}

/// A text from a person is shown as it was typed: its backslashes were once doubled.
#[test]
fn a_message_quotes_the_text_as_it_is() {
    let text = "diskmend-bcd 1\n[object {a\\b}]\n";
    let error = Document::parse(text).expect_err("no GUID").to_string();
    assert!(error.contains(r#"object "{a\b}": expected"#), "{error}");
    let guid = r"{a\b}".parse::<crate::Guid>().expect_err("no GUID");
    let expected = r#""{a\b}" is not a GUID"#;
    assert!(guid.to_string().starts_with(expected), "{guid}");
}
