//! registry.md, read with comrak.

use std::collections::BTreeSet;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};
use proptest::prelude::*;
use smtp_enhanced_status::{
    AssociatedForm, Class, Conflict, ConflictKind, Entry, Listing, Piece, Reference, class_entries, entries,
    reply_codes, subject_entries,
};
use xtask::advice::Advice;
use xtask::associated::Form;
use xtask::category::Action;
use xtask::model::{self, Model};
use xtask::render::escape::{MarkdownText, Place};
use xtask::text::{self as rich, RichText, collapse};

use super::{model, product};

const NAME: &str = "registry.md";

/// A cell of a table, as a reader sees it.
#[derive(Debug)]
struct Cell {
    text: String,
    links: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Link {
    url: String,
    text: String,
}

/// A page, parsed by comrak.
struct Page {
    /// The tables, each with the last anchor before it.
    tables: Vec<(String, Vec<Vec<Cell>>)>,
    anchors: Vec<String>,
    links: Vec<Link>,
    /// The tags and comments, unchanged.
    html: Vec<String>,
}

impl Page {
    fn read(source: &str) -> Page {
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, source, &options());
        let mut page = Page { tables: Vec::new(), anchors: Vec::new(), links: links(root), html: Vec::new() };
        for node in root.descendants() {
            match &node.data().value {
                NodeValue::HtmlInline(html) => {
                    let anchor = html.strip_prefix("<a id=\"").and_then(|rest| rest.strip_suffix("\">"));
                    page.anchors.extend(anchor.map(String::from));
                    page.html.push(html.clone());
                }
                NodeValue::HtmlBlock(block) => page.html.push(block.literal.clone()),
                NodeValue::Table(_) => {
                    let section = page.anchors.last().cloned().unwrap_or_default();
                    page.tables.push((section, node.children().map(cells).collect()));
                }
                _ => {}
            }
        }
        page
    }

    /// Returns the header and the rows of a section's only table.
    fn table(&self, section: &str) -> (Vec<&str>, &[Vec<Cell>]) {
        let tables: Vec<_> = self.tables.iter().filter(|(name, _)| name == section).collect();
        let [(_, rows)] = tables[..] else { panic!("section {section} has {} tables", tables.len()) };
        (rows[0].iter().map(|cell| cell.text.as_str()).collect(), &rows[1..])
    }
}

/// Returns the options with which comrak is closest to GitHub.
fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.autolink = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    extension.math_code = true;
    extension.shortcodes = true;
    options
}

fn cells<'a>(row: &'a AstNode<'a>) -> Vec<Cell> {
    row.children().map(|cell| Cell { text: text(cell), links: links(cell) }).collect()
}

/// Returns the text below a node as a reader sees it, with a line break for `<br>`.
fn text<'a>(node: &'a AstNode<'a>) -> String {
    let mut seen = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => seen.push_str(text),
            NodeValue::Code(code) => seen.push_str(&code.literal),
            NodeValue::HtmlInline(html) if html == "<br>" => seen.push('\n'),
            NodeValue::SoftBreak | NodeValue::LineBreak => seen.push('\n'),
            _ => {}
        }
    }
    seen
}

fn links<'a>(node: &'a AstNode<'a>) -> Vec<Link> {
    let link = |node: &'a AstNode<'a>| match &node.data().value {
        NodeValue::Link(link) => Some(Link { url: link.url.clone(), text: text(node) }),
        _ => None,
    };
    node.descendants().filter_map(link).collect()
}

/// What the page must say about a row, according to the library or a model.
struct Facts {
    code: String,
    anchor: String,
    sample: String,
    associated: Option<String>,
    classes: Vec<String>,
    description: String,
    references: Vec<(String, Option<String>)>,
    identifier: String,
    successor: Option<String>,
    has_conflict: bool,
}

impl Facts {
    fn of_library(entry: &Entry) -> Facts {
        let has_data = entry.associated.form != AssociatedForm::NoData;
        Facts {
            code: entry.status.to_string(),
            anchor: anchor(&entry.status.to_string()),
            sample: entry.sample_text.to_owned(),
            associated: has_data.then(|| collapse(entry.raw.associated)),
            classes: entry.classes.iter().map(|class| class.digit().to_string()).collect(),
            description: entry.description.to_owned(),
            references: entry.references.iter().map(shown_reference).collect(),
            identifier: entry.identifier.to_owned(),
            successor: entry.deprecated.map(|deprecation| deprecation.successor.to_string()),
            has_conflict: !entry.conflicts.is_empty(),
        }
    }

