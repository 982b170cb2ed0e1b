/* store_life.h: what a store does in the tests that kill it or cut its power, and what must hold
 * afterwards.
 *
 * Changes (a workspace with a slug, each with its audit record and revision) and batches of usage,
 * every one of which is sent again and again. life_check says in a sentence what does not hold, or
 * NULL. No test framework: unit tests and tests/fault use it.
 */
#ifndef SLUICE_TEST_STORE_LIFE_H
#define SLUICE_TEST_STORE_LIFE_H

#include <stdio.h>
#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/audit/audit.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/store/keys.h"

#define LIFE_BATCH      12
#define LIFE_AGAIN      20 /* events before the watermark that are sent again */
#define LIFE_BOOT       7
#define LIFE_DAY        20000u
#define LIFE_COST       5
#define LIFE_NAME_BYTES 600

/* What was acknowledged, as told in one write. */
struct life_ack {
    uint64_t revision; /* 0: usage */
    uint64_t number;   /* unique number of the workspace, or through_seq */
};

struct life_told {
    struct life_ack *acks; /* changes only */
    size_t count, room;
    uint64_t through_seq;
};

static inline struct id life_id(uint8_t byte)
{
    struct id id;
    memset(id.b, byte, sizeof id.b);
    return id;
}

static inline struct id life_workspace(uint64_t number)
{
    struct id id = life_id(1);
    key_put_u64(id.b + 8, number);
    return id;
}

/* For writer_run; `arg` is a uint64_t, the workspace's number. */
static inline enum status life_put_workspace(struct write_op *op, void *arg)
{
    uint64_t number = *(uint64_t *)arg;
    char slug[32], name[LIFE_NAME_BYTES];
    struct id id = life_workspace(number);
    struct record_key key = {.kind = SLUICE__KIND__KIND_WORKSPACE, .org = life_id(1), .id = id};
    Sluice__Workspace row = SLUICE__WORKSPACE__INIT;
    snprintf(slug, sizeof slug, "w%llu", (unsigned long long)number);
    memset(name, 'n', sizeof name - 1);
    name[number % (sizeof name - 1)] = '\0';
    row.id = wire_id_data(&id);
    row.slug = slug;
    row.name = name;
    struct write_audit audit = {.action = "create", .resource_type = "workspace"};
    writer_audit(op, &audit);
    return record_put(op, &key, &row, str_c(slug));
}

/* One batch behind `through`, with some that were sent before; `through` becomes the ledger's. */
static inline enum status life_send_usage(struct writer *writer, uint64_t *through)
{
    Sluice__UsageEvent rows[LIFE_BATCH + LIFE_AGAIN];
    uint8_t attempts[LIFE_BATCH + LIFE_AGAIN][LEDGER_ATTEMPT_BYTES];
    Sluice__UsageEvent *events[LIFE_BATCH + LIFE_AGAIN];
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    struct id node = life_id(9), org = life_id(1);
    uint64_t first = *through > LIFE_AGAIN ? *through - LIFE_AGAIN : 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rows[i] = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        memcpy(attempts[i], node.b, sizeof node.b);
        memset(attempts[i] + sizeof node.b, 0, sizeof attempts[i] - sizeof node.b);
        key_put_u64(attempts[i] + 28, first + i);
        rows[i].attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, attempts[i]};
        rows[i].seq = first + i;
        rows[i].org = wire_id_data(&org);
        rows[i].at_ms = LIFE_DAY * ROLLUP_DAY_MS + (int64_t)((first + i) % 20) * ROLLUP_HOUR_MS;
        rows[i].cost_nanousd = LIFE_COST;
        events[i] = &rows[i];
    }
    batch.journal_boot = LIFE_BOOT;
    batch.events = events;
    batch.n_events = COUNT_OF(rows);
    return ledger_ingest(writer, &node, &batch, through);
}

static inline enum status life_count_change(void *arg, const struct record_change *change)
{
    uint64_t *count = arg;
    if (change->deleted || change->body.n == 0)
        return ST_BAD_FORMAT;
    ++*count;
    return ST_OK;
}

