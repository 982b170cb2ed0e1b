/* impact_usage.c: of the usage of the last seven days, what would have been refused.
 *
 * Providers are judged by the day's sums, which know the model; a key that ends takes all of its
 * sums with it; a key that is narrowed is judged event by event, because sums do not know key and
 * model together. Requests are counted once: where a workspace goes, its providers' sums are all
 * there is.
 */
#include "common/wire.h"
#include "control-plane/api/impact.h"

#define EVENTS_PER_PAGE 1000
#define DAY_MS          ROLLUP_DAY_MS

static struct str qualify(struct arena *arena, const struct reach *reach, struct str model)
{
    return arena_printf(arena, "@%s/" STR_FMT, reach->provider->slug, STR_ARG(model));
}

/* Before yes, after no? */
static bool is_lost(const struct reach *before, const struct reach *after, struct arena *arena,
                    struct str model, struct str allowed_before, struct str allowed_after)
{
    struct policy_verdict verdict;
    struct str name = qualify(arena, before, model);
    if (name.p == NULL || !reach_allows(before, model, name, allowed_before, &verdict))
        return false;
    return !after->open || !reach_allows(after, model, name, allowed_after, &verdict);
}

static enum status add_model(struct impact *impact, struct arena *arena, const struct reach *reach,
                             struct str model)
{
    struct impact_entry entry = {.name = qualify(arena, reach, model)};
    return entry.name.p == NULL ? ST_NO_MEMORY : impact_add(impact, &impact->models, entry);
}

enum status impact_provider_usage(struct impact *impact, const struct reach *before,
                                  const struct reach *after, uint64_t *requests)
{
    const struct record_key *provider = &before->provider_key;
    struct rollup_walk walk;
    struct rollup_row row;
    struct arena scratch;
    TRY(rollup_walk_open(&walk, impact->call->txn, ROLLUP_DAY, ROLLUP_MODEL, &provider->org,
                         &provider->parent, impact->from_day, impact->to_day));
    arena_init(&scratch, 1u << 20);
    enum status status = ST_OK;
    while (status == ST_OK && (status = rollup_walk_next(&walk, &row)) == ST_OK) {
        arena_free(&scratch);
        if (!id_eq(&row.a, &provider->id) ||
            !is_lost(before, after, &scratch, row.text, STR(""), STR("")))
            continue;
        rollup_totals_add(&impact->refused, &row.totals);
        *requests += row.totals.requests;
        status = add_model(impact, &scratch, before, row.text);
    }
    arena_free(&scratch);
    rollup_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

enum status impact_key_usage(struct impact *impact, const struct record_key *key)
{
    struct record_key workspace = {SLUICE__KIND__KIND_WORKSPACE, key->org, ID_NONE, key->parent};
    const struct overlay_row *row = overlay_find(impact->overlay, &workspace);
    struct rollup_walk walk;
    struct rollup_row sums;
    if (id_is_none(&key->parent) || (row != NULL && row->deleted))
        return ST_OK;
    TRY(rollup_walk_open(&walk, impact->call->txn, ROLLUP_DAY, ROLLUP_KEY, &key->org, &key->parent,
                         impact->from_day, impact->to_day));
    enum status status = ST_OK;
    while (status == ST_OK && (status = rollup_walk_next(&walk, &sums)) == ST_OK)
        if (id_eq(&sums.a, &key->id))
            rollup_totals_add(&impact->refused, &sums.totals);
    rollup_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

/* --- a narrower key */

struct narrowing {
    struct impact *impact;
    struct arena arena; /* of `reach` */
    struct reach reach; /* of the provider met last */
    struct str before, after;
    uint64_t requests;
};

static enum status judge_event(struct narrowing *n, const Sluice__UsageEvent *event)
{
    struct impact *impact = n->impact;
    struct record_key provider = {SLUICE__KIND__KIND_PROVIDER, impact->call->auth.org, ID_NONE,
                                  ID_NONE};
    TRY(wire_id(&event->workspace, &provider.parent));
    TRY(wire_id(&event->provider, &provider.id));
    if (!id_eq(&provider.id, &n->reach.provider_key.id)) {
        arena_free(&n->arena);
        TRY(reach_load(impact->call->txn, NULL, &n->arena, impact->call->now_ms, &provider,
                       &n->reach));
    }
    if (!n->reach.open)
        return ST_OK;
    struct str model = str_c(event->model);
    struct arena scratch;
    arena_init(&scratch, 1u << 16);
    enum status status = ST_OK;
    if (is_lost(&n->reach, &n->reach, &scratch, model, n->before, n->after)) {
        struct rollup_totals one = {.requests = 1,
                                    .cost_nanousd = event->cost_nanousd,
                                    .charge_nanousd = event->charge_nanousd};
        rollup_totals_add(&impact->refused, &one);
        n->requests++;
        status = add_model(impact, &scratch, &n->reach, model);
    }
    arena_free(&scratch);
    return status;
}

static enum status judge_events(struct narrowing *n, const struct record_key *key)
{
    struct impact *impact = n->impact;
    struct ledger_events_filter filter = {.org = key->org,
                                          .workspace = key->parent,
                                          .key = key->id,
                                          .start_ms = (int64_t)impact->from_day * DAY_MS,
                                          .end_ms = (int64_t)impact->to_day * DAY_MS};
    struct ledger_events_page page = {.more = true};
    size_t seen = 0;
    for (bool first = true; page.more; first = false) {
        struct arena arena;
        uint8_t place[LEDGER_EVENT_KEY];
        if (seen >= IMPACT_EVENTS_MAX) {
            impact->complete = false;
            break;
        }
        arena_init(&arena, 64u << 20);
        memcpy(place, page.place, sizeof(place));
        enum status status = ledger_events(impact->call->txn, &filter, first ? NULL : place,
                                           EVENTS_PER_PAGE, &arena, &page);
        for (size_t i = 0; status == ST_OK && i < page.count; i++)
            status = judge_event(n, page.events[i]);
        seen += page.count > 0 ? page.count : EVENTS_PER_PAGE;
        arena_free(&arena);
        TRY(status);
    }
    return ST_OK;
}

enum status impact_key_narrowed(struct impact *impact, const struct record_key *key,
                                const Sluice__ApiKey *before, const Sluice__ApiKey *after,
                                uint64_t *requests)
{
    struct narrowing n = {.impact = impact};
    struct arena *arena = impact->call->arena;
    TRY(reach_lines(arena, before->allowed_models, before->n_allowed_models, &n.before));
    TRY(reach_lines(arena, after->allowed_models, after->n_allowed_models, &n.after));
    if (str_eq(n.before, n.after))
        return ST_OK;
    arena_init(&n.arena, 64u << 20);
    enum status status = judge_events(&n, key);
    arena_free(&n.arena);
    *requests = n.requests;
    return status;
}
