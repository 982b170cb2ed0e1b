/* step_transform.c: the caller's body as the target takes it: scan and splice, never re-serialised.
 *
 *   "model": "@slug/name"      -> the upstream's own name
 *   stream without usage asked -> stream_options.include_usage is added (hidden again on the way back: step_exchange.c)
 *
 *   override_params of a config -> each member replaces the body's, or is added
 *
 * Everything else comes out byte for byte as it went in. Where one edit makes the text shorter and no other target may need the original,
 * the text in front of it is moved up in place; otherwise a new text is built in the arena.
 */
#include "common/json_write.h"
#include "data-plane/worker/translate.h"

#define OVERRIDES_MAX 32
#define EDITS_MAX     (OVERRIDES_MAX + 4)

struct edit {
    size_t at, cut; /* replace `cut` bytes at `at` */
    struct str with;
};

struct edits {
    struct edit items[EDITS_MAX];
    size_t count;
};

static void add_edit(struct edits *edits, size_t at, size_t cut, struct str with)
{
    CHECK(edits->count < EDITS_MAX);
    size_t i = edits->count++;
    while (i > 0 && edits->items[i - 1].at > at) {
        edits->items[i] = edits->items[i - 1];
        i--;
    }
    edits->items[i] = (struct edit){at, cut, with};
}

static bool apply(struct req *req, const struct edits *edits, struct str *out)
{
    struct str text = buf_str(&req->body.mem);
    const struct edit *only = &edits->items[0];
    if (edits->count == 1 && only->with.n <= only->cut && req->target_count == 1 && !req->body.streaming) {
        size_t shorter = only->cut - only->with.n;
        memmove(req->body.mem.p + shorter, req->body.mem.p, only->at);
        memcpy(req->body.mem.p + only->at + shorter, only->with.p, only->with.n);
        *out = str_from(text, shorter);
        return true;
    }
    size_t n = text.n, at = 0;
    for (size_t i = 0; i < edits->count; i++)
        n = n + edits->items[i].with.n - edits->items[i].cut;
    char *p = arena_alloc(&req->arena, n);
    if (p == NULL)
        return false;
    *out = str_of(p, n);
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[i];
        memcpy(p, text.p + at, edit->at - at);
        p += edit->at - at;
        if (edit->with.n > 0)
            memcpy(p, edit->with.p, edit->with.n);
        p += edit->with.n;
        at = edit->at + edit->cut;
    }
    memcpy(p, text.p + at, text.n - at);
    return true;
}

static struct str quoted(struct req *req, struct str text)
{
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 4096);
    jw_init(&w, &buf);
    jw_str(&w, text);
    struct str out = buf_status(&buf) == ST_OK ? arena_str(&req->arena, buf_str(&buf)) : STR_NONE;
    buf_free(&buf);
    return out;
}

/* Chat and completions streams report usage only if asked; the ledger always asks. */
static void ask_for_usage(struct req *req, struct edits *edits)
{
    struct req_body *body = &req->body;
    bool asks = (req->op == OP_CHAT || req->op == OP_COMPLETIONS) && body->is_stream && !body->wants_usage &&
                !req->attempt.no_stream_options;
    if (!asks)
        return;
    const struct json_field *options = &body->stream_options;
    size_t base = 0;
    struct str with = STR("{\"include_usage\":true}");
    req->attempt.hide_usage = true;
    if (options->raw.p == NULL) {
        base = (size_t)(body->stream.member.p - body->mem.p);
        add_edit(edits, base, 0, STR("\"stream_options\":{\"include_usage\":true},"));
        return;
    }
    base = (size_t)(options->raw.p - body->mem.p);
    struct json_field usage = {.name = "include_usage"};
    if (options->type == JSON_OBJECT && json_scan_object(options->raw, &usage, 1, NULL) == ST_OK) {
        if (usage.raw.p != NULL)
            add_edit(edits, (size_t)(usage.raw.p - body->mem.p), usage.raw.n, STR("true"));
        else if (options->raw.n > 2 && memchr(options->raw.p, '"', options->raw.n) != NULL)
            add_edit(edits, base + 1, 0, STR("\"include_usage\":true,"));
        else
            add_edit(edits, base, options->raw.n, with);
        return;
    }
    add_edit(edits, base, options->raw.n, with);
}

