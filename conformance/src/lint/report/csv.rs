//! Counts as comma-separated values: a row for all replies that have the same codes, category, vendor and direction, or that
//! are in the same group.

use std::fmt::Write as _;

use super::jsonl::RowRecord;
use crate::lint::counts::Tally;
use crate::lint::summary::{Grouped, Summary};

/// Returns the rows, after a head: the groups if replies were grouped.
#[must_use]
pub fn render(summary: &Summary) -> String {
    summary.groups.as_ref().map_or_else(|| rows(summary), groups)
}

fn groups(grouped: &Grouped) -> String {
    let by = grouped.by.as_str();
    let mut text =
        format!("{by},replies,accepted,temporary,permanent,refusals-without-enhanced-status-code\n");
    let others = (grouped.others.replies > 0).then_some(("(others, counted together)", &grouped.others));
    let named = grouped.groups.iter().map(|(name, tally)| (name.as_str(), tally));
    for (name, tally) in named.chain(others) {
        let Tally { replies, accepted, transient, permanent, without_enhanced } = tally;
        text.push_str(&escaped(name));
        let _ = writeln!(text, ",{replies},{accepted},{transient},{permanent},{without_enhanced}");
    }
    text
}

fn rows(summary: &Summary) -> String {
    let mut text = String::from(
        "direction,reply-code,enhanced-status-code,codes,pairing,category,retry,list,vendor,count\n",
    );
    for row in RowRecord::all(summary) {
        let reply_code = row.reply_code.map(|code| code.to_string()).unwrap_or_default();
        let cells = [
            row.direction.to_owned(),
            reply_code,
            row.enhanced_status_code.unwrap_or_default(),
            row.codes,
            row.pairing.unwrap_or_default(),
            row.category.to_owned(),
            row.retry.unwrap_or_default().to_owned(),
            row.list.to_owned(),
            row.vendor.unwrap_or_default().to_owned(),
            row.count.to_string(),
        ];
        text.push_str(&cells.map(|cell| escaped(&cell)).join(","));
        text.push('\n');
    }
    text
}

/// Quotes a cell if it has to be (RFC 4180 §2), and keeps spreadsheets from taking it for a formula.
fn escaped(cell: &str) -> String {
    let cell = crate::report::escape::escaped(cell);
    let cell = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell };
    if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn cells_are_quoted() {
        assert_eq!(escaped("550 5.1.1"), "550 5.1.1");
        assert_eq!(escaped("550 5,\"1"), "\"550 5,\"\"1\"");
        assert_eq!(escaped("=1+2"), "'=1+2");
    }
}
