//! Makes runs and plans with this machine's seal, written from the documentation alone, for tests
//! that need what only a killed process, or another version, leaves.

use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::program::key_file;
use crate::run_file;

const SEAL: &str = ",\n  \"seal\": {";

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16);
    pairs.map(|pair| byte(pair).expect("hexadecimal")).collect()
}

fn part(value: Option<&str>) -> Vec<u8> {
    match value {
        Some(text) => [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat(),
        None => u64::MAX.to_le_bytes().to_vec(),
    }
}

/// The id of the tests' key, and the key.
fn key() -> (String, Vec<u8>) {
    let key = fs::read_to_string(key_file()).expect("the tests' key");
    let mut words = key.split_whitespace().skip(1);
    let (id, key) = (words.next().expect("an id"), words.next().expect("a key"));
    (id.to_owned(), bytes(key))
}

fn sealed(document: &str, id: &str, mac: &[u8]) -> String {
    let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{document}{SEAL}\n    \"key\": \"{id}\",\n    \"mac\": \"{mac}\"\n  }}\n}}\n")
}

/// Replaces text in a saved plan and seals it again, as docs/plans.md says.
pub(crate) fn replace_in_plan(plan: &str, from: &str, to: &str) -> String {
    let (document, _) = plan.rsplit_once(SEAL).expect("a seal");
    let changed = document.replacen(from, to, 1);
    assert!(from == to || changed != document, "nothing was replaced");
    let (id, key) = key();
    let mac = hmac(&key, &[b"diskmend plan\0", changed.as_bytes()]);
    sealed(&changed, &id, &mac)
}

/// Replaces text in the journal of a run and seals it again.
pub(crate) fn replace(run: &Path, from: &str, to: &str) {
    let text = String::from_utf8(run_file::journal(run)).expect("UTF-8");
    let (journal, _) = text.split_once(SEAL).expect("a seal");
    let journal = journal.replacen(from, to, 1);
    assert!(!text.starts_with(&journal), "nothing was replaced");
    let (id, key) = key();
    let fields: Value = serde_json::from_str(&format!("{journal}}}")).expect("JSON");
    let name = run.file_name().and_then(|name| name.to_str());
    let identity = |what| part(fields["identity"][what].as_str());
    let run_key = hmac(
        &key,
        &[
            b"diskmend run\0",
            &2u32.to_le_bytes(),
            &part(name),
            &identity("volume"),
            &identity("disk"),
        ],
    );
    let mac = hmac(&run_key, &[b"journal\0", journal.as_bytes()]);
    run_file::put_journal(run, sealed(&journal, &id, &mac).as_bytes());
}
