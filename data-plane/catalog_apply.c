/* catalog_apply.c: what the replies of the feed do to the rows of the catalog file.
 *
 *   part of a change feed   -> the live generation, all parts in one transaction
 *   part of a full copy     -> generation `building`, one transaction a call; the last part flips
 * `live` to it
 *
 * A generation that is neither live nor building is dead: catalog_tidy deletes it bit by bit. Model
 * rules have no flat record of their own: their protobuf rows stay in the file and the one record
 * of their integration (CAT_KIND_RULES) is made again whenever one of them changed. So are policies
 * and the one record of their workspace (CAT_KIND_POLICIES).
 *
 * Invariant: what readers can see is a revision that was understood whole. Must never: apply half a
 * call, take an entity back to an older revision, or drop an index row that meanwhile belongs to
 * another entity.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/wire.h"
#include "data-plane/catalog_rows.h"

#define APPLY_ARENA_BYTES    (256u << 20) /* the rules of one parent, unpacked */
#define APPLY_CLEAR_ROWS     4096u
#define APPLY_TOUCHED_MAX    (1u << 20)
#define APPLY_GENERATION_MAX 0x6Fu
#define APPLY_KIND_MAX       0x6Fu /* above: our own rows */

/* A derived record that must be made again. */
struct touched {
    struct id org, parent; /* integration or workspace */
    bool policies;
};

struct apply {
    struct catalog *catalog;
    struct catalog_txn *txn;
    uint8_t generation;
    bool full;
    uint64_t from_revision;    /* already applied: older changes are not taken */
    uint64_t through_revision; /* of the last reply */
    struct id store_id;
    struct touched *touched;
    size_t touched_count, touched_room;
    uint64_t skipped;
    const char *refused;
    uint64_t refused_revision;
};

/* --- one change --- */

static enum status apply_refuse(struct apply *apply, uint64_t revision, unsigned kind,
                                const char *why)
{
    size_t room;
    char *text = catalog_refusal(apply->catalog, &room);
    snprintf(text, room, "kind %u: %s", kind, why);
    apply->refused = text;
    apply->refused_revision = revision;
    return ST_BAD_FORMAT;
}

/* 16 bytes, or none. */
static bool id_of(ProtobufCBinaryData bytes, struct id *id)
{
    *id = ID_NONE;
    return bytes.len == 0 || id_from_bytes(wire_str(&bytes), id) == ST_OK;
}

static enum status touch(struct apply *apply, const struct id *org, const struct id *parent,
                         bool policies)
{
    for (size_t i = apply->touched_count; i > 0 && apply->touched_count - i < 16; i--) {
        const struct touched *known = &apply->touched[i - 1];
        if (known->policies == policies && id_eq(&known->parent, parent))
            return ST_OK; /* rules arrive in runs; a missed repetition costs a rebuild, no more */
    }
    if (apply->touched_count == apply->touched_room) {
        size_t room = apply->touched_room == 0 ? 64 : apply->touched_room * 2;
        if (room > APPLY_TOUCHED_MAX)
            return ST_TOO_LARGE;
        struct touched *grown = realloc(apply->touched, room * sizeof *grown);
        if (grown == NULL)
            return ST_NO_MEMORY;
        apply->touched = grown;
        apply->touched_room = room;
    }
    apply->touched[apply->touched_count++] = (struct touched){*org, *parent, policies};
    return ST_OK;
}

static void index_value(char value[3 * ID_BYTES], const struct cat_head *head)
{
    memcpy(value, &head->org, ID_BYTES);
    memcpy(value + ID_BYTES, &head->parent, ID_BYTES);
    memcpy(value + 2 * ID_BYTES, &head->id, ID_BYTES);
}

