/* node_bundle.c: reading and writing the node bundle.
 *
 * The text holds keys, so it is only ever put together inside a struct secret, and parsed bytes go
 * straight into one. The parser is a table of fields: each appears once; `private_key` alone may be
 * missing. A line that no row knows is skipped, so that an older gateway reads a newer bundle; the
 * first line carries the version that may not be skipped.
 *
 * Must never: write to a file that exists, leave one behind that is readable by others, or put a
 * key into plain heap memory.
 */
#include "common/node_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/seal.h"

#define BUNDLE_FIRST_LINE "sluice-node-bundle 1"
#define BUNDLE_TOKEN      "slnb1."
#define BUNDLE_BASE64     sodium_base64_VARIANT_URLSAFE_NO_PADDING

enum bundle_type {
    BUNDLE_ID,
    BUNDLE_TEXT,
    BUNDLE_PLAIN_KEY,
    BUNDLE_SECRET_KEY,
    BUNDLE_PEM,
    BUNDLE_SECRET_PEM
};

struct bundle_field {
    const char *name;
    enum bundle_type type;
    size_t at;        /* offset in struct node_bundle */
    size_t max_bytes; /* of the value: text, or decoded */
};

#define FIELD(name, type, member, max)                                                             \
    {                                                                                              \
        name, type, offsetof(struct node_bundle, member), max                                      \
    }
static const struct bundle_field bundle_fields[] = {
    FIELD("node", BUNDLE_ID, node, 0),
    FIELD("name", BUNDLE_TEXT, name, NODE_BUNDLE_TEXT_MAX),
    FIELD("region", BUNDLE_TEXT, region, NODE_BUNDLE_TEXT_MAX),
    FIELD("link_url", BUNDLE_TEXT, link_url, NODE_BUNDLE_URL_MAX),
    FIELD("control_url", BUNDLE_TEXT, control_url, NODE_BUNDLE_URL_MAX),
    FIELD("ca", BUNDLE_PEM, ca_pem, NODE_BUNDLE_PEM_MAX),
    FIELD("cert", BUNDLE_PEM, cert_pem, NODE_BUNDLE_PEM_MAX),
    FIELD("key", BUNDLE_SECRET_PEM, key_pem, NODE_BUNDLE_PEM_MAX),
    FIELD("node_key", BUNDLE_SECRET_KEY, node_key, NODE_BUNDLE_KEY_BYTES),
    FIELD("public_key", BUNDLE_PLAIN_KEY, public_key, NODE_BUNDLE_KEY_BYTES),
    FIELD("private_key", BUNDLE_SECRET_KEY, private_key, NODE_BUNDLE_KEY_BYTES),
};
#undef FIELD
#define BUNDLE_ALL     ((1u << COUNT_OF(bundle_fields)) - 1)
#define BUNDLE_PRIVATE (1u << (COUNT_OF(bundle_fields) - 1)) /* the last row: private_key */

/* --- writing ---------------------------------------------------------------------------------- */

struct bundle_writer {
    char *p;
    size_t n, room;
    bool full;
};

static void bundle_put(struct bundle_writer *w, struct str s)
{
    if (s.n > w->room - w->n) {
        w->full = true;
        return;
    }
    memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}

static void bundle_put_base64(struct bundle_writer *w, struct str bytes)
{
    size_t room = w->room - w->n;
    if (sodium_base64_encoded_len(bytes.n, BUNDLE_BASE64) > room) {
        w->full = true;
        return;
    }
    sodium_bin2base64(w->p + w->n, room, (const unsigned char *)bytes.p, bytes.n, BUNDLE_BASE64);
    w->n += sodium_base64_encoded_len(bytes.n, BUNDLE_BASE64) - 1;
}

static void bundle_put_field(struct bundle_writer *w, const struct bundle_field *field,
                             const void *at)
{
    char text[ID_TEXT + 1];
    struct secret *secret;
    bundle_put(w, str_c(field->name));
    bundle_put(w, STR(" "));
    switch (field->type) {
    case BUNDLE_ID:
        id_to_text(at, text);
        bundle_put(w, str_c(text));
        break;
    case BUNDLE_TEXT:
        bundle_put(w, str_c(at));
        break;
    case BUNDLE_PLAIN_KEY:
        bundle_put_base64(w, str_of(at, NODE_BUNDLE_KEY_BYTES));
        break;
    case BUNDLE_PEM:
        bundle_put_base64(w, str_c(*(char *const *)at));
        break;
    case BUNDLE_SECRET_KEY:
    case BUNDLE_SECRET_PEM:
        secret = *(struct secret *const *)at;
        struct str bytes = secret_open(secret);
        bundle_put_base64(w, str_head(bytes, bytes.n - (field->type == BUNDLE_SECRET_PEM ? 1 : 0)));
        secret_close(secret);
        break;
    }
    bundle_put(w, STR("\n"));
}

