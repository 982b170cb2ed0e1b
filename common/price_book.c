/* price_book.c: what holds from when, flat.
 *
 *   page   [i64 from_ms][u32 length][u32 0][length bytes]
 *
 * Invariant: pages ascend strictly, so the one in force is the last that has begun, and an instant
 * before the first has none: a price is never used before its date. What is read may come from a
 * damaged file, so every length is checked before it is followed. What is written comes over the
 * feed: a class that this version does not know is left out, a figure that cannot be is refused.
 */
#include "common/price_book.h"

#define PAGE_HEAD_BYTES 16u

enum status price_book_at(struct str book, int64_t at_ms, struct str *page)
{
    struct str found = STR_NONE;
    while (book.n > 0) {
        int64_t from_ms;
        uint32_t length;
        if (book.n < PAGE_HEAD_BYTES)
            return ST_BAD_FORMAT;
        memcpy(&from_ms, book.p, sizeof from_ms);
        memcpy(&length, book.p + 8, sizeof length);
        book = str_from(book, PAGE_HEAD_BYTES);
        if (length > book.n)
            return ST_BAD_FORMAT;
        if (from_ms > at_ms)
            break;
        found = str_head(book, length);
        book = str_from(book, length);
    }
    *page = found;
    return ST_OK;
}

/* --- adjustments --- */

static void adjust_init(struct price_adjust *adjust)
{
    memset(adjust, 0, sizeof *adjust);
    adjust->class_count = PRICE_CLASS_COUNT;
    for (size_t i = 0; i < PRICE_CLASS_COUNT; i++)
        adjust->cost_ppm[i] = adjust->charge_ppm[i] = (uint32_t)MONEY_PPM_ONE;
}

static enum status read_ppm(const char *from, size_t count, uint32_t ppm[PRICE_CLASS_COUNT])
{
    memcpy(ppm, from, (count < PRICE_CLASS_COUNT ? count : PRICE_CLASS_COUNT) * sizeof *ppm);
    for (size_t i = 0; i < PRICE_CLASS_COUNT; i++)
        if (ppm[i] > MONEY_PPM_MAX)
            return ST_BAD_FORMAT;
    return ST_OK;
}

enum status price_adjust_read(struct str page, struct price_adjust *adjust)
{
    const size_t head = offsetof(struct price_adjust, cost_ppm);
    struct price_adjust read;
    uint16_t count;
    adjust_init(&read);
    if (page.n > 0) {
        if (page.n < head)
            return ST_BAD_FORMAT;
        memcpy(&count, page.p, sizeof count);
        if (count > 64 || page.n != head + 2u * count * sizeof(uint32_t))
            return ST_BAD_FORMAT;
        read.free = page.p[offsetof(struct price_adjust, free)] != 0;
        read.has_charge = page.p[offsetof(struct price_adjust, has_charge)] != 0;
        TRY(read_ppm(page.p + head, count, read.cost_ppm));
        TRY(read_ppm(page.p + head + count * sizeof(uint32_t), count, read.charge_ppm));
    }
    *adjust = read;
    return ST_OK;
}

static enum status take_factors(size_t count, Sluice__PriceFactor *const *factors,
                                uint32_t ppm[PRICE_CLASS_COUNT])
{
    for (size_t i = 0; i < count; i++) {
        if (factors[i]->ppm > (uint64_t)MONEY_PPM_MAX)
            return ST_BAD_FORMAT;
        for (size_t k = 0; k < PRICE_CLASS_COUNT && factors[i]->unit[0] == '\0'; k++)
            ppm[k] = (uint32_t)factors[i]->ppm;
    }
    for (size_t i = 0; i < count; i++) {
        enum price_class price_class;
        struct str variant;
        if (price_unit_parse(str_c(factors[i]->unit), &price_class, &variant) == ST_OK)
            ppm[price_class] = (uint32_t)factors[i]->ppm;
    }
    return ST_OK;
}

/* --- building --- */