    fn of_model(entry: &model::Entry) -> Facts {
        let has_data = entry.associated.form != Form::NoData;
        let references = entry.record.reference.annotated_references().into_iter();
        let successor = entry.annotation.deprecated.as_ref().map(|deprecation| deprecation.successor);
        Facts {
            code: entry.status.to_string(),
            anchor: anchor(&entry.status.to_string()),
            sample: entry.record.sample.text.clone(),
            associated: has_data.then(|| entry.record.basic_code.text.clone()),
            classes: entry.annotation.classes.iter().map(ToString::to_string).collect(),
            description: entry.record.description.text.clone(),
            references: references
                .map(|(reference, remark)| {
                    let link = reference.link(rich::Reference::section_in(&remark));
                    (with_remark(&reference.name(), &remark), link)
                })
                .collect(),
            identifier: entry.annotation.identifier.clone(),
            successor: successor.map(|successor| successor.to_string()),
            has_conflict: !entry.conflicts.is_empty(),
        }
    }

    /// Returns the texts of the row's cells.
    fn shown(&self) -> [String; 7] {
        let no_data = || "no data".to_owned();
        let successor = self.successor.iter().map(|successor| format!("\ndeprecated, use {successor}"));
        let conflict = if self.has_conflict { "\nconflict" } else { "" };
        let classes = if self.classes.is_empty() { "none".to_owned() } else { self.classes.join(", ") };
        let references: Vec<&str> = self.references.iter().map(|(text, _)| text.as_str()).collect();
        [
            self.code.clone() + &successor.collect::<String>(),
            if self.sample.is_empty() { no_data() } else { self.sample.clone() },
            self.associated.clone().unwrap_or_else(no_data),
            classes + conflict,
            self.description.clone(),
            references.join("\n"),
            self.identifier.clone(),
        ]
    }
}

fn anchor(code: &str) -> String {
    code.to_ascii_lowercase().replace('.', "-")
}

fn shown_reference(reference: &Reference) -> (String, Option<String>) {
    (with_remark(reference.name, reference.remark), reference.link.map(String::from))
}

fn with_remark(name: &str, remark: &str) -> String {
    if remark.is_empty() { name.to_owned() } else { format!("{name} {remark}") }
}

/// Fails unless the page shows the rows of a model and has no markup of theirs.
pub(crate) fn assert_shows(source: &str, model: &Model) {
    assert_tables_are_even(source);
    let page = Page::read(source);
    assert_only_own_html(&page);
    assert_links_have_targets(&page);
    assert_statuses(&page, model.entries.iter().map(Facts::of_model).collect());
    let (_, rows) = page.table("reply-codes");
    assert_eq!(rows.len(), model.reply_codes.len());
    for (row, entry) in rows.iter().zip(&model.reply_codes) {
        assert_eq!(row[2].text, entry.meaning);
        assert_eq!(row[3].text, entry.client);
        if !entry.sources.is_empty() {
            assert_eq!(row[4].text, entry.sources.join("\n"));
        }
    }
    let conflicts: Vec<_> = model.entries.iter().flat_map(|entry| &entry.conflicts).collect();
    let (_, rows) = page.table("conflicts");
    assert_eq!(rows.len(), conflicts.len());
    for (row, conflict) in rows.iter().zip(conflicts) {
        assert_eq!((&row[3].text, &row[4].text), (&conflict.source, &conflict.summary));
    }
    assert_advice(&page, model);
    let described = |section, records: Vec<(&RichText, &RichText)>| {
        let (_, rows) = page.table(section);
        assert_eq!(rows.len(), records.len());
        for (row, (summary, description)) in rows.iter().zip(records) {
            assert_eq!((&row[1].text, &row[2].text), (&summary.text, &description.text));
        }
    };
    let classes = model.registry.classes.rows.iter().map(|row| &row.record);
    described("classes", classes.map(|record| (&record.sample, &record.description)).collect());
    let subjects = model.registry.subjects.rows.iter().map(|row| &row.record);
    described("subjects", subjects.map(|record| (&record.sample, &record.description)).collect());
}

