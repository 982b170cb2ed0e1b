/* tokens.c: see tokens.h.
 *
 * One entry per (kind, scope, owner): a token, or the reason why there is none, and the fetch that
 * is under way. Invariants: never two fetches for one entry; a token is not given after its end;
 * what is secret is in guarded memory at rest, and for the time of one ask in the one guarded page
 * that all asks share. Renewal begins when a fifth of the life is left, or five minutes if that is
 * less.
 */
#include "data-plane/worker/tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "data-plane/worker/fetch.h"
#include "data-plane/worker/worker.h"

#define KEY_BYTES        32
#define RENEW_MOST_NS    (300 * INT64_C(1000000000))
#define RETRY_NS         INT64_C(1000000000)        /* after a failure that may pass */
#define RETRY_REFUSED_NS (10 * INT64_C(1000000000)) /* after a refusal */
#define FORGET_LEAST_NS  (10 * INT64_C(1000000000)) /* a token younger than this is not at fault */
#define SECOND_NS        INT64_C(1000000000)

struct token_entry {
    uint8_t key[KEY_BYTES], owner_key[KEY_BYTES];
    bool used;
    struct tokens *tokens;
    const struct token_kind *kind;
    struct secret *value; /* NULL: none */
    int64_t got_ns, ends_ns, renew_ns, used_ns;
    struct fetch *fetch;
    enum status failed; /* of the last fetch */
    int64_t retry_ns;
    char reason[TOKEN_REASON_MAX];
    struct token_wait *waiting;
};

struct tokens {
    struct worker *worker;
    struct secret *room; /* for one ask at a time */
    size_t count;
    struct token_entry entries[TOKENS_MAX];
};

enum status tokens_open(struct worker *worker, struct tokens **out)
{
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens == NULL)
        return ST_NO_MEMORY;
    tokens->worker = worker;
    enum status status = secret_new(TOKEN_ROOM_BYTES, &tokens->room);
    if (status != ST_OK) {
        free(tokens);
        return status;
    }
    *out = tokens;
    return ST_OK;
}

static void clear(struct token_entry *entry)
{
    fetch_cancel(entry->fetch);
    secret_free(entry->value);
    memset(entry, 0, sizeof *entry);
}

void tokens_close(struct tokens *tokens)
{
    if (tokens == NULL)
        return;
    for (size_t i = 0; i < tokens->count; i++)
        clear(&tokens->entries[i]);
    secret_free(tokens->room);
    free(tokens);
}

/* --- entries */

static void hash_str(crypto_generichash_state *state, struct str text)
{
    uint64_t n = text.n;
    crypto_generichash_update(state, (const unsigned char *)&n, sizeof n);
    crypto_generichash_update(state, (const unsigned char *)text.p, text.n);
}

static void keys_of(const struct token_owner *owner, const struct token_kind *kind,
                    struct str scope, uint8_t key[KEY_BYTES], uint8_t owner_key[KEY_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, KEY_BYTES);
    crypto_generichash_update(&state, owner->org.b, sizeof owner->org.b);
    crypto_generichash_update(&state, owner->owner.b, sizeof owner->owner.b);
    crypto_generichash_update(&state, (const unsigned char *)&owner->version,
                              sizeof owner->version);
    hash_str(&state, owner->hosts);
    crypto_generichash_final(&state, owner_key, KEY_BYTES);
    if (kind == NULL)
        return;
    crypto_generichash_init(&state, NULL, 0, KEY_BYTES);
    crypto_generichash_update(&state, owner_key, KEY_BYTES);
    hash_str(&state, str_c(kind->name));
    hash_str(&state, scope);
    crypto_generichash_final(&state, key, KEY_BYTES);
}

/* The place of the entry that was not used for longest and that nothing waits for. NULL: none. */
static struct token_entry *make_room(struct tokens *tokens)
{
    struct token_entry *oldest = NULL;
    if (tokens->count < TOKENS_MAX)
        return &tokens->entries[tokens->count++];
    for (size_t i = 0; i < TOKENS_MAX; i++) {
        struct token_entry *entry = &tokens->entries[i];
        if (entry->fetch == NULL && entry->waiting == NULL &&
            (oldest == NULL || entry->used_ns < oldest->used_ns))
            oldest = entry;
    }
    if (oldest != NULL)
        clear(oldest);
    return oldest;
}

