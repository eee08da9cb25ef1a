//! Takes a new registry: checks it, joins it with the annotations, and renders it. Then the snapshot, its record and
//! all products are replaced together.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::annotation::Annotations;
use crate::check;
use crate::code::Status;
use crate::data_file::DataFile;
use crate::diff_report::Report;
use crate::fetch::Validators;
use crate::file::MAX_PRODUCT;
use crate::gap::{self, Proposals};
use crate::gate::{self, Allowances};
use crate::impact::{Impact, Semver};
use crate::model::Model;
use crate::proposal;
use crate::quirk::Quirks;
use crate::registry::Registry;
use crate::render::{ALL_KINDS, Product, render};
use crate::snapshot::{Origin, Snapshot, sha256};
use crate::source::{Data, Source};
use crate::symbols::Symbols;
use crate::transaction;
use crate::tree::{
    ADVICE, ANNOTATIONS, FOLDER, QUIRKS, RECORD, REPLY_CODES, Replacement, SNAPSHOT, SYMBOLS, Tree,
};

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
    /// What the data files lack for the new registry, each with the lines to add. Without it, nothing may be replaced.
    pub gaps: Vec<String>,
    /// Whether proposals would fill all the gaps.
    pub is_proposable: bool,
    /// The files to replace; those that do not change are left out, and all of them if there are gaps.
    pub files: Vec<Replacement>,
}

impl Plan {
    /// Returns whether there is anything to take.
    pub fn is_new(&self) -> bool {
        !self.files.is_empty() || !self.gaps.is_empty()
    }
}

/// Checks a candidate and renders everything in memory, and writes nothing.
///
/// A tree with the files of the plan passes `render --check`, except for proposed annotations, which have to be
/// reviewed. A candidate that is not a newer, whole registry is refused.
pub fn plan(root: &Path, candidate: &Candidate, allowances: &Allowances, propose: bool) -> Result<Plan> {
    let tree = Tree::at(root);
    let current = Source::read(&tree)?.registry;
    let mut quirks = Quirks::read(&tree.data_file(QUIRKS)?)?;
    let registry = gate::pass(&candidate.octets, &current, &mut quirks, allowances)?;
    let taking = Taking { root, tree, current, candidate, registry, quirks, allowances };
    let mut plan = taking.plan(propose)?;
    if !propose
        && !plan.gaps.is_empty()
        && let Ok(proposed) = taking.plan(true)
    {
        plan.is_proposable = proposed.gaps.is_empty();
        // New reply codes change more products, and the version.
        plan.report.products = proposed.report.products;
        plan.report.impact.semver = proposed.report.impact.semver;
        plan.report.impact.reason = proposed.report.impact.reason;
    }
    Ok(plan)
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
        let quirks = self.quirks(propose)?;
        let annotations = self.annotations(propose)?;
        let advice = proposal::remove(&self.tree.data_file(ADVICE)?, &self.gone())?;
        let mut data = vec![
            replacement(SNAPSHOT, self.candidate.octets.clone()),
            replacement(RECORD, self.record().to_toml().into_bytes()),
            replacement(QUIRKS, quirks.text().into()),
            replacement(ANNOTATIONS, annotations.text().into()),
            replacement(ADVICE, advice.text().into()),
        ];
        if propose {
            data.extend(self.completed(&annotations, &advice, &Data::read(&self.tree.with(&data))?)?);
        }
        let joined = Data::read(&self.tree.with(&data))?;
        let proposals = if propose { Proposals::Allowed } else { Proposals::Refused };
        let gaps = gap::all(&joined, proposals);
        let remarks = if propose { self.remarks(&joined) } else { Vec::new() };
        let has_proposals = !gap::unreviewed(&joined).is_empty();

        let symbols = Symbols::read(&self.tree.data_file(SYMBOLS)?)?;
        let unpublished = unpublished(&joined, &symbols);
        let annotations = joined.annotations.clone();
        let model = Model::with_placeholders(joined);
        let products = render(&model, &ALL_KINDS)?;
        let changed = self.changed_products(&model)?;
        let mut report = Report::new(&self.current, &self.registry, &annotations, changed);
        report.impact.add_unpublished(&unpublished);
        if !gaps.is_empty() {
            return Ok(Plan { report, remarks, gaps, is_proposable: false, files: Vec::new() });
        }
        report.next = next_steps(&report.impact, &model.version, has_proposals);
        let rendered = products.iter().map(Product::replacement);
        let files: BTreeMap<_, _> =
            data.into_iter().chain(rendered).map(|file| (file.path.clone(), file)).collect();
        let files: Vec<_> = files.into_values().filter(|file| self.differs(file)).collect();
        transaction::check_targets(self.root, &files)?;
        check::orphans(&self.tree, &products)?;
        Ok(Plan { report, remarks, gaps, is_proposable: false, files })
    }

    /// Returns the annotations without the rows whose removal was accepted and, if `propose` is set, with proposals for
    /// new rows.
    fn annotations(&self, propose: bool) -> Result<DataFile> {
        let file = self.tree.data_file(ANNOTATIONS)?;
        let annotations = Annotations::read(&file)?;
        let file = proposal::remove(&file, &self.gone())?;
        if !propose {
            return Ok(file);
        }
        let symbols = Symbols::read(&self.tree.data_file(SYMBOLS)?)?;
        proposal::annotate(&file, &self.registry, &annotations, &symbols)
    }

    /// Returns the rows whose removal was accepted, and which the new registry lacks.
    fn gone(&self) -> Vec<Status> {
        let is_gone = |status: &&Status| self.registry.status(**status).is_none();
        self.allowances.removals.iter().filter(is_gone).copied().collect()
    }

    /// Returns the annotations with the conflicts, and the reply codes and the advice with the entries, that they lack.
    fn completed(&self, annotations: &DataFile, advice: &DataFile, data: &Data) -> Result<[Replacement; 3]> {
        let before = Annotations::read(&self.tree.data_file(ANNOTATIONS)?)?;
        let conflicts = gap::missing_conflicts(data);
        let annotations = proposal::record_conflicts(annotations, &conflicts, &data.annotations)?;
        let missing = gap::missing_reply_codes(data);
        let file = self.tree.data_file(REPLY_CODES)?;
        let reply_codes = proposal::describe_reply_codes(&file, &missing, &self.registry, &before)?;
        let advice = proposal::advise(advice, &gap::missing_advice(data), &data.explanation.advice)?;
        Ok([
            replacement(ANNOTATIONS, annotations.text().into()),
            replacement(REPLY_CODES, reply_codes.text().into()),
            replacement(ADVICE, advice.text().into()),
        ])
    }

    /// Returns the quirks. If `propose` is set, those that are no longer needed are marked historical.
    fn quirks(&self, propose: bool) -> Result<DataFile> {
        let file = self.tree.data_file(QUIRKS)?;
        let retired: Vec<usize> = self.quirks.unused().iter().map(|(position, _)| *position).collect();
        if propose { proposal::retire(&file, &retired) } else { Ok(file) }
    }

    /// Returns the paths of the products whose files have other contents, apart from what they say of the snapshot.
    fn changed_products(&self, model: &Model) -> Result<Vec<String>> {
        let snapshot = Source::read(&self.tree)?.record;
        let products = render(&Model { snapshot, ..model.clone() }, &ALL_KINDS)?;
        let changed = products.iter().filter(|product| self.differs(&product.replacement()));
        Ok(changed.map(|product| product.path.display().to_string()).collect())
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
    fn remarks(&self, data: &Data) -> Vec<String> {
        const REVIEW: &str = "review it and delete `review = true`";
        let retired: Vec<String> = self.quirks.unused().iter().map(|(_, row)| row.to_string()).collect();
        let mut remarks = Vec::new();
        if !retired.is_empty() {
            let rows = retired.join(", ");
            remarks.push(format!("the quirks of {rows} are no longer needed, and were marked historical"));
        }
        let Annotations { rows, conflicts } = &data.annotations;
        let rows = rows.values().filter(|row| row.review);
        remarks.extend(rows.map(|row| format!("{} is annotated as {}; {REVIEW}", row.code, row.identifier)));
        let conflicts = conflicts.iter().filter(|conflict| conflict.review);
        remarks.extend(
            conflicts.map(|conflict| format!("a conflict of {} is recorded; {REVIEW}", conflict.row)),
        );
        let reply_codes = data.reply_codes.iter().filter(|entry| entry.review);
        remarks
            .extend(reply_codes.map(|entry| format!("{} is added as {}; {REVIEW}", entry.code, entry.name)));
        let advice = data.explanation.advice.iter().filter(|entry| entry.review);
        let subjects = advice.filter_map(|entry| entry.subject().ok());
        remarks.extend(
            subjects.map(|subject| format!("{} gets the advice of another code; {REVIEW}", subject.codes())),
        );
        remarks
    }

    /// Returns whether the tree's file has other contents, or cannot be read.
    fn differs(&self, file: &Replacement) -> bool {
        self.tree.read(&file.path, MAX_PRODUCT).ok().as_ref() != Some(&file.contents)
    }
}

