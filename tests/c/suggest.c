/* Prints every situation and every pair that is right in it, from the X-macros and as the functions return it. */

#include <stdio.h>

#define SMTP_ESC_SUGGESTIONS
#include <smtp_enhanced_status.h>

#define PRINT_SITUATION(situation, command, title) \
    printf("situation %s %s %s\n", situation, command, title); \
    printf("title %s\n", smtp_esc_situation_title(situation)); \
    print_pairs(situation);

#define PRINT_SUGGESTION(situation, rank, reply, code, level, source) \
    printf("suggestion %s %d %d %ld %d %s\n", situation, rank, reply, code, level, source);

static void print_pairs(const char *situation)
{
    int rank, reply, level;
    long code;
    char buffer[100];

    for (rank = 0; (level = smtp_esc_suggest(situation, rank, &reply, &code)) != 0; rank++) {
        smtp_esc_format_reply(buffer, sizeof(buffer), reply, code, "Words");
        printf("pair %d %d %ld %d %s", rank, reply, code, level, buffer);
    }
    printf("end %d %ld\n", reply, code);
}

int main(void)
{
    SMTP_ESC_SITUATION_MAP_V1(PRINT_SITUATION)
    SMTP_ESC_SUGGESTION_MAP_V1(PRINT_SUGGESTION)
    printf("%d %d %d\n", smtp_esc_suggest("unknown-use", 0, NULL, NULL), smtp_esc_suggest("unknown-users", 0, NULL, NULL),
        smtp_esc_suggest(NULL, 0, NULL, NULL));
    printf("%d %d %d\n", smtp_esc_suggest("", 0, NULL, NULL), smtp_esc_suggest("unknown-user", -1, NULL, NULL),
        smtp_esc_suggest("unknown-user", 0, NULL, NULL));
    printf("%d %d\n", smtp_esc_situation_title("unknown") == NULL, smtp_esc_situation_title(NULL) == NULL);
    return 0;
}
