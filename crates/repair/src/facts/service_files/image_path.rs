//! The file that a service or driver names, as names below the root of the target's volume.
//!
//! A path is followed only if it surely leads into the target: to its Windows folder, or to the
//! drive letter that this Windows has for its own volume. Everything else is not judged.

/// The greatest length of a path, in characters.
const MOST_CHARS: usize = 1024;
/// The greatest number of names in a path.
const MOST_NAMES: usize = 32;
/// The greatest number of readings of a command line without quotation marks.
const MOST_READINGS: usize = 8;

/// Where variables of a service's path lead, below the root of the volume.
const VARIABLES: [(&str, &str); 8] = [
    ("%SystemRoot%", "Windows"),
    ("%windir%", "Windows"),
    ("%SystemDrive%", ""),
    ("%ProgramFiles%", "Program Files"),
    ("%ProgramFiles(x86)%", "Program Files (x86)"),
    ("%CommonProgramFiles%", r"Program Files\Common Files"),
    (
        "%CommonProgramFiles(x86)%",
        r"Program Files (x86)\Common Files",
    ),
    ("%ProgramData%", "ProgramData"),
];

/// The names of a path, from the root of the volume.
pub(super) type Names = Vec<String>;

/// The file of a driver. Without an `ImagePath`, the kernel takes the driver's name.
///
/// `None` if the path leads elsewhere, or if it is not plain where it leads.
pub(super) fn of_driver(image_path: Option<&str>, service: &str, drive: char) -> Option<Names> {
    let Some(path) = image_path.filter(|path| !path.is_empty()) else {
        return names(&format!(r"Windows\System32\drivers\{service}.sys"));
    };
    if let Some(rest) = on_volume(path, drive) {
        return names(&rest);
    }
    // The kernel takes a relative path as one from the Windows folder.
    let is_relative = !path.starts_with('\\') && !path.starts_with('%') && !path.contains(':');
    is_relative.then(|| names(&format!(r"Windows\{path}")))?
}

/// The files that can be the program in a service's command line, the likeliest first. Without
/// quotation marks, a space can belong to the path or begin the arguments.
///
/// The list is empty if the path leads elsewhere, or if it is not plain where it leads.
pub(super) fn of_command_line(command: &str, drive: char) -> Vec<Names> {
    let command = command.trim();
    if let Some(quoted) = command.strip_prefix('"') {
        let path = quoted.split('"').next().unwrap_or(quoted);
        return of_program(path, drive).into_iter().collect();
    }
    let spaces = command.match_indices(' ').map(|(at, _)| at);
    let ends = spaces.chain([command.len()]).take(MOST_READINGS);
    let mut readings: Vec<&str> = ends.filter_map(|end| command.get(..end)).collect();
    // What ends like a program is likelier to be one.
    readings.sort_by_key(|path| !is_program(path));
    readings
        .into_iter()
        .filter_map(|path| of_program(path, drive))
        .collect()
}

/// The file in a `ServiceDll`.
pub(super) fn of_library(path: &str, drive: char) -> Option<Names> {
    let path = path.trim().trim_matches('"');
    on_volume(path, drive).and_then(|rest| names(&rest))
}

/// True if a path, which may have wildcards, leads to this folder or to one above it, or if it isn't
/// plain where it leads.
pub(super) fn may_cover(path: &str, drive: char, folder: &[&str]) -> bool {
    let path = path.trim().trim_matches('"');
    if path.is_empty() {
        return false;
    }
    if path.chars().nth(MOST_CHARS).is_some() {
        return true;
    }
    let path = match path.strip_prefix('%').and_then(|rest| rest.split_once('%')) {
        // Software restriction also names values of the registry so.
        Some((value, rest)) if ends_with(value, r"\SystemRoot") => format!("%SystemRoot%{rest}"),
        Some((value, rest)) if ends_with(value, r"\ProgramFilesDir") => {
            format!("%ProgramFiles%{rest}")
        }
        _ => path.to_owned(),
    };
    let Some(rest) = on_volume(&format!(r"{path}\"), drive) else {
        let is_other_drive = path.chars().nth(1) == Some(':');
        return !is_other_drive && !path.starts_with(r"\\");
    };
    let mut above = folder.iter();
    for name in rest.split('\\').filter(|name| !name.is_empty()) {
        let is_pattern = name.contains(['*', '?']);
        match above.next() {
            _ if is_pattern => return true,
            Some(wanted) if name.eq_ignore_ascii_case(wanted) => {}
            _ => return false,
        }
    }
    true
}

fn ends_with(text: &str, end: &str) -> bool {
    text.to_lowercase().ends_with(&end.to_lowercase())
}

pub(super) fn of_program(path: &str, drive: char) -> Option<Names> {
    let rest = on_volume(path, drive).or_else(|| {
        let (first, _) = path.split_once('\\')?;
        first
            .eq_ignore_ascii_case("system32")
            .then(|| format!(r"Windows\{path}"))
    })?;
    let mut names = names(&rest)?;
    // Windows appends it too.
    if let Some(last) = names.last_mut().filter(|last| !last.contains('.')) {
        last.push_str(".exe");
    }
    Some(names)
}

fn is_program(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("exe"))
}

