/* Uses what the header defines where C requires constants. It must compile, and return 0. */

#include <smtp_enhanced_status.h>
#include <smtp_enhanced_status.h>

#if SMTP_ESC_VERSION_NUMBER < 0x000100L || SMTP_ESC_REGISTRY_DATE < 20241206L
#error "versions and dates compare as numbers"
#endif

#if SMTP_ESC_ADDR_DEST_MAILBOX != 10001001L || SMTP_ESC_REPLY_OK != 250
#error "rows and reply codes can be used in #if"
#endif

#if SMTP_ESC_PERMANENT(SMTP_ESC_SEC_UNAUTHORIZED) != SMTP_ESC_CODE(5, 7, 1) \
    || SMTP_ESC_TRANSIENT(SMTP_ESC_STATUS(999, 998)) != SMTP_ESC_CODE(4, 999, 998) \
    || SMTP_ESC_SUCCESS(SMTP_ESC_OTHER) != 2000000L
#error "the macros put numbers together"
#endif

#define CASE(identifier, subject, detail, classes, form, successor, sample_text, reference) \
    case SMTP_ESC_SUCCESS(SMTP_ESC_##identifier): \
    case SMTP_ESC_TRANSIENT(SMTP_ESC_##identifier): \
    case SMTP_ESC_CODE(5, subject, detail): \
        return SMTP_ESC_##identifier == SMTP_ESC_STATUS(subject, detail);

#define REPLY_CASE(reply, identifier, meaning) \
    case SMTP_ESC_REPLY_##identifier: \
        return reply;

#define ENUMERATOR(reply, identifier, meaning) REPLY_##identifier = reply,

enum reply { SMTP_ESC_REPLY_MAP_V1(ENUMERATOR) REPLY_END };

static const long table[] = { SMTP_ESC_SUCCESS(SMTP_ESC_OTHER), SMTP_ESC_PERMANENT(SMTP_ESC_MBOX_DISABLED) };

static int is_row(long code)
{
    switch (code) {
        SMTP_ESC_ROW_MAP_V1(CASE)
    default:
        return 0;
    }
}

static int reply_of(int reply)
{
    switch (reply) {
        SMTP_ESC_REPLY_MAP_V1(REPLY_CASE)
    default:
        return 0;
    }
}

int main(void)
{
    char buffer[SMTP_ESC_BUFFER_SIZE];
    int rows = is_row(table[0]) && is_row(table[1]) && !is_row(SMTP_ESC_CODE(5, 999, 999));
    int replies = reply_of(SMTP_ESC_REPLY_OK) == REPLY_OK && REPLY_END > REPLY_OK;

    return !(rows && replies && sizeof(buffer) == sizeof("5.999.999"));
}
