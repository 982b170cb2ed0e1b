/* catalog.c: /v1/ai-providers: the built-in catalog, for whoever sets up or chooses.
 *
 * What is here is the same for every organisation and holds nothing of any of them, so every key
 * that may list integrations, providers or models may read it. A member whose figure is unknown is
 * absent, as in the data (catalog-data/README.md); prices are whole pico-USD per unit, as stored,
 * so that a client that shows them rounds once.
 */
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/domain/builtin.h"

/* Members of a provider's data_json that are told, as they are. */
static const char *const provider_members[] = {"auth", "placeholders", "hosts", "status", "notes"};

static enum status count_models(struct api_call *call, const struct id *type, uint64_t *count)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    *count = 0;
    enum status status =
        record_cursor_open(call->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, type, &cursor);
    while (status == ST_OK &&
           (status = record_cursor_next(cursor, call->arena, &key, NULL, NULL)) == ST_OK)
        ++*count;
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static void write_text(struct json_writer *w, const char *name, const char *text)
{
    if (text[0] != '\0')
        jw_field_cstr(w, name, text);
}

static void write_texts(struct json_writer *w, const char *name, char **items, size_t count)
{
    if (count == 0)
        return;
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++)
        jw_cstr(w, items[i]);
    jw_end(w);
}

static void write_count(struct json_writer *w, const char *name, uint64_t value)
{
    if (value > 0)
        jw_field_u64(w, name, value);
}

static enum status write_data(struct json_writer *w, struct arena *arena, const char *data_json)
{
    struct json *data = NULL;
    if (data_json[0] == '\0')
        return ST_OK;
    TRY(json_parse(arena, str_c(data_json), NULL, &data, NULL));
    for (size_t i = 0; i < COUNT_OF(provider_members); i++) {
        const struct json *member = json_get(data, provider_members[i]);
        if (member == NULL)
            continue;
        jw_key(w, provider_members[i]);
        jw_raw(w, member->raw);
    }
    return ST_OK;
}

static enum status write_provider(struct api_call *call, struct arena *arena,
                                  const Sluice__ProviderType *type)
{
    struct json_writer *w = &call->json;
    struct id id = builtin_provider_type_id(str_c(type->slug));
    uint64_t models;
    TRY(count_models(call, &id, &models));
    jw_object(w);
    jw_field_cstr(w, "object", "ai-provider");
    jw_field_cstr(w, "id", type->slug);
    jw_field_cstr(w, "name", type->name);
    jw_field_cstr(w, "dialect", type->dialect);
    jw_field_cstr(w, "base_url", type->base_url);
    write_texts(w, "env", type->env, type->n_env);
    write_text(w, "docs_url", type->docs_url);
    jw_key(w, "operations");
    jw_array(w);
    for (size_t i = 0; i < type->n_endpoints; i++)
        jw_cstr(w, type->endpoints[i]->op);
    jw_end(w);
    jw_field_u64(w, "model_count", models);
    TRY(write_data(w, arena, type->data_json));
    jw_end(w);
    return ST_OK;
}

/* Of one part of the catalog, which belongs to no organisation (list_run walks the caller's). */
static enum status walk(struct list *list, Sluice__Kind kind, const struct id *parent,
                        enum status (*write)(struct api_call *call, struct arena *arena,
                                             const void *message))
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    void *message;
    arena_init(&scratch, 8u << 20);
    enum status status = record_cursor_open(list->call->txn, kind, &ID_NONE, parent, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &message, NULL);
        if (status == ST_OK && list_wants(list))
            status = write(list->call, &scratch, message);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

static enum status provider_row(struct api_call *call, struct arena *arena, const void *message)
{
    return write_provider(call, arena, message);
}

enum status api_catalog_providers(struct api_call *call)
{
    struct list list;
    list_begin(&list, call, LIST_PAGE_MAX);
    TRY(walk(&list, SLUICE__KIND__KIND_PROVIDER_TYPE, &ID_NONE, provider_row));
    list_end(&list);
    return ST_OK;
}

static enum status find_provider(struct api_call *call, Sluice__ProviderType **type)
{
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER_TYPE, ID_NONE, ID_NONE,
                             builtin_provider_type_id(call->params[0])};
    return api_found(call, record_get(call->txn, &key, call->arena, type, NULL), "AI provider");
}

enum status api_catalog_provider(struct api_call *call)
{
    Sluice__ProviderType *type;
    TRY(find_provider(call, &type));
    return write_provider(call, call->arena, type);
}

static void write_limits(struct json_writer *w, const Sluice__Model *model)
{
    if (model->context_window_tokens == 0 && model->max_input_tokens == 0 &&
        model->max_output_tokens == 0)
        return;
    jw_key(w, "limits");
    jw_object(w);
    write_count(w, "context_window_tokens", model->context_window_tokens);
    write_count(w, "max_input_tokens", model->max_input_tokens);
    write_count(w, "max_output_tokens", model->max_output_tokens);
    jw_end(w);
}

/* Those in effect at `now_ms`: prices ascend by date, and from one without rows on none is known. */
static void write_prices(struct json_writer *w, const Sluice__Model *model, int64_t now_ms)
{
    const Sluice__Prices *prices = NULL;
    for (size_t i = 0; i < model->n_prices && model->prices[i]->effective_from_ms <= now_ms; i++)
        prices = model->prices[i];
    if (prices == NULL || prices->n_rows == 0)
        return;
    jw_key(w, "prices_picousd");
    jw_object(w);
    for (size_t i = 0; i < prices->n_rows; i++)
        jw_field_i64(w, prices->rows[i]->unit, prices->rows[i]->picousd);
    jw_end(w);
}

static enum status model_row(struct api_call *call, struct arena *arena, const void *message)
{
    const Sluice__Model *model = message;
    struct json_writer *w = &call->json;
    (void)arena;
    jw_object(w);
    jw_field_cstr(w, "object", "ai-provider-model");
    jw_field_cstr(w, "slug", model->slug);
    jw_field_cstr(w, "name", model->name[0] == '\0' ? model->slug : model->name);
    write_text(w, "type", model->type);
    write_limits(w, model);
    write_texts(w, "input", model->input_modalities, model->n_input_modalities);
    write_texts(w, "output", model->output_modalities, model->n_output_modalities);
    write_texts(w, "capabilities", model->capabilities, model->n_capabilities);
    write_texts(w, "not_capabilities", model->not_capabilities, model->n_not_capabilities);
    write_text(w, "status", model->status);
    write_text(w, "family", model->family);
    write_text(w, "knowledge_cutoff", model->knowledge_cutoff);
    write_text(w, "release_date", model->release_date);
    write_prices(w, model, call->now_ms);
    jw_end(w);
    return ST_OK;
}

enum status api_catalog_models(struct api_call *call)
{
    Sluice__ProviderType *type;
    struct list list;
    TRY(find_provider(call, &type));
    struct id id = builtin_provider_type_id(call->params[0]);
    list_begin(&list, call, LIST_PAGE_MAX);
    TRY(walk(&list, SLUICE__KIND__KIND_MODEL, &id, model_row));
    list_end(&list);
    return ST_OK;
}
