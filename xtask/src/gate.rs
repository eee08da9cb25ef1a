//! The checks that a new registry has to pass before anything is written.

use anyhow::{Result, anyhow, bail};

use crate::code::Status;
use crate::date;
use crate::quirk::Quirks;
use crate::registry::Registry;

/// What the user allows explicitly.
#[derive(Clone, Debug, Default)]
pub struct Allowances {
    /// Rows that may be missing.
    pub removals: Vec<Status>,
    /// Whether the registry may be older than the snapshot.
    pub older: bool,
}

/// The fewest rows that the tables of classes, subjects and statuses ever had.
const FLOORS: [usize; 3] = [3, 8, 78];
/// How many days a registry may be ahead of this machine's clock: one for time zones, and one for an inaccurate clock.
const DAYS_AHEAD: u64 = 2;

/// Parses and checks a registry that is to replace the snapshot, and marks the quirks that it needs.
pub fn pass(
    octets: &[u8],
    current: &Registry,
    quirks: &mut Quirks,
    allowances: &Allowances,
) -> Result<Registry> {
    let registry = read(octets, quirks)?;
    check_floors(&registry, allowances)?;
    check_removals(&registry, current, allowances)?;
    check_date(&registry.updated, &current.updated, allowances)?;
    Ok(registry)
}

/// Parses a registry, and says what is wrong if the octets are none.
pub fn read(octets: &[u8], quirks: &mut Quirks) -> Result<Registry> {
    if looks_like_html(octets) {
        bail!(
            "this is an HTML page, not a registry; open the address in a browser: a login page or a proxy may be in \
             the way"
        );
    }
    Registry::read(octets, quirks).map_err(|error| anyhow!("{error}; check where the file comes from"))
}

fn looks_like_html(octets: &[u8]) -> bool {
    let start = octets.trim_ascii_start();
    let starts =
        |tag: &str| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    starts("<!doctype html") || starts("<html")
}

fn check_floors(registry: &Registry, allowances: &Allowances) -> Result<()> {
    let counts = [registry.classes.rows.len(), registry.subjects.rows.len(), registry.statuses.rows.len()];
    for ((count, floor), what) in counts.into_iter().zip(FLOORS).zip(["classes", "subjects", "statuses"]) {
        let accepted = if what == "statuses" { allowances.removals.len() } else { 0 };
        if count + accepted < floor {
            bail!(
                "the registry has {count} {what}, but it never had fewer than {floor}; it seems to be incomplete, so \
                 try again"
            );
        }
    }
    Ok(())
}

/// Fails if the registry is older than the snapshot, or dated in the future. After a future date, the next real
/// registry would be refused as older.
fn check_date(date: &str, current: &str, allowances: &Allowances) -> Result<()> {
    if date < current && !allowances.older {
        bail!(
            "the registry of {date} is older than the snapshot of {current}; to accept it, add --allow-older"
        );
    }
    let (today, last) = (date::in_days(0), date::in_days(DAYS_AHEAD));
    // The snapshot's own date was accepted before.
    if date > current && *date > *last {
        bail!(
            "the registry is dated {date}, which is in the future: by this machine's clock, today is {today}; if the clock \
             is wrong, set it, and otherwise check where the file comes from"
        );
    }
    Ok(())
}

fn check_removals(registry: &Registry, current: &Registry, allowances: &Allowances) -> Result<()> {
    let classes = registry.classes.rows.iter().map(|row| row.key);
    let subjects: Vec<u16> = registry.subjects.rows.iter().map(|row| row.key).collect();
    let class_gone = current.classes.rows.iter().any(|row| !classes.clone().any(|class| class == row.key));
    let subject_gone = current.subjects.rows.iter().any(|row| !subjects.contains(&row.key));
    if class_gone || subject_gone {
        bail!(
            "a class or subject of the snapshot is missing, which no option accepts; the registry seems to be \
             incomplete, so try again"
        );
    }
    let rows = current.statuses.rows.iter().map(|row| row.key.0);
    let gone: Vec<String> = rows
        .filter(|&status| registry.status(status).is_none() && !allowances.removals.contains(&status))
        .map(|status| format!("--accept-removal {status}"))
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    bail!(
        "rows of the snapshot are missing, so their identifiers would disappear; if IANA really removed them, add {}",
        gone.join(" ")
    )
}
