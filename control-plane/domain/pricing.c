/* pricing.c: cents per unit into pico-USD per unit, exactly.
 *
 * Digits beyond a pico-USD are rounded up, so that a price is never lower than what was said.
 * Members that we have no class for are left alone: the text is stored as it was sent, and a class
 * without a row has no known price.
 */
#include "control-plane/domain/pricing.h"

#include "common/price.h"

static const struct {
    const char *member, *unit;
} members[] = {
    {"request_token", "input_token"},
    {"response_token", "output_token"},
    {"cache_read_input_token", "cache_read_token"},
    {"cache_write_input_token", "cache_write_token"},
    {"request_audio_token", "audio_input_token"},
    {"response_audio_token", "audio_output_token"},
    {"reasoning_token", "reasoning_token"},
};

struct rows {
    struct arena *arena;
    Sluice__Prices *prices;
    const char **where;
};

static enum status add(struct rows *rows, struct str unit, const struct json *entry)
{
    const struct json *price = json_is(entry, JSON_OBJECT) ? json_get(entry, "price") : entry;
    enum price_class kind;
    struct str variant;
    int64_t picousd;
    if (json_is_none(price) || price_unit_parse(unit, &kind, &variant) != ST_OK)
        return ST_OK;
    if (json_decimal(price, PRICING_PICOUSD_DIGITS, true, &picousd) != ST_OK || picousd < 0 ||
        rows->prices->n_rows == PRICING_ROWS_MAX)
        return ST_INVALID;
    Sluice__Price *row = arena_alloc(rows->arena, sizeof(*row));
    if (row == NULL)
        return ST_NO_MEMORY;
    sluice__price__init(row);
    row->unit = arena_cstr(rows->arena, unit);
    row->picousd = picousd;
    if (row->unit == NULL)
        return ST_NO_MEMORY;
    rows->prices->rows[rows->prices->n_rows++] = row;
    return ST_OK;
}

enum status pricing_read(struct arena *arena, const struct json *config, Sluice__Prices **prices,
                         const char **where)
{
    const struct json *plan = json_get(config, "pay_as_you_go"),
                      *extra = json_get(plan, "additional_units");
    Sluice__Prices *made = arena_alloc(arena, sizeof(*made));
    *where = "pay_as_you_go";
    *prices = NULL;
    if (made == NULL)
        return ST_NO_MEMORY;
    sluice__prices__init(made);
    made->rows = arena_calloc(arena, PRICING_ROWS_MAX, sizeof(*made->rows));
    if (made->rows == NULL)
        return ST_NO_MEMORY;
    struct rows rows = {arena, made, where};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        *where = members[i].member;
        TRY(add(&rows, str_c(members[i].unit), json_get(plan, members[i].member)));
    }
    *where = "additional_units";
    for (const struct json *item = extra == NULL ? NULL : extra->first; item != NULL;
         item = item->next)
        TRY(add(&rows, item->key, item));
    if (made->n_rows > 0)
        *prices = made;
    return ST_OK;
}
