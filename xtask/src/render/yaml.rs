//! YAML files, for log pipelines that look up one value.

use anyhow::Result;
use askama::Template;

use super::escape::{Escaped, YamlComment, YamlString};
use super::{Head, Product};
use crate::meaning::Meanings;
use crate::model::Model;

type Text = Escaped<YamlString>;

pub(super) fn products(model: &Model) -> Result<Vec<Product>> {
    let meanings = Meanings::new(&model.explanation);
    let by_code = meanings.rows().map(|(code, meaning)| line(code, &meaning.category.id));
    let by_pair = meanings.pairs(model).into_iter();
    let by_pair = by_pair.map(|(pair, meaning)| line(pair.to_string(), &meaning.category.id));
    Ok(vec![
        Product::new(
            "tables/by-code.yaml",
            &Map { head: Head::of_advice("yaml"), lines: by_code.collect() },
        )?,
        Product::new(
            "tables/by-pair.yaml",
            &Map { head: Head::of_listed_advice("yaml"), lines: by_pair.collect() },
        )?,
    ])
}

#[derive(Template)]
#[template(path = "tables/map.yaml")]
struct Map {
    head: Head<YamlComment>,
    lines: Vec<(Text, Text)>,
}

fn line(key: String, value: &str) -> (Text, Text) {
    (Escaped::new(key), Escaped::new(value))
}