static struct token_entry *find(struct tokens *tokens, const struct token_owner *owner,
                                const struct token_kind *kind, struct str scope)
{
    uint8_t key[KEY_BYTES], owner_key[KEY_BYTES];
    keys_of(owner, kind, scope, key, owner_key);
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->entries[i].used && memcmp(tokens->entries[i].key, key, KEY_BYTES) == 0)
            return &tokens->entries[i];
    struct token_entry *entry = make_room(tokens);
    if (entry == NULL)
        return NULL;
    entry->used = true;
    entry->tokens = tokens;
    entry->kind = kind;
    memcpy(entry->key, key, KEY_BYTES);
    memcpy(entry->owner_key, owner_key, KEY_BYTES);
    return entry;
}

/* --- fetching */

static void wake(struct token_entry *entry)
{
    struct token_wait *list = entry->waiting, *wait;
    entry->waiting = NULL;
    if (list != NULL)
        list->back = &list; /* the list is ours: a caller may leave it while others run */
    while ((wait = list) != NULL) {
        tokens_wait_cancel(wait);
        wait->done(wait);
    }
}

static void set_failed(struct token_entry *entry, enum status status, const char *reason)
{
    int64_t pause = status == ST_CREDENTIAL_REFUSED ? RETRY_REFUSED_NS : RETRY_NS;
    entry->failed = status;
    entry->retry_ns = loop_now_ns(entry->tokens->worker->loop) + pause;
    snprintf(entry->reason, sizeof entry->reason, "%s", reason);
}

static enum status keep(struct token_entry *entry, const struct token_value *value)
{
    int64_t now = loop_now_ns(entry->tokens->worker->loop), life = value->life_s * SECOND_NS;
    int64_t ahead = life / 5 < RENEW_MOST_NS ? life / 5 : RENEW_MOST_NS;
    struct secret *secret;
    TRY(secret_new(value->value.n, &secret));
    memcpy(secret_open_write(secret), value->value.p, value->value.n);
    secret_close(secret);
    secret_free(entry->value);
    entry->value = secret;
    entry->got_ns = now;
    entry->ends_ns = now + life;
    entry->renew_ns = now + life - ahead;
    entry->failed = ST_OK;
    return ST_OK;
}

static void on_answer(void *owner, const struct fetch_answer *answer)
{
    struct token_entry *entry = owner;
    struct token_value value = {.life_s = 0};
    enum status status = answer->status;
    entry->fetch = NULL;
    if (status == ST_OK) {
        status = entry->kind->read(answer->http_status, (char *)(uintptr_t)answer->body.p,
                                   answer->body.n, &value);
        if (status == ST_OK && value.value.n > TOKEN_VALUE_MAX)
            status = ST_UPSTREAM_BROKEN;
    } else if (status == ST_NOT_FOUND || status == ST_INVALID) {
        status = ST_UPSTREAM_CONNECT;
    }
    if (status == ST_OK)
        status = keep(entry, &value);
    if (status != ST_OK)
        set_failed(entry, status,
                   value.reason[0] != '\0' ? value.reason : status_row(status)->text);
    wake(entry);
}

/* A guarded copy of bytes in the shared room. ST_OK with *out NULL if there are none. */
static enum status guard(struct str bytes, struct secret **out)
{
    *out = NULL;
    if (bytes.n == 0)
        return ST_OK;
    TRY(secret_new(bytes.n, out));
    memcpy(secret_open_write(*out), bytes.p, bytes.n);
    secret_close(*out);
    return ST_OK;
}

static enum status post(struct token_entry *entry, const struct token_owner *owner,
                        const struct token_request *request)
{
    struct worker *worker = entry->tokens->worker;
    struct fetch_ask ask = {.method = request->method == NULL ? "POST" : request->method,
                            .url = request->url,
                            .hosts = owner->hosts,
                            .org = owner->org,
                            .allowed_private = {params_str(worker->params, PARAM_ALLOWED_PRIVATE),
                                                owner->allowed_private},
                            .headers = request->headers,
                            .header_count = request->header_count,
                            .answer_max = TOKEN_ANSWER_MAX,
                            .guarded = true,
                            .timeout_ms = TOKEN_TIMEOUT_MS};
    TRY(guard(request->secret_lines, &ask.secret_lines));
    enum status status = guard(request->body, &ask.body);
    if (status != ST_OK) {
        secret_free(ask.secret_lines);
        return status;
    }
    return fetch_begin(worker, &ask, on_answer, entry, &entry->fetch);
}

