//! SrtTrail.txt, in which Startup Repair tells what it tested and the root causes that it found.
//!
//! The file is in the language of Windows. Its form is not: each section begins with a title and a
//! line of dashes, and its lines are `name: value` or `name = value`. Only a root cause is a sentence.

/// The sentences that tell root causes.
pub(super) fn root_causes(text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    let mut after_dashes = false;
    let sentences = text.lines().map(str::trim).filter(move |line| {
        let is_rule = line.len() >= 3 && line.bytes().all(|byte| byte == b'-');
        let is_first = after_dashes && !line.is_empty();
        if is_rule || !line.is_empty() {
            after_dashes = is_rule;
        }
        // The time of the last start has marks of direction in it.
        is_first && !is_rule && !line.contains(['=', '\u{200e}']) && !is_named(line)
    });
    Box::new(sentences)
}

/// True for a name, a colon and a value. A drive letter has a backslash after its colon.
fn is_named(line: &str) -> bool {
    let mut colons = line.match_indices(':').map(|(at, _)| at);
    colons.any(|at| {
        line.get(at + 1..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sentences_are_root_causes_in_any_language() {
        for (named, cause) in [
            (
                "Name: Check for updates",
                "Boot critical file c:\\windows\\system32\\drivers\\foo.sys is corrupt.",
            ),
            (
                "Nom : Rechercher",
                "Le fichier c:\\windows\\foo.sys est endommag\u{e9}.",
            ),
        ] {
            let text = format!(
                "Startup Repair diagnosis and repair log\r\n---------------------------\r\n\
                 Last successful boot time: \u{200e}1/\u{200e}1/\u{200e}2024 1:00:00 PM (GMT)\r\n\
                 Number of repair attempts: 1\r\n\r\nSession details\r\n---------------------------\r\n\
                 System Disk = \\Device\\Harddisk0\r\nNumber of root causes = 1\r\n\r\n\
                 Test Performed: \r\n---------------------------\r\n{named}\r\n\
                 Result: Completed successfully. Error code =  0x0\r\n\r\n\
                 Root cause found: \r\n---------------------------\r\n{cause} \r\n\r\n\
                 Repair action: File repair\r\n---------------------------\r\n\
                 Result: Failed. Error code =  0x490\r\n---------------------------\r\n\
                 ---------------------------\r\n"
            );
            let found: Vec<_> = root_causes(&text).collect();
            assert_eq!(found, [cause]);
        }
        assert_eq!(root_causes("").count(), 0);
        assert_eq!(root_causes("---\n---\n---").count(), 0);
    }
}
