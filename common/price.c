/* price.c: prices by class, picked for a request and multiplied out.
 *
 * Invariant: money is never made up and never lost. A class without a price is reported, not
 * counted as 0; every product is exact in 128 bits; the sum is rounded up once, at the end. The
 * bounds of price.h keep the sum in range: count 2^47 x price 2^60 x 2 (fallback factor) x 1000
 * (per) < 2^119; a class is cut at 2^84 (above int64 nano-USD) before its factor (< 2^40) is
 * applied, and the sum at 2^126, before a part is added. A blob comes from a file that a damaged
 * process may have written: lengths are checked, a variant of an unknown class is skipped, and a
 * negative price makes the blob bad.
 */
#include "common/price.h"

#define PRICE_PER_MAX  1000 /* the sum is in 1/1000 pico-USD: milliseconds stay exact */
#define PRICE_PART_MAX ((money_wide)1 << 84)
#define PRICE_SUM_MAX  ((money_wide)1 << 126)

struct class_row {
    const char *unit;
    uint16_t per;
    uint16_t factor;
    enum price_class fallback;
};

static const struct class_row classes[PRICE_CLASS_COUNT] = {
#define PRICE(name, unit, per, fallback, factor) {unit, per, factor, PRICE_##fallback},
#include "common/price.def"
#undef PRICE
};

/* A measure that stands for tokens: charged only while none of these is both counted and priced. */
static const struct {
    enum price_class measure;
    uint64_t tokens;
} measures[] = {
    {PRICE_AUDIO_INPUT_SECOND, PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_AUDIO_INPUT_TOKEN)},
    {PRICE_AUDIO_OUTPUT_SECOND, PRICE_BIT(PRICE_AUDIO_OUTPUT_TOKEN)},
    {PRICE_IMAGE, PRICE_BIT(PRICE_IMAGE_OUTPUT_TOKEN)},
    {PRICE_VIDEO_SECOND, PRICE_BIT(PRICE_VIDEO_OUTPUT_TOKEN)},
};

const char *price_class_unit(enum price_class price_class)
{
    CHECK((unsigned)price_class < PRICE_CLASS_COUNT);
    return classes[price_class].unit;
}

enum price_class price_class_fallback(enum price_class price_class, int64_t *factor)
{
    CHECK((unsigned)price_class < PRICE_CLASS_COUNT);
    *factor = classes[price_class].factor;
    return classes[price_class].fallback;
}

enum status price_unit_parse(struct str unit, enum price_class *price_class, struct str *variant)
{
    ptrdiff_t colon = str_find_char(unit, ':');
    struct str name = colon < 0 ? unit : str_head(unit, (size_t)colon);
    struct str rest = colon < 0 ? (struct str){unit.p, 0} : str_from(unit, (size_t)colon + 1);
    if (colon >= 0 && (rest.n == 0 || rest.n > PRICE_VARIANT_BYTES))
        return ST_INVALID;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (str_eq(name, str_c(classes[i].unit))) {
            *price_class = (enum price_class)i;
            *variant = rest;
            return ST_OK;
        }
    }
    return ST_NOT_FOUND;
}

void price_table_init(struct price_table *table)
{
    memset(table, 0, sizeof(*table));
    table->class_count = PRICE_CLASS_COUNT;
}

static struct str variant_name(const struct price_variant *variant)
{
    size_t n = variant->name_n;
    return str_of(variant->name, n > PRICE_VARIANT_BYTES ? PRICE_VARIANT_BYTES : n);
}

enum status price_table_add(struct price_table *table, struct str unit, int64_t picousd)
{
    enum price_class price_class;
    struct str name;
    uint64_t above;
    TRY(price_unit_parse(unit, &price_class, &name));
    if (picousd < 0 || picousd > PRICE_UNIT_MAX)
        return ST_RANGE;
    if (name.n == 0) {
        table->base.has |= PRICE_BIT(price_class);
        table->base.picousd[price_class] = picousd;
        return ST_OK;
    }
    if (name.p[0] == '>' && str_to_u64(str_from(name, 1), &above) != ST_OK)
        return ST_INVALID;
    struct price_variant *slot = table->variants, *end = slot + table->variant_count;
    while (slot < end && (slot->price_class != price_class || !str_eq(variant_name(slot), name)))
        slot++;
    if (slot == end) {
        if (table->variant_count == PRICE_VARIANT_MAX)
            return ST_TOO_LARGE;
        table->variant_count++;
    }
    memset(slot, 0, sizeof(*slot));
    slot->picousd = picousd;
    slot->price_class = (uint8_t)price_class;
    slot->name_n = (uint8_t)name.n;
    memcpy(slot->name, name.p, name.n);
    return ST_OK;
}

