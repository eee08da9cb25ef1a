//! Counts and replies as JSON lines.

use anyhow::{Context as _, Result};
use memchr::memmem;
use serde::Serialize;
use smtp_enhanced_status::ReplyCode;
use smtp_enhanced_status::explain::{Question, Retry, Stage, Vendor};

use crate::lint::counts::{Place, is_address};
use crate::lint::judged;
use crate::lint::key::RowKey;
use crate::lint::mask::{local_parts, masked};
use crate::lint::read::Seen;
use crate::lint::summary::{Broken, Summary};
use crate::visible::visible_json;

/// A line of the report.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Record<'s> {
    Summary(SummaryRecord),
    Row(RowRecord),
    Rule(RuleRecord<'s>),
    Group(GroupRecord<'s>),
    Trouble(TroubleRecord<'s>),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SummaryRecord {
    version: &'static str,
    registry_updated: &'static str,
    complete: bool,
    files: u64,
    octets: u64,
    lines: u64,
    messages: u64,
    connections: u64,
    replies: u64,
    accepted: u64,
    transient: u64,
    permanent: u64,
    refusals_without_enhanced_status_code: u64,
    repeats: u64,
    other_status: u64,
    binary_files: u64,
    not_read: u64,
}

/// Replies that have the same codes, category, vendor and direction.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RowRecord {
    pub(super) direction: &'static str,
    pub(super) reply_code: Option<u16>,
    pub(super) enhanced_status_code: Option<String>,
    /// The codes as they are written.
    pub(super) codes: String,
    pub(super) pairing: Option<String>,
    pub(super) category: &'static str,
    pub(super) retry: Option<&'static str>,
    pub(super) list: &'static str,
    pub(super) vendor: Option<&'static str>,
    pub(super) count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RuleRecord<'s> {
    rule: &'static str,
    level: String,
    codes: Option<String>,
    detail: Option<&'s str>,
    accepted: bool,
    count: u64,
    example: Option<ExampleRecord<'s>>,
}

#[derive(Serialize)]
struct ExampleRecord<'s> {
    file: &'s str,
    line: u64,
    column: Option<u64>,
    text: &'s str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GroupRecord<'s> {
    by: &'static str,
    /// `None` for all that are counted together.
    name: Option<&'s str>,
    replies: u64,
    accepted: u64,
    transient: u64,
    permanent: u64,
    refusals_without_enhanced_status_code: u64,
}

#[derive(Serialize)]
struct TroubleRecord<'s> {
    file: &'s str,
    /// `None` for the file as a whole.
    line: Option<u64>,
    what: &'s str,
}

/// Returns the counts: a line for the whole, and one for each row, broken rule, host or hour, and problem.
///
/// # Errors
///
/// Returns an error only if the JSON cannot be written, which is a bug in this program.
pub fn render(summary: &Summary) -> Result<String> {
    let mut records = vec![Record::Summary(SummaryRecord::of(summary))];
    records.extend(RowRecord::all(summary).map(Record::Row));
    records.extend(summary.rules.iter().map(|broken| Record::Rule(RuleRecord::of(broken))));
    if let Some(grouped) = &summary.groups {
        let named = grouped.groups.iter().map(|(name, tally)| (Some(name.as_str()), tally));
        let others = (grouped.others.replies > 0).then_some((None, &grouped.others));
        records.extend(named.chain(others).map(|(name, tally)| {
            Record::Group(GroupRecord {
                by: grouped.by.as_str(),
                name,
                replies: tally.replies,
                accepted: tally.accepted,
                transient: tally.transient,
                permanent: tally.permanent,
                refusals_without_enhanced_status_code: tally.without_enhanced,
            })
        }));
    }
    let troubles = summary.troubles.1.iter();
    records.extend(troubles.map(|(Place { file, line, .. }, what)| {
        Record::Trouble(TroubleRecord { file, line: (*line > 0).then_some(*line), what })
    }));
    let mut text = String::new();
    for record in records {
        text.push_str(&visible_json(&serde_json::to_string(&record).context("JSON lines")?));
        text.push('\n');
    }
    Ok(text)
}

impl SummaryRecord {
    fn of(summary: &Summary) -> SummaryRecord {
        let totals = &summary.totals;
        SummaryRecord {
            version: env!("CARGO_PKG_VERSION"),
            registry_updated: smtp_enhanced_status::REGISTRY_UPDATED,
            complete: summary.is_whole,
            files: totals.files,
            octets: totals.octets,
            lines: totals.lines,
            messages: totals.reports,
            connections: totals.connections,
            replies: totals.replies.replies,
            accepted: totals.replies.accepted,
            transient: totals.replies.transient,
            permanent: totals.replies.permanent,
            refusals_without_enhanced_status_code: totals.replies.without_enhanced,
            repeats: totals.repeats,
            other_status: totals.other_status,
            binary_files: totals.binary_files,
            not_read: summary.troubles.0,
        }
    }
}

impl RowRecord {
    pub(super) fn all(summary: &Summary) -> impl Iterator<Item = RowRecord> {
        summary.rows.iter().map(|(key, count)| RowRecord::of(key, *count))
    }

