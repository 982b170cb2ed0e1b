/* impact.h: what a change would take away: for ?dry_run=true, and for the 409 of what is in use.
 *
 * A change is rehearsed on the writer thread (run, copied out as an overlay, undone); then, in a
 * read transaction on the caller's thread, what was possible before is held against what would be
 * after: providers that close, keys that end, configs and defaults that would point to nothing, and
 * of the usage of the last seven days what would have been refused. Limits: IMPACT_LIST_MAX entries
 * a list, IMPACT_EVENTS_MAX events looked at (then `complete` is false). Owner: the call's arena.
 */
#ifndef SLUICE_CONTROL_API_IMPACT_H
#define SLUICE_CONTROL_API_IMPACT_H

#include "control-plane/api/call.h"
#include "control-plane/api/reach.h"
#include "control-plane/ledger/ledger.h"

#define IMPACT_LIST_MAX   500
#define IMPACT_EVENTS_MAX 100000
#define IMPACT_DAYS       7

enum impact_effect { IMPACT_DELETED, IMPACT_DISABLED, IMPACT_NARROWED, IMPACT_DANGLING };

/* One thing that the change touches. */
struct impact_entry {
    const char *type; /* of a binding: "api_key" or "workspace"; else NULL */
    struct id id, workspace;
    struct str name;
    enum impact_effect effect;
};

struct impact_list {
    struct impact_entry *entries;
    size_t count, room;
};

struct impact {
    struct api_call *call;
    const struct overlay *overlay;
    struct impact_list workspaces, providers, keys, configs, bindings, models;
    struct rollup_totals refused; /* of the last seven days */
    uint32_t from_day, to_day;
    bool complete; /* false: a list or the events were too long */
};

/* Finds out, in the call's read transaction. ST_NO_MEMORY, store statuses. */
MUST_USE enum status impact_find(struct api_call *call, const struct overlay *overlay,
                                 struct impact *impact);
/* Writes it as one object. */
void impact_write(struct json_writer *w, const struct impact *impact, bool dry_run);

/* --- between impact.c, impact_usage.c and impact_refs.c */

/* Adds an entry, once per id and type. */
MUST_USE enum status impact_add(struct impact *impact, struct impact_list *list,
                                struct impact_entry entry);
/* The key of a live entity as it was, or ST_NOT_FOUND. */
MUST_USE enum status impact_before(const struct impact *impact, const struct record_key *key,
                                   struct arena *arena, void *message);

/* Usage that a provider, open `before`, would refuse; adds the models, says how many requests. */
MUST_USE enum status impact_provider_usage(struct impact *impact, const struct reach *before,
                                           const struct reach *after, uint64_t *requests);
/* All usage of a key that ends. */
MUST_USE enum status impact_key_usage(struct impact *impact, const struct record_key *key);
/* Usage that a key would refuse because its list of models got shorter; how many requests. */
MUST_USE enum status impact_key_narrowed(struct impact *impact, const struct record_key *key,
                                         const Sluice__ApiKey *before, const Sluice__ApiKey *after,
                                         uint64_t *requests);
/* Configs of a workspace that name a provider which is no longer open. */
MUST_USE enum status impact_configs_of(struct impact *impact, const struct record_key *provider,
                                       struct str slug);
/* Keys and the workspace whose default a config is. */
MUST_USE enum status impact_bindings_of(struct impact *impact, const struct record_key *config);

#endif
