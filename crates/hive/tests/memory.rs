//! The memory that is needed besides the hive itself, for hives with cells that are made to need
//! much.
//!
//! Each of these hives once needed many times its length: 128 MiB of free cells took 800 MiB. The
//! memory of a whole process is measured, so this program starts itself once more for each hive.

#![cfg(test)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Read;
use std::process::Command;
use std::thread;

use diskmend_hive::check::check;
use diskmend_hive::{
    BASE_BLOCK_LEN, Editor, Filetime, Hive, Opened, PAGE_LEN, ValueType, checksum, open,
};

/// The approximate length of the hives that once took many times as much memory.
const LEN: usize = 8 << 20;
/// The length of the others, so that their memory is visible in the measurement.
const LONGER: usize = 24 << 20;
const NIL: u32 = u32::MAX;

/// Hive bins under construction: a single bin.
struct Bins(Vec<u8>);

impl Bins {
    fn new() -> Self {
        let mut bins = b"hbin".to_vec();
        bins.resize(32, 0);
        Self(bins)
    }

    /// Adds an allocated cell; returns its offset.
    fn cell(&mut self, payload: &[&[u8]]) -> u32 {
        let at = self.0.len();
        let len: usize = payload.iter().map(|part| part.len()).sum();
        let size = (4 + len).next_multiple_of(8);
        self.0.extend((-(size as i32)).to_le_bytes());
        payload.iter().for_each(|part| self.0.extend(*part));
        self.0.resize(at + size, 0);
        at as u32
    }

