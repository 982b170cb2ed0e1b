/* limit.c: limits read from what an admin sent, the names of their counters, the ends of their
 * periods.
 *
 * The admin API refuses by these rules what it is sent, so what is stored can be read: a figure
 * that cannot be is ST_INVALID and never a guess. Cost figures are decimal USD and become nano-USD
 * without floating point. Periods are civil dates in the organisation's zone; a midnight that a
 * clock change skips begins at the first instant behind the gap.
 */
#include "common/limit.h"

#include <sodium.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/price.h"

#define DAY_MS       INT64_C(86400000)
#define USD_DIGITS   9
#define PRICE_DIGITS 12
#define CEILING_MAX  PRICE_UNIT_MAX

/* --- definitions --- */

enum word_set { USAGE_TYPE, RATE_TYPE, UNIT, MODE, AMOUNT, AWAY, RESET };

static const struct {
    enum word_set set;
    const char *text;
    uint8_t value;
} words[] = {
#define LIMIT_WORD(set, text, value) {set, text, value},
#include "common/limit.def"
#undef LIMIT_WORD
};

/* One entry being read. */
struct entry {
    struct arena *arena;
    const struct json *item;
    struct limit_def def;
    struct limit_error error;
};

static const struct json *member(const struct entry *entry, const char *name)
{
    const struct json *node = json_get(entry->item, name);
    return json_is(node, JSON_NULL) ? NULL : node;
}

static enum status refuse(struct entry *entry, const char *field, const char *rule)
{
    entry->error.field = field;
    (void)snprintf(entry->error.rule, sizeof entry->error.rule, "%s", rule);
    return ST_INVALID;
}

static enum status refuse_word(struct entry *entry, const char *field, enum word_set set)
{
    char *rule = entry->error.rule;
    size_t n = (size_t)snprintf(rule, sizeof entry->error.rule, "must be one of");
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (words[i].set == set && n < sizeof entry->error.rule)
            n += (size_t)snprintf(rule + n, sizeof entry->error.rule - n, "%s %s",
                                  rule[n - 1] == 'f' ? "" : ",", words[i].text);
    entry->error.field = field;
    return ST_INVALID;
}

/* Absent keeps *value. */
static enum status read_word(struct entry *entry, const char *name, enum word_set set,
                             uint8_t *value)
{
    const struct json *node = member(entry, name);
    struct str text = STR_NONE;
    if (node == NULL)
        return ST_OK;
    if (json_is(node, JSON_STRING))
        TRY(json_text(node, entry->arena, &text));
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (words[i].set == set && str_eq(text, str_c(words[i].text))) {
            *value = words[i].value;
            return ST_OK;
        }
    }
    return refuse_word(entry, name, set);
}

/* Absent keeps *value. Digits behind the point beyond `digits` are refused, not rounded; 0: whole.
 */
static enum status read_amount(struct entry *entry, const char *name, unsigned digits, int64_t max,
                               int64_t *value)
{
    const struct json *node = member(entry, name);
    int64_t amount;
    if (node == NULL)
        return ST_OK;
    enum status status =
        digits == 0 ? json_i64(node, &amount) : json_decimal(node, digits, false, &amount);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK || amount < 0 || amount > max)
        return refuse(entry, name,
                      digits == 0 ? "must be a whole number of 0 or more"
                                  : "must be a number of 0 or more, below 9 billion");
    *value = amount;
    return ST_OK;
}

static enum status read_common(struct entry *entry)
{
    TRY(read_word(entry, "mode", MODE, &entry->def.mode));
    return read_word(entry, "on_disconnect", AWAY, &entry->def.on_disconnect);
}

static enum status read_periods(struct entry *entry)
{
    struct limit_def *def = &entry->def;
    const struct json *days = member(entry, "periodic_reset_days"),
                      *next = member(entry, "next_usage_reset_at");
    TRY(read_word(entry, "periodic_reset", RESET, &def->reset));
    if (days != NULL) {
        int64_t count;
        if (json_i64(days, &count) != ST_OK || count < 1 || count > 365)
            return refuse(entry, "periodic_reset_days", "must be 1 to 365");
        if (def->reset != LIMIT_RESET_NONE)
            return refuse(entry, "periodic_reset_days", "excludes periodic_reset");
        def->reset = LIMIT_RESET_DAYS;
        def->reset_days = (uint16_t)count;
    }
    if (next != NULL) {
        struct str text = STR_NONE;
        if (json_is(next, JSON_STRING))
            TRY(json_text(next, entry->arena, &text));
        if (clock_from_text(text, &def->next_reset_ms) != ST_OK || def->next_reset_ms < 0)
            return refuse(entry, "next_usage_reset_at", "must be a time (RFC 3339)");
        def->next_reset_ms -= def->next_reset_ms % DAY_MS;
    }
    return ST_OK;
}

