/* dialect.c: choosing front and back, and a request on its way from one to the other.
 *
 * Invariants: a body is parsed once (the tree is validated with the same rules as everything else);
 * a refusal always carries a sentence that names field, provider and remedy; the answer's own path
 * is dialect_reply.c. Never: a rule of one provider here.
 */
#include "data-plane/dialect/dialect.h"

#include <stdarg.h>
#include <stdio.h>

#include "data-plane/dialect/gather.h"
#include "data-plane/dialect/simple.h"

#define BODY_MAX (64u * 1024u * 1024u)

#define FRONT(name) extern const struct front front_##name;
#include "data-plane/dialect/fronts.def"
#undef FRONT
#define BACK(name) extern const struct back back_##name;
#include "data-plane/dialect/backs.def"
#undef BACK

static const struct front *const fronts[] = {
#define FRONT(name) &front_##name,
#include "data-plane/dialect/fronts.def"
#undef FRONT
};

static const struct back *const backs[] = {
#define BACK(name) &back_##name,
#include "data-plane/dialect/backs.def"
#undef BACK
};

const struct front *dialect_front(enum op op)
{
    for (size_t i = 0; i < COUNT_OF(fronts); i++)
        if (fronts[i]->op == op)
            return fronts[i];
    return NULL;
}

const struct back *dialect_back(uint16_t dialect)
{
    for (size_t i = 0; i < COUNT_OF(backs); i++)
        if (backs[i]->dialect == dialect)
            return backs[i];
    return NULL;
}

enum status dialect_begin(struct dialect_call *call, struct arena *arena, const struct front *front,
                          const struct back *back, const struct dialect_target *target)
{
    *call = (struct dialect_call){
        .arena = arena, .front = front, .back = back, .target = target, .scratch = arena};
    buf_init(&call->out, BODY_MAX);
    buf_init(&call->whole, DIALECT_WHOLE_MAX);
    for (size_t i = 0; i < DIALECT_KEEPS; i++)
        buf_init(&call->keep[i], DIALECT_KEEP_MAX);
    sse_init(&call->sse);
    eventstream_init(&call->frames);
    if (front->simple != NULL) {
        call->op = simple_find(back, front->op);
        CHECK(call->op != NULL);
    }
    call->front_state = arena_calloc(arena, 1, front->state_bytes);
    call->back_state = arena_calloc(arena, 1, back->state_bytes);
    return call->front_state == NULL || call->back_state == NULL ? ST_NO_MEMORY : ST_OK;
}

size_t dialect_held_bytes(const struct dialect_call *call)
{
    size_t held = call->whole.room_bytes + call->out.room_bytes + call->frames.pending.room_bytes;
    for (size_t i = 0; i < DIALECT_KEEPS; i++)
        held += call->keep[i].room_bytes;
    return held + (call->gather == NULL ? 0 : gather_held_bytes(call->gather));
}

void dialect_free(struct dialect_call *call)
{
    buf_free(&call->out);
    buf_free(&call->whole);
    for (size_t i = 0; i < DIALECT_KEEPS; i++)
        buf_free(&call->keep[i]);
    sse_free(&call->sse);
    eventstream_free(&call->frames);
    gather_free(call->gather);
    call->gather = NULL;
}

enum status dialect_read(struct dialect_call *call, struct str body, const struct chat **chat)
{
    struct json *root;
    struct json_error error = {0, "not a JSON object"};
    struct chat *out = arena_calloc(call->arena, 1, sizeof *out);
    if (out == NULL)
        return dialect_refuse(call, ST_NO_MEMORY, "Not enough memory.");
    if (call->front->simple != NULL) {
        TRY(simple_request(call, body, &out->simple));
        call->chat = *chat = out;
        return ST_OK;
    }
    enum status status = json_parse(call->arena, body, NULL, &root, &error);
    if (status == ST_OK && root->type != JSON_OBJECT)
        status = ST_BAD_JSON;
    if (status != ST_OK)
        return dialect_refuse(call, status, "The request body cannot be read: %s at byte %zu.",
                              error.what, error.at);
    out->body = root;
    TRY(call->front->read(call, root, out));
    call->chat = *chat = out;
    return ST_OK;
}

enum status dialect_write(struct dialect_call *call, struct str *body)
{
    struct buf out;
    buf_init(&out, BODY_MAX);
    for (const struct chat_left *left = call->chat->left_out; left != NULL; left = left->next)
        dialect_drop(call, left->field);
    enum status status = call->op != NULL ? call->op->write(call, call->chat->simple, &out)
                                         : call->back->write(call, &out);
    if (status == ST_OK)
        status = buf_status(&out);
    if (status == ST_OK) {
        *body = arena_str(call->arena, buf_str(&out));
        status = body->p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    buf_free(&out);
    if (status != ST_OK && call->refused == ST_OK)
        return dialect_refuse(call, status, "The translated request cannot be built: %s",
                              status_row(status)->text);
    return status;
}

enum status dialect_refuse(struct dialect_call *call, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->reason, sizeof call->reason, format, args);
    va_end(args);
    call->refused = status;
    return status;
}

enum status dialect_refuse_part(struct dialect_call *call, struct chat_place place,
                                const char *what, const char *remedy)
{
    struct str where = chat_place_text(call->arena, place);
    return dialect_refuse(call, ST_INVALID,
                          STR_FMT ": provider @" STR_FMT " (" STR_FMT ") does not take %s. %s",
                          STR_ARG(where), STR_ARG(call->target->provider),
                          STR_ARG(call->target->service), what, remedy);
}

/* Names come from the caller's document: what has no place in a header becomes '?'. */
static char header_char(char c)
{
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return plain || (c != '\0' && strchr("_.-[]", c) != NULL) ? c : '?';
}

static bool is_dropped(const struct dialect_call *call, struct str field)
{
    struct str rest = str_c(call->dropped), name;
    while (rest.n > 0 && str_split(&rest, ',', &name))
        if (str_eq(str_trim(name), field))
            return true;
    return false;
}

void dialect_drop(struct dialect_call *call, const char *field)
{
    char name[64];
    size_t n = 0, used = strlen(call->dropped);
    for (; field != NULL && field[n] != '\0' && n + 1 < sizeof name; n++)
        name[n] = header_char(field[n]);
    name[n] = '\0';
    if (n == 0 || is_dropped(call, str_of(name, n)) || used + n + 3 > sizeof call->dropped)
        return;
    snprintf(call->dropped + used, sizeof call->dropped - used, "%s%s", used > 0 ? ", " : "", name);
}

enum status dialect_add_header(struct dialect_call *call, struct str name, struct str value)
{
    if (call->header_count == DIALECT_HEADERS_MAX)
        return ST_TOO_LARGE;
    call->headers[call->header_count++] = (struct upstream_header){name, value};
    return ST_OK;
}
