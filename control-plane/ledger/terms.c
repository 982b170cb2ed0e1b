/* terms.c: see terms.h.
 *
 * Which row of an integration prices a model is common/policy.c's to say, as at a node. Rows are
 * taken as if all were enabled: the attempt was allowed then, and only its price is asked for. An
 * entry names the row that priced it; if that row is gone, so is its price, and nothing is guessed.
 */
#include "control-plane/ledger/terms.h"

#include "common/policy.h"
#include "common/wire.h"
#include "control-plane/domain/builtin.h"

#define TERMS_ARENA_BYTES ((size_t)256 << 20)
#define TERMS_BOOK_BYTES  ((size_t)1 << 20)

struct terms_integration {
    struct terms_integration *next;
    struct id id, type;
    Sluice__ModelRule **rules;
    size_t rule_count;
    struct str adjust; /* a book */
};

/* Books of one model of an integration, as one workspace uses it. */
struct terms_model {
    struct terms_model *next;
    struct terms_integration *integration;
    struct id workspace;
    struct str model;
    struct str catalog, rule, access, access_adjust;
};

void terms_init(struct terms *terms)
{
    *terms = (struct terms){.count = 0};
    arena_init(&terms->arena, TERMS_ARENA_BYTES);
}

void terms_free(struct terms *terms)
{
    arena_free(&terms->arena);
    terms->integrations = NULL;
    terms->models = NULL;
    terms->count = 0;
}

/* --- books --- */

static enum status take_book(struct terms *terms, struct buf *buf, enum status status,
                             struct str *book)
{
    if (status == ST_OK)
        status = buf_status(buf);
    *book = status == ST_OK && buf->n > 0 ? arena_str(&terms->arena, buf_str(buf)) : STR("");
    if (status == ST_OK && book->p == NULL)
        status = ST_NO_MEMORY;
    buf_free(buf);
    return status;
}

static enum status prices_book(struct terms *terms, size_t count, Sluice__Prices *const *prices,
                               struct str *book)
{
    struct buf buf;
    buf_init(&buf, TERMS_BOOK_BYTES);
    return take_book(terms, &buf, price_book_add_prices(&buf, count, prices), book);
}

static enum status adjusts_book(struct terms *terms, size_t count,
                                Sluice__PriceAdjust *const *adjusts, struct str *book)
{
    struct buf buf;
    buf_init(&buf, TERMS_BOOK_BYTES);
    return take_book(terms, &buf, price_book_add_adjusts(&buf, count, adjusts), book);
}

/* --- integrations --- */

static enum status read_rules(struct terms *terms, struct kv_txn *txn, const struct id *org,
                              struct terms_integration *made)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__ModelRule *rule;
    size_t room = 0;
    enum status status;
    TRY(record_cursor_open(txn, SLUICE__KIND__KIND_MODEL_RULE, org, &made->id, &cursor));
    while ((status = record_cursor_next(cursor, &terms->arena, &key, &rule, NULL)) == ST_OK) {
        if (made->rule_count == room) {
            room = room == 0 ? 16 : room * 2;
            Sluice__ModelRule **grown = arena_calloc(&terms->arena, room, sizeof *grown);
            if (grown == NULL) {
                status = ST_NO_MEMORY;
                break;
            }
            if (made->rule_count > 0)
                memcpy(grown, made->rules, made->rule_count * sizeof *grown);
            made->rules = grown;
        }
        made->rules[made->rule_count++] = rule;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status find_integration(struct terms *terms, struct kv_txn *txn, const struct id *org,
                                    const struct id *id, struct terms_integration **out)
{
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, *org, ID_NONE, *id};
    struct terms_integration *made = terms->integrations;
    Sluice__Integration *record;
    while (made != NULL && !id_eq(&made->id, id))
        made = made->next;
    *out = made;
    if (made != NULL)
        return ST_OK;
    TRY(record_get(txn, &key, &terms->arena, &record, NULL));
    made = arena_calloc(&terms->arena, 1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->id = *id;
    made->type = builtin_provider_type_id(str_c(record->provider_type));
    TRY(read_rules(terms, txn, org, made));
    TRY(adjusts_book(terms, record->n_price_adjusts, record->price_adjusts, &made->adjust));
    made->next = terms->integrations;
    terms->integrations = made;
    *out = made;
    return ST_OK;
}

/* --- models --- */

static void rule_at(const void *rules, size_t n, struct policy_rule *rule)
{
    const struct terms_integration *integration = rules;
    const Sluice__ModelRule *from = integration->rules[n];
    *rule = (struct policy_rule){.slug = str_c(from->slug),
                                 .upstream_model = str_c(from->upstream_model),
                                 .base_model = str_c(from->base_model),
                                 .enabled = true,
                                 .custom = from->is_custom != 0};
}

struct catalog_look {
    struct kv_txn *txn;
    const struct id *type;
};

static bool in_catalog(const void *catalog, struct str id)
{
    const struct catalog_look *look = catalog;
    struct record_key key;
    return record_find(look->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, look->type, id, &key) ==
           ST_OK;
}

static enum status read_catalog(struct terms *terms, struct kv_txn *txn, const struct id *type,
                                struct str slug, struct str *book)
{
    struct record_key key;
    Sluice__Model *model;
    *book = STR("");
    if (slug.n == 0)
        return ST_OK;
    enum status status = record_find(txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, type, slug, &key);
    if (status == ST_OK)
        status = record_get(txn, &key, &terms->arena, &model, NULL);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_OK : status;
    return prices_book(terms, model->n_prices, model->prices, book);
}

/* What the workspace is charged: prices of the model under any of its names, and adjustments. */
static enum status read_access(struct terms *terms, struct kv_txn *txn, const struct id *org,
                               const struct str names[3], struct terms_model *made)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, *org, made->integration->id,
                             made->workspace};
    Sluice__WorkspaceAccess *access;
    made->access = made->access_adjust = STR("");
    enum status status = record_get(txn, &key, &terms->arena, &access, NULL);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_OK : status;
    TRY(adjusts_book(terms, access->n_price_adjusts, access->price_adjusts, &made->access_adjust));
    for (size_t n = 0; n < 3 && made->access.n == 0; n++) {
        for (size_t i = 0; i < access->n_model_prices && names[n].n > 0; i++) {
            const Sluice__ModelPrices *model = access->model_prices[i];
            if (str_eq(names[n], str_c(model->slug)))
                TRY(prices_book(terms, model->n_prices, model->prices, &made->access));
        }
    }
    return ST_OK;
}

