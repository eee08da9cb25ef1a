/*
 * The replies of a small mail server, with the codes of the header:
 *
 *     cc -Igenerated/c -o reply examples/reply.c && ./reply
 */

#include <stdio.h>

#include <smtp_enhanced_status.h>

/* A reply of up to four lines, and a NUL. */
#define REPLY_SIZE (4 * SMTP_ESC_MAX_LINE + 1)

struct reply {
    int reply;
    long code;
    const char *text; /* lines, separated by \n */
};

/* Uses pairs that the registry lists, if it lists any of the class. */
static const struct reply replies[] = {
    /* The greeting, the reply to EHLO and 3yz replies have no enhanced status code (RFC 2034 section 4). */
    { SMTP_ESC_REPLY_READY, 0, "mx.example ESMTP" },
    { SMTP_ESC_REPLY_OK, 0, "mx.example\nENHANCEDSTATUSCODES" },
    { SMTP_ESC_REPLY_OK, SMTP_ESC_SUCCESS(SMTP_ESC_ADDR_OTHER), "Sender accepted" },
    { SMTP_ESC_REPLY_OK, SMTP_ESC_SUCCESS(SMTP_ESC_ADDR_DEST_VALID), "Recipient accepted" },
    /* The client's text does not end the reply. */
    { SMTP_ESC_REPLY_MAILBOX_UNAVAIL, SMTP_ESC_PERMANENT(SMTP_ESC_ADDR_DEST_MAILBOX),
        "No such user here: <nobody@example.com>\r\n250 2.1.5 Recipient accepted" },
    { SMTP_ESC_REPLY_NO_STORAGE, SMTP_ESC_TRANSIENT(SMTP_ESC_MBOX_FULL), "Mailbox full" },
    /* RFC 5321 section 4.5.3.1.10 requires 452. The registry lists only 451, but its list is not exclusive. */
    { SMTP_ESC_REPLY_NO_STORAGE, SMTP_ESC_TRANSIENT(SMTP_ESC_PROTO_TOO_MANY_RCPTS),
        "Too many recipients; send the rest in another transaction" },
    { SMTP_ESC_REPLY_MAILBOX_UNAVAIL, SMTP_ESC_PERMANENT(SMTP_ESC_SEC_UNAUTHORIZED),
        "Message refused by local policy\nSee https://example.com/policy" },
    { SMTP_ESC_REPLY_START_MAIL_INPUT, 0, "End with a dot on a line of its own" },
    { SMTP_ESC_REPLY_OK, SMTP_ESC_SUCCESS(SMTP_ESC_OTHER), "Message queued" }
};

static int print_reply(const struct reply *reply);

int main(void)
{
    static const struct reply wrong_class = {
        SMTP_ESC_REPLY_MAILBOX_UNAVAIL, SMTP_ESC_TRANSIENT(SMTP_ESC_MBOX_FULL), "Mailbox full"
    };
    size_t index;

    for (index = 0; index < sizeof(replies) / sizeof(replies[0]); index++) {
        if (!print_reply(&replies[index]))
            return 1;
    }
    return print_reply(&wrong_class);
}

/* Prints a reply. Returns 0 if it is too long, or if the first digits of its codes differ. */
static int print_reply(const struct reply *reply)
{
    char buffer[REPLY_SIZE], code[SMTP_ESC_BUFFER_SIZE];
    size_t length = smtp_esc_format_reply(buffer, sizeof(buffer), reply->reply, reply->code, reply->text);

    if (length == 0 || length >= sizeof(buffer)) {
        smtp_esc_format(reply->code, code);
        printf("refused: %d %s\r\n", reply->reply, code);
        return 0;
    }
    fputs(buffer, stdout);
    return 1;
}
