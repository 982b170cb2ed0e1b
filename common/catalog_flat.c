/* catalog_flat.c: writes the parts of one flat record: fixed places first, then the bytes that refs
 * point at.
 *
 * Invariant: a ref set here lies inside the record, text is UTF-8 without NUL, lines hold no
 * newline and lists no comma. A failed append is remembered by the buffer, so only what the input
 * can do wrong is returned at once.
 */
#include "common/catalog_flat.h"

#include "common/route_doc.h"

#define PLAN_ARENA_BYTES (64u << 20)

void flat_put(struct buf *flat, size_t to, const void *p, size_t n)
{
    if (flat->failed == ST_OK)
        memcpy(flat->p + to, p, n);
}

void flat_put_ref(struct buf *flat, size_t to, size_t start)
{
    struct cat_ref ref = {(uint32_t)start, (uint32_t)(flat->n - start)};
    flat_put(flat, to, &ref, sizeof ref);
}

static enum status flat_text_check(struct str text, bool one_line)
{
    if (!str_is_utf8(text) || (one_line && str_find_char(text, '\n') >= 0))
        return ST_BAD_FORMAT;
    return ST_OK;
}

enum status flat_put_str(struct buf *flat, size_t to, struct str text)
{
    TRY(flat_text_check(text, false));
    size_t start = flat->n;
    buf_add_str(flat, text);
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_add_word(struct buf *flat, struct str text)
{
    TRY(flat_text_check(text, true));
    buf_add_str(flat, text);
    return ST_OK;
}

enum status flat_add_line(struct buf *flat, struct str text)
{
    TRY(flat_add_word(flat, text));
    buf_add_char(flat, '\n');
    return ST_OK;
}

enum status flat_put_lines(struct buf *flat, size_t to, size_t count, char *const *items)
{
    size_t start = flat->n;
    for (size_t i = 0; i < count; i++)
        TRY(flat_add_line(flat, str_c(items[i])));
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_commas(struct buf *flat, size_t to, size_t count, char *const *items)
{
    size_t start = flat->n;
    for (size_t i = 0; i < count; i++) {
        struct str item = str_c(items[i]);
        TRY(flat_text_check(item, true));
        if (item.n == 0 || str_find_char(item, ',') >= 0)
            return ST_BAD_FORMAT;
        if (i > 0)
            buf_add_char(flat, ',');
        buf_add_str(flat, item);
    }
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_names(struct buf *flat, size_t to, size_t count,
                           Sluice__Header *const *headers)
{
    size_t start = flat->n;
    for (size_t i = 0; i < count; i++)
        TRY(flat_add_line(flat, str_c(headers[i]->name)));
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_exact(struct buf *flat, size_t to, ProtobufCBinaryData bytes, size_t n)
{
    if (bytes.len == 0)
        return ST_OK;
    if (bytes.len != n)
        return ST_BAD_FORMAT;
    flat_put(flat, to, bytes.data, n);
    return ST_OK;
}

/* A config that cannot be used is no reason to stop the feed: its record says why. */
enum status flat_put_plan(struct buf *flat, size_t to, struct str document)
{
    struct arena arena;
    struct str plan, why;
    size_t start = flat->n;
    arena_init(&arena, PLAN_ARENA_BYTES);
    enum status status = route_doc_compile(&arena, document.n == 0 ? STR("{}") : document,
                                           ROUTE_DOC_SAVED, &plan, &why);
    if (status == ST_INVALID)
        status = route_doc_refusal(&arena, why, &plan);
    if (status == ST_OK) {
        buf_add_str(flat, plan);
        flat_put_ref(flat, to, start);
    }
    arena_free(&arena);
    return status;
}

enum status flat_put_prices(struct buf *flat, size_t to, size_t count,
                            Sluice__Prices *const *prices)
{
    size_t start = flat->n;
    TRY(price_book_add_prices(flat, count, prices));
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_adjusts(struct buf *flat, size_t to, size_t count,
                             Sluice__PriceAdjust *const *adjusts)
{
    size_t start = flat->n;
    TRY(price_book_add_adjusts(flat, count, adjusts));
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_model_prices(struct buf *flat, size_t to, size_t count,
                                  Sluice__ModelPrices *const *models)
{
    size_t start = flat->n;
    for (size_t i = 0; i < count; i++)
        TRY(price_book_add_model(flat, models[i]));
    flat_put_ref(flat, to, start);
    return ST_OK;
}

enum status flat_put_secrets(struct buf *flat, struct flat_secrets_at to,
                             const Sluice__SealedSecrets *secrets)
{
    if (secrets == NULL)
        return ST_OK;
    flat_put(flat, to.version, &secrets->version, sizeof secrets->version);
    TRY(flat_put_commas(flat, to.hosts, secrets->n_hosts, secrets->hosts));
    if (secrets->n_delivery == 0)
        return ST_OK;
    const Sluice__DeliveryBox *box = secrets->delivery[0];
    if (box->key.len != ID_BYTES)
        return ST_BAD_FORMAT;
    flat_put(flat, to.delivery_key, box->key.data, ID_BYTES);
    size_t start = flat->n;
    buf_add(flat, box->box.data, box->box.len);
    flat_put_ref(flat, to.box, start);
    return ST_OK;
}

enum status flat_begin(struct buf *flat, size_t fixed_bytes, const struct cat_head *head)
{
    buf_init(flat, FLAT_MAX_BYTES);
    TRY(buf_reserve(flat, fixed_bytes));
    memset(flat->p, 0, fixed_bytes);
    flat->n = fixed_bytes;
    flat_put(flat, 0, head, sizeof *head);
    return ST_OK;
}

enum status flat_end(struct buf *flat, struct arena *arena, struct str *record)
{
    uint32_t length = (uint32_t)flat->n;
    flat_put(flat, offsetof(struct cat_head, length), &length, sizeof length);
    TRY(buf_status(flat));
    struct str copy = arena_str(arena, buf_str(flat));
    if (copy.p == NULL)
        return ST_NO_MEMORY;
    *record = copy;
    return ST_OK;
}
