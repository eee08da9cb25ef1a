//! Renders products with hostile text in every cell. They must contain it as text.

use serde_json::{Value, json};
use xtask::model::{Entry, Model};
use xtask::registry::Record;
use xtask::render::{self, Kind};
use xtask::text::{Piece, Reference, RichText, collapse};

use super::{advice, csv_files, json, markdown, model};

/// Text that ends comments, strings, cells, tags or sections in some format, or hides what follows.
const RAW: &str = "*/ /* \" ' \\ ??/ %n\n  | ` ``` <td> </td> <script>alert(1)</script>\r\n\n# -- --> ]]> &amp; \t\
    \u{202e}\u{2066}\u{feff} \u{e9}\u{65e5} {{ x }} {% y %} $z$ :+1: @w a@b.c www.d.e http://f.g/~~h~~ **i** _j_ \
    [k](l) ![m](n) [^1] 1. \u{2028} \u{85} =1+1 end!";

#[test]
fn json_carries_hostile_text() {
    let model = hostile_model();
    let data: Value =
        serde_json::from_str(&rendered(&model, Kind::Json, "smtp-enhanced-status.json")).unwrap();
    json::assert_valid(&data);
    advice::assert_json(&data, &model);
    assert_eq!(data["provenance"]["title"], *model.registry.title);
    for (row, entry) in data["statuses"].as_array().unwrap().iter().zip(&model.entries) {
        let Entry { record, annotation, conflicts, .. } = entry;
        let members = [
            (&row["sample_text"], &record.sample.text),
            (&row["description"], &record.description.text),
            (&row["reference"], &record.reference.text),
            (&row["submitter"], &record.submitter.text),
            (&row["change_controller"], &record.change_controller.text),
            (&row["classes_basis"], &annotation.basis),
            (&row["source"], &annotation.source),
            (&row["raw"]["sample_text"], &record.sample.raw),
            (&row["raw"]["associated"], &record.basic_code.raw),
            (&row["raw"]["description"], &record.description.raw),
        ];
        for (member, text) in members {
            assert_eq!(*member, **text, "{row:#}");
        }
        let words = |piece: &Value| match &piece["text"] {
            Value::String(text) => text.clone(),
            _ => format!("[{}]", piece["reference"]["name"].as_str().unwrap()),
        };
        let pieces = row["description_pieces"].as_array().unwrap();
        assert_eq!(pieces.iter().map(words).collect::<String>(), record.description.text);
        for (member, conflict) in row["conflicts"].as_array().unwrap().iter().zip(conflicts) {
            assert_eq!(member["summary"], *conflict.summary);
        }
    }
    for (row, entry) in data["reply_codes"].as_array().unwrap().iter().zip(&model.reply_codes) {
        assert_eq!(
            (row["meaning"].as_str(), row["client"].as_str()),
            (Some(&*entry.meaning), Some(&*entry.client))
        );
    }
}

#[test]
fn csv_carries_hostile_text() {
    let model = hostile_model();
    for name in csv_files::FILES {
        csv_files::assert_harmless(&rendered(&model, Kind::Csv, name));
    }
    advice::assert_csv(
        &rendered(&model, Kind::Csv, "categories.csv"),
        &rendered(&model, Kind::Csv, "advice.csv"),
        &model,
    );
    let rows = csv_files::rows(&rendered(&model, Kind::Csv, "statuses.csv"));
    assert_eq!(rows.len(), model.entries.len());
    for (row, entry) in rows.iter().zip(&model.entries) {
        assert_eq!(row["sample_text"], entry.record.sample.text);
        assert_eq!(row["raw_associated"], entry.record.basic_code.raw);
        assert_eq!(row["description"], entry.record.description.text);
        assert_eq!(row["reference"], entry.record.reference.text);
        assert_eq!(row["submitter"], entry.record.submitter.text);
        assert_eq!(row["classes_basis"], entry.annotation.basis);
    }
    let rows = csv_files::rows(&rendered(&model, Kind::Csv, "reply-codes.csv"));
    assert_eq!(rows.len(), model.reply_codes.len());
    for (row, entry) in rows.iter().zip(&model.reply_codes) {
        assert_eq!((&row["meaning"], &row["client"]), (&entry.meaning, &entry.client));
        assert_eq!(row["sources"], entry.sources.join("; "));
    }
}

#[test]
fn markdown_carries_hostile_text() {
    let model = hostile_model();
    markdown::assert_shows(&rendered(&model, Kind::Markdown, "registry.md"), &model);
}

