{% include "rust/head.rs" %}
//! The basic reply codes.

use crate::reply_code::{ReplyCode, ReplyCodeEntry};

/// A constant for each basic reply code that an RFC defines or the registry names.
impl ReplyCode {
{%- for row in rows %}
    /// {{ row.code }}: {{ row.meaning_doc }}
    ///
    /// {{ row.client_doc }}
    ///
    /// Source: {{ row.sources_doc }}
    #[doc(alias = {{ row.alias }})]
    pub const {{ row.name }}: ReplyCode = ReplyCode::defined({{ row.code }});
{% endfor -%}
}

/// The table, in ascending order.
pub(crate) static REPLY_CODES: &[ReplyCodeEntry] = &[
{%- for row in rows %}
    ReplyCodeEntry {
        code: ReplyCode::{{ row.name }},
        identifier: {{ row.identifier }},
        meaning: {{ row.meaning }},
        client: {{ row.client }},
        sources: &[{% for source in row.sources %}{{ source }}{% if !loop.last %}, {% endif %}{% endfor %}],
    },
{%- endfor %}
];
