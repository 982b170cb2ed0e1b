/* pricing_history.c: what is set holds from its date on; what held before stays.
 *
 * Both kinds of page are protobuf messages with a date, so one walk serves them: a page is compared
 * by its packed bytes without the date. Invariant: pages ascend strictly by date, neighbours
 * differ, and the page that held at any instant of the last PRICING_KEEP_MS is still there.
 */
#include "common/price_book.h"
#include "common/wire.h"
#include "control-plane/domain/pricing.h"

/* A history: pointers to pages in order, and where a page keeps its date. */
struct history {
    struct arena *arena;
    char *pages; /* array of pointers of either kind, moved as bytes */
    size_t count;
    size_t date_at;
};

static void *page_at(const struct history *h, size_t i)
{
    void *page;
    memcpy(&page, h->pages + i * sizeof page, sizeof page);
    return page;
}

static int64_t *date_of(const struct history *h, void *page)
{
    return (int64_t *)(void *)((char *)page + h->date_at);
}

static enum status content_of(const struct history *h, void *page, struct str *bytes)
{
    int64_t kept = *date_of(h, page);
    *date_of(h, page) = 0;
    enum status status = wire_pack(page, h->arena, bytes);
    *date_of(h, page) = kept;
    return status;
}

/* Does `page` say the same as what holds before it? Nothing held: an empty page says that too. */
static enum status changes_nothing(const struct history *h, void *page, bool *same)
{
    struct str fresh, held = STR("");
    TRY(content_of(h, page, &fresh));
    if (h->count > 0)
        TRY(content_of(h, page_at(h, h->count - 1), &held));
    *same = str_eq(fresh, held);
    return ST_OK;
}

static enum status put(struct history *h, int64_t now_ms, void *page)
{
    bool same;
    char *pages = arena_calloc(h->arena, h->count + 1, sizeof(void *));
    if (pages == NULL)
        return ST_NO_MEMORY;
    if (h->count > 0)
        memcpy(pages, h->pages, h->count * sizeof(void *));
    h->pages = pages;
    while (h->count > 0 && *date_of(h, page_at(h, h->count - 1)) >= *date_of(h, page))
        h->count--;
    TRY(changes_nothing(h, page, &same));
    if (!same)
        memcpy(pages + h->count++ * sizeof page, &page, sizeof page);
    while (h->count > PRICE_BOOK_PAGES && *date_of(h, page_at(h, 1)) < now_ms - PRICING_KEEP_MS) {
        h->pages += sizeof(void *);
        h->count--;
    }
    return h->count > PRICE_BOOK_PAGES ? ST_TOO_LARGE : ST_OK;
}

enum status pricing_put(struct arena *arena, int64_t now_ms, Sluice__Prices *page,
                        Sluice__Prices ***pages, size_t *count)
{
    struct history h = {arena, (char *)*pages, *count, offsetof(Sluice__Prices, effective_from_ms)};
    TRY(put(&h, now_ms, page));
    *pages = (Sluice__Prices **)(void *)h.pages;
    *count = h.count;
    return ST_OK;
}

enum status pricing_put_adjust(struct arena *arena, int64_t now_ms, Sluice__PriceAdjust *page,
                               Sluice__PriceAdjust ***pages, size_t *count)
{
    struct history h = {arena, (char *)*pages, *count,
                        offsetof(Sluice__PriceAdjust, effective_from_ms)};
    TRY(put(&h, now_ms, page));
    *pages = (Sluice__PriceAdjust **)(void *)h.pages;
    *count = h.count;
    return ST_OK;
}