static enum status index_remove(struct apply *apply, const struct cat_head *head, struct str name)
{
    uint8_t key[CAT_KEY_BYTES];
    char own[3 * ID_BYTES];
    struct str found;
    index_value(own, head);
    catalog_index_key(key, apply->generation, (uint8_t)head->kind, &head->org, &head->parent, name);
    enum status status = catalog_row_get(apply->txn, key, &found);
    if (status == ST_OK && str_eq(found, str_of(own, sizeof own)))
        return catalog_row_remove(apply->txn, key);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status index_put(struct apply *apply, const struct cat_head *head, struct str name)
{
    uint8_t key[CAT_KEY_BYTES];
    char own[3 * ID_BYTES];
    index_value(own, head);
    catalog_index_key(key, apply->generation, (uint8_t)head->kind, &head->org, &head->parent, name);
    return catalog_row_put(apply->txn, key, str_of(own, sizeof own));
}

/* The index rows of the record that stands at `key`, if one does. */
static enum status row_unindex(struct apply *apply, const uint8_t *key)
{
    struct str old;
    enum status status = catalog_row_get(apply->txn, key, &old);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (cat_check(old, key[1], sizeof(struct cat_head)) == NULL)
        return ST_BAD_FORMAT;
    char *copy = malloc(old.n); /* what a get gave dies with the next change of the tree */
    if (copy == NULL)
        return ST_NO_MEMORY;
    memcpy(copy, old.p, old.n);
    const struct cat_head *head = (const struct cat_head *)(const void *)copy;
    for (unsigned nth = 0; nth < 2 && status == ST_OK; nth++) {
        struct str name = catalog_index_name(head, nth);
        if (name.n > 0)
            status = index_remove(apply, head, name);
    }
    free(copy);
    return status;
}

static enum status row_replace(struct apply *apply, const uint8_t *key, struct str record)
{
    const struct cat_head *head = (const struct cat_head *)(const void *)record.p;
    TRY(row_unindex(apply, key));
    TRY(catalog_row_put(apply->txn, key, record));
    for (unsigned nth = 0; nth < 2; nth++) {
        struct str name = catalog_index_name(head, nth);
        if (name.n > 0)
            TRY(index_put(apply, head, name));
    }
    return ST_OK;
}

static bool is_policy(unsigned kind)
{
    return kind == SLUICE__KIND__KIND_USAGE_POLICY || kind == SLUICE__KIND__KIND_RATE_POLICY;
}

/* Kinds of which a list is derived. */
static bool is_listed(unsigned kind)
{
    return kind == SLUICE__KIND__KIND_MODEL_RULE || is_policy(kind);
}

/* A model rule or policy is kept as it came, behind a head. */
static enum status raw_record(struct arena *arena, const struct cat_head *head, struct str body,
                               struct str *record)
{
    char *p = arena_alloc(arena, sizeof *head + body.n);
    if (p == NULL)
        return ST_NO_MEMORY;
    memcpy(p, head, sizeof *head);
    if (body.n > 0)
        memcpy(p + sizeof *head, body.p, body.n);
    *record = str_of(p, sizeof *head + body.n);
    return ST_OK;
}

static enum status change_write(struct apply *apply, const struct cat_head *head, struct str body,
                                const uint8_t *key)
{
    struct arena arena;
    struct str record;
    arena_init(&arena, APPLY_ARENA_BYTES);
    enum status status;
    if (is_listed(head->kind))
        status = raw_record(&arena, head, body, &record);
    else
        status = catalog_encode(&arena, (Sluice__Kind)head->kind, head->revision, &head->org,
                                &head->parent, &head->id, body, &record);
    if (status == ST_OK)
        status = row_replace(apply, key, record);
    else if (status == ST_BAD_FORMAT || status == ST_TOO_LARGE)
        status = apply_refuse(apply, head->revision, head->kind,
                              "malformed, or decides by a value this node does not know");
    arena_free(&arena);
    return status;
}

static enum status apply_change(struct apply *apply, const Sluice__Change *change)
{
    uint8_t key[CAT_KEY_BYTES];
    struct cat_head head = {.version = CAT_VERSION, .revision = change->revision};
    unsigned kind = (unsigned)change->kind;
    if (!apply->full && change->revision <= apply->from_revision)
        return ST_OK;
    if (kind == 0 || kind > APPLY_KIND_MAX) {
        apply->skipped++;
        return ST_OK;
    }
    if (!id_of(change->org, &head.org) || !id_of(change->parent, &head.parent) ||
        !id_of(change->id, &head.id))
        return apply_refuse(apply, change->revision, kind, "an id that is not 16 bytes");
    head.kind = (uint16_t)kind;
    head.length = (uint32_t)(sizeof head + change->body.len);
    catalog_key(key, apply->generation, (uint8_t)kind, &head.org, &head.parent, &head.id);
    if (is_listed(kind))
        TRY(touch(apply, &head.org, &head.parent, is_policy(kind)));
    if (change->deleted) {
        TRY(row_unindex(apply, key));
        return catalog_row_remove(apply->txn, key);
    }
    enum status status = change_write(apply, &head, wire_str(&change->body), key);
    if (status == ST_NOT_FOUND) {
        apply->skipped++;
        return ST_OK;
    }
    return status;
}

/* --- the rules of a touched integration --- */

struct rule_list {
    struct arena *arena;
    Sluice__ModelRule **rules;
    size_t count, room;
    uint64_t revision; /* newest */
};

static enum status rule_collect(void *arg, struct str value)
{
    struct rule_list *list = arg;
    const struct cat_head *head = cat_check(value, SLUICE__KIND__KIND_MODEL_RULE, sizeof *head);
    if (head == NULL)
        return ST_BAD_FORMAT;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 32 : list->room * 2;
        Sluice__ModelRule **grown = arena_calloc(list->arena, room, sizeof *grown);
        if (grown == NULL)
            return ST_TOO_LARGE;
        if (list->count > 0)
            memcpy(grown, list->rules, list->count * sizeof *grown);
        list->rules = grown;
        list->room = room;
    }
    if (head->revision > list->revision)
        list->revision = head->revision;
    return wire_unpack_known(&sluice__model_rule__descriptor, str_from(value, sizeof *head),
                             list->arena, &list->rules[list->count++]);
}

