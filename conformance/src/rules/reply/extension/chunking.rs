//! Rules about CHUNKING and BINARYMIME (RFC 3030), and about DATA with PIPELINING (RFC 2920).

use crate::dialogue::Act;
use crate::dialogue::session::Transaction;
use crate::protocol::command::{Command, Verb};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::parameter_value::is_number;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    binary_part(observation, findings);
    match (observation.command, observation.session.transaction.as_deref()) {
        // The state after a refused chunk is indeterminate (RFC 3030 §2). Another rule judges what follows a failed BURL.
        (_, Some(transaction)) if transaction.chunk_failed || transaction.burl_failed => {}
        (Some(command), transaction) if command.verb() == Verb::Bdat => {
            chunk(observation, &command, transaction, findings);
        }
        (Some(command), Some(transaction))
            if command.verb() == Verb::Data && command.argument().is_empty() =>
        {
            data(observation, transaction, findings);
        }
        (None, Some(transaction)) => nothing_sent(observation, transaction, findings),
        _ => {}
    }
}

fn chunk(
    observation: &Observation<'_>,
    command: &Command<'_>,
    transaction: Option<&Transaction>,
    findings: &mut Findings,
) {
    if !observation.session.offers("CHUNKING") {
        return;
    }
    // RFC 3030 §2: an accepted chunk gets 250.
    if observation.is_accepted() && !observation.is(&[250]) {
        findings.add(RuleId::CHUNK_ANSWERED_250, observation.codes());
    }
    let recipients = transaction.is_some_and(|transaction| !transaction.recipients.is_empty());
    if !is_chunk(command) {
        return faulty_chunk(observation, recipients, findings);
    }
    if transaction.is_none() && observation.session.after_last_chunk {
        return chunk_after_last(observation, findings);
    }
    // RFC 3030 §2 names no code for a chunk without recipients. RFC 5321 §3.3 has 503 and 554 for DATA. 500 and 502
    // mean that BDAT is not implemented at all.
    let refused = observation.is_refused() && !observation.is(&[500, 502, 503, 554]);
    if !recipients && (refused || observation.is_accepted()) {
        findings
            .add(RuleId::BDAT_SYNTAX_501, format!("{} without an accepted recipient", observation.codes()));
    }
}

/// RFC 3030 §2 names no code for a malformed BDAT. RFC 5321 §4.3.2 has 501, and 500 for anything. Without a recipient,
/// the server may refuse BDAT because of the state.
fn faulty_chunk(observation: &Observation<'_>, recipients: bool, findings: &mut Findings) {
    let permitted: &[u16] = if recipients { &[500, 501] } else { &[500, 501, 502, 503, 554] };
    if observation.is_accepted() || (observation.is_refused() && !observation.is(permitted)) {
        findings.add(RuleId::BDAT_SYNTAX_501, format!("{} to a malformed BDAT", observation.codes()));
    }
}

/// RFC 3030 §2: a BDAT after BDAT LAST gets 503.
fn chunk_after_last(observation: &Observation<'_>, findings: &mut Findings) {
    if observation.is_accepted() || (observation.is_refused() && !observation.is(&[503])) {
        findings.add(RuleId::BDAT_AFTER_LAST_503, format!("{} to BDAT after BDAT LAST", observation.codes()));
    }
}

fn data(observation: &Observation<'_>, transaction: &Transaction, findings: &mut Findings) {
    let session = observation.session;
    if transaction.chunked.is_some() {
        if lacks_503(observation, transaction) {
            findings.add(RuleId::DATA_AFTER_BDAT_503, format!("{} to DATA after BDAT", observation.codes()));
        }
    } else if is_binary(transaction) && session.offers("BINARYMIME") {
        if lacks_503(observation, transaction) {
            let detail = format!("{} to DATA after BODY=BINARYMIME", observation.codes());
            findings.add(RuleId::DATA_AFTER_BINARYMIME_503, detail);
        }
    } else if session.offers("PIPELINING") && !observation.is_lmtp() {
        // RFC 2920 §3.2 (3). In LMTP, another rule demands more.
        if observation.is(&[354]) && transaction.recipients.is_empty() {
            findings.add(RuleId::PIPELINED_DATA_NEEDS_RECIPIENT, "354 without an accepted recipient");
        }
    }
}