/* Every workspace is found by its slug; how many there are. UINT64_MAX: one is not. */
static inline uint64_t life_count_records(struct kv_txn *txn)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct id org = life_id(1);
    uint64_t count = 0;
    if (record_cursor_open(txn, SLUICE__KIND__KIND_WORKSPACE, &org, &ID_NONE, &cursor) != ST_OK)
        return UINT64_MAX;
    while (record_cursor_next(cursor, NULL, &key, NULL, NULL) == ST_OK) {
        char slug[32];
        struct record_key found;
        snprintf(slug, sizeof slug, "w%llu", (unsigned long long)key_get_u64(key.id.b + 8));
        if (record_find(txn, key.kind, &org, &ID_NONE, str_c(slug), &found) != ST_OK ||
            !id_eq(&found.id, &key.id)) {
            count = UINT64_MAX;
            break;
        }
        count++;
    }
    record_cursor_close(cursor);
    return count;
}

static inline const char *life_check_changes(struct kv_txn *txn, const struct life_told *told,
                                             struct arena *arena)
{
    uint64_t revision, feed = 0, got_revision;
    bool more;
    struct audit_check chain = {0};
    if (record_revision(txn, &revision) != ST_OK)
        return "no revision can be read";
    for (size_t i = 0; i < told->count; i++) {
        Sluice__Workspace *row;
        struct record_key key = {.kind = SLUICE__KIND__KIND_WORKSPACE,
                                 .org = life_id(1),
                                 .id = life_workspace(told->acks[i].number)};
        if (record_get(txn, &key, arena, &row, &got_revision) != ST_OK)
            return "an acknowledged change is lost";
        if (got_revision != told->acks[i].revision)
            return "a change carries another revision than was acknowledged";
        arena_free(arena);
    }
    if (life_count_records(txn) != revision)
        return "records, slugs and revision do not agree";
    if (record_changes(txn, 0, STR_NONE, SIZE_MAX, life_count_change, &feed, &more) != ST_OK ||
        feed != revision)
        return "the feed does not agree with the revision";
    if (audit_check_step(txn, SIZE_MAX, &chain) != ST_OK || !chain.done || !chain.intact ||
        chain.count != revision)
        return "the audit chain is not whole";
    return NULL;
}

static inline const char *life_check_usage(struct kv_txn *txn, const struct life_told *told,
                                           struct arena *arena)
{
    struct ledger_watermark mark;
    struct ledger_check sums;
    struct ledger_answer answer;
    struct id node = life_id(9);
    struct ledger_question all = {.org = life_id(1), .end_ms = INT32_MAX * 1000LL};
    if (ledger_watermark(txn, &node, LIFE_BOOT, &mark) != ST_OK)
        return "no watermark can be read";
    if (mark.through_seq < told->through_seq)
        return "acknowledged usage is lost";
    if (mark.rejected != 0 || mark.skipped != 0)
        return "usage was rejected or skipped";
    if (ledger_verify_day(txn, LIFE_DAY, &sums) != ST_OK || sums.events != mark.through_seq)
        return "entries and watermark do not agree";
    if (sums.different != 0 || sums.missing != 0 || sums.extra != 0)
        return "entries and sums do not agree";
    if (ledger_ask(txn, &all, arena, &answer) != ST_OK ||
        answer.totals.requests != mark.through_seq ||
        answer.totals.cost_nanousd != (int64_t)(mark.through_seq * LIFE_COST))
        return "the totals do not agree with the watermark";
    return NULL;
}

/* What was acknowledged is there, once; numbers have no gaps; the audit chain is whole; feed, slugs
 * and sums agree with the records. NULL if so. Uses and frees `arena`. */
static inline const char *life_check(struct kv *kv, const struct life_told *told,
                                     struct arena *arena)
{
    struct kv_txn *txn;
    if (kv_begin(kv, false, &txn) != ST_OK)
        return "no transaction can be begun";
    const char *wrong = life_check_changes(txn, told, arena);
    if (wrong == NULL)
        wrong = life_check_usage(txn, told, arena);
    kv_abort(txn);
    arena_free(arena);
    return wrong;
}

/* Adds an acknowledgement. False without memory. */
static inline bool life_tell(struct life_told *told, struct life_ack ack)
{
    if (ack.revision == 0) {
        told->through_seq = ack.number;
        return true;
    }
    if (told->count == told->room) {
        size_t room = told->room * 2 + 1024;
        struct life_ack *acks = realloc(told->acks, room * sizeof ack);
        if (acks == NULL)
            return false;
        told->acks = acks;
        told->room = room;
    }
    told->acks[told->count++] = ack;
    return true;
}

#endif
