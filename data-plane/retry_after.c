/* retry_after.c: reads the Retry-After headers (retry_after.h).
 *
 * Invariant: a wait is in 0..RETRY_AFTER_MAX_MS, rounded up, computed from digits: no floating
 * point and no overflow, whatever a provider sends.
 */
#include "data-plane/retry_after.h"

#include "common/http_date.h"

enum { IN_MS, IN_MS_AZURE, IN_SECONDS, HEADERS };

static const struct {
    struct str name;
    int64_t unit_ms;
} headers[HEADERS] = {
    {{"retry-after-ms", 14}, 1}, {{"x-ms-retry-after-ms", 19}, 1}, {{"retry-after", 11}, 1000}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* digits [. digits], times unit, rounded up to a millisecond. */
static bool read_wait(struct str text, int64_t unit_ms, int64_t *wait_ms)
{
    int64_t whole = 0, part = 0;
    size_t i = 0;
    for (; i < text.n && is_digit(text.p[i]); i++)
        whole = whole > RETRY_AFTER_MAX_MS ? whole : whole * 10 + (text.p[i] - '0');
    if (i == 0)
        return false;
    if (i < text.n && text.p[i] == '.') {
        int64_t scale = unit_ms;
        bool more = false;
        for (i++; i < text.n && is_digit(text.p[i]); i++) {
            scale /= 10;
            part += scale * (text.p[i] - '0');
            more = more || (scale == 0 && text.p[i] != '0');
        }
        part += more ? 1 : 0;
    }
    if (i != text.n)
        return false;
    bool far = whole > RETRY_AFTER_MAX_MS / unit_ms;
    int64_t wait = far ? RETRY_AFTER_MAX_MS : whole * unit_ms + part;
    *wait_ms = wait > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait;
    return true;
}

void retry_after_header(struct retry_after *after, struct str name, struct str value,
                        int64_t now_ms)
{
    value = str_trim(value);
    if (str_eq_nocase(name, STR("date")) && !after->has_date)
        after->has_date = http_date_read(value, now_ms, &after->date_ms) == ST_OK;
    for (size_t i = 0; i < HEADERS; i++) {
        if (!str_eq_nocase(name, headers[i].name) || after->has_wait[i])
            continue;
        after->has_wait[i] = read_wait(value, headers[i].unit_ms, &after->wait_ms[i]);
        if (i == IN_SECONDS && !after->has_wait[i] && !after->has_at)
            after->has_at = http_date_read(value, now_ms, &after->at_ms) == ST_OK;
    }
}

bool retry_after_wait(const struct retry_after *after, int64_t now_ms, int64_t *wait_ms)
{
    for (size_t i = 0; i < HEADERS; i++) {
        if (after->has_wait[i]) {
            *wait_ms = after->wait_ms[i];
            return true;
        }
    }
    if (!after->has_at)
        return false;
    int64_t wait = after->at_ms - (after->has_date ? after->date_ms : now_ms);
    *wait_ms = wait < 0 ? 0 : wait > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait;
    return true;
}
