/* media_fetch.c: see media_fetch.h.
 *
 * The list of URLs is made once per attempt that needs it; parts with one URL share one fetch. What
 * a part gets is its bytes in base64 and their type: by the bytes themselves, else by what the
 * server says. Invariant: a part whose fetch failed refuses the request; nothing is left out
 * silently.
 */
#include "data-plane/worker/media_fetch.h"

#include <sodium.h>

#include "data-plane/media_type.h"
#include "data-plane/worker/fetch.h"

struct media_item {
    struct media_fetch_list *list;
    struct chat_part *part;
    struct str url;           /* unescaped */
    struct media_item *first; /* another item with this URL; NULL: this is the first one */
    struct fetch *fetch;
    bool begun, there;
};

struct media_fetch_list {
    struct req *req;
    struct media_item *items;
    size_t count, room, next, running;
    enum status failed;
    char reason[REQ_REASON_MAX];
};

/* --- what is wanted */

static enum status add(struct media_fetch_list *list, struct chat_part *part)
{
    struct media_item *item = &list->items[list->count];
    struct str inner = part->media.inner;
    struct chat_text text = {str_of(inner.p - 1, inner.n + 2)}; /* it stands between quotes */
    TRY(chat_text_plain(&list->req->arena, text, &item->url));
    item->list = list;
    item->part = part;
    for (size_t i = 0; i < list->count && item->first == NULL; i++)
        if (str_eq(list->items[i].url, item->url))
            item->first = list->items[i].first != NULL ? list->items[i].first : &list->items[i];
    list->count++;
    return ST_OK;
}

static bool is_wanted(const struct dialect_call *call, const struct chat_part *part)
{
    return part->media.source == CHAT_SOURCE_URL && part->media.fetched.n == 0 &&
           (part->kind == CHAT_PART_IMAGE || part->kind == CHAT_PART_AUDIO ||
            part->kind == CHAT_PART_FILE) &&
           call->back->wants_bytes(call, part);
}

/* Counts the wanted parts, or adds them to the list. */
static enum status walk(const struct dialect_call *call, const struct chat_parts *parts,
                        struct media_fetch_list *list, size_t *count)
{
    for (struct chat_part *part = parts->first; part != NULL; part = part->next) {
        if (part->kind == CHAT_PART_TOOL_RESULT) {
            TRY(walk(call, &part->parts, list, count));
        } else if (is_wanted(call, part)) {
            ++*count;
            if (list != NULL)
                TRY(add(list, part));
        }
    }
    return ST_OK;
}

static enum status walk_all(const struct dialect_call *call, struct media_fetch_list *list,
                            size_t *count)
{
    *count = 0;
    for (const struct chat_message *m = call->chat->messages; m != NULL; m = m->next)
        TRY(walk(call, &m->parts, list, count));
    return ST_OK;
}

