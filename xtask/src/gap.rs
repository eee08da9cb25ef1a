//! What the data files lack for a registry, or have too much of. All of it is found at once, each with what to write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::advice::{self, Subject};
use crate::annotation::{Annotation, Annotations, ConflictKind};
use crate::claim::Claim;
use crate::code::{Class, Classes, Pair, ReplyCode, Status};
use crate::proposal;
use crate::registry::Registry;
use crate::situation;
use crate::source::Data;
use crate::tree::{ADVICE, ANNOTATIONS, FOLDER, REPLY_CODES, SNAPSHOT};

/// What to do about entries that `sync --propose` wrote and nobody has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposals {
    /// They are an error.
    Refused,
    /// They are accepted, to be confirmed later.
    Allowed,
}

/// Fails if there are gaps, and names them all.
pub fn refuse(gaps: &[String]) -> Result<()> {
    match gaps {
        [] => Ok(()),
        [gap] => bail!("{gap}"),
        gaps => bail!("{} things are missing or wrong:\n\n{}", gaps.len(), gaps.join("\n\n")),
    }
}

/// Returns everything that keeps a tree from being consistent.
pub fn all(data: &Data, proposals: Proposals) -> Vec<String> {
    let mut gaps = unjoinable(data);
    gaps.extend(data.source.quirks.unneeded());
    gaps.extend(contradictions(data));
    gaps.extend(unrecorded_conflicts(data));
    if proposals == Proposals::Refused {
        gaps.extend(unreviewed(data));
    }
    gaps
}

/// Returns what keeps the registry from being joined with the annotations, the reply codes and the advice.
pub fn unjoinable(data: &Data) -> Vec<String> {
    let registry = &data.source.registry;
    let mut gaps = Vec::new();
    gaps.extend(rows(registry, &data.annotations));
    gaps.extend(reply_codes(data));
    gaps.extend(advice(data));
    gaps.extend(situation::unknown_reply_codes(&data.situations, &data.reply_codes));
    gaps.extend(data.annotations.rows.values().filter_map(|annotation| stray(annotation, registry)));
    gaps.extend(stray_advice(data));
    gaps
}

fn rows(registry: &Registry, annotations: &Annotations) -> Option<String> {
    let mut lines = String::new();
    for row in &registry.statuses.rows {
        let (status, associated) = &row.key;
        if !annotations.rows.contains_key(status) {
            let (classes, _) = proposal::classes(associated, Claim::read(&row.record.description.text));
            let classes: Vec<String> = classes.iter().map(|class| class.to_string()).collect();
            let _ = write!(
                lines,
                "\n\n[[row]]\ncode = \"{status}\"\nidentifier = \"...\"\nclasses = [{}]\nbasis = \"...\"\nsource = \"...\"",
                classes.join(", ")
            );
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "the registry has rows without an identifier; fill in these lines and add them to \
             {FOLDER}/{ANNOTATIONS}:{lines}"
        )
    })
}

fn reply_codes(data: &Data) -> Option<String> {
    let missing = missing_reply_codes(data);
    let (mut codes, mut lines) = (Vec::new(), String::new());
    for (code, rows) in &missing {
        let rows: Vec<String> = rows.iter().map(Status::to_string).collect();
        codes.push(format!("{code} (of {})", rows.join(", ")));
        let _ = write!(
            lines,
            "\n\n[[reply-code]]\ncode = {code}\nname = \"...\"\nmeaning = \"...\"\nclient = \"...\"\nsources = [\"...\"]"
        );
    }
    (!missing.is_empty()).then(|| {
        format!(
            "the registry has reply codes that {FOLDER}/{REPLY_CODES} does not have: {}; fill in these lines and add \
             them in numerical order:{lines}",
            codes.join(", ")
        )
    })
}

/// Returns the associated codes that the table of reply codes lacks, with their rows.
pub fn missing_reply_codes(data: &Data) -> BTreeMap<ReplyCode, Vec<Status>> {
    let mut missing: BTreeMap<ReplyCode, Vec<Status>> = BTreeMap::new();
    for row in &data.source.registry.statuses.rows {
        let (status, associated) = &row.key;
        for code in &associated.codes {
            if !data.reply_codes.iter().any(|entry| entry.code == *code) {
                missing.entry(*code).or_default().push(*status);
            }
        }
    }
    missing
}

