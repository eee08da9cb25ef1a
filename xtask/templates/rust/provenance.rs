{% include "rust/head.rs" %}
//! Which registry the tables were rendered from.

/// The date of the registry (`<updated>`), `YYYY-MM-DD`.
///
/// ```
/// assert_eq!(smtp_enhanced_status::REGISTRY_UPDATED.len(), "2024-12-06".len());
/// ```
pub const REGISTRY_UPDATED: &str = {{ updated }};

/// SHA-256 of the registry's file, in hexadecimal.
///
/// ```
/// assert_eq!(smtp_enhanced_status::REGISTRY_SHA256.len(), 64);
/// ```
pub const REGISTRY_SHA256: &str = {{ sha256 }};

/// Whose words the descriptions are: IANA's own, or summaries beside transcribed facts.
///
/// ```
/// assert!(smtp_enhanced_status::REGISTRY_ORIGIN.contains(smtp_enhanced_status::REGISTRY_UPDATED));
/// ```
pub const REGISTRY_ORIGIN: &str = {{ origin }};
