//! Reply rules about extensions and related standards.

mod atrn;
mod auth;
mod burl;
mod checkpoint;
mod chunking;
mod conversion;
mod deliver_by;
pub(crate) mod dsn;
mod eight_bit_mime;
mod etrn;
mod future_release;
mod greylisting;
mod limits;
mod message_authentication;
mod mt_priority;
mod no_soliciting;
mod null_mx;
pub(crate) mod parameter_value;
mod profile;
mod refusal;
mod required_first;
mod requiretls;
mod rrvs;
mod size;
mod starttls;
mod submission;
mod submitter;
#[cfg(test)]
mod testing;
mod utf8;

use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    // After 421, or after a greeting that refuses everything, a reply is not about its command.
    let refused = observation.session.greeting.is_some_and(|greeting| greeting != 220);
    if refused || observation.session.shut_down {
        return;
    }
    auth::judge_anywhere(observation, findings);
    if observation.is(&[421]) {
        return;
    }
    submission::judge_anywhere(observation, findings);
    profile::judge(observation, findings);
    required_first::judge(observation, findings);
    if !observation.is_about_command() || required_first::explains(observation) {
        return;
    }
    starttls::judge(observation, findings);
    auth::judge(observation, findings);
    size::judge(observation, findings);
    chunking::judge(observation, findings);
    dsn::judge(observation, findings);
    utf8::judge(observation, findings);
    future_release::judge(observation, findings);
    deliver_by::judge(observation, findings);
    mt_priority::judge(observation, findings);
    eight_bit_mime::judge(observation, findings);
    conversion::judge(observation, findings);
    checkpoint::judge(observation, findings);
    rrvs::judge(observation, findings);
    submitter::judge(observation, findings);
    etrn::judge(observation, findings);
    atrn::judge(observation, findings);
    burl::judge(observation, findings);
    limits::judge(observation, findings);
    message_authentication::judge(observation, findings);
    null_mx::judge(observation, findings);
    greylisting::judge(observation, findings);
    no_soliciting::judge(observation, findings);
    requiretls::judge(observation, findings);
    submission::judge(observation, findings);
}