/* ST_NOT_FOUND: it limits nothing. */
static enum status read_usage(struct entry *entry)
{
    struct limit_def *def = &entry->def;
    def->measure = LIMIT_COST;
    def->window = LIMIT_BUDGET;
    TRY(read_word(entry, "type", USAGE_TYPE, &def->measure));
    TRY(read_word(entry, "amount", AMOUNT, &def->amount));
    TRY(read_common(entry));
    unsigned digits = def->measure == LIMIT_COST ? USD_DIGITS : 0;
    TRY(read_amount(entry, "credit_limit", digits, INT64_MAX, &def->value));
    TRY(read_amount(entry, "alert_threshold", digits, INT64_MAX, &def->alert));
    TRY(read_amount(entry, "unpriced_token_price", PRICE_DIGITS, CEILING_MAX,
                    &def->ceiling_picousd));
    TRY(read_periods(entry));
    return member(entry, "credit_limit") == NULL ? ST_NOT_FOUND : ST_OK;
}

static enum status read_rate(struct entry *entry)
{
    struct limit_def *def = &entry->def;
    TRY(read_word(entry, "type", RATE_TYPE, &def->measure));
    if (def->measure == 0)
        return refuse_word(entry, "type", RATE_TYPE);
    if (def->measure == LIMIT_CONCURRENCY)
        def->window = LIMIT_NOW;
    else
        TRY(read_word(entry, "unit", UNIT, &def->window));
    if (def->window == 0)
        return refuse_word(entry, "unit", UNIT);
    if (member(entry, "value") == NULL)
        return refuse(entry, "value", "is required");
    TRY(read_common(entry));
    TRY(read_amount(entry, "value", 0, INT64_MAX, &def->value));
    return read_amount(entry, "burst", 0, INT64_MAX, &def->burst);
}

typedef enum status (*read_fn)(struct entry *entry);

/* Where definitions are put. */
struct reading {
    struct arena *arena;
    read_fn read;
    bool monday;
    struct limit_def *defs;
    size_t *count;
    struct limit_error *error; /* may be NULL */
};

static enum status append(const struct reading *r, const struct json *item, size_t index)
{
    struct entry entry = {.arena = r->arena,
                          .item = item,
                          .def = {.monday = r->monday, .ceiling_picousd = -1},
                          .error = {.index = index, .field = ""}};
    enum status status =
        json_is(item, JSON_OBJECT) ? r->read(&entry) : refuse(&entry, "", "must be an object");
    if (status == ST_INVALID && r->error != NULL)
        *r->error = entry.error;
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (*r->count == LIMIT_DEFS_MAX)
        return ST_TOO_LARGE;
    for (size_t i = 0; i < *r->count; i++)
        if (r->defs[i].measure == entry.def.measure && r->defs[i].window == entry.def.window)
            entry.def.nth++;
    r->defs[(*r->count)++] = entry.def;
    return ST_OK;
}

static enum status read_all(const struct reading *r, const struct json *node)
{
    size_t index = 0;
    if (json_is_none(node) || (json_is(node, JSON_OBJECT) && node->count == 0))
        return ST_OK;
    if (!json_is(node, JSON_ARRAY))
        return append(r, node, 0);
    for (const struct json *item = node->first; item != NULL; item = item->next)
        TRY(append(r, item, index++));
    return ST_OK;
}

enum status limit_read_usage(struct arena *arena, const struct json *node, bool monday,
                             struct limit_def defs[LIMIT_DEFS_MAX], size_t *count,
                             struct limit_error *error)
{
    return read_all(&(struct reading){arena, read_usage, monday, defs, count, error}, node);
}

enum status limit_read_rates(struct arena *arena, const struct json *node,
                             struct limit_def defs[LIMIT_DEFS_MAX], size_t *count,
                             struct limit_error *error)
{
    return read_all(&(struct reading){arena, read_rate, false, defs, count, error}, node);
}

enum status limit_parse_usage(struct arena *arena, struct str json, bool monday,
                              struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    struct json *root = NULL;
    if (json.n > 0)
        TRY(json_parse(arena, json, NULL, &root, NULL));
    return limit_read_usage(arena, root, monday, defs, count, NULL);
}

enum status limit_parse_rates(struct arena *arena, struct str json,
                              struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    struct json *root = NULL;
    if (json.n > 0)
        TRY(json_parse(arena, json, NULL, &root, NULL));
    return limit_read_rates(arena, root, defs, count, NULL);
}

/* --- names --- */

void limit_counter_id(const struct limit_ref *ref, struct id *counter)
{
    static const unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] =
        "sluice-counter";
    const uint8_t small[4] = {ref->level, ref->measure, ref->window, ref->nth};
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init_salt_personal(&state, NULL, 0, ID_BYTES, NULL, personal);
    crypto_generichash_blake2b_update(&state, small, sizeof small);
    crypto_generichash_blake2b_update(&state, ref->org.b, ID_BYTES);
    crypto_generichash_blake2b_update(&state, ref->entity.b, ID_BYTES);
    crypto_generichash_blake2b_update(&state, ref->second.b, ID_BYTES);
    if (ref->value_key.n > 0)
        crypto_generichash_blake2b_update(&state, (const uint8_t *)ref->value_key.p,
                                          ref->value_key.n);
    crypto_generichash_blake2b_final(&state, counter->b, ID_BYTES);
}