static enum status rules_rebuild(struct apply *apply, const struct touched *at)
{
    uint8_t prefix[CAT_KEY_BYTES], key[CAT_KEY_BYTES];
    struct arena arena;
    struct str record;
    arena_init(&arena, APPLY_ARENA_BYTES);
    struct rule_list list = {.arena = &arena};
    catalog_key(prefix, apply->generation, SLUICE__KIND__KIND_MODEL_RULE, &at->org, &at->parent,
                &ID_NONE);
    catalog_key(key, apply->generation, CAT_KIND_RULES, &at->org, &ID_NONE, &at->parent);
    enum status status =
        catalog_row_each(apply->txn, prefix, CAT_KEY_BYTES - ID_BYTES, rule_collect, &list);
    if (status == ST_OK && list.count == 0) {
        status = catalog_row_remove(apply->txn, key);
    } else if (status == ST_OK) {
        status = catalog_encode_rules(&arena, list.revision, &at->org, &at->parent, list.rules,
                                      list.count, &record);
        if (status == ST_OK)
            status = catalog_row_put(apply->txn, key, record);
    }
    if (status == ST_BAD_FORMAT || status == ST_TOO_LARGE)
        status = apply_refuse(apply, list.revision, SLUICE__KIND__KIND_MODEL_RULE, "malformed");
    arena_free(&arena);
    return status;
}

/* --- the policies of a touched workspace --- */

struct policy_list {
    struct arena *arena;
    struct catalog_policy *rows;
    size_t count, room;
    uint64_t revision; /* newest */
};

static enum status policy_collect(void *arg, struct str value)
{
    struct policy_list *list = arg;
    struct cat_head head;
    Sluice__Policy *policy;
    if (value.n < sizeof head)
        return ST_BAD_FORMAT;
    memcpy(&head, value.p, sizeof head);
    if (!is_policy(head.kind) || cat_check(value, head.kind, sizeof head) == NULL)
        return ST_BAD_FORMAT;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct catalog_policy *grown = arena_calloc(list->arena, room, sizeof *grown);
        if (grown == NULL)
            return ST_TOO_LARGE;
        if (list->count > 0)
            memcpy(grown, list->rows, list->count * sizeof *grown);
        list->rows = grown;
        list->room = room;
    }
    if (head.revision > list->revision)
        list->revision = head.revision;
    TRY(wire_unpack_known(&sluice__policy__descriptor, str_from(value, sizeof head), list->arena,
                          &policy));
    list->rows[list->count++] =
        (struct catalog_policy){(Sluice__Kind)head.kind, head.id, policy};
    return ST_OK;
}

