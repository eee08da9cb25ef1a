//! How replies go out: as they are, or as a fault has it.

use std::time::Duration;

use super::fault::{Fault, State, Way};
use super::key::Key;
use super::machine::Action;

/// Something that is done to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Octets go out.
    Send(Vec<u8>),
    /// Octets go out, each in a packet of its own.
    SendApart(Vec<u8>),
    /// Octets go out, with a pause behind each.
    SendSlowly(Vec<u8>),
    /// Octets go out again and again.
    SendEndlessly(Vec<u8>),
    /// Nothing goes out for that long.
    Wait(Duration),
    /// Nothing goes out any more; what comes in is dropped.
    Stall,
    /// Nothing goes out any more, and the client is told; what comes in is read.
    HalfClose,
    /// TLS begins.
    BeginTls,
    /// The connection is closed.
    Close,
}

/// The way from the session to the connection.
pub(super) struct Wire {
    faults: Vec<&'static Fault>,
    held: Vec<u8>,
}

impl Wire {
    pub(super) fn new(faults: &[&'static Fault]) -> Wire {
        Wire { faults: faults.to_vec(), held: Vec::new() }
    }

    /// What is done for what the session wants.
    pub(super) fn steps(&mut self, actions: Vec<Action>) -> Vec<Step> {
        let mut steps = Vec::new();
        for action in actions {
            match action {
                Action::Reply { key, octets, states } => self.reply(key, octets, &states, &mut steps),
                Action::BeginTls => steps.push(Step::BeginTls),
                Action::Close => {
                    steps.extend(self.release());
                    steps.push(Step::Close);
                }
            }
        }
        joined(steps)
    }

    /// What is held back.
    fn release(&mut self) -> Option<Step> {
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then_some(Step::Send(held))
    }

    fn reply(&mut self, key: Key, octets: Vec<u8>, states: &[State], steps: &mut Vec<Step>) {
        let is_at = |fault: &&&Fault| fault.is_at(key, |state| states.contains(&state));
        let behaviour =
            self.faults.iter().filter(is_at).find_map(|fault| Some((fault.behaviour?.way()?, *fault)));
        let way = behaviour.map(|(way, _)| way);
        // Within a line, not within its end.
        let half = || octets.get(..octets.len() / 2).unwrap_or_default().trim_ascii_end().to_vec();
        let code = || octets.get(..3).unwrap_or(b"250").to_vec();
        match way {
            None => steps.push(Step::Send(octets)),
            Some(Way::Silence) => {}
            Some(Way::Drop) => steps.push(Step::Close),
            Some(Way::DropBehind) => steps.extend([Step::Send(octets), Step::Close]),
            Some(Way::Cut) => steps.extend([Step::Send(half()), Step::Close]),
            Some(Way::Stall) => steps.push(Step::Stall),
            Some(Way::StallWithin) => steps.extend([Step::Send(half()), Step::Stall]),
            Some(Way::Twice) => steps.push(Step::Send([octets.as_slice(), &octets].concat())),
            Some(Way::Tardy) => {
                let delay = behaviour.map(|(_, fault)| fault.delay()).unwrap_or_default();
                steps.extend([Step::Wait(delay), Step::Send(octets)]);
            }
            Some(Way::Late) => return self.held.extend(octets),
            Some(Way::Slow) => steps.push(Step::SendSlowly(octets)),
            Some(Way::Octetwise) => steps.push(Step::SendApart(octets)),
            Some(Way::HalfClose) => steps.extend([Step::Send(octets), Step::HalfClose]),
            Some(Way::EndlessLines) => steps.push(Step::SendEndlessly([&code(), &b"-more\r\n"[..]].concat())),
            Some(Way::EndlessText) => {
                steps.extend([
                    Step::Send([&code(), &b" "[..]].concat()),
                    Step::SendEndlessly(b"more ".to_vec()),
                ]);
            }
        }
        steps.extend(self.release());
    }
}

/// The steps, octets that follow each other in one.
fn joined(steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().fold(Vec::new(), |mut steps, step| {
        match (steps.last_mut(), step) {
            (Some(Step::Send(before)), Step::Send(octets)) => before.extend(octets),
            (_, step) => steps.push(step),
        }
        steps
    })
}
