//! `smtp-conformance rules`: the catalogue.

use anyhow::{Result, bail};
use clap::Args;

use super::terminal::say;
use crate::rules::catalogue::{Rule, RuleId, rules};

#[derive(Args)]
pub(super) struct Options {
    /// A rule's id, or its label.
    id: Option<String>,
}

/// Prints all rules, or one in full.
pub(super) fn run(options: &Options) -> Result<()> {
    let Some(id) = &options.id else {
        for rule in rules() {
            let level = rule.level.map_or("-".to_owned(), |level| level.to_string());
            let left_out = if rule.left_out.is_some() { " (left out)" } else { "" };
            say!("{:<11} {level:<8} {:<9} {}{left_out}", rule.label, rule.keyword, rule.id);
        }
        return Ok(());
    };
    let Some(rule) = RuleId::find(id) else {
        bail!("{}", RuleId::unknown(id));
    };
    print_rule(rule.rule());
    Ok(())
}

fn print_rule(rule: &Rule) {
    let level = rule.level.map_or("explains, is never broken".to_owned(), |level| level.to_string());
    say!("{} ({})\n\n{}\n", rule.id, rule.label, rule.statement);
    say!("Level:   {level}\nKeyword: {}\nSources: {}", rule.keyword, rule.sources.join("; "));
    for condition in rule.conditions {
        say!("  {} where {} ({})", condition.level, condition.when, condition.name);
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
