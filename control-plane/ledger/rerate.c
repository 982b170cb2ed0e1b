/* rerate.c: which entries change, and by how much; rerate_post.c writes the differences.
 *
 * Entries are read and priced page by page in read transactions, so that a long span holds neither
 * a snapshot nor the writer. What is found is a target, not a difference: the operation that posts
 * it reads what was adjusted so far and adds what is missing, so it does not matter who did what in
 * between.
 */
#include "control-plane/ledger/rerate.h"

#include "common/wire.h"
#include "control-plane/ledger/event.h"
#include "control-plane/ledger/rerate_post.h"
#include "control-plane/ledger/settle.h"
#include "control-plane/ledger/terms.h"

#define PAGE_EVENTS    500u
#define PAGE_BYTES     ((size_t)32 << 20)
#define NANOUSD_DIGITS 9

/* Classes whose variants an entry does not tell apart. */
#define UNTOLD                                                                                     \
    (PRICE_BIT(PRICE_IMAGE) | PRICE_BIT(PRICE_VIDEO_SECOND) |                                      \
     PRICE_BIT(PRICE_VIDEO_INPUT_SECOND) | PRICE_BIT(PRICE_WEB_SEARCH))

struct run {
    struct kv *kv;
    const struct rerate_order *order;
    struct terms terms;
    struct arena *arena; /* of the report */
    struct rerate_report *report;
};

/* --- one entry --- */

static uint64_t used_classes(const struct price_usage *usage)
{
    uint64_t used = 0;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        used |= usage->n[i] > 0 ? PRICE_BIT(i) : 0;
    return used;
}

static bool is_ambiguous(const struct price_terms *terms, uint64_t used)
{
    return price_varies(terms->catalog, used & UNTOLD) ||
           price_varies(terms->rule, used & UNTOLD) || price_varies(terms->access, used & UNTOLD);
}

/* What the entry should be. ST_END: it stays as it is, and the report says why. */
static enum status price_entry(struct run *run, struct kv_txn *txn, const Sluice__UsageEvent *event,
                               struct price_amounts *amounts)
{
    const struct price_query query = {.input_tokens = event->input_tokens,
                                      .tier = str_c(event->tier)};
    struct price_terms terms;
    struct price_usage usage;
    event_usage(event, &usage);
    uint64_t used = used_classes(&usage);
    if (event->source != SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER) {
        run->report->unsure++;
        return ST_END;
    }
    enum status status = terms_of(&run->terms, txn, event, &terms);
    if (status == ST_NOT_FOUND) {
        run->report->gone++;
        return ST_END;
    }
    TRY(status);
    if (is_ambiguous(&terms, used)) {
        run->report->ambiguous++;
        return ST_END;
    }
    TRY(price_settle(&terms, &query, &usage, amounts));
    if (amounts->unpriced != 0 || amounts->uncharged != 0) {
        run->report->unpriced++;
        return ST_END;
    }
    return ST_OK;
}

/* --- the report --- */

static struct rerate_group *group_of(struct run *run, const Sluice__UsageEvent *event)
{
    struct rerate_report *report = run->report;
    struct id workspace, provider;
    struct str model = str_c(event->model);
    if (wire_id(&event->workspace, &workspace) != ST_OK ||
        wire_id(&event->provider, &provider) != ST_OK)
        return NULL;
    for (size_t i = 0; i < report->group_count; i++) {
        struct rerate_group *group = &report->groups[i];
        if (id_eq(&group->workspace, &workspace) && id_eq(&group->provider, &provider) &&
            str_eq(group->model, model))
            return group;
    }
    struct str kept = arena_str(run->arena, model);
    if (report->group_count == RERATE_GROUPS_MAX || kept.p == NULL) {
        report->groups_cut = true;
        return NULL;
    }
    struct rerate_group *made = &report->groups[report->group_count++];
    *made = (struct rerate_group){.workspace = workspace, .provider = provider, .model = kept};
    return made;
}

static void tell(struct run *run, const Sluice__UsageEvent *event, const struct rerate_sum *now,
                 const struct price_amounts *amounts)
{
    struct rerate_report *report = run->report;
    report->changed++;
    report->cost_before += now->cost_nanousd;
    report->cost_after += amounts->cost_nanousd;
    report->charge_before += now->charge_nanousd;
    report->charge_after += amounts->charge_nanousd;
    struct rerate_group *group = group_of(run, event);
    if (group == NULL)
        return;
    group->entries++;
    group->cost_nanousd += amounts->cost_nanousd - now->cost_nanousd;
    group->charge_nanousd += amounts->charge_nanousd - now->charge_nanousd;
}

/* --- pages --- */

/* What of a page is to be posted. */
struct page_posts {
    struct rerate_post *posts;
    size_t count;
};

