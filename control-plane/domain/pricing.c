/* pricing.c: cents per unit into pico-USD per unit, multipliers into parts per million, exactly.
 *
 * Digits beyond a pico-USD (or a millionth) are rounded up, so that a price is never lower than
 * what was said. Prices that we have no class for are left alone: the text is stored as it was
 * sent, and a class without a row has no known price. A multiplier with an unknown name is refused,
 * because a typing error there would charge everybody something else. A variant needs the plain
 * price of its unit beside it (images and video apart), so that no other price fills the gap.
 */
#include "control-plane/domain/pricing.h"

#include "common/clock.h"
#include "common/price_book.h"

#define ROWS_MAX (PRICE_CLASS_COUNT + PRICE_VARIANT_MAX)

struct name {
    const char *member, *unit;
};

static const struct name members[] = {
#define PRICING(member, unit) {member, unit},
#define PRICING_EXTRA(member, unit)
#include "control-plane/domain/pricing.def"
#undef PRICING
#undef PRICING_EXTRA
};

static const struct name extras[] = {
#define PRICING(member, unit)
#define PRICING_EXTRA(member, unit) {member, unit},
#include "control-plane/domain/pricing.def"
#undef PRICING
#undef PRICING_EXTRA
};

struct reader {
    struct arena *arena;
    struct str *where;
    const char **why;
    struct price_table table; /* proves units, variants and ranges */
    Sluice__Prices *prices;
    Sluice__PriceFactor **factors;
    size_t factor_count;
};

static enum status refuse(struct reader *r, struct str where, const char *why)
{
    *r->where = where;
    *r->why = why;
    return ST_INVALID;
}

/* The unit that a member of additional_units means: one of pricing.def, or price.def's own. */
static struct str extra_unit(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(extras); i++)
        if (str_eq(name, str_c(extras[i].member)))
            return str_c(extras[i].unit);
    return name;
}

static enum status read_date(struct reader *r, const struct json *object, int64_t now_ms,
                             int64_t *from_ms)
{
    const struct json *node = json_get(object, "effective_from");
    struct str text;
    *from_ms = now_ms;
    if (json_is_none(node))
        return ST_OK;
    if (json_text(node, r->arena, &text) != ST_OK || clock_from_text(text, from_ms) != ST_OK ||
        *from_ms < 0)
        return refuse(r, STR("effective_from"), "must be a time (RFC 3339)");
    return ST_OK;
}

/* --- prices --- */

static enum status add_row(struct reader *r, struct str unit, int64_t picousd)
{
    for (size_t i = 0; i < r->prices->n_rows; i++) {
        if (str_eq(unit, str_c(r->prices->rows[i]->unit))) {
            r->prices->rows[i]->picousd = picousd;
            return ST_OK;
        }
    }
    Sluice__Price *row = arena_alloc(r->arena, sizeof(*row));
    if (row == NULL)
        return ST_NO_MEMORY;
    sluice__price__init(row);
    row->unit = arena_cstr(r->arena, unit);
    row->picousd = picousd;
    if (row->unit == NULL)
        return ST_NO_MEMORY;
    CHECK(r->prices->n_rows < ROWS_MAX); /* the table has no more places */
    r->prices->rows[r->prices->n_rows++] = row;
    return ST_OK;
}

static enum status add_price(struct reader *r, struct str name, struct str unit,
                             const struct json *entry)
{
    const struct json *price = json_is(entry, JSON_OBJECT) ? json_get(entry, "price") : entry;
    int64_t picousd;
    if (json_is_none(price) || unit.n == 0)
        return ST_OK;
    if (json_decimal(price, PRICING_PICOUSD_DIGITS, true, &picousd) != ST_OK)
        return refuse(r, name, "must be US cents per unit, 0 or more");
    enum status status = price_table_add(&r->table, unit, picousd);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    if (status == ST_RANGE)
        return refuse(r, name, "must be US cents per unit, 0 or more");
    if (status == ST_TOO_LARGE)
        return refuse(r, name, "is one variant too many");
    if (status != ST_OK)
        return refuse(r, name, "is not a unit or a variant of one");
    return add_row(r, unit, picousd);
}

