//! Categories and advice in all tables, compared with the data files.

use std::collections::{BTreeMap, BTreeSet};

use csv::ReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use smtp_enhanced_status::explain::explain;
use xtask::advice::{Advice, Subject};
use xtask::category::{Action, Category, TAXONOMIES};
use xtask::code::{Class, Pair, ReplyCode, Status};
use xtask::model::Model;
use xtask::render::escape::{Place as _, TomlString, YamlString, is_deceptive};

use super::csv_files::{self, Row};
use super::markdown::hostile_text;
use super::{model, product};

/// Returns the rows of the advice, as the JSON file has them, sorted by their codes.
fn expected_advice(model: &Model) -> Vec<Value> {
    let mut rows: Vec<Value> =
        model.explanation.advice.iter().map(|entry| advice_row(entry, model)).collect();
    rows.sort_by_key(key);
    rows
}

fn advice_row(entry: &Advice, model: &Model) -> Value {
    let code = |status: Status, class: Class| format!("{class}.{}.{}", status.subject, status.detail);
    let (reply_code, code, class, stage) = match entry.subject().unwrap() {
        Subject::Row(status, class) => (None, Some(code(status, class)), class, None),
        Subject::Pair(reply_code, status, class) => {
            (Some(reply_code), Some(code(status, class)), class, None)
        }
        Subject::ReplyCode(reply_code, stage) => {
            (Some(reply_code), None, reply_code.class().unwrap(), Some(stage))
        }
        Subject::Class(class, stage) => (None, None, class, Some(stage)),
    };
    let action = action(entry, class, model);
    json!({
        "reply_code": reply_code.map(ReplyCode::number),
        "code": code,
        "class": class.digit(),
        "stage": stage.map(|stage| stage.to_string()),
        "category": entry.category,
        "retry": action.retry.name(),
        "list": action.list.name(),
        "happened": entry.happened,
        "sender": entry.sender,
        "administrator": entry.administrator,
    })
}

fn action(entry: &Advice, class: Class, model: &Model) -> Action {
    let category = category(&entry.category, model);
    let action = if class.digit() == 4 { category.transient } else { category.permanent }.unwrap();
    Action { retry: entry.retry.unwrap_or(action.retry), list: entry.list.unwrap_or(action.list) }
}

fn category<'a>(id: &str, model: &'a Model) -> &'a Category {
    model.explanation.categories.iter().find(|category| category.id == id).unwrap()
}

fn key(row: &Value) -> String {
    ["class", "reply_code", "code", "stage"].map(|member| row[member].to_string()).join(" ")
}

/// Returns the categories, as the JSON file has them.
fn expected_categories(model: &Model) -> Vec<Value> {
    let action = |action: Option<Action>| {
        action.map(|action| json!({ "retry": action.retry.name(), "list": action.list.name() }))
    };
    let categories = model.explanation.categories.iter().map(|category| {
        let name = |taxonomy: &str| (taxonomy.to_owned(), category.names.get(taxonomy).cloned().into());
        json!({
            "id": category.id,
            "meaning": category.meaning,
            "matter": category.matter.name(),
            "wait": category.wait,
            "sender": category.sender,
            "administrator": category.administrator,
            "transient": action(category.transient),
            "permanent": action(category.permanent),
            "names": TAXONOMIES.into_iter().map(name).collect::<serde_json::Map<String, Value>>(),
        })
    });
    categories.collect()
}

#[track_caller]
pub(super) fn assert_json(data: &Value, model: &Model) {
    assert_eq!(data["categories"], Value::from(expected_categories(model)));
    let mut rows = data["advice"].as_array().unwrap().clone();
    rows.sort_by_key(key);
    assert_eq!(rows, expected_advice(model));
}

#[track_caller]
pub(super) fn assert_csv(categories: &str, advice: &str, model: &Model) {
    // A member of the JSON file as a cell: empty for null.
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let row = |members: &Value| -> Row {
        members.as_object().unwrap().iter().map(|(column, value)| (column.clone(), cell(value))).collect()
    };
    let flat = expected_categories(model).into_iter().map(|mut category| {
        let members = category.as_object_mut().unwrap();
        for kind in ["transient", "permanent"] {
            let action = members.remove(kind).unwrap();
            for member in ["retry", "list"] {
                members.insert(format!("{kind}_{member}"), action[member].clone());
            }
        }
        let Some(Value::Object(names)) = members.remove("names") else { panic!("{members:?}") };
        members.extend(names);
        row(&category)
    });
    assert_eq!(csv_files::rows(categories), flat.collect::<Vec<_>>());
    let mut rows = csv_files::rows(advice);
    let mut expected: Vec<Row> = expected_advice(model).iter().map(row).collect();
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
}

#[test]
fn the_json_has_the_categories_and_the_advice() {
    let data = serde_json::from_str(&product("smtp-enhanced-status.json")).unwrap();
    assert_json(&data, &model());
}

#[test]
fn the_csv_files_have_the_categories_and_the_advice() {
    assert_csv(&product("categories.csv"), &product("advice.csv"), &model());
}

/// Returns a row of a table for log pipelines, without its key: category, retry, list, matter.
fn cells(entry: &Advice, class: Class, model: &Model) -> Vec<String> {
    let action = action(entry, class, model);
    let matter = category(&entry.category, model).matter.name();
    [entry.category.as_str(), action.retry.name(), action.list.name(), matter].map(str::to_owned).into()
}

