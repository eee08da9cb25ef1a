/* Prints the texts in the header's tables, in hexadecimal. */
#define SMTP_ESC_DESCRIPTIONS
#include <smtp_enhanced_status.h>

#include <stdio.h>

static void print_hex(const char *text)
{
    for (; *text != '\0'; text++)
        printf("%02x", (unsigned)(unsigned char)*text);
}

static void print_row(const char *identifier, long status)
{
    const char *part;
    int index = 0;

    printf("%s ", identifier);
    print_hex(smtp_esc_sample_text(status));
    printf(" ");
    print_hex(smtp_esc_reference(status));
    printf(" ");
    print_hex(smtp_esc_subject_summary(status));
    printf(" ");
    while ((part = smtp_esc_description(status, index++)) != NULL)
        print_hex(part);
    printf("\n");
}

static void print_reply(int reply)
{
    printf("%d ", reply);
    print_hex(smtp_esc_reply_meaning(reply));
    printf("\n");
}

#define PRINT_ROW(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    print_row(#identifier, SMTP_ESC_STATUS(subject, detail));
#define PRINT_REPLY(code, identifier, meaning) print_reply(code);

int main(void)
{
    SMTP_ESC_ROW_MAP_V1(PRINT_ROW)
    SMTP_ESC_REPLY_MAP_V1(PRINT_REPLY)
    return 0;
}