struct str price_table_blob(const struct price_table *table)
{
    return str_of((const char *)table, offsetof(struct price_table, variants) +
                                           table->variant_count * sizeof(struct price_variant));
}

/* May the request's attribute turn out to be `name`? */
static bool fits(struct str known, struct str name, bool dearest)
{
    return known.n == 0 ? dearest : str_eq_nocase(known, name);
}

/* How well a variant fits the request, above the plain price (0): higher wins. -1: it does not
 * apply. */
static int variant_rank(enum price_class price_class, struct str name,
                        const struct price_query *query)
{
    static const struct str tier = {"tier=", 5};
    bool dearest = query->dearest;
    if (str_starts(name, tier))
        return fits(query->tier, str_from(name, tier.n), dearest) ? 4 : -1;
    if (price_class == PRICE_WEB_SEARCH)
        return fits(query->search, name, dearest) ? 1 : -1;
    if (price_class == PRICE_VIDEO_SECOND)
        return fits(query->size, name, dearest) ? 1 : -1;
    if (price_class == PRICE_VIDEO_INPUT_SECOND)
        return fits(query->quality, name, dearest) ? 1 : -1;
    if (price_class != PRICE_IMAGE)
        return -1;
    ptrdiff_t slash = str_find_char(name, '/');
    if (slash >= 0)
        return fits(query->quality, str_head(name, (size_t)slash), dearest) &&
                       fits(query->size, str_from(name, (size_t)slash + 1), dearest)
                   ? 3
                   : -1;
    if (fits(query->quality, name, dearest))
        return 2;
    return fits(query->size, name, dearest) ? 1 : -1;
}

struct pick {
    struct price_row *row;
    int8_t rank[PRICE_CLASS_COUNT];
    uint64_t has_above;
    uint64_t above[PRICE_CLASS_COUNT];
    int64_t above_picousd[PRICE_CLASS_COUNT];
};

static void take_dearer(struct price_row *row, enum price_class price_class, int64_t picousd)
{
    if (!(row->has & PRICE_BIT(price_class)) || picousd > row->picousd[price_class])
        row->picousd[price_class] = picousd;
    row->has |= PRICE_BIT(price_class);
}

static enum status pick_variant(struct pick *pick, const struct price_variant *variant,
                                const struct price_query *query)
{
    if (variant->price_class >= PRICE_CLASS_COUNT)
        return ST_OK;
    if (variant->picousd < 0 || variant->picousd > PRICE_UNIT_MAX)
        return ST_BAD_FORMAT;
    enum price_class price_class = (enum price_class)variant->price_class;
    struct str name = variant_name(variant);
    if (name.n > 1 && name.p[0] == '>') {
        uint64_t above;
        if (str_to_u64(str_from(name, 1), &above) != ST_OK)
            return ST_BAD_FORMAT;
        bool better =
            !(pick->has_above & PRICE_BIT(price_class)) || above >= pick->above[price_class];
        if (query->input_tokens > above && query->dearest) {
            take_dearer(pick->row, price_class, variant->picousd);
        } else if (query->input_tokens > above && better) {
            pick->has_above |= PRICE_BIT(price_class);
            pick->above[price_class] = above;
            pick->above_picousd[price_class] = variant->picousd;
        }
        return ST_OK;
    }
    int rank = variant_rank(price_class, name, query);
    if (query->dearest && rank > 0) {
        take_dearer(pick->row, price_class, variant->picousd);
    } else if (rank > pick->rank[price_class]) {
        pick->rank[price_class] = (int8_t)rank;
        pick->row->has |= PRICE_BIT(price_class);
        pick->row->picousd[price_class] = variant->picousd;
    }
    return ST_OK;
}

