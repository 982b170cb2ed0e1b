/* check.c: the end of a process whose invariant broke.
 *
 * Kept free of every other module, so that it works in any state: no allocation, no stdio buffer, no lock.
 */
#include "common/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void check_failed(const char *cond, const char *file, int line)
{
    char text[256];
    int n = snprintf(text, sizeof text, "{\"level\":\"fatal\",\"event\":\"check_failed\",\"at\":\"%s:%d\"}\n",
                     file, line);
    if (n > 0) {
        ssize_t ignored = write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
        (void)ignored;
    }
    (void)cond;
    abort();
}