fn advice(data: &Data) -> Option<String> {
    let missing = missing_advice(data);
    let (mut codes, mut lines) = (Vec::new(), String::new());
    for subject in &missing {
        codes.push(subject.codes());
        let keys = match subject {
            Subject::Row(status, class) => format!("status = \"{status}\"\nclass = {class}"),
            Subject::Pair(code, status, class) => {
                format!("reply-code = {code}\nstatus = \"{status}\"\nclass = {class}")
            }
            Subject::ReplyCode(code, stage) => format!("reply-code = {code}\nstage = \"{stage}\""),
            Subject::Class(class, stage) => format!("class = {class}\nstage = \"{stage}\""),
        };
        let _ = write!(
            lines,
            "\n\n[[advice]]\n{keys}\ncategory = \"...\"\nhappened = \"...\"\nsender = \"...\"\nadministrator = \"...\""
        );
    }
    (!missing.is_empty()).then(|| {
        format!(
            "{FOLDER}/{ADVICE} has no advice for {}; fill in these lines and add them:{lines}",
            codes.join(", ")
        )
    })
}

/// Returns what needs advice and has none: rows with each class of refusals, reply codes, and other reply codes.
pub fn missing_advice(data: &Data) -> Vec<Subject> {
    let rows: Vec<Status> = data.source.registry.statuses.rows.iter().map(|row| row.key.0).collect();
    let known = data.reply_codes.iter().map(|entry| entry.code);
    let codes: BTreeSet<ReplyCode> = known.chain(missing_reply_codes(data).into_keys()).collect();
    advice::missing(&data.explanation.advice, &rows, codes)
}

/// Says which advice is about rows that the registry does not have.
fn stray_advice(data: &Data) -> Vec<String> {
    let subjects = data.explanation.advice.iter().filter_map(|entry| entry.subject().ok());
    let mut rows: BTreeSet<Status> = subjects.filter_map(|subject| subject.status()).collect();
    rows.retain(|status| data.source.registry.status(*status).is_none());
    let gaps = rows.into_iter().map(|status| {
        format!(
            "{FOLDER}/{ADVICE} has advice for {status}, but the registry has no such row; delete its entries"
        )
    });
    gaps.collect()
}

/// Says what is wrong if an annotation or its successor has no row.
fn stray(annotation: &Annotation, registry: &Registry) -> Option<String> {
    let Annotation { code, identifier, deprecated, .. } = annotation;
    if registry.status(*code).is_none() {
        return Some(format!(
            "{code} ({identifier}) is annotated, but the registry has no such row; a published identifier never \
             disappears, so restore the row in {FOLDER}/{SNAPSHOT}; only if the identifier was never published, delete \
             the row in {FOLDER}/{ANNOTATIONS}"
        ));
    }
    let successor = deprecated.as_ref().map(|deprecation| deprecation.successor)?;
    let is_missing = registry.status(successor).is_none();
    is_missing.then(|| format!("{code} has the successor {successor}, but the registry has no such row"))
}

/// Returns the rows whose classes contradict their own words, unless a conflict says why.
fn contradictions(data: &Data) -> Vec<String> {
    let mut gaps = Vec::new();
    for row in &data.source.registry.statuses.rows {
        let status = row.key.0;
        let Some(annotation) = data.annotations.rows.get(&status) else { continue };
        let claim = Claim::read(&row.record.description.text).filter(|_| annotation.deprecated.is_none());
        let Some(claim) = claim else { continue };
        let mut disputed = claim.contradictions(&annotation.classes);
        disputed.retain(|class| !is_recorded(&data.annotations, status, *class));
        if !disputed.is_empty() {
            gaps.push(contradiction(annotation, claim, &disputed));
        }
    }
    gaps
}

/// Returns whether a conflict says that an RFC treats the class differently from the row.
fn is_recorded(annotations: &Annotations, status: Status, class: Class) -> bool {
    annotations.conflicts.iter().any(|conflict| {
        conflict.row == status
            && conflict.kind == ConflictKind::RfcAgainstRow
            && conflict.pairs.iter().any(|pair| pair.class == class)
    })
}