static enum status policies_collect(struct apply *apply, const struct touched *at,
                                    struct policy_list *list)
{
    static const uint8_t kinds[] = {SLUICE__KIND__KIND_USAGE_POLICY,
                                    SLUICE__KIND__KIND_RATE_POLICY};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        uint8_t prefix[CAT_KEY_BYTES];
        catalog_key(prefix, apply->generation, kinds[i], &at->org, &at->parent, &ID_NONE);
        TRY(catalog_row_each(apply->txn, prefix, CAT_KEY_BYTES - ID_BYTES, policy_collect, list));
    }
    return ST_OK;
}

static enum status policies_rebuild(struct apply *apply, const struct touched *at)
{
    uint8_t key[CAT_KEY_BYTES];
    struct arena arena;
    struct str record;
    arena_init(&arena, APPLY_ARENA_BYTES);
    struct policy_list list = {.arena = &arena};
    catalog_key(key, apply->generation, CAT_KIND_POLICIES, &at->org, &ID_NONE, &at->parent);
    enum status status = policies_collect(apply, at, &list);
    if (status == ST_OK && list.count == 0) {
        status = catalog_row_remove(apply->txn, key);
    } else if (status == ST_OK) {
        status = catalog_encode_policies(&arena, list.revision, &at->org, &at->parent, list.rows,
                                         list.count, &record);
        if (status == ST_OK)
            status = catalog_row_put(apply->txn, key, record);
    }
    if (status == ST_BAD_FORMAT || status == ST_TOO_LARGE)
        status = apply_refuse(apply, list.revision, SLUICE__KIND__KIND_USAGE_POLICY,
                              "malformed, or decides by a value this node does not know");
    arena_free(&arena);
    return status;
}

/* --- a call --- */

static enum status meta_put(struct apply *apply, uint8_t live)
{
    uint8_t key[CAT_KEY_BYTES];
    struct cat_meta meta = {
        .head = {.kind = CAT_KIND_META,
                 .version = CAT_VERSION,
                 .length = sizeof meta,
                 .revision = apply->through_revision},
        .store_id = apply->store_id,
        .through_revision = apply->through_revision,
        .applied_utc_ms = clock_utc_ms(),
        .live_generation = live,
        .layout = catalog_layout(),
    };
    catalog_key(key, 0, CAT_KIND_META, &ID_NONE, &ID_NONE, &ID_NONE);
    return catalog_row_put(apply->txn, key, str_of((const char *)&meta, sizeof meta));
}

static enum status apply_all(struct apply *apply, Sluice__ChangesReply *const *replies,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < replies[i]->n_changes; j++)
            TRY(apply_change(apply, replies[i]->changes[j]));
    }
    for (size_t i = 0; i < apply->touched_count; i++) {
        const struct touched *at = &apply->touched[i];
        TRY(at->policies ? policies_rebuild(apply, at) : rules_rebuild(apply, at));
    }
    return ST_OK;
}

/* Empties a generation in transactions of its own, so that a copy never begins on another's rows.
 */
static enum status generation_clear(struct catalog *catalog, uint8_t generation)
{
    size_t removed = APPLY_CLEAR_ROWS;
    while (removed == APPLY_CLEAR_ROWS) {
        struct catalog_txn *txn;
        TRY(catalog_txn_begin(catalog, &txn));
        enum status status = catalog_row_clear(txn, generation, APPLY_CLEAR_ROWS, &removed);
        if (status != ST_OK) {
            catalog_txn_abort(txn);
            return status;
        }
        TRY(catalog_txn_commit(txn));
    }
    return ST_OK;
}

