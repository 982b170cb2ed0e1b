/* retry_after_fuzz.c: what providers say about when to come again. Input: lines "name: value".
 * Holds that
 *   1. a wait is in 0..RETRY_AFTER_MAX_MS, and the same headers say the same again;
 *   2. a value that is a date is the date that clock_to_http writes for it;
 *   3. whole seconds are read as what they are.
 */
#include "common/clock.h"
#include "common/http_date.h"
#include "data-plane/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1785542400000)

static bool read_all(struct str text, int64_t *wait_ms)
{
    struct retry_after after = {0};
    struct str line;
    while (str_split(&text, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':');
        if (colon >= 0)
            retry_after_header(&after, str_head(line, (size_t)colon),
                               str_from(line, (size_t)colon + 1), NOW);
    }
    return retry_after_wait(&after, NOW, wait_ms);
}

static void check_value(struct str value)
{
    struct retry_after after = {0};
    int64_t ms, again, wait_ms;
    uint64_t seconds;
    char text[30];
    if (http_date_read(value, NOW, &ms) == ST_OK) {
        clock_to_http(ms, text);
        CHECK(http_date_read(str_c(text), NOW, &again) == ST_OK && again == ms);
    }
    retry_after_header(&after, STR("retry-after"), value, NOW);
    if (str_to_u64(value, &seconds) == ST_OK && seconds <= 1000000)
        CHECK(retry_after_wait(&after, NOW, &wait_ms) && wait_ms == (int64_t)seconds * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size), line;
    int64_t first = -1, second = -1;
    bool says = read_all(text, &first);
    CHECK(says == read_all(text, &second) && first == second);
    CHECK(!says || (first >= 0 && first <= RETRY_AFTER_MAX_MS));
    while (size > 0 && str_split(&text, '\n', &line))
        check_value(line);
    return 0;
}