/// Fails unless the page has the categories and the advice of a model, each linked.
fn assert_advice(page: &Page, model: &Model) {
    let explanation = &model.explanation;
    let (_, rows) = page.table("categories");
    assert_eq!(rows.len(), explanation.categories.len());
    let action = |action: Option<Action>| {
        action
            .map_or("nothing".to_owned(), |action| format!("{}; {}", action.retry.name(), action.list.name()))
    };
    for (row, category) in rows.iter().zip(&explanation.categories) {
        let wait = category.wait.as_deref().unwrap_or("not known");
        let texts: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        let actions = [action(category.transient), action(category.permanent)];
        assert_eq!(
            texts,
            [&category.id, &category.meaning, category.matter.name(), &actions[0], &actions[1], wait]
        );
    }
    let mut entries: Vec<&Advice> = explanation.advice.iter().collect();
    entries.sort_by_key(|entry| entry.subject().unwrap());
    let (without, with): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.subject().unwrap().stage().is_some());
    for (section, entries) in [("advice", with), ("advice-without-code", without)] {
        let (header, rows) = page.table(section);
        assert_eq!(rows.len(), entries.len(), "{section}");
        let column = |name| header.iter().position(|column| *column == name).unwrap();
        for (row, entry) in rows.iter().zip(entries) {
            let text = |name| row[column(name)].text.as_str();
            assert!(row[0].text.ends_with(&entry.subject().unwrap().codes()), "{}", row[0].text);
            assert_eq!(row[column("Category")].links[0].url, format!("#c-{}", entry.category));
            assert_eq!(text("What happened"), entry.happened);
            assert_eq!(text("What the sender does"), entry.sender);
            assert_eq!(text("What the administrator of the server does"), entry.administrator);
            assert!(entry.retry.is_none_or(|retry| text("Retry") == retry.name()));
            assert!(entry.list.is_none_or(|list| text("List") == list.name()));
        }
    }
}

/// Counts the cells in the source, because comrak pads short rows and cuts long ones.
fn assert_tables_are_even(source: &str) {
    let mut columns = None;
    for line in source.lines() {
        let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        match (line.starts_with('|'), columns) {
            (false, _) => columns = None,
            (true, None) => columns = Some(bars),
            (true, Some(expected)) => assert_eq!(bars, expected, "{line}"),
        }
    }
}

fn assert_only_own_html(page: &Page) {
    let (head, rest) = page.html.split_first().unwrap();
    assert!(head.starts_with("<!-- @generated by") && head.trim_end().ends_with("-->"), "{head}");
    for html in rest {
        let own = ["</a>", "<br>", "<!-- -->"].contains(&html.as_str()) || html.starts_with("<a id=\"");
        assert!(own, "{html:?}");
    }
}

fn assert_links_have_targets(page: &Page) {
    let anchors: BTreeSet<&str> = page.anchors.iter().map(String::as_str).collect();
    assert_eq!(anchors.len(), page.anchors.len(), "the page has an anchor twice: {:?}", page.anchors);
    for link in page.links.iter().filter(|link| link.url.starts_with('#')) {
        assert!(anchors.contains(&link.url[1..]), "{link:?} has no anchor");
    }
}

fn assert_statuses(page: &Page, mut facts: Vec<Facts>) {
    let statuses: Vec<_> = page.tables.iter().filter(|(section, _)| section.starts_with("x-")).collect();
    // The page groups the rows by subject, each group in the registry's order.
    let is_of = |section: &str, facts: &Facts| facts.anchor.starts_with(&format!("{section}-"));
    facts.sort_by_key(|facts| statuses.iter().position(|(section, _)| is_of(section, facts)));
    let columns = ["Code", "Sample text", "Basic codes", "Classes", "Meaning", "References", "Identifier"];
    for (_, rows) in &statuses {
        assert_eq!(rows[0].iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(), columns);
    }
    let mut rows =
        statuses.iter().flat_map(|(section, rows)| rows[1..].iter().map(move |row| (section, row)));
    for facts in facts {
        let (section, row) = rows.next().unwrap_or_else(|| panic!("the page has no row {}", facts.code));
        assert!(is_of(section, &facts), "{} is in section {section}", facts.code);
        assert_eq!(
            row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(),
            facts.shown(),
            "{}",
            facts.code
        );
        assert!(page.anchors.contains(&facts.anchor), "{} has no anchor", facts.code);
        let linked = facts.references.iter().filter_map(|(_, link)| link.as_deref());
        assert_eq!(row[5].links.len(), linked.count(), "{}", facts.code);
    }
    assert!(rows.next().is_none(), "the page has an extra row");
}

