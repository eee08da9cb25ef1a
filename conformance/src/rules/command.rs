//! Placeholder.

use crate::finding::Breaches;
use crate::observation::Observation;

pub(super) fn judge(_observation: &Observation<'_>, _breaches: &mut Breaches) {}
