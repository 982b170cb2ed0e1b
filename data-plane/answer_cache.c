/* answer_cache.c: a hash table of answers with a list by last use (answer_cache.h).
 *
 *   buckets: key -> entry -> entry                 newest <-> ... <-> oldest: evicted first
 *
 * Every byte is counted in `bytes` from the moment it is allocated to the moment it is freed:
 * entries in the table, entries that left it while they are still being sent, drafts. Invariant:
 * bytes <= max_bytes. An entry is freed when it is neither in the table nor retained. Must never:
 * store what is not a whole answer with status 200, or give an answer to another tenant.
 */
#include "data-plane/answer_cache.h"

#include <sodium.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json_digest.h"

#define ANSWER_MAGIC     0x414E5331u
#define DRAFT_MAGIC      0x414E5332u
#define BYTES_PER_BUCKET 4096u
#define ENTRY_SHARE      8u   /* of the cache: the largest answer */
#define DRAFT_STEP       256u /* beyond what a buffer rounds up */

struct entry {
    struct answer answer; /* first: what callers hold */
    uint32_t magic;
    bool stored; /* in the table */
    uint32_t retained;
    struct answer_key key;
    struct id org, workspace;
    int64_t expires_ms;
    size_t bytes;
    struct entry *next; /* of the bucket */
    struct entry *newer, *older;
    char text[];
};

struct answer_cache {
    uint32_t magic;
    size_t max_bytes, bytes, entries, drafts, retained;
    size_t bucket_count;
    struct entry *newest, *oldest;
    uint64_t hits, misses, stored, evicted;
    uint8_t secret[crypto_generichash_KEYBYTES];
    struct entry *buckets[];
};

struct answer_draft {
    uint32_t magic;
    struct answer_cache *cache;
    struct answer_key key;
    struct id org, workspace;
    bool is_stream, spoilt;
    size_t content_type_n;
    size_t counted;   /* bytes of it in cache->bytes */
    struct buf bytes; /* content type, then the body */
};

/* --- the table --- */

enum status answer_cache_new(size_t max_bytes, struct answer_cache **cache)
{
    if (max_bytes < ANSWER_MIN_BYTES)
        return ST_INVALID;
    size_t count = 16;
    while (count < max_bytes / BYTES_PER_BUCKET)
        count *= 2;
    struct answer_cache *made = calloc(1, sizeof *made + count * sizeof(struct entry *));
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = ANSWER_MAGIC;
    made->max_bytes = max_bytes;
    made->bucket_count = count;
    randombytes_buf(made->secret, sizeof made->secret);
    *cache = made;
    return ST_OK;
}

static struct entry **bucket_of(struct answer_cache *cache, const struct answer_key *key)
{
    uint64_t at;
    memcpy(&at, key->b, sizeof at);
    return &cache->buckets[at & (cache->bucket_count - 1)];
}

static void list_remove(struct answer_cache *cache, struct entry *entry)
{
    *(entry->newer == NULL ? &cache->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &cache->oldest : &entry->older->newer) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void list_push(struct answer_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest == NULL ? &cache->oldest : &cache->newest->newer) = entry;
    cache->newest = entry;
}

static void free_unused(struct answer_cache *cache, struct entry *entry)
{
    if (entry->stored || entry->retained > 0)
        return;
    cache->bytes -= entry->bytes;
    entry->magic = 0;
    free(entry);
}

/* Out of the table; its memory stays while somebody sends it. */
static void remove_entry(struct answer_cache *cache, struct entry *entry)
{
    struct entry **at = bucket_of(cache, &entry->key);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    list_remove(cache, entry);
    cache->entries--;
    entry->stored = false;
    free_unused(cache, entry);
}

/* Room for n bytes more, by letting the oldest go. False: it cannot be had. */
static bool make_room(struct answer_cache *cache, size_t n)
{
    if (n > cache->max_bytes)
        return false;
    while (cache->bytes > cache->max_bytes - n && cache->oldest != NULL) {
        remove_entry(cache, cache->oldest);
        cache->evicted++;
    }
    return cache->bytes <= cache->max_bytes - n;
}

