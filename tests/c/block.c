/* Runs an example of the documentation as the body of a function. */

#include <stdio.h>
#include <string.h>

#include <smtp_enhanced_status.h>
/* INCLUDES */

static void log_reply(const char *what, const char *about)
{
    printf("%s: %s, %lu characters\n", what, about, (unsigned long)strlen(about));
}

static void example(const char *text, size_t length)
{
    {
/* BODY */
    }
}

int main(void)
{
    static const char *const texts[] = { "4.7.999 vendor", "5.7.999", "No such user", "4.2.2 Mailbox full" };
    size_t index;

    for (index = 0; index < sizeof(texts) / sizeof(texts[0]); index++)
        example(texts[index], strlen(texts[index]));
    return 0;
}