static void add_page(struct buf *out, int64_t from_ms, struct str bytes)
{
    const uint32_t lengths[2] = {(uint32_t)bytes.n, 0};
    buf_add(out, &from_ms, sizeof from_ms);
    buf_add(out, lengths, sizeof lengths);
    buf_add_str(out, bytes);
}

enum status price_book_add_prices(struct buf *out, size_t count, Sluice__Prices *const *prices)
{
    struct price_table table;
    if (count > PRICE_BOOK_PAGES)
        return ST_BAD_FORMAT;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && prices[i]->effective_from_ms <= prices[i - 1]->effective_from_ms)
            return ST_BAD_FORMAT;
        price_table_init(&table);
        for (size_t k = 0; k < prices[i]->n_rows; k++) {
            const Sluice__Price *price = prices[i]->rows[k];
            enum status status = price_table_add(&table, str_c(price->unit), price->picousd);
            if (status != ST_OK && status != ST_NOT_FOUND)
                return ST_BAD_FORMAT;
        }
        bool none = table.base.has == 0 && table.variant_count == 0;
        add_page(out, prices[i]->effective_from_ms, none ? STR("") : price_table_blob(&table));
    }
    return ST_OK;
}

enum status price_book_add_adjusts(struct buf *out, size_t count,
                                   Sluice__PriceAdjust *const *adjusts)
{
    if (count > PRICE_BOOK_PAGES)
        return ST_BAD_FORMAT;
    for (size_t i = 0; i < count; i++) {
        const Sluice__PriceAdjust *from = adjusts[i];
        struct price_adjust adjust;
        if (i > 0 && from->effective_from_ms <= adjusts[i - 1]->effective_from_ms)
            return ST_BAD_FORMAT;
        adjust_init(&adjust);
        adjust.free = from->free != 0;
        adjust.has_charge = from->has_charge != 0;
        TRY(take_factors(from->n_cost, from->cost, adjust.cost_ppm));
        TRY(take_factors(from->n_charge, from->charge, adjust.charge_ppm));
        add_page(out, from->effective_from_ms, str_of((const char *)&adjust, sizeof adjust));
    }
    return ST_OK;
}

/* --- several models --- */

enum status price_book_add_model(struct buf *out, const Sluice__ModelPrices *model)
{
    struct str slug = str_c(model->slug);
    uint16_t slug_n = (uint16_t)slug.n;
    uint32_t length = 0;
    if (slug.n > UINT16_MAX)
        return ST_BAD_FORMAT;
    buf_add(out, &slug_n, sizeof slug_n);
    buf_add_str(out, slug);
    size_t at = out->n;
    buf_add(out, &length, sizeof length);
    TRY(price_book_add_prices(out, model->n_prices, model->prices));
    if (buf_status(out) != ST_OK)
        return ST_OK;
    length = (uint32_t)(out->n - at - sizeof length);
    memcpy(out->p + at, &length, sizeof length);
    return ST_OK;
}

/* Takes n bytes off the front. */
static bool take(struct str *rest, size_t n, struct str *bytes)
{
    if (n > rest->n)
        return false;
    *bytes = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return true;
}

enum status price_book_of_model(struct str models, struct str slug, struct str *book)
{
    struct str found = STR_NONE;
    while (models.n > 0) {
        struct str bytes, name, pages;
        uint16_t slug_n;
        uint32_t length;
        if (!take(&models, sizeof slug_n, &bytes))
            return ST_BAD_FORMAT;
        memcpy(&slug_n, bytes.p, sizeof slug_n);
        if (!take(&models, slug_n, &name) || !take(&models, sizeof length, &bytes))
            return ST_BAD_FORMAT;
        memcpy(&length, bytes.p, sizeof length);
        if (!take(&models, length, &pages))
            return ST_BAD_FORMAT;
        if (str_eq(name, slug)) {
            found = pages;
            break;
        }
    }
    *book = found;
    return ST_OK;
}
