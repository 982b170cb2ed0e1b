/* dialect_reply.c: a provider's answer on its way to the caller.
 *
 *   bytes -> events | frames | whole text | error text   dialect_reply_feed
 *         -> back -> dialect_emit: put in order -> front (stream) or gather (whole)
 *
 * Invariants: a front sees START, parts that do not overlap, FINISH, USAGE, END, whatever the
 * provider sends; the figures that go to the ledger (call->usage) are those the front is shown.
 * Nothing is written for the caller before the first content, so that an error in front of it can
 * still be an HTTP error, or another attempt. What never ends properly is ST_UPSTREAM_BROKEN, not
 * an answer.
 */
#include "data-plane/dialect/dialect.h"
#include "data-plane/dialect/gather.h"
#include "data-plane/dialect/simple.h"

#define SCRATCH_BYTES 4096
#define SCRATCH_MAX   (4u * 1024u * 1024u)

void dialect_reply_begin(struct dialect_call *call, int http_status, struct str content_type)
{
    call->http_status = http_status;
    call->reply_type = content_type;
    if (http_status >= 400 || call->op != NULL)
        return;
    call->is_sse =
        call->back->event != NULL && str_starts_nocase(content_type, STR("text/event-stream"));
    call->is_frames = call->back->frame != NULL &&
                      str_starts_nocase(content_type, STR("application/vnd.amazon.eventstream"));
}

struct str dialect_reply_header(const struct dialect_call *call, struct str name)
{
    for (size_t i = 0; i < call->reply_header_count; i++)
        if (str_eq_nocase(call->reply_headers[i].name, name))
            return call->reply_headers[i].value;
    return STR_NONE;
}

/* --- events in order */

static bool is_over(const struct dialect_call *call)
{
    return call->state == DIALECT_ENDED || call->state == DIALECT_FAILED;
}

static enum status pass(struct dialect_call *call, struct chat_event *event)
{
    if (call->chat->stream) {
        call->front->event(call, event);
        return buf_status(&call->out);
    }
    if (call->gather == NULL && (call->gather = gather_new(call->arena)) == NULL)
        return ST_NO_MEMORY;
    return gather_event(call->gather, event, call->stable);
}

static enum status close_part(struct dialect_call *call, uint32_t choice)
{
    struct dialect_choice *state = &call->choices[choice];
    struct chat_event end = {.kind = CHAT_EVENT_PART_END,
                             .part = state->open,
                             .choice = choice,
                             .part_at = state->parts - 1,
                             .call_at = state->calls - 1};
    struct chat_event empty = end;
    if (state->open == CHAT_PART_NONE)
        return ST_OK;
    if (state->open == CHAT_PART_TOOL_CALL && !state->said) { /* called with nothing at all */
        empty.kind = CHAT_EVENT_DELTA;
        empty.text.raw = STR("\"{}\"");
        TRY(pass(call, &empty));
    }
    state->open = CHAT_PART_NONE;
    return pass(call, &end);
}

static enum status open_part(struct dialect_call *call, struct chat_event *event)
{
    struct dialect_choice *state = &call->choices[event->choice];
    TRY(close_part(call, event->choice));
    state->open = event->part;
    state->said = false;
    state->parts++;
    state->calls += event->part == CHAT_PART_TOOL_CALL ? 1 : 0;
    event->part_at = state->parts - 1;
    event->call_at = state->calls - 1;
    call->content = true;
    if (call->chat->stream)
        call->state = DIALECT_FLOW;
    return pass(call, event);
}

/* More of a part: the part it belongs to is opened if it is not. A call without a beginning has no
 * name, so it is no answer. */
static enum status add_to_part(struct dialect_call *call, struct chat_event *event)
{
    struct dialect_choice *state = &call->choices[event->choice];
    if (state->open != event->part) {
        struct chat_event begin = {
            .kind = CHAT_EVENT_PART, .part = event->part, .choice = event->choice};
        if (event->part == CHAT_PART_TOOL_CALL)
            return ST_UPSTREAM_BROKEN;
        TRY(open_part(call, &begin));
    }
    if (event->kind == CHAT_EVENT_DELTA && chat_text_is_empty(event->text) &&
        event->logprobs.n <= 2)
        return ST_OK;
    state->said = state->said || event->kind == CHAT_EVENT_DELTA;
    event->part_at = state->parts - 1;
    event->call_at = state->calls - 1;
    return pass(call, event);
}

