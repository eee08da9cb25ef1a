{% for line in head.lines %}{% if loop.first %}/* {% else %} * {% endif %}{{ line }}
{% endfor %} */

/**
 * @file
 * SMTP enhanced status codes (RFC 3463), basic reply codes (RFC 5321), and what IANA's registry says
 * about pairs of the two (RFC 2034, RFC 5248).
 *
 * To use it, copy this file. There is nothing to build, link or initialise.
 *
 *     code = smtp_esc_parse_prefix(text, length, NULL);   where text is "5.1.1 No such user"
 *     if (smtp_esc_judge(550, code) == SMTP_ESC_CLASS_MISMATCH) ...
 *     code = SMTP_ESC_PERMANENT(SMTP_ESC_ADDR_DEST_MAILBOX);
 *     smtp_esc_format_reply(buffer, sizeof(buffer), 550, code, "No such user");
 *
 * Options, which must be defined before the first include:
 *
 *     SMTP_ESC_DESCRIPTIONS      Adds the registry's descriptions.
 *     SMTP_ESC_ADVICE            Adds what refusals mean, and what to do about them.
 *     SMTP_ESC_SUGGESTIONS       Adds which pair to send in which situation.
 *     SMTP_ESC_NO_INLINE         Only declares the functions, which are static otherwise.
 *     SMTP_ESC_IMPLEMENTATION    With SMTP_ESC_NO_INLINE, in one file of the program: defines them.
 *
 * The header is written in C89 and C++98, and works with every later standard. It includes only
 * <stddef.h>. It exceeds two limits of C89, which no compiler we know of enforces: an X-macro is a
 * logical source line of more than 509 characters, and with SMTP_ESC_NO_INLINE some external names have
 * the same first six characters.
 *
 * The functions have no state: they allocate nothing, have no static buffers, do not use the locale,
 * and are thread-safe. They accept every number. They return 0 for a text or number that is not a
 * code, and NULL or 0 for a row that does not exist, unless their comment says otherwise: a text may
 * be NULL for every code that is not registered, and vendors send many. A null pointer with length 0
 * is an empty text.
 *
 * The texts are the registry's and may change with it. Never use one as a format; write
 * printf("%s", text). The registry's lists of reply codes are not exclusive (RFC 5248 section 2.1):
 * only SMTP_ESC_CLASS_MISMATCH breaks a requirement, and an unlisted pair is not an error.
 */

#ifndef SMTP_ENHANCED_STATUS_H
#define SMTP_ENHANCED_STATUS_H

#include <stddef.h>

#if defined(SMTP_ESC_IMPLEMENTATION) && !defined(SMTP_ESC_NO_INLINE)
#error "SMTP_ESC_IMPLEMENTATION requires SMTP_ESC_NO_INLINE, in every file that includes this header"
#endif

#define SMTP_ESC_VERSION          {{ version }}
#define SMTP_ESC_VERSION_NUMBER   {{ version_number }} /**< 0xMMmmpp */
#define SMTP_ESC_REGISTRY_UPDATED {{ updated }}
#define SMTP_ESC_REGISTRY_DATE    {{ date }}
#define SMTP_ESC_REGISTRY_ORIGIN  {{ origin }}
#define SMTP_ESC_REGISTRY_SHA256 \
    {{ sha256 }}

/*
 * Numbers
 *
 *     code     class * 1000000 + subject * 1000 + detail: 5.1.1 is 5001001
 *     status   10000000 + subject * 1000 + detail, a row of the registry, without a class: X.1.1 is
 *              10001001
 *     0        neither: "no code", as smtp_esc_parse returns it, and "no status"
 *
 * The X of a status counts as 10, as in Roman numerals. So no number is both a code and a status, and
 * 0 is not X.0.0. A parameter is called "code" if it must be a code, and "number" if it may be a code or
 * a status. A function that gets anything else does not guess: it returns what its comment says.
 *
 * Both are long, because an int may have only 16 bits, and both can be used in #if and in case labels.
 * Codes compare numerically: 5.7.2 is less than 5.7.10. The macros put numbers together and check
 * nothing: pass 2, 4 or 5 as the class, and 0 to 999 as subject and detail. What SMTP_ESC_PERMANENT
 * and its like make of 0, or of a code, is not a code. Functions take numbers apart.
 */