/// The rest of a path that leads to the target's volume, from its root.
fn on_volume(path: &str, drive: char) -> Option<String> {
    if let Some(rest) = strip(path, r"\SystemRoot\") {
        return Some(format!(r"Windows\{rest}"));
    }
    for (variable, folder) in VARIABLES {
        if let Some(rest) = strip(path, variable).and_then(|rest| rest.strip_prefix('\\')) {
            let separator = if folder.is_empty() { "" } else { r"\" };
            return Some(format!("{folder}{separator}{rest}"));
        }
    }
    let path = [r"\??\", r"\\?\", r"\DosDevices\"]
        .iter()
        .find_map(|prefix| strip(path, prefix))
        .unwrap_or(path);
    if let Some(rest) = strip(path, r"%SystemRoot%\") {
        return Some(format!(r"Windows\{rest}"));
    }
    let (letter, rest) = path.split_once(r":\")?;
    let mut letters = letter.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    letter.eq_ignore_ascii_case(&drive).then(|| rest.to_owned())
}

fn strip<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let (head, rest) = path.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The names of a path with backslashes; `None` if it could lead elsewhere, or if Windows would
/// read a name differently than it is spelled.
pub(super) fn names(path: &str) -> Option<Names> {
    if path.chars().nth(MOST_CHARS).is_some() {
        return None;
    }
    let names: Names = path.split('\\').map(str::to_owned).collect();
    let is_plain = |name: &String| {
        let odd = |c: char| c.is_control() || "/:*?\"<>|%".contains(c);
        !name.is_empty() && !name.ends_with(['.', ' ']) && !name.chars().any(odd)
    };
    (names.len() <= MOST_NAMES && names.iter().all(is_plain)).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_software_restriction_covers_windows_or_may() {
        let covers = |path: &str| may_cover(path, 'C', &["Windows"]);
        for path in [
            r"C:\Windows",
            r"c:\windows\",
            r"C:\",
            r"C:\Windows\*",
            r"C:\Win*",
            "%SystemRoot%",
            r"%windir%\*",
            r"%SystemDrive%\",
            r"%HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SystemRoot%",
            // Nobody knows.
            "%OTHER%",
            "*",
            "explorer.exe",
        ] {
            assert!(covers(path), "{path}");
        }
        for path in [
            "",
            r"C:\Program Files",
            r"C:\Windows\System32",
            r"C:\WindowsOld",
            r"D:\Windows",
            r"\\server\share\Windows",
            r"%HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\ProgramFilesDir%",
        ] {
            assert!(!covers(path), "{path}");
        }
    }

    fn driver(path: Option<&str>) -> Option<String> {
        of_driver(path, "foo", 'C').map(|names| names.join("/"))
    }

    #[test]
    fn every_form_of_a_drivers_path_leads_into_the_target() {
        let file = Some("Windows/System32/drivers/foo.sys".to_owned());
        for path in [
            None,
            Some(""),
            Some(r"System32\drivers\foo.sys"),
            Some(r"\SystemRoot\System32\drivers\foo.sys"),
            Some(r"%SystemRoot%\System32\drivers\foo.sys"),
            Some(r"\??\C:\Windows\System32\drivers\foo.sys"),
            Some(r"\??\c:\Windows\System32\drivers\foo.sys"),
        ] {
            assert_eq!(driver(path), file, "{path:?}");
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_not_judged() {
        let long = format!(r"System32\{}", "a".repeat(2 * MOST_CHARS));
        let deep = format!("System32{}", r"\a".repeat(2 * MOST_NAMES));
        for path in [
            r"\??\D:\Windows\System32\drivers\foo.sys",
            r"\Device\HarddiskVolume2\foo.sys",
            r"\??\Volume{0}\foo.sys",
            r"..\..\foo.sys",
            r"\SystemRoot\..\foo.sys",
            r"\SystemRoot\",
            r"System32\drivers\foo.sys:stream",
            r"System32\drivers\\foo.sys",
            "System32/drivers/foo.sys",
            r"System32\drivers\foo.sys.",
            r"%TEMP%\foo.sys",
            r"\\server\share\foo.sys",
            "\u{0}",
            &long,
            &deep,
        ] {
            assert_eq!(driver(Some(path)), None, "{path:?}");
        }
    }

    #[test]
    fn the_program_of_a_command_line_may_have_spaces() {
        let programs = |command: &str| -> Vec<String> {
            let found = of_command_line(command, 'C');
            found.iter().map(|names| names.join("/")).collect()
        };
        let svchost = ["Windows/system32/svchost.exe"];
        let found = programs(r"%SystemRoot%\system32\svchost.exe -k netsvcs -p");
        assert_eq!(found.first().map(String::as_str), Some(svchost[0]));
        assert_eq!(
            programs(r#""C:\Windows\system32\svchost.exe" -k a"#),
            svchost
        );
        assert_eq!(programs(r"system32\svchost"), svchost);
        let found = programs(r"C:\Program Files\A B\c.exe -d");
        assert_eq!(found[0], "Program Files/A B/c.exe");
        assert!(programs(r#""D:\a.exe""#).is_empty());
        assert!(programs(r"%HOMEPATH%\a.exe").is_empty());
        assert!(programs("").is_empty());
        assert!(programs(&"a ".repeat(10_000)).len() <= MOST_READINGS);
        let library = of_library(r"%SystemRoot%\System32\termsrv.dll", 'C');
        assert_eq!(
            library.expect("a path").join("/"),
            "Windows/System32/termsrv.dll"
        );
    }
}
