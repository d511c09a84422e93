//! The changes that a program makes in a folder, recorded by strace: each system call that changes
//! it, in order.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The length in bytes up to which strace prints a write completely.
const LONGEST_WRITE: &str = "67108864";
/// The system calls that change files, or make changes durable.
const CALLS: &str = "trace=open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,truncate,\
                     ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,\
                     rmdir,fsync,fdatasync,sync,syncfs,sync_file_range,link,linkat,symlink,symlinkat,\
                     mmap,copy_file_range,sendfile,splice";

/// A change to the folder. Paths are below the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    MakeDir(PathBuf),
    Create(PathBuf),
    Write {
        path: PathBuf,
        offset: u64,
        data: Vec<u8>,
    },
    /// A write at the end of the previous one, to a file that the program has created.
    Append(PathBuf, Vec<u8>),
    SetLen(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    /// A second name for a file.
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
    /// The data of a file, or the names in a folder, become durable.
    Flush(PathBuf),
    /// Everything becomes durable.
    FlushAll,
}

/// A run of a program and what it did to the folder.
pub(super) struct Trace {
    pub(super) ops: Vec<Op>,
    pub(super) output: Output,
}

/// Runs a program with strace.
///
/// # Errors
/// If strace can't be run, or if the program changes the folder in an unknown way.
pub(super) fn record(program: &mut Command, folder: &Path) -> Result<Trace> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-y", "-xx", "-s", LONGEST_WRITE]);
    strace.args(["-e", "signal=none", "-e", CALLS, "-o"]);
    strace.arg(log.path()).arg(program.get_program());
    strace.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    if let Some(folder) = program.get_current_dir() {
        strace.current_dir(folder);
    }
    let output = strace.stdin(Stdio::null()).output().context("strace")?;
    let text = std::fs::read_to_string(log.path())?;
    Ok(Trace {
        ops: parse(&text, folder)?,
        output,
    })
}

/// The changes in a log of strace.
fn parse(log: &str, folder: &Path) -> Result<Vec<Op>> {
    let mut begun: Vec<(&str, &str)> = Vec::new();
    let mut ops = Vec::new();
    for line in log.lines() {
        let (process, rest) = line.split_once(' ').context("a line without a process")?;
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.push((process, start));
            continue;
        }
        let joined;
        let call = match rest.strip_prefix("<... ") {
            None => rest,
            Some(resumed) => {
                let at = begun.iter().position(|(other, _)| *other == process);
                let (_, start) = begun.swap_remove(at.context("a call that never began")?);
                let (_, end) = resumed.split_once(" resumed>").context("resumed")?;
                joined = format!("{start}{end}");
                &joined
            }
        };
        op(call, folder, &mut ops).with_context(|| {
            let end = call
                .char_indices()
                .nth(300)
                .map_or(call.len(), |(at, _)| at);
            call.get(..end).unwrap_or(call).to_owned()
        })?;
    }
    Ok(ops)
}

fn op(call: &str, folder: &Path, ops: &mut Vec<Op>) -> Result<()> {
    let Some((name, rest)) = call.split_once('(') else {
        return Ok(());
    };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else {
        return Ok(());
    };
    if result.starts_with('-') || result.starts_with('?') {
        return Ok(());
    }
    let arguments = arguments.trim_end().strip_suffix(')').context("no end")?;
    let call = Call {
        arguments: split(arguments),
        folder,
    };
    let mut push = |path: Option<PathBuf>, op: fn(PathBuf) -> Op| ops.extend(path.map(op));
    match name {
        "mkdir" => push(call.path(0)?, Op::MakeDir),
        "unlink" => push(call.path(0)?, Op::Remove),
        "link" | "rename" => {
            if let (Some(from), Some(to)) = (call.path(0)?, call.path(1)?) {
                ops.push(match name {
                    "link" => Op::Link(from, to),
                    _ => Op::Rename(from, to),
                });
            }
        }
        "linkat" => {
            if let (Some(from), Some(to)) = (call.at(0)?, call.at(2)?) {
                ops.push(Op::Link(from, to));
            }
        }
        "open" | "creat" | "truncate" | "rmdir" | "symlink" | "symlinkat" => {
            ensure!(call.path(0)?.is_none(), "not understood");
        }
        "openat" | "openat2" => {
            let flags = call.argument(2)?;
            let path = call.at(0)?;
            // Only O_EXCL proves that this call created the file.
            if flags.contains("O_CREAT") && flags.contains("O_EXCL") {
                push(path, Op::Create);
            } else {
                let changes = flags.contains("O_CREAT") || flags.contains("O_TRUNC");
                ensure!(path.is_none() || !changes, "not understood");
            }
        }
        "mkdirat" => push(call.at(0)?, Op::MakeDir),
        "unlinkat" => push(call.at(0)?, Op::Remove),
        "fsync" | "fdatasync" => push(call.file(0)?, Op::Flush),
        "sync" => ops.push(Op::FlushAll),
        "syncfs" if call.file(0)?.is_some() => ops.push(Op::FlushAll),
        "renameat" | "renameat2" => {
            if let (Some(from), Some(to)) = (call.at(0)?, call.at(2)?) {
                ops.push(Op::Rename(from, to));
            }
        }
        "ftruncate" => {
            let len = call.argument(1)?.parse()?;
            ops.extend(call.file(0)?.map(|path| Op::SetLen(path, len)));
        }
        "pwrite64" => {
            if let Some(path) = call.file(0)? {
                let data = call.written(result)?;
                let offset = call.argument(3)?.parse()?;
                ops.push(Op::Write { path, offset, data });
            }
        }
        "write" => {
            if let Some(path) = call.file(0)? {
                ops.push(Op::Append(path, call.written(result)?));
            }
        }
        "mmap" => {
            let shared = call.argument(3)?.contains("MAP_SHARED");
            let writable = call.argument(2)?.contains("PROT_WRITE");
            ensure!(
                !(shared && writable) || call.file(4)?.is_none(),
                "a map that writes"
            );
        }
        _ => ensure!(call.file(0)?.is_none(), "not understood"),
    }
    Ok(())
}

