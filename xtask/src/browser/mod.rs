//! `cargo xtask browser`: opens reports in a real browser, in light and dark and on a narrow screen.
//! A page must be accessible, load nothing, fit the screen and take nothing on the disk for its own.

mod axe;
mod chromium;
mod disks;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{program, workspace};
use chromium::{Chromium, text};
use disks::Texts;

const PAGE: &str = include_str!("page.js");
/// A script in the page. The policy must keep it from running.
const INTRUDER: &str = "(() => { const script = document.createElement('script'); \
     script.textContent = 'window.__ran = true'; document.head.append(script); \
     return window.__ran === true; })()";
const AXE: &str = "axe.run().then((found) => JSON.stringify({ \
     violations: found.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html)]), \
     incomplete: found.incomplete.map((rule) => [rule.id, rule.nodes.map((node) => node.html)]), \
     passes: found.passes.length }))";

/// The names of the disks with harmless and with hostile texts, with which those of their pages
/// begin.
const TAME: &str = "tame";
const HOSTILE: &str = "hostile";

/// How a page is looked at. The size is in pixels.
struct View {
    scheme: &'static str,
    width: u32,
    height: u32,
}

const fn view(scheme: &'static str, width: u32, height: u32) -> View {
    View {
        scheme,
        width,
        height,
    }
}

const VIEWS: [View; 4] = [
    view("light", NARROW, 844),
    view("dark", 1280, 800),
    view("light", 1280, 800),
    view("dark", NARROW, 844),
];
const NARROW: u32 = 390;
/// In the first views is each scheme and each size.
const FEW_VIEWS: usize = 2;
/// The fewest rules of axe-core that apply to a page; otherwise it has looked at something else.
const FEWEST_RULES: u64 = 15;
/// The most sheets of paper for one of these pages.
const MOST_SHEETS: usize = 8;

/// Makes the reports and looks at each. The pages, pictures and prints are kept in the target
/// folder.
///
/// # Errors
/// If a page is not as it must be, or if the browser or axe-core is missing.
pub fn run() -> Result<String> {
    let axe = axe::script()?;
    let folder = workspace::output("browser")?;
    let pages = reports(&folder)?;
    let mut browser = Chromium::start(&folder.join("chromium.log"))?;
    let mut faults = Vec::new();
    let (mut views, mut unsure) = (0, 0);
    let mut shapes = BTreeMap::new();
    for Report {
        name,
        path,
        views: of,
    } in &pages
    {
        for view in *of {
            let title = format!("{name}, {}, {} pixels", view.scheme, view.width);
            let looked = look(&mut browser, path, view, &axe);
            let looked = looked.with_context(|| title.clone())?;
            faults.extend(
                looked
                    .faults
                    .iter()
                    .map(|fault| format!("{title}: {fault}")),
            );
            unsure += looked.unsure.len();
            println!("{title}: {} faults", looked.faults.len());
            for element in &looked.unsure {
                println!("    axe-core can't judge {element}");
            }
            shapes.insert(name.clone(), looked.page);
            views += 1;
        }
        let sheets = print(&mut browser, &path.with_extension("pdf"))?;
        println!("{name}: {sheets} sheets of paper");
        if !(1..=MOST_SHEETS).contains(&sheets) {
            faults.push(format!("{name}: {sheets} sheets of paper"));
        }
    }
    faults.extend(inert(&shapes));
    for fault in &faults {
        println!("FAILED: {fault}");
    }
    if !faults.is_empty() {
        bail!(
            "{} faults in {views} views of {} pages",
            faults.len(),
            pages.len()
        );
    }
    let note = format!(
        "{} pages in {views} views, 0 violations; axe-core could not judge {unsure} elements",
        pages.len()
    );
    println!("{note}");
    Ok(note)
}

/// A page to look at.
struct Report {
    name: String,
    path: PathBuf,
    views: &'static [View],
}