static enum status begin(struct token_entry *entry, const struct dialect_signing *signing,
                         struct str scope, const struct token_owner *owner)
{
    struct tokens *tokens = entry->tokens;
    struct token_request request = {.room = secret_open_write(tokens->room),
                                    .room_bytes = TOKEN_ROOM_BYTES};
    enum status status = entry->kind->ask(signing, scope, &request);
    const char *reason = "the stored credential is not of the kind that its configuration says";
    if (status == ST_OK) {
        status = post(entry, owner, &request);
        reason = status == ST_INVALID ? "its token endpoint is not among the hosts that the "
                                        "credential may be sent to (credential_hosts)"
                                      : status_row(status)->text;
    }
    if (status == ST_INVALID || status == ST_NOT_FOUND)
        status = ST_CREDENTIAL_REFUSED;
    secret_wipe(request.room, request.used);
    secret_close(tokens->room);
    if (status != ST_OK) {
        entry->fetch = NULL;
        set_failed(entry, status, reason);
    }
    return status;
}

/* --- asking */

static enum status give(struct token_entry *entry, char *out, size_t room, size_t *n)
{
    struct str value = secret_open(entry->value);
    enum status status = value.n <= room ? ST_OK : ST_TOO_LARGE;
    if (status == ST_OK) {
        memcpy(out, value.p, value.n);
        *n = value.n;
    }
    secret_close(entry->value);
    return status;
}

static void wait_for(struct token_entry *entry, struct token_wait *wait)
{
    tokens_wait_cancel(wait);
    wait->next = entry->waiting;
    wait->back = &entry->waiting;
    if (wait->next != NULL)
        wait->next->back = &wait->next;
    entry->waiting = wait;
}

void tokens_wait_cancel(struct token_wait *wait)
{
    if (wait->back == NULL)
        return;
    *wait->back = wait->next;
    if (wait->next != NULL)
        wait->next->back = wait->back;
    wait->back = NULL;
    wait->next = NULL;
}

enum status tokens_get(struct tokens *tokens, const struct dialect_signing *signing,
                       const struct token_kind *kind, struct str scope,
                       const struct token_owner *owner, struct token_wait *wait, char *out,
                       size_t room, size_t *n)
{
    struct token_entry *entry = find(tokens, owner, kind, scope);
    int64_t now = loop_now_ns(tokens->worker->loop);
    if (entry == NULL)
        return ST_OVERLOADED;
    entry->used_ns = now;
    bool fresh = entry->value != NULL && now < entry->ends_ns;
    bool due = !fresh || now >= entry->renew_ns;
    bool may = entry->failed == ST_OK || now >= entry->retry_ns;
    enum status status = entry->failed;
    if (due && entry->fetch == NULL && may)
        status = begin(entry, signing, scope, owner);
    if (fresh)
        return give(entry, out, room, n);
    if (entry->fetch == NULL) {
        snprintf(signing->reason, TOKEN_REASON_MAX, "%s", entry->reason);
        return status;
    }
    wait_for(entry, wait);
    return ST_AGAIN;
}

void tokens_forget(struct tokens *tokens, const struct token_owner *owner)
{
    uint8_t owner_key[KEY_BYTES];
    int64_t now = loop_now_ns(tokens->worker->loop);
    keys_of(owner, NULL, STR(""), NULL, owner_key);
    for (size_t i = 0; i < tokens->count; i++) {
        struct token_entry *entry = &tokens->entries[i];
        if (entry->used && entry->fetch == NULL && now - entry->got_ns >= FORGET_LEAST_NS &&
            memcmp(entry->owner_key, owner_key, KEY_BYTES) == 0) {
            secret_free(entry->value);
            entry->value = NULL;
        }
    }
}
