//! Pages about very many changes are short, whatever their texts.

use diskmend_hive::ValueType;
use diskmend_repair::ValueData;
use diskmend_repair::documents::{
    AclGroup, AclReport, AppliedDescriptors, Change, ChangedValue, DescriptorWords, FileChange,
    FileChangeKind, Method, ObjectNote, ObjectNotes, Outcome, PlanReport, RepairReport, Reversal,
    ReversedChange, RowState, RunChange, RunDetails, RunFile, RunHive, RunKind, RunPermission,
    RunState, RunSummary, Trust, UndoReport, UndoneFiles,
};
use maud::{Markup, html};

use super::{Ending, applied, details, page_of, plan, undone};
use crate::exit::Exit;

const COUNT: usize = 100_000;

/// Characters that take most room: markup, and characters that are escaped.
fn worst() -> String {
    "<\"\u{202e}&".repeat(50)
}

fn value(number: usize) -> ChangedValue {
    let data = |byte| ValueData {
        value_type: ValueType::BINARY,
        bytes: vec![byte; 20],
    };
    ChangedValue {
        key: format!(r"ControlSet001\Services\{number}\{}", worst()),
        value: worst(),
        old: Some(data(1)),
        new: Some(data(2)),
    }
}

fn change(number: usize) -> Change {
    Change {
        recipe: "tls".to_owned(),
        hive: "SYSTEM".to_owned(),
        fault: true,
        why: worst(),
        note: None,
        element: None,
        deletes: None,
        subtree: None,
        copy_of: None,
        permissions: None,
        value: value(number),
    }
}

fn notes() -> ObjectNotes {
    let note = |number: usize| ObjectNote {
        path: format!("Users/{number}/{}", worst()),
        reason: worst(),
    };
    ObjectNotes {
        count: COUNT as u64,
        listed: (0..1000).map(note).collect(),
    }
}

fn folder() -> AclReport {
    let words = || DescriptorWords {
        owner: None,
        entries: None,
        sddl: Some(worst()),
    };
    let group = |number: usize| AclGroup {
        recipe: "machine-keys".to_owned(),
        state: RowState::Fault,
        objects: 5,
        examples: vec![format!("{number}{}", worst())],
        why: worst(),
        note: None,
        reasons: vec![worst()],
        edits: vec![worst()],
        before: words(),
        after: Some(words()),
        repaired_by: None,
    };
    AclReport {
        path: worst(),
        objects: COUNT as u64,
        ok: 0,
        differ: 0,
        faults: COUNT as u64,
        to_change: COUNT as u64,
        groups: (0..1000).map(group).collect(),
        in_no_group: 0,
        left_alone: notes(),
        failed: notes(),
    }
}

fn run_details() -> RunDetails {
    let hive = |name: &str| RunHive {
        path: name.to_owned(),
        recovered: true,
        change_count: COUNT,
        changes: (0..2000).map(|at| RunChange::Value(value(at))).collect(),
    };
    let permission = |number: usize| RunPermission {
        path: format!("{number}{}", worst()),
        old: worst(),
        new: worst(),
    };
    RunDetails {
        schema: 1,
        target: "/mnt/f".to_owned(),
        run: RunSummary {
            run: "20261123T124100Z".to_owned(),
            kind: RunKind::Repair,
            state: Some(RunState::Done),
            started: "2026-11-23T12:41:00Z".to_owned(),
            updated: "2026-11-23T12:41:01Z".to_owned(),
            partition: None,
            recipes: vec![worst(); 50],
            hives: Vec::new(),
            changes: COUNT,
            files: 256,
            descriptors: COUNT as u64,
            undoable: true,
            unfinished: false,
            can_be_completed: false,
            identity: Default::default(),
            windows: Default::default(),
            trust: Trust::Own,
            note: None,
        },
        hives: ["SYSTEM", "SOFTWARE", "BCD", "SAM", "x", "y"]
            .map(hive)
            .into(),
        files: vec![run_file(); 256],
        permissions: (0..2000).map(permission).collect(),
        more_permissions: COUNT as u64 - 2000,
        problems: vec![worst(); 1000],
    }
}