static enum status pick_base(struct str blob, struct price_row *row, size_t *variants_at,
                             size_t *variant_count)
{
    uint16_t class_count, count;
    const size_t base_at = offsetof(struct price_table, base);
    if (blob.n < base_at + sizeof(row->has))
        return ST_BAD_FORMAT;
    memcpy(&class_count, blob.p, sizeof(class_count));
    memcpy(&count, blob.p + offsetof(struct price_table, variant_count), sizeof(count));
    size_t prices_at = base_at + offsetof(struct price_row, picousd);
    size_t at = prices_at + class_count * sizeof(int64_t);
    if (class_count > 64 || count > PRICE_VARIANT_MAX ||
        blob.n != at + count * sizeof(struct price_variant))
        return ST_BAD_FORMAT;
    size_t shared = class_count < PRICE_CLASS_COUNT ? class_count : PRICE_CLASS_COUNT;
    memcpy(&row->has, blob.p + base_at, sizeof(row->has));
    memcpy(row->picousd, blob.p + prices_at, shared * sizeof(int64_t));
    row->has &= shared == 64 ? UINT64_MAX : (UINT64_C(1) << shared) - 1;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (row->picousd[i] < 0 || row->picousd[i] > PRICE_UNIT_MAX)
            return ST_BAD_FORMAT;
    }
    *variants_at = at;
    *variant_count = count;
    return ST_OK;
}

enum status price_pick(struct str blob, const struct price_query *query, struct price_row *row)
{
    struct price_row picked = {0};
    struct pick pick = {.row = &picked};
    size_t at = 0, count = 0;
    if (blob.n > 0)
        TRY(pick_base(blob, &picked, &at, &count));
    for (size_t i = 0; i < count; i++) {
        struct price_variant variant;
        memcpy(&variant, blob.p + at + i * sizeof(variant), sizeof(variant));
        TRY(pick_variant(&pick, &variant, query));
    }
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (!(pick.has_above & PRICE_BIT(i)))
            continue;
        if (pick.rank[i] == 0)
            picked.picousd[i] = 0;
        take_dearer(&picked, (enum price_class)i, pick.above_picousd[i]);
    }
    *row = picked;
    return ST_OK;
}

bool price_varies(struct str blob, uint64_t set)
{
    struct price_row row;
    size_t at = 0, count = 0;
    if (blob.n == 0 || pick_base(blob, &row, &at, &count) != ST_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct price_variant variant;
        memcpy(&variant, blob.p + at + i * sizeof(variant), sizeof(variant));
        struct str name = variant_name(&variant);
        bool known = variant.price_class < PRICE_CLASS_COUNT;
        if (known && (set & PRICE_BIT(variant.price_class)) && name.p[0] != '>' &&
            !str_starts(name, STR("tier=")))
            return true;
    }
    return false;
}

void price_row_overlay(struct price_row *row, const struct price_row *over)
{
    if (over->has & PRICE_TOKEN_CLASSES)
        row->has &= ~PRICE_TOKEN_CLASSES;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (over->has & PRICE_BIT(i)) {
            row->has |= PRICE_BIT(i);
            row->picousd[i] = over->picousd[i];
        } else if (!(row->has & PRICE_BIT(i))) {
            row->picousd[i] = 0;
        }
    }
}

/* Takes up to `part` out of `left`. */
static uint64_t take_part(uint64_t *left, uint64_t part)
{
    uint64_t taken = part < *left ? part : *left;
    *left -= taken;
    return taken;
}

void price_usage_split(struct price_usage *usage, const struct price_totals *totals)
{
    uint64_t *n = usage->n;
    uint64_t in = totals->input_tokens, out = totals->output_tokens;
    uint64_t cached = take_part(&in, totals->cached_tokens);
    n[PRICE_AUDIO_CACHE_TOKEN] = take_part(&cached, totals->audio_cached_tokens);
    n[PRICE_IMAGE_CACHE_TOKEN] = take_part(&cached, totals->image_cached_tokens);
    n[PRICE_CACHE_READ_TOKEN] = cached;
    n[PRICE_CACHE_WRITE_1H_TOKEN] = take_part(&in, totals->cache_write_1h_tokens);
    uint64_t write_5m = totals->cache_write_tokens;
    (void)take_part(&write_5m, n[PRICE_CACHE_WRITE_1H_TOKEN]);
    n[PRICE_CACHE_WRITE_TOKEN] = take_part(&in, write_5m);
    /* audio and image totals include their cached part, which is already taken */
    uint64_t audio = totals->audio_input_tokens, image = totals->image_input_tokens;
    (void)take_part(&audio, n[PRICE_AUDIO_CACHE_TOKEN]);
    (void)take_part(&image, n[PRICE_IMAGE_CACHE_TOKEN]);
    n[PRICE_AUDIO_INPUT_TOKEN] = take_part(&in, audio);
    n[PRICE_IMAGE_INPUT_TOKEN] = take_part(&in, image);
    n[PRICE_INPUT_TOKEN] = in;
    n[PRICE_AUDIO_OUTPUT_TOKEN] = take_part(&out, totals->audio_output_tokens);
    n[PRICE_IMAGE_OUTPUT_TOKEN] = take_part(&out, totals->image_output_tokens);
    n[PRICE_REASONING_TOKEN] = take_part(&out, totals->reasoning_tokens);
    n[PRICE_OUTPUT_TOKEN] = out;
}