struct Call<'a> {
    arguments: Vec<&'a str>,
    folder: &'a Path,
}

impl Call<'_> {
    fn argument(&self, index: usize) -> Result<&str> {
        self.arguments.get(index).copied().context("no argument")
    }

    /// The bytes that a write has written.
    fn written(&self, result: &str) -> Result<Vec<u8>> {
        let written: usize = first_word(result).parse()?;
        let mut data = string(self.argument(1)?)?;
        ensure!(data.len() >= written, "a write is cut off");
        data.truncate(written);
        Ok(data)
    }

    /// The file that a descriptor stands for, if it is in the folder.
    fn file(&self, index: usize) -> Result<Option<PathBuf>> {
        let argument = self.argument(index)?;
        match argument.split_once('<') {
            Some((_, path)) => Ok(below(&text(path)?, self.folder)),
            None => Ok(None),
        }
    }

    /// A path, if it is in the folder.
    fn path(&self, index: usize) -> Result<Option<PathBuf>> {
        Ok(below(&text(self.argument(index)?)?, self.folder))
    }

    /// The path that a folder's descriptor and a name after it stand for, if it is in the folder.
    fn at(&self, index: usize) -> Result<Option<PathBuf>> {
        let dir = self.argument(index)?;
        let name = text(self.argument(index + 1)?)?;
        let dir = match dir.split_once('<') {
            Some((_, path)) => text(path)?,
            None => PathBuf::new(),
        };
        Ok(below(&dir.join(name), self.folder))
    }
}

fn below(path: &Path, folder: &Path) -> Option<PathBuf> {
    path.strip_prefix(folder).ok().map(Path::to_path_buf)
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// The arguments of a call. With `-xx`, strings hold no commas.
fn split(arguments: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = arguments.split(move |c: char| {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn text(hex: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(String::from_utf8(string(hex)?)?))
}

/// The bytes of a string that is printed in hexadecimal, up to its end.
fn string(printed: &str) -> Result<Vec<u8>> {
    let printed = printed.trim_start_matches('"');
    let mut bytes = Vec::new();
    let mut rest = printed;
    while let Some(after) = rest.strip_prefix("\\x") {
        let (digits, next) = after.split_at_checked(2).context("half a byte")?;
        bytes.push(u8::from_str_radix(digits, 16)?);
        rest = next;
    }
    match rest {
        "" | "\"" | ">" => Ok(bytes),
        _ if rest.starts_with("\"...") => bail!("a string is cut off"),
        // strace adds a remark after a file's path, for example that the file was deleted.
        _ if rest.starts_with('>') => Ok(bytes),
        // This is a name of the kernel, for example of a pipe.
        _ => Ok(rest.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    #[test]
    fn what_lies_elsewhere_or_failed_is_left_out_and_halves_are_joined() {
        let (dir, name) = (hex("/t/disk"), hex("SYSTEM"));
        let log = format!(
            "7 mkdirat(4<{dir}>, \"{name}\", 0700) = -1 EEXIST (File exists)\n\
             7 mkdirat(4<{dir}>, \"{name}\", 0700) = 0\n\
             7 pwrite64(3<{dir}\\x2f{name}>, \"\\x01\\x02\", 2, 512 <unfinished ...>\n\
             8 pwrite64(3<{other}>, \"\\x09\", 1, 0) = 1\n\
             7 <... pwrite64 resumed>) = 1\n\
             7 fsync(3<{dir}>) = 0\n\
             7 openat2(3<{dir}>, \"{name}\", {{flags=O_RDWR|O_CREAT|O_EXCL, mode=0600}}, 24) = 9<x>\n",
            other = hex("/elsewhere")
        );
        let ops = parse(&log, Path::new("/t")).expect("understood");
        let path = PathBuf::from("disk/SYSTEM");
        assert_eq!(
            ops,
            [
                Op::MakeDir(path.clone()),
                Op::Write {
                    path: path.clone(),
                    offset: 512,
                    data: vec![1]
                },
                Op::Flush("disk".into()),
                Op::Create(path),
            ]
        );
    }

    #[test]
    fn what_is_cut_off_is_noticed() {
        let log = format!("7 pwrite64(3<{}>, \"\\x01\"..., 2, 0) = 2\n", hex("/t/a"));
        assert!(parse(&log, Path::new("/t")).is_err());
    }
}