/* {"quality":{"size":{"price":..}}}; "default" stands for any. */
static enum status add_images(struct reader *r, const struct json *image)
{
    for (const struct json *quality = image == NULL ? NULL : image->first; quality != NULL;
         quality = quality->next) {
        bool any_quality = str_eq(quality->key, STR("default"));
        for (const struct json *size = quality->first; size != NULL; size = size->next) {
            bool any_size = str_eq(size->key, STR("default"));
            struct str unit = any_quality && any_size ? STR("image")
                              : any_quality || any_size
                                  ? arena_printf(r->arena, "image:" STR_FMT,
                                                 STR_ARG(any_size ? quality->key : size->key))
                                  : arena_printf(r->arena, "image:" STR_FMT "/" STR_FMT,
                                                 STR_ARG(quality->key), STR_ARG(size->key));
            if (unit.p == NULL)
                return ST_NO_MEMORY;
            TRY(add_price(r, STR("pay_as_you_go.image"), unit, size));
        }
    }
    return ST_OK;
}

static enum status check_variants(struct reader *r)
{
    const uint64_t alone = PRICE_BIT(PRICE_IMAGE) | PRICE_BIT(PRICE_VIDEO_SECOND) |
                           PRICE_BIT(PRICE_VIDEO_INPUT_SECOND);
    for (size_t i = 0; i < r->table.variant_count; i++) {
        enum price_class price_class = (enum price_class)r->table.variants[i].price_class;
        if (((r->table.base.has | alone) & PRICE_BIT(price_class)) == 0)
            return refuse(r, str_c(price_class_unit(price_class)),
                          "a variant needs the plain price of its unit beside it");
    }
    return ST_OK;
}

enum status pricing_read(struct arena *arena, const struct json *config, int64_t now_ms,
                         Sluice__Prices **prices, struct str *where, const char **why)
{
    const struct json *plan = json_get(config, "pay_as_you_go"), *type = json_get(config, "type"),
                      *extra = json_get(plan, "additional_units");
    struct reader *r = arena_calloc(arena, 1, sizeof(*r));
    struct str text;
    if (r == NULL)
        return ST_NO_MEMORY;
    *r = (struct reader){.arena = arena, .where = where, .why = why};
    r->prices = arena_alloc(arena, sizeof(*r->prices));
    if (r->prices == NULL)
        return ST_NO_MEMORY;
    sluice__prices__init(r->prices);
    r->prices->rows = arena_calloc(arena, ROWS_MAX, sizeof(*r->prices->rows));
    if (r->prices->rows == NULL)
        return ST_NO_MEMORY;
    price_table_init(&r->table);
    if (!json_is(config, JSON_OBJECT))
        return refuse(r, STR(""), "must be an object");
    if (!json_is_none(type) &&
        (json_text(type, arena, &text) != ST_OK || !str_eq(text, STR("static"))))
        return refuse(r, STR("type"), "must be static");
    TRY(read_date(r, config, now_ms, &r->prices->effective_from_ms));
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct str name = str_c(members[i].member);
        TRY(add_price(r, name, str_c(members[i].unit), json_get_str(plan, name)));
    }
    TRY(add_images(r, json_get(plan, "image")));
    for (const struct json *item = extra == NULL ? NULL : extra->first; item != NULL;
         item = item->next)
        TRY(add_price(r, item->key, extra_unit(item->key), item));
    TRY(check_variants(r));
    *prices = r->prices;
    return ST_OK;
}

/* --- adjustments --- */