static enum status read_model(struct terms *terms, struct kv_txn *txn, const struct id *org,
                              struct terms_model *made)
{
    struct terms_integration *integration = made->integration;
    struct catalog_look look = {txn, &integration->type};
    struct policy_input input = {.model = made->model,
                                 .allow_all_models = true,
                                 .rule_count = integration->rule_count,
                                 .rule_at = rule_at,
                                 .rules = integration,
                                 .in_catalog = in_catalog,
                                 .catalog = &look};
    struct policy_verdict verdict;
    policy_decide(&input, &verdict);
    const Sluice__ModelRule *rule = verdict.rule < 0 ? NULL : integration->rules[verdict.rule];
    const struct str names[3] = {made->model, rule == NULL ? STR_NONE : str_c(rule->slug),
                                 verdict.priced_model};
    made->rule = STR("");
    if (rule != NULL)
        TRY(prices_book(terms, rule->n_prices, rule->prices, &made->rule));
    TRY(read_catalog(terms, txn, &integration->type, verdict.priced_model, &made->catalog));
    return read_access(terms, txn, org, names, made);
}

static enum status find_model(struct terms *terms, struct kv_txn *txn,
                              const Sluice__UsageEvent *event, struct terms_model **out)
{
    struct id org, integration, workspace;
    struct str model = str_c(event->model);
    TRY(wire_id(&event->org, &org));
    TRY(wire_id(&event->integration, &integration));
    TRY(wire_id(&event->workspace, &workspace));
    for (struct terms_model *at = terms->models; at != NULL; at = at->next) {
        *out = at;
        if (id_eq(&at->integration->id, &integration) && id_eq(&at->workspace, &workspace) &&
            str_eq(at->model, model))
            return ST_OK;
    }
    if (terms->count == TERMS_KEPT_MAX)
        terms_free(terms);
    struct terms_model *made = arena_calloc(&terms->arena, 1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->workspace = workspace;
    made->model = arena_str(&terms->arena, model);
    if (made->model.p == NULL)
        return ST_NO_MEMORY;
    TRY(find_integration(terms, txn, &org, &integration, &made->integration));
    TRY(read_model(terms, txn, &org, made));
    made->next = terms->models;
    terms->models = made;
    terms->count++;
    *out = made;
    return ST_OK;
}

/* The prices of the row that the entry says it was priced by. ST_NOT_FOUND: that row is gone. */
static enum status named_rule(struct terms *terms, const struct terms_integration *integration,
                              struct str slug, struct str *book)
{
    for (size_t i = 0; i < integration->rule_count; i++) {
        const Sluice__ModelRule *rule = integration->rules[i];
        if (str_eq(slug, str_c(rule->slug)))
            return prices_book(terms, rule->n_prices, rule->prices, book);
    }
    return ST_NOT_FOUND;
}

enum status terms_of(struct terms *terms, struct kv_txn *txn, const Sluice__UsageEvent *event,
                     struct price_terms *out)
{
    int64_t at_ms = event->priced_at_ms != 0 ? event->priced_at_ms : event->at_ms;
    struct price_terms found = {.at_ms = at_ms, .ceiling_picousd = -1};
    struct str named = str_c(event->integration_model), book;
    struct terms_model *model;
    TRY(find_model(terms, txn, event, &model));
    TRY(price_book_at(model->catalog, at_ms, &found.catalog));
    TRY(price_book_at(model->rule, at_ms, &found.rule));
    TRY(price_book_at(model->access, at_ms, &found.access));
    TRY(price_book_at(model->integration->adjust, at_ms, &found.adjust));
    TRY(price_book_at(model->access_adjust, at_ms, &found.access_adjust));
    if (found.rule.n == 0 && named.n > 0) {
        TRY(named_rule(terms, model->integration, named, &book));
        TRY(price_book_at(book, at_ms, &found.rule));
    }
    *out = found;
    return ST_OK;
}
