//! Everything that products are rendered from: the registry, joined with this project's annotations.

use std::path::Path;

use anyhow::Result;

use crate::advice::{self, Advice};
use crate::annotation::{Annotation, Annotations, Conflict};
use crate::associated::Associated;
use crate::code::{Pair, Pairing, Status};
use crate::explanation::Explanation;
use crate::gap;
use crate::registry::{Record, Registry};
use crate::reply_code::ReplyCodeEntry;
use crate::situation::Situation;
use crate::snapshot::Snapshot;
use crate::source::{Data, Source};
use crate::tree::Tree;

/// The joined data.
#[derive(Clone, Debug)]
pub struct Model {
    /// The version of this project.
    pub version: String,
    /// Where the snapshot came from.
    pub snapshot: Snapshot,
    /// IANA's registry.
    pub registry: Registry,
    /// The enumerated statuses with their annotations, in the registry's order.
    pub entries: Vec<Entry>,
    /// The basic reply codes, in ascending order.
    pub reply_codes: Vec<ReplyCodeEntry>,
    /// What a reply means to whoever gets it.
    pub explanation: Explanation,
    /// What to send in which situation. Those with a row that this registry does not have are left out.
    pub situations: Vec<Situation>,
}

/// A row of the table of enumerated statuses, with its annotation.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The row's status.
    pub status: Status,
    /// The associated reply codes.
    pub associated: Associated,
    /// The row's cells.
    pub record: Record,
    /// The row's identifier, classes and deprecation.
    pub annotation: Annotation,
    /// The row's known conflicts.
    pub conflicts: Vec<Conflict>,
}

impl Model {
    /// Reads `registry/`, and the version in `Cargo.toml`, at the project's root.
    pub fn load(root: &Path) -> Result<Model> {
        Model::read(&Tree::at(root))
    }

    /// Reads `registry/`, and the version in `Cargo.toml`, from a tree.
    pub fn read(tree: &Tree) -> Result<Model> {
        Model::join(Data::read(tree)?)
    }

    /// Joins the parts. Fails if a row has no annotation, an annotation has no row, or a reply code is not in the
    /// table.
    pub fn join(data: Data) -> Result<Model> {
        gap::refuse(&gap::unjoinable(&data))?;
        Ok(Model::with_placeholders(data))
    }

    /// Joins the parts. Rows without an annotation or advice have placeholders, and annotations without a row are left
    /// out.
    pub fn with_placeholders(data: Data) -> Model {
        let missing = gap::missing_advice(&data);
        let Data {
            version,
            source: Source { record, registry, .. },
            annotations,
            reply_codes,
            mut explanation,
            mut situations,
        } = data;
        explanation.advice.extend(missing.into_iter().map(Advice::empty));
        situations.retain(|situation| situation.is_registered(&registry));
        let Annotations { mut rows, conflicts } = annotations;
        let entries = registry.statuses.rows.iter().map(|row| {
            let (status, associated) = row.key.clone();
            let annotation = rows.remove(&status).unwrap_or_else(|| Annotation::empty(status));
            let conflicts = conflicts.iter().filter(|conflict| conflict.row == status).cloned().collect();
            Entry { status, associated, record: row.record.clone(), annotation, conflicts }
        });
        let entries = entries.collect();
        Model { version, snapshot: record, registry, entries, reply_codes, explanation, situations }
    }

    /// Returns the model with another registry. Its rows keep their annotations; new rows have placeholders.
    #[must_use]
    pub fn with_registry(&self, registry: Registry) -> Model {
        let entries = registry.statuses.rows.iter().map(|row| {
            let (status, associated) = row.key.clone();
            let known = self.entries.iter().find(|entry| entry.status == status);
            let annotation =
                known.map_or_else(|| Annotation::empty(status), |entry| entry.annotation.clone());
            let conflicts = known.map(|entry| entry.conflicts.clone()).unwrap_or_default();
            Entry { status, associated, record: row.record.clone(), annotation, conflicts }
        });
        let entries: Vec<Entry> = entries.collect();
        let rows: Vec<Status> = entries.iter().map(|entry| entry.status).collect();
        let codes = self.reply_codes.iter().map(|entry| entry.code);
        let mut explanation = self.explanation.clone();
        let missing = advice::missing(&explanation.advice, &rows, codes);
        explanation.advice.extend(missing.into_iter().map(Advice::empty));
        let mut situations = self.situations.clone();
        situations.retain(|situation| situation.is_registered(&registry));
        Model { registry, entries, explanation, situations, ..self.clone() }
    }
}

impl Registry {
    /// Judges a pair as the library does: the class first, then the row, then the list.
    pub fn judge(&self, pair: Pair) -> Pairing {
        if pair.reply_code.class() != Some(pair.class) {
            return Pairing::ClassMismatch;
        }
        let Some(row) = self.status(pair.status) else { return Pairing::Unregistered };
        let associated = &row.key.1;
        match associated.listing(pair.reply_code) {
            Some(_) => Pairing::Listed,
            None if associated.has_list() => Pairing::Unlisted,
            None => Pairing::NoList,
        }
    }
}
