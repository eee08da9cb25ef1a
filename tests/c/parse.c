/*
 * Reads texts in hexadecimal, one per line. For each, prints what smtp_esc_parse and smtp_esc_parse_prefix
 * return, the length used, and the code formatted again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtp_enhanced_status.h>

static void answer(const char *text, size_t length)
{
    char buffer[SMTP_ESC_BUFFER_SIZE];
    size_t used = 99;
    long code = smtp_esc_parse_prefix(text, length, &used);

    if (smtp_esc_parse_prefix(text, length, NULL) != code)
        exit(1);
    if (smtp_esc_format(code, buffer) != used)
        exit(2);
    printf("%ld %ld %lu %s\n", smtp_esc_parse(text, length), code, (unsigned long)used, buffer);
}

int main(void)
{
    static char line[1000];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t length = strcspn(line, "\n") / 2, at;
        /* Exactly as large as the text, so that a sanitizer reports any read beyond it. */
        char *text = length == 0 ? NULL : (char *)malloc(length);

        if (length != 0 && text == NULL)
            return 3;
        for (at = 0; at < length; at++) {
            unsigned int octet;

            if (sscanf(line + 2 * at, "%2x", &octet) != 1)
                return 4;
            text[at] = (char)octet;
        }
        answer(text, length);
        free(text);
    }
    return 0;
}
