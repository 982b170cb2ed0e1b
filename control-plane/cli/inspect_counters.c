/* inspect_counters.c: limits as an operator sees them: what was used, what is held and by whom.
 *
 * Must never: decide anything, or hold a transaction over more than a page.
 */
#include "common/clock.h"
#include "common/json_write.h"
#include "control-plane/cli/inspect.h"
#include "control-plane/ledger/counters.h"

#define PAGE_COUNTERS 200u
#define HOLDERS_MAX   10000u
#define PAGE_BYTES    ((size_t)16 << 20)
#define LINE_BYTES    ((size_t)4 << 20)

static enum status write_holders(struct kv_txn *txn, struct arena *arena, struct json_writer *w,
                                 const struct counter_view *view)
{
    struct counter_holder *holders;
    size_t count;
    TRY(counters_holders(txn, arena, &view->counter, view->epoch, HOLDERS_MAX, &holders, &count));
    jw_key(w, "holders");
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        const struct counter_holder *holder = &holders[i];
        jw_object(w);
        jw_field_id(w, "node", &holder->node);
        jw_field_u64(w, "boot", holder->boot);
        jw_field_i64(w, "granted", holder->granted);
        jw_field_i64(w, "returned", holder->returned);
        jw_field_i64(w, "used", holder->used);
        jw_field_i64(w, "rest", holder->rest);
        jw_field_cstr(w, "state",
                      holder->lost     ? "lost"
                      : holder->closed ? "lapsed"
                      : holder->idle   ? "idle"
                                       : "held");
        jw_field_time(w, "heard_at", holder->heard_ms);
        jw_end(w);
    }
    jw_end(w);
    return ST_OK;
}

static void write_line(struct json_writer *w, const struct counter_line *line)
{
    const struct counter_view *view = &line->view;
    jw_field_id(w, "counter", &view->counter);
    jw_field_id(w, "organisation_id", &line->ref.org);
    jw_field_cstr(w, "level", limit_level_text((enum limit_level)line->ref.level));
    jw_field_id(w, "entity_id", &line->ref.entity);
    if (!id_is_none(&line->ref.second))
        jw_field_id(w, "workspace_id", &line->ref.second);
    else if (!id_is_none(&line->workspace))
        jw_field_id(w, "workspace_id", &line->workspace);
    if (line->ref.value_key.n > 0)
        jw_field_str(w, "value_key", line->ref.value_key);
    jw_field_cstr(w, "measure", limit_measure_text((enum limit_measure)view->measure));
    jw_field_cstr(w, "window", limit_window_text((enum limit_window)view->window));
    jw_field_bool(w, "strict", view->strict);
    jw_field_bool(w, "gone", line->gone);
    jw_field_u64(w, "epoch", view->epoch);
    jw_field_i64(w, "limit", view->limit);
    jw_field_i64(w, "cap", line->cap);
    jw_field_i64(w, "used", view->used);
    jw_field_i64(w, "lost", view->lost);
    jw_field_i64(w, "outstanding", view->outstanding);
    jw_field_u64(w, "nodes", line->holders);
    jw_field_bool(w, "exhausted", view->exhausted);
    jw_field_time(w, "started_at", view->started_at_ms);
    jw_field_time(w, "resets_at", view->resets_at_ms);
}

static enum status print_line(struct kv_txn *txn, struct arena *arena,
                              const struct counter_line *line, bool holders, FILE *out)
{
    struct json_writer w;
    struct buf text;
    buf_init(&text, LINE_BYTES);
    jw_init(&w, &text);
    jw_object(&w);
    write_line(&w, line);
    enum status status = holders ? write_holders(txn, arena, &w, &line->view) : ST_OK;
    jw_end(&w);
    buf_add_char(&text, '\n');
    if (status == ST_OK)
        status = buf_status(&text);
    if (status == ST_OK && fwrite(text.p, 1, text.n, out) != text.n)
        status = ST_IO;
    buf_free(&text);
    return status;
}

static bool is_of(const struct counter_line *line, const struct id *entity)
{
    return id_is_none(entity) || id_eq(&line->ref.entity, entity) ||
           id_eq(&line->ref.second, entity);
}

/* One page; `after` moves behind it. */
static enum status print_page(struct kv_txn *txn, struct arena *arena, const struct id *entity,
                              struct id *after, size_t *count, FILE *out)
{
    struct counter_line *lines;
    TRY(counters_list(txn, arena, after, PAGE_COUNTERS, clock_utc_ms(), &lines, count));
    for (size_t i = 0; i < *count; i++) {
        *after = lines[i].view.counter;
        if (is_of(&lines[i], entity))
            TRY(print_line(txn, arena, &lines[i], !id_is_none(entity), out));
    }
    return ST_OK;
}

enum status inspect_counters(struct kv *kv, const struct id *entity, FILE *out)
{
    struct id after = ID_NONE;
    size_t count = PAGE_COUNTERS;
    enum status status = ST_OK;
    struct arena arena;
    arena_init(&arena, PAGE_BYTES);
    while (status == ST_OK && count == PAGE_COUNTERS) {
        struct kv_txn *txn;
        status = kv_begin(kv, false, &txn);
        if (status != ST_OK)
            break;
        status = print_page(txn, &arena, entity, &after, &count, out);
        kv_abort(txn);
        arena_free(&arena);
    }
    arena_free(&arena);
    return status == ST_OK && fflush(out) != 0 ? ST_IO : status;
}
