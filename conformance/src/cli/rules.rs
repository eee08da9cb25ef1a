//! `smtp-conformance rules`: prints the rule catalogue.

use anyhow::anyhow;
use clap::Args;

use super::misused;
use super::terminal::say;
use crate::rules::catalogue::{Rule, RuleId, topics};

pub(super) const EXAMPLES: &str = "\
Examples:
  smtp-conformance rules                          List all rules
  smtp-conformance rules enhanced-code-present    Explain a rule, given its id
  smtp-conformance rules ES-05                    The same, given its label";

#[derive(Args)]
pub(super) struct Options {
    /// Id or label of a rule to explain. Without it, all rules are listed.
    id: Option<String>,
}

/// Prints a list of all rules, or one rule in full, and returns the exit status.
pub(super) fn run(options: &Options) -> u8 {
    let Some(id) = &options.id else {
        for topic in topics() {
            say!("{}\n", topic.title);
            topic.rules().for_each(print_row);
            say!("");
        }
        return 0;
    };
    let Some(rule) = RuleId::find(id) else {
        return misused(&anyhow!(RuleId::unknown(id)));
    };
    print_rule(rule.rule());
    0
}

fn print_row(rule: &Rule) {
    let level = rule.level.map_or("-".to_owned(), |level| level.to_string());
    let left_out = if rule.left_out.is_some() { " (left out)" } else { "" };
    say!("  {:<6} {level:<8} {:<9} {}{left_out}", rule.label, rule.keyword, rule.id);
}

fn print_rule(rule: &Rule) {
    let level = rule.level.map_or("none, the rule only explains".to_owned(), |level| level.to_string());
    say!("{} ({})\n\n{}\n", rule.id, rule.label, rule.statement);
    say!("Level:   {level}");
    if let Some(reason) = rule.level_reason {
        say!("  because {reason}");
    }
    say!("Keyword: {} ({})", rule.keyword, rule.keyword.meaning());
    say!("Sources: {}", rule.sources.join("; "));
    for requirement in rule.requirements {
        say!("  {} {}: {}", requirement.id, requirement.words, requirement.asks);
    }
    for condition in rule.conditions {
        say!("  {} if {} ({})", condition.level, condition.when, condition.name);
        if let Some(reason) = condition.level_reason {
            say!("    because {reason}");
        }
    }
    if let Some(reason) = rule.left_out {
        say!("Left out: {reason}");
    }
    for other in rule.yields_to {
        say!("Yields to: {other}");
    }
    say!("\nWhy: {}", rule.why);
    if !rule.fix.is_empty() {
        say!("Fix: {}", rule.fix);
    }
    for (server, fix) in rule.fixes {
        say!("  {server}: {fix}");
    }
}
