//! Every relative link in the project's Markdown files leads somewhere, and so does every path that the pages for
//! contributors name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Anchorizer, Arena, Options};

use crate::support;

/// Folders whose files are not the project's, or are templates of pages.
const PASSED_OVER: [&str; 5] = [".git", "artifacts", "corpus", "target", "templates"];

/// The pages whose code spans name files and folders, and the folders to which these paths are relative. A name
/// without a folder is that of any file.
const NAMING: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
const BASES: [&str; 3] = ["", "conformance/src", "xtask/src"];

/// What a code span ends with if it names a file.
const ENDINGS: [&str; 7] = [".json", ".md", ".py", ".rs", ".toml", ".txt", ".yml"];

/// The anchors of the pages that links have led to.
type Anchors = BTreeMap<PathBuf, BTreeSet<String>>;

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    assert!(pages.iter().any(|page| page.ends_with("docs/rust.md")), "the pages were not found: {pages:?}");
    let mut anchors = Anchors::default();
    let broken: Vec<String> = pages.iter().flat_map(|page| broken_links(page, &mut anchors)).collect();
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn named_paths_exist() {
    let files = files();
    for page in NAMING {
        let paths = named_paths(&read(&support::root().join(page)));
        assert!(paths.len() > 4, "{page} names only {paths:?}");
        for path in &paths {
            let is_there = if path.contains('/') {
                BASES.iter().any(|base| support::root().join(base).join(path).exists())
            } else {
                files.iter().any(|file| file.ends_with(path))
            };
            assert!(is_there, "{page} names `{path}`, which does not exist");
        }
    }
}

#[test]
fn named_tests_exist() {
    let spans = code_spans(&read(&support::root().join("CONTRIBUTING.md")));
    let commands: Vec<&str> = spans.iter().filter_map(|span| Some(span.split_once("--test ")?.1)).collect();
    assert!(commands.contains(&"library links"), "CONTRIBUTING.md names only {commands:?}");
    for command in commands {
        let mut words = command.split(' ').filter(|word| *word != "--");
        let program = words.next().expect("a word");
        let folder = folder_of_tests(program);
        let folder =
            folder.unwrap_or_else(|| panic!("CONTRIBUTING.md names `{program}`, which does not exist"));
        for module in
            words.filter(|word| word.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_'))
        {
            let file = folder.join(format!("{module}.rs"));
            assert!(
                file.exists(),
                "CONTRIBUTING.md names the tests `{module}` of {program}, which do not exist"
            );
        }
    }
}

/// Returns the folder of a test program. That of the library has the whole folder `tests`.
fn folder_of_tests(program: &str) -> Option<PathBuf> {
    let library = support::root().join("tests");
    if read(&library.join("Cargo.toml")).contains(&format!("name = \"{program}\"\npath = \"main.rs\"")) {
        return Some(library);
    }
    let folders =
        ["conformance", "xtask"].map(|package| support::root().join(package).join("tests").join(program));
    folders.into_iter().find(|folder| folder.join("main.rs").exists())
}

#[test]
fn paths_are_told_from_other_code() {
    let text = "`a/b` `b.rs` `cargo test` `[known]` `x = 1` `/etc` `target/live` `https://a/b` `Status` `a/`";
    assert_eq!(Vec::from_iter(named_paths(text)), ["a/", "a/b", "b.rs"]);
}

#[test]
fn broken_links_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.md");
    let other = "# Two words\n\n## Two words\n\n<a id=\"named\"></a>\n";
    fs::write(folder.path().join("other.md"), other).unwrap();
    let good = "[a](other.md#two-words-1) [b](other.md#named) [c](#here) [d](https://example.org/#x) [e](.)\n\n# Here\n";
    fs::write(&page, good).unwrap();
    assert_eq!(broken_links(&page, &mut Anchors::default()), [""; 0]);
    let bad = "[a](gone.md) [b](other.md#three) ![c](gone.png) [d](#there)\n\n`[e](code.md)`\n";
    fs::write(&page, bad).unwrap();
    let broken = broken_links(&page, &mut Anchors::default());
    assert_eq!(broken.len(), 4, "{broken:?}");
    for (line, target) in broken.iter().zip(["gone.md", "other.md#three", "gone.png", "#there"]) {
        assert!(line.ends_with(&format!("page.md:1: {target}")), "{line}");
    }
}