/// Returns whether DATA for which RFC 3030 §2 and §3 demand 503 was accepted, or refused with another code for its
/// syntax or its place. A refusal because of missing recipients or by policy does not count.
fn lacks_503(observation: &Observation<'_>, transaction: &Transaction) -> bool {
    const MISTAKEN: [u16; 5] = [500, 501, 502, 504, 555];
    let protocol = observation.enhanced().is_none_or(|code| matches!(code.subject(), 0 | 5));
    let mistaken =
        observation.is(&MISTAKEN) || (observation.is(&[554]) && !transaction.recipients.is_empty());
    matches!(observation.digit(), Some(2 | 3)) || (mistaken && protocol)
}

/// RFC 3030 §3: a message with a binary part is accepted without BODY=BINARYMIME. It may be returned later. A message that has
/// more than lines of ASCII gives other reasons to refuse it, and so does a policy.
fn binary_part(observation: &Observation<'_>, findings: &mut Findings) {
    const WORDS: [&str; 3] = ["binary", "transfer-encoding", "transfer encoding"];
    let session = observation.session;
    let Some(message) = observation.whole_message() else { return };
    let is_by_policy = observation.enhanced().is_some_and(|code| code.subject() == 7);
    let blames = observation.has_detail(&[(6, 1), (6, 2), (6, 3)]) || observation.says(&WORDS);
    if !session.offers("BINARYMIME") || !observation.is_refused() || !blames || is_by_policy {
        return;
    }
    let is_plain = |octet: &u8| octet.is_ascii_graphic() || matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let has_binary = message.split(|octet| *octet == b'\n').any(declares_binary);
    let begun = session.transaction.as_deref();
    if has_binary && message.iter().all(is_plain) && !begun.is_some_and(is_binary) {
        let detail = format!("{} to a part with the transfer encoding binary", observation.codes());
        findings.add(RuleId::BINARY_PART_ACCEPTED, detail);
    }
}

