//! A new registry taken: through the gates, joined with what we pin beside it, rendered, and put in place together
//! with its record and every product.

use std::path::Path;

use anyhow::{Result, anyhow};

use crate::annotation::Annotations;
use crate::data_file::DataFile;
use crate::diff_report::Report;
use crate::fetch::Validators;
use crate::file::{self, MAX_PRODUCT};
use crate::gate::{self, Allowances};
use crate::model::{ANNOTATIONS, FOLDER, Model, QUIRKS, RECORD, REPLY_CODES, SNAPSHOT, SYMBOLS};
use crate::proposal;
use crate::quirk::Quirks;
use crate::render::{ALL_KINDS, render};
use crate::reply_code;
use crate::snapshot::{Origin, Snapshot, sha256};
use crate::symbols::Symbols;
use crate::transaction::Replacement;

/// A registry that was downloaded or read.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its octets.
    pub octets: Vec<u8>,
    /// Where it is published.
    pub url: String,
    /// What the server gave to recognise it by, if it was downloaded.
    pub validators: Validators,
}

/// What taking a candidate means.
pub struct Plan {
    /// What changes in the registry.
    pub report: Report,
    /// What was done to the hand-kept files, or has to be done.
    pub remarks: Vec<String>,
    /// The files to replace; those that stay the same are left out.
    pub files: Vec<Replacement>,
}

/// Puts a candidate through the gates and renders everything in memory. Nothing is written.
pub fn plan(root: &Path, candidate: &Candidate, allowances: &Allowances, propose: bool) -> Result<Plan> {
    let folder = root.join(FOLDER);
    let current = Model::load(root)?;
    let mut quirks = Quirks::load(&folder.join(QUIRKS))?;
    let registry = gate::pass(&candidate.octets, &current, &mut quirks, allowances)?;
    let mut remarks = Vec::new();

    let annotations_file = DataFile::read(&folder.join(ANNOTATIONS))?;
    let annotations = Annotations::read(&annotations_file)?;
    let gone = allowances.removals.iter().filter(|status| registry.status(**status).is_none()).copied();
    let mut new_annotations = proposal::remove(&annotations_file, &gone.collect::<Vec<_>>(), &annotations)?;
    if propose {
        let symbols = Symbols::read(&DataFile::read(&folder.join(SYMBOLS))?)?;
        new_annotations = proposal::annotate(&new_annotations, &registry, &annotations, &symbols)?;
    }
    let mut new_quirks = DataFile::read(&folder.join(QUIRKS))?;
    let retired = quirks.unused();
    if !retired.is_empty() {
        let rows = retired.iter().map(|(_, row)| row.to_string()).collect::<Vec<_>>().join(", ");
        if propose {
            let positions: Vec<usize> = retired.iter().map(|(position, _)| *position).collect();
            new_quirks = proposal::retire(&new_quirks, &positions)?;
            remarks.push(format!("quirks of {rows} are no longer needed and were marked historical"));
        } else {
            remarks.push(format!(
                "quirks of {rows} are no longer needed; --propose marks them historical, or write \
                 `historical = true` in {FOLDER}/{QUIRKS}"
            ));
        }
    }

    let record = Snapshot {
        origin: if registry.is_transcribed() { Origin::Transcribed } else { Origin::Iana },
        url: candidate.url.clone(),
        etag: candidate.validators.etag().map(str::to_owned),
        last_modified: candidate.validators.last_modified().map(str::to_owned),
        sha256: sha256(&candidate.octets),
        size: candidate.octets.len(),
        updated: registry.updated.clone(),
    };
    let new_parsed = Annotations::read(&new_annotations)?;
    if propose {
        let proposed = new_parsed.rows.values().filter(|row| row.review);
        remarks.extend(proposed.map(|row| {
            format!("{} is annotated as {}; review it and delete `review = true`", row.code, row.identifier)
        }));
    }
    let record_text = record.to_toml();
    let model = Model::join(
        current.version.clone(),
        record,
        registry,
        quirks,
        new_parsed.clone(),
        reply_code::load(&folder.join(REPLY_CODES))?,
    )
    .map_err(|error| anyhow!("{error:#}\nor run the same again with --propose"))?;

    let products = render(&model, &ALL_KINDS)?;
    let changed = current.changed_products(&current.registry, &model.registry)?;
    let report = Report::new(&current.registry, &model.registry, &new_parsed, changed);
    let data = [
        (SNAPSHOT, candidate.octets.clone()),
        (RECORD, record_text.into_bytes()),
        (ANNOTATIONS, new_annotations.text().into()),
        (QUIRKS, new_quirks.text().into()),
    ];
    let data = data.into_iter().map(|(name, contents)| (Path::new(FOLDER).join(name), contents));
    let products = products.into_iter().map(|product| (product.path, product.contents.into_bytes()));
    let files = data.chain(products).map(|(path, contents)| Replacement { path, contents });
    let differs = |file: &Replacement| {
        file::read(&root.join(&file.path), MAX_PRODUCT).ok().as_ref() != Some(&file.contents)
    };
    Ok(Plan { report, remarks, files: files.filter(differs).collect() })
}
