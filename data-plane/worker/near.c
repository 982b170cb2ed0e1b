/* near.c: Levenshtein distance over bytes, case-insensitive, with a cut-off; the three closest are kept.
 *
 * A candidate counts as near when it differs in at most a third of the wanted name's bytes (at least 2), or when one holds the other.
 */
#include "data-plane/worker/near.h"

#include <stdio.h>

void near_init(struct near *near, struct str wanted)
{
    *near = (struct near){.wanted = str_head(wanted, NEAR_NAME_MAX)};
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static unsigned distance(struct str a, struct str b)
{
    unsigned row[NEAR_NAME_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned replace = diagonal + (fold(a.p[i - 1]) == fold(b.p[j - 1]) ? 0u : 1u);
            unsigned change = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < change ? replace : change;
        }
    }
    return row[b.n];
}

void near_offer(struct near *near, struct str candidate)
{
    if (candidate.n == 0 || candidate.n > NEAR_NAME_MAX || near->wanted.n == 0)
        return;
    unsigned limit = (unsigned)(near->wanted.n / 3 < 2 ? 2 : near->wanted.n / 3);
    unsigned d = distance(near->wanted, candidate);
    bool holds = near->wanted.n >= 3 && (str_find(candidate, near->wanted) >= 0 || str_find(near->wanted, candidate) >= 0);
    if (d > limit && !holds)
        return;
    size_t at = near->count < NEAR_MAX ? near->count++ : NEAR_MAX - 1;
    if (at == NEAR_MAX - 1 && near->lengths[at] > 0 && near->distance[at] <= d)
        return;
    while (at > 0 && near->distance[at - 1] > d) {
        near->distance[at] = near->distance[at - 1];
        near->lengths[at] = near->lengths[at - 1];
        memcpy(near->names[at], near->names[at - 1], NEAR_NAME_MAX);
        at--;
    }
    near->distance[at] = d;
    near->lengths[at] = candidate.n;
    memcpy(near->names[at], candidate.p, candidate.n);
}

size_t near_sentence(const struct near *near, const char *prefix, char *out, size_t room)
{
    size_t n = 0;
    if (room == 0)
        return 0;
    out[0] = '\0';
    for (size_t i = 0; i < near->count; i++) {
        const char *glue = i == 0 ? " Did you mean " : i + 1 == near->count ? " or " : ", ";
        int step = snprintf(out + n, room - n, "%s%s%.*s", glue, prefix, (int)near->lengths[i], near->names[i]);
        if (step < 0 || (size_t)step >= room - n)
            return n;
        n += (size_t)step;
    }
    if (n > 0 && n + 1 < room) {
        out[n++] = '?';
        out[n] = '\0';
    }
    return n;
}
