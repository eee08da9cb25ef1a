{% include "rust/head.rs" %}
//! What replies mean: categories, advice, patterns and vendors.

use crate::Class;
use crate::explain::Stage;
use crate::explain::advice::Advice;
use crate::explain::category::{Action, CategoryEntry, ListAction, Matter, Retry};
use crate::explain::pattern::{Pattern, Place};
use crate::explain::phrase::Phrase;
use crate::explain::vendor::{StatusRange, Vendor, VendorReply};

/// What a reply is about. A later version may have more categories.
///
/// ```
/// use smtp_enhanced_status::explain::Category;
///
/// assert_eq!(Category::MailboxFull.id(), "mailbox-full");
/// assert_eq!(Category::from_id("mailbox-full"), Some(Category::MailboxFull));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
{%- for row in categories %}
    /// {{ row.meaning_doc }}
    {{ row.variant }},
{%- endfor %}
}

/// The categories, in the order of the enumeration.
pub(crate) static CATEGORIES: &[CategoryEntry] = &[
{%- for row in categories %}
    CategoryEntry {
        category: Category::{{ row.variant }},
        id: {{ row.id }},
        meaning: {{ row.meaning }},
        sender: {{ row.sender }},
        administrator: {{ row.administrator }},
        matter: Matter::{{ row.matter }},
        wait: {% match row.wait %}{% when Some(wait) %}Some({{ wait }}){% when None %}None{% endmatch %},
        transient: {% match row.transient %}{% when Some(action) %}Some(Action { retry: Retry::{{ action[0] }}, list: ListAction::{{ action[1] }} }){% when None %}None{% endmatch %},
        permanent: {% match row.permanent %}{% when Some(action) %}Some(Action { retry: Retry::{{ action[0] }}, list: ListAction::{{ action[1] }} }){% when None %}None{% endmatch %},
        names: &[{% for name in row.names %}({{ name[0] }}, {{ name[1] }}){% if !loop.last %}, {% endif %}{% endfor %}],
    },
{%- endfor %}
];

/// The entries of advice, in the order of the file.
pub(crate) static ADVICE: &[Advice] = &[
{%- for row in advice %}
    Advice {
        category: Category::{{ row.category }},
        retry: {% match row.retry %}{% when Some(retry) %}Some(Retry::{{ retry }}){% when None %}None{% endmatch %},
        list: {% match row.list %}{% when Some(list) %}Some(ListAction::{{ list }}){% when None %}None{% endmatch %},
        is_disputed: {{ row.disputed }},
        happened: {{ row.happened }},
        sender: {{ row.sender }},
        administrator: {{ row.administrator }},
    },
{%- endfor %}
];

/// The positions in `ADVICE` of the classes 4 and 5 of each row, in the order of the registry.
pub(crate) static ROWS: &[[u16; 2]] = &[
{%- for row in rows %}
    [{{ row[0] }}, {{ row[1] }}],
{%- endfor %}
];

/// Pairs of their own: reply code, subject, detail, position in `ADVICE`. Sorted.
pub(crate) static PAIRS: &[(u16, u16, u16, u16)] = &[
{%- for row in pairs %}
    ({{ row[0] }}, {{ row[1] }}, {{ row[2] }}, {{ row[3] }}),
{%- endfor %}
];

/// Reply codes by stage, with the position in `ADVICE`. Sorted; the entry without a stage is the first of its code.
pub(crate) static REPLY_CODES: &[(u16, Option<Stage>, u16)] = &[
{%- for row in reply_codes %}
    ({{ row.subject }}, {% match row.stage %}{% when Some(stage) %}Some(Stage::{{ stage }}){% when None %}None{% endmatch %}, {{ row.position }}),
{%- endfor %}
];

/// Classes by stage, with the position in `ADVICE`. Sorted like `REPLY_CODES`.
pub(crate) static CLASSES: &[(Class, Option<Stage>, u16)] = &[
{%- for row in classes %}
    (Class::{{ row.subject }}, {% match row.stage %}{% when Some(stage) %}Some(Stage::{{ stage }}){% when None %}None{% endmatch %}, {{ row.position }}),
{%- endfor %}
];

/// The texts that are looked for in a reply.
pub(crate) static PATTERNS: &[Pattern] = &[
{%- for row in patterns %}
    Pattern { text: {{ row.text }}, place: Place::{{ row.place }} },
{%- endfor %}
];

/// Phrases, sorted by pattern.
pub(crate) static PHRASES: &[Phrase] = &[
{%- for row in phrases %}
    Phrase { pattern: {{ row.pattern }}, rank: {{ row.rank }}, category: Category::{{ row.category }}, class: {% match row.class %}{% when Some(class) %}Some(Class::{{ class }}){% when None %}None{% endmatch %}, stages: {{ row.stages }} },
{%- endfor %}
];

/// The patterns after which another reply is quoted.
pub(crate) static QUOTATIONS: &[u16] = &[{% for row in quotations %}{{ row }}{% if !loop.last %}, {% endif %}{% endfor %}];

/// The patterns before which a quoted reply is over.
pub(crate) static ENDS: &[u16] = &[{% for row in ends %}{{ row }}{% if !loop.last %}, {% endif %}{% endfor %}];

/// The patterns before a quotation that is about something else.
pub(crate) static ASIDES: &[u16] = &[{% for row in asides %}{{ row }}{% if !loop.last %}, {% endif %}{% endfor %}];

/// The patterns that say of which class a failure is.
pub(crate) static OUTCOMES: &[(u16, Class)] = &[
{%- for row in outcomes %}
    ({{ row[0] }}, Class::{{ row[1] }}),
{%- endfor %}
];

/// The patterns that name the command.
pub(crate) static COMMANDS: &[(u16, Stage)] = &[
{%- for row in commands %}
    ({{ row[0] }}, Stage::{{ row[1] }}),
{%- endfor %}
];

/// The vendors, in their order of precedence.
pub(crate) static VENDORS: &[Vendor] = &[
{%- for row in vendors %}
    Vendor {
        id: {{ row.id }},
        name: {{ row.name }},
        source: {{ row.source }},
        seen: {{ row.seen }},
        hosts: &[{% for host in row.hosts %}{{ host }}{% if !loop.last %}, {% endif %}{% endfor %}],
        replies: &[
{%- for reply in row.replies %}
            VendorReply {
                reply_code: {% match reply.reply_code %}{% when Some(code) %}Some({{ code }}){% when None %}None{% endmatch %},
                status: {% match reply.status %}{% when Some(status) %}Some(StatusRange { class: Class::{{ status[0] }}, subject: {{ status[1] }}, first: {{ status[2] }}, last: {{ status[3] }} }){% when None %}None{% endmatch %},
                pattern: {% match reply.pattern %}{% when Some(pattern) %}Some({{ pattern }}){% when None %}None{% endmatch %},
                category: Category::{{ reply.category }},
                meaning: {{ reply.meaning }},
                source: {{ reply.source }},
                seen: {{ reply.seen }},
            },
{%- endfor %}
        ],
    },
{%- endfor %}
];

/// The marks of all vendors: pattern, vendor, and whether the mark is sure. Sorted.
pub(crate) static MARKS: &[(u16, u8, bool)] = &[
{%- for row in marks %}
    ({{ row[0] }}, {{ row[1] }}, {{ row[2] }}),
{%- endfor %}
];
