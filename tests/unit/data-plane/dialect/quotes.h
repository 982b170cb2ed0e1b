/* quotes.h: JSON in tables of tests without a backslash in front of every quote: ' stands for ". */
#ifndef SLUICE_TESTS_QUOTES_H
#define SLUICE_TESTS_QUOTES_H

#include <stdlib.h>
#include <string.h>

/* A copy with every ' made a "; the last 8 are kept. */
static inline const char *quotes(const char *text)
{
    static char *kept[8];
    static unsigned next;
    char **copy = &kept[next++ % 8];
    size_t n = strlen(text) + 1;
    free(*copy);
    *copy = malloc(n);
    if (*copy == NULL)
        abort();
    memcpy(*copy, text, n);
    for (char *p = *copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    return *copy;
}

#endif
