{% for line in head.lines %}{% if loop.first %}/* {% else %} * {% endif %}{{ line }}
{% endfor %} */

/*
  * SMTP enhanced status codes (RFC 3463), basic reply codes (RFC 5321), and what IANA's registry says
  * about pairs of the two (RFC 2034, RFC 5248).
  *
  * To use it, copy this file. There is nothing to build, link or initialise.
 *
 *     code = smtp_esc_parse_prefix(text, length, NULL);   where text is "5.1.1 No such user"
 *     if (smtp_esc_judge(550, code) == SMTP_ESC_CLASS_MISMATCH) ...
 *     smtp_esc_format(SMTP_ESC_PERMANENT(SMTP_ESC_ADDR_DEST_MAILBOX), buffer);
 *
  * Options, which must be defined before the first #include:
  *
  *     SMTP_ESC_DESCRIPTIONS      Adds the registry's descriptions.
  *     SMTP_ESC_NO_INLINE         Only declares the functions, which are static otherwise.
  *     SMTP_ESC_IMPLEMENTATION    With SMTP_ESC_NO_INLINE, in one file of the program: defines them.
  *
  * The header is written in C89 and C++98, and works with every later standard. It includes only
  * <stddef.h>. It exceeds two limits of C89, which no compiler we know of enforces: an X-macro is a
  * logical source line of more than 509 characters, and with SMTP_ESC_NO_INLINE some external names have
  * the same first six characters.
  *
  * The functions have no state: they allocate nothing, have no static buffers, do not use the locale,
  * and are thread-safe. They accept every argument. They return 0 for a text or number that is not a
  * code, and NULL or 0 for a row that does not exist, unless their comment says otherwise. A null pointer
  * with length 0 is an empty text.
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
#define SMTP_ESC_VERSION_NUMBER   {{ version_number }} /* 0xMMmmpp */
#define SMTP_ESC_REGISTRY_UPDATED {{ updated }}
#define SMTP_ESC_REGISTRY_DATE    {{ date }}
#define SMTP_ESC_REGISTRY_ORIGIN  {{ origin }}
#define SMTP_ESC_REGISTRY_SHA256 \
    {{ sha256 }}

/*
 * Numbers
 *
  *     status   subject * 1000 + detail, a row of the registry, without a class: X.1.1 is 1001
  *     code     class * 1000000 + status: 5.1.1 is 5001001; never 0
  *
  * Both are long, because an int may have only 16 bits, and both can be used in #if and in case labels.
  * Codes compare numerically: 5.7.2 is less than 5.7.10. The macros check nothing: pass 2, 4 or 5 as
  * the class, and 0 to 999 as subject and detail.
 */
#define SMTP_ESC_STATUS(subject, detail)      ((subject) * 1000L + (detail))
#define SMTP_ESC_CODE(class, subject, detail) ((class) * 1000000L + SMTP_ESC_STATUS(subject, detail))

#define SMTP_ESC_SUCCESS(status)   (2000000L + (status)) /* 2.y.z */
#define SMTP_ESC_TRANSIENT(status) (4000000L + (status)) /* 4.y.z */
#define SMTP_ESC_PERMANENT(status) (5000000L + (status)) /* 5.y.z */

#define SMTP_ESC_CLASS_OF(code)     ((code) / 1000000L)
#define SMTP_ESC_STATUS_OF(code)    ((code) % 1000000L)
#define SMTP_ESC_SUBJECT_OF(number) ((number) / 1000L % 1000L) /* of a code or a status */
#define SMTP_ESC_DETAIL_OF(number)  ((number) % 1000L)

/* The size of a buffer for the longest code, "5.999.999", and its NUL. */
#define SMTP_ESC_BUFFER_SIZE 10

/* What the registry says about a reply code and an enhanced status code; if several apply, the first. */
#define SMTP_ESC_INVALID        0 /* the reply code is not 200 to 599, or the code is not a code */
#define SMTP_ESC_CLASS_MISMATCH 1 /* the first digits differ, which RFC 2034 section 4 forbids */
#define SMTP_ESC_UNREGISTERED   2 /* the registry has no such row */
#define SMTP_ESC_LISTED         3 /* the row lists the reply code, its class, or "Any" */
#define SMTP_ESC_UNLISTED       4 /* the row has a list, and the reply code is not on it */
#define SMTP_ESC_NO_LIST        5 /* the row has no list */

/* The forms of the registry's column "Associated Basic Status Code". */
#define SMTP_ESC_FORM_ANY       1 /* "Any": every reply code of the same class */
#define SMTP_ESC_FORM_NOT_GIVEN 2 /* "Not given": not known yet; it does not mean "none" */
#define SMTP_ESC_FORM_NO_DATA   3 /* an empty cell */
#define SMTP_ESC_FORM_LIST      4 /* reply codes or classes */
#define SMTP_ESC_FORM_OPEN_LIST 5 /* reply codes, with a note that others are allowed */

