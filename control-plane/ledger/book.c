/* book.c: bytes of the rows of counters and their epochs.
 *
 * Rows are of fixed length and carry a version; one of another version or length is refused, not
 * guessed. Sums stop at the ends of their range instead of wrapping: a figure that large is wrong
 * already, and must not become a small one. A counter of a policy is written together with its row
 * under the policy.
 */
#include "control-plane/ledger/book.h"

#define COUNTER_VERSION    1u
#define COUNTER_ROW_BYTES  (6u + 4u * ID_BYTES + 7u * 8u)
#define BOOK_VERSION       1u
#define BOOK_FIELDS        16u
#define BOOK_ROW_BYTES     (1u + 8u * BOOK_FIELDS + 5u)
#define COUNTER_TEXT_BYTES LIMIT_VALUE_KEY

void book_key(struct key *key, enum book_table table)
{
    key_init_space(key, KEY_SPACE_GRANT);
    key_add_u8(key, (uint8_t)table);
}

static struct str row_str(const uint8_t *row, size_t n)
{
    return str_of((const char *)row, n);
}

static enum status put_nothing(struct kv_txn *txn, const struct key *key)
{
    return kv_put(txn, KV_MAIN, key_str(key), STR(""));
}

int64_t book_sum(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

/* --- counters --- */

struct id counter_name(const struct rule_owner *owner)
{
    struct id id;
    limit_counter_id(&owner->ref, &id);
    return id;
}

static void counter_key(struct key *key, const struct id *id)
{
    book_key(key, BOOK_COUNTER);
    key_add_id(key, id);
}

static enum status counter_read(struct str row, struct counter *counter)
{
    const uint8_t *p = (const uint8_t *)row.p;
    if (row.n < COUNTER_ROW_BYTES || p[0] != COUNTER_VERSION)
        return ST_BAD_FORMAT;
    struct counter out = {.strict = p[5] != 0};
    struct limit_ref *ref = &out.owner.ref;
    struct id *const ids[] = {&ref->org, &ref->entity, &ref->second, &out.owner.workspace};
    ref->level = p[1];
    ref->measure = p[2];
    ref->window = p[3];
    ref->nth = p[4];
    p += 6;
    for (size_t i = 0; i < COUNT_OF(ids); i++, p += ID_BYTES)
        memcpy(ids[i]->b, p, ID_BYTES);
    out.epoch = key_get_u64(p);
    out.last_reset_ms = (int64_t)key_get_u64(p + 8);
    out.stamp = key_get_u64(p + 16);
    out.period_mark = key_get_u64(p + 24);
    out.limit = (int64_t)key_get_u64(p + 32);
    out.alert = (int64_t)key_get_u64(p + 40);
    out.burst = (int64_t)key_get_u64(p + 48);
    ref->value_key = str_from(row, COUNTER_ROW_BYTES);
    *counter = out;
    return ST_OK;
}

enum status counter_get(struct kv_txn *txn, const struct id *id, struct counter *counter)
{
    struct key key;
    struct str row;
    counter_key(&key, id);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &row));
    return counter_read(row, counter);
}

static void policy_key(struct key *key, const struct id *policy)
{
    book_key(key, BOOK_OF_POLICY);
    key_add_id(key, policy);
}

/* A policy has one counter more, or one less. */
static enum status policy_count(struct kv_txn *txn, const struct id *policy, bool more)
{
    struct key key;
    struct str row;
    uint8_t bytes[8];
    uint64_t count = 0;
    policy_key(&key, policy);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_OK && row.n == 8)
        count = key_get_u64(row.p);
    else if (status != ST_NOT_FOUND)
        return status == ST_OK ? ST_BAD_FORMAT : status;
    if (more && count >= BOOK_POLICY_MAX)
        return ST_TOO_LARGE;
    CHECK(more || count > 0);
    key_put_u64(bytes, more ? count + 1 : count - 1);
    return kv_put(txn, KV_MAIN, key_str(&key), row_str(bytes, sizeof bytes));
}

