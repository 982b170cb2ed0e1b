/* prices.c: see prices.h. What is stored as text comes back as it was sent; the history shows what
 * was made of it and when it holds, in the same units (US cents, plain factors). */
#include "control-plane/api/prices.h"

#include "common/clock.h"
#include "control-plane/domain/pricing.h"

static enum status explain(struct api_call *call, enum status status, const char *name,
                           struct str where, const char *why)
{
    if (status != ST_INVALID)
        return status;
    return api_fail(call, status, "%s%s" STR_FMT ": %s", name, where.n > 0 ? "." : "",
                    STR_ARG(str_head(where, 64)), why);
}

enum status prices_read(struct api_call *call, const char *name, const struct json *config,
                        int64_t from_ms, Sluice__Prices **page)
{
    struct str where = STR("");
    const char *why = "";
    if (json_is_none(config)) {
        *page = arena_alloc(call->arena, sizeof(**page));
        if (*page == NULL)
            return ST_NO_MEMORY;
        sluice__prices__init(*page);
        (*page)->effective_from_ms = from_ms;
        return ST_OK;
    }
    enum status status = pricing_read(call->arena, config, from_ms, page, &where, &why);
    return explain(call, status, name, where, why);
}

enum status prices_read_adjust(struct api_call *call, const char *name,
                               const struct json *adjustments, int64_t from_ms,
                               Sluice__PriceAdjust **page)
{
    struct str where = STR("");
    const char *why = "";
    if (json_is_none(adjustments)) {
        *page = arena_alloc(call->arena, sizeof(**page));
        if (*page == NULL)
            return ST_NO_MEMORY;
        sluice__price_adjust__init(*page);
        (*page)->effective_from_ms = from_ms;
        return ST_OK;
    }
    enum status status = pricing_read_adjust(call->arena, adjustments, from_ms, page, &where, &why);
    return explain(call, status, name, where, why);
}

enum status prices_read_date(struct api_call *call, const char *name, const struct json *object,
                             int64_t *from_ms)
{
    const struct json *node = json_get(object, "effective_from");
    struct str text;
    int64_t at_ms;
    if (json_is_none(node))
        return ST_OK;
    if (json_text(node, call->arena, &text) != ST_OK || clock_from_text(text, &at_ms) != ST_OK ||
        at_ms < 0)
        return api_fail(call, ST_INVALID, "%s.effective_from: must be a time (RFC 3339)", name);
    *from_ms = at_ms;
    return ST_OK;
}

static enum status check_count(struct api_call *call, enum status status, const char *name)
{
    return status == ST_TOO_LARGE
               ? api_fail(call, ST_INVALID, "%s: changed more than 31 times in 400 days", name)
               : status;
}

enum status prices_put(struct api_call *call, const char *name, Sluice__Prices *page,
                       Sluice__Prices ***pages, size_t *count)
{
    return check_count(call, pricing_put(call->arena, call->now_ms, page, pages, count), name);
}

enum status prices_put_adjust(struct api_call *call, const char *name, Sluice__PriceAdjust *page,
                              Sluice__PriceAdjust ***pages, size_t *count)
{
    return check_count(call, pricing_put_adjust(call->arena, call->now_ms, page, pages, count),
                       name);
}

/* --- answers --- */

void prices_write(struct json_writer *w, const char *name, Sluice__Prices *const *pages,
                  size_t count)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_object(w);
        jw_field_time(w, "effective_from", pages[i]->effective_from_ms);
        jw_key(w, "prices");
        jw_object(w);
        for (size_t k = 0; k < pages[i]->n_rows; k++) {
            jw_key(w, pages[i]->rows[k]->unit);
            jw_decimal(w, pages[i]->rows[k]->picousd, PRICING_PICOUSD_DIGITS);
        }
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void write_factors(struct json_writer *w, const char *name, Sluice__PriceFactor **factors,
                          size_t count)
{
    jw_key(w, name);
    jw_object(w);
    for (size_t i = 0; i < count; i++) {
        jw_key(w, factors[i]->unit[0] == '\0' ? "default" : factors[i]->unit);
        jw_decimal(w, (int64_t)factors[i]->ppm, PRICING_PPM_DIGITS);
    }
    jw_end(w);
}

void prices_write_adjusts(struct json_writer *w, const char *name,
                          Sluice__PriceAdjust *const *pages, size_t count)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_object(w);
        jw_field_time(w, "effective_from", pages[i]->effective_from_ms);
        jw_field_bool(w, "free", pages[i]->free);
        write_factors(w, "multiplier", pages[i]->charge, pages[i]->n_charge);
        write_factors(w, "cost_multiplier", pages[i]->cost, pages[i]->n_cost);
        jw_end(w);
    }
    jw_end(w);
}
