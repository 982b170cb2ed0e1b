/* anthropic_models.c: GET models and GET models/{id}: the list of claude.def, newest first, in
 * pages. */
#include "tests/sim/anthropic/anthropic.h"
#include "tests/sim/anthropic/claude.h"

#include <stdio.h>

#define MODELS_PAGE     20
#define MODELS_PAGE_MAX 1000

static void models_write(struct json_writer *w, const struct claude *claude, struct str name)
{
    char created[32];
    (void)snprintf(created, sizeof created, "%sT00:00:00Z", claude->released);
    jw_object(w);
    jw_field_cstr(w, "type", "model");
    jw_field_str(w, "id", name);
    jw_field_cstr(w, "display_name", claude->display);
    jw_field_cstr(w, "created_at", created);
    jw_field_u64(w, "max_input_tokens", claude->context_tokens);
    jw_field_u64(w, "max_tokens", claude->max_output_tokens);
    jw_field_cstr(w, "lifecycle", "active");
    jw_field_cstr(w, "capabilities", NULL);
    jw_field_cstr(w, "line", NULL);
    jw_field_cstr(w, "deprecated_at", NULL);
    jw_field_cstr(w, "retires_at", NULL);
    jw_end(w);
}

/* Name i of the list, newest first, the names of --model behind; false behind the last. */
static bool models_name(const struct options *options, size_t i, struct str *name)
{
    size_t count = 0;
    while (claude_at(count) != NULL)
        count++;
    if (i >= count + options->models.count)
        return false;
    *name = str_c(i < count ? claude_at(count - 1 - i)->name : options->models.item[i - count]);
    return true;
}

/* The place of the name in a query parameter; `otherwise` when it is absent or unknown. */
static size_t models_place(struct call *call, const char *parameter, size_t otherwise)
{
    struct str wanted = call_query(call, parameter), name;
    for (size_t i = 0; wanted.p != NULL && models_name(&call->sim->options, i, &name); i++) {
        if (str_eq(name, wanted))
            return i;
    }
    return otherwise;
}

void anthropic_models_list(struct call *call)
{
    const struct options *options = &call->sim->options;
    struct str limit = call_query(call, "limit"), name, first = STR_NONE, last = STR_NONE;
    uint64_t page = MODELS_PAGE;
    bool latest = false;
    struct json_writer w;
    if (!anthropic_check_version(call, &latest))
        return;
    if (limit.p != NULL &&
        (str_to_u64(limit, &page) != ST_OK || page == 0 || page > MODELS_PAGE_MAX)) {
        call_error(call, 400, NULL, NULL, "limit: Input should be between 1 and 1000");
        return;
    }
    size_t from = models_place(call, "after_id", SIZE_MAX) + 1;
    size_t before = models_place(call, "before_id", SIZE_MAX), at = from;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "data");
    jw_array(&w);
    for (; at < from + page && at < before && models_name(options, at, &name); at++) {
        models_write(&w, claude_find(options, name), name);
        first = at == from ? name : first;
        last = name;
    }
    jw_end(&w);
    jw_field_bool(&w, "has_more", at < before && models_name(options, at, &name));
    jw_key(&w, "first_id");
    first.p == NULL ? jw_null(&w) : jw_str(&w, first);
    jw_key(&w, "last_id");
    last.p == NULL ? jw_null(&w) : jw_str(&w, last);
    jw_end(&w);
}

void anthropic_models_get(struct call *call)
{
    struct json_writer w;
    bool latest = false;
    const struct claude *claude = claude_find(&call->sim->options, call->id);
    if (!anthropic_check_version(call, &latest))
        return;
    if (claude == NULL) {
        call_error(call, 404, NULL, NULL, "model: " STR_FMT, STR_ARG(str_head(call->id, 300)));
        return;
    }
    jw_init(&w, call->out);
    models_write(&w, claude, claude->name[0] == '\0' ? call->id : str_c(claude->name));
}