enum price_class price_row_source(const struct price_row *row, enum price_class price_class)
{
    while (price_class != PRICE_NONE && !(row->has & PRICE_BIT(price_class)))
        price_class = classes[price_class].fallback;
    return price_class;
}

bool price_row_unit(const struct price_row *row, enum price_class price_class, money_wide *picousd)
{
    enum price_class source = price_row_source(row, price_class);
    money_wide factor = 1;
    if (source == PRICE_NONE)
        return false;
    for (; price_class != source; price_class = classes[price_class].fallback)
        factor *= classes[price_class].factor;
    *picousd = row->picousd[source] * factor;
    return true;
}

/* Drops what is measured twice: see measures[]. `used` and `priced` are class sets. Gives the set
 * to charge or report. */
static uint64_t charged_classes(uint64_t used, uint64_t priced)
{
    for (size_t i = 0; i < COUNT_OF(measures); i++) {
        uint64_t bit = PRICE_BIT(measures[i].measure);
        if (!(used & bit))
            continue;
        if (used & priced & measures[i].tokens)
            used &= ~bit;
        else if (priced & bit)
            used &= ~measures[i].tokens;
    }
    return used;
}

/* count x price of one class, in 1/1000 pico-USD x ppm, onto the sum. */
static enum status add_part(money_wide *sum, enum price_class price_class, uint64_t count,
                            money_wide picousd, int64_t ppm)
{
    money_wide part = (money_wide)count * picousd * (PRICE_PER_MAX / classes[price_class].per);
    if (part > PRICE_PART_MAX || ppm < 0 || ppm > PRICE_FACTOR_MAX || *sum > PRICE_SUM_MAX)
        return ST_RANGE;
    *sum += part * ppm;
    return ST_OK;
}

enum status price_bill(const struct price_row *row, const struct price_usage *usage,
                       const struct price_factors *factors, struct price_bill *bill)
{
    uint64_t used = 0, priced = 0, fallbacks = 0;
    money_wide unit[PRICE_CLASS_COUNT], sum = 0;
    struct price_bill made = {0};
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (usage->n[i] == 0)
            continue;
        if (usage->n[i] > PRICE_COUNT_MAX)
            return ST_RANGE;
        used |= PRICE_BIT(i);
        if (!price_row_unit(row, (enum price_class)i, &unit[i]))
            continue;
        priced |= PRICE_BIT(i);
        fallbacks |= PRICE_BIT(i) & ~row->has;
    }
    uint64_t charged = charged_classes(used, priced);
    made.unpriced = charged & ~priced;
    made.fallback = charged & fallbacks;
    charged &= priced;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        if (charged & PRICE_BIT(i))
            TRY(add_part(&sum, (enum price_class)i, usage->n[i], unit[i],
                         factors == NULL ? MONEY_PPM_ONE : factors->ppm[i]));
    }
    /* 1/1000 pico-USD x ppm -> nano-USD: / 1000 / 1000 / 1,000,000 */
    TRY(money_div_up(sum, MONEY_PICOUSD_PER_USD, &made.nanousd));
    *bill = made;
    return ST_OK;
}

enum status price_cost(const struct price_row *row, const struct price_usage *usage,
                       const struct price_factors *factors, int64_t *nanousd)
{
    struct price_bill bill;
    TRY(price_bill(row, usage, factors, &bill));
    if (bill.unpriced != 0)
        return ST_UNPRICED;
    *nanousd = bill.nanousd;
    return ST_OK;
}
