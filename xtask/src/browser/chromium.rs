//! A headless browser, driven over a pipe with the DevTools protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The program, which is also the name of Debian's package.
const PROGRAM: &str = "chromium";
/// The browser reads commands from descriptor 3 and answers on descriptor 4. It must not inherit
/// the pipes a second time.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;
const OPTIONS: [&str; 10] = [
    "--headless=new",
    "--remote-debugging-pipe",
    // Root can't use the sandbox, and the pages are the project's own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-color-profile=srgb",
    // Whatever a page asks for, nothing leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND",
];
/// The maximum time for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one open page.
pub(super) struct Chromium {
    child: Child,
    commands: Option<ChildStdin>,
    messages: Receiver<Value>,
    last: u64,
    session: Option<String>,
    /// Events that came while an answer was awaited.
    events: Vec<Value>,
    // Its profile.
    _folder: tempfile::TempDir,
}

impl Chromium {
    /// Starts the browser. What it complains about goes to the file `log`.
    pub(super) fn start(log: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", PIPES, PROGRAM]).args(OPTIONS);
        shell.arg(format!("--user-data-dir={}", folder.path().display()));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        shell.stderr(std::fs::File::create(log)?);
        let mut child = shell.spawn().context(PROGRAM)?;
        let commands = child.stdin.take();
        let answers = child.stdout.take().context("answers of the browser")?;
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let message = message
                    .ok()
                    .and_then(|text| serde_json::from_slice(&text).ok());
                if message.is_none_or(|message| sender.send(message).is_err()) {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            commands,
            messages,
            last: 0,
            session: None,
            events: Vec::new(),
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target.pointer("/targetId"), "flatten": true});
        let session = browser.call("Target.attachToTarget", attach)?;
        let session = text(&session, "/sessionId").context("no session")?;
        browser.session = Some(session.to_owned());
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(browser)
    }

    /// Calls a method, and returns its result.
    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.last += 1;
        let id = self.last;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let (Some(session), Some(message)) = (&self.session, message.as_object_mut()) {
            message.insert("sessionId".to_owned(), json!(session));
        }
        let commands = self.commands.as_mut().context("the browser has ended")?;
        write!(commands, "{message}\0").context(PROGRAM)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.next(deadline).with_context(|| method.to_owned())?;
            if message.pointer("/id") != Some(&json!(id)) {
                self.events.push(message);
            } else if let Some(error) = message.get("error") {
                bail!("{method}: {error}");
            } else {
                return Ok(message.pointer("/result").cloned().unwrap_or(Value::Null));
            }
        }
    }

    fn next(&mut self, deadline: Instant) -> Result<Value> {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(left);
        message.context("the browser does not answer")
    }

    /// Opens a page and waits until it is loaded. Returns every event until then.
    pub(super) fn open(&mut self, url: &str) -> Result<Vec<Value>> {
        self.events.clear();
        let opened = self.call("Page.navigate", json!({"url": url}))?;
        if let Some(error) = opened.get("errorText") {
            bail!("{url}: {error}");
        }
        let deadline = Instant::now() + PATIENCE;
        let is_loaded = |event: &Value| text(event, "/method") == Some("Page.loadEventFired");
        while !self.events.iter().any(is_loaded) {
            let event = self.next(deadline).with_context(|| url.to_owned())?;
            self.events.push(event);
        }
        Ok(self.events())
    }

    /// The events since the last call.
    pub(super) fn events(&mut self) -> Vec<Value> {
        self.events.extend(self.messages.try_iter());
        std::mem::take(&mut self.events)
    }

    /// The value of a script, which may be a promise. The page's policy does not bind it.
    pub(super) fn evaluate(&mut self, script: &str) -> Result<Value> {
        let parameters = json!({
            "expression": script, "awaitPromise": true, "returnByValue": true,
        });
        let found = self.call("Runtime.evaluate", parameters)?;
        match found.get("exceptionDetails") {
            Some(error) => bail!("the script failed: {error}"),
            None => Ok(found
                .pointer("/result/value")
                .cloned()
                .unwrap_or(Value::Null)),
        }
    }

    /// Bytes that a method returns in base64.
    pub(super) fn bytes(&mut self, method: &str, parameters: Value) -> Result<Vec<u8>> {
        let found = self.call(method, parameters)?;
        let data = text(&found, "/data").context("no data")?;
        decode(data).with_context(|| format!("{method}: not base64"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The browser ends when its pipe is closed, with all its processes.
        self.commands = None;
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        // If it has ended, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text at a path (RFC 6901) in a message.
pub(super) fn text<'a>(message: &'a Value, path: &str) -> Option<&'a str> {
    message.pointer(path)?.as_str()
}

/// The bytes of base64 (RFC 4648, section 4).
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYmFy", b"foobar"),
            ("//79", &[0xff, 0xfe, 0xfd]),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!(decode("Zm 9v"), None);
    }
}
