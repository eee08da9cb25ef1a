//! The order in which behaviours run.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Result, bail};

use super::behaviour::Behaviour;

/// The behaviours that have not begun.
#[derive(Clone)]
pub(super) struct Schedule<'a> {
    waiting: VecDeque<&'a Behaviour>,
    /// Those that can be waited for.
    chosen: BTreeSet<&'a str>,
}

impl<'a> Schedule<'a> {
    /// Puts first what others wait for, then what takes long whatever the client does. What waits for the client's own time
    /// limit comes last, because that may be minutes.
    ///
    /// # Errors
    ///
    /// If a behaviour is, through others, its own base.
    pub(super) fn new(behaviours: &'a [Behaviour]) -> Result<Schedule<'a>> {
        let mut waiting: Vec<&Behaviour> = behaviours.iter().collect();
        waiting.sort_by_key(|one| (!one.is_base, one.is_slow, !one.script.pauses()));
        let chosen = behaviours.iter().map(|one| one.id.as_str()).collect();
        let schedule = Schedule { waiting: waiting.into(), chosen };
        let mut rehearsed = schedule.clone();
        let mut seen = BTreeSet::new();
        while let Some(next) = rehearsed.next(|base| seen.contains(base)) {
            seen.insert(next.id.as_str());
        }
        if let Some(Behaviour { place, id, .. }) = rehearsed.waiting.front() {
            bail!("{place}: {id}: its bases depend on each other: break the cycle");
        }
        Ok(schedule)
    }

    /// Takes the next behaviour whose base was tried, was not chosen, or does not exist. Returns `None` if there is no such
    /// behaviour yet.
    pub(super) fn next(&mut self, was_tried: impl Fn(&str) -> bool) -> Option<&'a Behaviour> {
        let is_ready = |one: &&Behaviour| {
            one.base.as_deref().is_none_or(|base| was_tried(base) || !self.chosen.contains(base))
        };
        let place = self.waiting.iter().position(is_ready)?;
        self.waiting.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::behaviour::built_in;

    #[test]
    fn what_others_wait_for_comes_first_and_then_what_takes_long() {
        let behaviours = built_in().expect("they are well-formed");
        let mut schedule = Schedule::new(&behaviours).expect("no cycle");
        let mut order: Vec<&Behaviour> = Vec::new();
        while let Some(next) = schedule.next(|base| order.iter().any(|one| one.id == base)) {
            order.push(next);
        }
        assert_eq!(order.len(), behaviours.len());
        let place = |id: &str| order.iter().position(|one| one.id == id).expect("it is there");
        assert!(place("base") < place("ehlo-500"));
        assert!(place("ehlo-500") < place("helo-then-pause"));
        assert!(place("helo-then-pause") < place("auth-534"));
        assert!(place("tls-not-offered") < place("mail-stall"));
    }

    #[test]
    fn what_is_not_chosen_is_not_waited_for() {
        let mut behaviours = built_in().expect("they are well-formed");
        behaviours.retain(|one| one.id == "ehlo-500" || one.id == "helo-then-pause");
        let mut schedule = Schedule::new(&behaviours).expect("no cycle");
        assert_eq!(schedule.next(|_| false).map(|one| one.id.as_str()), Some("ehlo-500"));
        assert!(schedule.next(|_| false).is_none());
        assert!(schedule.next(|base| base == "ehlo-500").is_some());
    }

    #[test]
    fn a_cycle_is_found_before_anything_runs() {
        let mut behaviours = built_in().expect("they are well-formed");
        let base = behaviours.iter_mut().find(|one| one.id == "base").expect("it is there");
        base.base = Some("ehlo-500".to_owned());
        assert!(Schedule::new(&behaviours).is_err());
    }
}
