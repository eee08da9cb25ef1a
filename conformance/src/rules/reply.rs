//! Reply rules: each looks at one reply, the act it answers, and the session before that act.

mod announcement;
pub(crate) mod command;
mod enhanced;
pub(crate) mod extension;
mod lmtp;
pub(crate) mod registry;
mod syntax;

use crate::protocol::reply::DefectSet;
use crate::rules::finding::Findings;
use crate::rules::observation::Observation;

/// Judges a reply: its framing, its code, its code for this command, its enhanced status code, its pair.
pub(super) fn judge(observation: &Observation<'_>, findings: &mut Findings) {
    syntax::judge(observation, findings);
    if observation.is_lost() {
        return;
    }
    if observation.reply.defects().intersects(DefectSet::FRAMING) || observation.reply.code().is_none() {
        return;
    }
    if observation.is_sure() {
        command::judge(observation, findings);
        extension::judge(observation, findings);
        lmtp::judge(observation, findings);
    }
    if observation.is_sure() {
        announcement::judge(observation, findings);
    }
    enhanced::judge(observation, findings);
    registry::judge(observation, findings);
    registry::name_conflict(observation, findings);
}