static enum status counter_put_policy(struct kv_txn *txn, const struct id *id,
                                      const struct limit_ref *ref)
{
    struct key key;
    struct str have;
    if (ref->level != LIMIT_POLICY)
        return ST_OK;
    policy_key(&key, &ref->entity);
    key_add_id(&key, id);
    if (kv_get(txn, KV_MAIN, key_str(&key), &have) == ST_OK)
        return ST_OK;
    TRY(policy_count(txn, &ref->entity, true));
    return kv_put(txn, KV_MAIN, key_str(&key), ref->value_key);
}

enum status counter_drop(struct kv_txn *txn, const struct id *id, const struct counter *counter)
{
    const struct limit_ref *ref = &counter->owner.ref;
    struct key key;
    counter_key(&key, id);
    TRY(kv_delete(txn, KV_MAIN, key_str(&key)));
    if (ref->level != LIMIT_POLICY)
        return ST_OK;
    policy_key(&key, &ref->entity);
    key_add_id(&key, id);
    TRY(kv_delete(txn, KV_MAIN, key_str(&key)));
    return policy_count(txn, &ref->entity, false);
}

enum status counter_put(struct kv_txn *txn, const struct id *id, const struct counter *counter)
{
    const struct limit_ref *ref = &counter->owner.ref;
    const struct id *const ids[] = {&ref->org, &ref->entity, &ref->second,
                                    &counter->owner.workspace};
    const uint64_t numbers[] = {counter->epoch,           (uint64_t)counter->last_reset_ms,
                                counter->stamp,           counter->period_mark,
                                (uint64_t)counter->limit, (uint64_t)counter->alert,
                                (uint64_t)counter->burst};
    uint8_t row[COUNTER_ROW_BYTES + COUNTER_TEXT_BYTES] = {
        COUNTER_VERSION, ref->level, ref->measure, ref->window, ref->nth, counter->strict};
    uint8_t *p = row + 6;
    struct key key;
    CHECK(ref->value_key.n <= COUNTER_TEXT_BYTES);
    for (size_t i = 0; i < COUNT_OF(ids); i++, p += ID_BYTES)
        memcpy(p, ids[i]->b, ID_BYTES);
    for (size_t i = 0; i < COUNT_OF(numbers); i++, p += 8)
        key_put_u64(p, numbers[i]);
    if (ref->value_key.n > 0)
        memcpy(p, ref->value_key.p, ref->value_key.n);
    counter_key(&key, id);
    TRY(kv_put(txn, KV_MAIN, key_str(&key), row_str(row, COUNTER_ROW_BYTES + ref->value_key.n)));
    return counter_put_policy(txn, id, ref);
}

/* --- epochs --- */

static void epoch_key(struct key *key, const struct id *counter, uint64_t epoch)
{
    book_key(key, BOOK_EPOCH);
    key_add_id(key, counter);
    key_add_u64(key, epoch);
}

/* In the order of the row. */
static void book_fields(struct book *book, int64_t *fields[BOOK_FIELDS])
{
    int64_t *const all[BOOK_FIELDS] = {
        &book->started_ms, &book->ends_ms,     &book->closed_ms,    &book->limit,
        &book->cap,        &book->settled,     &book->lost,         &book->outstanding,
        &book->dropped,    &book->adopted,     &book->lost_dropped, &book->told_alert,
        &book->told_limit, &book->recalled_ms, &book->fruitless_ms, &book->swept_ms,
    };
    memcpy(fields, all, sizeof all);
}

enum status book_get(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                     struct book *book)
{
    int64_t *fields[BOOK_FIELDS];
    struct book out = {0};
    struct key key;
    struct str row;
    epoch_key(&key, counter, epoch);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &row));
    if (row.n != BOOK_ROW_BYTES || (uint8_t)row.p[0] != BOOK_VERSION)
        return ST_BAD_FORMAT;
    book_fields(&out, fields);
    for (size_t i = 0; i < BOOK_FIELDS; i++)
        *fields[i] = (int64_t)key_get_u64(row.p + 1 + 8 * i);
    out.holders = key_get_u32(row.p + 1 + 8 * BOOK_FIELDS);
    out.loose = row.p[5 + 8 * BOOK_FIELDS] != 0;
    *book = out;
    return ST_OK;
}