/** A row of the registry: X.subject.detail. */
#define SMTP_ESC_STATUS(subject, detail) (10000000L + (subject) * 1000L + (detail))

/** A code: class.subject.detail. */
#define SMTP_ESC_CODE(class, subject, detail) ((class) * 1000000L + (subject) * 1000L + (detail))

#define SMTP_ESC_SUCCESS(status)   ((status) - 8000000L) /**< 2.y.z */
#define SMTP_ESC_TRANSIENT(status) ((status) - 6000000L) /**< 4.y.z */
#define SMTP_ESC_PERMANENT(status) ((status) - 5000000L) /**< 5.y.z */

/** The size of a buffer for the longest code, "5.999.999", and its NUL. */
#define SMTP_ESC_BUFFER_SIZE 10

/** The length of the longest reply line, with CR LF (RFC 5321 section 4.5.3.1.5). */
#define SMTP_ESC_MAX_LINE 512

/* What the registry says about a reply code and an enhanced status code; if several apply, the first. */
#define SMTP_ESC_INVALID        0 /**< the reply code is not 200 to 599, or the code is not a code */
#define SMTP_ESC_CLASS_MISMATCH 1 /**< the first digits differ, which RFC 2034 section 4 forbids */
#define SMTP_ESC_UNREGISTERED   2 /**< the registry has no such row */
#define SMTP_ESC_LISTED         3 /**< the row lists the reply code, its class, or "Any" */
#define SMTP_ESC_UNLISTED       4 /**< the row has a list, and the reply code is not on it */
#define SMTP_ESC_NO_LIST        5 /**< the row has no list */

/* The forms of the registry's column "Associated Basic Status Code". */
#define SMTP_ESC_FORM_ANY       1 /**< "Any": every reply code of the same class */
#define SMTP_ESC_FORM_NOT_GIVEN 2 /**< "Not given": not known yet; it does not mean "none" */
#define SMTP_ESC_FORM_NO_DATA   3 /**< an empty cell */
#define SMTP_ESC_FORM_LIST      4 /**< reply codes or classes */
#define SMTP_ESC_FORM_OPEN_LIST 5 /**< reply codes, with a note that others are allowed */

/* How a row lists a reply code. */
#define SMTP_ESC_PAIR_EXACT 1 /**< by itself */
#define SMTP_ESC_PAIR_CLASS 2 /**< by its class: "5XX" */
#define SMTP_ESC_PAIR_ANY   3 /**< by "Any" */

/* The classes that a row's text or its RFC allows: a sum of these. */
#define SMTP_ESC_BIT_SUCCESS   1 /**< 2.y.z */
#define SMTP_ESC_BIT_TRANSIENT 2 /**< 4.y.z */
#define SMTP_ESC_BIT_PERMANENT 4 /**< 5.y.z */

/* The rows of the registry, as statuses. */
{%- for row in rows %}
{%- if let Some(heading) = row.heading %}

/* {{ heading }} */
{%- endif %}
#define SMTP_ESC_{{ row.constant }} /**< {{ row.comment }} */
{%- endfor %}

/* Basic reply codes. IANA has no registry of them; identifiers and meanings are this project's. */
{%- for reply in replies %}
#define SMTP_ESC_REPLY_{{ reply.constant }} /**< {{ reply.comment }} */
{%- endfor %}

/*
 * X-macros: each calls the macro that you pass once per row. The columns of a version never change; a
 * new column comes with a new version.
 *
 * Identifiers have no prefix here. Use them with # and ## only: anywhere else, a macro of yours named
 * OTHER or OK would be expanded instead.
 */

/**
 * The rows of the registry, in the registry's order:
 *     X(identifier, subject, detail, classes, form, successor, sample_text, reference)
 * classes is a sum of SMTP_ESC_BIT_..., or 0 if the row must not be sent; form is one of
 * SMTP_ESC_FORM_...; successor is the status of the row to use instead if this one is deprecated,
 * and 0 if it is not; sample_text is empty if the registry has none; reference is the RFC that
 * defines the row, and what the registry says of it.
 */