static enum status look_at(struct run *run, struct kv_txn *txn, Sluice__UsageEvent *event,
                           struct page_posts *found)
{
    struct price_amounts amounts;
    struct rerate_sum now;
    if (event->seq >= LEDGER_OWN_SEQ)
        return ST_OK;
    run->report->entries++;
    enum status status = price_entry(run, txn, event, &amounts);
    if (status == ST_END)
        return ST_OK;
    TRY(status);
    TRY(rerate_sum_of(txn, event, &now));
    if (now.cost_nanousd == amounts.cost_nanousd && now.charge_nanousd == amounts.charge_nanousd)
        return ST_OK;
    tell(run, event, &now, &amounts);
    found->posts[found->count++] = (struct rerate_post){
        .event = event,
        .target = {.cost_nanousd = amounts.cost_nanousd, .charge_nanousd = amounts.charge_nanousd}};
    return ST_OK;
}

static enum status read_page(struct run *run, const uint8_t *place, struct arena *arena,
                             struct page_posts *found)
{
    struct ledger_events_page page;
    struct kv_txn *txn;
    TRY(kv_begin(run->kv, false, &txn));
    enum status status = ledger_events(txn, &run->order->filter, place, PAGE_EVENTS, arena, &page);
    found->count = 0;
    found->posts =
        status == ST_OK ? arena_calloc(arena, page.count + 1, sizeof *found->posts) : NULL;
    if (status == ST_OK && found->posts == NULL)
        status = ST_NO_MEMORY;
    for (size_t i = 0; status == ST_OK && i < page.count; i++)
        status = look_at(run, txn, page.events[i], found);
    kv_abort(txn);
    TRY(status);
    run->report->more = page.more;
    memcpy(run->report->place, page.place, sizeof page.place);
    return ST_OK;
}

static enum status run_pages(struct run *run, struct writer *writer,
                             const struct write_actor *actor, const uint8_t *place, size_t max)
{
    struct rerate_batch batch = {.run = id_new(), .note = run->order->note};
    struct arena arena;
    uint64_t start = run->report->entries;
    uint8_t at[LEDGER_EVENT_KEY];
    enum status status = ST_OK;
    arena_init(&arena, PAGE_BYTES);
    do {
        struct page_posts found;
        status = read_page(run, place, &arena, &found);
        if (status == ST_OK && run->order->apply && found.count > 0)
            status = rerate_post_all(writer, actor, &batch, found.posts, found.count);
        memcpy(at, run->report->place, sizeof at);
        place = at;
        arena_free(&arena);
    } while (status == ST_OK && run->report->more && run->report->entries - start < max);
    arena_free(&arena);
    return status;
}

enum status rerate_run(struct kv *kv, struct writer *writer, const struct write_actor *actor,
                       const struct rerate_order *order, const uint8_t *place, size_t max,
                       struct arena *arena, struct rerate_report *report)
{
    struct run run = {.kv = kv, .order = order, .arena = arena, .report = report};
    if (order->note.n > RERATE_NOTE_MAX || max == 0)
        return ST_RANGE;
    terms_init(&run.terms);
    enum status status = run_pages(&run, writer, actor, place, max);
    terms_free(&run.terms);
    return status;
}

/* --- answers --- */

static void write_usd(struct json_writer *w, const char *name, int64_t nanousd)
{
    jw_key(w, name);
    jw_decimal(w, nanousd, NANOUSD_DIGITS);
}

void rerate_write(struct json_writer *w, const struct rerate_report *report)
{
    jw_field_u64(w, "entries", report->entries);
    jw_field_u64(w, "changed", report->changed);
    jw_key(w, "left");
    jw_object(w);
    jw_field_u64(w, "usage_not_told", report->unsure);
    jw_field_u64(w, "without_price", report->unpriced);
    jw_field_u64(w, "price_depends_on_more", report->ambiguous);
    jw_field_u64(w, "integration_gone", report->gone);
    jw_end(w);
    write_usd(w, "cost_usd_before", report->cost_before);
    write_usd(w, "cost_usd_after", report->cost_after);
    write_usd(w, "charge_usd_before", report->charge_before);
    write_usd(w, "charge_usd_after", report->charge_after);
    jw_key(w, "groups");
    jw_array(w);
    for (size_t i = 0; i < report->group_count; i++) {
        const struct rerate_group *group = &report->groups[i];
        jw_object(w);
        jw_field_id(w, "workspace_id", &group->workspace);
        jw_field_id(w, "provider_id", &group->provider);
        jw_field_str(w, "model", group->model);
        jw_field_u64(w, "entries", group->entries);
        write_usd(w, "cost_usd_change", group->cost_nanousd);
        write_usd(w, "charge_usd_change", group->charge_nanousd);
        jw_end(w);
    }
    jw_end(w);
    jw_field_bool(w, "groups_cut", report->groups_cut);
}
