/*
 * Prints every line of the X-macros, then what smtp_esc_explain returns for every code: alone, and with each reply code
 * that changes it. Texts are in hexadecimal.
 */

#include <stdio.h>

#define SMTP_ESC_ADVICE
#include <smtp_enhanced_status.h>

static void print_hex(const char *text)
{
    putchar(' ');
    for (; *text != '\0'; text++)
        printf("%02x", (unsigned int)(unsigned char)*text);
}

#define PRINT_CATEGORY(category, name, meaning) \
    printf("category %s %d", #category, smtp_esc_category_name(category) != NULL); \
    print_hex(smtp_esc_category_name(category)); \
    print_hex(smtp_esc_category_meaning(category)); \
    print_hex(name); \
    print_hex(meaning); \
    putchar('\n');

#define PRINT_ADVICE(reply, subject, detail, category, retry, list, happened, sender, administrator) \
    printf("map %d %d %d %s %d %d", reply, subject, detail, smtp_esc_category_name(category), retry, list); \
    print_hex(happened); \
    print_hex(sender); \
    print_hex(administrator); \
    putchar('\n');

static void print_advice(int reply, long code, const struct smtp_esc_advice *advice)
{
    char text[SMTP_ESC_BUFFER_SIZE];

    smtp_esc_format(code, text);
    printf("%d %s %s %d %d", reply, text, smtp_esc_category_name(advice->category), advice->retry, advice->list);
    print_hex(advice->happened);
    print_hex(advice->sender);
    print_hex(advice->administrator);
    putchar('\n');
}

static int none(int category)
{
    return smtp_esc_category_name(category) == NULL && smtp_esc_category_meaning(category) == NULL;
}

int main(void)
{
    long number;
    int reply;

    SMTP_ESC_CATEGORY_MAP_V1(PRINT_CATEGORY)
    SMTP_ESC_ADVICE_MAP_V1(PRINT_ADVICE)
    for (number = -1000; number < 12000000L; number++) {
        const struct smtp_esc_advice *alone = smtp_esc_explain(0, number);

        if (alone != NULL)
            print_advice(0, number, alone);
        if (smtp_esc_form(number) == 0 && alone == NULL)
            continue;
        for (reply = -600; reply <= 1000; reply++) {
            const struct smtp_esc_advice *advice = smtp_esc_explain(reply, number);
            int is_match = alone != NULL && (reply == 0 || reply / 100 == smtp_esc_class(number));

            if ((advice != NULL) != is_match)
                printf("%d with %ld: %s\n", reply, number, advice ? "advice" : "no advice");
            else if (advice != alone && advice != NULL)
                print_advice(reply, number, advice);
        }
    }
    if (!none(0) || !none(-1) || !none(999))
        puts("a number that is not a category has a name");
    return 0;
}
