//! The report that people read: rules broken, worst first, each with the exchange that shows it.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::catalogue::{Level, Rule};
use crate::dialogue::{Act, End, Exchange};
use crate::record::{Found, Header, Record, Summary};
use crate::run::Verdict;

/// How many lines of a message or of a reply are shown.
const SHOWN: usize = 8;
/// How many characters of a line are shown.
const WIDTH: usize = 160;

/// The report. What a server sent is shown escaped, so no reply can move the cursor or forge a line.
#[must_use]
pub fn render(records: &[Record]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(records, &mut text);
    text
}

fn write(records: &[Record], text: &mut String) -> fmt::Result {
    let mut broken: BTreeMap<(std::cmp::Reverse<Level>, &str), Vec<&Found>> = BTreeMap::new();
    for record in records {
        match record {
            Record::Header(header) => write_header(header, text)?,
            Record::Finding(found) => {
                broken.entry((std::cmp::Reverse(found.level), found.rule.as_str())).or_default().push(found);
            }
            _ => {}
        }
    }
    for ((level, rule), found) in &broken {
        write_rule(records, level.0, rule, found, text)?;
    }
    write_cases(records, text)?;
    for record in records {
        if let Record::Summary(summary) = record {
            write_summary(summary, text)?;
        }
    }
    Ok(())
}

/// What was not judged, by its reason, so that a reader sees which flag would enable it.
fn write_cases(records: &[Record], text: &mut String) -> fmt::Result {
    let mut idle: BTreeMap<(Verdict, &str), Vec<&str>> = BTreeMap::new();
    for record in records {
        if let Record::Case(case) = record
            && matches!(
                case.verdict,
                Verdict::Blocked
                    | Verdict::Skipped
                    | Verdict::Inconclusive
                    | Verdict::Unsupported
                    | Verdict::Error
            )
        {
            idle.entry((case.verdict, &case.reason)).or_default().push(&case.id);
        }
    }
    for ((verdict, reason), cases) in &idle {
        let named = cases.iter().take(3).map(|case| escaped(case)).collect::<Vec<_>>().join(", ");
        let more = if cases.len() > 3 { ", ..." } else { "" };
        writeln!(text, "{verdict:<12} {:>3}  {} ({named}{more})", cases.len(), escaped(reason))?;
    }
    if !idle.is_empty() {
        writeln!(text)?;
    }
    Ok(())
}

fn write_header(header: &Header, text: &mut String) -> fmt::Result {
    let Header { version, registry_updated, target, .. } = header;
    writeln!(text, "{}", escaped(target))?;
    writeln!(text, "smtp-conformance {version}, registry of {registry_updated}\n")
}

fn write_rule(
    records: &[Record],
    level: Level,
    rule: &str,
    found: &[&Found],
    text: &mut String,
) -> fmt::Result {
    let Some(first) = found.first() else { return Ok(()) };
    let times = if found.len() == 1 { String::new() } else { format!(", {} times", found.len()) };
    writeln!(text, "{level} {}{times}", escaped(rule))?;
    writeln!(text, "  {} [{}]", escaped(&first.statement), escaped(&first.sources.join("; ")))?;
    // Notes are many; what they say is enough.
    if level == Level::Note {
        let mut details: BTreeMap<&str, usize> = BTreeMap::new();
        for found in found {
            *details.entry(&found.detail).or_default() += 1;
        }
        for (detail, count) in details {
            writeln!(text, "  {count:>4} x {}", escaped(detail))?;
        }
        return writeln!(text);
    }
    writeln!(text, "  Seen: {}", escaped(&first.detail))?;
    text.push_str(&evidence(records, first));
    if let Some(rule) = first.catalogued() {
        write_mend(rule.rule(), text)?;
    }
    writeln!(text)
}

