/* limit.c: limits read from what an admin sent, the names of their counters, the ends of their
 * periods.
 *
 * The admin API has checked the JSON when it was saved, so what is read here decides and must be
 * exact: a figure that cannot be read is ST_INVALID and never a guess. Cost figures are decimal USD
 * and become nano-USD without floating point. Periods are civil dates in the organisation's zone;
 * a midnight that a clock change skips begins at the first instant behind the gap.
 */
#include "common/limit.h"

#include <sodium.h>

#include "common/clock.h"
#include "common/json_tree.h"
#include "common/money.h"

#define DAY_MS       INT64_C(86400000)
#define USD_DIGITS   9
#define PRICE_DIGITS 12

static const struct json *member(const struct json *object, const char *name)
{
    const struct json *node = json_get(object, name);
    return json_is(node, JSON_NULL) ? NULL : node;
}

/* --- definitions --- */

struct word {
    const char *text;
    uint8_t value;
};

/* Absent keeps *value. ST_INVALID: another word. */
static enum status read_word(struct arena *arena, const struct json *item, const char *name,
                             const struct word *words, size_t count, uint8_t *value)
{
    const struct json *node = member(item, name);
    struct str text;
    if (node == NULL)
        return ST_OK;
    TRY(json_text(node, arena, &text));
    for (size_t i = 0; i < count; i++) {
        if (str_eq(text, str_c(words[i].text))) {
            *value = words[i].value;
            return ST_OK;
        }
    }
    return ST_INVALID;
}
#define READ_WORD(arena, item, name, words, value)                                                 \
    read_word((arena), (item), (name), (words), COUNT_OF(words), (value))

/* Absent keeps *value. Cost is decimal USD, everything else a whole number. */
static enum status read_amount(const struct json *item, const char *name, unsigned digits,
                               int64_t *value)
{
    const struct json *node = member(item, name);
    if (node == NULL)
        return ST_OK;
    int64_t amount;
    TRY(json_decimal(node, digits, digits == 0, &amount));
    if (amount < 0)
        return ST_INVALID;
    *value = amount;
    return ST_OK;
}

static enum status read_common(struct arena *arena, const struct json *item, struct limit_def *def)
{
    static const struct word modes[] = {{"standard", LIMIT_MODE_STANDARD},
                                        {"strict", LIMIT_MODE_STRICT}};
    static const struct word aways[] = {{"deny", LIMIT_AWAY_DENY}, {"allow", LIMIT_AWAY_ALLOW}};
    TRY(READ_WORD(arena, item, "mode", modes, &def->mode));
    return READ_WORD(arena, item, "on_disconnect", aways, &def->on_disconnect);
}

static enum status read_periods(struct arena *arena, const struct json *item, struct limit_def *def)
{
    static const struct word resets[] = {{"weekly", LIMIT_RESET_WEEKLY},
                                         {"monthly", LIMIT_RESET_MONTHLY}};
    const struct json *days = member(item, "periodic_reset_days"),
                      *next = member(item, "next_usage_reset_at");
    TRY(READ_WORD(arena, item, "periodic_reset", resets, &def->reset));
    if (days != NULL) {
        int64_t count;
        TRY(json_i64(days, &count));
        if (count < 1 || count > 365 || def->reset != LIMIT_RESET_NONE)
            return ST_INVALID;
        def->reset = LIMIT_RESET_DAYS;
        def->reset_days = (uint16_t)count;
    }
    if (next != NULL) {
        struct str text;
        TRY(json_text(next, arena, &text));
        TRY(clock_from_text(text, &def->next_reset_ms));
        def->next_reset_ms -= def->next_reset_ms % DAY_MS;
    }
    return ST_OK;
}

static enum status read_usage(struct arena *arena, const struct json *item, struct limit_def *def)
{
    static const struct word types[] = {
        {"cost", LIMIT_COST}, {"tokens", LIMIT_TOKENS}, {"requests", LIMIT_REQUESTS}};
    static const struct word amounts[] = {{"charge", LIMIT_AMOUNT_CHARGE},
                                          {"cost", LIMIT_AMOUNT_COST}};
    def->measure = LIMIT_COST;
    def->window = LIMIT_BUDGET;
    TRY(READ_WORD(arena, item, "type", types, &def->measure));
    TRY(READ_WORD(arena, item, "amount", amounts, &def->amount));
    TRY(read_common(arena, item, def));
    unsigned digits = def->measure == LIMIT_COST ? USD_DIGITS : 0;
    if (member(item, "credit_limit") == NULL)
        return ST_NOT_FOUND; /* an alert or a period alone limits nothing */
    TRY(read_amount(item, "credit_limit", digits, &def->value));
    TRY(read_amount(item, "alert_threshold", digits, &def->alert));
    TRY(read_amount(item, "unpriced_token_price", PRICE_DIGITS, &def->ceiling_picousd));
    return read_periods(arena, item, def);
}

static enum status read_rate(struct arena *arena, const struct json *item, struct limit_def *def)
{
    static const struct word types[] = {
        {"requests", LIMIT_REQUESTS}, {"tokens", LIMIT_TOKENS}, {"concurrency", LIMIT_CONCURRENCY}};
    static const struct word units[] = {{"rps", LIMIT_SECOND},
                                        {"rpm", LIMIT_MINUTE},
                                        {"rph", LIMIT_HOUR},
                                        {"rpd", LIMIT_DAY},
                                        {"rpw", LIMIT_WEEK}};
    TRY(READ_WORD(arena, item, "type", types, &def->measure));
    if (def->measure == LIMIT_CONCURRENCY)
        def->window = LIMIT_NOW;
    else
        TRY(READ_WORD(arena, item, "unit", units, &def->window));
    if (def->measure == 0 || def->window == 0 || member(item, "value") == NULL)
        return ST_INVALID;
    TRY(read_common(arena, item, def));
    TRY(read_amount(item, "value", 0, &def->value));
    return read_amount(item, "burst", 0, &def->burst);
}

typedef enum status (*read_fn)(struct arena *arena, const struct json *item, struct limit_def *def);

static enum status append(struct arena *arena, const struct json *item, bool monday, read_fn read,
                          struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    struct limit_def def = {.monday = monday, .ceiling_picousd = -1};
    if (!json_is(item, JSON_OBJECT))
        return ST_INVALID;
    enum status status = read(arena, item, &def);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (*count == LIMIT_DEFS_MAX)
        return ST_TOO_LARGE;
    for (size_t i = 0; i < *count; i++)
        if (defs[i].measure == def.measure && defs[i].window == def.window)
            def.nth++;
    defs[(*count)++] = def;
    return ST_OK;
}

static enum status parse(struct arena *arena, struct str json, bool monday, read_fn read,
                         struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    struct json *root;
    if (json.n == 0)
        return ST_OK;
    TRY(json_parse(arena, json, NULL, &root, NULL));
    if (json_is(root, JSON_OBJECT))
        return root->count == 0 ? ST_OK : append(arena, root, monday, read, defs, count);
    if (!json_is(root, JSON_ARRAY))
        return ST_INVALID;
    for (const struct json *item = root->first; item != NULL; item = item->next)
        TRY(append(arena, item, monday, read, defs, count));
    return ST_OK;
}

enum status limit_parse_usage(struct arena *arena, struct str json, bool monday,
                              struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    return parse(arena, json, monday, read_usage, defs, count);
}

enum status limit_parse_rates(struct arena *arena, struct str json,
                              struct limit_def defs[LIMIT_DEFS_MAX], size_t *count)
{
    return parse(arena, json, false, read_rate, defs, count);
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
