//! Passes a registry, or edits of the project's own, through the gates. One that passes has lost nothing, and
//! `sync --propose` can take it.
//!
//! Input that begins with `<` is a file. Any other input is a list of edits of the snapshot, so that the parser accepts
//! most inputs. Each edit is an offset and a number of octets to delete (two octets each, little-endian), a number of
//! octets to insert (one octet), and the octets to insert.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xtask::annotation::Annotations;
use xtask::data_file::DataFile;
use xtask::gate::{self, Allowances};
use xtask::model::Model;
use xtask::proposal;
use xtask::quirk::Quirks;
use xtask::registry::Registry;
use xtask::symbols::Symbols;
use xtask::tree::{ANNOTATIONS, FOLDER, QUIRKS, SNAPSHOT, SYMBOLS};

fuzz_target!(|octets: &[u8]| {
    let file = if octets.starts_with(b"<") { octets.to_vec() } else { edited(octets) };
    let project = &*PROJECT;
    match gate::pass(&file, &project.model.registry, &mut project.quirks.clone(), &Allowances::default()) {
        Ok(registry) => {
            assert_lost_nothing(&registry, &project.model);
            assert_annotated(&registry, project);
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error:?} is not one line"),
    }
});

struct Project {
    model: Model,
    quirks: Quirks,
    snapshot: Vec<u8>,
    file: DataFile,
    annotations: Annotations,
    symbols: Symbols,
}

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join(FOLDER);
    let file = DataFile::read(&folder.join(ANNOTATIONS)).expect("the annotations can be read");
    let symbols = DataFile::read(&folder.join(SYMBOLS)).expect("the symbols can be read");
    Project {
        model: Model::load(&root).expect("the project's registry is valid"),
        quirks: Quirks::load(&folder.join(QUIRKS)).expect("the project's quirks are valid"),
        snapshot: std::fs::read(folder.join(SNAPSHOT)).expect("the snapshot can be read"),
        annotations: Annotations::read(&file).expect("the project's annotations are valid"),
        file,
        symbols: Symbols::read(&symbols).expect("the project's symbols are valid"),
    }
});

fn edited(mut edits: &[u8]) -> Vec<u8> {
    let mut file = PROJECT.snapshot.clone();
    while let [o0, o1, d0, d1, inserted, rest @ ..] = edits {
        let (text, rest) = rest.split_at(rest.len().min(usize::from(*inserted)));
        let start = usize::from(u16::from_le_bytes([*o0, *o1])).min(file.len());
        let end = (start + usize::from(u16::from_le_bytes([*d0, *d1]))).min(file.len());
        file.splice(start..end, text.iter().copied());
        edits = rest;
    }
    file
}

fn assert_lost_nothing(registry: &Registry, model: &Model) {
    for entry in &model.entries {
        assert!(registry.status(entry.status).is_some(), "{} is lost", entry.status);
    }
    assert!(registry.updated >= model.registry.updated, "{} is older", registry.updated);
}

/// Fails unless the proposed annotations can be parsed, cover every row, and have the old identifiers.
fn assert_annotated(registry: &Registry, project: &Project) {
    let file = proposal::annotate(&project.file, registry, &project.annotations, &project.symbols)
        .expect("annotations are proposed");
    let proposed = Annotations::read(&file).expect("the proposed annotations are valid");
    for row in &registry.statuses.rows {
        assert!(proposed.rows.contains_key(&row.key.0), "{} is not annotated", row.key.0);
    }
    for entry in &project.model.entries {
        assert_eq!(proposed.rows[&entry.status].identifier, entry.annotation.identifier);
    }
}
