//! Counts in the text format of Prometheus, for the textfile collector of its node exporter, or to be scraped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::lint::summary::Summary;

/// How many series there are at most for replies. Further ones are counted together, with `other` as codes.
const SERIES: usize = 1000;

/// Returns the counts.
#[must_use]
pub fn render(summary: &Summary) -> String {
    let mut text = String::new();
    head(&mut text, "smtp_replies_total", "counter", "Replies seen, by codes, category and direction.");
    let mut series: BTreeMap<[String; 5], u64> = BTreeMap::new();
    for (index, (key, count)) in summary.rows.iter().enumerate() {
        let class = key.head.digit().map(|digit| char::from(digit).to_string()).unwrap_or_default();
        let (code, enhanced) = if index < SERIES {
            let code = key.head.reply_code().map(|code| code.to_string()).unwrap_or_default();
            (code, key.head.enhanced().map(|code| code.to_string()).unwrap_or_default())
        } else {
            ("other".to_owned(), "other".to_owned())
        };
        let labels = [code, enhanced, class, key.category.id().to_owned(), key.direction.as_str().to_owned()];
        *series.entry(labels).or_default() += count;
    }
    for ([code, enhanced, class, category, direction], count) in series {
        let _ = writeln!(
            text,
            "smtp_replies_total{{code=\"{code}\",enhanced_code=\"{enhanced}\",class=\"{class}\",\
             category=\"{category}\",direction=\"{direction}\"}} {count}"
        );
    }
    head(&mut text, "smtp_rule_violations_total", "counter", "Replies that break a rule, by rule and level.");
    let mut rules: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for broken in &summary.rules {
        *rules.entry((broken.key.rule.rule().id, broken.key.level.to_string())).or_default() += broken.count;
    }
    for ((rule, level), count) in rules {
        let _ = writeln!(text, "smtp_rule_violations_total{{rule=\"{rule}\",level=\"{level}\"}} {count}");
    }
    let totals = &summary.totals;
    for (name, help, count) in [
        ("smtp_lint_octets_total", "Octets read.", totals.octets),
        ("smtp_lint_lines_total", "Lines read.", totals.lines),
        ("smtp_lint_not_read_total", "Parts of the input that could not be read.", summary.troubles.0),
        ("smtp_replies_other_rows_total", "Replies that are not in smtp_replies_total.", summary.other_rows),
        (
            "smtp_refusals_without_enhanced_code_total",
            "Refusals without an enhanced status code.",
            totals.replies.without_enhanced,
        ),
    ] {
        head(&mut text, name, "counter", help);
        let _ = writeln!(text, "{name} {count}");
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
