//! The programs and drivers of this machine that can bring a volume in order.

/// What this machine has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Here {
    /// The kernel's driver ntfs3, loaded or as a module.
    pub(super) ntfs3: bool,
    /// `ntfsrecover`, which is part of ntfs-3g.
    pub(super) ntfsrecover: bool,
    /// `qemu-nbd`.
    pub(super) qemu_nbd: bool,
    /// The kernel's network block devices, to which `qemu-nbd` attaches a disk.
    pub(super) nbd: bool,
    /// `qemu-storage-daemon`.
    pub(super) qemu_storage_daemon: bool,
}

impl Here {
    /// True if a virtual disk is best attached by `qemu-nbd`.
    pub(super) const fn prefers_nbd(&self) -> bool {
        (self.qemu_nbd && self.nbd) || !self.qemu_storage_daemon
    }

    /// Looks for them. What can't be read counts as missing.
    pub(super) fn look() -> Self {
        #[cfg(target_os = "linux")]
        return linux::look(std::path::Path::new("/"));
        #[cfg(not(target_os = "linux"))]
        Self::default()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io::{BufRead, BufReader};
    use std::path::Path;

    use super::Here;

    /// The folders of programs, by the Filesystem Hierarchy Standard.
    const FOLDERS: [&str; 6] = [
        "usr/sbin",
        "usr/bin",
        "sbin",
        "bin",
        "usr/local/sbin",
        "usr/local/bin",
    ];
    /// The lists of modules in the folder of a kernel: those that are part of it, and all others
    /// (modules.dep(5)).
    const MODULES: [&str; 2] = ["modules.builtin", "modules.dep"];
    /// No distribution has lists with more lines.
    const MOST_LINES: usize = 1 << 17;

    pub(super) fn look(root: &Path) -> Here {
        let has = |name: &str| {
            let folders = FOLDERS.iter().map(|folder| root.join(folder).join(name));
            folders.into_iter().any(|path| path.is_file())
        };
        let loaded = fs::read_to_string(root.join("proc/filesystems"));
        let has_ntfs3 = loaded.is_ok_and(|list| list.lines().any(|line| line.trim() == "ntfs3"));
        Here {
            ntfs3: has_ntfs3 || has_module(root, "ntfs3"),
            nbd: root.join("sys/block/nbd0").exists() || has_module(root, "nbd"),
            ntfsrecover: has("ntfsrecover"),
            qemu_nbd: has("qemu-nbd"),
            qemu_storage_daemon: has("qemu-storage-daemon"),
        }
    }

    /// True if the running kernel has a module, as a part of it or to load.
    fn has_module(root: &Path, name: &str) -> bool {
        let Ok(release) = fs::read_to_string(root.join("proc/sys/kernel/osrelease")) else {
            return false;
        };
        let release = release.trim();
        if release.is_empty() || release.contains('/') {
            return false;
        }
        let folder = root.join("lib/modules").join(release);
        MODULES.iter().any(|list| names(&folder.join(list), name))
    }

    /// True if a list of modules names this one.
    fn names(list: &Path, name: &str) -> bool {
        let Ok(list) = File::open(list) else {
            return false;
        };
        let module = format!("/{name}.ko");
        let lines = BufReader::new(list).lines().take(MOST_LINES);
        lines.map_while(Result::ok).any(|line| {
            // modules.dep: the module, and after the colon those that it needs.
            let path = line.split(':').next().unwrap_or(&line);
            // The file may be compressed, and then has another ending.
            path.rfind(&module)
                .is_some_and(|at| !path.get(at..).is_some_and(|end| end.contains(' ')))
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn with(files: &[(&str, &str)]) -> Here {
            let root = tempfile::tempdir().expect("a folder");
            for (path, content) in files {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("created");
                fs::write(path, content).expect("written");
            }
            look(root.path())
        }

        #[test]
        fn a_driver_is_loaded_built_in_or_a_module() {
            const RELEASE: (&str, &str) = ("proc/sys/kernel/osrelease", "6.1.0-9-amd64\n");
            let list = |name| format!("lib/modules/6.1.0-9-amd64/modules.{name}");
            assert_eq!(with(&[]), Here::default());
            let loaded = [("proc/filesystems", "nodev\tproc\n\text4\n\tntfs3\n")];
            assert!(with(&loaded).ntfs3);
            let others = [("proc/filesystems", "\tntfs\nnodev\tntfs3x\n")];
            assert!(!with(&others).ntfs3);
            for (name, line, is) in [
                ("builtin", "kernel/fs/ntfs3/ntfs3.ko", true),
                ("dep", "kernel/fs/ntfs3/ntfs3.ko.xz: kernel/lib/a.ko", true),
                ("dep", "kernel/fs/ntfs3/ntfs3.ko:", true),
                ("dep", "kernel/fs/other.ko: kernel/fs/ntfs3/ntfs3.ko", false),
                ("dep", "kernel/fs/ntfs.ko:", false),
            ] {
                let list = list(name);
                let lines = format!("kernel/fs/fat/fat.ko:\n{line}\n");
                assert_eq!(with(&[RELEASE, (&list, &lines)]).ntfs3, is, "{line}");
                // The modules of another kernel do not help this one.
                assert!(!with(&[(&list, &lines)]).ntfs3);
            }
        }

        #[test]
        fn programs_are_found_where_distributions_put_them() {
            let found = with(&[("usr/sbin/ntfsrecover", ""), ("bin/qemu-nbd", "")]);
            let expected = Here {
                ntfsrecover: true,
                qemu_nbd: true,
                ..Here::default()
            };
            assert_eq!(found, expected);
        }
    }
}