/// The exchange that shows a breach.
pub(super) fn evidence(records: &[Record], found: &Found) -> String {
    let mut text = String::new();
    for record in records {
        let _ = match record {
            Record::Dialogue(opening) if opening.dialogue == found.place.dialogue => {
                writeln!(text, "    in {}, exchange {}", escaped(&opening.name), found.place.exchange + 1)
            }
            Record::Exchange(spoken)
                if (spoken.dialogue, spoken.number) == (found.place.dialogue, found.place.exchange) =>
            {
                write_exchange(&spoken.exchange, &mut text)
            }
            _ => Ok(()),
        };
    }
    text
}

fn write_mend(rule: &Rule, text: &mut String) -> fmt::Result {
    if !rule.mend.is_empty() {
        writeln!(text, "  Mend: {}", rule.mend)?;
    }
    rule.mends.iter().try_for_each(|(server, mend)| writeln!(text, "    {server}: {mend}"))
}

fn write_exchange(exchange: &Exchange, text: &mut String) -> fmt::Result {
    match &exchange.act {
        Act::Connect => writeln!(text, "    # connected")?,
        Act::Handshake => writeln!(text, "    # TLS")?,
        Act::Wait => {}
        act => write_lines("C", &act.octets(), text)?,
    }
    for answer in &exchange.answers {
        write_lines("S", &answer.octets, text)?;
    }
    match exchange.end {
        End::Answered => Ok(()),
        End::TimedOut => writeln!(text, "    # no more came"),
        End::Closed => writeln!(text, "    # closed by the server"),
        End::Failed => writeln!(text, "    # the connection broke"),
    }
}

fn write_lines(who: &str, octets: &[u8], text: &mut String) -> fmt::Result {
    let lines: Vec<&[u8]> = octets.split_inclusive(|octet| *octet == b'\n').collect();
    for line in lines.iter().take(SHOWN) {
        let shown = line.strip_suffix(b"\r\n").unwrap_or(line);
        let cut = if shown.len() > WIDTH { format!("... ({} octets)", line.len()) } else { String::new() };
        writeln!(text, "    {who}: {}{cut}", shown[..shown.len().min(WIDTH)].escape_ascii())?;
    }
    match lines.len().checked_sub(SHOWN) {
        Some(more @ 1..) => writeln!(text, "    {who}: ... ({more} lines more)"),
        _ => Ok(()),
    }
}

fn write_summary(summary: &Summary, text: &mut String) -> fmt::Result {
    let agreement = &summary.agreement;
    let sum = |pairs: &BTreeMap<String, usize>| (pairs.len(), pairs.values().sum::<usize>());
    let (listed, unlisted, no_list) =
        (sum(&agreement.listed), sum(&agreement.unlisted), sum(&agreement.no_list));
    let (unregistered, mismatch) = (sum(&agreement.unregistered), sum(&agreement.class_mismatch));
    writeln!(
        text,
        "Registry agreement, pairs (replies): {} ({}) listed, {} ({}) unlisted, {} ({}) without list, {} ({}) \
         unregistered, {} ({}) of two classes",
        listed.0,
        listed.1,
        unlisted.0,
        unlisted.1,
        no_list.0,
        no_list.1,
        unregistered.0,
        unregistered.1,
        mismatch.0,
        mismatch.1
    )?;
    if !summary.cases.is_empty() {
        let verdicts = summary.cases.iter().map(|(verdict, count)| format!("{count} {verdict}"));
        writeln!(text, "Cases: {}", verdicts.collect::<Vec<_>>().join(", "))?;
    }
    if let Some(problem) = &summary.certificate {
        writeln!(text, "Certificate: {} (--verify-tls takes none that is not good)", escaped(problem))?;
    }
    let Summary { dialogues, exchanges, errors, warnings, notes, .. } = summary;
    writeln!(
        text,
        "{exchanges} exchanges on {dialogues} connections: {errors} errors, {warnings} warnings, {notes} notes"
    )
}

/// Text from outside: control characters and what turns the direction of writing are shown as escapes.
pub(super) fn escaped(text: &str) -> String {
    let harmless =
        |character: char| character.is_ascii_graphic() || character == ' ' || "§–—’“”".contains(character);
    text.chars()
        .flat_map(|character| match harmless(character) {
            true => vec![character],
            false => character.escape_default().collect(),
        })
        .collect()
}