static enum step_result make_list(struct req *req, struct media_fetch_list **out)
{
    const struct dialect_call *call = req->attempt.call;
    uint64_t most = params_u64(req->worker->params, PARAM_MEDIA_MAX_COUNT);
    struct media_fetch_list *list;
    size_t count;
    enum status status = walk_all(call, NULL, &count);
    *out = NULL;
    if (status == ST_OK && count == 0)
        return STEP_NEXT;
    if (count > most)
        return req_refuse(req, ST_INVALID,
                          "The request names %zu files by URL for provider @" STR_FMT
                          ", which wants their bytes; this gateway fetches %llu (media_max_count). "
                          "Send data URLs.",
                          count, STR_ARG(req->attempt.provider_slug), (unsigned long long)most);
    list = arena_calloc(&req->arena, 1, sizeof *list);
    if (list == NULL ||
        (list->items = arena_calloc(&req->arena, count, sizeof *list->items)) == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    list->req = req;
    if (walk_all(call, list, &count) != ST_OK)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    *out = list;
    return STEP_NEXT;
}

/* --- what came */

static void fail(struct media_item *item, enum status status, const char *what)
{
    struct media_fetch_list *list = item->list;
    struct str where = chat_place_text(&list->req->arena, item->part->place);
    if (list->failed != ST_OK)
        return;
    list->failed = status;
    snprintf(list->reason, sizeof list->reason,
             STR_FMT ": what its URL names cannot be fetched: %s Send its data instead.",
             STR_ARG(where), what);
}

static bool fits(const struct chat_part *part, struct str type)
{
    switch (part->kind) {
    case CHAT_PART_IMAGE:
        return str_starts_nocase(type, STR("image/")) || str_starts_nocase(type, STR("video/")) ||
               str_eq_nocase(type, STR("application/pdf"));
    case CHAT_PART_AUDIO:
        return str_starts_nocase(type, STR("audio/"));
    default:
        return type.n > 0 && !str_eq_nocase(type, STR("application/octet-stream"));
    }
}

static struct str type_of(struct arena *arena, const struct fetch_answer *answer)
{
    struct str type = media_type_of(answer->body);
    ptrdiff_t end = str_find_char(answer->type, ';');
    if (type.n > 0)
        return type;
    type = str_trim(end < 0 ? answer->type : str_head(answer->type, (size_t)end));
    return type.n == 0 ? type : arena_str(arena, type);
}

/* The arena is bounded, and its bytes were charged while the answer grew. */
static bool keep(struct media_item *item, const struct fetch_answer *answer)
{
    struct req *req = item->list->req;
    struct chat_media *media = &item->part->media;
    size_t room = sodium_base64_ENCODED_LEN(answer->body.n, sodium_base64_VARIANT_ORIGINAL);
    char *text;
    media->fetched_mime = type_of(&req->arena, answer);
    if (!fits(item->part, media->fetched_mime))
        return false;
    if (req->worker->body_bytes + room > params_u64(req->worker->params, PARAM_BODY_BUDGET) ||
        (text = arena_alloc(&req->arena, room)) == NULL) {
        fail(item, ST_OVERLOADED, "there is not enough memory for it.");
        return true;
    }
    req->worker->body_bytes += room;
    req->media_bytes += room;
    sodium_bin2base64(text, room, (const unsigned char *)answer->body.p, answer->body.n,
                      sodium_base64_VARIANT_ORIGINAL);
    media->fetched = str_of(text, room - 1);
    item->there = true;
    return true;
}

static void on_answer(struct media_item *item, const struct fetch_answer *answer)
{
    char what[128];
    if (answer->status == ST_NOT_FOUND)
        fail(item, ST_INVALID, "its host is unknown.");
    else if (answer->status == ST_EGRESS_DENIED)
        fail(item, ST_INVALID, "its address or port is not allowed by this gateway.");
    else if (answer->status == ST_TOO_LARGE)
        fail(item, ST_INVALID, "it is too large (media_max_bytes).");
    else if (answer->status == ST_OVERLOADED || answer->status == ST_NO_MEMORY)
        fail(item, ST_OVERLOADED, "there is not enough memory for it.");
    else if (answer->status != ST_OK)
        fail(item, ST_INVALID, "its server did not answer in time, or broke off.");
    else if (answer->http_status >= 300 && answer->http_status < 400)
        fail(item, ST_INVALID, "its server sends elsewhere, which is not followed.");
    else if (answer->http_status != 200) {
        snprintf(what, sizeof what, "its server answered with HTTP %d.", answer->http_status);
        fail(item, ST_INVALID, what);
    } else if (answer->body.n == 0 || !keep(item, answer))
        fail(item, ST_INVALID, "it is not of the type that it should be.");
}

/* --- running */

static void fetched(void *owner, const struct fetch_answer *answer);

static void begin(struct media_item *item)
{
    static const struct upstream_header headers[] = {{{"accept", 6}, {"*/*", 3}}};
    struct req *req = item->list->req;
    const struct params *params = req->worker->params;
    struct fetch_ask ask = {
        .method = "GET",
        .url = item->url,
        .org = req->auth.org,
        .allowed_private = {params_str(params, PARAM_MEDIA_ALLOWED_PRIVATE), STR_NONE},
        .plain = true,
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .answer_max = (size_t)params_u64(params, PARAM_MEDIA_MAX_BYTES),
        .timeout_ms = (uint32_t)params_u64(params, PARAM_MEDIA_TIMEOUT)};
    struct fetch_answer none = {.status = ST_OK};
    none.status = fetch_begin(req->worker, &ask, fetched, item, &item->fetch);
    if (none.status == ST_OK) {
        item->list->running++;
        return;
    }
    item->fetch = NULL;
    if (none.status == ST_INVALID)
        fail(item, ST_INVALID, "it is not a plain http or https URL.");
    else
        on_answer(item, &none);
}

/* As many as may run. */
static void advance(struct media_fetch_list *list)
{
    while (list->failed == ST_OK && list->running < MEDIA_PARALLEL && list->next < list->count) {
        struct media_item *item = &list->items[list->next++];
        if (item->first == NULL)
            begin(item);
    }
}

static void fetched(void *owner, const struct fetch_answer *answer)
{
    struct media_item *item = owner;
    struct media_fetch_list *list = item->list;
    item->fetch = NULL;
    list->running--;
    on_answer(item, answer);
    if (list->failed == ST_OK)
        advance(list);
    if (list->failed != ST_OK || list->running == 0)
        req_run(list->req);
}

void media_fetch_cancel(struct req *req)
{
    struct media_fetch_list *list = req->media;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        fetch_cancel(list->items[i].fetch);
        list->items[i].fetch = NULL;
    }
    req->media = NULL;
}

bool media_is_wanted(const struct req *req)
{
    const struct dialect_call *call = req->attempt.call;
    size_t count = 0;
    return call->back->wants_bytes != NULL && walk_all(call, NULL, &count) == ST_OK && count > 0;
}

enum step_result media_fetch(struct req *req)
{
    struct media_fetch_list *list = req->media;
    if (req->attempt.call->back->wants_bytes == NULL)
        return STEP_NEXT;
    if (list == NULL) {
        enum step_result result = make_list(req, &req->media);
        list = req->media;
        if (result != STEP_NEXT || list == NULL)
            return result;
        advance(list);
    }
    if (list->failed == ST_OK && list->running > 0)
        return STEP_WAIT;
    for (size_t i = 0; i < list->count && list->failed == ST_OK; i++) {
        const struct media_item *first = list->items[i].first;
        if (first != NULL) {
            list->items[i].part->media.fetched = first->part->media.fetched;
            list->items[i].part->media.fetched_mime = first->part->media.fetched_mime;
        }
    }
    enum status failed = list->failed;
    media_fetch_cancel(req);
    return failed == ST_OK ? STEP_NEXT : req_refuse(req, failed, "%s", list->reason);
}
