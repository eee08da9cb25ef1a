//! Everything that products are rendered from: the registry, joined with this project's annotations.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::annotation::{Annotation, Annotations, Conflict};
use crate::associated::Associated;
use crate::code::{Class, Pair, Pairing, ReplyCode, Status};
use crate::quirk::Quirks;
use crate::registry::{Record, Registry};
use crate::reply_code::{self, ReplyCodeEntry};
use crate::snapshot::Snapshot;
use crate::tree::{ANNOTATIONS, FOLDER, QUIRKS, RECORD, REPLY_CODES, SNAPSHOT, Tree};

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
    quirks: Quirks,
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

/// The snapshot of the registry in a tree, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the snapshot came from.
    pub record: Snapshot,
    /// The snapshot.
    pub registry: Registry,
    /// How its irregular cells are read.
    pub quirks: Quirks,
}

impl Source {
    /// Reads the snapshot, its record and the quirks.
    pub fn read(tree: &Tree) -> Result<Source> {
        let octets = tree.data(SNAPSHOT)?;
        let mut quirks = Quirks::read(&tree.data_file(QUIRKS)?)?;
        let path = tree.path(FOLDER).join(SNAPSHOT);
        let registry =
            Registry::read(&octets, &mut quirks).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let record = Snapshot::read(&tree.data_file(RECORD)?)?;
        record.check(&tree.path(FOLDER).join(RECORD), &octets, &registry.updated)?;
        Ok(Source { record, registry, quirks })
    }
}

impl Model {
    /// Reads `registry/`, and the version in `Cargo.toml`, at the project's root.
    pub fn load(root: &Path) -> Result<Model> {
        Model::read(&Tree::at(root))
    }

    /// Reads `registry/`, and the version in `Cargo.toml`, from a tree.
    pub fn read(tree: &Tree) -> Result<Model> {
        let Source { record, registry, quirks } = Source::read(tree)?;
        let annotations = Annotations::read(&tree.data_file(ANNOTATIONS)?)?;
        let reply_codes = reply_code::read(&tree.data_file(REPLY_CODES)?)?;
        Model::join(version(tree)?, record, registry, quirks, annotations, reply_codes)
    }

    /// Joins the parts. Fails if a row has no annotation, an annotation has no row, or a reply code is not in the
    /// table.
    pub fn join(
        version: String,
        snapshot: Snapshot,
        registry: Registry,
        quirks: Quirks,
        annotations: Annotations,
        reply_codes: Vec<ReplyCodeEntry>,
    ) -> Result<Model> {
        check_rows(&registry, &annotations)?;
        let Annotations { mut rows, conflicts } = annotations;
        let mut entries = Vec::new();
        for row in &registry.statuses.rows {
            let (status, associated) = row.key.clone();
            let annotation = rows.remove(&status).context("a row lost its annotation")?;
            let conflicts = conflicts.iter().filter(|conflict| conflict.row == status).cloned().collect();
            entries.push(Entry { status, associated, record: row.record.clone(), annotation, conflicts });
        }
        check_reply_codes(&entries, &reply_codes)?;
        Ok(Model { version, snapshot, registry, entries, reply_codes, quirks })
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
        Model { entries: entries.collect(), registry, ..self.clone() }
    }

    /// Fails if an annotation was written by `sync --propose` and nobody has confirmed it.
    pub fn check_reviewed(&self) -> Result<()> {
        match self.entries.iter().find(|entry| entry.annotation.review) {
            None => Ok(()),
            Some(Entry { status, annotation, .. }) => bail!(
                "{FOLDER}/{ANNOTATIONS}: {status} ({}) is only proposed; confirm its identifier, classes, basis and \
                 source, and delete `review = true`",
                annotation.identifier
            ),
        }
    }

    /// Fails if the snapshot does not need a quirk that is not marked historical.
    pub fn check_quirks(&self) -> Result<()> {
        self.quirks.check_all_used()
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

/// Reads the version of the workspace.
fn version(tree: &Tree) -> Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        workspace: Workspace,
    }
    #[derive(Deserialize)]
    struct Workspace {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }
    let manifest: Manifest = tree.text(Path::new("Cargo.toml"))?.parse()?;
    Ok(manifest.workspace.package.version)
}

fn check_rows(registry: &Registry, annotations: &Annotations) -> Result<()> {
    for class in Class::ALL {
        if !registry.classes.rows.iter().any(|row| row.key == class) {
            bail!("the registry has no row {class}.XXX.YYY; it is incomplete");
        }
    }
    for row in &registry.statuses.rows {
        let subject = row.key.0.subject;
        if !registry.subjects.rows.iter().any(|row| row.key == subject) {
            bail!("the registry has {} but no row X.{subject}.YYY; it is incomplete", row.key.0);
        }
    }
    let mut missing = String::new();
    for row in &registry.statuses.rows {
        let (status, associated) = &row.key;
        if !annotations.rows.contains_key(status) {
            let classes: Vec<String> = associated.classes().iter().map(|class| class.to_string()).collect();
            let _ = write!(
                missing,
                "\n[[row]]\ncode = \"{status}\"\nidentifier = \"...\"\nclasses = [{}]\nbasis = \"...\"\nsource = \"...\"\n",
                classes.join(", ")
            );
        }
    }
    if !missing.is_empty() {
        bail!(
            "the registry has rows without an identifier; fill in these lines and add them to \
             {FOLDER}/{ANNOTATIONS}:\n{missing}"
        );
    }
    for annotation in annotations.rows.values() {
        if registry.status(annotation.code).is_none() {
            bail!(
                "{} ({}) is annotated, but the registry has no such row; a published identifier never disappears, so \
                 restore the row in {FOLDER}/{SNAPSHOT}; only if the identifier was never published, delete the row in \
                 {FOLDER}/{ANNOTATIONS}",
                annotation.code,
                annotation.identifier
            );
        }
        let successor = annotation.deprecated.as_ref().map(|deprecation| deprecation.successor);
        if let Some(successor) = successor.filter(|&successor| registry.status(successor).is_none()) {
            bail!("{} has the successor {successor}, but the registry has no such row", annotation.code);
        }
    }
    Ok(())
}

fn check_reply_codes(entries: &[Entry], known: &[ReplyCodeEntry]) -> Result<()> {
    let is_known = |code: ReplyCode| known.iter().any(|entry| entry.code == code);
    for entry in entries {
        if let Some(code) = entry.associated.codes.iter().find(|&&code| !is_known(code)) {
            bail!(
                "{} is associated with {code}, which {FOLDER}/{REPLY_CODES} does not have; fill in these lines and add \
                 them:\n\n\
                 [[reply-code]]\ncode = {code}\nname = \"...\"\nmeaning = \"...\"\nclient = \"...\"\nsources = [\"...\"]\n",
                entry.status
            );
        }
    }
    Ok(())
}