fn replacement(name: &str, contents: Vec<u8>) -> Replacement {
    Replacement { path: Path::new(FOLDER).join(name), contents }
}

/// Returns the identifiers of rows and reply codes that no version has published.
fn unpublished(data: &Data, symbols: &Symbols) -> Vec<String> {
    let rows = data.annotations.rows.values().filter(|row| symbols.identifier(row.code).is_none());
    let reply_codes = data.reply_codes.iter().filter(|entry| !symbols.has_reply_code(&entry.name));
    let rows = rows.map(|row| row.identifier.clone());
    rows.chain(reply_codes.map(|entry| entry.name.clone())).collect()
}

/// Says what a person has to do after the sync, in Markdown.
fn next_steps(impact: &Impact, version: &str, has_proposals: bool) -> Vec<String> {
    let mut steps = Vec::new();
    let Impact { semver, reason, .. } = impact;
    if *semver >= Semver::Minor {
        let next =
            semver.next_version(version).unwrap_or_else(|| format!("the next {} version", semver.name()));
        steps.push(format!(
            "First raise `version` in `Cargo.toml` from {version} to {next}, and begin {next} in `CHANGELOG.md`, because \
             {reason}. Keep {version} only if it is not released yet."
        ));
    }
    if has_proposals {
        steps.push(format!(
            "Entries with `review = true` in `{FOLDER}/{ANNOTATIONS}`, `{FOLDER}/{REPLY_CODES}` and `{FOLDER}/{ADVICE}` \
             are only proposed. Confirm every key of them, and delete that line. Until then, `cargo xtask render --check` fails."
        ));
    }
    if *semver >= Semver::Minor || has_proposals {
        steps.push(format!(
            "Run `cargo xtask render`, and then `cargo test --test library symbols`: it prints the lines with this version that \
             `{FOLDER}/{SYMBOLS}` needs for new identifiers."
        ));
    }
    steps.push(format!(
        "Check whether a changed row makes or ends a conflict in `{FOLDER}/{ANNOTATIONS}`, and add a line to \
         `CHANGELOG.md`."
    ));
    steps
}
