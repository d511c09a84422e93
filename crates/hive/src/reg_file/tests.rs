//! Registry text as people and programs write it.

use proptest::prelude::*;

use super::*;

fn operations(text: &str) -> Vec<Operation> {
    RegFile::parse(text.as_bytes()).unwrap().operations
}

/// The name of a value; if the value is set, its type and data.
type AskedValue = (String, Option<(u32, Vec<u8>)>);

/// The operations of a version 5 file with one key, without the operation for the key itself.
fn values(lines: &str) -> Vec<AskedValue> {
    values_of(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[K]\r\n{lines}"
    ))
}

fn values_of(text: &str) -> Vec<AskedValue> {
    operations(text)
        .into_iter()
        .filter_map(|operation| match operation {
            Operation::SetValue {
                name,
                value_type,
                data,
                ..
            } => Some((name, Some((value_type, data)))),
            Operation::DeleteValue { name, .. } => Some((name, None)),
            _ => None,
        })
        .collect()
}

fn data(line: &str) -> (u32, Vec<u8>) {
    match values(&format!("@={line}\n")).as_slice() {
        [(name, Some(data))] if name.is_empty() => data.clone(),
        other => panic!("{other:?}"),
    }
}

fn sz(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn failure(text: &str) -> (usize, String) {
    let error = RegFile::parse(text.as_bytes()).unwrap_err();
    match &error {
        ParseError::Syntax { line, .. } => (*line, error.to_string()),
        other => panic!("{other}"),
    }
}

fn data_failure(line: &str) -> String {
    let (number, message) = failure(&format!("[K]\n@={line}\n"));
    assert_eq!(number, 2, "{message}");
    message
}

#[test]
fn keys_and_values_keep_order_and_lines() {
    let text = "Windows Registry Editor Version 5.00\r\n\r\n; why\r\n[A\\B]\r\n@=\"x\"\r\n\
                \"gone\"=-\r\n\r\n[-A\\C]\r\n";
    let path: Arc<str> = Arc::from(r"A\B");
    assert_eq!(
        operations(text),
        [
            Operation::CreateKey {
                path: path.clone(),
                line: 4
            },
            Operation::SetValue {
                path: path.clone(),
                name: String::new(),
                value_type: 1,
                data: sz("x"),
                line: 5
            },
            Operation::DeleteValue {
                path,
                name: "gone".into(),
                line: 6
            },
            Operation::DeleteKey {
                path: r"A\C".into(),
                line: 8
            },
        ]
    );
}

#[test]
fn every_encoding_reads_alike() {
    let text =
        "Windows Registry Editor Version 5.00\r\n\r\n[\u{416}]\r\n\"\u{E9}\"=\"\u{1F600}\"\r\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let plain = operations(text);
    assert_eq!(plain.len(), 2);
    for bytes in [
        [b"\xFF\xFE", utf16.as_slice()].concat(),
        utf16.clone(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        text.replace('\r', "").into_bytes(),
    ] {
        assert_eq!(RegFile::parse(&bytes).unwrap().operations, plain);
    }
}

#[test]
fn strings_have_two_escapes_and_may_break_lines() {
    assert_eq!(data(r#""C:\\dir \"x\"""#), (1, sz(r#"C:\dir "x""#)));
    assert_eq!(data("\"one\r\ntwo\" ; comment"), (1, sz("one\r\ntwo")));
    assert_eq!(data("\"\""), (1, sz("")));
    assert!(data_failure(r#""C:\dir""#).contains("after a backslash"));
    assert!(data_failure("\"open").contains("ends in"));
}

#[test]
fn a_line_after_a_string_with_breaks_has_the_right_number() {
    let operations = operations("[K]\n\"a\"=\"1\n2\n3\"\n\"b\"=-\n");
    assert_eq!(operations[2].line(), 5);
}

#[test]
fn numbers_have_one_to_eight_digits() {
    assert_eq!(data("dword:00000001"), (4, vec![1, 0, 0, 0]));
    assert_eq!(data("DWORD: ffFF"), (4, vec![0xFF, 0xFF, 0, 0]));
    assert_eq!(
        data("dword:12345678 ; n"),
        (4, vec![0x78, 0x56, 0x34, 0x12])
    );
    assert!(data_failure("dword:").contains("found the end of the line"));
    assert!(data_failure("dword:123456789").contains("1 to 8"));
    assert!(data_failure("dword:1x").contains("found 'x'"));
    assert!(data_failure("dword:+1").contains("found '+1'"));
}

#[test]
fn bytes_run_over_lines() {
    assert_eq!(
        data("hex:01,0a,\\\r\n  FF,0\t, 2,\\ ; more\r\n ; not this\r\n\t3"),
        (3, vec![1, 10, 255, 0, 2, 3])
    );
    assert_eq!(data("hex:"), (3, vec![]));
    assert_eq!(data("hex(0):"), (0, vec![]));
    assert_eq!(
        data("hex(b):01,00,00,00,00,00,00,00,"),
        (11, vec![1, 0, 0, 0, 0, 0, 0, 0])
    );
    assert_eq!(data("hex(FFFF0012):00"), (0xFFFF_0012, vec![0]));
    assert_eq!(data("hex(1):61,00"), (1, vec![0x61, 0]));
    assert_eq!(data("hex:01 ; one"), (3, vec![1]));
}

#[test]
fn broken_bytes_are_errors() {
    assert!(data_failure("hex:01,,02").contains("found ',02'"));
    assert!(data_failure("hex:001").contains("found '001'"));
    assert!(data_failure("hex:01 02").contains("end of the line"));
    assert!(data_failure("hex:0g").contains("end of the line"));
    assert!(data_failure("hex(g):00").contains("'(g):00'"));
    assert!(data_failure("hex(100000000):00").contains("type"));
    assert!(data_failure("hex 00").contains("type"));
    assert!(data_failure("hex:00,\\ 01").contains("end of the line"));
    let (line, message) = failure("[K]\n@=hex:00,\\\n\n\"b\"=-\n");
    // The blank line is skipped.
    assert_eq!(line, 4, "{message}");
    let (_, message) = failure("[K]\n@=hex:00,\\");
    assert!(message.contains("end of the file"), "{message}");
}

#[test]
fn names_are_unescaped() {
    let values = values("\"C:\\\\x\\\"\" = -\r\n\"a]=;\"=dword:1\r\n\t@=-");
    let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["C:\\x\"", "a]=;", ""]);
}

#[test]
fn the_last_bracket_ends_a_key() {
    assert_eq!(operations("[A\\x]y]\r\n")[0].path(), r"A\x]y");
    assert_eq!(operations("[A;b] ; comment\n")[0].path(), "A;b");
    assert_eq!(operations("  [A ]\n")[0].path(), "A ");
    assert_eq!(failure("\n[A\n").0, 2);
    assert_eq!(failure("\n[A] b\n").0, 2);
    assert_eq!(failure("[]\n").0, 1);
    assert_eq!(failure("[-]\n").0, 1);
}

#[test]
fn values_need_a_key_that_stays() {
    assert_eq!(failure("REGEDIT4\n\"a\"=-\n").0, 2);
    assert_eq!(failure("[-K]\n\"a\"=-\n").0, 2);
}

#[test]
fn other_lines_are_errors() {
    assert!(failure("hello\n").1.contains("'Windows Registry Editor"));
    assert!(failure("REGEDIT\n").1.contains("REGEDIT4"));
    assert!(failure("REGEDIT42\n").1.contains("found '2'"));
    assert_eq!(failure("[K]\nname=-\n").0, 2);
    assert_eq!(failure("[K]\n\"a\"\n").0, 2);
    assert_eq!(failure("[K]\n\"a\"=\n").0, 2);
    assert_eq!(failure("[K]\n\"a\"=1\n").0, 2);
    let (_, message) = failure("[K]\n\u{1B}[2J\n");
    assert!(!message.contains('\u{1B}'));
}

#[test]
fn version_4_holds_windows_1252() {
    let text = b"REGEDIT4\r\n\r\n[K\xE9]\r\n\"\x80\"=\"\x99\"\r\n\"e\"=hex(2):25,80,25,00\r\n\
                 \"m\"=hex(7):61,00,00\r\n\"b\"=hex:80\r\n\"s\"=hex(1):61,00\r\n";
    let file = RegFile::parse(text).unwrap();
    assert_eq!(file.operations[0].path(), "K\u{E9}");
    let data: Vec<_> = file
        .operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::SetValue { data, .. } => Some(data.as_slice()),
            _ => None,
        })
        .collect();
    assert_eq!(
        data,
        [
            sz("\u{2122}").as_slice(),
            &sz("%\u{20AC}%"),
            &[0x61, 0, 0, 0, 0, 0],
            &[0x80],
            &[0x61, 0],
        ]
    );
}

#[test]
fn hivexregedit_output_is_read() {
    let text = "[\\Select]\n\"Current\"=dword:00000001\n\"s\"=str(1):\"a\\\"b\"\n\
                \"e\"=str(2):\"%x%\"\n\"h\"=hex(1):61,00,00,00\n\n";
    let file = RegFile::parse(text.as_bytes())
        .unwrap()
        .strip_prefix("")
        .unwrap();
    assert_eq!(file.operations[0].path(), "Select");
    assert_eq!(
        values_of(text)[1..],
        [
            ("s".into(), Some((1, sz("a\"b")))),
            ("e".into(), Some((2, sz("%x%")))),
            ("h".into(), Some((1, sz("a")))),
        ]
    );
    assert!(data_failure("str(7):\"a\"").contains("REG_MULTI_SZ"));
    assert!(data_failure("str(1):\"C:\\dir\"").contains("no backslash"));
    assert!(data_failure("str(1):\"\\\\host\"").contains("no backslash"));
}

#[test]
fn an_empty_file_asks_for_nothing() {
    assert!(operations("").is_empty());
    assert!(operations("\r\n; nothing\r\n").is_empty());
    assert!(operations("Windows Registry Editor Version 5.00").is_empty());
}

#[test]
fn a_key_outside_of_the_prefix_is_named_with_its_line() {
    let text = "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\n\"x\"=-\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n";
    let error = RegFile::parse(text.as_bytes())
        .unwrap()
        .strip_prefix(r"hkey_local_machine\system")
        .unwrap_err();
    assert!(
        matches!(error, ParseError::OutsidePrefix { line: 3, .. }),
        "{error}"
    );
}

#[test]
fn too_long_files_are_refused() {
    let bytes = vec![b' '; MAX_FILE_LEN + 1];
    assert_eq!(
        RegFile::parse(&bytes).unwrap_err(),
        ParseError::TooLong { len: bytes.len() }
    );
}

#[test]
fn too_many_operations_are_refused() {
    let text = format!("[K]\n{}", "@=-\n".repeat(MAX_OPERATIONS));
    assert_eq!(
        RegFile::parse(text.as_bytes()).unwrap_err(),
        ParseError::TooMany {
            line: MAX_OPERATIONS + 1
        }
    );
}

fn written(encoding: Encoding, operations: &[Operation]) -> Vec<u8> {
    let mut writer = Writer::start(Vec::new(), encoding).unwrap();
    for operation in operations {
        writer.operation(operation).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn text_is_as_windows_writes_it() {
    let mut writer = Writer::start(Vec::new(), Encoding::Utf8).unwrap();
    writer.key(r"HKEY_LOCAL_MACHINE\SYSTEM\A").unwrap();
    writer.value("", 1, &sz(r#"C:\x "y""#)).unwrap();
    writer.value("n", 4, &[1, 0, 0, 0]).unwrap();
    writer.value("short", 4, &[1]).unwrap();
    writer.value("q", 11, &[1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    writer.value("unterminated", 1, b"a\0").unwrap();
    writer.value("two\\terminators", 1, b"a\0\0\0\0\0").unwrap();
    writer.value("break", 1, &sz("\n")).unwrap();
    writer.value("surrogate", 1, &[0, 0xD8, 0, 0]).unwrap();
    writer.value("odd", 1, &[0, 0, 0]).unwrap();
    writer.value("none", 0, &[]).unwrap();
    writer.delete_value("old").unwrap();
    writer.value("b", 3, &[0xAB; 60]).unwrap();
    writer.delete_key("B").unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let full = ["ab"; 25].join(",");
    let expected = [
        "Windows Registry Editor Version 5.00",
        "",
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]",
        r#"@="C:\\x \"y\"""#,
        r#""n"=dword:00000001"#,
        r#""short"=hex(4):01"#,
        r#""q"=hex(b):01,00,00,00,00,00,00,00"#,
        r#""unterminated"=hex(1):61,00"#,
        r#""two\\terminators"=hex(1):61,00,00,00,00,00"#,
        r#""break"=hex(1):0a,00,00,00"#,
        r#""surrogate"=hex(1):00,d8,00,00"#,
        r#""odd"=hex(1):00,00,00"#,
        r#""none"=hex(0):"#,
        r#""old"=-"#,
        &format!("\"b\"=hex:{},\\", ["ab"; 23].join(",")),
        &format!("  {full},\\"),
        &format!("  {}", ["ab"; 12].join(",")),
        "",
        "[-B]",
        "",
        "",
    ];
    assert_eq!(text, expected.join("\n"));
    assert!(text.lines().all(|line| line.len() <= 80));
}

#[test]
fn strings_beyond_ascii_are_bytes_in_utf8_only() {
    let write = |encoding| {
        let mut writer = Writer::start(Vec::new(), encoding).unwrap();
        writer.key("K").unwrap();
        writer.value("\u{E9}", 1, &sz("\u{416}")).unwrap();
        writer.finish().unwrap()
    };
    let text = String::from_utf8(write(Encoding::Utf8)).unwrap();
    assert!(text.contains("\"\u{E9}\"=hex(1):16,04,00,00\n"), "{text}");
    let quoted: Vec<u8> = "=\"\u{416}\"\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bytes = write(Encoding::Utf16);
    assert!(bytes.windows(quoted.len()).any(|window| window == quoted));
}

#[test]
fn utf16_has_a_mark_and_windows_line_ends() {
    let bytes = written(Encoding::Utf16, &[]);
    let text = "\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n";
    assert_eq!(
        bytes,
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    );
}

#[test]
fn text_that_would_read_back_differently_is_refused() {
    let mut writer = Writer::start(Vec::new(), Encoding::Utf8).unwrap();
    assert!(matches!(writer.value("a", 1, &[]), Err(WriteError::NoKey)));
    for path in ["", "-a", "a\nb", "a\rb", "a\0"] {
        assert!(
            matches!(writer.key(path), Err(WriteError::Path { .. })),
            "{path:?}"
        );
        assert!(
            matches!(writer.delete_key(path), Err(WriteError::Path { .. })),
            "{path:?}"
        );
    }
    writer.key("K").unwrap();
    assert!(matches!(
        writer.value("\0", 1, &[]),
        Err(WriteError::ValueName { .. })
    ));
    writer.delete_key("K").unwrap();
    assert!(matches!(writer.delete_value("a"), Err(WriteError::NoKey)));
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(
        text,
        "Windows Registry Editor Version 5.00\n\n[K]\n\n[-K]\n\n"
    );
}

fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::char::range(' ', '~'),
        2 => prop::sample::select(vec!['"', '\\', ']', '[', ';', '=', '-', '@', '\t', ',']),
        2 => any::<char>(),
    ];
    prop::collection::vec(character, 0..12)
        .prop_map(|characters| characters.into_iter().filter(|c| *c != '\0').collect())
}

fn any_path() -> impl Strategy<Value = Arc<str>> {
    any_text().prop_map(|text| Arc::from(format!("K{}", text.replace(['\r', '\n'], " "))))
}

fn any_data() -> impl Strategy<Value = (u32, Vec<u8>)> {
    prop_oneof![
        (
            prop_oneof![0u32..12, any::<u32>()],
            prop::collection::vec(any::<u8>(), 0..200)
        ),
        (Just(4), prop::collection::vec(any::<u8>(), 4)),
        (
            prop_oneof![Just(1), Just(2)],
            any_text().prop_map(|text| sz(&text))
        ),
        (
            Just(1),
            prop::collection::vec(prop_oneof![Just(0u8), 0x20u8..0x7F, any::<u8>()], 0..12)
        ),
    ]
}

/// An operation without its line.
type Asked = (String, Option<String>, Option<(u32, Vec<u8>)>, bool);

fn asked(operation: &Operation) -> Asked {
    let path = operation.path().to_owned();
    match operation.clone() {
        Operation::CreateKey { .. } => (path, None, None, false),
        Operation::DeleteKey { .. } => (path, None, None, true),
        Operation::SetValue {
            name,
            value_type,
            data,
            ..
        } => (path, Some(name), Some((value_type, data)), false),
        Operation::DeleteValue { name, .. } => (path, Some(name), None, true),
    }
}

/// Keys, each with values below it.
fn any_operations() -> impl Strategy<Value = Vec<Operation>> {
    let value = (any_text(), prop::option::of(any_data()));
    let key = (
        any_path(),
        any::<bool>(),
        prop::collection::vec(value, 0..6),
    );
    prop::collection::vec(key, 0..6).prop_map(|keys| {
        let line = 0;
        let mut operations = Vec::new();
        for (path, deletes, values) in keys {
            if deletes {
                operations.push(Operation::DeleteKey { path, line });
                continue;
            }
            operations.push(Operation::CreateKey {
                path: path.clone(),
                line,
            });
            operations.extend(values.into_iter().map(|(name, data)| match data {
                Some((value_type, data)) => Operation::SetValue {
                    path: path.clone(),
                    name,
                    value_type,
                    data,
                    line,
                },
                None => Operation::DeleteValue {
                    path: path.clone(),
                    name,
                    line,
                },
            }));
        }
        operations
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        operations in any_operations(),
        encoding in prop_oneof![Just(Encoding::Utf16), Just(Encoding::Utf8)],
    ) {
        let bytes = written(encoding, &operations);
        let read = RegFile::parse(&bytes).unwrap().operations;
        prop_assert_eq!(
            read.iter().map(asked).collect::<Vec<_>>(),
            operations.iter().map(asked).collect::<Vec<_>>()
        );
        let lines: Vec<usize> = read.iter().map(Operation::line).collect();
        prop_assert!(lines.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = RegFile::parse(&bytes);
    }

    #[test]
    fn any_lines_are_read_or_refused(
        lines in prop::collection::vec(prop_oneof![
            "[@\"\\[\\]hexdworstr()0-9a-f:,;=\\\\ -]{0,30}",
            "\"[a-z]{0,3}\"=hex(\\([0-9a-f]{1,9}\\))?:([0-9a-f]{1,3},){0,5}\\\\?",
            "\\[-?[A-Z\\\\]{1,8}\\]",
        ], 0..20),
    ) {
        let _ = RegFile::parse(lines.join("\n").as_bytes());
    }
}

/// The behaviour of Windows's regedit is known from the tests of Wine's regedit, which also run on
/// Windows.
mod as_windows {
    use super::super::parse::HEADER_5;
    use super::*;

    /// The values that a file sets in the key `k`, or the number of the line with an error.
    fn values(head: &str, body: &str) -> Result<Vec<(String, u32, Vec<u8>)>, usize> {
        let text = format!("{head}\n\n[HKEY_CURRENT_USER\\k]\n{body}");
        of_bytes(text.as_bytes())
    }

    fn of_bytes(bytes: &[u8]) -> Result<Vec<(String, u32, Vec<u8>)>, usize> {
        let file = RegFile::parse(bytes).map_err(|error| match error {
            ParseError::Syntax { line, .. } | ParseError::Text { line, .. } => line,
            other => panic!("{other}"),
        })?;
        let set = file
            .operations
            .into_iter()
            .filter_map(|operation| match operation {
                Operation::SetValue {
                    name,
                    value_type,
                    data,
                    ..
                } => Some((name, value_type, data)),
                _ => None,
            });
        Ok(set.collect())
    }

    fn sz(name: &str, text: &str) -> (String, u32, Vec<u8>) {
        let units = text.encode_utf16().chain([0]);
        (
            name.to_owned(),
            1,
            units.flat_map(u16::to_le_bytes).collect(),
        )
    }

    fn wide(name: &str, value_type: u32, text: &str) -> (String, u32, Vec<u8>) {
        let data = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        (name.to_owned(), value_type, data)
    }

    fn dword(name: &str, number: u32) -> (String, u32, Vec<u8>) {
        (name.to_owned(), 4, number.to_le_bytes().to_vec())
    }

    const LINE: &str = "Line concatenation\0\0";

    #[test]
    fn what_regedit_accepts_is_accepted() {
        let line = || Ok(vec![wide("a", 7, LINE)]);
        for (body, expected) in [
            (
                "#comment\\\n\"a\"=\"1\"\n;comment\\\n\"b\"=\"2\"\n",
                Ok(vec![sz("a", "1"), sz("b", "2")]),
            ),
            (
                "    #\"c\"=\"3\"\n\t;\"d\"=\"4\"\n\"a\"=\"1\"",
                Ok(vec![sz("a", "1")]),
            ),
            (
                "\"a\"=\"2\";comment\n\"b\"=dword:02040608 ;x\n",
                Ok(vec![sz("a", "2"), dword("b", 0x0204_0608)]),
            ),
            (
                "\"a\"=\"#c\"\n\"b\"=\";c\"\n\"c\"=\"v#c\"\n",
                Ok(vec![sz("a", "#c"), sz("b", ";c"), sz("c", "v#c")]),
            ),
            (
                "\"a\"=dword:1234;5678\n\"b\"=dword:1234 ;5678",
                Ok(vec![dword("a", 0x1234), dword("b", 0x1234)]),
            ),
            (
                "\"a\"=\"1\"  ;c\n\"b\"=\"2\"\t\t;c",
                Ok(vec![sz("a", "1"), sz("b", "2")]),
            ),
            (
                "\"a\"=hex(7):4c,69,6e,65,20,\\\n  ;comment\n  63,6f,6e,63,61,74,65,6e,61,74,69,6f,6e,00,00\n",
                line(),
            ),
            (
                "\"a\"=hex(7):4c,69,6e,65,20,\\\n  63,6f,6e,\\;comment\n  63,61,74,\\;#c\n  65,6e,61,74,69,6f,6e,00,00",
                line(),
            ),
            (
                "\"a\"=hex(7):4c,69,6e,65,20,\\\n  63,6f,6e,\\;comment\n  63,61,74,\\\n\n  65,6e,\\;comment\n\n  \
                 61,74,69,6f,6e,00,00\n\n",
                line(),
            ),
            (
                "\"a\"=hex(7):\\\n\n\n  4c,69,6e,65,20,\\\n\t\t63,6f,6e,63,61,74,65,6e,61,74,69,6f,6e,00,00",
                line(),
            ),
            (
                "\t    \"a\"\t\t=  \t \"x\"  \n  @ =\tdword:\t00000008\t\n",
                Ok(vec![sz("a", "x"), dword("", 8)]),
            ),
            (
                "\"  a\"=\"  x  \"\n\"\t\tb\"=\"\t\ty\"",
                Ok(vec![sz("  a", "  x  "), sz("\t\tb", "\t\ty")]),
            ),
            (
                "\"d\\\"q\"=\"v \\\"or\\\" n\"\n\"s'q\"=dword:8",
                Ok(vec![sz("d\"q", "v \"or\" n"), dword("s'q", 8)]),
            ),
            ("\"1/\\\"4;'5\"=\"R\"", Ok(vec![sz("1/\"4;'5", "R")])),
            (
                "\"a\\nb\\r\\\\n\"=\"x\\r\\ny\\\\n\"",
                Ok(vec![sz("a\nb\r\\n", "x\r\ny\\n")]),
            ),
            ("\"a\"=\"no newline\"", Ok(vec![sz("a", "no newline")])),
        ] {
            for ends in ["\n", "\r\n", "\r"] {
                let text =
                    format!("REGEDIT4\n\n[HKEY_CURRENT_USER\\k]\n{body}").replace('\n', ends);
                assert_eq!(of_bytes(text.as_bytes()), expected, "{text:?}");
                let text = text.replacen("REGEDIT4", HEADER_5, 1);
                let units: Vec<u8> = "\u{feff}"
                    .encode_utf16()
                    .chain(text.encode_utf16())
                    .flat_map(u16::to_le_bytes)
                    .collect();
                let ansi = body.contains("hex(7)");
                assert!(ansi || of_bytes(&units) == expected, "{text:?}");
            }
        }
        for head in [
            "  REGEDIT4",
            "\tREGEDIT4",
            " \t REGEDIT4",
            HEADER_5,
            "\nREGEDIT4",
            "REGEDIT4  ",
        ] {
            assert_eq!(
                values(head, "\"a\"=\"1\""),
                Ok(vec![sz("a", "1")]),
                "{head:?}"
            );
        }
    }

    #[test]
    fn what_regedit_ignores_is_an_error_with_its_line() {
        for head in [
            "REGEDIT3",
            "regedit4",
            "Regedit4",
            "REGEDIT 4",
            "REGEDIT4FOO",
            "REGEDIT4 FOO",
            "REGEDIT5",
            "Windows Registry Editor Version 4.00",
            "Windows Registry Editor Version 5",
            "WINDOWS REGISTRY EDITOR VERSION 5.00",
            "Windows Registry Editor version 5.00",
            "Windows Registry Editor Version 5.00x",
            "REGEDIT4;x",
            "REGEDIT",
        ] {
            assert_eq!(values(head, "\"a\"=\"1\""), Err(1), "{head}");
        }
        for (body, line) in [
            ("\"a\"=\"no end\n", 4),
            ("\"a\"=x\"\n", 4),
            ("\"a\"=x\n", 4),
            ("\"a=\"x\"\n", 4),
            ("a\"=\"x\"\n", 4),
            ("a=\"x\"\n", 4),
            ("\"a=x\"\n", 4),
            ("\"a\"=hex(7):4c,20\\\n,63,00\n", 4),
            ("\"a\"=hex(7):4c,20\\\n  ,63,00\n", 4),
            ("\"a\"=hex(7):4c,20,\\\n,63,00\n", 5),
            ("\"a\"=hex(7):4c,20,\\\n  #comment\n 63,00\n", 5),
            ("\"a\"=hex(7):4c,20,\\#comment\n 63,00\n", 4),
            ("\"a\"=hex(2):4c,65\\\n\"b\"=\"2\"\n", 4),
            ("\"a\"=hex(2):4c,65,\\\n\"b\"=\"2\"\n", 5),
            ("\"a\"=dword:\n", 4),
            ("\"a\"=dword:hello\n", 4),
            ("\"a\"=dword:123456789\n", 4),
            ("\"a\"=dword:000000001\n", 4),
            ("\"a\"=dword:12345678abc\n", 4),
            ("\"a\"=dword:12345678 abc\n", 4),
            ("\"a\"=dword:0x123\n", 4),
            ("\"a\"=dword:123 456\n", 4),
            ("\"a\"=dword:1234\\\n5678\n", 4),
            ("\"a\"=\"foo\"bar\"\n", 4),
            ("\"a\"=\"foo\"\"bar\"\n", 4),
            ("\"a\"=\n", 4),
            ("\"a\"=\\\"x\\\"\n", 4),
            ("[HKEY_CURRENT_USER\\k\\\nSubkey]\n", 4),
            ("[HKEY_CURRENT_USER\\k\n\\Subkey]\n", 4),
            ("\"Te\\\nst\"=\"x\"\n", 4),
            ("\"a\"=\"Te \\\nst\"\n", 4),
            ("\"a\"=\"x\"#comment\n", 4),
            ("\"a\"=\"x\"  #comment\n", 4),
            ("\"a\"=dword:1#comment\n", 4),
            ("\"a\"=#\"x\"\n", 4),
            ("\"a\"=;\"x\"\n", 4),
        ] {
            for ends in ["\n", "\r\n", "\r"] {
                let text =
                    format!("REGEDIT4\n\n[HKEY_CURRENT_USER\\k]\n{body}").replace('\n', ends);
                assert_eq!(of_bytes(text.as_bytes()), Err(line), "{text:?}");
            }
        }
    }

    #[test]
    fn half_surrogate_pairs_are_kept() {
        let text = format!("\u{feff}{HEADER_5}\r\n\r\n[k]\r\n\"C:\\\\t");
        let mut units: Vec<u16> = text.encode_utf16().chain([0xd800]).collect();
        units.extend(
            "s\"=\"x"
                .encode_utf16()
                .chain([0xdfff])
                .chain("\"\r\n".encode_utf16()),
        );
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let data = vec![0x78, 0, 0xff, 0xdf, 0, 0];
        let expected = vec![("C:\\t<U+D800>s".to_owned(), 1, data.clone())];
        assert_eq!(of_bytes(&bytes), Ok(expected));

        let mut writer = Writer::start(Vec::new(), Encoding::Utf16).unwrap();
        writer.key("k").unwrap();
        writer.value("C:\\t<U+D800>s", 1, &data).unwrap();
        let written = writer.finish().unwrap();
        let has = |wanted: &[u16]| {
            let wanted: Vec<u8> = wanted.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            written.windows(wanted.len()).any(|found| found == wanted)
        };
        assert!(has(&[0x74, 0xd800, 0x73]) && has(&[0x78, 0xdfff, 0x22]));
    }

    /// UTF-8 can't express them, and U+FFFD would be another name.
    #[test]
    fn half_surrogate_pairs_in_names_are_refused_in_utf8() {
        let mut writer = Writer::start(Vec::new(), Encoding::Utf8).unwrap();
        assert!(matches!(
            writer.key("k<U+DC00>"),
            Err(WriteError::Path { .. })
        ));
        writer.key("k").unwrap();
        assert!(matches!(
            writer.value("<U+D800>", 1, &[]),
            Err(WriteError::ValueName { .. })
        ));
        let data = [0x78, 0, 0xff, 0xdf, 0, 0];
        writer.value("v", 1, &data).unwrap();
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert!(text.contains("\"v\"=hex(1):78,00,ff,df,00,00\n"), "{text}");
        assert!(!text.contains('\u{fffd}'), "{text}");
    }
}