/* Copies the written part of a scratch secret into one of its own size. */
static enum status bundle_shrink(const struct bundle_writer *w, struct secret **out)
{
    struct secret *exact = NULL;
    if (w->full)
        return ST_TOO_LARGE;
    TRY(secret_new(w->n, &exact));
    memcpy(secret_open_write(exact), w->p, w->n);
    secret_close(exact);
    *out = exact;
    return ST_OK;
}

enum status node_bundle_format(const struct node_bundle *bundle, bool whole, struct secret **text)
{
    struct secret *scratch = NULL;
    CHECK(!whole || bundle->private_key != NULL);
    TRY(secret_new(NODE_BUNDLE_MAX_BYTES, &scratch));
    struct bundle_writer w = {.p = secret_open_write(scratch), .room = NODE_BUNDLE_MAX_BYTES};
    bundle_put(&w, STR(BUNDLE_FIRST_LINE "\n"));
    for (size_t i = 0; i < COUNT_OF(bundle_fields); i++)
        if (whole || (1u << i) != BUNDLE_PRIVATE)
            bundle_put_field(&w, &bundle_fields[i], (const char *)bundle + bundle_fields[i].at);
    enum status status = bundle_shrink(&w, text);
    secret_close(scratch);
    secret_free(scratch);
    return status;
}

enum status node_bundle_token(const struct node_bundle *bundle, struct secret **line)
{
    struct secret *text = NULL, *scratch = NULL;
    enum status status = ST_OK;
    TRY_OUT(node_bundle_format(bundle, true, &text));
    TRY_OUT(secret_new(NODE_BUNDLE_MAX_BYTES, &scratch));
    struct bundle_writer w = {.p = secret_open_write(scratch), .room = NODE_BUNDLE_MAX_BYTES};
    bundle_put(&w, STR(BUNDLE_TOKEN));
    bundle_put_base64(&w, secret_open(text));
    bundle_put(&w, STR("\n"));
    secret_close(text);
    status = bundle_shrink(&w, line);
    secret_close(scratch);
out:
    secret_free(scratch);
    secret_free(text);
    return status;
}

static enum status bundle_write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ST_IO;
        bytes = str_from(bytes, (size_t)n);
    }
    return fsync(fd) == 0 ? ST_OK : ST_IO;
}

enum status node_bundle_write(const char *path, const struct node_bundle *bundle)
{
    struct secret *text = NULL;
    TRY(node_bundle_format(bundle, true, &text));
    enum status status = ST_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        status = errno == EEXIST ? ST_CONFLICT : status_from_errno(errno);
    } else {
        status = bundle_write_all(fd, secret_open(text));
        secret_close(text);
        if (close(fd) != 0 && status == ST_OK)
            status = ST_IO;
        if (status != ST_OK)
            (void)unlink(path);
    }
    secret_free(text);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Text for people and URLs: visible ASCII and inner blanks. */
static bool bundle_is_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

/* Decodes into `room`; the exact number of bytes if `exact`. */
static enum status bundle_decode(struct str value, char *room, size_t max_bytes, bool exact,
                                 size_t *n)
{
    if (sodium_base642bin((unsigned char *)room, max_bytes, value.p, value.n, NULL, n, NULL,
                          BUNDLE_BASE64) != 0 ||
        *n == 0 || (exact && *n != max_bytes))
        return ST_BAD_FORMAT;
    return ST_OK;
}

static enum status bundle_take_secret(const struct bundle_field *field, struct str value,
                                      struct secret **out)
{
    bool pem = field->type == BUNDLE_SECRET_PEM;
    struct secret *scratch = NULL, *exact = NULL;
    size_t n = 0;
    TRY(secret_new(field->max_bytes + 1, &scratch));
    char *room = secret_open_write(scratch);
    enum status status = bundle_decode(value, room, field->max_bytes, !pem, &n);
    if (status == ST_OK && pem && strlen(room) != n)
        status = ST_BAD_FORMAT;
    if (status == ST_OK)
        status = secret_new(n + (pem ? 1 : 0), &exact);
    if (status == ST_OK) {
        memcpy(secret_open_write(exact), room, n);
        secret_close(exact);
        *out = exact;
    }
    secret_close(scratch);
    secret_free(scratch);
    return status;
}

static enum status bundle_take_pem(const struct bundle_field *field, struct str value, char **out)
{
    size_t n = 0;
    char *text = calloc(1, field->max_bytes + 1);
    if (text == NULL)
        return ST_NO_MEMORY;
    if (bundle_decode(value, text, field->max_bytes, false, &n) != ST_OK || strlen(text) != n) {
        free(text);
        return ST_BAD_FORMAT;
    }
    *out = text;
    return ST_OK;
}

