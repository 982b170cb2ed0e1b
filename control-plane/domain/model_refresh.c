/* model_refresh.c: see model_refresh.h. The list is sorted once; each name of it is known by a rule
 * (its slug, or what it stands for), by the catalog, or is new.
 */
#include "control-plane/domain/model_refresh.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/domain/builtin.h"

struct refreshing {
    struct write_op *op;
    const struct record_key *key;
    Sluice__Integration *record;
    struct model_refresh *refresh;
    struct model_names names;
    bool *known; /* of names */
    size_t rules;
};

bool model_slug_is_valid(struct str slug)
{
    for (size_t i = 0; i < slug.n; i++)
        if ((unsigned char)slug.p[i] <= 0x20 || slug.p[i] == 0x7F)
            return false;
    return slug.n > 0 && slug.n <= MODEL_SLUG_MAX && str_is_utf8(slug);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum status read_names(struct refreshing *r)
{
    const struct model_refresh *refresh = r->refresh;
    struct model_names *names = &r->names;
    names->items = arena_calloc(r->op->arena, refresh->listed_count + 1, sizeof(*names->items));
    r->known = arena_calloc(r->op->arena, refresh->listed_count + 1, sizeof(*r->known));
    if (names->items == NULL || r->known == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < refresh->listed_count; i++)
        if (model_slug_is_valid(refresh->listed[i]) && str_find_char(refresh->listed[i], '*') < 0)
            names->items[names->count++] = refresh->listed[i];
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(*names->items), by_bytes);
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (kept == 0 || !str_eq(names->items[i], names->items[kept - 1]))
            names->items[kept++] = names->items[i];
    names->count = kept;
    return ST_OK;
}

/* Marks the name as known; false: it is not listed. */
static bool meet(struct refreshing *r, struct str name)
{
    if (r->names.count == 0)
        return false;
    const struct str *at = bsearch(&name, r->names.items, r->names.count, sizeof(*r->names.items),
                                   by_bytes);
    if (at == NULL)
        return false;
    r->known[at - r->names.items] = true;
    return true;
}

static enum status note(struct refreshing *r, struct model_names *list, size_t room,
                        struct str name)
{
    if (list->items == NULL)
        list->items = arena_calloc(r->op->arena, room, sizeof(*list->items));
    if (list->items == NULL)
        return ST_NO_MEMORY;
    CHECK(list->count < room);
    list->items[list->count++] = name;
    return ST_OK;
}

static enum status look_at_rule(struct refreshing *r, const struct record_key *key,
                                Sluice__ModelRule *rule)
{
    struct str slug = str_c(rule->slug);
    struct str name = rule->upstream_model[0] == '\0' ? slug : str_c(rule->upstream_model);
    if (str_find_char(slug, '*') >= 0)
        return ST_OK;
    bool listed = meet(r, name);
    bool vanishes = !listed && !r->refresh->cut && rule->listed && rule->vanished_at_ms == 0;
    if (listed && rule->vanished_at_ms != 0)
        TRY(note(r, &r->refresh->returned, MODEL_RULES_MAX, slug));
    else if (vanishes)
        TRY(note(r, &r->refresh->vanished, MODEL_RULES_MAX, slug));
    else if (!listed || rule->listed)
        return ST_OK;
    rule->listed = true;
    rule->vanished_at_ms = vanishes ? r->op->now_ms : 0;
    return record_update(r->op, key, rule);
}

static enum status look_at_rules(struct refreshing *r)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    Sluice__ModelRule *rule;
    enum status status = record_cursor_open(r->op->txn, SLUICE__KIND__KIND_MODEL_RULE,
                                            &r->key->org, &r->key->id, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, r->op->arena, &key, &rule, NULL);
        if (status != ST_OK)
            break;
        if (r->rules++ < MODEL_RULES_MAX)
            status = look_at_rule(r, &key, rule);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The catalog's models that the list lacks, into the record. */
static enum status look_at_catalog(struct refreshing *r)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct id type = builtin_provider_type_id(str_c(r->record->provider_type));
    char **absent = NULL;
    size_t count = 0, room = 0;
    Sluice__Model *model;
    enum status status =
        record_cursor_open(r->op->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, &type, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, r->op->arena, &key, &model, NULL);
        if (status != ST_OK || meet(r, str_c(model->slug)))
            continue;
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            char **grown = arena_calloc(r->op->arena, room, sizeof(*grown));
            if (grown == NULL)
                status = ST_NO_MEMORY;
            else if (count > 0)
                memcpy(grown, absent, count * sizeof(*grown));
            absent = grown;
        }
        if (status == ST_OK)
            absent[count++] = model->slug;
    }
    record_cursor_close(cursor);
    if (status != ST_END)
        return status;
    if (count > 1)
        qsort(absent, count, sizeof(*absent), by_text);
    if (!r->refresh->cut) {
        r->record->absent_models = absent;
        r->record->n_absent_models = count;
    }
    return ST_OK;
}

static enum status add(struct refreshing *r, struct str name)
{
    Sluice__ModelRule rule = SLUICE__MODEL_RULE__INIT;
    struct record_key key = {SLUICE__KIND__KIND_MODEL_RULE, r->key->org, r->key->id, id_new()};
    rule.id = wire_id_data(&key.id);
    rule.slug = arena_cstr(r->op->arena, name);
    if (rule.slug == NULL)
        return ST_NO_MEMORY;
    rule.discovered = true;
    rule.listed = true;
    rule.created_at_ms = rule.updated_at_ms = r->op->now_ms;
    TRY(record_put(r->op, &key, &rule, name));
    return note(r, &r->refresh->added, MODEL_RULES_MAX, name);
}

enum status model_refresh_apply(struct write_op *op, const struct record_key *key,
                                Sluice__Integration *record, struct model_refresh *refresh)
{
    struct refreshing r = {.op = op, .key = key, .record = record, .refresh = refresh};
    TRY(read_names(&r));
    TRY(look_at_rules(&r));
    TRY(look_at_catalog(&r));
    for (size_t i = 0; i < r.names.count && r.rules < MODEL_RULES_MAX; i++) {
        if (r.known[i])
            continue;
        TRY(add(&r, r.names.items[i]));
        r.rules++;
    }
    refresh->taken = r.names.count;
    record->models_refreshed_at_ms = op->now_ms;
    return ST_OK;
}
