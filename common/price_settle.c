/* price_settle.c: terms x use -> provider cost and internal charge.
 *
 * Invariant: price_bound of a use is never below price_settle of what lies within it, under the
 * same terms: both read the same pages and multiply by the same factors, the bound by taking the
 * dearer wherever something is not known yet. A charge is 0 only where the workspace is free or
 * nothing was used: a class without a price is named, not forgotten.
 */
#include "common/price_settle.h"

/* One side of the two amounts: a price and a factor for each class. Before the use, a class may
 * have its price only if a variant turns out to hold; `sure` are those that have one in any case.
 */
struct side {
    struct price_row row;
    struct price_factors factors;
    uint64_t sure;
};

struct sides {
    struct side cost, charge;
    bool free;
};

/* A page picked for the request, and what it prices whatever the request turns out to be. */
struct picked {
    struct price_row row;
    uint64_t sure;
};

static enum status pick(struct str page, const struct price_query *query, struct picked *picked)
{
    struct price_row plain;
    TRY(price_pick(page, query, &picked->row));
    picked->sure = picked->row.has;
    if (!query->dearest)
        return ST_OK;
    const struct price_query known = {
        .quality = query->quality, .size = query->size, .search = query->search};
    TRY(price_pick(page, &known, &plain));
    picked->sure = plain.has;
    return ST_OK;
}

/* Lays a page over a side. `fixed` gives the classes whose price is then surely the page's; where
 * that is not sure, the dearer of both stands. */
static void lay_over(struct side *side, const struct picked *over, uint64_t *fixed)
{
    struct price_row under = side->row;
    bool tokens = (over->sure & PRICE_TOKEN_CLASSES) != 0,
         perhaps = !tokens && (over->row.has & PRICE_TOKEN_CLASSES) != 0;
    price_row_overlay(&side->row, &over->row);
    if (tokens || perhaps)
        side->sure &= ~PRICE_TOKEN_CLASSES;
    side->sure |= over->sure;
    *fixed = over->sure | (tokens ? PRICE_TOKEN_CLASSES : 0);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if ((*fixed & PRICE_BIT(i)) || !(under.has & PRICE_BIT(i)))
            continue;
        if (!(side->row.has & PRICE_BIT(i)) || under.picousd[i] > side->row.picousd[i])
            side->row.picousd[i] = under.picousd[i];
        side->row.has |= PRICE_BIT(i);
    }
}

static int64_t product_ppm(uint32_t a, uint32_t b)
{
    int64_t product = (int64_t)a * b;
    return product / MONEY_PPM_ONE + (product % MONEY_PPM_ONE != 0);
}

/* Factors of the charge: the team's own prices (`fixed`) are charged as they are. */
static void set_factors(struct sides *sides, const struct price_adjust *adjust,
                        const struct price_adjust *team, uint64_t fixed, bool has_own)
{
    const uint32_t *charge = team->has_charge ? team->charge_ppm : adjust->charge_ppm;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        enum price_class source = price_row_source(&sides->charge.row, (enum price_class)i);
        bool sure = source != PRICE_NONE && (sides->charge.sure & PRICE_BIT(source));
        int64_t both = product_ppm(adjust->cost_ppm[i], charge[i]);
        sides->cost.factors.ppm[i] = adjust->cost_ppm[i];
        if (sure && (fixed & PRICE_BIT(source)))
            both = MONEY_PPM_ONE;
        else if (!sure && has_own && both < MONEY_PPM_ONE)
            both = MONEY_PPM_ONE;
        sides->charge.factors.ppm[i] = both;
    }
}

static enum status pick_sides(const struct price_terms *terms, const struct price_query *query,
                              struct sides *sides)
{
    struct price_adjust adjust, team;
    struct picked catalog, rule, access;
    uint64_t fixed;
    TRY(price_adjust_read(terms->adjust, &adjust));
    TRY(price_adjust_read(terms->access_adjust, &team));
    TRY(pick(terms->catalog, query, &catalog));
    TRY(pick(terms->rule, query, &rule));
    TRY(pick(terms->access, query, &access));
    sides->cost.row = catalog.row;
    sides->cost.sure = catalog.sure;
    lay_over(&sides->cost, &rule, &fixed);
    sides->charge = sides->cost;
    lay_over(&sides->charge, &access, &fixed);
    sides->free = team.free != 0;
    set_factors(sides, &adjust, &team, fixed, terms->access.n > 0);
    return ST_OK;
}

/* The most that one unit of a class can come to before its factor: its own price, and as long as
 * that is not sure, what its fallbacks would be charged. False: it may as well have none. */
static bool dearest_unit(const struct side *side, enum price_class price_class, money_wide *picousd)
{
    money_wide factor = 1;
    *picousd = 0;
    while (price_class != PRICE_NONE) {
        int64_t times;
        money_wide unit = side->row.picousd[price_class] * factor;
        if ((side->row.has & PRICE_BIT(price_class)) && unit > *picousd)
            *picousd = unit;
        if (side->sure & PRICE_BIT(price_class))
            return true;
        price_class = price_class_fallback(price_class, &times);
        factor *= times;
    }
    return false;
}

/* Prices the tokens of `classes` at the ceiling as it is; where a variant may price them, at the
 * dearer of both. */
