{% include "rust/head.rs" %}
//! A constant for each row of the registry.

use crate::Status;

/// A constant for each row of the registry.
impl Status {
{%- for row in rows %}
    /// {{ row.code }}: {{ row.sample }}
    ///
    /// {{ row.description }}
    ///
    /// * Associated basic status codes: {{ row.associated }}
    /// * Classes: {{ row.classes }}
    /// * References:{% for reference in row.references %}{% if !loop.first %};{% endif %}
    {%- match reference.link %}
    {%- when Some with (link) %} [{{ reference.name }}](<{{ link }}>)
    {%- when None %} {{ reference.name }}
    {%- endmatch %}{% if let Some(remark) = reference.remark %} {{ remark }}{% endif %}{% endfor %}
{%- for alias in row.aliases %}
    #[doc(alias = {{ alias }})]
{%- endfor %}
{%- if let Some(note) = row.successor %}
    #[deprecated(note = {{ note }})]
{%- endif %}
    pub const {{ row.identifier }}: Status = Status::registered({{ row.subject }}, {{ row.detail }});
{% endfor -%}
}
