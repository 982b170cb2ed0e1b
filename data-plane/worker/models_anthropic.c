/* models_anthropic.c: see models_anthropic.h.
 *
 * The catalog does not know when a model came out: created_at is the epoch, which is what the API
 * says then, too. Order is the list's own.
 */
#include "data-plane/worker/models_anthropic.h"

#define LIMIT_DEFAULT 20u
#define LIMIT_MOST    1000u

static void write_count(struct json_writer *w, const char *name, uint64_t n)
{
    jw_key(w, name);
    if (n > 0)
        jw_u64(w, n);
    else
        jw_null(w);
}

void models_anthropic_row(struct json_writer *w, const struct models_anthropic_row *row)
{
    jw_object(w);
    jw_field_cstr(w, "type", "model");
    jw_field_str(w, "id", row->id);
    jw_field_str(w, "display_name", row->name.n > 0 ? row->name : row->id);
    jw_field_cstr(w, "created_at", "1970-01-01T00:00:00Z");
    write_count(w, "max_input_tokens", row->max_input_tokens);
    write_count(w, "max_tokens", row->max_output_tokens);
    jw_key(w, "capabilities");
    jw_null(w);
    jw_field_cstr(w, "lifecycle", "active");
    jw_end(w);
}

/* Where an id stands; count: nowhere. */
static size_t place_of(const struct models_anthropic_rows *rows, struct str id)
{
    struct models_anthropic_row row;
    for (size_t i = 0; i < rows->count; i++) {
        rows->at(rows->arg, i, &row);
        if (str_eq(row.id, id))
            return i;
    }
    return rows->count;
}

static void write_id(struct json_writer *w, const char *name,
                     const struct models_anthropic_rows *rows, size_t at, bool any)
{
    struct models_anthropic_row row;
    jw_key(w, name);
    if (!any) {
        jw_null(w);
        return;
    }
    rows->at(rows->arg, at, &row);
    jw_str(w, row.id);
}

void models_anthropic_list(struct json_writer *w, const struct models_anthropic_rows *rows,
                           const struct models_anthropic_page *page)
{
    struct models_anthropic_row row;
    uint64_t limit = LIMIT_DEFAULT;
    size_t from = 0, to = rows->count;
    bool backwards = page->before_id.n > 0;
    if (page->limit.n > 0 && (str_to_u64(page->limit, &limit) != ST_OK || limit == 0))
        limit = LIMIT_DEFAULT;
    limit = limit > LIMIT_MOST ? LIMIT_MOST : limit;
    if (page->after_id.n > 0)
        from = place_of(rows, page->after_id) + 1;
    if (backwards && (to = place_of(rows, page->before_id)) == rows->count)
        to = from;
    if (from > to)
        from = to;
    bool more = to - from > limit;
    if (more && backwards)
        from = to - (size_t)limit;
    else if (more)
        to = from + (size_t)limit;
    jw_object(w);
    jw_key(w, "data");
    jw_array(w);
    for (size_t i = from; i < to; i++) {
        rows->at(rows->arg, i, &row);
        models_anthropic_row(w, &row);
    }
    jw_end(w);
    jw_field_bool(w, "has_more", more);
    write_id(w, "first_id", rows, from, from < to);
    write_id(w, "last_id", rows, to - 1, from < to);
    jw_end(w);
}