fn file_change() -> FileChange {
    FileChange {
        recipe: worst(),
        path: worst(),
        action: FileChangeKind::Remove,
        length: u64::MAX,
        modified: Some(worst()),
        xxh3: Some(worst()),
        fault: true,
        why: worst(),
        note: Some(worst()),
        damage: Some(worst()),
        from: Some(worst()),
        from_xxh3: Some(worst()),
    }
}

fn run_file() -> RunFile {
    RunFile {
        path: worst(),
        action: FileChangeKind::Rename,
        name: worst(),
        length: u64::MAX,
        from: Some(worst()),
    }
}

fn plan_report() -> PlanReport {
    PlanReport {
        schema: 1,
        target: "/mnt/f".to_owned(),
        recipes: vec!["tls".to_owned()],
        auto: false,
        hives: Vec::new(),
        skipped: Vec::new(),
        stores: Vec::new(),
        acls: vec![folder(); 6],
        changes: (0..2000).map(change).collect(),
        files: vec![file_change(); 256],
        conditions: Vec::new(),
        cautions: Vec::new(),
        unfinished: Vec::new(),
        notices: Vec::new(),
    }
}

fn repair_report() -> RepairReport {
    RepairReport {
        schema: 1,
        target: "/mnt/f".to_owned(),
        outcome: Outcome::PartlyDone,
        run: Some("20261123T124100Z".to_owned()),
        recipes: vec!["tls".to_owned()],
        hives: Vec::new(),
        changes: (0..COUNT).map(change).collect(),
        files: vec![file_change(); 256],
        descriptors: Some(AppliedDescriptors {
            changed: COUNT as u64,
            already: 0,
            failed: notes(),
            left_alone: notes(),
            reports: Vec::new(),
        }),
        conditions: Vec::new(),
        skipped: Vec::new(),
        notices: Vec::new(),
    }
}

fn undo_report() -> UndoReport {
    let reversed = |number: usize| ReversedChange {
        hive: "SYSTEM".to_owned(),
        change: value(number),
        reversal: Reversal::LeftAlone,
        found: None,
        permissions: None,
    };
    UndoReport {
        schema: 1,
        target: "/mnt/f".to_owned(),
        run: "20261123T124100Z".to_owned(),
        method: Method::Values,
        files: Vec::new(),
        changes: (0..COUNT).map(reversed).collect(),
        moved: Some(UndoneFiles {
            put_back: vec![worst(); 256],
            removed: Vec::new(),
            already: 0,
            left_alone: notes(),
            failed: notes(),
            kept: 0,
        }),
        descriptors: None,
        recorded_as: None,
        differences: None,
        notices: Vec::new(),
    }
}

fn page(content: &Markup) -> String {
    let ending = Ending {
        exit: Exit::Done,
        failure: None,
    };
    page_of("diskmend repair: /mnt/f", &ending, [None, Some(content)]).into_string()
}

#[test]
fn a_page_of_100_000_changes_has_less_than_1_mb_and_says_how_many_there_are() {
    let repaired = page(&applied(&repair_report(), Some("diskmend undo /mnt/f")));
    let undone = page(&undone(&undo_report(), None));
    // Both are on the page of `report`.
    let run = page(&html! {
        (details(&run_details(), None))
        (plan(&plan_report(), "Plan", None))
    });
    for (name, page, most) in [
        ("repair", &repaired, 100_000),
        ("undo", &undone, 100_000),
        ("run and plan", &run, 620_000),
    ] {
        assert!(page.len() < most, "{name}: {}", page.len());
        let cut = page.matches("<p class=\"soft\">And ").count();
        assert!(cut > 0, "{name}");
        let most_rows = page.matches("<tr>").count();
        assert!(most_rows > 20, "{name}: {most_rows}");
    }
    for part in [
        "; 'diskmend runs /mnt/f 20261123T124100Z --json' shows more.",
        "And 2 more hives",
    ] {
        assert!(run.contains(part), "{part}");
    }
    assert!(repaired.contains(", which --json lists."), "{repaired}");
}

#[test]
fn the_same_result_gives_the_same_page_and_its_texts_are_inert() {
    let one = || page(&details(&run_details(), Some("diskmend undo <x> \"&\"")));
    let page = one();
    assert_eq!(page, one());
    for hostile in ["\u{202e}", "<x>", "\"\u{202e}", "<\"", "&\"", "\"&\"<"] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert!(page.contains("&lt;&quot;&lt;U+202E&gt;&amp;"), "{page}");
}
