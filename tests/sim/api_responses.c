/* api_responses.c: POST responses: what is asked, the answer, and the response object in its
 * states.
 *
 * The counting rule is the chat API's: every input item counts as a message, instructions as one
 * more. A response is stored unless "store" is false; previous_response_id must name a stored one,
 * and its content adds nothing to the count.
 */
#include "tests/sim/api.h"
#include "tests/sim/response.h"

#define RESPONSES_BASE_TOKENS 3
#define RESPONSES_ITEM_TOKENS 4
#define RESPONSES_TEXT_MAX    (4 * SIM_TEXT_MAX)

static bool responses_count(struct call *call, const struct json *input, struct answer_ask *ask)
{
    const struct json *instructions = json_get(call->root, "instructions"),
                      *tools = json_get(call->root, "tools");
    uint64_t sum = RESPONSES_BASE_TOKENS, one = 0;
    if (input->type == JSON_STRING) {
        if (usage_content(input, call->arena, &one) != ST_OK)
            return false;
        sum += RESPONSES_ITEM_TOKENS + one;
    }
    for (const struct json *item = input->type == JSON_ARRAY ? input->first : NULL; item != NULL;
         item = item->next) {
        const struct json *content = json_get(item, "content");
        if (usage_content(content == NULL ? json_get(item, "output") : content, call->arena,
                          &one) != ST_OK)
            return false;
        sum += RESPONSES_ITEM_TOKENS + one;
    }
    if (json_is(instructions, JSON_STRING)) {
        if (usage_content(instructions, call->arena, &one) != ST_OK)
            return false;
        sum += RESPONSES_ITEM_TOKENS + one;
    }
    if (json_is(tools, JSON_ARRAY) && tools->count > 0)
        sum += usage_tokens(tools->raw.n);
    ask->usage.prompt = sum;
    return true;
}

static struct str responses_user_text(struct call *call, const struct json *input,
                                      bool *last_is_user)
{
    *last_is_user = true;
    if (input->type == JSON_STRING)
        return answer_content_text(call, input);
    const struct json *last = json_at(input, input->count - 1),
                      *content = json_get(last, "content");
    *last_is_user = str_eq(call_text(call, last, "role"), STR("user"));
    return answer_content_text(call, content == NULL ? json_get(last, "output") : content);
}

/* False: an error is the outcome. */
static bool responses_read_ask(struct call *call, struct answer_ask *ask, struct toolbox *toolbox)
{
    const struct json *input = json_get(call->root, "input");
    const struct json *format = json_get(json_get(call->root, "text"), "format");
    struct str previous = call_text(call, call->root, "previous_response_id"),
               type = call_text(call, format, "type");
    bool last_is_user = true;
    if (!json_is(input, JSON_STRING) && !(json_is(input, JSON_ARRAY) && input->count > 0)) {
        call_error(call, 400, "missing_required_parameter", "input",
                   "Missing required parameter: 'input'.");
        return false;
    }
    if (previous.n > 0 && objects_find(&call->sim->objects, OBJECT_RESPONSE, previous) == NULL) {
        call_error(call, 400, "previous_response_not_found", "previous_response_id",
                   "Previous response with id '" STR_FMT "' not found.",
                   STR_ARG(str_head(previous, 200)));
        return false;
    }
    *ask = (struct answer_ask){.choices = 1, .call_prefix = "call_"};
    ask->user = responses_user_text(call, input, &last_is_user);
    if (ask->user.p == NULL || !responses_count(call, input, ask) ||
        tools_read(toolbox, call->root, call->arena) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return false;
    }
    ask->json = str_eq(type, STR("json_object"));
    if (str_eq(type, STR("json_schema")))
        ask->schema = json_get(format, "schema");
    if (last_is_user)
        ask->toolbox = toolbox;
    return call_number(call, "max_output_tokens", 1, 1 << 30, FAULT_NONE, &ask->max_tokens);
}

