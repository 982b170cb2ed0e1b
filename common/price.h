/* price.h: what a use of a model costs. Classes of use are rows of price.def.
 *
 *   price_table  all prices of one model with variants; its used prefix is the flat form (a blob)
 *                in catalog files (by date: price_book.h) and attempts
 *   price_row    the prices that hold for one request: one per class; absent = has-bit clear,
 *                never 0 for unknown
 *   price_usage  counts per class, disjoint
 *   price_bill   row x usage x factors -> nano-USD, rounded up once
 *
 * Cost and charge of an attempt are made from these in price_settle.h.
 *
 * Unit text of a price: "class" or "class:variant" ("image:hd/1024x1792", "web_search:low"). Any
 * class also takes the variants
 *   ">N"         holds when the whole input is above N tokens ("input_token:>200000")
 *   "tier=NAME"  holds when the provider served the request in that tier ("input_token:tier=flex")
 *
 * Pure, no allocation, safe on any bytes given as a blob. Unit prices are pico-USD and >= 0.
 */
#ifndef SLUICE_COMMON_PRICE_H
#define SLUICE_COMMON_PRICE_H

#include "common/money.h"
#include "common/str.h"

enum price_class {
#define PRICE(name, unit, per, fallback, factor) PRICE_##name,
#include "common/price.def"
#undef PRICE
    PRICE_CLASS_COUNT,
    PRICE_NONE = PRICE_CLASS_COUNT
};
_Static_assert(PRICE_CLASS_COUNT <= 64, "has is one word");

#define PRICE_BIT(class)    (UINT64_C(1) << (class))
#define PRICE_TOKEN_CLASSES (PRICE_BIT(PRICE_ROUTING_TOKEN + 1) - 1)
#define PRICE_VARIANT_MAX   48                  /* variants of one model */
#define PRICE_VARIANT_BYTES 22                  /* longest variant name */
#define PRICE_UNIT_MAX      (INT64_C(1) << 60)  /* pico-USD per unit: a million USD */
#define PRICE_COUNT_MAX     (UINT64_C(1) << 47) /* of one class in one event */

struct price_row {
    uint64_t has; /* PRICE_BIT of every class with a known price */
    int64_t picousd[PRICE_CLASS_COUNT];
};

struct price_variant {
    int64_t picousd;
    uint8_t price_class;
    uint8_t name_n;
    char name[PRICE_VARIANT_BYTES];
};

struct price_table {
    uint16_t class_count; /* PRICE_CLASS_COUNT of the writer */
    uint16_t variant_count;
    uint32_t reserved;
    struct price_row base;
    struct price_variant variants[PRICE_VARIANT_MAX];
};

/* What decides among variants. All optional: empty or 0 = not known. Borrowed for the call. */
struct price_query {
    uint64_t input_tokens; /* the whole input, cached included */
    struct str tier;       /* "batch", "flex", "priority" ... as served */
    struct str quality;    /* of images: "hd"; of video that is read: "plus" */
    struct str size;       /* of images or video: "1024x1792" */
    struct str search;     /* web search context: "low" */
    bool dearest;          /* before the use: input_tokens is a bound, what is not known may become
                              anything, a tier may be refused: the dearest price that could hold */
};

struct price_usage {
    uint64_t n[PRICE_CLASS_COUNT]; /* in 1/per units: tokens, images, milliseconds ... */
};

/* Counts as providers report them: totals that include their parts (prompt_tokens includes cached
 * and audio tokens, ...). */
struct price_totals {
    uint64_t input_tokens, cached_tokens, cache_write_tokens;
    uint64_t cache_write_1h_tokens; /* part of cache_write_tokens */
    uint64_t audio_input_tokens, audio_cached_tokens, image_input_tokens, image_cached_tokens;
    uint64_t output_tokens, reasoning_tokens, audio_output_tokens, image_output_tokens;
};

struct price_bill {
    int64_t nanousd;   /* of everything that has a price */
    uint64_t unpriced; /* classes that were used and have none */
    uint64_t fallback; /* classes charged at another class's price */
};

/* A factor for each class, in parts per million, 0 to PRICE_FACTOR_MAX. */
#define PRICE_FACTOR_MAX (MONEY_PPM_MAX * (MONEY_PPM_MAX / MONEY_PPM_ONE))
struct price_factors {
    int64_t ppm[PRICE_CLASS_COUNT];
};

/* Stable unit text of a class; never NULL. */
const char *price_class_unit(enum price_class price_class);

/* The class whose price is charged when this one has none, and how many times; PRICE_NONE: the use
 * is then unpriced. */
enum price_class price_class_fallback(enum price_class price_class, int64_t *factor);

/* Splits "class:variant"; variant empty if none. ST_NOT_FOUND: unknown class. ST_INVALID: a variant
 * too long or empty. */
MUST_USE enum status price_unit_parse(struct str unit, enum price_class *price_class,
                                      struct str *variant);

void price_table_init(struct price_table *table);
/* Adds or replaces one price. ST_NOT_FOUND (unknown class), ST_INVALID (variant), ST_RANGE (price <
 * 0 or > PRICE_UNIT_MAX), ST_TOO_LARGE (variants). */
MUST_USE enum status price_table_add(struct price_table *table, struct str unit, int64_t picousd);
/* The bytes to store: the used prefix of the table. Borrows. */
struct str price_table_blob(const struct price_table *table);

/* The row that holds for one request, from a stored blob (any alignment). An empty blob gives a row
 * without prices. Per class: a "tier=" variant, else the plain price; if ">N" holds as well, the
 * dearer of the two; for images quality/size, then quality, then size, then plain; for video size,
 * then plain; for video that is read quality, then plain; for web search context, then plain.
 * query->dearest: the dearest of the plain price and of all variants that could hold.
 * ST_BAD_FORMAT. */
MUST_USE enum status price_pick(struct str blob, const struct price_query *query,
                                struct price_row *row);

/* Has a class of the set variants by what only the request tells (quality, size, context of a
 * search)? Damaged bytes: false. */
bool price_varies(struct str blob, uint64_t set);

/* Lays `over` (an admin's own prices) on `row`. If it prices any token class, it replaces them all:
 * a price given by hand is never mixed with the catalog's cache or audio prices of another price
 * level. Other classes are replaced one by one. */
void price_row_overlay(struct price_row *row, const struct price_row *over);

/* Makes disjoint counts of totals; parts are cut to what their total holds. Sets the token classes
 * only. */
void price_usage_split(struct price_usage *usage, const struct price_totals *totals);

/* The class whose price holds for a class: itself, or one of its fallbacks. PRICE_NONE: no price.
 */
enum price_class price_row_source(const struct price_row *row, enum price_class price_class);
/* The unit price of a class, by its fallbacks if need be (factors of price.def included): pico-USD.
 * False if there is none. */
bool price_row_unit(const struct price_row *row, enum price_class price_class, money_wide *picousd);

/* The cost of a use, each class times its factor (NULL: all 1), rounded up once. Seconds, images
 * and tokens can measure the same thing: a second or an image is charged only where the tokens it
 * stands for are not counted or have no price. ST_RANGE: a count above PRICE_COUNT_MAX, a factor
 * out of range, or a sum beyond int64. */
MUST_USE enum status price_bill(const struct price_row *row, const struct price_usage *usage,
                                const struct price_factors *factors, struct price_bill *bill);

/* As price_bill for who needs it whole: ST_UNPRICED if any used class lacks a price. */
MUST_USE enum status price_cost(const struct price_row *row, const struct price_usage *usage,
                                const struct price_factors *factors, int64_t *nanousd);

#endif
