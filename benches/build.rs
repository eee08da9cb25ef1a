//! Writes the perfect hash tables of the peers, from the library's entries.

use std::path::Path;
use std::{env, fs};

use smtp_enhanced_status::{AssociatedForm, Class, entries};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rows = phf_codegen::Map::new();
    let mut codes = phf_codegen::Map::new();
    for (index, entry) in entries().iter().enumerate() {
        let (subject, detail) = (u32::from(entry.status.subject()), u32::from(entry.status.detail()));
        let listed: Vec<u16> = entry.associated.codes.iter().map(|code| code.as_u16()).collect();
        let wildcards: Vec<u8> = entry.associated.class_wildcards.iter().map(Class::digit).collect();
        rows.entry(subject * 1000 + detail, format!(
            "Row {{ index: {index}, has_list: {}, any: {}, codes: &{listed:?}, wildcards: &{wildcards:?} }}",
            entry.associated.has_list(),
            entry.associated.form == AssociatedForm::Any,
        ));
        for class in Class::ALL {
            codes.entry(
                entry.status.with_class(class).to_string(),
                format!("({}, {subject}, {detail})", class.digit()),
            );
        }
    }
    let tables = format!(
        "pub(crate) static ROWS: phf::Map<u32, Row> = {};\npub(crate) static CODES: phf::Map<&str, (u8, u16, u16)> = {};\n",
        rows.build(),
        codes.build()
    );
    fs::write(Path::new(&env::var("OUT_DIR")?).join("tables.rs"), tables)?;
    Ok(())
}