#[test]
fn the_page_shows_the_model() {
    assert_shows(&product(NAME), &model());
}

#[test]
fn every_row_of_every_table_has_all_columns() {
    assert_tables_are_even(&product(NAME));
}

#[test]
fn statuses_are_those_of_the_library() {
    let page = Page::read(&product(NAME));
    assert_statuses(&page, entries().iter().map(Facts::of_library).collect());
}

#[test]
fn references_and_codes_are_linked_as_the_library_has_them() {
    let page = Page::read(&product(NAME));
    let rows =
        page.tables.iter().filter(|(section, _)| section.starts_with("x-")).flat_map(|(_, rows)| &rows[1..]);
    for row in rows {
        let code = row[0].text.split('\n').next().unwrap();
        let entry = entries().iter().find(|entry| entry.status.to_string() == code).unwrap();
        let references = entry.references.iter().filter_map(|reference| {
            Some(Link { url: reference.link?.to_owned(), text: reference.name.to_owned() })
        });
        assert_eq!(row[5].links, references.collect::<Vec<_>>(), "{code}");
        let described = entry.rich_description.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => reference.link,
            Piece::Text(_) => None,
        });
        let shown: Vec<&str> = row[4].links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(shown, described.collect::<Vec<_>>(), "{code}");
        let codes = entry.associated.codes.iter();
        let codes = codes.map(|code| Link { url: format!("#r-{code}"), text: code.to_string() });
        assert_eq!(row[2].links, codes.collect::<Vec<_>>(), "{code}");
        let successor = entry.deprecated.map(|deprecation| deprecation.successor.to_string());
        let successor = successor.map(|text| Link { url: format!("#{}", anchor(&text)), text });
        assert_eq!(row[0].links, Vec::from_iter(successor), "{code}");
    }
}

#[test]
fn classes_and_subjects_are_those_of_the_library() {
    let page = Page::read(&product(NAME));
    let (_, rows) = page.table("classes");
    assert_eq!(rows.len(), class_entries().len());
    for (row, entry) in rows.iter().zip(class_entries()) {
        assert!(row[0].text.starts_with(&entry.class.digit().to_string()), "{}", row[0].text);
        assert_eq!((row[1].text.as_str(), row[2].text.as_str()), (entry.summary, entry.description));
    }
    let (_, rows) = page.table("subjects");
    assert_eq!(rows.len(), subject_entries().len());
    for (row, entry) in rows.iter().zip(subject_entries()) {
        assert_eq!(row[0].links[0].url, format!("#x-{}", entry.subject));
        assert_eq!((row[1].text.as_str(), row[2].text.as_str()), (entry.summary, entry.description));
        let statuses =
            entries().iter().map(|entry| entry.status).filter(|status| status.subject() == entry.subject);
        let statuses: Vec<String> = statuses.map(|status| status.to_string()).collect();
        assert_eq!(row[4].text, statuses.join(", "));
    }
}

#[test]
fn rows_by_reply_code_are_what_the_library_lists() {
    let page = Page::read(&product(NAME));
    let (_, rows) = page.table("by-reply-code");
    let mut rows = rows.iter();
    for entry in reply_codes() {
        let listed = |wanted| {
            let listed = entry.code.listed_in().filter(move |(_, listing)| *listing == wanted);
            let links = listed.map(|(row, _)| {
                let code = row.status.with_class(entry.code.class().unwrap());
                Link { url: format!("#{}", anchor(&row.status.to_string())), text: code.to_string() }
            });
            links.collect::<Vec<_>>()
        };
        let (exact, by_class) = (listed(Listing::Exact), listed(Listing::ClassWildcard));
        if exact.is_empty() && by_class.is_empty() {
            continue;
        }
        let row = rows.next().unwrap_or_else(|| panic!("the page has no row {}", entry.code));
        let link = Link { url: format!("#r-{}", entry.code), text: entry.code.to_string() };
        assert_eq!(row[0].links, [link]);
        assert_eq!(row[1].text, entry.meaning);
        assert_eq!((&row[2].links, &row[3].links), (&exact, &by_class), "{}", entry.code);
    }
    assert!(rows.next().is_none(), "the page has an extra row");
}

