/* writer.h: the one thread that owns every write transaction.
 *
 * An operation is a function that runs on the writer thread inside a nested transaction: it reads,
 * decides and writes, and either all of it (records, audit record, revision + 1) becomes durable or
 * none. Operations are committed in groups (256 or 2 ms); one that fails is undone alone.
 * writer_run returns after the durable commit: a 2xx may then be sent. After ST_IO on a commit the
 * process ends (never retries fsync): the supervisor starts it anew. ST_STORE_FULL on a commit
 * fails the whole group and leaves the store as it was.
 * Threads: writer_run, writer_revision and writer_wait_revision from any thread but the writer's
 * own (an operation that needs another one runs its function directly). No call may be in progress
 * when writer_stop is called.
 */
#ifndef SLUICE_CONTROL_STORE_WRITER_H
#define SLUICE_CONTROL_STORE_WRITER_H

#include "common/arena.h"
#include "control-plane/store/records.h"

struct writer;

/* Who causes the change; copied into the audit record. Borrowed while the operation runs. */
struct write_actor {
    struct id id;     /* API key, user, or none */
    const char *type; /* "api_key" | "user" | "anonymous" (holds a link) | "cli" | "system" */
    struct str client_ip, request_id, method, uri;
};

struct write_op {
    struct kv_txn *txn; /* the nested transaction: reads see earlier operations of the group */
    struct arena
        *arena;        /* lives until writer_run returns to the caller: results may be left here */
    uint64_t revision; /* of this operation; every record it writes carries it */
    int64_t now_ms;    /* the control plane's UTC, one value for the operation */
    const struct write_actor *actor;
    bool no_revision; /* set by ledger operations: counters beside, no revision; audit records, if
                         any, go behind those of the newest revision */
    struct write_audit *audits; /* see writer_audit; oldest first */
    bool audit_failed;          /* writer_audit had no memory: the operation will be refused */
    struct write_before *before; /* newest first */
    size_t before_count;
    const struct id *trash_org; /* set by trash_open: what is deleted from now on can be restored */
};

typedef enum status (*write_fn)(struct write_op *op, void *arg);

/* Takes nothing: `kv` outlives the writer. Starts the thread. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status writer_start(struct kv *kv, struct writer **writer);
/* Finishes what is queued, stops the thread. */
void writer_stop(struct writer *writer);

/* Runs `fn(op, arg)` and returns its status, or the commit's. `arena` receives what the operation
 * allocates. On ST_OK `revision` (may be NULL) is the number of this change (unchanged if the
 * operation set no_revision). Any thread; blocks. ST_OVERLOADED when 4,096 operations wait. */
MUST_USE enum status writer_run(struct writer *writer, const struct write_actor *actor,
                                struct arena *arena, write_fn fn, void *arg, uint64_t *revision);

/* An entity that the operation wrote, as it was before: records.c keeps the first WRITE_BEFORE_MAX. */
#define WRITE_BEFORE_MAX 64
struct write_before {
    struct write_before *next;
    struct record_key key;
    struct str body; /* packed; p = NULL: it was not there */
};

/* Adds an audit record to the running operation (borrows the strings until it ends): what happened
 * to which entity. before/after are JSON with secrets masked, or n = 0. Every operation that gets a
 * revision has at least one (CHECKed). */
struct write_audit {
    struct write_audit *next;
    const char *action;        /* "create" | "update" | "delete" | ... (literal) */
    const char *resource_type; /* "integration", ... (literal) */
    struct id org, workspace, resource;
    struct str slug, before_json, after_json;
    struct str request_body, query, user_agent, message;
    unsigned http_status; /* what the caller was told; 0: 200 */
};
void writer_audit(struct write_op *op, const struct write_audit *audit);

/* The newest committed revision, and waiting for a newer one: returns when it is > `seen` or after
 * wait_ms. Any thread. */
uint64_t writer_revision(struct writer *writer);
uint64_t writer_wait_revision(struct writer *writer, uint64_t seen, unsigned wait_ms);

#endif
