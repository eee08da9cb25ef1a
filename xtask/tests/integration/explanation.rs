//! Categories, advice and vendors: the project's own files are complete, and errors name the line and what to write.

use std::fs;
use std::path::Path;

use xtask::advice;
use xtask::category::{self, Category};
use xtask::code::{ReplyCode, Status};
use xtask::data_file::DataFile;
use xtask::model::Model;
use xtask::phrase;
use xtask::vendor;

use crate::support::root;

fn file(name: &str) -> DataFile {
    DataFile::read(&root().join("registry").join(name)).unwrap()
}

fn categories() -> Vec<Category> {
    category::read(&file("categories.toml")).unwrap()
}

#[test]
fn every_row_and_reply_code_has_advice() {
    let entries = advice::read(&file("advice.toml"), &categories()).unwrap();
    let model = Model::load(&root()).unwrap();
    let rows: Vec<Status> = model.registry.statuses.rows.iter().map(|row| row.key.0).collect();
    let codes: Vec<ReplyCode> = model.reply_codes.iter().map(|entry| entry.code).collect();
    let missing = advice::missing(&entries, &rows, codes);
    assert!(missing.is_empty(), "registry/advice.toml lacks these entries: {missing:#?}");
    let is_used = |category: &Category| {
        category.id == "accepted" || entries.iter().any(|entry| entry.category == category.id)
    };
    let idle: Vec<String> =
        categories().into_iter().filter(|category| !is_used(category)).map(|category| category.id).collect();
    assert!(idle.is_empty(), "no advice has these categories: {idle:?}");
}

#[test]
fn the_vendors_follow_the_form() {
    let vendors = vendor::read(&file("vendors.toml"), &categories()).unwrap();
    assert!(vendors.iter().any(|vendor| vendor.id == "google" && !vendor.replies.is_empty()));
}

/// Returns the error about a file of the registry in which a text is replaced.
fn error(name: &str, from: &str, to: &str) -> String {
    let path = root().join("registry").join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} has no {from:?}");
    let file = DataFile::new(Path::new(name), &text.replacen(from, to, 1));
    let error = match name {
        "categories.toml" => category::read(&file).err(),
        "advice.toml" => advice::read(&file, &categories()).err(),
        "phrases.toml" => phrase::read(&file, &categories()).err(),
        _ => vendor::read(&file, &categories()).err(),
    };
    let error = error.unwrap_or_else(|| panic!("{to} is accepted")).to_string();
    assert!(error.starts_with(&format!("{name}:")), "{error}");
    error
}

#[test]
fn errors_say_what_to_write() {
    for (name, from, to, said) in [
        ("categories.toml", "kumomta = ", "kumo = ", "there is no taxonomy \"kumo\""),
        (
            "categories.toml",
            "matter = \"recipient-address\"",
            "matter = \"network\"",
            "write list = \"keep\"",
        ),
        (
            "categories.toml",
            "identifier = \"SENDER_UNAUTH\"",
            "identifier = \"SENDER_UNAUTHENTICATED\"",
            "with 18 upper case letters and underscores at most",
        ),
        (
            "categories.toml",
            "identifier = \"SENDER_UNAUTH\"",
            "identifier = \"MALWARE\"",
            "another one than those of the other categories",
        ),
        ("advice.toml", "status = \"X.0.0\"\nclass = 4\n", "class = 4\n", "write status and class"),
        (
            "advice.toml",
            "class = 4\n",
            "class = 2\n",
            "advice is about refusals: write a code of class 4 or 5",
        ),
        ("advice.toml", "category = \"unknown\"", "category = \"accepted\"", "and the category of a refusal"),
        (
            "advice.toml",
            "status = \"X.0.0\"\nclass = 4\n",
            "status = \"X.0.0\"\nclass = 5\n",
            "is there already",
        ),
        ("advice.toml", "category = \"unknown\"", "category = \"unknow\"", "there is no category \"unknow\""),
        ("vendors.toml", "seen = \"2026-11\"", "seen = \"lately\"", "write the year and the month"),
        ("vendors.toml", "text = \"- gsmtp\"", "text = \"- g\"", "is too general"),
        ("vendors.toml", "text = \"- gsmtp\"", "text = \"- #+gsmtp\"", "before any #+"),
        ("vendors.toml", "status = \"4.7.23\"", "status = \"4.7.23-7\"", "or a range, \"4.7.500-699\""),
        ("vendors.toml", "text = \"- gcdp\"", "text = \"- GSMTP\"", "is a sure mark of google already"),
        ("phrases.toml", "\"greylist\"", "\"grey\", \"graylist\"", "\"graylist\" is there already"),
        ("phrases.toml", "\" said: \"", "\":  \"", "is too general"),
        ("phrases.toml", "category = \"malware\"", "category = \"virus\"", "there is no category \"virus\""),
    ] {
        let error = error(name, from, to);
        assert!(error.contains(said), "{to}: {error}");
    }
}
