//! Everything a product is rendered from: the registry joined with what we pin beside it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::annotation::{Annotation, Annotations, Conflict};
use crate::associated::Associated;
use crate::code::{Class, Pair, Pairing, ReplyCode, Status};
use crate::data_file::DataFile;
use crate::file::{self, MAX_DATA};
use crate::quirk::Quirks;
use crate::registry::{Record, Registry};
use crate::render::{ALL_KINDS, render};
use crate::reply_code::{self, ReplyCodeEntry};
use crate::snapshot::Snapshot;

/// The folder of the registry below the project's root, and the files in it.
pub const FOLDER: &str = "registry";
/// The snapshot.
pub const SNAPSHOT: &str = "smtp-enhanced-status-codes.xml";
/// Where it came from.
pub const RECORD: &str = "snapshot.toml";
/// What is pinned beside the rows.
pub const ANNOTATIONS: &str = "annotations.toml";
/// Odd cells.
pub const QUIRKS: &str = "quirks.toml";
/// The basic reply codes.
pub const REPLY_CODES: &str = "reply-codes.toml";

/// Every identifier that was ever published.
pub const SYMBOLS: &str = "symbols-in-versions";

/// The joined data.
#[derive(Clone, Debug)]
pub struct Model {
    /// Version of this project.
    pub version: String,
    /// Where the snapshot came from.
    pub snapshot: Snapshot,
    /// IANA's registry.
    pub registry: Registry,
    /// The enumerated rows, in the registry's order, with their annotations.
    pub entries: Vec<Entry>,
    /// The basic reply codes, ascending.
    pub reply_codes: Vec<ReplyCodeEntry>,
    quirks: Quirks,
}

/// An enumerated row with what we pin beside it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The row.
    pub status: Status,
    /// Its associated reply codes.
    pub associated: Associated,
    /// Its cells.
    pub record: Record,
    /// Its identifier, classes, deprecation.
    pub annotation: Annotation,
    /// The conflicts known about it.
    pub conflicts: Vec<Conflict>,
}

impl Model {
    /// Reads `registry/` and the version in `Cargo.toml` below the project's root.
    pub fn load(root: &Path) -> Result<Model> {
        let folder = root.join(FOLDER);
        let path = folder.join(SNAPSHOT);
        let octets =
            file::read(&path, MAX_DATA).with_context(|| format!("cannot read {}", path.display()))?;
        let mut quirks = Quirks::load(&folder.join(QUIRKS))?;
        let registry =
            Registry::read(&octets, &mut quirks).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let snapshot = Snapshot::load(&folder.join(RECORD))?;
        snapshot.check(&folder.join(RECORD), &octets, &registry.updated)?;
        let annotations = Annotations::load(&folder.join(ANNOTATIONS))?;
        let reply_codes = reply_code::load(&folder.join(REPLY_CODES))?;
        Model::join(version(root)?, snapshot, registry, quirks, annotations, reply_codes)
            .with_context(|| format!("{} and {ANNOTATIONS} do not fit together", path.display()))
    }

    /// Joins the parts. Every row must be annotated, every annotated row be there, and every code be known.
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

    /// The same with another registry: rows that have no annotation are left out, for they cannot be rendered yet.
    #[must_use]
    pub fn with_registry(&self, registry: Registry) -> Model {
        let annotated = |status: Status| self.entries.iter().find(|entry| entry.status == status);
        let entries = registry.statuses.rows.iter().filter_map(|row| {
            let (status, associated) = row.key.clone();
            let Entry { annotation, conflicts, .. } = annotated(status)?.clone();
            Some(Entry { status, associated, record: row.record.clone(), annotation, conflicts })
        });
        Model { entries: entries.collect(), registry, ..self.clone() }
    }

    /// The products that differ between two registries when all else is the same: version, record, annotations.
    pub fn changed_products(&self, old: &Registry, new: &Registry) -> Result<Vec<String>> {
        let old = render(&self.with_registry(old.clone()), &ALL_KINDS)?;
        let new = render(&self.with_registry(new.clone()), &ALL_KINDS)?;
        let changed = old.iter().zip(&new).filter(|(old, new)| old.contents != new.contents);
        Ok(changed.map(|(_, new)| new.path.display().to_string()).collect())
    }

    /// Fails on an annotation that `sync --propose` wrote and nobody has confirmed.
    pub fn check_reviewed(&self) -> Result<()> {
        match self.entries.iter().find(|entry| entry.annotation.review) {
            None => Ok(()),
            Some(Entry { status, annotation, .. }) => bail!(
                "{FOLDER}/{ANNOTATIONS}: {status} ({}) is only proposed; confirm its identifier, classes and source, \
                 and delete `review = true`",
                annotation.identifier
            ),
        }
    }

    /// Fails on a quirk that the snapshot does not need and that is not marked historical.
    pub fn check_quirks(&self, root: &Path) -> Result<()> {
        self.quirks.check_all_used(&root.join(FOLDER).join(QUIRKS))
    }
}

impl Registry {
    /// Judges a pair as the library does: class, then row, then list.
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

/// The version of the workspace.
fn version(root: &Path) -> Result<String> {
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
    let manifest: Manifest = DataFile::read(&root.join("Cargo.toml"))?.parse()?;
    Ok(manifest.workspace.package.version)
}

fn check_rows(registry: &Registry, annotations: &Annotations) -> Result<()> {
    for class in Class::ALL {
        if !registry.classes.rows.iter().any(|row| row.key == class) {
            bail!("the registry has no row {class}.XXX.YYY; it is not whole");
        }
    }
    for row in &registry.statuses.rows {
        let subject = row.key.0.subject;
        if !registry.subjects.rows.iter().any(|row| row.key == subject) {
            bail!("the registry has {} but no row X.{subject}.YYY; it is not whole", row.key.0);
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
            "the registry has rows without an identifier; fill in and add to {FOLDER}/{ANNOTATIONS}:\n{missing}"
        );
    }
    for annotation in annotations.rows.values() {
        if registry.status(annotation.code).is_none() {
            bail!(
                "{} ({}) is annotated, but the registry has no such row; a published identifier never \
                 disappears, so restore the row in {FOLDER}/{SNAPSHOT}",
                annotation.code,
                annotation.identifier
            );
        }
        let successor = annotation.deprecated.as_ref().map(|deprecation| deprecation.successor);
        if let Some(successor) = successor.filter(|&successor| registry.status(successor).is_none()) {
            bail!("{} names the successor {successor}, which is no row", annotation.code);
        }
    }
    Ok(())
}

fn check_reply_codes(entries: &[Entry], known: &[ReplyCodeEntry]) -> Result<()> {
    let is_known = |code: ReplyCode| known.iter().any(|entry| entry.code == code);
    for entry in entries {
        if let Some(code) = entry.associated.codes.iter().find(|&&code| !is_known(code)) {
            bail!(
                "{} is associated with {code}, which {FOLDER}/{REPLY_CODES} does not have; fill in and add:\n\n\
                 [[reply-code]]\ncode = {code}\nname = \"...\"\nmeaning = \"...\"\nclient = \"...\"\nsources = [\"...\"]\n",
                entry.status
            );
        }
    }
    Ok(())
}
