//! How replies are sent: unchanged, or as a fault wants it.

use std::time::Duration;

use super::delivery::Letter;
use super::fault::{Fault, State, Way};
use super::key::Key;
use super::machine::Action;

/// How long the server waits for what a client may send too early.
const PAUSE: Duration = Duration::from_millis(500);

/// One thing that is done on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sends octets.
    Send(Vec<u8>),
    /// Sends octets, each in a separate packet.
    SendOctetByOctet(Vec<u8>),
    /// Sends octets with a pause after each.
    SendSlowly(Vec<u8>),
    /// Sends the octets again and again.
    SendEndlessly(Vec<u8>),
    /// Sends nothing for that long.
    Wait(Duration),
    /// Sends nothing from then on, and discards what comes in.
    Stall,
    /// Closes the sending side, and discards what comes in.
    HalfClose,
    /// Delivers a message.
    Deliver(Box<Letter>),
    /// Begins TLS.
    BeginTls,
    /// Closes the connection.
    Close,
}

/// Turns the actions of the session into steps on the connection.
pub(super) struct Wire {
    faults: Vec<&'static Fault>,
    /// Replies that come after the next one.
    held: Vec<u8>,
    /// Replies that come together with the next one.
    kept: Vec<u8>,
}

impl Wire {
    pub(super) fn new(faults: &[&'static Fault]) -> Wire {
        Wire { faults: faults.to_vec(), held: Vec::new(), kept: Vec::new() }
    }

    /// Returns the steps that carry out the actions of the session. `is_more` says whether more octets have come.
    pub(super) fn steps(&mut self, actions: Vec<Action>, is_more: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for action in actions {
            match action {
                Action::Reply { key, octets, states, way } => {
                    let way = self.way(key, &states, way);
                    self.reply(octets, way, is_more, &mut steps);
                }
                Action::Deliver(letter) => steps.push(Step::Deliver(letter)),
                Action::BeginTls => {
                    steps.extend(self.release());
                    steps.push(Step::BeginTls);
                }
                Action::Close => {
                    steps.extend(self.release());
                    steps.push(Step::Close);
                }
            }
        }
        joined(steps)
    }

    /// Returns the step that sends what was held back.
    fn release(&mut self) -> Option<Step> {
        let held = [std::mem::take(&mut self.kept), std::mem::take(&mut self.held)].concat();
        (!held.is_empty()).then_some(Step::Send(held))
    }

    /// Returns what happens to a reply, and how long the server waits before it. What is chosen for the reply comes first.
    fn way(&self, key: Key, states: &[State], chosen: Option<Way>) -> (Option<Way>, Duration) {
        if chosen.is_some() {
            return (chosen, Duration::ZERO);
        }
        let is_at = |fault: &&&Fault| fault.is_at(key, |state| states.contains(&state));
        let mut faults = self.faults.iter().filter(is_at);
        let found = faults.find_map(|fault| Some((fault.behaviour?.way()?, fault.delay())));
        found.map_or((None, Duration::ZERO), |(way, delay)| (Some(way), delay))
    }

    fn reply(
        &mut self,
        octets: Vec<u8>,
        (way, delay): (Option<Way>, Duration),
        is_more: bool,
        steps: &mut Vec<Step>,
    ) {
        let half = || half(&octets);
        let code = || octets.get(..3).unwrap_or(b"250").to_vec();
        let is_kept = match way {
            Some(Way::KeepsWhileMore) => is_more,
            Some(Way::KeepsGroup) => is_more || !self.kept.is_empty(),
            _ => false,
        };
        if is_kept {
            return self.kept.extend(octets);
        }
        if !self.kept.is_empty() {
            steps.push(Step::Send(std::mem::take(&mut self.kept)));
        }
        match way {
            None | Some(Way::KeepsWhileMore | Way::KeepsGroup) => steps.push(Step::Send(octets)),
            Some(Way::Silence) => {}
            Some(Way::Drop) => steps.push(Step::Close),
            Some(Way::DropAfter) => steps.extend([Step::Send(octets), Step::Close]),
            Some(Way::Cut) => steps.extend([Step::Send(half()), Step::Close]),
            Some(Way::Stall) => steps.push(Step::Stall),
            Some(Way::StallWithin) => steps.extend([Step::Send(half()), Step::Stall]),
            Some(Way::Twice) => steps.push(Step::Send([octets.as_slice(), &octets].concat())),
            Some(Way::Tardy) => steps.extend([Step::Wait(delay), Step::Send(octets)]),
            Some(Way::Pause) => steps.extend([Step::Wait(PAUSE), Step::Send(octets)]),
            Some(Way::Late) => return self.held.extend(octets),
            Some(Way::Slow) => steps.push(Step::SendSlowly(octets)),
            Some(Way::OctetByOctet) => steps.push(Step::SendOctetByOctet(octets)),
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

/// Joins consecutive steps that send octets into one.
fn joined(steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().fold(Vec::new(), |mut steps, step| {
        match (steps.last_mut(), step) {
            (Some(Step::Send(before)), Step::Send(octets)) => before.extend(octets),
            (_, step) => steps.push(step),
        }
        steps
    })
}

/// Returns about half of a reply. The cut is within the text of a line, neither within its code nor within its CR LF.
fn half(octets: &[u8]) -> Vec<u8> {
    let is_within_text = |end: &usize| {
        let line = octets[..*end].rsplit(|octet| *octet == b'\n').next().unwrap_or_default();
        line.len() > "250-".len()
    };
    let end = (octets.len() / 2..octets.len()).find(is_within_text).unwrap_or(octets.len() / 2);
    octets[..end].trim_ascii_end().to_vec()
}
