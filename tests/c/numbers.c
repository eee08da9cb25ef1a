/*
 * Checks every number from below 0 to above the last code, and the limits of the types, against what the
 * header promises. Prints the checks that fail.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <smtp_enhanced_status.h>

static int failures = 0;

#define CHECK(condition, number) \
    do { \
        if (!(condition)) { \
            printf("%ld: %s\n", (long)(number), #condition); \
            failures++; \
        } \
    } while (0)

static void check_no_code(long number)
{
    char buffer[SMTP_ESC_BUFFER_SIZE] = "untouched";

    CHECK(smtp_esc_is_code(number) == 0 && smtp_esc_class(number) == 0, number);
    CHECK(smtp_esc_format(number, buffer) == 0 && buffer[0] == '\0', number);
    CHECK(smtp_esc_judge(550, number) == SMTP_ESC_INVALID, number);
    CHECK(smtp_esc_class_summary(number) == NULL, number);
    if (number != 0) {
        strcpy(buffer, "untouched");
        CHECK(smtp_esc_format_reply(buffer, sizeof(buffer), 550, number, "x") == 0 && buffer[0] == '\0', number);
    }
}

static void check_code(long code)
{
    char buffer[SMTP_ESC_BUFFER_SIZE];
    size_t length = smtp_esc_format(code, buffer);

    CHECK(smtp_esc_is_code(code) == 1, code);
    CHECK(length == strlen(buffer) && length < sizeof(buffer), code);
    CHECK(smtp_esc_parse(buffer, length) == code, code);
    CHECK(smtp_esc_class(code) == buffer[0] - '0' && smtp_esc_class_summary(code) != NULL, code);
    CHECK(SMTP_ESC_CODE(smtp_esc_class(code), smtp_esc_subject(code), smtp_esc_detail(code)) == code, code);
    CHECK(SMTP_ESC_STATUS(smtp_esc_subject(code), smtp_esc_detail(code)) == smtp_esc_status(code), code);
    /* A code that is taken for a status does not become another code. */
    check_no_code(SMTP_ESC_SUCCESS(code));
    check_no_code(SMTP_ESC_TRANSIENT(code));
    check_no_code(SMTP_ESC_PERMANENT(code));
}

static void check_status(long status)
{
    check_no_code(status);
    CHECK(smtp_esc_status(status) == status, status);
    CHECK(SMTP_ESC_STATUS(smtp_esc_subject(status), smtp_esc_detail(status)) == status, status);
    CHECK(smtp_esc_status(SMTP_ESC_SUCCESS(status)) == status, status);
    CHECK(smtp_esc_status(SMTP_ESC_TRANSIENT(status)) == status, status);
    CHECK(smtp_esc_status(SMTP_ESC_PERMANENT(status)) == status, status);
}

static void check_nothing(long number)
{
    check_no_code(number);
    CHECK(smtp_esc_status(number) == 0, number);
    CHECK(smtp_esc_subject(number) == -1 && smtp_esc_detail(number) == -1, number);
    CHECK(smtp_esc_form(number) == 0, number);
    CHECK(smtp_esc_classes(number) == 0, number);
    CHECK(smtp_esc_listing(250, number) == 0, number);
    CHECK(smtp_esc_identifier(number) == NULL, number);
    CHECK(smtp_esc_sample_text(number) == NULL, number);
    CHECK(smtp_esc_reference(number) == NULL, number);
    CHECK(smtp_esc_subject_summary(number) == NULL, number);
    CHECK(smtp_esc_successor(number) == 0 && smtp_esc_is_deprecated(number) == 0, number);
#ifdef SMTP_ESC_DESCRIPTIONS
    CHECK(smtp_esc_description(number, 0) == NULL, number);
#endif
}

static void check_no_reply(int reply)
{
    CHECK(smtp_esc_judge(reply, SMTP_ESC_PERMANENT(SMTP_ESC_OTHER)) == SMTP_ESC_INVALID, reply);
    CHECK(smtp_esc_listing(reply, SMTP_ESC_OTHER) == 0, reply);
    CHECK(smtp_esc_reply_meaning(reply) == NULL && smtp_esc_reply_identifier(reply) == NULL, reply);
    CHECK(smtp_esc_format_reply(NULL, 0, reply, 0, "x") == 0, reply);
}

int main(void)
{
    static const long far_numbers[] = { LONG_MIN, LONG_MIN + 1, -2147483647L, 2147483647L, LONG_MAX - 1, LONG_MAX };
    static const int far_replies[] = { INT_MIN, -550, -1, 600, 1000, 5505, INT_MAX };
    static const char *const strangers[] = { "", "OTHE", "OTHERS", "other", "SMTP_ESC_OTHER", " OTHER" };
    long number;
    int reply;
    size_t index;

    for (number = -1000; number < 12000000L; number++) {
        long millions = number / 1000000L;

        if (number >= 0 && (millions == 2 || millions == 4 || millions == 5))
            check_code(number);
        else if (millions == 10)
            check_status(number);
        else
            check_nothing(number);
    }
    check_nothing(SMTP_ESC_SUCCESS(0));
    check_nothing(SMTP_ESC_TRANSIENT(0));
    check_nothing(SMTP_ESC_PERMANENT(0));
    for (index = 0; index < sizeof(far_numbers) / sizeof(far_numbers[0]); index++)
        check_nothing(far_numbers[index]);
    for (reply = -10; reply < 200; reply++)
        check_no_reply(reply);
    for (index = 0; index < sizeof(far_replies) / sizeof(far_replies[0]); index++)
        check_no_reply(far_replies[index]);
    for (index = 0; index < sizeof(strangers) / sizeof(strangers[0]); index++)
        CHECK(smtp_esc_from_identifier(strangers[index]) == 0, index);
    CHECK(smtp_esc_from_identifier(NULL) == 0, 0);
#ifdef SMTP_ESC_DESCRIPTIONS
    number = SMTP_ESC_OTHER;
    CHECK(smtp_esc_description(number, 0) != NULL && smtp_esc_description(number, -1) == NULL, number);
    CHECK(smtp_esc_description(number, 1000) == NULL && smtp_esc_description(number, INT_MAX) == NULL, number);
#endif
    return failures != 0;
}
