/* pricing.c: see pricing.h. Prices are pico-USD in the catalog; one US cent is 10^10 of them, so
 * the answer is exact decimal text. What has no known price is null, never 0. */
#include "data-plane/worker/pricing.h"

#include "common/clock.h"
#include "common/json_write.h"
#include "common/price_book.h"
#include "data-plane/worker/percent.h"

#define PRICING_REPLY_MAX (64u * 1024u)
#define CENT_DIGITS       10

static void field_price(struct json_writer *w, const char *name, const struct price_row *row,
                        enum price_class which)
{
    jw_key(w, name);
    if ((row->has & PRICE_BIT(which)) == 0) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_key(w, "price");
    jw_decimal(w, row->picousd[which], CENT_DIGITS);
    jw_end(w);
}

static void write_prices(struct buf *out, const struct price_row *row)
{
    static const struct {
        const char *name;
        enum price_class which;
    } fields[] = {{"request_token", PRICE_INPUT_TOKEN},
                  {"response_token", PRICE_OUTPUT_TOKEN},
                  {"cache_write_input_token", PRICE_CACHE_WRITE_TOKEN},
                  {"cache_read_input_token", PRICE_CACHE_READ_TOKEN},
                  {"request_audio_token", PRICE_AUDIO_INPUT_TOKEN},
                  {"response_audio_token", PRICE_AUDIO_OUTPUT_TOKEN},
                  {"image", PRICE_IMAGE}};
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key(&w, "pay_as_you_go");
    jw_object(&w);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        field_price(&w, fields[i].name, row, fields[i].which);
    jw_end(&w);
    jw_field_cstr(&w, "currency", "USD");
    jw_field_cstr(&w, "unit", "US cents per unit");
    jw_end(&w);
}

static enum step_result find_prices(struct req *req, struct str service, struct str slug,
                                    struct price_row *row)
{
    struct str record;
    struct id none = ID_NONE;
    struct catalog *catalog = req->worker->catalog;
    if (catalog_find(catalog, SLUICE__KIND__KIND_PROVIDER_TYPE, &none, &none, service, &record) !=
        ST_OK)
        return req_refuse(req, ST_PROVIDER_NOT_FOUND, "The catalog has no service \"" STR_FMT "\".",
                          STR_ARG(str_head(service, 80)));
    const struct cat_provider_type *type =
        CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    struct id type_id = type == NULL ? none : type->head.id;
    if (catalog_find(catalog, SLUICE__KIND__KIND_MODEL, &none, &type_id, slug, &record) != ST_OK)
        return req_refuse(req, ST_MODEL_NOT_FOUND,
                          "The catalog has no model \"" STR_FMT "\" of \"" STR_FMT "\".",
                          STR_ARG(str_head(slug, 120)), STR_ARG(str_head(service, 80)));
    const struct cat_model *model = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    struct price_query query = {.input_tokens = 0};
    struct str page;
    if (model == NULL ||
        price_book_at(cat_str(&model->head, model->prices), clock_utc_ms(), &page) != ST_OK ||
        price_pick(page, &query, row) != ST_OK)
        return req_refuse(req, ST_BAD_FORMAT, "The prices of this model cannot be read.");
    return STEP_NEXT;
}

enum step_result pricing_answer(struct req *req)
{
    struct str rest = percent_decode(&req->arena,
                                     str_from(req->head->path, sizeof PRICING_PREFIX - 1)),
               service;
    struct price_row row;
    struct buf out;
    if (rest.n == 0 || !str_split(&rest, '/', &service) || rest.n == 0)
        return req_refuse(req, ST_NO_ROUTE, "The path is " PRICING_PREFIX "{service}/{model}.");
    enum status status = catalog_begin(req->worker->catalog);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    enum step_result result = find_prices(req, service, rest, &row);
    catalog_end(req->worker->catalog);
    if (result != STEP_NEXT)
        return result;
    buf_init(&out, PRICING_REPLY_MAX);
    write_prices(&out, &row);
    req_answer_json(req, 200, buf_str(&out));
    buf_free(&out);
    return STEP_DONE;
}