static void responses_write_item(struct json_writer *w, const struct response *response, size_t i,
                                 bool done)
{
    const struct answer_block *block = &response->answer.blocks[i];
    bool tool = block->kind == ANSWER_CALL;
    jw_object(w);
    jw_field_str(w, "id", response->items[i].id);
    jw_field_cstr(w, "type", tool ? "function_call" : "message");
    jw_field_cstr(w, "status", !done ? "in_progress" : block->cut ? "incomplete" : "completed");
    if (tool) {
        jw_field_str(w, "call_id", block->id);
        jw_field_str(w, "name", block->name);
        jw_field_str(w, "arguments", done ? block->text : STR(""));
    } else {
        jw_field_cstr(w, "role", "assistant");
        jw_key(w, "content");
        jw_array(w);
        if (done) {
            jw_object(w);
            jw_field_cstr(w, "type", "output_text");
            jw_field_raw(w, "annotations", STR("[]"));
            jw_field_raw(w, "logprobs", STR("[]"));
            jw_field_str(w, "text", block->text);
            jw_end(w);
        }
        jw_end(w);
    }
    jw_end(w);
}

/* A member of the request as it was sent, or what stands for it. */
static void responses_write_echo(struct json_writer *w, const struct json *root, const char *name,
                                 struct str otherwise)
{
    const struct json *member = json_get(root, name);
    jw_field_raw(w, name, json_is_none(member) ? otherwise : member->raw);
}

static void responses_write_echoes(struct json_writer *w, const struct json *root)
{
    static const struct {
        const char *name, *otherwise;
    } echoes[] = {
        {"background", "false"},
        {"instructions", "null"},
        {"max_output_tokens", "null"},
        {"max_tool_calls", "null"},
        {"metadata", "{}"},
        {"parallel_tool_calls", "true"},
        {"previous_response_id", "null"},
        {"reasoning", "{\"effort\":null,\"summary\":null}"},
        {"store", "true"},
        {"temperature", "1"},
        {"text", "{\"format\":{\"type\":\"text\"}}"},
        {"tool_choice", "\"auto\""},
        {"tools", "[]"},
        {"top_logprobs", "0"},
        {"top_p", "1"},
        {"truncation", "\"disabled\""},
        {"user", "null"},
    };
    for (size_t i = 0; i < COUNT_OF(echoes); i++)
        responses_write_echo(w, root, echoes[i].name, str_c(echoes[i].otherwise));
}

/* The response object in one state, rendered into keep; p = NULL: no memory. */
static struct str responses_render(struct call *call, const struct response *response,
                                   const char *status)
{
    struct buf text;
    struct json_writer w;
    bool done = strcmp(status, "completed") == 0 || strcmp(status, "incomplete") == 0;
    buf_init(&text, RESPONSES_TEXT_MAX);
    jw_init(&w, &text);
    jw_object(&w);
    jw_field_str(&w, "id", response->id);
    jw_field_cstr(&w, "object", "response");
    jw_field_i64(&w, "created_at", sim_now_s());
    jw_field_cstr(&w, "status", status);
    jw_field_cstr(&w, "error", NULL);
    jw_field_raw(&w, "incomplete_details",
                 !done                      ? STR("null")
                 : response->answer.refused ? STR("{\"reason\":\"content_filter\"}")
                 : response->answer.cut     ? STR("{\"reason\":\"max_output_tokens\"}")
                                            : STR("null"));
    jw_field_str(&w, "model", call->model);
    jw_key(&w, "output");
    jw_array(&w);
    for (size_t i = 0; done && i < response->answer.count; i++)
        responses_write_item(&w, response, i, true);
    jw_end(&w);
    responses_write_echoes(&w, call->root);
    jw_field_cstr(&w, "service_tier", "default");
    jw_key(&w, "usage");
    if (done)
        call_write_usage_responses(&w, &response->answer.usage);
    else
        jw_null(&w);
    jw_end(&w);
    struct str kept = buf_status(&text) == ST_OK ? arena_str(call->keep, buf_str(&text)) : STR_NONE;
    buf_free(&text);
    return kept;
}

static struct str responses_render_item(struct call *call, const struct response *response,
                                        size_t i, bool done)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, RESPONSES_TEXT_MAX);
    jw_init(&w, &text);
    responses_write_item(&w, response, i, done);
    struct str kept = buf_status(&text) == ST_OK ? arena_str(call->keep, buf_str(&text)) : STR_NONE;
    buf_free(&text);
    return kept;
}