static void take_ceiling(struct side *side, uint64_t classes, int64_t picousd)
{
    struct side before = *side;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        money_wide perhaps;
        if (!(classes & PRICE_TOKEN_CLASSES & PRICE_BIT(i)))
            continue;
        (void)dearest_unit(&before, (enum price_class)i, &perhaps);
        if (perhaps > PRICE_UNIT_MAX)
            perhaps = PRICE_UNIT_MAX;
        if (perhaps == 0 || side->factors.ppm[i] < MONEY_PPM_ONE)
            side->factors.ppm[i] = MONEY_PPM_ONE;
        side->row.picousd[i] = perhaps > picousd ? (int64_t)perhaps : picousd;
        side->row.has |= PRICE_BIT(i);
        side->sure |= PRICE_BIT(i);
    }
}

static bool ceiling_ok(int64_t picousd)
{
    return picousd >= 0 && picousd <= PRICE_UNIT_MAX;
}

enum status price_settle(const struct price_terms *terms, const struct price_query *query,
                         const struct price_usage *usage, struct price_amounts *amounts)
{
    struct sides sides;
    struct price_bill cost, charge = {0};
    TRY(pick_sides(terms, query, &sides));
    TRY(price_bill(&sides.cost.row, usage, &sides.cost.factors, &cost));
    if (!sides.free) {
        TRY(price_bill(&sides.charge.row, usage, &sides.charge.factors, &charge));
        if ((charge.unpriced & PRICE_TOKEN_CLASSES) != 0 && ceiling_ok(terms->ceiling_picousd)) {
            take_ceiling(&sides.charge, charge.unpriced, terms->ceiling_picousd);
            TRY(price_bill(&sides.charge.row, usage, &sides.charge.factors, &charge));
        }
    }
    *amounts = (struct price_amounts){.cost_nanousd = cost.nanousd,
                                      .charge_nanousd = charge.nanousd,
                                      .unpriced = cost.unpriced,
                                      .uncharged = charge.unpriced,
                                      .priced = sides.cost.row.has != 0};
    return ST_OK;
}

/* --- bounds --- */

/* Adds what `count` of the dearest of `classes` comes to; by itself, so that no other measure
 * stands for it. */
static enum status add_dearest(const struct side *side, uint64_t count, uint64_t classes,
                               int64_t *nanousd, uint64_t *unpriced)
{
    enum price_class found = PRICE_NONE;
    money_wide unit = 0, most = -1;
    struct price_row row = {0};
    struct price_usage usage = {{0}};
    struct price_bill bill;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT && count > 0; i++) {
        if (!(classes & PRICE_BIT(i)))
            continue;
        if (!dearest_unit(side, (enum price_class)i, &unit))
            *unpriced |= PRICE_BIT(i);
        if (unit > PRICE_UNIT_MAX)
            return ST_RANGE;
        if (unit * side->factors.ppm[i] > most) {
            most = unit * side->factors.ppm[i];
            found = (enum price_class)i;
            row.picousd[i] = (int64_t)unit;
        }
    }
    if (found == PRICE_NONE)
        return ST_OK;
    row.has = PRICE_BIT(found);
    usage.n[found] = count;
    TRY(price_bill(&row, &usage, &side->factors, &bill));
    return money_add(*nanousd, bill.nanousd, nanousd);
}

static enum status bound_side(const struct side *side, const struct price_bounds *bounds,
                              int64_t *nanousd, uint64_t *unpriced)
{
    TRY(add_dearest(side, bounds->input_tokens, bounds->input_classes & PRICE_TOKEN_CLASSES,
                    nanousd, unpriced));
    TRY(add_dearest(side, bounds->output_tokens, bounds->output_classes & PRICE_TOKEN_CLASSES,
                    nanousd, unpriced));
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (!(PRICE_TOKEN_CLASSES & PRICE_BIT(i)))
            TRY(add_dearest(side, bounds->other.n[i], PRICE_BIT(i), nanousd, unpriced));
    }
    return ST_OK;
}

/* The classes of the bounds that may have no price. */
static uint64_t without_price(const struct side *side, const struct price_bounds *bounds)
{
    uint64_t possible = (bounds->input_tokens > 0 ? bounds->input_classes : 0) |
                        (bounds->output_tokens > 0 ? bounds->output_classes : 0);
    uint64_t found = 0;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        money_wide unit;
        if ((possible & PRICE_BIT(i)) && !dearest_unit(side, (enum price_class)i, &unit))
            found |= PRICE_BIT(i);
    }
    return found;
}

enum status price_bound(const struct price_terms *terms, const struct price_query *query,
                        const struct price_bounds *bounds, struct price_amounts *amounts)
{
    struct price_query asked = *query;
    struct sides sides;
    struct price_amounts made = {0};
    asked.dearest = true;
    asked.input_tokens = bounds->input_tokens;
    TRY(pick_sides(terms, &asked, &sides));
    made.priced = sides.cost.row.has != 0;
    TRY(bound_side(&sides.cost, bounds, &made.cost_nanousd, &made.unpriced));
    if (!sides.free) {
        if (ceiling_ok(terms->ceiling_picousd))
            take_ceiling(&sides.charge, without_price(&sides.charge, bounds),
                         terms->ceiling_picousd);
        TRY(bound_side(&sides.charge, bounds, &made.charge_nanousd, &made.uncharged));
    }
    *amounts = made;
    return ST_OK;
}