/// Returns the project's Markdown files.
fn pages() -> Vec<PathBuf> {
    files().into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "md")).collect()
}

/// Returns the project's files.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![support::root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.unwrap();
            if !entry.file_type().unwrap().is_dir() {
                files.push(entry.path());
            } else if !PASSED_OVER.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            }
        }
    }
    files
}

/// Returns a page's relative links to what does not exist, as `page:line: target`.
fn broken_links(page: &Path, anchors: &mut Anchors) -> Vec<String> {
    let text = read(page);
    let arena = Arena::new();
    let mut broken = Vec::new();
    for node in comrak::parse_document(&arena, &text, &options()).descendants() {
        let data = node.data();
        let (NodeValue::Link(link) | NodeValue::Image(link)) = &data.value else { continue };
        if !has_scheme(&link.url) && !leads_somewhere(page, &link.url, anchors) {
            broken.push(format!("{}:{}: {}", page.display(), data.sourcepos.start.line, link.url));
        }
    }
    broken
}

/// Returns whether a link begins with a scheme such as `https:` or `mailto:`.
fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(char::is_alphanumeric))
}

fn leads_somewhere(page: &Path, url: &str, known: &mut Anchors) -> bool {
    let (path, anchor) = url.split_once('#').map_or((url, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { page.to_owned() } else { page.with_file_name(path) };
    match anchor {
        None => target.exists(),
        Some(anchor) if target.is_file() => {
            let anchors = known.entry(target.clone()).or_insert_with(|| anchors(&read(&target)));
            anchors.contains(anchor)
        }
        Some(_) => false,
    }
}

/// Returns the names that a link into a page may end with: its headings as GitHub names them, and its `<a id="name">`.
fn anchors(text: &str) -> BTreeSet<String> {
    let arena = Arena::new();
    let mut anchorizer = Anchorizer::new();
    let mut anchors = BTreeSet::new();
    for node in comrak::parse_document(&arena, text, &options()).descendants() {
        match &node.data().value {
            NodeValue::Heading(_) => {
                anchors.insert(anchorizer.anchorize(&plain(node)));
            }
            NodeValue::HtmlInline(html) => anchors.extend(id(html)),
            NodeValue::HtmlBlock(block) => anchors.extend(block.literal.lines().filter_map(id)),
            _ => {}
        }
    }
    anchors
}

fn id(html: &str) -> Option<String> {
    Some(html.split_once("<a id=\"")?.1.split_once('"')?.0.to_owned())
}

/// Returns the text of a node, without its marks.
fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let text = |node: &'a AstNode<'a>| match &node.data().value {
        NodeValue::Text(text) => text.to_string(),
        NodeValue::Code(code) => code.literal.clone(),
        NodeValue::SoftBreak => " ".to_owned(),
        _ => String::new(),
    };
    node.descendants().map(text).collect()
}

/// Returns the code spans of a page that name a file or a folder of the project.
fn named_paths(text: &str) -> BTreeSet<String> {
    code_spans(text).into_iter().filter(|span| is_path(span)).collect()
}

fn code_spans(text: &str) -> Vec<String> {
    let arena = Arena::new();
    let nodes = comrak::parse_document(&arena, text, &options()).descendants();
    let spans = nodes.filter_map(|node| match &node.data().value {
        NodeValue::Code(code) => Some(code.literal.clone()),
        _ => None,
    });
    spans.collect()
}

fn is_path(span: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || "-._/".contains(character);
    // What starts with a slash is not in the project, and commands make what is below target/.
    span.chars().all(is_name)
        && !span.starts_with('/')
        && !span.starts_with("target/")
        && (span.contains('/') || ENDINGS.iter().any(|ending| span.ends_with(ending)))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the options with which comrak is closest to GitHub.
fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options
}
