/* objects.c: a fixed set of hashes of (workspace, provider, object id): what this worker knows to be owned.
 *
 * Two-way buckets, the older entry goes. A lost entry costs a question to the courier, a wrong one is as likely as a 128-bit collision.
 */
#include "data-plane/worker/objects.h"

#include <sodium.h>

static struct id known[OBJECTS_KNOWN_MAX];

static struct id hash_of(const struct id *workspace, const struct id *provider, struct str object)
{
    struct id hash;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash.b);
    crypto_generichash_update(&state, workspace->b, ID_BYTES);
    crypto_generichash_update(&state, provider->b, ID_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)object.p, object.n);
    crypto_generichash_final(&state, hash.b, sizeof hash.b);
    return hash;
}

static size_t bucket_of(const struct id *hash)
{
    return ((size_t)hash->b[0] << 8 | hash->b[1]) % (OBJECTS_KNOWN_MAX / 2) * 2;
}

void objects_learn(const struct id *workspace, const struct id *provider, struct str object)
{
    struct id hash = hash_of(workspace, provider, object);
    struct id *bucket = &known[bucket_of(&hash)];
    if (id_eq(&bucket[0], &hash) || id_eq(&bucket[1], &hash))
        return;
    bucket[1] = bucket[0];
    bucket[0] = hash;
}

bool objects_known(const struct id *workspace, const struct id *provider, struct str object)
{
    struct id hash = hash_of(workspace, provider, object);
    const struct id *bucket = &known[bucket_of(&hash)];
    return id_eq(&bucket[0], &hash) || id_eq(&bucket[1], &hash);
}
