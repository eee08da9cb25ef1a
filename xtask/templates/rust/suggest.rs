{% include "rust/head.rs" %}
//! What to send in which situation.

use crate::suggest::{Command, Level, Mistake, Situation, Suggestion};
use crate::{Class, EnhancedStatusCode, ReplyCode, Status};

/// The situations, in the order of a session.
pub(crate) static SITUATIONS: &[Situation] = &[
{%- for row in rows %}
    Situation {
        id: {{ row.id }},
        command: Command::{{ row.command }},
        title: {{ row.title }},
        best: {% let suggestion = row.best %}{% include "rust/suggestion.rs" %},
        alternatives: &[
{%- for suggestion in row.alternatives %}
            {% include "rust/suggestion.rs" %},
{%- endfor %}
{%- if !row.alternatives.is_empty() %}
        {% endif %}],
        avoid: &[
{%- for mistake in row.avoid %}
            Mistake { reply_code: ReplyCode::defined({{ mistake.codes.reply_code }}), code: {% let codes = mistake.codes %}{% include "rust/suggested_code.rs" %}, reason: {{ mistake.reason }} },
{%- endfor %}
{%- if !row.avoid.is_empty() %}
        {% endif %}],
        note: {% if let Some(note) = row.note %}Some({{ note }}){% else %}None{% endif %},
        sources: &[{% for source in row.sources %}{{ source }}{% if !loop.last %}, {% endif %}{% endfor %}],
    },
{%- endfor %}
];

const fn code(class: Class, subject: u16, detail: u16) -> EnhancedStatusCode {
    EnhancedStatusCode::from_parts(class, Status::registered(subject, detail))
}