static enum status start(struct dialect_call *call, const struct chat_event *given)
{
    struct chat_event event = {.kind = CHAT_EVENT_START};
    if (call->started)
        return ST_OK;
    call->started = true;
    if (given != NULL)
        event = *given;
    if (!chat_has(event.id))
        event.id = chat_text_quote(call->arena, call->answer_id);
    if (!chat_has(event.name))
        event.name = chat_text_quote(call->arena, call->target->model);
    return chat_has(event.id) && chat_has(event.name) ? pass(call, &event) : ST_NO_MEMORY;
}

/* An answer that ends in an error is no answer, whatever came before. */
static void give_up(struct dialect_call *call, struct str word)
{
    struct chat_error error = {.http = 502, .type = STR("server_error")};
    error.message = arena_printf(
        call->arena, "Provider @" STR_FMT " gave up inside its answer (" STR_FMT ").",
        STR_ARG(call->target->provider), STR_ARG(word.n > 0 ? word : STR("it did not say why")));
    dialect_fail(call, &error);
}

static enum status finish(struct dialect_call *call, struct chat_event *event)
{
    struct dialect_choice *state = &call->choices[event->choice];
    if (state->finished)
        return ST_OK;
    if (event->finish == CHAT_FINISH_ERROR) {
        give_up(call, event->word);
        return ST_OK;
    }
    TRY(close_part(call, event->choice));
    state->finished = true;
    call->content = true;
    if (call->chat->stream)
        call->state = DIALECT_FLOW;
    return pass(call, event);
}

static enum status end(struct dialect_call *call, struct chat_event *event)
{
    if (!call->choices[0].finished)
        return ST_UPSTREAM_BROKEN;
    TRY(pass(call, event));
    if (!call->chat->stream)
        call->front->whole(call, gather_answer(call->gather));
    call->state = DIALECT_ENDED;
    return buf_status(&call->out);
}

void dialect_take_tier(struct dialect_call *call, const struct json *member)
{
    struct str word = chat_text_inner(chat_text_of(member));
    if (word.n == 0 || word.n >= sizeof call->tier)
        return;
    memcpy(call->tier, word.p, word.n);
    call->tier[word.n] = '\0';
}

bool dialect_usage_is_whole(const struct dialect_call *call)
{
    bool over = call->op != NULL || call->state == DIALECT_ENDED || call->choices[0].finished;
    return call->has_usage && over;
}

enum status dialect_emit(struct dialect_call *call, const struct chat_event *given)
{
    struct chat_event event = *given;
    if (is_over(call))
        return ST_OK;
    if (event.choice >= CHAT_CHOICES_MAX)
        return ST_UPSTREAM_BROKEN;
    TRY(start(call, event.kind == CHAT_EVENT_START ? given : NULL));
    switch (event.kind) {
    case CHAT_EVENT_START:
        return ST_OK;
    case CHAT_EVENT_PART:
        return open_part(call, &event);
    case CHAT_EVENT_DELTA:
    case CHAT_EVENT_SIGNATURE:
    case CHAT_EVENT_CITATION:
        return add_to_part(call, &event);
    case CHAT_EVENT_PART_END:
        return close_part(call, event.choice);
    case CHAT_EVENT_FINISH:
        return finish(call, &event);
    case CHAT_EVENT_USAGE:
        call->usage = *event.usage;
        call->has_usage = true;
        return pass(call, &event);
    case CHAT_EVENT_END:
        return end(call, &event);
    }
    return ST_UPSTREAM_BROKEN;
}

void dialect_write_error(struct dialect_call *call, const struct chat_error *error)
{
    bool in_stream = call->content && call->chat->stream;
    if (!in_stream)
        buf_clear(&call->out);
    call->front->error(call, error, in_stream);
}