/// Makes the disks and their reports.
fn reports(folder: &Path) -> Result<Vec<Report>> {
    let diskmend = program::diskmend(false)?;
    let mut pages = Vec::new();
    let mut page = |name: String, command: &[&str], option: &str, exit: i32| -> Result<()> {
        let path = folder.join(format!("{name}.html"));
        if path.exists() {
            fs::remove_file(&path)?;
        }
        let out = path.to_string_lossy();
        expect(
            &diskmend,
            folder,
            &[command, &[option, &*out]].concat(),
            exit,
        )?;
        let views = match name.as_str() {
            "healthy" | HOSTILE => &VIEWS[..],
            name if name.starts_with(HOSTILE) => &VIEWS[..FEW_VIEWS],
            // Only its elements are needed, to compare them.
            _ => &VIEWS[..1],
        };
        pages.push(Report { name, path, views });
        Ok(())
    };
    disks::healthy(&folder.join("healthy"))?;
    page("healthy".to_owned(), &["report", "healthy"], "--out", 0)?;
    for (name, texts) in [(TAME, Texts::tame()), (HOSTILE, Texts::hostile())] {
        disks::broken(&folder.join(name), &texts)?;
        let image = format!("{name}.img");
        disks::image(&folder.join(&image), &texts)?;
        page(format!("{name}-disk"), &["disks", &image], "--report", 0)?;
        page(
            format!("{name}-plan"),
            &["plan", name, "tls", "nla"],
            "--report",
            3,
        )?;
        let repair = ["repair", name, "tls", "--yes"];
        page(format!("{name}-repair"), &repair, "--report", 0)?;
        // Every run's name begins with its time.
        page(name.to_owned(), &["report", name, "2"], "--out", 3)?;
    }
    Ok(pages)
}

fn expect(diskmend: &Path, folder: &Path, arguments: &[&str], exit: i32) -> Result<()> {
    let output = Command::new(diskmend)
        .args(arguments)
        .current_dir(folder)
        .env("DISKMEND_KEY_FILE", folder.join("key"))
        .output()?;
    if output.status.code() != Some(exit) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!(
            "diskmend {}: {}: {said}",
            arguments.join(" "),
            output.status
        );
    }
    Ok(())
}

/// What the browser made of a page.
#[derive(Deserialize)]
struct Page {
    title: String,
    text: String,
    shape: Vec<String>,
    pwned: bool,
    width: u32,
    window: u32,
    background: String,
    sheets: u32,
}

/// What axe-core says. A rule has a name and the elements to which it applies.
#[derive(Deserialize)]
struct Judgement {
    violations: Vec<(String, Vec<String>)>,
    incomplete: Vec<(String, Vec<String>)>,
    passes: u64,
}

struct Looked {
    page: Page,
    faults: Vec<String>,
    /// The elements of which axe-core is not sure, after the rule's name.
    unsure: Vec<String>,
}

/// Opens the file as it is, and looks at it.
fn look(browser: &mut Chromium, path: &Path, view: &View, axe: &str) -> Result<Looked> {
    let &View {
        scheme,
        width,
        height,
    } = view;
    let metrics = json!({
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == NARROW,
    });
    browser.call("Emulation.setDeviceMetricsOverride", metrics)?;
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.call("Emulation.setEmulatedMedia", media)?;
    let url = format!("file://{}", path.display());
    let mut events = browser.open(&url)?;
    let page: Page = evaluate(browser, PAGE)?;
    events.extend(browser.events());
    let mut faults: Vec<String> = events
        .iter()
        .filter_map(|event| wrong(event, &url))
        .collect();
    faults.extend(faults_of(&page, scheme));
    let picture = json!({"captureBeyondViewport": true});
    let picture = browser.bytes("Page.captureScreenshot", picture)?;
    fs::write(
        path.with_extension(format!("{scheme}-{width}.png")),
        picture,
    )?;

    browser.evaluate(axe)?;
    let judged: Judgement = evaluate(browser, AXE)?;
    if judged.passes < FEWEST_RULES {
        faults.push(format!("only {} rules of axe-core apply", judged.passes));
    }
    let each = |rules: Vec<(String, Vec<String>)>| -> Vec<String> {
        let lines = |(rule, elements): (String, Vec<String>)| {
            elements
                .into_iter()
                .map(move |element| format!("{rule}: {element}"))
        };
        rules.into_iter().flat_map(lines).collect()
    };
    faults.extend(each(judged.violations));
    if browser.evaluate(INTRUDER)? != Value::Bool(false) {
        faults.push("the policy lets a script in the page run".to_owned());
    }
    Ok(Looked {
        page,
        faults,
        unsure: each(judged.incomplete),
    })
}

