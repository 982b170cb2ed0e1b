/* price_book.h: what holds from when: prices of a model and adjustments of an integration, by date.
 *
 *   book     [i64 from_ms][u32 length][u32 0][bytes] ...   ascending; one page per date. The bytes
 *            are a price_table_blob (prices) or a struct price_adjust (adjustments); an empty page
 *            says that from then on there is nothing
 *   page     what is in force at an instant: the last one that began at or before it
 *
 * A book is the flat form in catalog files and what re-rating reads; a page is what an attempt
 * keeps. Times are the control plane's UTC. Building appends to a buf; reading is pure and safe on
 * any bytes.
 */
#ifndef SLUICE_COMMON_PRICE_BOOK_H
#define SLUICE_COMMON_PRICE_BOOK_H

#include "common/buf.h"
#include "common/price.h"
#include "proto/catalog.pb-c.h"

#define PRICE_BOOK_PAGES  32 /* dates of one book; more are refused where they are saved */
#define PRICE_BOOK_LAYOUT 1  /* changes with the layout of pages */

/* How the prices of an integration become cost and charge. Of a workspace's row: charge and free
 * alone count. Flat, little-endian; a reader knows the writer's class_count. */
struct price_adjust {
    uint16_t class_count;
    uint8_t free; /* charge nothing */
    uint8_t has_charge;
    uint32_t spare;
    uint32_t cost_ppm[PRICE_CLASS_COUNT];   /* what the provider bills, of the price */
    uint32_t charge_ppm[PRICE_CLASS_COUNT]; /* what is charged, of the cost */
};

/* The page in force at `at_ms`; borrows; n = 0: none. ST_BAD_FORMAT. */
MUST_USE enum status price_book_at(struct str book, int64_t at_ms, struct str *page);

/* Reads an adjustment page; n = 0 gives factors of 1. ST_BAD_FORMAT. */
MUST_USE enum status price_adjust_read(struct str page, struct price_adjust *adjust);

/* Appends a book of prices, or of adjustments, to `out`; nothing when there are none. Classes and
 * units this version does not know are left out: they cannot be counted either. ST_BAD_FORMAT: not
 * ascending, too many, or a figure that makes no sense. Memory shows in the buf. */
MUST_USE enum status price_book_add_prices(struct buf *out, size_t count,
                                           Sluice__Prices *const *prices);
MUST_USE enum status price_book_add_adjusts(struct buf *out, size_t count,
                                            Sluice__PriceAdjust *const *adjusts);

/* Prices of several models in one value: [u16 length][slug][u32 length][book] ... Of a workspace's
 * row: what it is charged for a model. Appends one; ST_BAD_FORMAT as above. */
MUST_USE enum status price_book_add_model(struct buf *out, const Sluice__ModelPrices *model);
/* The book of one model by its slug's bytes; borrows; n = 0: none. ST_BAD_FORMAT. */
MUST_USE enum status price_book_of_model(struct str models, struct str slug, struct str *book);

#endif
