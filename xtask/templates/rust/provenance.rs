{% include "rust/head.rs" %}
//! The registry that the tables were rendered from.

/// The date of the registry (`<updated>`), `YYYY-MM-DD`.
///
/// ```
/// assert_eq!(smtp_enhanced_status::REGISTRY_UPDATED.len(), "2024-12-06".len());
/// ```
pub const REGISTRY_UPDATED: &str = {{ updated }};

/// The SHA-256 of the registry's file, in hexadecimal.
///
/// ```
/// assert_eq!(smtp_enhanced_status::REGISTRY_SHA256.len(), 64);
/// ```
pub const REGISTRY_SHA256: &str = {{ sha256 }};

/// A sentence that says whether the data is IANA's own file, or transcribed from it with summaries instead of IANA's
/// descriptions.
///
/// ```
/// assert!(smtp_enhanced_status::REGISTRY_ORIGIN.contains(smtp_enhanced_status::REGISTRY_UPDATED));
/// ```
pub const REGISTRY_ORIGIN: &str = {{ origin }};