#define SMTP_ESC_ROW_MAP_V1(X) \
{%- for row in rows %}
    X({{ row.cells }}, {{ row.sample }}, {{ row.reference }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The associated reply codes, one per call:
 *     X(identifier, subject, detail, kind, reply)
 * reply is a reply code if kind is SMTP_ESC_PAIR_EXACT, the first digit of reply codes if it is
 * SMTP_ESC_PAIR_CLASS, and 0 if it is SMTP_ESC_PAIR_ANY.
 */
#define SMTP_ESC_PAIR_MAP_V1(X) \
{%- for cells in pairs %}
    X({{ cells }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The classes:
 *     X(class, summary)
 */
#define SMTP_ESC_CLASS_MAP_V1(X) \
{%- for (class, summary) in classes %}
    X({{ class }}, {{ summary }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The subjects:
 *     X(subject, summary)
 */
#define SMTP_ESC_SUBJECT_MAP_V1(X) \
{%- for (subject, summary) in subjects %}
    X({{ subject }}, {{ summary }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The basic reply codes, in ascending order:
 *     X(reply, identifier, meaning)
 */
#define SMTP_ESC_REPLY_MAP_V1(X) \
{%- for reply in replies %}
    X({{ reply.cells }} {{ reply.meaning }}){% if !loop.last %} \{% endif %}
{%- endfor %}

#ifdef SMTP_ESC_DESCRIPTIONS
/**
 * The descriptions, in the order of the rows:
 *     X(identifier, subject, detail, part, text)
 * A description that is too long for a string literal of C89 comes in parts 0, 1 and so on. Concatenate
 * them without anything in between.
 */
#define SMTP_ESC_DESCRIPTION_MAP_V1(X) \
{%- for (cells, text) in descriptions %}
    X({{ cells }}, {{ text }}){% if !loop.last %} \{% endif %}
{%- endfor %}
#endif

#ifdef SMTP_ESC_ADVICE
/*
 * What refusals mean. Categories and advice are this project's, not the registry's, and their wording may change with
 * any version. So may the numbers of categories: use the constants or the names.
 */

/* What a refusal is about. */
{%- for category in categories %}
#define SMTP_ESC_CAT_{{ category.constant }} /**< {{ category.comment }} */
{%- endfor %}

/* Whether to try again. */
#define SMTP_ESC_RETRY_NEVER         1 /**< not to this recipient */
#define SMTP_ESC_RETRY_AFTER_FIX     2 /**< not before something was changed */
#define SMTP_ESC_RETRY_LATER_AND_FIX 3 /**< the queue goes on, but it helps only after something was changed */
#define SMTP_ESC_RETRY_LATER         4 /**< later; nothing else is needed */

/* What the owner of a list does with the address. */
#define SMTP_ESC_LIST_REMOVE 1 /**< removes it */
#define SMTP_ESC_LIST_PAUSE  2 /**< counts, and removes it after repeats */
#define SMTP_ESC_LIST_KEEP   3 /**< keeps it */

/**
 * The categories:
 *     X(category, name, meaning)
 * category is one of SMTP_ESC_CAT_...; name is its name in other products, such as "mailbox-full".
 */
#define SMTP_ESC_CATEGORY_MAP_V1(X) \
{%- for category in categories %}
    X({{ category.cells }} {{ category.name }}, {{ category.meaning }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The advice for codes of classes 4 and 5, then that for pairs which mean something else than their code:
 *     X(reply, subject, detail, category, retry, list, happened, sender, administrator)
 * reply is the reply code of a pair, and otherwise the class of the code; category is one of SMTP_ESC_CAT_..., retry
 * one of SMTP_ESC_RETRY_..., and list one of SMTP_ESC_LIST_....
 */
#define SMTP_ESC_ADVICE_MAP_V1(X) \
{%- for row in advice %}
    X({{ row.cells }}, {{ row.happened }}, {{ row.sender }}, {{ row.administrator }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/** What a refusal means, and what to do about it. New members come at the end. */
struct smtp_esc_advice {
    int category;              /**< what it is about: SMTP_ESC_CAT_... */
    int retry;                 /**< whether to try again: SMTP_ESC_RETRY_... */
    int list;                  /**< what the owner of a list does with the address: SMTP_ESC_LIST_... */
    const char *happened;      /**< what happened */
    const char *sender;        /**< what the sender does */
    const char *administrator; /**< what the administrator of the receiving server does */
};
#endif

#ifdef SMTP_ESC_SUGGESTIONS
/* How strongly a reply code is demanded in a situation. */
#define SMTP_ESC_LEVEL_MUST   1 /**< the RFC says MUST, or leaves no other reply code */
#define SMTP_ESC_LEVEL_SHOULD 2 /**< the RFC says SHOULD, or names the reply code among others */
#define SMTP_ESC_LEVEL_MAY    3 /**< the RFC permits the reply code, among others */
#define SMTP_ESC_LEVEL_SEEN   4 /**< no RFC names the pair for the situation, but servers send it */

/**
 * The situations, in the order of a session:
 *     X(situation, command, title)
 * All three are strings. situation never changes: "unknown-user". command is what the reply answers:
 * "connect" (the greeting), "ehlo", "mail", "message" (the end of the data) and so on, or "any".
 */
#define SMTP_ESC_SITUATION_MAP_V1(X) \
{%- for [id, command, title] in situations %}
    X({{ id }}, {{ command }}, {{ title }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/**
 * The pairs that are right in each situation, in the order of the situations:
 *     X(situation, rank, reply, code, level, source)
 * rank is 0 for the pair to send, and 1, 2 and so on for the others, best first; code is 0 if the reply
 * needs no enhanced status code: the greeting, a reply to EHLO, or a 3yz reply (RFC 2034 section 4);
 * level is one of SMTP_ESC_LEVEL_..., and source is the RFC and section that decide it.
 */
#define SMTP_ESC_SUGGESTION_MAP_V1(X) \
{%- for (id, cells, source) in suggestions %}
    X({{ id }}, {{ cells }}, {{ source }}){% if !loop.last %} \{% endif %}
{%- endfor %}
#endif

#ifdef SMTP_ESC_NO_INLINE
#define SMTP_ESC_INLINE extern
#elif defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#define SMTP_ESC_INLINE static inline
#elif defined(__GNUC__) || defined(__TINYC__)
#define SMTP_ESC_INLINE static __inline__
#elif defined(_MSC_VER)
#define SMTP_ESC_INLINE static __inline
#else
#define SMTP_ESC_INLINE static
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Parses a code: class 2, 4 or 5, then subject and detail of one to three digits without a leading zero
 * (RFC 3463 section 2). Nothing may precede or follow it. Returns the code, or 0.
 */
SMTP_ESC_INLINE long smtp_esc_parse(const char *text, size_t length);

/**
 * Parses the code at the start of a reply's text. Pass the text that follows the reply code and its
 * separator, without the line end. After the code must come a space, as RFC 2034 section 3 (4)
 * requires, or the end of the text, which servers send too; this keeps IP addresses and version numbers
 * from being mistaken for codes. Returns the code, or 0, and sets *used to the length of the code, or
 * to 0. used may be null.
 */
SMTP_ESC_INLINE long smtp_esc_parse_prefix(const char *text, size_t length, size_t *used);

/**
 * Writes a code and a NUL to a buffer of at least SMTP_ESC_BUFFER_SIZE characters. Returns the length of
 * the text. If the number is not a code, writes an empty text and returns 0.
 */
SMTP_ESC_INLINE size_t smtp_esc_format(long code, char *buffer);

/**
 * Writes a whole reply and a NUL: on every line the reply code, the code (RFC 2034 section 4) and a part
 * of the text, with CR LF. Returns the length of the reply without the NUL, as snprintf does. If the
 * buffer is not larger than that, writes an empty text; with size 0, buffer may be null.
 *
 * Pass 0 as the code for a reply that has none: the greeting, a reply to HELO or EHLO, or a 3yz reply
 * (RFC 2034 section 4). If the number is anything else that is not a code, the first digits of the codes
 * differ, or reply is not 200 to 599, writes an empty text and returns 0.
 *
 * The text ends with a NUL. Any text gives a well-formed reply: LF and CR LF end a line of it; a line
 * that would have more than SMTP_ESC_MAX_LINE characters is continued on the next, after its last space
 * that fits, or within a word that is too long itself; a character other than HT and printable ASCII
 * becomes a question mark. So text from outside can neither end the reply nor begin another. A null
 * pointer is an empty text, but servers should not send bare codes (RFC 5321 section 4.2).
 */
SMTP_ESC_INLINE size_t smtp_esc_format_reply(char *buffer, size_t size, int reply, long code, const char *text);

/** Returns 1 if the number is a code, registered or not, and 0 if it is a status or anything else. */
SMTP_ESC_INLINE int smtp_esc_is_code(long number);

/** Returns the class of a code: 2, 4 or 5. Returns 0 for a status or anything else. */
SMTP_ESC_INLINE int smtp_esc_class(long code);

/** Returns SMTP_ESC_INVALID, SMTP_ESC_CLASS_MISMATCH, and so on. A 3yz reply code matches no code. */
SMTP_ESC_INLINE int smtp_esc_judge(int reply, long code);

/*
 * In the functions below, number is a code or a status. They ignore the class of a code.
 */

/** Returns the status of a code. A status is returned unchanged; for anything else, returns 0. */
SMTP_ESC_INLINE long smtp_esc_status(long number);

/** Returns the subject, 0 to 999, or -1 if the number is neither a code nor a status. */
SMTP_ESC_INLINE long smtp_esc_subject(long number);

/** Returns the detail, 0 to 999, or -1 if the number is neither a code nor a status. */
SMTP_ESC_INLINE long smtp_esc_detail(long number);

/** Returns how the row lists the reply code: SMTP_ESC_PAIR_..., or 0 if it does not. */
SMTP_ESC_INLINE int smtp_esc_listing(int reply, long number);

/** Returns the form of the row's associated codes: SMTP_ESC_FORM_..., or 0 if there is no such row. */
SMTP_ESC_INLINE int smtp_esc_form(long number);

/** Returns the classes that the row allows: a sum of SMTP_ESC_BIT_..., or 0. */
SMTP_ESC_INLINE int smtp_esc_classes(long number);

/** Returns 1 if the registry deprecates the row, and 0 if it does not or there is no such row. */
SMTP_ESC_INLINE int smtp_esc_is_deprecated(long number);

/** Returns the status of the row to use instead if the row is deprecated, or 0. */
SMTP_ESC_INLINE long smtp_esc_successor(long number);

/** Returns the row's identifier, such as "ADDR_DEST_MAILBOX", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_identifier(long number);

/** Returns the row's sample text, which may be empty, or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_sample_text(long number);

/** Returns the row's reference, such as "[RFC3463] (Standards Track)", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_reference(long number);

/** Returns what the registry calls the class of a code, such as "Permanent Failure"; for a status, NULL. */
SMTP_ESC_INLINE const char *smtp_esc_class_summary(long code);

/** Returns what the registry calls the subject, such as "Addressing Status", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_subject_summary(long number);

#ifdef SMTP_ESC_DESCRIPTIONS
/** Returns a part of the row's description, counted from 0, or NULL if there is no such part or row. */
SMTP_ESC_INLINE const char *smtp_esc_description(long number, int part);
#endif

/** Returns the status of the row with an identifier such as "ADDR_DEST_MAILBOX", or 0. */
SMTP_ESC_INLINE long smtp_esc_from_identifier(const char *identifier);

/** Returns the identifier of a reply code, such as "MAILBOX_UNAVAIL", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_reply_identifier(int reply);

/** Returns what a reply code means, or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_reply_meaning(int reply);

#ifdef SMTP_ESC_ADVICE
/**
 * Returns what a refusal with these codes means, and what to do about it. Pass 0 as the reply code to look up the code
 * alone. Returns NULL if the code is not one of class 4 or 5, its row is not registered, or the first digits of the
 * two differ. Some providers use codes otherwise, so show the reply's text too.
 */
SMTP_ESC_INLINE const struct smtp_esc_advice *smtp_esc_explain(int reply, long code);

/** Returns the name of a category, such as "mailbox-full", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_category_name(int category);

/** Returns what a reply of a category says, in a sentence, or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_category_meaning(int category);
#endif

#ifdef SMTP_ESC_SUGGESTIONS
/**
 * Sets *reply and *code to a pair that is right in a situation such as "unknown-user": the pair to send if
 * rank is 0, and the others, best first, for 1, 2 and so on. *code is 0 if the reply needs no enhanced
 * status code; smtp_esc_format_reply accepts that. Returns SMTP_ESC_LEVEL_..., or 0, and sets both to 0, if
 * there is no such situation or no pair of that rank. reply and code may be null.
 */
SMTP_ESC_INLINE int smtp_esc_suggest(const char *situation, int rank, int *reply, long *code);

/** Returns what happened in a situation, such as "the mailbox is full", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_situation_title(const char *situation);
#endif

#if !defined(SMTP_ESC_NO_INLINE) || defined(SMTP_ESC_IMPLEMENTATION)

#if defined(__cplusplus) && __cplusplus >= 201103L
#define SMTP_ESC_NULL nullptr
#else
#define SMTP_ESC_NULL NULL
#endif

/* A key for a status and a number below 1000: at most 999999999, which fits into any long. */
#define SMTP_ESC_KEY(status, about) ((status) % 1000000L * 1000L + (about))

SMTP_ESC_INLINE long smtp_esc_parse(const char *text, size_t length)
{
    size_t used;
    long code = smtp_esc_parse_prefix(text, length, &used);

    return used == length ? code : 0;
}

SMTP_ESC_INLINE long smtp_esc_parse_prefix(const char *text, size_t length, size_t *used)
{
    long code;
    size_t at = 1;
    int part;

    if (used)
        *used = 0;
    if (length == 0 || (text[0] != '2' && text[0] != '4' && text[0] != '5'))
        return 0;
    code = text[0] - '0';
    for (part = 0; part < 2; part++) {
        long number = 0;
        size_t start = at + 1;

        if (at == length || text[at] != '.')
            return 0;
        for (at = start; at < length && at < start + 4 && text[at] >= '0' && text[at] <= '9'; at++)
            number = number * 10 + (text[at] - '0');
        if (at == start || at > start + 3 || (at > start + 1 && text[start] == '0'))
            return 0;
        code = code * 1000L + number;
    }
    if (at < length && text[at] != ' ')
        return 0;
    if (used)
        *used = at;
    return code;
}

SMTP_ESC_INLINE size_t smtp_esc_format(long code, char *buffer)
{
    size_t length = 0;
    int part;

    if (smtp_esc_is_code(code)) {
        buffer[length++] = "012345"[smtp_esc_class(code)];
        for (part = 0; part < 2; part++) {
            long number = part == 0 ? smtp_esc_subject(code) : smtp_esc_detail(code);

            buffer[length++] = '.';
            if (number >= 100)
                buffer[length++] = "0123456789"[number / 100];
            if (number >= 10)
                buffer[length++] = "0123456789"[number / 10 % 10];
            buffer[length++] = "0123456789"[number % 10];
        }
    }
    buffer[length] = '\0';
    return length;
}

#define SMTP_ESC_PUT(octet) \
    do { \
        if (length < size) \
            buffer[length] = (octet); \
        length++; \
    } while (0)

SMTP_ESC_INLINE size_t smtp_esc_format_reply(char *buffer, size_t size, int reply, long code, const char *text)
{
    char prefix[sizeof("550-") + SMTP_ESC_BUFFER_SIZE];
    const char *rest = text ? text : "";
    size_t prefix_length = 4, length = 0;

    if (size > 0)
        buffer[0] = '\0';
    if (reply < 200 || reply > 599 || (code != 0 && smtp_esc_class(code) != reply / 100))
        return 0;
    prefix[0] = "0123456789"[reply / 100];
    prefix[1] = "0123456789"[reply / 10 % 10];
    prefix[2] = "0123456789"[reply % 10];
    if (code != 0) {
        prefix_length += smtp_esc_format(code, prefix + prefix_length);
        prefix[prefix_length++] = ' ';
    }
    do {
        const char *line = rest;
        size_t room = SMTP_ESC_MAX_LINE - prefix_length - 2;
        size_t end = 0, after_space = 0, at;

        while (end < room && line[end] != '\0' && line[end] != '\n' && (line[end] != '\r' || line[end + 1] != '\n')) {
            end++;
            if (line[end - 1] == ' ')
                after_space = end;
        }
        if (line[end] == '\r' && line[end + 1] == '\n')
            rest = line + end + 2;
        else if (line[end] == '\n')
            rest = line + end + 1;
        else {
            if (line[end] != '\0' && after_space != 0)
                end = after_space;
            rest = line + end;
        }
        prefix[3] = *rest == '\0' ? ' ' : '-';
        for (at = 0; at < prefix_length; at++)
            SMTP_ESC_PUT(prefix[at]);
        for (at = 0; at < end; at++) {
            if (line[at] == '\t' || (line[at] >= ' ' && line[at] <= '~'))
                SMTP_ESC_PUT(line[at]);
            else
                SMTP_ESC_PUT('?');
        }
        SMTP_ESC_PUT('\r');
        SMTP_ESC_PUT('\n');
    } while (*rest != '\0');
    if (length < size)
        buffer[length] = '\0';
    else if (size > 0)
        buffer[0] = '\0';
    return length;
}

#undef SMTP_ESC_PUT

SMTP_ESC_INLINE int smtp_esc_is_code(long number)
{
    return smtp_esc_class(number) != 0;
}

SMTP_ESC_INLINE int smtp_esc_class(long code)
{
    if (code >= 2000000L && code < 3000000L)
        return 2;
    if (code >= 4000000L && code < 5000000L)
        return 4;
    return code >= 5000000L && code < 6000000L ? 5 : 0;
}

SMTP_ESC_INLINE long smtp_esc_status(long number)
{
    if (smtp_esc_is_code(number))
        return 10000000L + number % 1000000L;
    return number >= 10000000L && number < 11000000L ? number : 0;
}

SMTP_ESC_INLINE long smtp_esc_subject(long number)
{
    return smtp_esc_status(number) != 0 ? number / 1000L % 1000L : -1;
}

SMTP_ESC_INLINE long smtp_esc_detail(long number)
{
    return smtp_esc_status(number) != 0 ? number % 1000L : -1;
}

SMTP_ESC_INLINE int smtp_esc_judge(int reply, long code)
{
    if (reply < 200 || reply > 599 || !smtp_esc_is_code(code))
        return SMTP_ESC_INVALID;
    if (reply / 100 != smtp_esc_class(code))
        return SMTP_ESC_CLASS_MISMATCH;
    switch (smtp_esc_form(code)) {
    case 0:
        return SMTP_ESC_UNREGISTERED;
    case SMTP_ESC_FORM_NOT_GIVEN:
    case SMTP_ESC_FORM_NO_DATA:
        return SMTP_ESC_NO_LIST;
    default:
        return smtp_esc_listing(reply, code) != 0 ? SMTP_ESC_LISTED : SMTP_ESC_UNLISTED;
    }
}

#define SMTP_ESC_CASE(identifier, subject, detail, kind, reply) \
    case SMTP_ESC_KEY(SMTP_ESC_##identifier, reply): \
        return kind;

SMTP_ESC_INLINE int smtp_esc_listing(int reply, long number)
{
    int listed = reply;

    if (smtp_esc_form(number) == 0 || reply < 200 || reply > 599 || reply / 100 == 3)
        return 0;
    /* Looks for the reply code, then for its first digit, then for 0, as SMTP_ESC_PAIR_MAP_V1 has them. */
    for (;;) {
        switch (SMTP_ESC_KEY(smtp_esc_status(number), listed)) {
            SMTP_ESC_PAIR_MAP_V1(SMTP_ESC_CASE)
        default:
            break;
        }
        if (listed == 0)
            return 0;
        listed /= 100;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return form;

SMTP_ESC_INLINE int smtp_esc_form(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return 0;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return classes;

SMTP_ESC_INLINE int smtp_esc_classes(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return 0;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return #identifier;

SMTP_ESC_INLINE const char *smtp_esc_identifier(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return sample_text;

SMTP_ESC_INLINE const char *smtp_esc_sample_text(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return reference;

SMTP_ESC_INLINE const char *smtp_esc_reference(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_##identifier: \
        return successor;

SMTP_ESC_INLINE long smtp_esc_successor(long number)
{
    switch (smtp_esc_status(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return 0;
    }
}

SMTP_ESC_INLINE int smtp_esc_is_deprecated(long number)
{
    return smtp_esc_successor(number) != 0;
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(key, summary) \
    case key: \
        return summary;

SMTP_ESC_INLINE const char *smtp_esc_class_summary(long code)
{
    switch (smtp_esc_class(code)) {
        SMTP_ESC_CLASS_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

SMTP_ESC_INLINE const char *smtp_esc_subject_summary(long number)
{
    switch (smtp_esc_subject(number)) {
        SMTP_ESC_SUBJECT_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#ifdef SMTP_ESC_DESCRIPTIONS
#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, part, text) \
    case SMTP_ESC_KEY(SMTP_ESC_##identifier, part): \
        return text;

SMTP_ESC_INLINE const char *smtp_esc_description(long number, int part)
{
    if (smtp_esc_form(number) == 0 || part < 0 || part > 999)
        return SMTP_ESC_NULL;
    switch (SMTP_ESC_KEY(smtp_esc_status(number), part)) {
        SMTP_ESC_DESCRIPTION_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}
#endif

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    { #identifier, SMTP_ESC_##identifier },

SMTP_ESC_INLINE long smtp_esc_from_identifier(const char *identifier)
{
    static const struct {
        const char *identifier;
        long status;
    } rows[] = { SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE) };
    size_t row, at;

    for (row = 0; identifier && row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (at = 0; identifier[at] == rows[row].identifier[at]; at++) {
            if (identifier[at] == '\0')
                return rows[row].status;
        }
    }
    return 0;
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(reply, identifier, meaning) \
    case reply: \
        return #identifier;

SMTP_ESC_INLINE const char *smtp_esc_reply_identifier(int reply)
{
    switch (reply) {
        SMTP_ESC_REPLY_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(reply, identifier, meaning) \
    case reply: \
        return meaning;

SMTP_ESC_INLINE const char *smtp_esc_reply_meaning(int reply)
{
    switch (reply) {
        SMTP_ESC_REPLY_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#ifdef SMTP_ESC_ADVICE
#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(reply, subject, detail, category, retry, list, happened, sender, administrator) \
    { reply, SMTP_ESC_STATUS(subject, detail), { category, retry, list, happened, sender, administrator } },

SMTP_ESC_INLINE const struct smtp_esc_advice *smtp_esc_explain(int reply, long code)
{
    static const struct {
        int reply;
        long status;
        struct smtp_esc_advice advice;
    } rows[] = { SMTP_ESC_ADVICE_MAP_V1(SMTP_ESC_CASE) };
    const struct smtp_esc_advice *found = SMTP_ESC_NULL;
    int digit = smtp_esc_class(code);
    size_t row;

    if (digit == 0 || (reply != 0 && reply / 100 != digit))
        return SMTP_ESC_NULL;
    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        if (rows[row].status != smtp_esc_status(code))
            continue;
        if (rows[row].reply == reply)
            return &rows[row].advice;
        if (rows[row].reply == digit)
            found = &rows[row].advice;
    }
    return found;
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(category, name, meaning) \
    case category: \
        return name;

SMTP_ESC_INLINE const char *smtp_esc_category_name(int category)
{
    switch (category) {
        SMTP_ESC_CATEGORY_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(category, name, meaning) \
    case category: \
        return meaning;

SMTP_ESC_INLINE const char *smtp_esc_category_meaning(int category)
{
    switch (category) {
        SMTP_ESC_CATEGORY_MAP_V1(SMTP_ESC_CASE)
    default:
        return SMTP_ESC_NULL;
    }
}
#endif

#ifdef SMTP_ESC_SUGGESTIONS
#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(situation, rank, reply, code, level, source) { situation, rank, reply, code, level },

SMTP_ESC_INLINE int smtp_esc_suggest(const char *situation, int rank, int *reply, long *code)
{
    static const struct {
        const char *situation;
        int rank, reply;
        long code;
        int level;
    } rows[] = { SMTP_ESC_SUGGESTION_MAP_V1(SMTP_ESC_CASE) };
    size_t row, at;

    if (reply)
        *reply = 0;
    if (code)
        *code = 0;
    for (row = 0; situation && row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (at = 0; rows[row].rank == rank && situation[at] == rows[row].situation[at]; at++) {
            if (situation[at] != '\0')
                continue;
            if (reply)
                *reply = rows[row].reply;
            if (code)
                *code = rows[row].code;
            return rows[row].level;
        }
    }
    return 0;
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(situation, command, title) { situation, title },

SMTP_ESC_INLINE const char *smtp_esc_situation_title(const char *situation)
{
    static const struct {
        const char *situation, *title;
    } rows[] = { SMTP_ESC_SITUATION_MAP_V1(SMTP_ESC_CASE) };
    size_t row, at;

    for (row = 0; situation && row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (at = 0; situation[at] == rows[row].situation[at]; at++) {
            if (situation[at] == '\0')
                return rows[row].title;
        }
    }
    return SMTP_ESC_NULL;
}
#endif

#undef SMTP_ESC_CASE
#undef SMTP_ESC_KEY
#undef SMTP_ESC_NULL
#endif

#ifdef __cplusplus
}
#endif

#undef SMTP_ESC_INLINE

#endif

