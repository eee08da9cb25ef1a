//! Takes a new registry: checks it, joins it with the annotations, and renders it. Then the snapshot, its record and
//! all products are replaced together.

use std::path::Path;

use anyhow::{Result, anyhow};

use crate::annotation::Annotations;
use crate::check::{self, Checked, Proposals};
use crate::code::Status;
use crate::data_file::DataFile;
use crate::diff_report::Report;
use crate::fetch::Validators;
use crate::file::MAX_PRODUCT;
use crate::gate::{self, Allowances};
use crate::impact;
use crate::model::Source;
use crate::proposal;
use crate::quirk::Quirks;
use crate::registry::Registry;
use crate::render::{ALL_KINDS, Product};
use crate::snapshot::{Origin, Snapshot, sha256};
use crate::symbols::Symbols;
use crate::transaction;
use crate::tree::{ANNOTATIONS, FOLDER, QUIRKS, RECORD, Replacement, SNAPSHOT, SYMBOLS, Tree};

/// A registry that was downloaded or read from a file.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The octets of the file.
    pub octets: Vec<u8>,
    /// The URL where it is published.
    pub url: String,
    /// The server's validators, if it was downloaded.
    pub validators: Validators,
}

/// What it takes to replace the snapshot with a candidate.
pub struct Plan {
    /// What changes in the registry.
    pub report: Report,
    /// Changes of the data files that have to be reviewed.
    pub remarks: Vec<String>,
    /// The files to replace; those that do not change are left out.
    pub files: Vec<Replacement>,
}

/// Checks a candidate and renders everything in memory, and writes nothing.
///
/// A tree with the files of the plan passes `render --check`, except for proposed annotations, which have to be
/// reviewed. A candidate that would leave any other tree is refused.
pub fn plan(root: &Path, candidate: &Candidate, allowances: &Allowances, propose: bool) -> Result<Plan> {
    let tree = Tree::at(root);
    let current = Source::read(&tree)?.registry;
    let mut quirks = Quirks::read(&tree.data_file(QUIRKS)?)?;
    let registry = gate::pass(&candidate.octets, &current, &mut quirks, allowances)?;
    let taking = Taking { root, tree, current, candidate, registry, quirks, allowances };
    taking.plan(propose).map_err(|error| {
        if !propose && taking.plan(true).is_ok() {
            anyhow!("{error:#}\nor run the same command again with --propose")
        } else {
            error
        }
    })
}

/// A candidate that has passed the checks.
struct Taking<'a> {
    root: &'a Path,
    tree: Tree,
    current: Registry,
    candidate: &'a Candidate,
    registry: Registry,
    /// The quirks. Those that the new registry needs are marked as used.
    quirks: Quirks,
    allowances: &'a Allowances,
}

impl Taking<'_> {
    fn plan(&self, propose: bool) -> Result<Plan> {
        let annotations = self.annotations(propose)?;
        let quirks = self.quirks(propose)?;
        let data = [
            (SNAPSHOT, self.candidate.octets.clone()),
            (RECORD, self.record().to_toml().into_bytes()),
            (ANNOTATIONS, annotations.text().into()),
            (QUIRKS, quirks.text().into()),
        ];
        let data = data.map(|(name, contents)| Replacement { path: Path::new(FOLDER).join(name), contents });
        let proposals = if propose { Proposals::Allowed } else { Proposals::Refused };
        let Checked { model, products } = check::sources(&self.tree.with(&data), &ALL_KINDS, proposals)?;

        let annotations = Annotations::read(&annotations)?;
        let changed = impact::changed_products(&model, &self.current, &self.registry)?;
        let report = Report::new(&self.current, &self.registry, &annotations, changed);
        let remarks = if propose { self.remarks(&annotations) } else { Vec::new() };
        let rendered = products.iter().map(Product::replacement);
        let files: Vec<_> = data.into_iter().chain(rendered).filter(|file| self.differs(file)).collect();
        transaction::check_targets(self.root, &files)?;
        check::orphans(&self.tree, &products)?;
        Ok(Plan { report, remarks, files })
    }

    /// Returns the annotations without the rows whose removal was accepted and, if `propose` is set, with proposals for
    /// new rows.
    fn annotations(&self, propose: bool) -> Result<DataFile> {
        let file = self.tree.data_file(ANNOTATIONS)?;
        let annotations = Annotations::read(&file)?;
        let is_gone = |status: &&Status| self.registry.status(**status).is_none();
        let gone: Vec<Status> = self.allowances.removals.iter().filter(is_gone).copied().collect();
        let file = proposal::remove(&file, &gone, &annotations)?;
        if !propose {
            return Ok(file);
        }
        let symbols = Symbols::read(&self.tree.data_file(SYMBOLS)?)?;
        proposal::annotate(&file, &self.registry, &annotations, &symbols)
    }

    /// Returns the quirks. If `propose` is set, those that are no longer needed are marked historical.
    fn quirks(&self, propose: bool) -> Result<DataFile> {
        let file = self.tree.data_file(QUIRKS)?;
        let retired: Vec<usize> = self.quirks.unused().iter().map(|(position, _)| *position).collect();
        if propose { proposal::retire(&file, &retired) } else { Ok(file) }
    }

    fn record(&self) -> Snapshot {
        let Candidate { octets, url, validators } = self.candidate;
        Snapshot {
            origin: if self.registry.is_transcribed() { Origin::Transcribed } else { Origin::Iana },
            url: url.clone(),
            etag: validators.etag().map(str::to_owned),
            last_modified: validators.last_modified().map(str::to_owned),
            sha256: sha256(octets),
            size: octets.len(),
            updated: self.registry.updated.clone(),
        }
    }

    /// Returns the proposed changes of the data files, in words.
    fn remarks(&self, annotations: &Annotations) -> Vec<String> {
        let retired: Vec<String> = self.quirks.unused().iter().map(|(_, row)| row.to_string()).collect();
        let mut remarks = Vec::new();
        if !retired.is_empty() {
            let rows = retired.join(", ");
            remarks.push(format!("the quirks of {rows} are no longer needed, and were marked historical"));
        }
        let proposed = annotations.rows.values().filter(|row| row.review);
        remarks.extend(proposed.map(|row| {
            format!("{} is annotated as {}; review it and delete `review = true`", row.code, row.identifier)
        }));
        remarks
    }

    /// Returns whether the tree's file has other contents, or cannot be read.
    fn differs(&self, file: &Replacement) -> bool {
        self.tree.read(&file.path, MAX_PRODUCT).ok().as_ref() != Some(&file.contents)
    }
}
