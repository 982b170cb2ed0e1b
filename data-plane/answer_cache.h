/* answer_cache.h: answers kept for the same question (gateway-semantics.md section 2.6).
 *
 *   request -> name -> key -> find --- hit: replay it
 *                              `------ miss: attempt -> draft: bytes as they go to the client ->
 * store
 *
 * A key is a keyed hash over organisation, workspace, operation, who may answer, namespace, and
 * what the body says (json_digest.h), so nothing is ever answered across tenants; a hit is checked
 * for its tenant once more. Only answers with status 200 that came to their end are stored, streams
 * as the bytes of their events. max_age is in seconds; the age at which a reader takes an answer is
 * the reader's own, and never above the writer's.
 *
 * One per worker, in private memory: no lock, and a worker that went wrong cannot answer for
 * others. Price: a question is asked up to once per worker, so with W workers and a question that
 * comes n times within max_age the hit rate is at least (n - W) / n; a client that keeps its
 * connection stays with its worker and sees (n - 1) / n. One thread. Bounded: max_bytes for
 * entries, drafts and answers being sent together; the least recently used go first; what does not
 * fit is not stored.
 */
#ifndef SLUICE_DATA_ANSWER_CACHE_H
#define SLUICE_DATA_ANSWER_CACHE_H

#include "common/arena.h"
#include "common/id.h"

#define ANSWER_MAX_AGE_DEFAULT_S 86400
#define ANSWER_BODY_NODES_MAX    20000u /* values of a body that can be cached */
#define ANSWER_MIN_BYTES         (64u << 10)

struct answer_name {
    struct id org, workspace;
    uint32_t op;
    struct str targets; /* who may answer: any bytes that name them and nobody else */
    struct str space;   /* the caller's namespace; n = 0 none */
    struct str body;    /* a JSON text, overrides merged */
};

struct answer_key {
    uint8_t b[32];
};

/* A stored answer; read-only. */
struct answer {
    struct str content_type, body;
    int64_t stored_ms;
    bool is_stream;
};

struct answer_cache;

/* gives. ST_NO_MEMORY, ST_INVALID (max_bytes below ANSWER_MIN_BYTES). */
MUST_USE enum status answer_cache_new(size_t max_bytes, struct answer_cache **cache);
/* Every answer was released, every draft stored or dropped (CHECKed). */
void answer_cache_free(struct answer_cache *cache);

/* ST_BAD_JSON, ST_TOO_LARGE: a body that cannot be cached. ST_NO_MEMORY. */
MUST_USE enum status answer_cache_key(const struct answer_cache *cache, struct arena *arena,
                                      const struct answer_name *name, struct answer_key *key);

/* retains the answer to `key` if it is at most max_age_s old (0: the default); NULL if there is
 * none. The key's org and workspace. now_ms: monotonic. */
const struct answer *answer_cache_find(struct answer_cache *cache, const struct answer_key *key,
                                       const struct id *org, const struct id *workspace,
                                       uint32_t max_age_s, int64_t now_ms);
/* releases; NULL is allowed. */
void answer_release(struct answer_cache *cache, const struct answer *answer);

/* An answer on its way: one per attempt, from its head to its end. */
struct answer_draft;
/* gives, or NULL: there is no room, the answer will not be stored. */
struct answer_draft *answer_draft_begin(struct answer_cache *cache, const struct answer_key *key,
                                        const struct id *org, const struct id *workspace,
                                        struct str content_type, bool is_stream);
/* copies bytes that went to the client. NULL is allowed; what does not fit spoils the draft. */
void answer_draft_add(struct answer_draft *draft, struct str bytes);
/* takes the draft: stores it in the place of what was there. http_status: only 200 is stored.
 * max_age_s: 0 the default. True if it is stored. NULL is allowed. */
bool answer_draft_store(struct answer_draft *draft, int http_status, uint32_t max_age_s,
                        int64_t now_ms);
/* takes: the answer broke off, held an error, or nobody is left to get it. NULL is allowed. */
void answer_draft_drop(struct answer_draft *draft);

struct answer_cache_figures {
    size_t entries, bytes, drafts;
    uint64_t hits, misses, stored, evicted;
};
void answer_cache_figures(const struct answer_cache *cache, struct answer_cache_figures *out);

#endif
