/* book.h: the rows of counters: who a counter is, and the sums of an epoch. For
 * control-plane/ledger only.
 *
 * Rows (KV_MAIN, space 'G'), numbers big-endian:
 *   [0x7F 'G']['C'][counter 16]                           -> struct counter
 *   [0x7F 'G']['E'][counter 16][epoch 8]                  -> struct book
 *   [0x7F 'G']['H'][counter 16][epoch 8][node 16][boot 8] -> struct holding (holding.h)
 *   [0x7F 'G']['N'][node 16][boot 8][counter 16][epoch 8] -> nothing: the holdings of a boot
 *   [0x7F 'G']['P'][policy 16][counter 16]                -> value_key: the counters of a policy
 *   [0x7F 'G']['P'][policy 16]                            -> u64, how many
 *   [0x7F 'G']['T'][ends_ms 8][counter 16]                -> nothing: current epochs that will end
 *   [0x7F 'G']['B'][node 16][boot 8]                      -> struct boot (boots.h)
 *   [0x7F 'G']['W'][counter 16][epoch 8]                  -> window of a rate (rate.h)
 *   [0x7F 'G']['S'][node 16]                              -> it said what it holds (recovery.h)
 *
 * An epoch's number is the time at which it was opened (UTC ms, at least one more than the last):
 * it grows, and an epoch that only a node remembers after a restore tells its own age. Epoch 0 is
 * no epoch: its book collects what nodes spent before they were told one.
 *
 * Sums of a book, of all nodes (grants.h):   rest(h) = max(0, granted + ghost - returned - used)
 *   outstanding = sum of rest(h) over its holdings that are neither closed nor lost
 *   lost        = sum of rest(h) over those that are lost: counts as spent
 *   settled     = sum of the reserves of usage events
 *   cap         = limit, or after it was lowered what settled + lost + outstanding was then, and
 *                 falling with it;   invariant: settled + lost + outstanding <= cap (unless
 *                 `loose`)
 *
 * Reading gives copies, but for texts, which borrow from the transaction. Writing: the writer
 * thread.
 */
#ifndef SLUICE_CONTROL_BOOK_H
#define SLUICE_CONTROL_BOOK_H

#include "control-plane/ledger/rule.h"
#include "control-plane/store/keys.h"
#include "control-plane/store/writer.h"

#define BOOK_POLICY_MAX UINT64_C(1000000) /* value_keys of a policy that are kept at a time */

enum book_table {
    BOOK_COUNTER = 'C',
    BOOK_EPOCH = 'E',
    BOOK_HOLDING = 'H',
    BOOK_OF_NODE = 'N',
    BOOK_OF_POLICY = 'P',
    BOOK_ENDS = 'T',
    BOOK_BOOT = 'B',
    BOOK_WINDOW = 'W',
    BOOK_SAID = 'S',
};

/* Begins a key of one of the tables. */
void book_key(struct key *key, enum book_table table);

/* --- counters --- */

struct counter {
    struct rule_owner owner;
    uint64_t epoch; /* the current one; 0: none was opened yet */
    int64_t last_reset_ms;
    /* The definition when it was last looked at. */
    uint64_t stamp;       /* of the rule; 0: never */
    uint64_t period_mark; /* of the rule */
    bool strict;
    int64_t limit, alert, burst;
};
/* The name that `owner` gives. */
struct id counter_name(const struct rule_owner *owner);
/* value_key borrows. ST_NOT_FOUND, ST_BAD_FORMAT. */
MUST_USE enum status counter_get(struct kv_txn *txn, const struct id *id, struct counter *counter);
/* Writes the counter, and its row under its policy if it is new. ST_TOO_LARGE: the policy has
 * BOOK_POLICY_MAX already. ST_STORE_FULL, ST_IO. */
MUST_USE enum status counter_put(struct kv_txn *txn, const struct id *id,
                                 const struct counter *counter);
/* Deletes its rows; its books are the caller's. ST_IO. */
MUST_USE enum status counter_drop(struct kv_txn *txn, const struct id *id,
                                  const struct counter *counter);

/* --- epochs --- */

struct book {
    int64_t started_ms;
    int64_t ends_ms;   /* INT64_MAX: never */
    int64_t closed_ms; /* 0: it is the current one */
    int64_t limit, cap;
    int64_t settled, lost, outstanding;
    int64_t dropped;      /* part of settled whose events are no longer kept */
    int64_t adopted;      /* part of settled that came with epoch 0; in the book of epoch 0: part
                             that was given to an epoch */
    int64_t lost_dropped; /* part of lost whose entries are no longer kept */
    int64_t told_alert, told_limit; /* the figures whose crossing was told; 0: none */
    int64_t recalled_ms;            /* when grants were last asked back (grants_time) */
    int64_t fruitless_ms;           /* when nobody was last found to ask */
    int64_t swept_ms;               /* when silent holders were last looked for */
    uint32_t holders;               /* nodes that hold or asked lately */
    bool loose; /* cap may be passed: standard mode was in force in this epoch, what was lost was
                   freed by an operator, a restored store learned of more, or entries were
                   corrected upwards */
};
/* ST_NOT_FOUND, ST_BAD_FORMAT. */
MUST_USE enum status book_get(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                              struct book *book);
/* As book_get; a book that is not there is empty: started at its epoch, ends never. */
MUST_USE enum status book_get_or_new(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                                     struct book *book);
MUST_USE enum status book_put(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                              const struct book *book);
/* Deletes a book, and the window of a rate; its holdings are the caller's. ST_NOT_FOUND, ST_IO. */
MUST_USE enum status book_drop(struct kv_txn *txn, const struct id *counter, uint64_t epoch);
/* The newest epoch of a counter that is before `before`, or any (UINT64_MAX), 0 passed over.
 * ST_NOT_FOUND. */
MUST_USE enum status book_newest(struct kv_txn *txn, const struct id *counter, uint64_t before,
                                 uint64_t *epoch);
/* Everything that counts against the limit: settled + lost + outstanding. */
int64_t book_taken(const struct book *book);
/* Lets cap follow: up with the limit, down with what is taken. */
void book_set_limit(struct book *book, int64_t limit);
void book_let_fall(struct book *book);
/* More is learned to be taken than may be, after a restore or by a correction: cap rises to it. */
void book_learn(struct book *book);

/* a + b, held at the ends of the range. */
int64_t book_sum(int64_t a, int64_t b);

/* --- ends --- */

/* Notes, or forgets, when a current epoch ends; INT64_MAX is not noted. ST_STORE_FULL, ST_IO. */
MUST_USE enum status book_end_note(struct kv_txn *txn, const struct id *counter, int64_t ends_ms);
MUST_USE enum status book_end_forget(struct kv_txn *txn, const struct id *counter, int64_t ends_ms);

#endif
