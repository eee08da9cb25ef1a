{% include "rust/head.rs" %}
//! Tables rendered from the registry.

pub(crate) mod entries;
#[cfg(feature = "explain")]
pub(crate) mod explain;
pub(crate) mod provenance;
pub(crate) mod reply_codes;
mod statuses;
#[cfg(feature = "suggest")]
pub(crate) mod suggest;
