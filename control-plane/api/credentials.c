/* credentials.c: see credentials.h for the three texts.
 *
 * Which fields are secret is decided by a list of names and endings, and errs on the side of
 * secret: a field wrongly masked is a nuisance, one wrongly shown is a leak. Must never put a
 * secret into a message, an audit record or configurations_json.
 */
#include "control-plane/api/credentials.h"

#include "common/secret.h"
#include "common/route_doc.h"
#include "common/wire.h"
#include "control-plane/vault/vault.h"

#define SECRET_NAME_MAX   128
#define PLAIN_MAX_BYTES   (512u << 10)
#define PLAIN_SLACK_BYTES 4096
#define MASK_MIN_BYTES    20 /* shorter values show nothing */

/* Compared without '_' and '-', in lower case, so that awsSecretAccessKey is aws_secret_access_key.
 */
static const char *const secret_names[] = {"key", "password", "token", "authorization"};
static const char *const secret_endings[] = {
    "secret", "secretkey",  "secretaccesskey",    "accesskeyid",     "password",   "token",
    "apikey", "privatekey", "serviceaccountjson", "clientassertion", "passphrase", "credentials"};
static const char *const framing_headers[] = {
    "host",    "content-length", "transfer-encoding", "connection",      "upgrade", "te",
    "trailer", "expect",         "keep-alive",        "proxy-connection"};

bool credentials_is_secret(struct str name)
{
    char plain[SECRET_NAME_MAX];
    size_t n = 0;
    if (name.n > SECRET_NAME_MAX)
        return true;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c != '_' && c != '-')
            plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    struct str folded = str_of(plain, n);
    for (size_t i = 0; i < COUNT_OF(secret_names); i++)
        if (str_eq(folded, str_c(secret_names[i])))
            return true;
    for (size_t i = 0; i < COUNT_OF(secret_endings); i++)
        if (str_ends(folded, str_c(secret_endings[i])))
            return true;
    return false;
}

struct str credentials_mask(struct arena *arena, struct str value)
{
    if (value.n < MASK_MIN_BYTES)
        return STR("***");
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] <= 0x20 || value.p[i] >= 0x7F)
            return STR("***");
    return arena_printf(arena, STR_FMT "***" STR_FMT, STR_ARG(str_head(value, 3)),
                        STR_ARG(str_from(value, value.n - 4)));
}

/* The three texts while they are written. */
struct split {
    struct api_call *call;
    struct credentials *c;
    const struct json *old; /* stored secrets, or NULL */
    struct buf kept, masked, plain, header_masks;
    struct json_writer kept_w, masked_w, plain_w, header_w;
    Sluice__Header **headers;
    size_t header_count;
};

static enum status write_mask(struct split *s, struct json_writer *w, struct str name,
                              const struct json *value)
{
    struct str text, mask = STR("***");
    if (json_is(value, JSON_STRING)) {
        TRY(json_text(value, s->call->arena, &text));
        mask = credentials_mask(s->call->arena, text);
        if (mask.p == NULL)
            return ST_NO_MEMORY;
    }
    jw_key_str(w, name);
    jw_str(w, mask);
    return ST_OK;
}

static void add_secret(struct split *s, struct str name, const struct json *value, bool carried)
{
    jw_key_str(&s->plain_w, name);
    jw_raw(&s->plain_w, value->raw);
    s->c->count++;
    s->c->carried += carried;
}

static enum status add_field(struct split *s, struct str field, const struct json *value,
                             bool carried)
{
    struct str name = arena_printf(s->call->arena, "configurations." STR_FMT, STR_ARG(field));
    struct str shown = arena_printf(s->call->arena, "masked_" STR_FMT, STR_ARG(field));
    if (name.p == NULL || shown.p == NULL)
        return ST_NO_MEMORY;
    add_secret(s, name, value, carried);
    return write_mask(s, &s->masked_w, shown, value);
}

static enum status check_header(struct api_call *call, struct str name, const struct json *value)
{
    static const char *const what = "must be an object of header names and single-line texts";
    struct str text;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] >= 0x7F ||
            strchr("()<>@,;:\\\"/[]?={}", name.p[i]) != NULL)
            return api_invalid(call, "configurations.custom_headers", what);
    for (size_t i = 0; i < COUNT_OF(framing_headers); i++)
        if (str_eq_nocase(name, str_c(framing_headers[i])))
            return api_invalid(call, "configurations.custom_headers",
                               "a framing header cannot be set");
    if (name.n == 0 || name.n > 128 || json_text(value, call->arena, &text) != ST_OK ||
        text.n > 8192)
        return api_invalid(call, "configurations.custom_headers", what);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F)
            return api_invalid(call, "configurations.custom_headers", what);
    return ST_OK;
}