enum status book_get_or_new(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                            struct book *book)
{
    enum status status = book_get(txn, counter, epoch, book);
    if (status != ST_NOT_FOUND)
        return status;
    *book = (struct book){.started_ms = epoch > INT64_MAX ? INT64_MAX : (int64_t)epoch,
                          .ends_ms = INT64_MAX};
    return ST_OK;
}

enum status book_put(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                     const struct book *book)
{
    struct book copy = *book;
    int64_t *fields[BOOK_FIELDS];
    uint8_t row[BOOK_ROW_BYTES] = {BOOK_VERSION};
    struct key key;
    book_fields(&copy, fields);
    for (size_t i = 0; i < BOOK_FIELDS; i++)
        key_put_u64(row + 1 + 8 * i, (uint64_t)*fields[i]);
    key_put_u32(row + 1 + 8 * BOOK_FIELDS, book->holders);
    row[5 + 8 * BOOK_FIELDS] = book->loose;
    epoch_key(&key, counter, epoch);
    return kv_put(txn, KV_MAIN, key_str(&key), row_str(row, sizeof row));
}

enum status book_drop(struct kv_txn *txn, const struct id *counter, uint64_t epoch)
{
    struct key key;
    book_key(&key, BOOK_WINDOW);
    key_add_id(&key, counter);
    key_add_u64(&key, epoch);
    enum status status = kv_delete(txn, KV_MAIN, key_str(&key));
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    epoch_key(&key, counter, epoch);
    return kv_delete(txn, KV_MAIN, key_str(&key));
}

enum status book_newest(struct kv_txn *txn, const struct id *counter, uint64_t before,
                        uint64_t *epoch)
{
    struct kv_cursor *cursor;
    struct key from, prefix;
    struct str key, row;
    if (before <= 1)
        return ST_NOT_FOUND;
    epoch_key(&from, counter, before - 1);
    book_key(&prefix, BOOK_EPOCH);
    key_add_id(&prefix, counter);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek_last(cursor, key_str(&from));
    enum status status = kv_cursor_prev(cursor, &key, &row);
    uint64_t found = 0;
    if (status == ST_OK && str_starts(key, key_str(&prefix)) && key.n == prefix.n + 8)
        found = key_get_u64(key.p + prefix.n);
    kv_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    if (found == 0)
        return ST_NOT_FOUND;
    *epoch = found;
    return ST_OK;
}

int64_t book_taken(const struct book *book)
{
    return book_sum(book_sum(book->settled, book->lost), book->outstanding);
}

void book_let_fall(struct book *book)
{
    int64_t taken = book_taken(book);
    if (taken < book->cap)
        book->cap = taken;
    if (book->cap < book->limit)
        book->cap = book->limit;
}

void book_learn(struct book *book)
{
    int64_t taken = book_taken(book);
    if (taken <= book->cap)
        return;
    book->cap = taken;
    book->loose = true;
}

void book_set_limit(struct book *book, int64_t limit)
{
    int64_t taken = book_taken(book);
    book->limit = limit;
    book->cap = taken > limit ? taken : limit;
}

/* --- ends --- */

static void end_key(struct key *key, const struct id *counter, int64_t ends_ms)
{
    book_key(key, BOOK_ENDS);
    key_add_u64(key, (uint64_t)ends_ms);
    key_add_id(key, counter);
}

enum status book_end_note(struct kv_txn *txn, const struct id *counter, int64_t ends_ms)
{
    struct key key;
    if (ends_ms == INT64_MAX)
        return ST_OK;
    end_key(&key, counter, ends_ms);
    return put_nothing(txn, &key);
}

enum status book_end_forget(struct kv_txn *txn, const struct id *counter, int64_t ends_ms)
{
    struct key key;
    if (ends_ms == INT64_MAX)
        return ST_OK;
    end_key(&key, counter, ends_ms);
    enum status status = kv_delete(txn, KV_MAIN, key_str(&key));
    return status == ST_NOT_FOUND ? ST_OK : status;
}