#[test]
fn the_page_carries_hostile_text() {
    let mut model = hostile_model();
    for advice in model.explanation.advice.iter_mut().step_by(2) {
        advice.happened = collapse(RAW);
        advice.sender = collapse(RAW);
    }
    for vendor in model.explanation.vendors.iter_mut().step_by(2) {
        vendor.name = collapse(RAW);
    }
    let page = rendered(&model, Kind::Site, "index.html");
    let (_, tables) = page.split_once("<script type=\"application/json\" id=\"tables\">").unwrap();
    let (tables, _) = tables.split_once("</script>").unwrap();
    let tables: Value = serde_json::from_str(tables).unwrap();
    for (row, entry) in tables["rows"].as_array().unwrap().iter().zip(&model.entries).step_by(2) {
        assert_eq!(row["name"], *entry.record.sample.text);
    }
    for (row, advice) in tables["advice"].as_array().unwrap().iter().zip(&model.explanation.advice) {
        assert_eq!((&row["happened"], &row["sender"]), (&json!(advice.happened), &json!(advice.sender)));
    }
    for (row, vendor) in tables["vendors"].as_array().unwrap().iter().zip(&model.explanation.vendors) {
        assert_eq!(row["name"], *vendor.name);
    }
    // Nothing opened or closed an element that the page does not have anyway.
    let usual = rendered(&super::model(), Kind::Site, "index.html");
    let tags = |page: &str, tag: &str| page.matches(tag).count();
    for tag in ["<script", "</script", "<!--", "-->", "<td", "</td", "<style", "</style"] {
        assert_eq!(tags(&page, tag), tags(&usual, tag), "{tag}");
    }
}

fn rendered(model: &Model, kind: Kind, name: &str) -> String {
    let products = render::render(model, &[kind]).unwrap();
    let product = products.into_iter().find(|product| product.path.ends_with(name));
    product.unwrap_or_else(|| panic!("{name} is not rendered")).contents
}

/// Returns the model of the committed registry, with hostile text wherever there may be text.
fn hostile_model() -> Model {
    let mut model = model();
    let line = || collapse(RAW);
    model.registry.title = line();
    model.registry.notes = vec![cell()];
    model.registry.classes.rows.iter_mut().for_each(|row| spoil(&mut row.record));
    model.registry.subjects.rows.iter_mut().for_each(|row| spoil(&mut row.record));
    model.registry.statuses.expert = line();
    model.registry.statuses.notes = vec![cell()];
    // Every second row only, so that text that spills over would change a row that is not hostile.
    for entry in model.entries.iter_mut().step_by(2) {
        spoil(&mut entry.record);
        entry.record.basic_code = cell();
        entry.annotation.basis = line();
        entry.annotation.source = line();
        if let Some(deprecation) = &mut entry.annotation.deprecated {
            deprecation.source = line();
        }
        for conflict in &mut entry.conflicts {
            conflict.source = line();
            conflict.summary = line();
        }
    }
    for entry in model.reply_codes.iter_mut().step_by(2) {
        entry.meaning = line();
        entry.client = line();
        entry.sources = vec![line(), line()];
    }
    for category in model.explanation.categories.iter_mut().step_by(2) {
        category.meaning = line();
        category.sender = line();
        category.administrator = line();
        category.wait = Some(line());
        category.names.insert("kumomta".to_owned(), line());
    }
    for entry in model.explanation.advice.iter_mut().step_by(2) {
        entry.happened = line();
        entry.sender = line();
        entry.administrator = line();
    }
    model
}

/// Replaces every cell but the code and the associated codes.
fn spoil(record: &mut Record) {
    for text in [
        &mut record.sample,
        &mut record.description,
        &mut record.reference,
        &mut record.submitter,
        &mut record.change_controller,
    ] {
        *text = cell();
    }
}

/// Returns a cell with words, a reference and words, as the registry's parser would return it.
fn cell() -> RichText {
    let words = collapse(RAW);
    let reference = Reference {
        kind: "uri".to_owned(),
        data: "https://example.org/(a|b)?c=\"<d>`&e=%[f]\\#g".to_owned(),
        fragment: None,
        label: words.clone(),
    };
    let text = format!("{words} {reference}, {words}");
    let pieces = vec![
        Piece::Text(format!("{words} ")),
        Piece::Reference(reference),
        Piece::Text(format!(", {words}")),
    ];
    RichText { raw: format!("{RAW}\n{text}"), text, pieces }
}
