/* fault.c: the fault language of fault.h as a table.
 *
 * A spec that does not parse is refused by the caller with 400: a test that misspells its fault
 * must not pass by luck. Later items of the same name win.
 */
#include "tests/sim/fault.h"

#include <stddef.h>

struct fault_row {
    const char *name;
    size_t offset;
    int64_t min, max; /* min > max: a flag, takes no number */
};

#define FAULT_AT(field) offsetof(struct fault, field)
#define FAULT_FLAG      1, 0
#define FAULT_COUNT_MAX 100000000

static const struct fault_row fault_rows[] = {
    {"status", FAULT_AT(status), 200, 599},
    {"retry-after", FAULT_AT(retry_after), 0, 86400},
    {"retry-date", FAULT_AT(retry_date), 0, 86400},
    {"retry-after-ms", FAULT_AT(retry_after_ms), 0, FAULT_MS_MAX},
    {"reset", FAULT_AT(reset), FAULT_FLAG},
    {"reset-after", FAULT_AT(reset_after), 0, FAULT_COUNT_MAX},
    {"hang", FAULT_AT(hang), FAULT_FLAG},
    {"hang-after", FAULT_AT(hang_after), 0, FAULT_COUNT_MAX},
    {"garbage", FAULT_AT(garbage), FAULT_FLAG},
    {"gzip", FAULT_AT(gzip), FAULT_FLAG},
    {"slow", FAULT_AT(slow), 1, 1 << 30},
    {"error-event", FAULT_AT(error_event), 0, FAULT_COUNT_MAX},
    {"truncate", FAULT_AT(truncate), 0, FAULT_COUNT_MAX},
    {"chunks", FAULT_AT(chunks), 1, FAULT_COUNT_MAX},
    {"interval", FAULT_AT(interval), 0, FAULT_MS_MAX},
    {"bytes", FAULT_AT(bytes), 1, FAULT_BYTES_MAX},
    {"latency", FAULT_AT(latency), 0, FAULT_MS_MAX},
    {"first", FAULT_AT(first), 0, FAULT_COUNT_MAX},
    {"cached", FAULT_AT(cached), 0, FAULT_COUNT_MAX},
    {"cache-write", FAULT_AT(cache_write), 0, FAULT_COUNT_MAX},
    {"reasoning", FAULT_AT(reasoning), 0, FAULT_COUNT_MAX},
    {"calls", FAULT_AT(calls), 1, 8},
    {"preface", FAULT_AT(preface), FAULT_FLAG},
    {"refuse", FAULT_AT(refuse), FAULT_FLAG},
    {"block", FAULT_AT(block), FAULT_FLAG},
};

static int64_t *fault_field(struct fault *fault, const struct fault_row *row)
{
    return (int64_t *)(void *)((char *)fault + row->offset);
}

void fault_init(struct fault *fault)
{
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++)
        *fault_field(fault, &fault_rows[i]) = FAULT_NONE;
}

static enum status fault_parse_item(struct str item, struct fault *fault)
{
    ptrdiff_t colon = str_find_char(item, ':');
    struct str name = colon < 0 ? item : str_head(item, (size_t)colon);
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
        const struct fault_row *row = &fault_rows[i];
        if (!str_eq(name, str_c(row->name)))
            continue;
        if (row->min > row->max) {
            if (colon >= 0)
                return ST_INVALID;
            *fault_field(fault, row) = 1;
            return ST_OK;
        }
        uint64_t value = 0;
        if (colon < 0 || str_to_u64(str_from(item, (size_t)colon + 1), &value) != ST_OK ||
            value > (uint64_t)row->max || value < (uint64_t)row->min)
            return ST_INVALID;
        *fault_field(fault, row) = (int64_t)value;
        return ST_OK;
    }
    return ST_INVALID;
}

enum status fault_parse(struct str spec, struct fault *fault)
{
    struct fault read;
    struct str item;
    fault_init(&read);
    while (str_split(&spec, ';', &item)) {
        item = str_trim(item);
        if (item.n > 0)
            TRY(fault_parse_item(item, &read));
    }
    *fault = read;
    return ST_OK;
}

static bool fault_is_spec_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == ';' || c == '-';
}

struct str fault_find(struct str text)
{
    struct str found = STR_NONE, magic = STR(FAULT_MAGIC);
    for (;;) {
        ptrdiff_t at = str_find(text, magic);
        if (at < 0)
            return found;
        text = str_from(text, (size_t)at + magic.n);
        size_t n = 0;
        while (n < text.n && fault_is_spec_byte(text.p[n]))
            n++;
        found = str_head(text, n);
    }
}
