/*
 * Reads one reply per line: reply code, code and text in hexadecimal. Writes each with smtp_esc_format_reply to
 * buffers of every kind of size, and prints it in hexadecimal.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtp_enhanced_status.h>

static void answer(int reply, long code, const char *text)
{
    size_t length = smtp_esc_format_reply(NULL, 0, reply, code, text), at;
    /* Exactly as large as the reply, so that a sanitizer reports any write beyond it. */
    char *buffer = (char *)malloc(length + 1);

    if (buffer == NULL)
        exit(1);
    if (smtp_esc_format_reply(buffer, length + 1, reply, code, text) != length || strlen(buffer) != length)
        exit(2);
    for (at = 0; at < length; at++)
        printf("%02x", (unsigned int)(unsigned char)buffer[at]);
    putchar('\n');
    memset(buffer, 'x', length + 1);
    if (length != 0 && (smtp_esc_format_reply(buffer, length, reply, code, text) != length || buffer[0] != '\0'))
        exit(3);
    free(buffer);
}

int main(void)
{
    static char line[10000];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *hex, *text;
        int reply = (int)strtol(line, &hex, 10);
        long code = strtol(hex, &hex, 10);
        size_t length, at;

        hex += strspn(hex, " ");
        length = strcspn(hex, "\n") / 2;
        text = (char *)malloc(length + 1);
        if (text == NULL)
            return 4;
        for (at = 0; at < length; at++) {
            unsigned int octet;

            if (sscanf(hex + 2 * at, "%2x", &octet) != 1)
                return 5;
            text[at] = (char)octet;
        }
        text[length] = '\0';
        answer(reply, code, text);
        free(text);
    }
    return 0;
}