/* How a row lists a reply code. */
#define SMTP_ESC_PAIR_EXACT 1 /* by itself */
#define SMTP_ESC_PAIR_CLASS 2 /* by its class: "5XX" */
#define SMTP_ESC_PAIR_ANY   3 /* by "Any" */

/* The classes that a row's text or its RFC allows: a sum of these. */
#define SMTP_ESC_BIT_SUCCESS   1 /* 2.y.z */
#define SMTP_ESC_BIT_TRANSIENT 2 /* 4.y.z */
#define SMTP_ESC_BIT_PERMANENT 4 /* 5.y.z */

/* The rows of the registry, as statuses. */
{%- for row in rows %}
{%- if let Some(heading) = row.heading %}

/* {{ heading }} */
{%- endif %}
#define SMTP_ESC_{{ row.constant }} /* {{ row.comment }} */
{%- endfor %}

/* Basic reply codes. IANA has no registry of them; names and meanings are this project's. */
{%- for reply in replies %}
#define SMTP_ESC_REPLY_{{ reply.constant }} /* {{ reply.comment }} */
{%- endfor %}

/*
  * X-macros: each calls the macro that you pass once per row. The columns of a version never change; a
  * new column comes with a new version.
  *
  * Identifiers and names have no prefix here. Use them with # and ## only: anywhere else, a macro of
  * yours named OTHER or OK would be expanded instead.
 */

/*
  * The rows of the registry, in the registry's order:
 *     X(identifier, subject, detail, classes, form, deprecated, sample_text)
  * classes is a sum of SMTP_ESC_BIT_..., or 0 if the row must not be sent; form is one of
  * SMTP_ESC_FORM_...; deprecated is 1 or 0; sample_text is empty if the registry has none.
 */
