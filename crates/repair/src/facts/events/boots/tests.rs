use super::*;
use crate::facts::events::Field;

fn event(minute: i64, provider: &str, id: u32, fields: &[(&str, &str)]) -> Event {
    let time = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    Event {
        log: "System".to_owned(),
        record: u64::try_from(minute).expect("positive"),
        time,
        provider: provider.to_owned(),
        id,
        meaning: None,
        routine: false,
        service: None,
        fields: fields
            .iter()
            .map(|(name, value)| Field {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
    }
}

fn boots(events: &[Event]) -> Vec<Boot> {
    of(&events.iter().collect::<Vec<_>>())
}

fn ends(boots: &[Boot]) -> Vec<Option<BootEnd>> {
    boots.iter().map(|boot| boot.end).collect()
}

#[test]
fn one_start_is_one_boot_whatever_marks_it() {
    let found = boots(&[
        event(0, KERNEL_GENERAL, 12, &[]),
        event(0, KERNEL_BOOT, 20, &[("LastShutdownGood", "true")]),
        event(0, KERNEL_BOOT, 27, &[("BootType", "0x1")]),
        event(1, "EventLog", 6005, &[]),
        event(
            60,
            "User32",
            1074,
            &[("param1", "winlogon.exe"), ("param5", "restart")],
        ),
        event(61, "EventLog", 6006, &[]),
        event(61, KERNEL_GENERAL, 13, &[]),
        event(62, KERNEL_GENERAL, 12, &[]),
    ]);
    assert_eq!(ends(&found), [Some(BootEnd::Clean), None]);
    let first = found.first().expect("a boot");
    assert_eq!(first.kind, Some(BootKind::Fast));
    assert_eq!(first.requested.as_deref(), Some("winlogon.exe, restart"));
}

/// In a loop, Windows starts again within a minute, and nothing says that it stopped.
#[test]
fn each_start_of_a_loop_is_a_boot_that_ended_badly() {
    let found = boots(&[
        event(0, KERNEL_GENERAL, 12, &[]),
        event(1, KERNEL_GENERAL, 12, &[]),
        event(2, "EventLog", 6005, &[]),
        event(3, KERNEL_GENERAL, 12, &[]),
        event(4, "EventLog", 6005, &[]),
    ]);
    let unclean = Some(BootEnd::Unclean);
    assert_eq!(ends(&found), [unclean, unclean, None]);
}

#[test]
fn what_a_start_reports_belongs_to_the_boot_before() {
    let code = "0x0000007b (0xfffff880009a9928, 0xffffffffc0000034, 0x0, 0x0)";
    let found = boots(&[
        event(0, "EventLog", 6005, &[]),
        event(60, "Service Control Manager", 7036, &[]),
        event(90, KERNEL_GENERAL, 12, &[]),
        event(
            90,
            KERNEL_POWER,
            41,
            &[("BugcheckCode", "123"), ("BugcheckParameter1", "0x1")],
        ),
        event(91, "EventLog", 6008, &[]),
        event(
            92,
            ERROR_REPORTING,
            1001,
            &[("param1", code), ("param2", r"C:\MEMORY.DMP")],
        ),
    ]);
    let first = found.first().expect("a boot");
    assert_eq!(first.end, Some(BootEnd::Unclean));
    let bugcheck = first.bugcheck.as_ref().expect("a bug check");
    assert_eq!((bugcheck.code, &*bugcheck.text), (0x7b, code));
    assert_eq!(bugcheck.dump.as_deref(), Some(r"C:\MEMORY.DMP"));
    assert_eq!(
        first.ended,
        Some(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(60))
    );
    assert_eq!(found.last().and_then(|boot| boot.bugcheck.as_ref()), None);
}

#[test]
fn a_power_cut_is_no_bug_check() {
    let found = boots(&[
        event(0, KERNEL_GENERAL, 12, &[]),
        event(9, KERNEL_GENERAL, 12, &[]),
        event(9, KERNEL_POWER, 41, &[("BugcheckCode", "0")]),
    ]);
    let first = found.first().expect("a boot");
    assert_eq!(
        (first.end, &first.bugcheck),
        (Some(BootEnd::Unclean), &None)
    );
}

/// Windows writes the kernel's report of a shutdown only when it starts again, after the first
/// event of the new start; and the kernel's report of the start later still.
#[test]
fn a_shutdown_that_is_reported_by_the_next_start_belongs_to_the_boot_before() {
    let found = boots(&[
        event(0, KERNEL_GENERAL, 12, &[]),
        event(60, "EventLog", 6006, &[]),
        event(63, "EventLog", 6005, &[]),
        event(61, KERNEL_GENERAL, 13, &[]),
        event(62, KERNEL_GENERAL, 12, &[]),
    ]);
    assert_eq!(ends(&found), [Some(BootEnd::Clean), None]);
    let minute = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    let times: Vec<_> = found
        .iter()
        .map(|boot| (boot.started, boot.ended))
        .collect();
    assert_eq!(times, [(minute(0), Some(minute(61))), (minute(62), None)]);
}
