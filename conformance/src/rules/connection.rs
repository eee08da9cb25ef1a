//! Rules about the exchanges of one connection: counts, order, closing.

use crate::dialogue::Dialogue;
use crate::finding::Finding;
use crate::knowledge::Knowledge;
use crate::session::Step;

pub(super) fn judge(_index: usize, _dialogue: &Dialogue, _steps: &[Step<'_>], _knowledge: &Knowledge) -> Vec<Finding> {
    Vec::new()
}