struct overrides {
    struct json_field fields[OVERRIDES_MAX];
    struct str values[OVERRIDES_MAX];
    size_t count;
};

/* The members of override_params but "model", which the plan has used already. False: too many, or out of memory. */
static bool read_overrides(struct req *req, struct overrides *overrides)
{
    struct str name, value, text;
    enum json_type type;
    size_t at = 0;
    overrides->count = 0;
    while (json_scan_next(req->attempt.target->override_json, &at, &name, &value, &type)) {
        char *room = arena_alloc(&req->arena, name.n + 1);
        if (room == NULL || json_unescape(name, room, &text) != ST_OK)
            return false;
        if (str_eq(text, STR("model")))
            continue;
        if (overrides->count == OVERRIDES_MAX)
            return false;
        const char *cname = arena_cstr(&req->arena, text);
        if (cname == NULL)
            return false;
        overrides->values[overrides->count] = value;
        overrides->fields[overrides->count++] = (struct json_field){.name = cname};
    }
    return true;
}

static enum step_result apply_overrides(struct req *req);

enum step_result req_apply_overrides(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    bool json = req->surface == REQ_SURFACE_OP && op_row(req->op)->body == OP_BODY_JSON;
    if (!json || attempt->overridden || attempt->target->override_json.n == 0)
        return STEP_NEXT;
    attempt->overridden = true;
    return apply_overrides(req);
}

static enum step_result apply_overrides(struct req *req)
{
    struct overrides overrides;
    struct edits edits = {.count = 0};
    struct str text = buf_str(&req->body.mem), out;
    if (!read_overrides(req, &overrides))
        return req_refuse(req, ST_TOO_LARGE, "config: override_params may have at most %d members.", OVERRIDES_MAX);
    if (overrides.count == 0)
        return STEP_NEXT;
    enum status status = json_scan_object(text, overrides.fields, overrides.count, NULL);
    CHECK(status == ST_OK); /* read_body has proved this text */
    size_t open = (size_t)str_find_char(text, '{') + 1;
    bool empty = str_trim(str_from(text, open)).p[0] == '}';
    for (size_t i = 0; i < overrides.count; i++) {
        const struct json_field *field = &overrides.fields[i];
        if (field->raw.p != NULL) {
            add_edit(&edits, (size_t)(field->raw.p - text.p), field->raw.n, overrides.values[i]);
            continue;
        }
        struct str name = quoted(req, str_c(field->name));
        struct str member = arena_printf(&req->arena, STR_FMT ":" STR_FMT "%s", STR_ARG(name), STR_ARG(overrides.values[i]),
                                         empty && i + 1 == overrides.count ? "" : ",");
        if (name.p == NULL || member.p == NULL)
            return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        add_edit(&edits, open, 0, member);
    }
    if (!apply(req, &edits, &out))
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    return req_body_replace(req, out);
}

enum step_result req_step_transform(struct req *req)
{
    struct req_body *body = &req->body;
    struct req_attempt *attempt = &req->attempt;
    struct edits edits = {.count = 0};
    attempt->body = buf_str(&body->mem);
    if (req->surface != REQ_SURFACE_OP || op_row(req->op)->body == OP_BODY_NONE)
        return STEP_NEXT;
    bool json = op_row(req->op)->body == OP_BODY_JSON;
    if (attempt->call != NULL)
        return translate_request(req);
    if (body->model.raw.p != NULL) {
        struct str with = json ? quoted(req, attempt->upstream_model) : attempt->upstream_model;
        if (with.p == NULL)
            return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        if (!str_eq(with, body->model.raw))
            add_edit(&edits, (size_t)(body->model.raw.p - body->mem.p), body->model.raw.n, with);
    } else if (json && attempt->upstream_model.n > 0) {
        struct str model = quoted(req, attempt->upstream_model);
        size_t open = (size_t)str_find_char(attempt->body, '{');
        bool empty = str_trim(str_from(attempt->body, open + 1)).p[0] == '}';
        struct str member = arena_printf(&req->arena, "\"model\":" STR_FMT "%s", STR_ARG(model), empty ? "" : ",");
        if (model.p == NULL || member.p == NULL)
            return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        add_edit(&edits, open + 1, 0, member);
    }
    if (json)
        ask_for_usage(req, &edits);
    if (edits.count > 0 && !apply(req, &edits, &attempt->body))
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory for the changed request body.");
    return STEP_NEXT;
}
