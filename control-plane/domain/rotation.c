/* rotation.c: rotation dates of API keys.
 *
 * The date is computed once, when the policy is set, and stored: reads must give the same date
 * until the policy changes. All dates are UTC midnights, so a rotation never depends on the hour at
 * which somebody saved a form.
 */
#include "control-plane/domain/rotation.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json_write.h"

#define DAY_MS          86400000LL
#define ROTATION_MAX    4096
#define EPOCH_WEEKDAY   3 /* 1970-01-01 was a Thursday; Monday = 0 */
#define PERIOD_DAYS_MAX 365

static int64_t next_monday(int64_t day)
{
    return day + 7 - (day + EPOCH_WEEKDAY) % 7;
}

static int64_t next_first(int64_t day)
{
    int64_t year;
    unsigned month, date;
    clock_civil_from_days(day, &year, &month, &date);
    return month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                       : clock_days_from_civil(year, month + 1, 1);
}

/* Due day from the one member that says when. ST_INVALID with `why`. */
static enum status due_day(struct arena *arena, const struct json *policy, int64_t today,
                           int64_t *day, const char **why)
{
    const struct json *period = json_get(policy, "rotation_period"),
                      *days = json_get(policy, "rotation_period_days"),
                      *at = json_get(policy, "next_rotation_at");
    struct str text;
    int64_t value;
    *why = "give one of rotation_period, rotation_period_days and next_rotation_at";
    if (!json_is_none(period) && !json_is_none(days))
        return ST_INVALID;
    if (!json_is_none(at)) {
        *why = "next_rotation_at must be a time (RFC 3339)";
        if (json_text(at, arena, &text) != ST_OK || clock_from_text(text, &value) != ST_OK)
            return ST_INVALID;
        *day = value / DAY_MS;
        return ST_OK;
    }
    if (!json_is_none(days)) {
        *why = "rotation_period_days must be 1 to 365";
        if (json_i64(days, &value) != ST_OK || value < 1 || value > PERIOD_DAYS_MAX)
            return ST_INVALID;
        *day = today + value;
        return ST_OK;
    }
    if (json_is_none(period) || json_text(period, arena, &text) != ST_OK)
        return ST_INVALID;
    *why = "rotation_period must be weekly or monthly";
    if (!str_eq(text, STR("weekly")) && !str_eq(text, STR("monthly")))
        return ST_INVALID;
    *day = str_eq(text, STR("weekly")) ? next_monday(today) : next_first(today);
    return ST_OK;
}

/* The shortest time between two rotations; a policy with a date alone has but one. */
static int64_t period_ms(struct arena *arena, const struct json *policy)
{
    struct str text;
    int64_t days;
    if (json_text(json_get(policy, "rotation_period"), arena, &text) == ST_OK)
        return (str_eq(text, STR("weekly")) ? 7 : 28) * DAY_MS;
    if (json_i64(json_get(policy, "rotation_period_days"), &days) == ST_OK)
        return days * DAY_MS;
    return INT64_MAX;
}

enum status rotation_complete(struct arena *arena, const struct json *policy, int64_t now_ms,
                              char **json, const char **why)
{
    int64_t day, transition_ms;
    const struct json *transition = json_get(policy, "key_transition_period_ms");
    if (!json_is(policy, JSON_OBJECT)) {
        *why = "must be an object";
        return ST_INVALID;
    }
    TRY(due_day(arena, policy, now_ms / DAY_MS, &day, why));
    if (!json_is_none(transition) &&
        (json_i64(transition, &transition_ms) != ST_OK ||
         transition_ms < ROTATION_TRANSITION_MIN_MS || transition_ms >= period_ms(arena, policy))) {
        *why = "key_transition_period_ms must be 1800000 or more, and less than the period";
        return ST_INVALID;
    }
    struct buf out;
    struct json_writer w;
    buf_init(&out, ROTATION_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    for (const struct json *member = policy->first; member != NULL; member = member->next) {
        if (str_eq(member->key, STR("next_rotation_at")))
            continue;
        jw_key_str(&w, member->key);
        jw_raw(&w, member->raw);
    }
    jw_field_time(&w, "next_rotation_at", day * DAY_MS);
    jw_end(&w);
    enum status status = buf_status(&out);
    if (status == ST_OK && (*json = arena_cstr(arena, buf_str(&out))) == NULL)
        status = ST_NO_MEMORY;
    buf_free(&out);
    return status;
}

bool rotation_is_due(struct arena *arena, struct str policy, int64_t last_rotated_ms,
                     int64_t now_ms)
{
    struct json *root;
    struct str text;
    int64_t next_ms;
    return policy.n > 0 && json_parse(arena, policy, NULL, &root, NULL) == ST_OK &&
           json_text(json_get(root, "next_rotation_at"), arena, &text) == ST_OK &&
           clock_from_text(text, &next_ms) == ST_OK && next_ms <= now_ms &&
           last_rotated_ms < next_ms;
}

enum status rotation_advance(struct arena *arena, struct str policy, int64_t now_ms, char **json)
{
    struct json *root;
    const char *why;
    TRY(json_parse(arena, policy, NULL, &root, NULL));
    if (json_is_none(json_get(root, "rotation_period")) &&
        json_is_none(json_get(root, "rotation_period_days"))) {
        *json = arena_cstr(arena, policy);
        return *json == NULL ? ST_NO_MEMORY : ST_OK;
    }
    struct buf out;
    struct json_writer w;
    buf_init(&out, ROTATION_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    for (const struct json *member = root->first; member != NULL; member = member->next) {
        if (str_eq(member->key, STR("next_rotation_at")))
            continue;
        jw_key_str(&w, member->key);
        jw_raw(&w, member->raw);
    }
    jw_end(&w);
    struct str text = arena_str(arena, buf_str(&out));
    enum status status = text.p == NULL ? ST_NO_MEMORY : buf_status(&out);
    buf_free(&out);
    TRY(status);
    TRY(json_parse(arena, text, NULL, &root, NULL));
    return rotation_complete(arena, root, now_ms, json, &why);
}

int64_t rotation_transition_ms(struct arena *arena, struct str policy)
{
    struct json *root;
    int64_t value;
    if (policy.n == 0 || json_parse(arena, policy, NULL, &root, NULL) != ST_OK ||
        json_i64(json_get(root, "key_transition_period_ms"), &value) != ST_OK ||
        value < ROTATION_TRANSITION_MIN_MS)
        return ROTATION_TRANSITION_MIN_MS;
    return value;
}