static enum status add_header(struct split *s, struct str header, const struct json *value,
                              bool carried)
{
    struct str name = arena_printf(s->call->arena, "custom_headers." STR_FMT, STR_ARG(header));
    Sluice__Header *row = arena_alloc(s->call->arena, sizeof(*row));
    if (name.p == NULL || row == NULL)
        return ST_NO_MEMORY;
    if (s->header_count == CREDENTIALS_HEADERS_MAX)
        return api_invalid(s->call, "configurations.custom_headers", "too many");
    sluice__header__init(row);
    TRY(api_cstr(s->call->arena, header, &row->name));
    s->headers[s->header_count++] = row;
    add_secret(s, name, value, carried);
    return write_mask(s, &s->header_w, header, value);
}

static enum status add_headers(struct split *s, const struct json *headers)
{
    if (!json_is(headers, JSON_OBJECT))
        return api_invalid(s->call, "configurations.custom_headers", "must be an object");
    for (const struct json *item = headers->first; item != NULL; item = item->next) {
        TRY(check_header(s->call, item->key, item));
        TRY(add_header(s, item->key, item, false));
    }
    return ST_OK;
}

/* What gateways themselves read out of the configurations: how long an attempt may take, and what
 * happens to it when its client goes (data-plane/worker/timeouts.h, drain.h). */
static enum status check_setting(struct api_call *call, struct str name, const struct json *value)
{
    static const char *const times[] = {"request_timeout", "connect_timeout", "first_byte_timeout",
                                        "idle_timeout", "total_timeout"};
    uint64_t ms;
    if (str_eq(name, STR("on_client_disconnect")) &&
        !(json_is(value, JSON_STRING) &&
          (json_string_is(value->raw, STR("drain")) || json_string_is(value->raw, STR("cancel")))))
        return api_invalid(call, "configurations.on_client_disconnect",
                           "must be \"drain\" or \"cancel\"");
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        if (!str_eq(name, str_c(times[i])))
            continue;
        struct str field = arena_printf(call->arena, "configurations.%s", times[i]);
        if (field.p == NULL)
            return ST_NO_MEMORY;
        if (json_u64(value, &ms) != ST_OK || ms == 0 || ms > ROUTE_TIMEOUT_MAX_MS)
            return api_invalid(call, field.p,
                               "must be a whole number of milliseconds, 1 to 86,400,000");
    }
    return ST_OK;
}

/* What was sent. */
static enum status take_sent(struct split *s)
{
    const struct json *key = s->c->key, *sent = s->c->configurations;
    if (json_is(key, JSON_STRING) && key->raw.n > 2) {
        add_secret(s, STR("key"), key, false);
        TRY(write_mask(s, &s->masked_w, STR("masked_key"), key));
    } else if (key != NULL && key->type != JSON_NULL && key->type != JSON_STRING) {
        return api_invalid(s->call, "key", "must be a string");
    }
    if (sent != NULL && sent->type != JSON_OBJECT && sent->type != JSON_NULL)
        return api_invalid(s->call, "configurations", "must be an object");
    for (const struct json *item = sent == NULL ? NULL : sent->first; item != NULL;
         item = item->next) {
        if (item->type == JSON_NULL || str_starts(item->key, STR("masked_")))
            continue;
        if (str_eq(item->key, STR("custom_headers"))) {
            TRY(add_headers(s, item));
        } else if (credentials_is_secret(item->key)) {
            TRY(add_field(s, item->key, item, false));
        } else {
            TRY(check_setting(s->call, item->key, item));
            jw_key_str(&s->kept_w, item->key);
            jw_raw(&s->kept_w, item->raw);
        }
    }
    return ST_OK;
}

/* What stays: stored secrets that the body does not mention. */
static enum status take_stored(struct split *s)
{
    const struct json *sent = s->c->configurations;
    bool headers_sent = json_get(sent, "custom_headers") != NULL || json_is(sent, JSON_NULL);
    for (const struct json *item = s->old == NULL ? NULL : s->old->first; item != NULL;
         item = item->next) {
        struct str name = item->key;
        if (str_eq(name, STR("key"))) {
            if (s->c->key != NULL)
                continue;
            add_secret(s, name, item, true);
            TRY(write_mask(s, &s->masked_w, STR("masked_key"), item));
        } else if (str_starts(name, STR("configurations."))) {
            struct str field = str_from(name, 15);
            if (!json_is(sent, JSON_NULL) && json_get_str(sent, field) == NULL)
                TRY(add_field(s, field, item, true));
        } else if (str_starts(name, STR("custom_headers.")) && !headers_sent) {
            TRY(add_header(s, str_from(name, 15), item, true));
        }
    }
    return ST_OK;
}