    fn of(key: &RowKey, count: u64) -> RowRecord {
        RowRecord {
            direction: key.direction.as_str(),
            reply_code: key.head.reply_code().map(ReplyCode::as_u16),
            enhanced_status_code: key.head.enhanced().map(|code| code.to_string()),
            codes: key.head.to_string(),
            pairing: judged::pairing(&key.head).map(|pairing| pairing.to_string()),
            category: key.category.id(),
            retry: key.retry.map(Retry::as_str),
            list: key.list.as_str(),
            vendor: key.vendor,
            count,
        }
    }
}

impl<'s> RuleRecord<'s> {
    fn of(broken: &'s Broken) -> RuleRecord<'s> {
        RuleRecord {
            rule: broken.key.rule.rule().id,
            level: broken.key.level.to_string(),
            codes: broken.head.map(|head| head.to_string()),
            detail: broken.detail.as_deref(),
            accepted: broken.accepted.is_some(),
            count: broken.count,
            example: broken.example.as_ref().map(|example| ExampleRecord {
                file: &example.place.file,
                line: example.place.line,
                column: example.place.column,
                text: &example.text,
            }),
        }
    }
}

/// A reply at its place.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReplyRecord<'s> {
    kind: &'static str,
    file: &'s str,
    line: u64,
    column: Option<u64>,
    direction: &'static str,
    stage: Option<&'static str>,
    host: Option<String>,
    recipient: Option<String>,
    reply_code: Option<u16>,
    enhanced_status_code: Option<String>,
    codes: String,
    pairing: Option<String>,
    category: &'static str,
    retry: Option<&'static str>,
    list: &'static str,
    matter: &'static str,
    vendor: Option<&'static str>,
    evidence: &'static str,
    certainty: &'static str,
    text: String,
}

/// Writes a reply as a line of JSON.
pub fn write_reply(seen: &Seen<'_>, is_raw: bool, text: &mut Vec<u8>) {
    let Seen { observed, place } = seen;
    let (mention, head) = (&observed.mention, &observed.key.head);
    let host = mention.host.map(|host| String::from_utf8_lossy(host).into_owned());
    let shown_host = host.clone().filter(|host| is_raw || !is_address(host));
    let recipient = recipient(observed.context).map(|address| String::from_utf8_lossy(address).into_owned());
    let mut question = Question::new(&mention.reply);
    if let Some(stage) = mention.stage {
        question = question.at(stage);
    }
    if let Some(host) = &host {
        question = question.from_host(host);
    }
    let answer = question.explain();
    let record = ReplyRecord {
        kind: "reply",
        file: &place.file,
        line: place.line,
        column: place.column,
        direction: mention.direction.as_str(),
        stage: mention.stage.map(Stage::as_str),
        host: shown_host,
        recipient: recipient.map(|address| if is_raw { address } else { "<address>".to_owned() }),
        reply_code: head.reply_code().map(ReplyCode::as_u16),
        enhanced_status_code: head.enhanced().map(|code| code.to_string()),
        codes: head.to_string(),
        pairing: judged::pairing(head).map(|pairing| pairing.to_string()),
        category: answer.category().id(),
        retry: answer.retry().map(Retry::as_str),
        list: answer.list().as_str(),
        matter: answer.category().matter().as_str(),
        vendor: answer.vendor().map(Vendor::id),
        evidence: answer.evidence().as_str(),
        certainty: answer.certainty().as_str(),
        text: if is_raw {
            String::from_utf8_lossy(&mention.reply).into_owned()
        } else {
            masked(&mention.reply, &local_parts(observed.context))
        },
    };
    // Texts and numbers can always be written.
    if let Ok(json) = serde_json::to_string(&record) {
        text.extend_from_slice(visible_json(&json).as_bytes());
        text.push(b'\n');
    }
}

/// Returns the address of the recipient that is around a reply: the whole context of a reply in a bounce, or what Postfix
/// and Sendmail write after `to=`, and Exim after `**` and `==`.
fn recipient(context: &[u8]) -> Option<&[u8]> {
    let after = |mark: &[u8]| memmem::find(context, mark).and_then(|start| context.get(start + mark.len()..));
    let text = after(b" to=").or_else(|| after(b" ** ")).or_else(|| after(b" == ")).unwrap_or(context);
    let text = text.strip_prefix(b"<").unwrap_or(text);
    let end = text.iter().position(|octet| matches!(octet, b'>' | b' ' | b',')).unwrap_or(text.len());
    Some(&text[..end]).filter(|address| address.contains(&b'@'))
}

#[cfg(test)]
mod tests {
    use super::recipient;

    #[test]
    fn the_recipient_is_found() {
        for (context, address) in [
            ("Nov 28 07:42:13 mx postfix/smtp[1]: A1: to=<a@example.org>, relay=x", Some("a@example.org")),
            ("2026-11-28 07:42:13 1vOx ** a@example.org R=r T=t: no", Some("a@example.org")),
            ("a@example.org", Some("a@example.org")),
            ("Nov 28 07:42:13 mx postfix/smtp[1]: A1: to=<a>, relay=x", None),
            ("", None),
        ] {
            assert_eq!(recipient(context.as_bytes()), address.map(str::as_bytes), "{context}");
        }
    }
}