fn evaluate<T: for<'a> Deserialize<'a>>(browser: &mut Chromium, script: &str) -> Result<T> {
    let value = browser.evaluate(script)?;
    let text = value.as_str().context("the script has no result")?;
    Ok(serde_json::from_str(text)?)
}

/// What an event tells, if the page did what it must not.
fn wrong(event: &Value, url: &str) -> Option<String> {
    match text(event, "/method")? {
        "Network.requestWillBeSent" => {
            let asked = text(event, "/params/request/url")?;
            (asked != url).then(|| format!("it requests {asked}"))
        }
        "Log.entryAdded" => {
            let said = text(event, "/params/entry/text").unwrap_or_default();
            Some(format!("the browser says: {said}"))
        }
        "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" => {
            Some(format!("a script ran: {event}"))
        }
        "Page.javascriptDialogOpening" => Some("it opens a dialog".to_owned()),
        "Page.frameRequestedNavigation" | "Page.frameAttached" => {
            Some("it opens another page".to_owned())
        }
        _ => None,
    }
}

fn faults_of(page: &Page, scheme: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if page.width > page.window {
        faults.push(format!(
            "{} pixels on a screen of {}",
            page.width, page.window
        ));
    }
    if page.pwned {
        faults.push("a script on the disk ran".to_owned());
    }
    let dark = |color: &str| color != "rgb(255, 255, 255)";
    if page.sheets != 1 || dark(&page.background) != (scheme == "dark") {
        faults.push(format!("{} in {scheme}: not the style", page.background));
    }
    if !page.title.starts_with("diskmend ") {
        faults.push(format!("the title is {:?}", page.title));
    }
    faults
}

/// A page with hostile texts must have the elements and attributes of the one with tame texts. The
/// pages together must show all of those texts.
fn inert(pages: &BTreeMap<String, Page>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut text = String::new();
    for (name, hostile) in pages {
        let Some(kind) = name.strip_prefix(HOSTILE) else {
            continue;
        };
        match pages.get(&format!("{TAME}{kind}")) {
            Some(tame) => faults.extend(difference(tame, hostile)),
            None => faults.push(format!("{name}: there is nothing to compare it with")),
        }
        text.push_str(&hostile.text);
    }
    for canary in 1..=disks::CANARIES {
        if !text.contains(&format!("window.__pwned={canary}")) {
            faults.push(format!("the hostile text {canary} is not shown"));
        }
    }
    let hidden = |c: &char| *c != '\n' && diskmend_base::escape::is_hidden(*c);
    if let Some(found) = text.chars().find(hidden) {
        faults.push(format!("{found:?} stands in a page"));
    }
    faults
}

fn difference(tame: &Page, hostile: &Page) -> Option<String> {
    let mut pairs = tame.shape.iter().zip(&hostile.shape);
    if let Some((tame, hostile)) = pairs.find(|(tame, hostile)| tame != hostile) {
        return Some(format!("hostile texts make <{hostile}> of <{tame}>"));
    }
    let (tame, hostile) = (tame.shape.len(), hostile.shape.len());
    (tame != hostile).then(|| format!("hostile texts make {hostile} elements of {tame}"))
}