/* The stored secrets as a tree in the call's arena. */
static enum status open_stored(struct api_call *call, const struct credentials *c,
                               struct json **old)
{
    struct secret *plain = NULL;
    *old = NULL;
    if (c->stored == NULL || c->stored->vault_box.len == 0)
        return ST_OK;
    TRY(vault_open_secrets(call->api->vault, call->txn, &c->org, &c->owner, c->stored, &plain));
    struct str text = arena_str(call->arena, secret_open(plain));
    secret_close(plain);
    secret_free(plain);
    if (text.p == NULL)
        return ST_NO_MEMORY;
    return json_parse(call->arena, text, NULL, old, NULL);
}

static enum status finish(struct split *s)
{
    struct credentials *c = s->c;
    char *kept, *masked, *plain;
    if (s->header_count > 0) {
        jw_end(&s->header_w);
        jw_key(&s->masked_w, "masked_custom_headers");
        jw_raw(&s->masked_w, buf_str(&s->header_masks));
    }
    jw_end(&s->kept_w);
    jw_end(&s->masked_w);
    jw_end(&s->plain_w);
    TRY(fields_take(s->call->arena, &s->masked, &masked));
    TRY(fields_take(s->call->arena, &s->kept, &kept));
    if (buf_status(&s->plain) != ST_OK)
        return api_invalid(s->call, "configurations", "is too large");
    TRY(api_cstr(s->call->arena, buf_str(&s->plain), &plain));
    c->plain = str_c(plain);
    c->masked_json = masked;
    c->headers = s->headers;
    c->header_count = s->header_count;
    if (c->configurations != NULL)
        c->configurations_json = kept;
    return json_parse(s->call->arena,
                      c->configurations_json[0] == '\0' ? STR("{}") : str_c(c->configurations_json),
                      NULL, &c->configuration_tree, NULL);
}

static void begin(struct json_writer *w, struct buf *buf)
{
    buf_init(buf, PLAIN_MAX_BYTES);
    jw_init(w, buf);
    jw_object(w);
}

enum status credentials_merge(struct api_call *call, struct credentials *c)
{
    struct json *old;
    struct split s = {.call = call, .c = c};
    s.headers = arena_calloc(call->arena, CREDENTIALS_HEADERS_MAX, sizeof(*s.headers));
    if (s.headers == NULL)
        return ST_NO_MEMORY;
    c->count = c->carried = 0;
    TRY(open_stored(call, c, &old));
    s.old = old;
    begin(&s.kept_w, &s.kept);
    begin(&s.masked_w, &s.masked);
    begin(&s.header_w, &s.header_masks);
    begin(&s.plain_w, &s.plain);
    /* Room for all of it at once: growing would leave copies of secrets in freed memory. */
    size_t room = call->request->body.n + (old == NULL ? 0 : old->raw.n) + PLAIN_SLACK_BYTES;
    enum status status =
        buf_reserve(&s.plain, room > PLAIN_MAX_BYTES / 2 ? PLAIN_MAX_BYTES / 2 : room);
    if (status == ST_OK)
        status = take_sent(&s);
    if (status == ST_OK)
        status = take_stored(&s);
    if (status == ST_OK)
        status = finish(&s);
    if (s.plain.p != NULL)
        secret_wipe(s.plain.p, s.plain.room_bytes);
    buf_free(&s.plain);
    buf_free(&s.kept);
    buf_free(&s.masked);
    buf_free(&s.header_masks);
    return status;
}

static bool has_host(const Sluice__SealedSecrets *stored, struct str host)
{
    for (size_t i = 0; i < stored->n_hosts; i++)
        if (str_eq(str_c(stored->hosts[i]), host))
            return true;
    return false;
}

enum status credentials_seal(struct api_call *call, struct credentials *c, const struct str *hosts,
                             size_t host_count)
{
    c->sealed = NULL;
    for (size_t i = 0; i < host_count && c->carried > 0 && c->stored != NULL; i++)
        if (!has_host(c->stored, hosts[i]))
            return api_invalid(call, "key",
                               "send the credentials again when the host that gets them changes");
    if (c->count == 0)
        return ST_OK;
    struct vault_owner owner = {c->org, c->owner, c->stored == NULL ? 1 : c->stored->version + 1,
                                hosts, host_count};
    return vault_seal_secrets(call->op, call->api->vault, &owner, c->plain, &c->sealed);
}
