//! Extensions and the standards beside them: rules about one reply.

mod auth;
mod chunking;
mod collision;
mod delivery;
mod demand;
mod dsn;
mod limits;
mod policy;
mod profile;
mod queue;
mod reason;
mod size;
mod starttls;
mod submission;
#[cfg(test)]
mod testing;
mod utf8;
mod value;

use crate::rules::finding::Breaches;
use crate::rules::observation::Observation;

pub(super) fn judge(observation: &Observation<'_>, breaches: &mut Breaches) {
    // Behind 421, or behind a greeting that refuses everything, a reply is not about its command.
    let refused = observation.session.greeting.is_some_and(|greeting| greeting != 220);
    if refused || observation.session.shut_down || observation.is(&[421]) {
        return;
    }
    submission::judge_anywhere(observation, breaches);
    profile::judge(observation, breaches);
    demand::judge(observation, breaches);
    if !observation.is_about_command() {
        return;
    }
    starttls::judge(observation, breaches);
    auth::judge(observation, breaches);
    size::judge(observation, breaches);
    chunking::judge(observation, breaches);
    dsn::judge(observation, breaches);
    utf8::judge(observation, breaches);
    delivery::judge(observation, breaches);
    queue::judge(observation, breaches);
    limits::judge(observation, breaches);
    policy::judge(observation, breaches);
    submission::judge(observation, breaches);
    collision::judge(observation, breaches);
}
