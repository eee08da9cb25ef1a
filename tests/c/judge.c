/*
 * Reads statuses, one "subject detail" per line, and judges every reply code with every class and status. Prints
 * one letter per pair, in the order of tests/grid.
 */

#include <stdio.h>

#include <smtp_enhanced_status.h>

static int letter(int pairing)
{
    switch (pairing) {
    case SMTP_ESC_CLASS_MISMATCH:
        return 'C';
    case SMTP_ESC_UNREGISTERED:
        return 'U';
    case SMTP_ESC_LISTED:
        return 'L';
    case SMTP_ESC_UNLISTED:
        return 'N';
    case SMTP_ESC_NO_LIST:
        return '-';
    default:
        return '?';
    }
}

int main(void)
{
    static const long classes[] = { 2, 4, 5 };
    static long subjects[1000], details[1000];
    int count = 0, reply, class_index, index;

    while (count < 1000 && scanf("%ld %ld", &subjects[count], &details[count]) == 2)
        count++;
    for (reply = 200; reply <= 599; reply++) {
        for (class_index = 0; class_index < 3; class_index++) {
            for (index = 0; index < count; index++) {
                long code = SMTP_ESC_CODE(classes[class_index], subjects[index], details[index]);

                putchar(letter(smtp_esc_judge(reply, code)));
            }
        }
    }
    return 0;
}