fn find(model: &Model, subject: Subject) -> Option<&Advice> {
    model.explanation.advice.iter().find(|entry| entry.subject().unwrap() == subject)
}

fn expected_by_code(model: &Model) -> BTreeMap<String, Vec<String>> {
    let mut expected = BTreeMap::new();
    for entry in &model.entries {
        for class in [4, 5].map(|digit| Class::new(digit).unwrap()) {
            let code = format!("{class}.{}.{}", entry.status.subject, entry.status.detail);
            let advice = find(model, Subject::Row(entry.status, class)).unwrap();
            expected.insert(code, cells(advice, class, model));
        }
    }
    expected
}

fn expected_by_pair(model: &Model) -> BTreeMap<String, Vec<String>> {
    let mut expected = BTreeMap::new();
    let listed = model.entries.iter().flat_map(|entry| {
        let pair =
            |code: &ReplyCode| Some(Pair { reply_code: *code, class: code.class()?, status: entry.status });
        entry.associated.codes.iter().filter_map(pair)
    });
    let own = model.explanation.advice.iter().filter_map(|entry| match entry.subject().unwrap() {
        Subject::Pair(reply_code, status, class) => Some(Pair { reply_code, class, status }),
        _ => None,
    });
    for pair in listed.chain(own).filter(|pair| pair.class.digit() != 2) {
        let advice = find(model, Subject::Pair(pair.reply_code, pair.status, pair.class));
        let advice = advice.or_else(|| find(model, Subject::Row(pair.status, pair.class))).unwrap();
        expected.insert(pair.to_string(), cells(advice, pair.class, model));
    }
    expected
}

/// Of a reply with a text, the library may know more. X.0.0 says nothing, so there the reply code counts.
#[test]
fn the_library_explains_codes_without_a_text_as_the_tables() {
    let model = model();
    let (by_code, by_pair) = (expected_by_code(&model), expected_by_pair(&model));
    for (code, alone) in by_code.iter().filter(|(code, _)| !code.ends_with(".0.0")) {
        for number in 0..100 {
            let pair = format!("{}{number:02} {code}", &code[..1]);
            let answer = explain(pair.as_bytes());
            let found = [
                answer.category().id(),
                answer.retry().unwrap().as_str(),
                answer.list().as_str(),
                answer.category().matter().as_str(),
            ];
            assert_eq!(found.as_slice(), by_pair.get(&pair).unwrap_or(alone), "{pair}");
        }
    }
}

/// Reads a table as Vector does: the first line has the names of the columns, and there are no comments.
#[test]
fn the_tables_for_vector_have_every_code_and_every_pair() {
    let model = model();
    for (name, key, expected) in
        [("by-code.csv", "code", expected_by_code(&model)), ("by-pair.csv", "pair", expected_by_pair(&model))]
    {
        let text = product(name);
        let mut reader = ReaderBuilder::new().has_headers(true).delimiter(b',').from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), vec![key, "category", "retry", "list", "matter"]);
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let mut cells = record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>();
            let key = cells.remove(0);
            assert!(rows.insert(key.clone(), cells).is_none(), "{name} has {key} twice");
        }
        assert_eq!(rows, expected, "{name}");
    }
}

/// Every line is a string, a colon and a string, in double quotes and without escapes: each YAML parser agrees on that.
#[test]
fn the_dictionaries_for_logstash_have_every_code_and_every_pair() {
    let model = model();
    for (name, expected) in
        [("by-code.yaml", expected_by_code(&model)), ("by-pair.yaml", expected_by_pair(&model))]
    {
        let text = product(name);
        let mut lines = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            let inner = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let (key, value) = inner.and_then(|inner| inner.split_once("\": \"")).unwrap();
            assert!(!format!("{key}{value}").contains(['"', '\\']), "{line}");
            assert!(lines.insert(key.to_owned(), value.to_owned()).is_none(), "{name} has {key} twice");
        }
        let expected: BTreeMap<String, String> =
            expected.into_iter().map(|(key, cells)| (key, cells[0].clone())).collect();
        assert_eq!(lines, expected, "{name}");
    }
}

#[test]
fn registered_codes_are_all_there_and_success_is_not() {
    let codes: BTreeSet<String> = expected_by_code(&model()).into_keys().collect();
    assert_eq!(codes.len(), 2 * model().entries.len());
    assert!(expected_by_pair(&model()).len() >= 105);
    assert!(!product("by-code.csv").contains("\n2."));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// A string of TOML has any text, and shows every character.
    #[test]
    fn text_comes_back_from_toml(input in prop_oneof![hostile_text(), any::<String>()]) {
        let string = TomlString::escape(&input);
        prop_assert!(!string.contains(is_deceptive), "{}", string);
        let table: toml::Table = format!("text = {string}\n").parse().unwrap();
        prop_assert_eq!(table["text"].as_str(), Some(input.as_str()));
    }

    /// A string of YAML in double quotes is one of TOML with the same text, but for the escape of characters.
    #[test]
    fn text_comes_back_from_yaml(input in prop_oneof![hostile_text(), any::<String>()]) {
        let string = YamlString::escape(&input);
        prop_assert!(!string.contains(is_deceptive), "{}", string);
        let table: toml::Table = format!("text = {string}\n").parse().unwrap();
        prop_assert_eq!(table["text"].as_str(), Some(input.as_str()));
    }
}