/* One stored input item: the request's members, and id, type and status where they are missing. */
static void responses_write_input(struct json_writer *w, struct arena *arena,
                                  const struct json *item)
{
    struct str id = sim_make_id(arena, "msg_");
    jw_object(w);
    if (json_get(item, "id") == NULL)
        jw_field_str(w, "id", id);
    if (json_get(item, "type") == NULL)
        jw_field_cstr(w, "type", "message");
    if (json_get(item, "status") == NULL)
        jw_field_cstr(w, "status", "completed");
    if (item->type == JSON_STRING)
        jw_field_cstr(w, "role", "user");
    for (const struct json *m = item->type == JSON_OBJECT ? item->first : NULL; m != NULL;
         m = m->next) {
        if (!str_eq(m->key, STR("content")) || m->type != JSON_STRING) {
            jw_key_str(w, m->key);
            jw_raw(w, m->raw);
        }
    }
    const struct json *text = item->type == JSON_STRING ? item : json_get(item, "content");
    if (json_is(text, JSON_STRING)) {
        jw_key(w, "content");
        jw_array(w);
        jw_object(w);
        jw_field_cstr(w, "type", "input_text");
        jw_field_raw(w, "text", text->raw);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void responses_store(struct call *call, const struct response *response)
{
    const struct json *store = json_get(call->root, "store"),
                      *input = json_get(call->root, "input");
    struct object *object = NULL;
    struct buf items;
    struct json_writer w;
    if (store != NULL && store->type == JSON_FALSE)
        return;
    object = objects_add(&call->sim->objects, OBJECT_RESPONSE, response->id);
    if (object == NULL)
        return;
    buf_init(&items, RESPONSES_TEXT_MAX);
    jw_init(&w, &items);
    jw_array(&w);
    if (input->type == JSON_STRING)
        responses_write_input(&w, call->arena, input);
    for (const struct json *item = input->type == JSON_ARRAY ? input->first : NULL; item != NULL;
         item = item->next)
        responses_write_input(&w, call->arena, item);
    jw_end(&w);
    object_set(&object->text, response->done);
    object_set(&object->name, response->background ? response->running : STR(""));
    object_set(&object->note, response->background ? response->cancelled : STR(""));
    object_set(&object->items, buf_str(&items));
    buf_free(&items);
}

/* Renders all states of the response. ST_NO_MEMORY. */
static enum status responses_render_all(struct call *call, struct response *response)
{
    const struct answer *answer = &response->answer;
    bool whole = !answer->cut && !answer->refused;
    response->id = sim_make_id(call->keep, "resp_");
    response->items = arena_calloc(call->keep, answer->count, sizeof *response->items);
    if (response->items == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < answer->count; i++) {
        struct response_item *item = &response->items[i];
        item->id = sim_make_id(call->keep, answer->blocks[i].kind == ANSWER_CALL ? "fc_" : "msg_");
        item->running = responses_render_item(call, response, i, false);
        item->done = responses_render_item(call, response, i, true);
        if (item->running.p == NULL || item->done.p == NULL)
            return ST_NO_MEMORY;
    }
    response->running =
        responses_render(call, response, response->background ? "queued" : "in_progress");
    response->done = responses_render(call, response, whole ? "completed" : "incomplete");
    response->cancelled = responses_render(call, response, "cancelled");
    return response->running.p == NULL || response->done.p == NULL || response->cancelled.p == NULL
               ? ST_NO_MEMORY
               : ST_OK;
}

void api_responses_create(struct call *call)
{
    struct answer_ask ask;
    struct toolbox toolbox;
    if (!call_model(call) || !responses_read_ask(call, &ask, &toolbox))
        return;
    struct response *response = arena_calloc(call->keep, 1, sizeof *response);
    if (response != NULL)
        response->background = call_flag(call->root, "background");
    if (response == NULL || answer_make(call, &ask, &response->answer) != ST_OK ||
        responses_render_all(call, response) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    responses_store(call, response);
    if (call_flag(call->root, "stream")) {
        response_stream_start(call, response);
        return;
    }
    buf_add_str(call->out, response->background ? response->running : response->done);
    call->usage = response->answer.usage;
}