/* Which generation this call writes to. */
static enum status apply_place(struct apply *apply, const Sluice__ChangesReply *first)
{
    struct catalog_place *place = catalog_place(apply->catalog);
    apply->full = first->full;
    if (!id_of(first->store_id, &apply->store_id) || id_is_none(&apply->store_id))
        return apply_refuse(apply, first->through_revision, 0, "no store id");
    if (!apply->full) {
        if (place->live == 0 || !id_eq(&place->store_id, &apply->store_id))
            return apply_refuse(apply, first->through_revision, 0,
                                "changes of a store that was not copied");
        apply->generation = place->live;
        apply->from_revision = place->revision;
        return ST_OK;
    }
    if (place->building != 0 && !id_eq(&place->building_store, &apply->store_id))
        place->building = 0;
    if (place->building == 0) {
        uint8_t next = place->live >= APPLY_GENERATION_MAX ? 1 : (uint8_t)(place->live + 1);
        TRY(generation_clear(apply->catalog, next));
        place->building = next;
        place->building_store = apply->store_id;
    }
    apply->generation = place->building;
    return ST_OK;
}

static enum status apply_check(struct apply *apply, Sluice__ChangesReply *const *replies,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct id store;
        bool same = id_of(replies[i]->store_id, &store) && id_eq(&store, &apply->store_id);
        if (!same || (replies[i]->full != 0) != apply->full)
            return apply_refuse(apply, replies[i]->through_revision, 0,
                                "replies that do not belong together");
        apply->through_revision = replies[i]->through_revision;
    }
    if (!apply->full && apply->through_revision < apply->from_revision)
        apply->through_revision = apply->from_revision;
    return ST_OK;
}

static enum status apply_run(struct apply *apply, Sluice__ChangesReply *const *replies,
                             size_t count)
{
    struct catalog_place *place = catalog_place(apply->catalog);
    TRY(apply_place(apply, replies[0]));
    TRY(apply_check(apply, replies, count));
    bool live = !apply->full || !replies[count - 1]->more;
    TRY(catalog_txn_begin(apply->catalog, &apply->txn));
    enum status status = apply_all(apply, replies, count);
    if (status == ST_OK && live)
        status = meta_put(apply, apply->generation);
    if (status != ST_OK) {
        catalog_txn_abort(apply->txn);
        return status;
    }
    TRY(catalog_txn_commit(apply->txn));
    if (live)
        *place = (struct catalog_place){.live = apply->generation,
                                        .revision = apply->through_revision,
                                        .store_id = apply->store_id};
    return ST_OK;
}

enum status catalog_apply(struct catalog *catalog, Sluice__ChangesReply *const *replies,
                          size_t count, const char **refused, uint64_t *refused_revision)
{
    struct apply apply = {.catalog = catalog};
    *refused = NULL;
    *refused_revision = 0;
    if (count == 0)
        return ST_OK;
    enum status status = apply_run(&apply, replies, count);
    free(apply.touched);
    if (status == ST_OK)
        catalog_skip(catalog, apply.skipped);
    else if (apply.full)
        catalog_abandon(catalog);
    *refused = apply.refused;
    *refused_revision = apply.refused_revision;
    return status;
}

void catalog_abandon(struct catalog *catalog)
{
    catalog_place(catalog)->building = 0;
}

enum status catalog_tidy(struct catalog *catalog, bool *more)
{
    const struct catalog_place *place = catalog_place(catalog);
    struct catalog_txn *txn;
    uint8_t generation = 0;
    size_t removed = 0;
    TRY(catalog_txn_begin(catalog, &txn));
    enum status status = ST_OK;
    do {
        status = catalog_row_generation(txn, (uint8_t)(generation + 1), &generation);
    } while (status == ST_OK && generation != 0 &&
             (generation == place->live || generation == place->building));
    if (status == ST_OK && generation != 0)
        status = catalog_row_clear(txn, generation, APPLY_CLEAR_ROWS, &removed);
    if (status != ST_OK || removed == 0) {
        catalog_txn_abort(txn);
        *more = false;
        return status;
    }
    TRY(catalog_txn_commit(txn));
    *more = true;
    return ST_OK;
}