static enum status add_factor(struct reader *r, struct str name, struct str unit,
                              const struct json *value)
{
    int64_t ppm;
    if (json_is_none(value))
        return ST_OK;
    if (json_decimal(value, PRICING_PPM_DIGITS, true, &ppm) != ST_OK || ppm < 0 ||
        ppm > MONEY_PPM_MAX)
        return refuse(r, name, "must be a number from 0 to 1000");
    Sluice__PriceFactor *factor = arena_alloc(r->arena, sizeof(*factor));
    if (factor == NULL)
        return ST_NO_MEMORY;
    sluice__price_factor__init(factor);
    factor->unit = arena_cstr(r->arena, unit);
    factor->ppm = (uint64_t)ppm;
    if (factor->unit == NULL)
        return ST_NO_MEMORY;
    r->factors[r->factor_count++] = factor;
    return ST_OK;
}

static enum status add_extra_factor(struct reader *r, const struct json *item)
{
    enum price_class price_class;
    struct str variant;
    if (price_unit_parse(extra_unit(item->key), &price_class, &variant) != ST_OK)
        return refuse(r, item->key, "is no unit that has a price");
    return add_factor(r, item->key, str_c(price_class_unit(price_class)), item);
}

static enum status add_named_factor(struct reader *r, const struct json *item)
{
    if (str_eq(item->key, STR("default")))
        return add_factor(r, item->key, STR(""), item);
    if (str_eq(item->key, STR("image")))
        return add_factor(r, item->key, str_c(price_class_unit(PRICE_IMAGE)),
                          json_is(item, JSON_OBJECT) ? json_get(item, "default") : item);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!str_eq(item->key, str_c(members[i].member)))
            continue;
        struct str unit = str_c(members[i].unit);
        return unit.n == 0 ? ST_OK : add_factor(r, item->key, unit, item);
    }
    return refuse(r, item->key, "is no price that can be multiplied");
}

static enum status read_factors(struct reader *r, const struct json *object, const char *name,
                                size_t *count, Sluice__PriceFactor ***factors)
{
    const struct json *extra = json_get(object, "additional_units");
    if (json_is_none(object))
        return ST_OK;
    if (!json_is(object, JSON_OBJECT) || (!json_is_none(extra) && !json_is(extra, JSON_OBJECT)))
        return refuse(r, str_c(name), "must be an object of numbers");
    r->factors = arena_calloc(r->arena, object->count + (extra == NULL ? 0 : extra->count) + 1,
                              sizeof(*r->factors));
    r->factor_count = 0;
    if (r->factors == NULL)
        return ST_NO_MEMORY;
    for (const struct json *item = object->first; item != NULL; item = item->next)
        if (item != extra)
            TRY(add_named_factor(r, item));
    for (const struct json *item = json_is_none(extra) ? NULL : extra->first; item != NULL;
         item = item->next)
        TRY(add_extra_factor(r, item));
    *count = r->factor_count;
    *factors = r->factors;
    return ST_OK;
}

enum status pricing_read_adjust(struct arena *arena, const struct json *adjustments, int64_t now_ms,
                                Sluice__PriceAdjust **adjust, struct str *where, const char **why)
{
    struct reader r = {.arena = arena, .where = where, .why = why};
    const struct json *multiplier = json_get(adjustments, "multiplier");
    Sluice__PriceAdjust *made = arena_alloc(arena, sizeof(*made));
    if (made == NULL)
        return ST_NO_MEMORY;
    sluice__price_adjust__init(made);
    if (!json_is(adjustments, JSON_OBJECT))
        return refuse(&r, STR(""), "must be an object");
    TRY(read_date(&r, adjustments, now_ms, &made->effective_from_ms));
    TRY(read_factors(&r, multiplier, "multiplier", &made->n_charge, &made->charge));
    TRY(read_factors(&r, json_get(adjustments, "cost_multiplier"), "cost_multiplier", &made->n_cost,
                     &made->cost));
    made->has_charge = made->n_charge > 0;
    *adjust = made;
    return ST_OK;
}