/// Returns whether a line is a Content-Transfer-Encoding field with the value binary.
fn declares_binary(line: &[u8]) -> bool {
    let colon = line.iter().position(|octet| *octet == b':').unwrap_or(line.len());
    let (name, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") && value.eq_ignore_ascii_case(b"binary")
}

/// Returns whether MAIL had BODY=BINARYMIME.
fn is_binary(transaction: &Transaction) -> bool {
    transaction.command().envelope().is_some_and(|envelope| {
        envelope.value("BODY").is_some_and(|body| body.eq_ignore_ascii_case(b"BINARYMIME"))
    })
}

/// RFC 2920 §3.2 (4): a single dot after 354 without a recipient sends nothing to anybody. A 2yz reply would mean that
/// the server has taken responsibility for a message (RFC 5321 §4.2.5).
fn nothing_sent(observation: &Observation<'_>, transaction: &Transaction, findings: &mut Findings) {
    let dot = matches!(&observation.exchange.act, Act::Message(octets) if octets == b".\r\n");
    let nobody = transaction.data && transaction.recipients.is_empty();
    if dot
        && nobody
        && observation.is_accepted()
        && observation.session.offers("PIPELINING")
        && !observation.is_lmtp()
    {
        let detail = format!("{} to an empty message without a recipient", observation.codes());
        findings.add(RuleId::EMPTY_TRANSACTION_REFUSED, detail);
    }
}

/// Returns whether a command is a `bdat-cmd` (RFC 3030 §2): a size, and optionally LAST.
fn is_chunk(command: &Command<'_>) -> bool {
    let mut words = command.words();
    let size = words.next().is_some_and(|word| is_number(word, usize::MAX));
    let last = words.next().is_none_or(|word| word.eq_ignore_ascii_case(b"LAST"));
    size && last && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;
    use crate::readers::testing::Row;
    use crate::rules::reply::extension::testing::{check, offers};

    const MAIL: &str = "C: MAIL FROM:<bob@example.org>\nS: 250 2.1.0 Ok";
    const RECIPIENT: &str = "C: RCPT TO:<amy@example.org>\nS: 250 2.1.5 Ok";
    const CHUNK: &str = "C: BDAT 2\nC: ab\\+\nS: 250 2.0.0 Ok";
    const LAST: &str = "C: BDAT 2 LAST\nC: ab\\+\nS: 250 2.0.0 Ok";

    fn run(rows: &[Row<'_>]) {
        let ehlo = offers("PIPELINING\nCHUNKING\nBINARYMIME");
        check(Protocol::Smtp, &["S: 220 mx.example.org", "C: EHLO me", &ehlo], rows);
    }

    #[test]
    fn binary_parts() {
        let data = "C: DATA\nS: 354 Go";
        let part = "C: Content-transfer-encoding: Binary\nC: \nC: x\nC: .";
        let odd = "C: Content-Transfer-Encoding: binary\nC: \nC: \\xe9\nC: .";
        let other = "C: Content-Transfer-Encoding: 8bit\nC: \nC: x\nC: .";
        let chunk = "C: BDAT 38 LAST\nC: Content-Transfer-Encoding: binary\nC: \nC: x\\+";
        let binary = "C: MAIL FROM:<bob@example.org> BODY=BINARYMIME\nS: 250 2.1.0 Ok";
        let error = "binary-part-accepted error";
        run(&[
            (&[MAIL, RECIPIENT, data, part, "S: 554 5.6.3 No"], error),
            (&[MAIL, RECIPIENT, data, part, "S: 550 5.0.0 Binary content is not supported"], error),
            (&[MAIL, RECIPIENT, chunk, "S: 554 5.6.1 No"], error),
            (&[MAIL, RECIPIENT, data, part, "S: 250 2.0.0 Ok"], ""),
            (&[MAIL, RECIPIENT, data, part, "S: 451 4.6.3 No"], ""),
            (&[MAIL, RECIPIENT, data, part, "S: 550 5.7.1 No binary files"], ""),
            (&[MAIL, RECIPIENT, data, part, "S: 550 5.0.0 No"], ""),
            (&[MAIL, RECIPIENT, data, odd, "S: 554 5.6.3 No"], ""),
            (&[MAIL, RECIPIENT, data, other, "S: 554 5.6.3 No"], ""),
            (&[binary, RECIPIENT, chunk, "S: 554 5.6.3 No"], ""),
        ]);
    }

    #[test]
    fn chunks() {
        run(&[
            (&[MAIL, RECIPIENT, CHUNK], ""),
            (&[MAIL, RECIPIENT, "C: BDAT 2\nC: ab\\+", "S: 251 2.0.0 Ok"], "chunk-answered-250 error"),
            (&[MAIL, RECIPIENT, LAST, "C: BDAT 2\nC: ab\\+", "S: 503 5.5.1 No"], ""),
            (&[MAIL, RECIPIENT, LAST, "C: BDAT 2\nC: ab\\+", "S: 250 2.0.0 Ok"], "bdat-after-last-503 error"),
            (&[MAIL, RECIPIENT, LAST, "C: BDAT 2\nC: ab\\+", "S: 554 5.5.1 No"], "bdat-after-last-503 error"),
            (&[MAIL, RECIPIENT, LAST, "C: BDAT 2\nC: ab\\+", "S: 451 4.3.0 Later"], ""),
            (&[MAIL, RECIPIENT, "C: BDAT x", "S: 501 5.5.4 What?"], ""),
            (&[MAIL, RECIPIENT, "C: BDAT x", "S: 521 5.5.4 What?"], "bdat-syntax-501 note"),
            (&[MAIL, RECIPIENT, "C: BDAT", "S: 250 2.0.0 Ok"], "bdat-syntax-501 note"),
            (&[MAIL, RECIPIENT, "C: BDAT 0 FOO", "S: 503 5.5.1 What?"], "bdat-syntax-501 note"),
            (&[MAIL, "C: BDAT x", "S: 503 5.5.1 No"], ""),
            (&[MAIL, "C: BDAT 2\nC: ab\\+", "S: 554 5.5.1 No"], ""),
            (&[MAIL, "C: BDAT 0 LAST", "S: 551 5.7.1 Null BDAT request"], "bdat-syntax-501 note"),
            (&[MAIL, "C: BDAT 2\nC: ab\\+", "S: 250 2.0.0 Ok"], "bdat-syntax-501 note"),
            (&["C: BDAT 2\nC: ab\\+", "S: 503 5.5.1 No"], ""),
        ]);
        let plain = offers("DSN");
        check(
            Protocol::Smtp,
            &["S: 220 mx", "C: EHLO me", &plain, MAIL, RECIPIENT],
            &[
                (&["C: BDAT x", "S: 521 5.5.4 What?"], ""),
                (&["C: BDAT 2\nC: ab\\+", "S: 500 5.5.1 What?"], ""),
            ],
        );
    }

    #[test]
    fn data_and_chunks() {
        let binary = "C: MAIL FROM:<bob@example.org> BODY=BINARYMIME\nS: 250 2.1.0 Ok";
        let failed = "C: BDAT 2\nC: ab\\+\nS: 451 4.3.0 Later";
        run(&[
            (&[MAIL, RECIPIENT, CHUNK, "C: DATA", "S: 503 5.5.1 No"], ""),
            (&[MAIL, RECIPIENT, CHUNK, "C: DATA", "S: 354 Go"], "data-after-bdat-503 error"),
            (&[MAIL, RECIPIENT, CHUNK, "C: DATA", "S: 554 5.5.1 No"], "data-after-bdat-503 error"),
            (&[MAIL, RECIPIENT, CHUNK, "C: DATA", "S: 550 5.7.1 No"], ""),
            (&[MAIL, RECIPIENT, CHUNK, "C: DATA", "S: 451 4.3.0 Later"], ""),
            (&[MAIL, RECIPIENT, failed, "C: DATA", "S: 354 Go"], ""),
            (&[binary, RECIPIENT, "C: DATA", "S: 503 5.5.1 No"], ""),
            (&[binary, RECIPIENT, "C: DATA", "S: 354 Go"], "data-after-binarymime-503 error"),
            (&[binary, RECIPIENT, "C: DATA", "S: 501 5.5.1 No"], "data-after-binarymime-503 error"),
            (&[MAIL, RECIPIENT, "C: DATA", "S: 354 Go"], ""),
        ]);
    }

    #[test]
    fn data_without_recipients() {
        let refused = "C: RCPT TO:<nobody@example.org>\nS: 550 5.1.1 Who?";
        let data = "C: DATA\nS: 354 Go";
        run(&[
            (&[MAIL, refused, data], "pipelined-data-needs-recipient warning"),
            (&[MAIL, refused, "C: DATA", "S: 554 5.5.1 Nobody"], ""),
            (&[MAIL, refused, data, "C: .", "S: 554 5.5.1 Nobody"], ""),
            (&[MAIL, refused, data, "C: .", "S: 250 2.0.0 Ok"], "empty-transaction-refused warning"),
            (&[MAIL, RECIPIENT, data, "C: .", "S: 250 2.0.0 Ok"], ""),
        ]);
        let ehlo = offers("PIPELINING");
        check(Protocol::Lmtp, &["S: 220 mx", "C: LHLO me", &ehlo, MAIL, refused], &[(&[data], "")]);
    }
}
