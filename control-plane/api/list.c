/* list.c: paging, and a walk that keeps one row in memory.
 *
 * `total` counts everything that matches, so a walk always goes to the end of what the filters
 * allow; rows outside the page are unpacked and dropped. Order is that of creation, which never
 * changes under a client that pages.
 */
#include "control-plane/api/list.h"

#define LIST_SCRATCH_BYTES (8u << 20)

static uint64_t number(const struct api_call *call, const char *name, uint64_t otherwise)
{
    uint64_t value;
    struct str text = api_query(call, name);
    return text.n > 0 && str_to_u64(text, &value) == ST_OK ? value : otherwise;
}

void list_open(struct list *list, struct api_call *call, uint64_t default_size)
{
    *list = (struct list){.call = call};
    list->size = number(call, "page_size", default_size);
    if (list->size == 0)
        list->size = default_size;
    if (list->size > LIST_PAGE_MAX)
        list->size = LIST_PAGE_MAX;
    list->page = number(call, "current_page", 0);
}

void list_begin(struct list *list, struct api_call *call, uint64_t default_size)
{
    list_open(list, call, default_size);
    jw_object(&call->json);
    jw_field_cstr(&call->json, "object", "list");
    jw_key(&call->json, "data");
    jw_array(&call->json);
}

enum status list_run(struct list *list, Sluice__Kind kind, const struct id *parent,
                     list_row_fn *row, void *arg)
{
    struct api_call *call = list->call;
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    void *message;
    arena_init(&scratch, LIST_SCRATCH_BYTES);
    enum status status =
        parent == NULL ? record_cursor_open_org(call->txn, kind, &call->auth.org, &cursor)
                       : record_cursor_open(call->txn, kind, &call->auth.org, parent, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &message, NULL);
        if (status == ST_OK)
            status = row(list, &key, message, arg);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

bool list_wants(struct list *list)
{
    uint64_t at = list->total++, first;
    if (__builtin_mul_overflow(list->page, list->size, &first))
        return false;
    return at >= first && at - first < list->size;
}

void list_end(struct list *list)
{
    struct json_writer *w = &list->call->json;
    jw_end(w);
    jw_field_u64(w, "total", list->total);
    jw_end(w);
}