static struct entry *look_up(struct answer_cache *cache, const struct answer_key *key)
{
    struct entry *entry = *bucket_of(cache, key);
    while (entry != NULL && memcmp(entry->key.b, key->b, sizeof key->b) != 0)
        entry = entry->next;
    return entry;
}

void answer_cache_free(struct answer_cache *cache)
{
    if (cache == NULL)
        return;
    CHECK_OBJ(cache, ANSWER_MAGIC);
    while (cache->oldest != NULL)
        remove_entry(cache, cache->oldest);
    CHECK(cache->bytes == 0 && cache->drafts == 0 && cache->retained == 0);
    sodium_memzero(cache->secret, sizeof cache->secret);
    free(cache);
}

/* --- keys --- */

static void feed(crypto_generichash_state *hash, struct str bytes)
{
    uint64_t n = bytes.n;
    crypto_generichash_update(hash, (const uint8_t *)&n, sizeof n);
    if (n > 0)
        crypto_generichash_update(hash, (const uint8_t *)bytes.p, n);
}

enum status answer_cache_key(const struct answer_cache *cache, struct arena *arena,
                             const struct answer_name *name, struct answer_key *key)
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, cache->secret, sizeof cache->secret, sizeof key->b);
    feed(&hash, id_bytes(&name->org));
    feed(&hash, id_bytes(&name->workspace));
    feed(&hash, str_of((const char *)&name->op, sizeof name->op));
    feed(&hash, name->targets);
    feed(&hash, name->space);
    TRY(json_digest(arena, name->body, ANSWER_BODY_NODES_MAX, &hash));
    crypto_generichash_final(&hash, key->b, sizeof key->b);
    return ST_OK;
}

/* --- reading --- */

const struct answer *answer_cache_find(struct answer_cache *cache, const struct answer_key *key,
                                       const struct id *org, const struct id *workspace,
                                       uint32_t max_age_s, int64_t now_ms)
{
    CHECK_OBJ(cache, ANSWER_MAGIC);
    struct entry *entry = look_up(cache, key);
    int64_t age_ms = INT64_C(1000) * (max_age_s > 0 ? max_age_s : ANSWER_MAX_AGE_DEFAULT_S);
    if (entry != NULL && now_ms >= entry->expires_ms) {
        remove_entry(cache, entry);
        entry = NULL;
    }
    if (entry == NULL || now_ms - entry->answer.stored_ms >= age_ms || !id_eq(&entry->org, org) ||
        !id_eq(&entry->workspace, workspace)) {
        cache->misses++;
        return NULL;
    }
    list_remove(cache, entry);
    list_push(cache, entry);
    cache->hits++;
    cache->retained++;
    entry->retained++;
    return &entry->answer;
}

void answer_release(struct answer_cache *cache, const struct answer *answer)
{
    if (answer == NULL)
        return;
    struct entry *entry = (struct entry *)(uintptr_t)answer;
    CHECK_OBJ(entry, ANSWER_MAGIC);
    CHECK(entry->retained > 0 && cache->retained > 0);
    entry->retained--;
    cache->retained--;
    free_unused(cache, entry);
}

/* --- writing --- */

static size_t entry_limit(const struct answer_cache *cache)
{
    return cache->max_bytes / ENTRY_SHARE;
}

struct answer_draft *answer_draft_begin(struct answer_cache *cache, const struct answer_key *key,
                                        const struct id *org, const struct id *workspace,
                                        struct str content_type, bool is_stream)
{
    CHECK_OBJ(cache, ANSWER_MAGIC);
    if (content_type.n > 256 || !make_room(cache, sizeof(struct answer_draft)))
        return NULL;
    struct answer_draft *draft = calloc(1, sizeof *draft);
    if (draft == NULL)
        return NULL;
    *draft = (struct answer_draft){.magic = DRAFT_MAGIC,
                                   .cache = cache,
                                   .key = *key,
                                   .org = *org,
                                   .workspace = *workspace,
                                   .is_stream = is_stream,
                                   .content_type_n = content_type.n,
                                   .counted = sizeof *draft};
    buf_init(&draft->bytes, entry_limit(cache));
    cache->bytes += draft->counted;
    cache->drafts++;
    answer_draft_add(draft, content_type);
    return draft;
}

