/*
 * Prints every line of the X-macros, then what the functions return for every number. Texts are in
 * hexadecimal.
 */

#include <stdio.h>

#define SMTP_ESC_DESCRIPTIONS
#include <smtp_enhanced_status.h>

static void print_hex(const char *text)
{
    for (; *text != '\0'; text++)
        printf("%02x", (unsigned int)(unsigned char)*text);
}

static void print_text(const char *text)
{
    putchar(' ');
    print_hex(text);
    putchar('\n');
}

#define PRINT_ROW(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    printf("row %s %d %d %ld %d %d %ld %ld ", #identifier, subject, detail, SMTP_ESC_##identifier, classes, form, \
        successor, smtp_esc_from_identifier(#identifier)); \
    print_hex(reference); \
    print_text(sample_text);

#define PRINT_PAIR(identifier, subject, detail, kind, reply) \
    printf("pair %s %d %d %d %d\n", #identifier, subject, detail, kind, reply);

#define PRINT_CLASS(class_digit, summary) \
    printf("class %d", class_digit); \
    print_text(summary);

#define PRINT_SUBJECT(subject, summary) \
    printf("subject %d", subject); \
    print_text(summary);

#define PRINT_REPLY(reply, identifier, meaning) \
    printf("reply %d %s %d", reply, #identifier, SMTP_ESC_REPLY_##identifier); \
    print_text(meaning);

#define PRINT_DESCRIPTION(identifier, subject, detail, part, text) \
    if ((part) == 0) \
        printf("\ndescription %s %d %d ", #identifier, subject, detail); \
    print_hex(text); \
    if (sizeof(text) > 509) \
        printf(" too long");

static void print_number(long number)
{
    const char *part;
    int reply;
    int index = 0;

    printf("number %ld %s %d %d %ld %d ", number, smtp_esc_identifier(number), smtp_esc_classes(number),
        smtp_esc_form(number), smtp_esc_successor(number), smtp_esc_is_deprecated(number));
    print_hex(smtp_esc_reference(number));
    printf(" %s ", smtp_esc_class_summary(number) ? smtp_esc_class_summary(number) : "-");
    print_hex(smtp_esc_subject_summary(number));
    putchar(' ');
    for (reply = 199; reply <= 600; reply++)
        printf("%d", smtp_esc_listing(reply, number));
    print_text(smtp_esc_sample_text(number));
    printf("whole ");
    while ((part = smtp_esc_description(number, index++)) != NULL)
        print_hex(part);
    putchar('\n');
}

int main(void)
{
    long number;
    int reply;

    printf("version %s %ld\n", SMTP_ESC_VERSION, SMTP_ESC_VERSION_NUMBER);
    printf("registry %s %ld %s %s\n", SMTP_ESC_REGISTRY_UPDATED, SMTP_ESC_REGISTRY_DATE, SMTP_ESC_REGISTRY_SHA256,
        SMTP_ESC_REGISTRY_ORIGIN);
    SMTP_ESC_ROW_MAP_V1(PRINT_ROW)
    SMTP_ESC_PAIR_MAP_V1(PRINT_PAIR)
    SMTP_ESC_CLASS_MAP_V1(PRINT_CLASS)
    SMTP_ESC_SUBJECT_MAP_V1(PRINT_SUBJECT)
    SMTP_ESC_REPLY_MAP_V1(PRINT_REPLY)
    SMTP_ESC_DESCRIPTION_MAP_V1(PRINT_DESCRIPTION)
    putchar('\n');
    for (number = -1000; number < 12000000L; number++) {
        if (smtp_esc_form(number) != 0 || smtp_esc_identifier(number) != NULL)
            print_number(number);
    }
    for (reply = -1000; reply <= 1000; reply++) {
        if (smtp_esc_reply_meaning(reply) != NULL) {
            printf("meaning %d %s", reply, smtp_esc_reply_identifier(reply));
            print_text(smtp_esc_reply_meaning(reply));
        }
    }
    return 0;
}
