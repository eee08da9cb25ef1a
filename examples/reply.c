/*
  * The reply function of a mail server, using the codes of the header:
 *
 *     cc -Igenerated/c -o reply examples/reply.c && ./reply
 */

#include <stdio.h>
#include <string.h>

#include <smtp_enhanced_status.h>

/* A reply line has at most 512 octets, including CR LF (RFC 5321 section 4.5.3.1.5). */
#define LINE_SIZE 512

/* A reply of up to four lines, and a NUL. */
#define REPLY_SIZE (4 * LINE_SIZE + 1)

enum event {
    SENDER_ACCEPTED,
    RECIPIENT_ACCEPTED,
    RECIPIENT_UNKNOWN,
    MAILBOX_FULL,
    TOO_MANY_RECIPIENTS,
    POLICY_REFUSAL,
    MESSAGE_QUEUED
};

struct reply {
    int reply_code;
    long code;
    const char *text; /* lines, separated by \n */
};

static struct reply reply_to(enum event event);
static size_t format_reply(char *buffer, size_t size, const struct reply *reply);
static int print_reply(const struct reply *reply);

int main(void)
{
    static const struct reply wrong_class = {
        SMTP_ESC_REPLY_MAILBOX_UNAVAIL, SMTP_ESC_TRANSIENT(SMTP_ESC_MBOX_FULL), "Mailbox full"
    };
    static const struct reply two_replies_in_one = {
        SMTP_ESC_REPLY_OK, SMTP_ESC_SUCCESS(SMTP_ESC_OTHER), "Hello <a@example.com>\r\n250 2.0.0"
    };
    int event;

    for (event = SENDER_ACCEPTED; event <= MESSAGE_QUEUED; event++) {
        struct reply reply = reply_to((enum event)event);

        if (!print_reply(&reply))
            return 1;
    }
    return print_reply(&wrong_class) || print_reply(&two_replies_in_one);
}

/* Uses pairs that the registry lists, if it lists any of the class. */
static struct reply reply_to(enum event event)
{
    static const struct reply failure = {
        SMTP_ESC_REPLY_LOCAL_ERROR, SMTP_ESC_TRANSIENT(SMTP_ESC_SYS_OTHER), "Try again later"
    };
    struct reply reply = failure;

    switch (event) {
    case SENDER_ACCEPTED:
        reply.reply_code = SMTP_ESC_REPLY_OK;
        reply.code = SMTP_ESC_SUCCESS(SMTP_ESC_ADDR_OTHER);
        reply.text = "Sender accepted";
        break;
    case RECIPIENT_ACCEPTED:
        reply.reply_code = SMTP_ESC_REPLY_OK;
        reply.code = SMTP_ESC_SUCCESS(SMTP_ESC_ADDR_DEST_VALID);
        reply.text = "Recipient accepted";
        break;
    case RECIPIENT_UNKNOWN:
        reply.reply_code = SMTP_ESC_REPLY_MAILBOX_UNAVAIL;
        reply.code = SMTP_ESC_PERMANENT(SMTP_ESC_ADDR_DEST_MAILBOX);
        reply.text = "No such user here";
        break;
    case MAILBOX_FULL:
        reply.reply_code = SMTP_ESC_REPLY_NO_STORAGE;
        reply.code = SMTP_ESC_TRANSIENT(SMTP_ESC_MBOX_FULL);
        reply.text = smtp_esc_sample_text(SMTP_ESC_MBOX_FULL);
        break;
    case TOO_MANY_RECIPIENTS:
        /* RFC 5321 section 4.5.3.1.10 requires 452. The registry lists only 451, but its list is not exclusive. */
        reply.reply_code = SMTP_ESC_REPLY_NO_STORAGE;
        reply.code = SMTP_ESC_TRANSIENT(SMTP_ESC_PROTO_TOO_MANY_RCPTS);
        reply.text = "Too many recipients; send the rest in another transaction";
        break;
    case POLICY_REFUSAL:
        reply.reply_code = SMTP_ESC_REPLY_MAILBOX_UNAVAIL;
        reply.code = SMTP_ESC_PERMANENT(SMTP_ESC_SEC_UNAUTHORIZED);
        reply.text = "Message refused by local policy\nSee https://example.com/policy";
        break;
    case MESSAGE_QUEUED:
        reply.reply_code = SMTP_ESC_REPLY_OK;
        reply.code = SMTP_ESC_SUCCESS(SMTP_ESC_OTHER);
        reply.text = "Message queued";
        break;
    }
    return reply;
}

/*
  * Writes a reply to the buffer: both codes on every line (RFC 2034 section 4), each line with its CR LF, then a
  * NUL. Returns the length of the reply. If the classes of the codes differ, the text is not printable ASCII, a line
  * is too long or the buffer is too small, it writes an empty string and returns 0.
 */
static size_t format_reply(char *buffer, size_t size, const struct reply *reply)
{
    char code[SMTP_ESC_BUFFER_SIZE];
    size_t prefix = strlen("550 ") + smtp_esc_format(reply->code, code) + strlen(" ");
    size_t end = 0;
    const char *line = reply->text;
    int pairing = smtp_esc_judge(reply->reply_code, reply->code);

    buffer[0] = '\0';
    if (pairing == SMTP_ESC_INVALID || pairing == SMTP_ESC_CLASS_MISMATCH)
        return 0;
    for (;;) {
        size_t length = strcspn(line, "\n");
        size_t octets = prefix + length + strlen("\r\n");
        int last = line[length] == '\0';
        size_t at;

        for (at = 0; at < length && line[at] >= ' ' && line[at] <= '~'; at++)
            ;
        if (at < length || octets > LINE_SIZE || octets >= size - end) {
            buffer[0] = '\0';
            return 0;
        }
        sprintf(buffer + end, "%d%c%s %.*s\r\n", reply->reply_code, last ? ' ' : '-', code, (int)length, line);
        end += octets;
        if (last)
            return end;
        line += length + 1;
    }
}

static int print_reply(const struct reply *reply)
{
    char buffer[REPLY_SIZE], code[SMTP_ESC_BUFFER_SIZE];

    if (format_reply(buffer, sizeof(buffer), reply) == 0) {
        smtp_esc_format(reply->code, code);
        printf("refused: %d %s\r\n", reply->reply_code, code);
        return 0;
    }
    fputs(buffer, stdout);
    return 1;
}