void dialect_end_event(struct dialect_call *call, size_t from)
{
    struct buf *out = &call->out;
    for (size_t i = from; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r')
            out->p[i] = ' ';
    buf_add_lit(out, "\n\n");
}

static struct str keep(struct dialect_call *call, struct str text)
{
    return text.n == 0 ? STR_NONE : arena_str(call->arena, text);
}

void dialect_fail(struct dialect_call *call, const struct chat_error *error)
{
    if (is_over(call))
        return;
    call->error = *error;
    call->error.message = keep(call, error->message);
    call->error.type = keep(call, error->type);
    call->error.code = keep(call, error->code);
    call->error.param = keep(call, error->param);
    call->state = DIALECT_FAILED;
    if (call->content && call->chat->stream)
        dialect_write_error(call, &call->error);
}

/* --- bytes */

struct feeding {
    struct dialect_call *call;
    enum status status;
};

/* One event or frame through the back, with memory that lasts as long. Exactly one is given. */
static bool read_one(struct feeding *feeding, const struct sse_event *event,
                     const struct eventstream_message *message)
{
    struct dialect_call *call = feeding->call;
    _Alignas(16) char room[SCRATCH_BYTES];
    struct arena scratch;
    arena_init_with(&scratch, room, sizeof room, SCRATCH_MAX);
    call->scratch = &scratch;
    feeding->status =
        event != NULL ? call->back->event(call, event) : call->back->frame(call, message);
    call->scratch = call->arena;
    arena_free(&scratch);
    return feeding->status == ST_OK;
}

static bool on_event(void *arg, const struct sse_event *event)
{
    struct feeding *feeding = arg;
    if (event->oversize) {
        feeding->status = ST_UPSTREAM_BROKEN;
        return false;
    }
    if (event->data.p == NULL || is_over(feeding->call))
        return true;
    return read_one(feeding, event, NULL);
}

static bool on_frame(void *arg, const struct eventstream_message *message)
{
    struct feeding *feeding = arg;
    return is_over(feeding->call) || read_one(feeding, NULL, message);
}

/* What the provider got wrong is its fault, whatever the parser calls it. */
static enum status blame(enum status status)
{
    return status == ST_OK || status == ST_NO_MEMORY || status == ST_TOO_LARGE ? status
                                                                               : ST_UPSTREAM_BROKEN;
}

enum status dialect_reply_feed(struct dialect_call *call, const char *p, size_t n)
{
    struct feeding feeding = {call, ST_OK};
    if (call->http_status >= 400) {
        size_t room = DIALECT_ERROR_MAX - call->whole.n;
        buf_add(&call->whole, p, n < room ? n : room);
        return buf_status(&call->whole);
    }
    if (!call->is_sse && !call->is_frames) {
        buf_add(&call->whole, p, n);
        return buf_status(&call->whole);
    }
    enum status status = call->is_sse ? sse_feed(&call->sse, p, n, on_event, &feeding)
                                      : eventstream_feed(&call->frames, p, n, on_frame, &feeding);
    return feeding.status != ST_OK ? blame(feeding.status) : status;
}

/* An answer that says nothing readable still gets a sentence. */
static void end_error(struct dialect_call *call)
{
    struct json *body = NULL;
    struct chat_error error = {.http = call->http_status};
    if (json_parse(call->arena, buf_str(&call->whole), NULL, &body, NULL) != ST_OK)
        body = NULL;
    const struct json *said = json_is(body, JSON_ARRAY) ? body->first : body; /* Google's streams */
    if (!json_is(said, JSON_OBJECT))
        said = NULL;
    call->back->error(call, said, &error);
    if (error.message.n == 0)
        error.message = arena_printf(call->arena, "Provider @" STR_FMT " answered with HTTP %d.",
                                     STR_ARG(call->target->provider), call->http_status);
    dialect_fail(call, &error);
}

static enum status end_whole(struct dialect_call *call)
{
    struct json *answer;
    if (call->op != NULL)
        return blame(simple_end(call));
    enum status status = json_parse(call->arena, buf_str(&call->whole), NULL, &answer, NULL);
    if (status == ST_OK && answer->type != JSON_OBJECT)
        status = ST_BAD_JSON;
    call->stable = true;
    if (status == ST_OK)
        status = call->back->whole(call, answer);
    return blame(status);
}

enum status dialect_reply_end(struct dialect_call *call)
{
    struct chat_event last = {.kind = CHAT_EVENT_END};
    if (is_over(call))
        return ST_OK;
    if (call->http_status >= 400) {
        end_error(call);
        return ST_OK;
    }
    if (!call->is_sse && !call->is_frames)
        TRY(end_whole(call));
    else if (call->choices[0].finished)
        TRY(dialect_emit(call, &last)); /* it said why it stopped, and forgot to say goodbye */
    return is_over(call) ? ST_OK : ST_UPSTREAM_BROKEN;
}