/// Prints the page to a file, and returns the number of sheets.
fn print(browser: &mut Chromium, to: &Path) -> Result<usize> {
    let print = browser.bytes(
        "Page.printToPDF",
        json!({"paperWidth": 8.27, "paperHeight": 11.69}),
    )?;
    fs::write(to, &print).with_context(|| to.display().to_string())?;
    if !print.starts_with(b"%PDF-") {
        bail!("{}: not a PDF file", to.display());
    }
    Ok(sheets(&print))
}

/// The number of pages in a PDF file; its objects of this kind are not compressed.
fn sheets(file: &[u8]) -> usize {
    const PAGE: &[u8] = b"/Type /Page";
    let pages = file.windows(PAGE.len() + 1).filter(|window| {
        let next = window.strip_prefix(PAGE).and_then(|next| next.first());
        next.is_some_and(|next| !next.is_ascii_alphabetic())
    });
    pages.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(shape: &[&str], text: &str) -> Page {
        Page {
            title: "diskmend report: x".to_owned(),
            text: text.to_owned(),
            shape: shape.iter().map(|&element| element.to_owned()).collect(),
            pwned: false,
            width: 390,
            window: 390,
            background: "rgb(255, 255, 255)".to_owned(),
            sheets: 1,
        }
    }

    fn shown() -> String {
        (1..=disks::CANARIES)
            .map(|canary| format!("window.__pwned={canary} "))
            .collect()
    }

    #[test]
    fn what_hostile_texts_make_is_found() {
        let shape = ["p", "code"];
        let compare = |hostile| {
            let pages = [("tame-x", page(&shape, "")), ("hostile-x", hostile)];
            inert(&pages.map(|(name, page)| (name.to_owned(), page)).into())
        };
        assert_eq!(compare(page(&shape, &shown())), Vec::<String>::new());
        for (found, why) in [
            (
                page(&["p", "img src onerror"], &shown()),
                "make <img src onerror> of <code>",
            ),
            (page(&["p", "code", "b"], &shown()), "make 3 elements of 2"),
            (
                page(&shape, "window.__pwned=1"),
                "the hostile text 2 is not shown",
            ),
            (
                page(&shape, &format!("{}\u{202e}", shown())),
                "stands in a page",
            ),
        ] {
            let faults = compare(found);
            assert!(faults.iter().any(|fault| fault.contains(why)), "{faults:?}");
        }
        let alone = [("hostile".to_owned(), page(&shape, &shown()))];
        assert_eq!(
            inert(&alone.into()),
            ["hostile: there is nothing to compare it with"]
        );
    }

    #[test]
    fn what_a_page_must_not_be_is_found() {
        assert_eq!(faults_of(&page(&[], ""), "light"), Vec::<String>::new());
        type Change = fn(&mut Page);
        let wrong: [(&str, Change); 4] = [
            ("391 pixels", |page| page.width = 391),
            ("a script", |page| page.pwned = true),
            ("not the style", |page| {
                page.background = "rgb(0, 0, 0)".to_owned()
            }),
            ("the title", |page| page.title = "pwned".to_owned()),
        ];
        for (why, change) in wrong {
            let mut page = page(&[], "");
            change(&mut page);
            let faults = faults_of(&page, "light");
            assert!(faults.len() == 1 && faults[0].contains(why), "{faults:?}");
        }
    }

    #[test]
    fn requests_and_complaints_are_found() {
        let url = "file:///page.html";
        let request = |url| json!({"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}});
        assert_eq!(wrong(&request(url), url), None);
        for event in [
            request("file:///other.html"),
            json!({"method": "Log.entryAdded", "params": {"entry": {"text": "blocked"}}}),
            json!({"method": "Runtime.exceptionThrown", "params": {}}),
            json!({"method": "Page.frameAttached", "params": {}}),
        ] {
            assert!(wrong(&event, url).is_some(), "{event}");
        }
    }

    #[test]
    fn sheets_of_paper_are_counted() {
        assert_eq!(
            sheets(b"<</Type /Pages /Count 2>> <</Type /Page\n>> <</Type /Page>>"),
            2
        );
        assert_eq!(sheets(b""), 0);
    }
}