fn contradiction(annotation: &Annotation, claim: Claim, disputed: &[Class]) -> String {
    let Annotation { code, classes, .. } = annotation;
    let list = |classes: &mut dyn Iterator<Item = Class>| {
        classes.map(|class| class.to_string()).collect::<Vec<_>>().join(", ")
    };
    let written = list(&mut classes.iter().copied());
    let named = list(&mut claim.named.iter());
    let pairs: Vec<String> = disputed
        .iter()
        .map(|class| format!("\"{class}.. {class}.{}.{}\"", code.subject, code.detail))
        .collect();
    format!(
        "{FOLDER}/{ANNOTATIONS}: {code} has `classes = [{written}]`, but its text {}; write `classes = [{named}]`, or, if \
         an RFC sends the row otherwise, fill in these lines and add them:\n\n\
         [[conflict]]\nrow = \"{code}\"\nkind = \"rfc-against-row\"\npairs = [{}]\nsource = \"...\"\nsummary = \"...\"",
        claim.in_words(),
        pairs.join(", ")
    )
}

/// Says which associated codes have a class that the annotation excludes, without a conflict that says so.
fn unrecorded_conflicts(data: &Data) -> Vec<String> {
    let conflicts = missing_conflicts(data).into_iter().map(|(status, pairs)| {
        let pairs: Vec<String> = pairs.iter().map(|pair| format!("\"{pair}\"")).collect();
        let pairs = pairs.join(", ");
        format!(
            "{status} lists reply codes of a class that its text, or its `classes` in {FOLDER}/{ANNOTATIONS}, exclude; \
             correct the classes, or fill in these lines and add them:\n\n\
             [[conflict]]\nrow = \"{status}\"\nkind = \"list-exceeds-text\"\npairs = [{pairs}]\nsource = \"...\"\nsummary = \"...\""
        )
    });
    conflicts.collect()
}

/// Returns the pairs that need a conflict of the kind `list-exceeds-text` and have none, by row. For a row that has no
/// annotation yet, its own words decide.
pub fn missing_conflicts(data: &Data) -> Vec<(Status, Vec<Pair>)> {
    let Annotations { rows, conflicts } = &data.annotations;
    let mut missing = Vec::new();
    for row in &data.source.registry.statuses.rows {
        let (status, associated) = &row.key;
        let claim = Claim::read(&row.record.description.text).filter(|claim| !claim.is_open);
        let allowed: Classes = match (rows.get(status), claim) {
            (Some(annotation), _) if annotation.deprecated.is_none() => {
                annotation.classes.iter().copied().collect()
            }
            (None, Some(claim)) => claim.named,
            _ => continue,
        };
        let pairs = associated.codes.iter().filter_map(|&reply_code| {
            let class = reply_code.class().filter(|class| !allowed.contains(*class))?;
            Some(Pair { reply_code, class, status: *status })
        });
        let is_recorded = |pair: &Pair| {
            let mut of_list =
                conflicts.iter().filter(|conflict| conflict.kind == ConflictKind::ListExceedsText);
            of_list.any(|conflict| conflict.pairs.contains(pair))
        };
        let pairs: Vec<Pair> = pairs.filter(|pair| !is_recorded(pair)).collect();
        if !pairs.is_empty() {
            missing.push((*status, pairs));
        }
    }
    missing
}

/// Returns the entries that `sync --propose` wrote and nobody has confirmed.
pub fn unreviewed(data: &Data) -> Vec<String> {
    let rows = data.annotations.rows.values().filter(|row| row.review).map(|row| {
        format!(
            "{FOLDER}/{ANNOTATIONS}: {} ({}) is only proposed; confirm its identifier, classes, basis and source, and \
             delete `review = true`",
            row.code, row.identifier
        )
    });
    let conflicts = data.annotations.conflicts.iter().filter(|conflict| conflict.review).map(|conflict| {
        format!(
            "{FOLDER}/{ANNOTATIONS}: a conflict of {} is only proposed; confirm it, and delete `review = true`",
            conflict.row
        )
    });
    let reply_codes = data.reply_codes.iter().filter(|entry| entry.review).map(|entry| {
        format!(
            "{FOLDER}/{REPLY_CODES}: {} ({}) is only proposed; confirm its name, meaning, client and sources, and delete \
             `review = true`",
            entry.code, entry.name
        )
    });
    let advice = data.explanation.advice.iter().filter(|entry| entry.review);
    let advice = advice.filter_map(|entry| entry.subject().ok()).map(|subject| {
        format!(
            "{FOLDER}/{ADVICE}: the advice for {} is only proposed; confirm its category and texts, and delete \
             `review = true`",
            subject.codes()
        )
    });
    rows.chain(conflicts).chain(reply_codes).chain(advice).collect()
}
