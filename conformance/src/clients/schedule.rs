//! The order in which behaviours run.

use std::collections::{BTreeSet, VecDeque};

use super::behaviour::Behaviour;

/// The behaviours that have not begun.
pub(super) struct Schedule<'a> {
    waiting: VecDeque<&'a Behaviour>,
    /// Those that can be waited for.
    chosen: BTreeSet<&'a str>,
}

impl<'a> Schedule<'a> {
    /// Puts first what others wait for, then what takes long whatever the client does.
    pub(super) fn new(behaviours: &'a [Behaviour]) -> Schedule<'a> {
        let mut waiting: Vec<&Behaviour> = behaviours.iter().collect();
        waiting.sort_by_key(|one| (!one.is_base, !one.is_slow, !one.script.pauses()));
        let chosen = behaviours.iter().map(|one| one.id.as_str()).collect();
        Schedule { waiting: waiting.into(), chosen }
    }

    /// Takes the next behaviour that depends on no other one, or on one that was tried. Returns `None` if there is no such
    /// behaviour yet.
    pub(super) fn next(&mut self, was_tried: impl Fn(&str) -> bool) -> Option<&'a Behaviour> {
        let is_ready = |one: &&Behaviour| {
            one.base.as_deref().is_none_or(|base| was_tried(base) || !self.chosen.contains(base))
        };
        let place = self.waiting.iter().position(is_ready)?;
        self.waiting.remove(place)
    }

    /// Returns a behaviour that is left.
    pub(super) fn left(&self) -> Option<&'a Behaviour> {
        self.waiting.front().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::behaviour::built_in;

    #[test]
    fn what_others_wait_for_comes_first_and_then_what_takes_long() {
        let behaviours = built_in().expect("they are well-formed");
        let mut schedule = Schedule::new(&behaviours);
        let mut order: Vec<&Behaviour> = Vec::new();
        while let Some(next) = schedule.next(|base| order.iter().any(|one| one.id == base)) {
            order.push(next);
        }
        assert_eq!(order.len(), behaviours.len());
        assert!(schedule.left().is_none());
        let place = |id: &str| order.iter().position(|one| one.id == id).expect("it is there");
        assert!(place("base") < place("ehlo-500"));
        assert!(place("ehlo-500") < place("helo-then-pause"));
        assert!(place("helo-then-pause") < place("mail-451"));
    }

    #[test]
    fn what_is_not_chosen_is_not_waited_for() {
        let mut behaviours = built_in().expect("they are well-formed");
        behaviours.retain(|one| one.id == "ehlo-500" || one.id == "helo-then-pause");
        let mut schedule = Schedule::new(&behaviours);
        assert_eq!(schedule.next(|_| false).map(|one| one.id.as_str()), Some("ehlo-500"));
        assert!(schedule.next(|_| false).is_none());
        assert_eq!(schedule.left().map(|one| one.id.as_str()), Some("helo-then-pause"));
    }
}
