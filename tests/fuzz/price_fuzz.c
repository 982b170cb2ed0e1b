/* price_fuzz.c: pages and books of prices from any bytes, and terms made of them. Holds that
 *   1. reading stays inside the bytes and gives a status, never a wild amount: amounts are >= 0;
 *   2. what can be settled has a bound, and where the bound names nothing without a price, settling a
 *      use within it gives no more;
 *   3. a free workspace is charged nothing.
 * Input: five lengths (u16), then the bytes of catalog, rule, access, adjust, access_adjust, then
 * figures of the use.
 */
#include <stdlib.h>

#include "common/price_settle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str take(struct str *rest, size_t n)
{
    n = n < rest->n ? n : rest->n;
    struct str head = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return head;
}

static uint64_t number(struct str *rest)
{
    uint32_t value = 0;
    struct str bytes = take(rest, sizeof value);
    if (bytes.n > 0)
        memcpy(&value, bytes.p, bytes.n);
    return value;
}

/* The page that a book of these bytes gives, or the bytes themselves. */
static struct str page_of(struct str bytes, uint64_t at_ms)
{
    struct str page, book;
    if (price_book_of_model(bytes, STR("m"), &book) == ST_OK && book.n > 0)
        bytes = book;
    if (price_book_at(bytes, (int64_t)at_ms, &page) == ST_OK && page.n > 0)
        return page;
    return bytes;
}

static void check(const struct price_terms *terms, struct str *rest)
{
    struct price_bounds bounds = {.input_tokens = number(rest) % 100000,
                                  .output_tokens = number(rest) % 100000,
                                  .input_classes = PRICE_BOUND_INPUT,
                                  .output_classes = PRICE_BOUND_OUTPUT};
    struct price_query query = {.input_tokens = bounds.input_tokens};
    struct price_usage usage = {.n = {[PRICE_INPUT_TOKEN] = bounds.input_tokens,
                                      [PRICE_REASONING_TOKEN] = bounds.output_tokens}};
    struct price_amounts most, got;
    usage.n[PRICE_IMAGE] = bounds.other.n[PRICE_IMAGE] = number(rest) % 100;
    enum status bound = price_bound(terms, &query, &bounds, &most);
    query.tier = take(rest, 8);
    if (price_settle(terms, &query, &usage, &got) != ST_OK)
        return;
    CHECK(got.cost_nanousd >= 0 && got.charge_nanousd >= 0);
    if (bound == ST_OK) {
        CHECK(got.cost_nanousd <= most.cost_nanousd || most.unpriced != 0);
        CHECK(got.charge_nanousd <= most.charge_nanousd || most.uncharged != 0);
    }
    struct price_adjust team;
    if (price_adjust_read(terms->access_adjust, &team) == ST_OK && team.free)
        CHECK(got.charge_nanousd == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of its own, so that a read beyond the end is seen. */
    char *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    struct str rest = str_of(copy, size);
    uint16_t lengths[5] = {0};
    struct str head = take(&rest, sizeof lengths);
    if (head.n > 0)
        memcpy(lengths, head.p, head.n);
    struct str pages[5];
    for (size_t i = 0; i < 5; i++)
        pages[i] = page_of(take(&rest, lengths[i]), size);
    const struct price_terms terms = {.catalog = pages[0],
                                      .rule = pages[1],
                                      .access = pages[2],
                                      .adjust = pages[3],
                                      .access_adjust = pages[4],
                                      .ceiling_picousd = -1};
    check(&terms, &rest);
    free(copy);
    return 0;
}