/* Counts what the draft's buffer takes now. */
static void recount(struct answer_draft *draft)
{
    size_t counted = sizeof *draft + draft->bytes.room_bytes;
    draft->cache->bytes = draft->cache->bytes - draft->counted + counted;
    draft->counted = counted;
}

/* What will not be stored takes no room. */
static void spoil(struct answer_draft *draft)
{
    draft->spoilt = true;
    buf_free(&draft->bytes);
    recount(draft);
}

/* The buffer at most doubles, or becomes as large as it must. */
static bool has_room(struct answer_draft *draft, size_t n)
{
    size_t room = draft->bytes.room_bytes, need = draft->bytes.n + n + DRAFT_STEP;
    size_t grown = need > 2 * room ? need : 2 * room;
    return need <= room || make_room(draft->cache, grown - room);
}

void answer_draft_add(struct answer_draft *draft, struct str bytes)
{
    if (draft == NULL || draft->spoilt || bytes.n == 0)
        return;
    CHECK_OBJ(draft, DRAFT_MAGIC);
    bool fits = bytes.n <= entry_limit(draft->cache) && has_room(draft, bytes.n);
    if (fits)
        buf_add_str(&draft->bytes, bytes);
    if (fits && buf_status(&draft->bytes) == ST_OK)
        recount(draft);
    else
        spoil(draft);
}

void answer_draft_drop(struct answer_draft *draft)
{
    if (draft == NULL)
        return;
    CHECK_OBJ(draft, DRAFT_MAGIC);
    draft->cache->bytes -= draft->counted;
    draft->cache->drafts--;
    buf_free(&draft->bytes);
    draft->magic = 0;
    free(draft);
}

static struct entry *make_entry(const struct answer_draft *draft, uint32_t max_age_s,
                                int64_t now_ms)
{
    size_t n = draft->bytes.n, bytes = sizeof(struct entry) + n;
    struct entry *entry = make_room(draft->cache, bytes) ? calloc(1, bytes) : NULL;
    if (entry == NULL)
        return NULL;
    if (n > 0)
        memcpy(entry->text, draft->bytes.p, n);
    entry->magic = ANSWER_MAGIC;
    entry->stored = true;
    entry->key = draft->key;
    entry->org = draft->org;
    entry->workspace = draft->workspace;
    entry->bytes = bytes;
    entry->expires_ms =
        now_ms + INT64_C(1000) * (max_age_s > 0 ? max_age_s : ANSWER_MAX_AGE_DEFAULT_S);
    entry->answer = (struct answer){
        .content_type = str_of(entry->text, draft->content_type_n),
        .body = str_of(entry->text + draft->content_type_n, n - draft->content_type_n),
        .stored_ms = now_ms,
        .is_stream = draft->is_stream};
    return entry;
}

bool answer_draft_store(struct answer_draft *draft, int http_status, uint32_t max_age_s,
                        int64_t now_ms)
{
    if (draft == NULL)
        return false;
    CHECK_OBJ(draft, DRAFT_MAGIC);
    struct answer_cache *cache = draft->cache;
    struct entry *entry = NULL;
    if (http_status == 200 && !draft->spoilt) {
        struct entry *before = look_up(cache, &draft->key);
        if (before != NULL)
            remove_entry(cache, before);
        entry = make_entry(draft, max_age_s, now_ms);
    }
    if (entry != NULL) {
        struct entry **bucket = bucket_of(cache, &entry->key);
        entry->next = *bucket;
        *bucket = entry;
        list_push(cache, entry);
        cache->entries++;
        cache->bytes += entry->bytes;
        cache->stored++;
    }
    answer_draft_drop(draft);
    return entry != NULL;
}

void answer_cache_figures(const struct answer_cache *cache, struct answer_cache_figures *out)
{
    *out = (struct answer_cache_figures){cache->entries, cache->bytes,  cache->drafts, cache->hits,
                                         cache->misses,  cache->stored, cache->evicted};
}