#define SMTP_ESC_ROW_MAP_V1(X) \
{%- for row in rows %}
    X({{ row.cells }}, {{ row.sample }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/*
  * The associated reply codes, one per call:
  *     X(identifier, subject, detail, kind, reply)
  * reply is a reply code if kind is SMTP_ESC_PAIR_EXACT, the first digit of reply codes if it is
  * SMTP_ESC_PAIR_CLASS, and 0 if it is SMTP_ESC_PAIR_ANY.
 */
#define SMTP_ESC_PAIR_MAP_V1(X) \
{%- for cells in pairs %}
    X({{ cells }}){% if !loop.last %} \{% endif %}
{%- endfor %}

/*
  * The basic reply codes, in ascending order:
 *     X(reply, name, meaning)
 */
#define SMTP_ESC_REPLY_MAP_V1(X) \
{%- for reply in replies %}
    X({{ reply.cells }} {{ reply.meaning }}){% if !loop.last %} \{% endif %}
{%- endfor %}

#ifdef SMTP_ESC_DESCRIPTIONS
/*
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

/*
  * Parses a code: class 2, 4 or 5, then subject and detail of one to three digits without a leading zero
  * (RFC 3463 section 2). Nothing may precede or follow it. Returns the code, or 0.
 */
SMTP_ESC_INLINE long smtp_esc_parse(const char *text, size_t length);

/*
  * Parses the code at the start of a reply's text. Pass the text that follows the reply code and its
  * separator, without the line end. After the code must come a space, as RFC 2034 section 3 (4)
  * requires, or the end of the text, which servers send too; this keeps IP addresses and version numbers
  * from being mistaken for codes. Returns the code, or 0, and sets *used to the length of the code, or
  * to 0. used may be null.
 */
SMTP_ESC_INLINE long smtp_esc_parse_prefix(const char *text, size_t length, size_t *used);

/*
  * Writes a code and a NUL to a buffer of at least SMTP_ESC_BUFFER_SIZE characters. Returns the length of
  * the text. If the number is not a code, writes an empty text and returns 0.
 */
SMTP_ESC_INLINE size_t smtp_esc_format(long code, char *buffer);

/* Returns 1 if the number is a code, registered or not, and 0 if it is a status or anything else. */
SMTP_ESC_INLINE int smtp_esc_is_code(long number);

/* Returns SMTP_ESC_INVALID, SMTP_ESC_CLASS_MISMATCH, and so on. A 3yz reply code matches no code. */
SMTP_ESC_INLINE int smtp_esc_judge(int reply, long code);

/*
  * In the functions below, number is a code or a status. They ignore the class of a code.
 */

/* Returns how the row lists the reply code: SMTP_ESC_PAIR_..., or 0 if it does not. */
SMTP_ESC_INLINE int smtp_esc_listing(int reply, long number);

/* Returns the form of the row's associated codes: SMTP_ESC_FORM_..., or 0 if there is no such row. */
SMTP_ESC_INLINE int smtp_esc_form(long number);

/* Returns the classes that the row allows: a sum of SMTP_ESC_BIT_..., or 0. */
SMTP_ESC_INLINE int smtp_esc_classes(long number);

/* Returns the row's identifier, such as "ADDR_DEST_MAILBOX", or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_identifier(long number);

/* Returns the row's sample text, which may be empty, or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_sample_text(long number);

#ifdef SMTP_ESC_DESCRIPTIONS
/* Returns a part of the row's description, counted from 0, or NULL if there is no such part or row. */
SMTP_ESC_INLINE const char *smtp_esc_description(long number, int part);
#endif

/* Returns the status of the row with an identifier such as "ADDR_DEST_MAILBOX", or -1. */
SMTP_ESC_INLINE long smtp_esc_from_identifier(const char *identifier);

/* Returns what a reply code means, or NULL. */
SMTP_ESC_INLINE const char *smtp_esc_reply_meaning(int reply);

#if !defined(SMTP_ESC_NO_INLINE) || defined(SMTP_ESC_IMPLEMENTATION)

/* The status of a code. Any other number is unchanged; no row has it unless it is a status. */
#define SMTP_ESC_ROW(number) (smtp_esc_is_code(number) ? SMTP_ESC_STATUS_OF(number) : (number))

/* A key for a status and a number below 1000: at most 999999999, which fits into any long. */
#define SMTP_ESC_KEY(status, about) ((status) * 1000L + (about))

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
        buffer[length++] = "012345"[SMTP_ESC_CLASS_OF(code)];
        for (part = 0; part < 2; part++) {
            long number = part == 0 ? SMTP_ESC_SUBJECT_OF(code) : SMTP_ESC_DETAIL_OF(code);

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

SMTP_ESC_INLINE int smtp_esc_is_code(long number)
{
    return (number >= 2000000L && number < 3000000L) || (number >= 4000000L && number < 6000000L);
}

SMTP_ESC_INLINE int smtp_esc_judge(int reply, long code)
{
    if (reply < 200 || reply > 599 || !smtp_esc_is_code(code))
        return SMTP_ESC_INVALID;
    if (reply / 100 != SMTP_ESC_CLASS_OF(code))
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
        switch (SMTP_ESC_KEY(SMTP_ESC_ROW(number), listed)) {
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
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, deprecated, sample_text) \
    case SMTP_ESC_##identifier: \
        return form;

SMTP_ESC_INLINE int smtp_esc_form(long number)
{
    switch (SMTP_ESC_ROW(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return 0;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, deprecated, sample_text) \
    case SMTP_ESC_##identifier: \
        return classes;

SMTP_ESC_INLINE int smtp_esc_classes(long number)
{
    switch (SMTP_ESC_ROW(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return 0;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, deprecated, sample_text) \
    case SMTP_ESC_##identifier: \
        return #identifier;

SMTP_ESC_INLINE const char *smtp_esc_identifier(long number)
{
    switch (SMTP_ESC_ROW(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return NULL;
    }
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, deprecated, sample_text) \
    case SMTP_ESC_##identifier: \
        return sample_text;

SMTP_ESC_INLINE const char *smtp_esc_sample_text(long number)
{
    switch (SMTP_ESC_ROW(number)) {
        SMTP_ESC_ROW_MAP_V1(SMTP_ESC_CASE)
    default:
        return NULL;
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
        return NULL;
    switch (SMTP_ESC_KEY(SMTP_ESC_ROW(number), part)) {
        SMTP_ESC_DESCRIPTION_MAP_V1(SMTP_ESC_CASE)
    default:
        return NULL;
    }
}
#endif

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(identifier, subject, detail, classes, form, deprecated, sample_text) \
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
    return -1;
}

#undef SMTP_ESC_CASE
#define SMTP_ESC_CASE(reply, name, meaning) \
    case reply: \
        return meaning;

SMTP_ESC_INLINE const char *smtp_esc_reply_meaning(int reply)
{
    switch (reply) {
        SMTP_ESC_REPLY_MAP_V1(SMTP_ESC_CASE)
    default:
        return NULL;
    }
}

#undef SMTP_ESC_CASE
#undef SMTP_ESC_KEY
#undef SMTP_ESC_ROW
#endif

#ifdef __cplusplus
}
#endif

#undef SMTP_ESC_INLINE

#endif

