use super::*;

fn place() -> Place {
    Place::Part {
        file: "/images/my disk.img".into(),
        start: 1 << 20,
        len: 1 << 30,
    }
}

fn state(log: Log) -> State {
    State {
        dirty: false,
        flags: 0,
        log,
        major: 3,
        minor: 1,
        hibernated: false,
        from_backup: false,
    }
}

const PENDING: Log = Log::Pending { version: (2, 0) };

fn work() -> Work {
    Work::Known {
        records: 12,
        since_checkpoint: 3,
        oldest_lsn: 0x1000,
    }
}

fn kinds(state: &State) -> Vec<ConditionKind> {
    let found = of_state(state, Some(&work()), &place(), Here::default());
    found.iter().map(|condition| condition.kind).collect()
}

#[test]
fn every_condition_is_named_and_a_volume_in_order_has_none() {
    assert_eq!(kinds(&state(Log::Clean)), []);
    assert_eq!(kinds(&state(Log::Empty)), []);
    assert_eq!(kinds(&state(PENDING)), [ConditionKind::LogPending]);
    let damaged = Work::Unknown("why".to_owned());
    let found = of_state(&state(PENDING), Some(&damaged), &place(), Here::default());
    assert_eq!(found[0].kind, ConditionKind::LogNotUnderstood);
    assert!(found[0].meaning.contains("version 2.0) contains (why)"));
    let unknown = state(Log::NotUnderstood("why"));
    assert_eq!(kinds(&unknown), [ConditionKind::LogNotUnderstood]);
    let all = State {
        dirty: true,
        flags: 0x4001,
        hibernated: true,
        from_backup: true,
        ..state(PENDING)
    };
    let expected = [
        ConditionKind::Hibernated,
        ConditionKind::LogPending,
        ConditionKind::Dirty,
        ConditionKind::WorkUnderWay,
        ConditionKind::BackupBootSector,
    ];
    assert_eq!(kinds(&all), expected);
}

#[cfg(unix)]
mod unix {
    use super::*;

    const ALL: Here = Here {
        ntfs3: true,
        ntfsrecover: true,
        qemu_nbd: true,
        nbd: true,
        qemu_storage_daemon: true,
    };

    fn of_log(dirty: bool, place: &Place, here: Here) -> Vec<String> {
        let state = State {
            dirty,
            ..state(PENDING)
        };
        let found = of_state(&state, Some(&work()), place, here);
        found.into_iter().next().expect("pending").remedies
    }

    #[test]
    fn the_best_remedy_that_this_machine_has_comes_first() {
        let kernel = "mount -t ntfs3 -o loop,offset=1048576,sizelimit=1073741824 '/images/my disk.img' \
                      /mnt && umount /mnt";
        let recover = "L=$(losetup -f --show -o 1048576 --sizelimit 1073741824 '/images/my \
                       disk.img') && ntfsrecover -k \"$L\"; losetup -d \"$L\"";
        let found = of_log(false, &place(), ALL);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].ends_with(kernel), "{}", found[0]);
        assert!(found[1].starts_with("let ntfsrecover"), "{}", found[1]);
        assert!(found[1].ends_with(recover), "{}", found[1]);
        assert!(found[2].contains("Windows"), "{}", found[2]);
        assert!(found[3].contains("do not run ntfsfix"), "{}", found[3]);
        // ntfs3 mounts a dirty volume for writing only by force.
        let forced = of_log(true, &place(), ALL);
        assert!(forced[0].contains("sizelimit=1073741824,force "));
        let none = of_log(false, &place(), Here::default());
        assert!(none[0].starts_with("install ntfsrecover"), "{}", none[0]);
        assert!(none.iter().all(|line| !line.contains("ntfs3 ")), "{none:?}");
    }

    #[test]
    fn a_device_needs_no_offset() {
        let found = of_log(false, &Place::Device("/dev/sdb2".into()), ALL);
        assert!(found[0].ends_with(": mount -t ntfs3 /dev/sdb2 /mnt && umount /mnt"));
        assert!(found[1].ends_with(": ntfsrecover -k /dev/sdb2"));
    }

    #[test]
    fn a_virtual_disk_is_attached_by_what_this_machine_has() {
        let disk = || remedies::virtual_disk("/images/a,b.vhdx", 3);
        let found = of_log(false, &disk(), ALL);
        let line = "modprobe nbd max_part=16 && qemu-nbd -f vhdx -c /dev/nbd0 '/images/a,b.vhdx' && \
                    mount -t ntfs3 /dev/nbd0p3 /mnt && umount /mnt; qemu-nbd -d /dev/nbd0";
        assert!(found[0].ends_with(line), "{}", found[0]);
        let no_nbd = Here { nbd: false, ..ALL };
        let found = of_log(false, &disk(), no_nbd);
        for part in [
            "filename=/images/a,,b.vhdx",
            "offset=1048576",
            "mountpoint=\"$R\"",
        ] {
            assert!(found[0].contains(part), "{part}: {}", found[0]);
        }
    }

    #[test]
    fn a_hibernated_windows_takes_care_of_the_journal_itself() {
        let hibernated = State {
            hibernated: true,
            ..state(PENDING)
        };
        let found = of_state(&hibernated, Some(&work()), &place(), ALL);
        assert!(found[0].remedies[1].contains("remove_hiberfile"));
        assert_eq!(found[1].remedies, [""; 0]);
    }
}