#[test]
fn reply_codes_are_those_of_the_library() {
    let page = Page::read(&product(NAME));
    let (_, rows) = page.table("reply-codes");
    assert_eq!(rows.len(), reply_codes().len());
    for (row, entry) in rows.iter().zip(reply_codes()) {
        let sources = match entry.sources {
            [] => "no RFC defines it for SMTP".to_owned(),
            sources => sources.join("\n"),
        };
        let texts: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts, [&entry.code.to_string(), entry.identifier, entry.meaning, entry.client, &sources]);
        assert!(page.anchors.contains(&format!("r-{}", entry.code)));
    }
}

#[test]
fn conflicts_are_those_of_the_library() {
    let page = Page::read(&product(NAME));
    let (_, rows) = page.table("conflicts");
    let conflicts =
        entries().iter().flat_map(|entry| entry.conflicts.iter().map(move |conflict| (entry, conflict)));
    let conflicts: Vec<_> = conflicts.collect();
    assert_eq!(rows.len(), conflicts.len());
    for (row, (entry, conflict)) in rows.iter().zip(conflicts) {
        let link =
            Link { url: format!("#{}", anchor(&entry.status.to_string())), text: entry.status.to_string() };
        assert_eq!(row[0].links, [link]);
        assert!(row[1].text.contains(kind_in_words(conflict.kind)), "{}", row[1].text);
        assert_eq!(row[2].text, pairs_in_words(conflict));
        assert_eq!((row[3].text.as_str(), row[4].text.as_str()), (conflict.source, conflict.summary));
    }
}

fn kind_in_words(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::ListExceedsText => "text excludes",
        ConflictKind::TextExceedsList => "list lacks",
        ConflictKind::RfcAgainstRow => "RFC contradicts",
        kind => panic!("the page has no words for {kind:?}"),
    }
}

fn pairs_in_words(conflict: &Conflict) -> String {
    let pairs: Vec<String> = conflict.pairs.iter().map(|(reply, code)| format!("{reply} {code}")).collect();
    let classes: Vec<String> =
        conflict.classes.iter().map(Class::digit).map(|digit| digit.to_string()).collect();
    match (pairs.is_empty(), classes.is_empty()) {
        (false, _) => pairs.join("\n"),
        (true, false) => format!("class {} missing", classes.join(", ")),
        (true, true) => "none named".to_owned(),
    }
}

#[test]
fn every_link_has_a_target_and_all_html_is_the_templates() {
    let page = Page::read(&product(NAME));
    assert_only_own_html(&page);
    assert_links_have_targets(&page);
    let known = known_links();
    for link in page.links.iter().filter(|link| !link.url.starts_with('#')) {
        let of_source = source_link(&link.text).is_some_and(|url| url == link.url);
        assert!(of_source || known.contains(&link.url), "{link:?} is not in the registry");
    }
}

/// Returns the URL of the registry's page and of everything that its tables refer to.
fn known_links() -> BTreeSet<String> {
    let model = model();
    let classes = model.registry.classes.rows.iter().map(|row| &row.record);
    let records = classes.chain(model.registry.subjects.rows.iter().map(|row| &row.record));
    let tables =
        records.flat_map(|record| record.reference.references().chain(record.description.references()));
    let rows = entries().iter().flat_map(|entry| {
        let described = entry.rich_description.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => reference.link,
            Piece::Text(_) => None,
        });
        entry.references.iter().filter_map(|reference| reference.link).chain(described)
    });
    let links = tables.filter_map(|reference| reference.link(None)).chain(rows.map(String::from));
    links.chain([model.snapshot.url.clone()]).collect()
}

