//! Rules about DATA and the replies to the message.

use crate::dialogue::Act;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

use super::{control, demand, header, is_followed, is_outside, limit, seen};

/// RFC 5321 §4.3.2. Any command may get 421, 500, 501 or 530.
const DATA: [u16; 11] = [421, 450, 451, 452, 500, 501, 503, 530, 550, 552, 554];
/// RFC 5321 §4.3.2. Anything may get 421.
const END: [u16; 8] = [250, 421, 450, 451, 452, 550, 552, 554];
/// Codes for one recipient after an LMTP message (RFC 2033 §4.2).
const END_LMTP: [u16; 3] = [251, 551, 553];
/// Codes that refuse BDAT itself.
const END_CHUNK: [u16; 4] = [500, 501, 502, 503];
/// Enhanced status codes about one recipient: its address or its mailbox (RFC 3463 §3.2, §3.3).
const RECIPIENT: [(u16, u16); 11] =
    [(1, 1), (1, 2), (1, 3), (1, 4), (1, 6), (1, 10), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4)];

/// Judges the replies to DATA.
pub(super) fn data(observation: &Observation<'_>, findings: &mut Findings) {
    // RFC 5321 §3.3, §4.3.2: a server that accepts DATA sends 354.
    if observation.is_accepted() {
        findings.add(RuleId::DATA_ANSWERED_354, seen(observation));
    } else if is_outside(observation, &[&DATA]) {
        findings.add(RuleId::END_OF_DATA_CODES, seen(observation));
    }
    needs_recipient(observation, findings);
    limit::recipients_of_message(observation, findings);
}

/// RFC 5321 §3.3: without a recipient, DATA gets 503 or 554. Another rule judges LMTP.
fn needs_recipient(observation: &Observation<'_>, findings: &mut Findings) {
    let bare = control::is_bare(observation);
    let session = observation.session;
    let chunked = session.transaction.as_ref().is_some_and(|transaction| transaction.chunked.is_some());
    let asks = demand::asks_first(observation);
    if observation.is_lmtp() || !is_followed(observation) || session.recipients() > 0 || chunked || asks {
        return;
    }
    let refused_otherwise = observation.is_refused() && !observation.is(&[503, 550, 554]);
    if observation.is(&[354]) || bare && refused_otherwise {
        let detail = format!("{} without a recipient", seen(observation));
        findings.add(RuleId::DATA_NEEDS_RECIPIENT, detail);
    }
}

/// RFC 4954 §6, RFC 6409 §4.3: 530 asks for a login, which comes before the data. After the message it can only be meant
/// as something else.
pub(super) fn access_denied(observation: &Observation<'_>, findings: &mut Findings) {
    let due = observation.is_end_of_data() && observation.session.recipients() > 0;
    if due && observation.is(&[530]) && observation.exchange.sure && !demand::asks_for_security(observation) {
        findings.add(RuleId::END_OF_DATA_CODES, seen(observation));
    }
}

/// Judges the replies after the final dot and to the last chunk.
pub(super) fn end(observation: &Observation<'_>, findings: &mut Findings) {
    codes(observation, findings);
    late_recipient(observation, findings);
    header::judge(observation, findings);
    limit::recipients_of_message(observation, findings);
    limit::data(observation, findings);
}

/// RFC 5321 §4.3.2. RFC 6409 §6.3 adds no code: 501 there is about a command. 500 may be about a line of the message
/// (RFC 5321 §4.5.3.1.9).
fn codes(observation: &Observation<'_>, findings: &mut Findings) {
    let session = observation.session;
    let chunk = matches!(observation.exchange.act, Act::Chunk { .. });
    let clean = session.transaction.as_ref().is_some_and(|transaction| !transaction.chunk_failed);
    let long_line = observation.is(&[500]) && observation.says(&["too long"]);
    if session.recipients() == 0 || !clean || long_line {
        return;
    }
    let lmtp: &[u16] = if observation.is_lmtp() { &END_LMTP } else { &[] };
    let chunk: &[u16] = if chunk { &END_CHUNK } else { &[] };
    if is_outside(observation, &[&END, lmtp, chunk]) {
        findings.add(RuleId::END_OF_DATA_CODES, seen(observation));
    }
}

/// RFC 5321 §3.3: if one of several recipients fails this late, the others should still get the message.
fn late_recipient(observation: &Observation<'_>, findings: &mut Findings) {
    let recipients = observation.session.recipients();
    if !observation.is_lmtp()
        && recipients > 1
        && observation.is_refused()
        && observation.has_detail(&RECIPIENT)
    {
        let detail = format!("{} for {recipients} recipients", seen(observation));
        findings.add(RuleId::LATE_RECIPIENT_FAILURE, detail);
    }
}
