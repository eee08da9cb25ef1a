//! What the library says of replies, held against judgements by hand.

use smtp_enhanced_status::explain::{Category, ListAction, Question};

/// Recorded replies: host, category, reply.
const VENDOR_REPLIES: &str = include_str!("explain/vendor-replies.tsv");

fn rows(table: &'static str) -> impl Iterator<Item = [&'static str; 3]> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut cells = line.splitn(3, '\t');
        [(); 3].map(|()| cells.next().unwrap_or_default())
    })
}

#[test]
fn vendors_are_understood() {
    let mut wrong = Vec::new();
    let mut total = 0;
    for [host, category, reply] in rows(VENDOR_REPLIES) {
        let answer = Question::new(reply.as_bytes()).from_host(host).explain();
        total += 1;
        if answer.category().id() != category {
            let vendor = answer.vendor().map_or("-", |vendor| vendor.id());
            wrong.push(format!(
                "{host}: {reply}: {category}, not {} ({}, {vendor})",
                answer.category(),
                answer.evidence()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_the_host_no_address_is_removed_in_vain() {
    let keeps = |id: &str| {
        Category::from_id(id).is_some_and(|category| !category.matter().as_str().starts_with("recipient"))
    };
    let mut wrong = Vec::new();
    let mut same = 0;
    let mut total = 0;
    for [_, category, reply] in rows(VENDOR_REPLIES) {
        let answer = Question::new(reply.as_bytes()).explain();
        total += 1;
        same += usize::from(answer.category().id() == category);
        if keeps(category) && answer.list() == ListAction::Remove {
            wrong.push(format!("{reply}: {category}, not {} ({})", answer.category(), answer.evidence()));
        }
    }
    assert!(wrong.is_empty(), "{same} of {total} right; {} in vain:\n{}", wrong.len(), wrong.join("\n"));
}