/// Returns the URL of a source such as `RFC 5321 §4.2.3`.
fn source_link(source: &str) -> Option<String> {
    let (number, section) = match source.strip_prefix("RFC ")?.split_once(" §") {
        Some((number, section)) => (number, format!("#section-{section}")),
        None => (source.strip_prefix("RFC ")?, String::new()),
    };
    Some(format!("https://www.rfc-editor.org/rfc/rfc{number}{section}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn text_comes_back_from_a_paragraph(input in hostile_text()) {
        let arena = Arena::new();
        let page = format!("a\n\n{}\n\nb\n", MarkdownText::escape(&input));
        let root = comrak::parse_document(&arena, &page, &options());
        let paragraphs: Vec<_> = root.children().collect();
        prop_assert_eq!(paragraphs.len(), 3, "{}", page);
        prop_assert_eq!(plain(paragraphs[1]), Some(input), "{}", page);
    }

    #[test]
    fn text_comes_back_from_a_table_cell(input in hostile_text()) {
        let arena = Arena::new();
        let cell = MarkdownText::escape(&input);
        let page = format!("| a | b |\n| - | - |\n| {cell} | {cell} |\n");
        assert_tables_are_even(&page);
        let root = comrak::parse_document(&arena, &page, &options());
        let table = root.first_child().unwrap();
        let rows: Vec<_> = table.children().collect();
        prop_assert_eq!(rows.len(), 2, "{}", page);
        let cells: Vec<_> = rows[1].children().map(|cell| plain(cell)).collect();
        prop_assert_eq!(cells, vec![Some(input.clone()), Some(input)], "{}", page);
    }

    #[test]
    fn text_comes_back_from_a_heading_and_from_a_link(input in hostile_text()) {
        let arena = Arena::new();
        let words = MarkdownText::escape(&input);
        let page = format!("# {words}\n\n{words}[{words}](<#a>)\n");
        let root = comrak::parse_document(&arena, &page, &options());
        let blocks: Vec<_> = root.children().collect();
        prop_assert_eq!(blocks.len(), 2, "{}", page);
        prop_assert_eq!(plain(blocks[0]), Some(input.clone()), "{}", page);
        prop_assert_eq!(text(blocks[1]), format!("{input}{input}"), "{}", page);
        prop_assert_eq!(links(blocks[1]), vec![Link { url: "#a".to_owned(), text: input }], "{}", page);
    }
}

/// Returns the text below a block, or `None` if it has anything but text and comments.
fn plain<'a>(block: &'a AstNode<'a>) -> Option<String> {
    let only_text = block.descendants().skip(1).all(|node| match &node.data().value {
        NodeValue::Text(_) => true,
        NodeValue::HtmlInline(html) => html == "<!-- -->",
        _ => false,
    });
    only_text.then(|| text(block))
}

/// Returns strings of characters that are special in Markdown or HTML, or that a reader cannot see. U+0000 is missing,
/// because XML and Markdown cannot have it.
pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let specials = r#"|\`*_[]()<>{}!#+-=~&;:@.,1$%?"'/^"#;
    let words = [
        " ",
        "  ",
        "a",
        "b",
        "Z",
        "\t",
        "\n",
        "\r",
        "\u{a0}",
        "\u{3000}",
        "\u{202e}",
        "\u{feff}",
        "\u{e9}",
        "\u{1f600}",
        "www.",
        "http://",
        "https://a.b/c",
        "ftp://",
        "mailto:",
        "xmpp:",
        "a@b.c",
        "&amp;",
        "&#35;",
        "&copy",
        "<b>",
        "</td>",
        "<!--",
        "-->",
        "<a@b.c>",
        "<http://a.b>",
        "[a](b)",
        "![a](b)",
        "[^1]",
        "[ ]",
        "- ",
        "1. ",
        "1) ",
        "# ",
        "```",
        "~~",
        "**",
        "__",
        "$$",
        "$`",
        ":+1:",
        ":smile:",
        "---",
        "===",
        "> ",
        "[!NOTE]",
        "a.b.c",
        "5.7.1",
        "||",
        "\\|",
        "]]>",
    ];
    let pieces: Vec<String> = specials.chars().map(String::from).chain(words.map(String::from)).collect();
    proptest::collection::vec(proptest::sample::select(pieces), 1..12).prop_map(|pieces| pieces.concat())
}