static enum status bundle_take(const struct bundle_field *field, struct str value, void *at)
{
    size_t n = 0;
    switch (field->type) {
    case BUNDLE_ID:
        return id_from_text(value, at) == ST_OK ? ST_OK : ST_BAD_FORMAT;
    case BUNDLE_TEXT:
        if (value.n > field->max_bytes || !bundle_is_text(value))
            return ST_BAD_FORMAT;
        if (value.n > 0)
            memcpy(at, value.p, value.n);
        ((char *)at)[value.n] = '\0';
        return ST_OK;
    case BUNDLE_PLAIN_KEY:
        return bundle_decode(value, at, field->max_bytes, true, &n);
    case BUNDLE_PEM:
        return bundle_take_pem(field, value, at);
    case BUNDLE_SECRET_KEY:
    case BUNDLE_SECRET_PEM:
        return bundle_take_secret(field, value, at);
    }
    return ST_BAD_FORMAT;
}

static enum status bundle_parse_lines(struct str text, struct node_bundle *bundle)
{
    struct str line, name;
    uint32_t seen = 0;
    if (!str_split(&text, '\n', &line) || !str_eq(str_trim(line), STR(BUNDLE_FIRST_LINE)))
        return ST_BAD_FORMAT;
    while (str_split(&text, '\n', &line)) {
        struct str value = str_trim(line);
        if (!str_split(&value, ' ', &name))
            continue;
        for (size_t i = 0; i < COUNT_OF(bundle_fields); i++) {
            const struct bundle_field *field = &bundle_fields[i];
            if (!str_eq(name, str_c(field->name)))
                continue;
            if ((seen & 1u << i) != 0)
                return ST_BAD_FORMAT;
            TRY(bundle_take(field, value, (char *)bundle + field->at));
            seen |= 1u << i;
        }
    }
    return (seen | BUNDLE_PRIVATE) == BUNDLE_ALL && !id_is_none(&bundle->node) &&
                   bundle->name[0] != '\0'
               ? ST_OK
               : ST_BAD_FORMAT;
}

static enum status bundle_parse_token(struct str line, struct node_bundle *bundle)
{
    struct secret *scratch = NULL;
    size_t n = 0;
    TRY(secret_new(NODE_BUNDLE_MAX_BYTES, &scratch));
    char *room = secret_open_write(scratch);
    enum status status = bundle_decode(line, room, NODE_BUNDLE_MAX_BYTES, false, &n);
    if (status == ST_OK)
        status = bundle_parse_lines(str_of(room, n), bundle);
    secret_close(scratch);
    secret_free(scratch);
    return status;
}

enum status node_bundle_parse(struct str text, struct node_bundle *bundle)
{
    struct node_bundle parsed = {0};
    struct str trimmed = str_trim(text);
    enum status status = ST_BAD_FORMAT;
    if (text.n > NODE_BUNDLE_MAX_BYTES)
        status = ST_BAD_FORMAT;
    else if (str_starts(trimmed, STR(BUNDLE_TOKEN)))
        status = bundle_parse_token(str_from(trimmed, sizeof BUNDLE_TOKEN - 1), &parsed);
    else
        status = bundle_parse_lines(text, &parsed);
    if (status != ST_OK)
        node_bundle_free(&parsed);
    else
        *bundle = parsed;
    return status;
}

static enum status bundle_parse_secret(struct secret *text, struct node_bundle *bundle)
{
    enum status status = node_bundle_parse(secret_open(text), bundle);
    secret_close(text);
    secret_free(text);
    return status;
}

enum status node_bundle_read_fd(int fd, struct node_bundle *bundle)
{
    struct secret *text = NULL;
    TRY(secret_read_fd(fd, 0, &text));
    return bundle_parse_secret(text, bundle);
}

enum status node_bundle_read(const char *path, struct node_bundle *bundle)
{
    struct secret *text = NULL;
    TRY(secret_read_file(path, 0, &text));
    return bundle_parse_secret(text, bundle);
}

/* --- keys ------------------------------------------------------------------------------------- */

enum status node_bundle_make_keys(struct node_bundle *bundle)
{
    struct secret *node_key = NULL, *private_key = NULL;
    TRY(secret_random(FRAME_KEY_BYTES, &node_key));
    enum status status = seal_keypair(bundle->public_key, &private_key);
    if (status != ST_OK) {
        secret_free(node_key);
        return status;
    }
    secret_free(bundle->node_key);
    secret_free(bundle->private_key);
    bundle->node_key = node_key;
    bundle->private_key = private_key;
    return ST_OK;
}

void node_bundle_free(struct node_bundle *bundle)
{
    if (bundle == NULL)
        return;
    secret_free(bundle->node_key);
    secret_free(bundle->private_key);
    secret_free(bundle->key_pem);
    free(bundle->ca_pem);
    free(bundle->cert_pem);
    *bundle = (struct node_bundle){0};
}
