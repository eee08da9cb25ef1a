{% include "rust/head.rs" %}
//! The rows of the registry's three tables, and indexes of them.

use crate::entry::{
    AssociatedCodes, AssociatedForm, ClassEntry, Conflict, ConflictKind, Deprecation, Entry, Piece, RawColumns,
    Reference, SubjectEntry,
};
use crate::{Class, Classes, EnhancedStatusCode, ReplyCode, Status};

/// Table 1, "Class Sub-Codes".
pub(crate) static CLASSES: &[ClassEntry] = &[
{%- for row in classes %}
    ClassEntry {
        class: Class::{{ row.key }},
        summary: {{ row.summary }},
        description: {{ row.description }},
        reference: {{ row.reference }},
    },
{%- endfor %}
];

/// Table 2, "Subject Sub-Codes".
pub(crate) static SUBJECTS: &[SubjectEntry] = &[
{%- for row in subjects %}
    SubjectEntry {
        subject: {{ row.key }},
        summary: {{ row.summary }},
        description: {{ row.description }},
        reference: {{ row.reference }},
    },
{%- endfor %}
];

/// The position of the row of each subject and detail, counted from 1, or 0 if there is none.
pub(crate) static INDEX: &[&[u16]] = &[
{%- for details in index %}
    &[{% for position in details %}{{ position }}{% if !loop.last %}, {% endif %}{% endfor %}],
{%- endfor %}
];

/// The identifiers, sorted by octets.
pub(crate) static BY_IDENTIFIER: &[(&str, Status)] = &[
{%- for (identifier, subject, detail) in by_identifier %}
    ({{ identifier }}, Status::registered({{ subject }}, {{ detail }})),
{%- endfor %}
];

/// Table 3, "Enumerated Status Codes".
pub(crate) static ENTRIES: &[Entry] = &[
{%- for row in rows %}
    Entry {
        status: Status::registered({{ row.subject }}, {{ row.detail }}),
        identifier: {{ row.identifier }},
        sample_text: {{ row.sample }},
        associated: AssociatedCodes {
            form: AssociatedForm::{{ row.associated.form }},
            codes: &[{% for code in row.associated.codes %}ReplyCode::defined({{ code }}){% if !loop.last %}, {% endif %}{% endfor %}],
            class_wildcards: Classes::from_bits({{ row.associated.class_wildcards }}),
        },
        description: {{ row.description }},
        rich_description: &[
{%- for piece in row.pieces %}
{%- if let Some(text) = piece.text %}
            Piece::Text({{ text }}),
{%- endif %}
{%- for reference in piece.reference %}
            Piece::Reference({% include "rust/reference.rs" %}),
{%- endfor %}
{%- endfor %}
        ],
        reference: {{ row.reference }},
        references: &[
{%- for reference in row.references %}
            {% include "rust/reference.rs" %},
{%- endfor %}
        ],
        submitter: {{ row.submitter }},
        change_controller: {{ row.change_controller }},
        date: {% if let Some(date) = row.date %}Some({{ date }}){% else %}None{% endif %},
        updated: {% if let Some(date) = row.updated %}Some({{ date }}){% else %}None{% endif %},
        classes: Classes::from_bits({{ row.classes }}),
        classes_basis: {{ row.basis }},
        source: {{ row.source }},
        deprecated: {% if let Some((subject, detail, source)) = row.deprecated -%}
            Some(Deprecation { successor: Status::registered({{ subject }}, {{ detail }}), source: {{ source }} })
            {%- else %}None{% endif %},
        conflicts: &[
{%- for conflict in row.conflicts %}
            Conflict {
                kind: ConflictKind::{{ conflict.kind }},
                pairs: &[
{%- for [reply_code, class, subject, detail] in conflict.pairs -%}
                    (ReplyCode::defined({{ reply_code }}), pair_code(Class::{{ class }}, {{ subject }}, {{ detail }})){% if !loop.last %}, {% endif %}
{%- endfor -%}
                ],
                classes: Classes::from_bits({{ conflict.classes }}),
                source: {{ conflict.source }},
                summary: {{ conflict.summary }},
            },
{%- endfor %}
        ],
        raw: RawColumns {
{%- for (field, text) in row.raw %}
            {{ field }}: {{ text }},
{%- endfor %}
        },
    },
{%- endfor %}
];

const fn pair_code(class: Class, subject: u16, detail: u16) -> EnhancedStatusCode {
    EnhancedStatusCode::from_parts(class, Status::registered(subject, detail))
}