    fn put(&mut self, cell: u32, field: usize, number: u32) {
        let at = cell as usize + 4 + field;
        self.0[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    fn number(&self, cell: u32, field: usize) -> u32 {
        let at = cell as usize + 4 + field;
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    /// Adds a key node (regf spec, Key node).
    fn key(&mut self, flags: u16, parent: u32, name: &[u8]) -> u32 {
        let mut node = [0; 76];
        node[..2].copy_from_slice(b"nk");
        node[2..4].copy_from_slice(&(flags | 0x20).to_le_bytes());
        node[16..20].copy_from_slice(&parent.to_le_bytes());
        for field in [28, 32, 40, 44, 48] {
            node[field..field + 4].copy_from_slice(&NIL.to_le_bytes());
        }
        node[52..54].copy_from_slice(&100_u16.to_le_bytes());
        node[72..74].copy_from_slice(&(name.len() as u16).to_le_bytes());
        self.cell(&[&node, name])
    }

    /// Adds a security cell without links (regf spec, Key security).
    fn security(&mut self) -> u32 {
        let mut descriptor = [0; 20];
        descriptor[0] = 1;
        descriptor[3] = 0x80;
        let head = [b's', b'k', 0, 0];
        let len = 20_u32.to_le_bytes();
        let one = 1_u32.to_le_bytes();
        self.cell(&[&head, &[0; 8], &one, &len, &descriptor])
    }

    /// Adds the root key and its security cell.
    fn root(&mut self) -> (u32, u32) {
        let root = self.key(0xC, 0, b"ROOT");
        let security = self.security();
        self.put(root, 44, security);
        self.put(security, 4, security);
        self.put(security, 8, security);
        (root, security)
    }

    /// Gives a key a list of subkeys: an index root above index leaves.
    fn list(&mut self, key: u32, subkeys: &[u32]) {
        let mut root = vec![b'r', b'i', 0, 0];
        for part in subkeys.chunks(1000) {
            let mut leaf = vec![b'l', b'i'];
            leaf.extend((part.len() as u16).to_le_bytes());
            part.iter().for_each(|at| leaf.extend(at.to_le_bytes()));
            root.extend(self.cell(&[&leaf]).to_le_bytes());
        }
        let leaves = (root.len() / 4 - 1) as u16;
        root[2..4].copy_from_slice(&leaves.to_le_bytes());
        let list = self.cell(&[&root]);
        self.put(key, 20, subkeys.len() as u32);
        self.put(key, 28, list);
    }

    fn file(mut self, root: u32) -> Vec<u8> {
        let used = self.0.len();
        let end = (used + 8).next_multiple_of(PAGE_LEN);
        self.0.extend(((end - used) as i32).to_le_bytes());
        self.0.resize(end, 0);
        self.0[8..12].copy_from_slice(&(end as u32).to_le_bytes());
        let mut file = b"regf".to_vec();
        file.extend([1, 0, 0, 0, 1, 0, 0, 0]);
        file.resize(20, 0);
        for number in [1, 5, 0, 1, root, end as u32, 1] {
            file.extend(number.to_le_bytes());
        }
        file.resize(BASE_BLOCK_LEN, 0);
        let sum = checksum(file.first_chunk().expect("long enough"));
        file[508..512].copy_from_slice(&sum.to_le_bytes());
        file.append(&mut self.0);
        file
    }
}

/// Cells of 8 bytes, with 4 bytes of content: free, or allocated without a reference.
fn small_cells(size: i32) -> Vec<u8> {
    let mut bins = Bins::new();
    let (root, _) = bins.root();
    let mut cell = size.to_le_bytes().to_vec();
    cell.resize(8, 0);
    bins.0.extend(cell.repeat(LEN / 8));
    bins.file(root)
}

/// Keys below one key. Each states a value that it lacks, so that it must be visited.
fn keys() -> Vec<u8> {
    let mut bins = Bins::new();
    let (root, security) = bins.root();
    let keys: Vec<u32> = (0..LONGER / 92)
        .map(|number| {
            let key = bins.key(0, root, format!("{number:08}").as_bytes());
            bins.put(key, 44, security);
            bins.put(key, 36, 1);
            key
        })
        .collect();
    bins.list(root, &keys);
    bins.put(security, 12, 1 + keys.len() as u32);
    bins.file(root)
}

/// Values of one key, all without a name.
fn values() -> Vec<u8> {
    let mut bins = Bins::new();
    let (root, _) = bins.root();
    let inline = 0x8000_0000_u32.to_le_bytes();
    let mut list = Vec::new();
    for _ in 0..LONGER / 28 {
        let value = bins.cell(&[b"vk\0\0", &inline, &[0; 12]]);
        list.extend(value.to_le_bytes());
    }
    let cell = bins.cell(&[&list]);
    bins.put(root, 36, list.len() as u32 / 4);
    bins.put(root, 40, cell);
    bins.file(root)
}

/// Very many security cells on the ring, and a single key.
fn security_cells() -> Vec<u8> {
    let mut bins = Bins::new();
    let (root, first) = bins.root();
    let mut last = first;
    for _ in 0..LONGER / 48 {
        let next = bins.security();
        bins.put(last, 4, next);
        bins.put(next, 8, last);
        last = next;
    }
    bins.put(last, 4, first);
    bins.put(first, 8, last);
    assert_eq!(bins.number(first, 8), last);
    bins.file(root)
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").expect("readable");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.expect("a line").trim_start_matches(':').trim();
    let number = number.trim_end_matches(" kB");
    number.parse::<usize>().expect("a number") * 1024
}

/// The peak of the memory that `work` needs in addition.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    let before = status("VmRSS");
    let result = work();
    (result, status("VmHWM").saturating_sub(before))
}

/// The variable that names the hive for the second process.
const HIVE: &str = "DISKMEND_TEST_MEMORY_OF";

/// Checks and edits a hive in a process of its own; returns the content of the first report.
fn use_up(name: &str, file: &[u8]) -> String {
    let path = std::env::temp_dir().join(format!("diskmend-memory-{}", std::process::id()));
    fs::write(&path, file).expect("written");
    let output = Command::new(std::env::current_exe().expect("known"))
        .args(["--exact", "in_a_process_of_its_own", "--nocapture"])
        .env(HIVE, &path)
        .output()
        .expect("started");
    fs::remove_file(&path).expect("removed");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{name}: {text}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {text} {errors}");
    let report = text.lines().find_map(|line| line.strip_prefix(REPORT));
    report.expect("a report").to_owned()
}

const REPORT: &str = "report: ";

/// The numbers of a report.
fn numbers(errors: usize, warnings: usize, keys: usize, values: usize, security: usize) -> String {
    format!("{errors} {warnings} {keys} {values} {security}")
}

#[test]
fn in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(HIVE) else {
        return;
    };
    let len = fs::metadata(&path).expect("there").len() as usize;
    // The growth of the hive itself is not measured.
    let mut file = Vec::with_capacity(len + (1 << 20));
    let read = fs::File::open(&path).and_then(|mut hive| hive.read_to_end(&mut file));
    read.expect("readable");
    let Opened::Clean(hive) = open(Box::new(file)).expect("a hive") else {
        panic!("a clean hive");
    };
    let (report, checking) = peak_of(|| check(&hive));
    let content = report.content;
    let report = numbers(
        report.errors,
        report.warnings,
        content.keys,
        content.values,
        content.security_cells,
    );
    println!("\n{REPORT}{report}");
    let ((), editing) = peak_of(|| edit(hive));
    // Each further thread has a few bits for each cell.
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let room = len / 20 + (2 << 20) + (threads - 1) * (len / 32);
    println!("{len} bytes, check {checking}, edit {editing}, room for {room}");
    assert!(checking < room, "the check takes {checking} bytes");
    assert!(editing < room, "the edit takes {editing} bytes");
}

/// Edits a hive in the usual ways, and reads it back.
fn edit(hive: Hive) {
    let mut editor = Editor::new(hive, Filetime(2));
    editor.create_key("New\\Key").expect("created");
    let set = |editor: &mut Editor, name: &str, len| {
        let data = vec![1; len];
        let done = editor.set_value("New\\Key", name, ValueType::BINARY, &data);
        done.expect("set");
    };
    set(&mut editor, "short", 20);
    set(&mut editor, "long", 3000);
    set(&mut editor, "short", 200);
    editor.create_key("New\\Gone").expect("created");
    editor.delete_key("New\\Gone").expect("deleted");
    let edited = editor.finish().expect("finished");
    assert!(edited.skip_verification().is_ok());
}

#[test]
fn memory_beside_the_hive_does_not_depend_on_its_cells() {
    let report = use_up("free cells", &small_cells(8));
    assert_eq!(report, numbers(0, LEN / 8, 1, 0, 1));
    let report = use_up("allocated cells", &small_cells(-8));
    assert_eq!(report, numbers(0, LEN / 8, 1, 0, 1));
    let count = LONGER / 92;
    let report = use_up("keys", &keys());
    // Each key is visited, which shows that it lacks its value list.
    assert_eq!(report, numbers(count, 0, 1 + count, 0, 1));
    let count = LONGER / 28;
    // The list of values is longer than any cell that Windows makes.
    assert_eq!(use_up("values", &values()), numbers(1, 0, 1, count, 1));
    let count = LONGER / 48;
    let report = use_up("security cells", &security_cells());
    assert_eq!(report, numbers(0, count, 1, 0, 1 + count));
}