const char *limit_level_text(enum limit_level level)
{
    switch (level) {
    case LIMIT_INTEGRATION:
        return "integration";
    case LIMIT_ACCESS:
        return "integration in workspace";
    case LIMIT_WORKSPACE:
        return "workspace";
    case LIMIT_PROVIDER:
        return "provider";
    case LIMIT_KEY:
        return "api key";
    case LIMIT_POLICY:
        return "policy";
    }
    return "unknown";
}

const char *limit_measure_text(enum limit_measure measure)
{
    switch (measure) {
    case LIMIT_COST:
        return "cost";
    case LIMIT_TOKENS:
        return "tokens";
    case LIMIT_REQUESTS:
        return "requests";
    case LIMIT_CONCURRENCY:
        return "concurrency";
    }
    return "unknown";
}

const char *limit_window_text(enum limit_window window)
{
    switch (window) {
    case LIMIT_SECOND:
        return "rps";
    case LIMIT_MINUTE:
        return "rpm";
    case LIMIT_HOUR:
        return "rph";
    case LIMIT_DAY:
        return "rpd";
    case LIMIT_WEEK:
        return "rpw";
    case LIMIT_BUDGET:
    case LIMIT_NOW:
        break;
    }
    return "";
}

/* --- periods --- */

int64_t limit_window_ms(enum limit_window window)
{
    switch (window) {
    case LIMIT_SECOND:
        return 1000;
    case LIMIT_MINUTE:
        return 60000;
    case LIMIT_HOUR:
        return 3600000;
    case LIMIT_DAY:
        return DAY_MS;
    case LIMIT_WEEK:
        return 7 * DAY_MS;
    case LIMIT_BUDGET:
    case LIMIT_NOW:
        break;
    }
    return 0;
}

struct zone {
    int64_t (*offset_ms)(const void *zone, int64_t utc_ms);
    const void *data;
};

static int64_t offset_at(const struct zone *zone, int64_t utc_ms)
{
    return zone->offset_ms == NULL ? 0 : zone->offset_ms(zone->data, utc_ms);
}

static int64_t day_of(const struct zone *zone, int64_t utc_ms)
{
    int64_t local = utc_ms + offset_at(zone, utc_ms);
    return local / DAY_MS - (local % DAY_MS < 0);
}

/* The instant at which a local day begins. A zone's offset moves by some hours at the most, so the
 * two readings around a midnight decide: the earlier one if it is right, else the later. */
static int64_t day_begins(const struct zone *zone, int64_t day)
{
    int64_t local = day * DAY_MS;
    int64_t before = offset_at(zone, local - offset_at(zone, local) - DAY_MS / 2);
    int64_t after = offset_at(zone, local - offset_at(zone, local) + DAY_MS / 2);
    int64_t first = local - (before > after ? before : after);
    int64_t second = local - (before > after ? after : before);
    if (first + offset_at(zone, first) >= local)
        return first;
    /* In a gap the day begins where the clock jumps: no instant shows 00:00. */
    if (day_of(zone, second) == day && day_of(zone, second - 1) != day)
        return second;
    while (second - first > 1) {
        int64_t middle = first + (second - first) / 2;
        if (day_of(zone, middle) >= day)
            second = middle;
        else
            first = middle;
    }
    return second;
}

static int64_t next_month(int64_t day)
{
    int64_t year;
    unsigned month, of_month;
    clock_civil_from_days(day, &year, &month, &of_month);
    return clock_days_from_civil(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1);
}

/* 1970-01-01 was a Thursday: day 3 a Sunday, day 4 a Monday. */
static int64_t next_week(int64_t day, bool monday)
{
    int64_t anchor = monday ? 4 : 3, passed = (day - anchor) % 7;
    return day + 7 - (passed < 0 ? passed + 7 : passed);
}

static int64_t next_multiple(int64_t day, int64_t anchor, int64_t step)
{
    int64_t passed = (day - anchor) % step;
    return day + step - (passed < 0 ? passed + step : passed);
}

int64_t limit_period_end(const struct limit_def *def, int64_t start_ms, int64_t now_ms,
                         int64_t (*offset_ms)(const void *zone, int64_t utc_ms), const void *data)
{
    const struct zone zone = {offset_ms, data};
    bool explicit_one = def->next_reset_ms > start_ms;
    if (explicit_one && now_ms < def->next_reset_ms)
        return def->next_reset_ms;
    int64_t day = day_of(&zone, now_ms);
    switch ((enum limit_reset)def->reset) {
    case LIMIT_RESET_MONTHLY:
        return day_begins(&zone, next_month(day));
    case LIMIT_RESET_WEEKLY:
        return day_begins(&zone, next_week(day, def->monday != 0));
    case LIMIT_RESET_DAYS: {
        int64_t from = def->next_reset_ms != 0 ? def->next_reset_ms : start_ms;
        return day_begins(&zone, next_multiple(day, day_of(&zone, from), def->reset_days));
    }
    case LIMIT_RESET_NONE:
        break;
    }
    return INT64_MAX;
}
