//! The contents of `registry/`, each file read by itself.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;

use crate::annotation::Annotations;
use crate::code::Class;
use crate::explanation::Explanation;
use crate::quirk::Quirks;
use crate::registry::Registry;
use crate::reply_code::{self, ReplyCodeEntry};
use crate::situation::{self, Situation};
use crate::snapshot::Snapshot;
use crate::tree::{ANNOTATIONS, FOLDER, QUIRKS, RECORD, REPLY_CODES, SITUATIONS, SNAPSHOT, Tree};

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

/// The contents of `registry/` and the version. Each file is sound by itself, but they may not fit together: see
/// [`crate::gap`].
#[derive(Clone, Debug)]
pub struct Data {
    /// The version of this project.
    pub version: String,
    /// The snapshot, its record and the quirks.
    pub source: Source,
    /// The annotations of the rows, and the conflicts.
    pub annotations: Annotations,
    /// The basic reply codes, in ascending order.
    pub reply_codes: Vec<ReplyCodeEntry>,
    /// What a reply means to whoever gets it.
    pub explanation: Explanation,
    /// What to send in which situation.
    pub situations: Vec<Situation>,
}

impl Data {
    /// Reads `registry/`, and the version in `Cargo.toml`, from a tree.
    pub fn read(tree: &Tree) -> Result<Data> {
        let source = Source::read(tree)?;
        check_complete(&source.registry)?;
        Ok(Data {
            version: version(tree)?,
            source,
            annotations: Annotations::read(&tree.data_file(ANNOTATIONS)?)?,
            reply_codes: reply_code::read(&tree.data_file(REPLY_CODES)?)?,
            explanation: Explanation::read(tree)?,
            situations: situation::read(&tree.data_file(SITUATIONS)?)?,
        })
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

/// Fails if a class is missing, or the subject of a row.
fn check_complete(registry: &Registry) -> Result<()> {
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
    Ok(())
}
