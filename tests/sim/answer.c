/* answer.c: see answer.h. Same request, same answer: no clock and no random number has a part in
 * it.
 *
 * The text is made whole before the first byte goes out, so that usage is known from the start and
 * a stream is only a way of cutting it. It must never exceed max_tokens: budgets are tested against
 * that bound.
 */
#include "tests/sim/answer.h"

#include "tests/sim/schema.h"

static const char answer_filler[] = " and the river runs on past the mill and the weir";

static struct str answer_cut(struct str text, size_t n)
{
    if (n >= text.n)
        return text;
    while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return str_head(text, n);
}

struct str answer_content_text(struct call *call, const struct json *content)
{
    struct str text = STR("");
    if (json_is(content, JSON_STRING))
        return json_text(content, call->arena, &text) == ST_OK ? text : STR_NONE;
    if (!json_is(content, JSON_ARRAY))
        return text;
    for (const struct json *part = content->first; part != NULL; part = part->next) {
        struct str one = call_text(call, part, "text");
        if (one.p == NULL)
            continue;
        text = text.n == 0
                   ? one
                   : arena_printf(call->arena, STR_FMT "\n" STR_FMT, STR_ARG(text), STR_ARG(one));
        if (text.p == NULL)
            return text;
    }
    return text;
}

/* Without the fault words, which are an order and not part of the talk. */
static struct str answer_user_text(struct call *call, struct str user)
{
    ptrdiff_t at = str_find(user, STR(FAULT_MAGIC));
    if (at < 0)
        return answer_cut(user, ANSWER_ECHO_MAX);
    struct str spec = fault_find(user), head = str_head(user, (size_t)at);
    struct str tail = str_from(user, (size_t)(spec.p - user.p) + spec.n);
    struct str joined =
        arena_printf(call->arena, STR_FMT STR_FMT, STR_ARG(str_trim(head)), STR_ARG(tail));
    return joined.p == NULL ? STR("") : answer_cut(str_trim(joined), ANSWER_ECHO_MAX);
}

static void answer_write(struct call *call, const struct answer_ask *ask, struct buf *text)
{
    struct json_writer w;
    struct str user = answer_user_text(call, ask->user);
    jw_init(&w, text);
    if (ask->function != NULL) {
        schema_write_sample(&w, json_get(ask->function, "parameters"), user, call->arena);
    } else if (ask->schema != NULL) {
        schema_write_sample(&w, ask->schema, user, call->arena);
    } else if (ask->json) {
        jw_object(&w);
        jw_field_str(&w, "answer", user);
        jw_end(&w);
    } else {
        buf_add_lit(text, "You said: ");
        buf_add_str(text, user);
    }
}

static void answer_pad(struct buf *text, size_t n)
{
    while (text->n < n && buf_status(text) == ST_OK) {
        size_t missing = n - text->n;
        buf_add(text, answer_filler,
                missing < sizeof answer_filler - 1 ? missing : sizeof answer_filler - 1);
    }
}

/* Pads and cuts as the fault asks; plain text only: padded JSON would be none. */
static struct str answer_fit(const struct call *call, const struct answer_ask *ask, int64_t pieces,
                             struct buf *text)
{
    bool plain = ask->function == NULL && ask->schema == NULL && !ask->json;
    if (plain && call->fault->bytes > 0)
        answer_pad(text, (size_t)call->fault->bytes);
    if (plain && call->fault->bytes <= 0 && pieces > 0)
        answer_pad(text, (size_t)pieces * USAGE_BYTES_PER_TOKEN);
    struct str fitted = buf_str(text);
    return plain && call->fault->bytes > 0 ? answer_cut(fitted, (size_t)call->fault->bytes)
                                           : fitted;
}

static void answer_count(const struct call *call, const struct answer_ask *ask,
                         struct answer *answer)
{
    uint64_t reasoning = call->fault->reasoning > 0 ? (uint64_t)call->fault->reasoning : 0;
    uint64_t cached = call->fault->cached > 0 ? (uint64_t)call->fault->cached : 0;
    if (ask->max_tokens >= 0) {
        uint64_t limit = (uint64_t)ask->max_tokens;
        reasoning = reasoning < limit ? reasoning : limit;
        struct str whole = answer->text;
        answer->text = answer_cut(whole, (size_t)((limit - reasoning) * USAGE_BYTES_PER_TOKEN));
        answer->cut = answer->text.n < whole.n;
    }
    answer->usage = (struct usage){
        .prompt = ask->prompt_tokens,
        .completion = ask->choices * (usage_tokens(answer->text.n) + reasoning),
        .cached = cached < ask->prompt_tokens ? cached : ask->prompt_tokens,
        .reasoning = ask->choices * reasoning,
    };
}

enum status answer_make(struct call *call, const struct answer_ask *ask, struct answer *answer)
{
    struct buf text;
    int64_t pieces = call->fault->chunks > 0 ? call->fault->chunks : call->sim->options.chunks;
    enum status status = ST_OK;
    *answer = (struct answer){.choices = ask->choices};
    buf_init(&text, SIM_TEXT_MAX);
    answer_write(call, ask, &text);
    answer->text = arena_str(call->keep, answer_fit(call, ask, pieces, &text));
    TRY_OUT(buf_status(&text));
    if (answer->text.p == NULL)
        status = ST_NO_MEMORY;
    if (ask->function != NULL) {
        answer->tool_name = arena_str(call->keep, call_text(call, ask->function, "name"));
        answer->tool_id = sim_make_id(call->keep, "call_");
    }
    answer_count(call, ask, answer);
    uint64_t tokens = usage_tokens(answer->text.n);
    answer->pieces = pieces > 0                   ? (uint64_t)pieces
                     : tokens < ANSWER_PIECES_MAX ? tokens
                                                  : ANSWER_PIECES_MAX;
out:
    buf_free(&text);
    return status;
}

static size_t answer_piece_start(const struct answer *answer, uint64_t i)
{
    size_t at = (size_t)((uint64_t)answer->text.n * i / answer->pieces); /* below 2^27 * 2^27 */
    return answer_cut(answer->text, at).n;
}

struct str answer_piece(const struct answer *answer, uint64_t i)
{
    CHECK(i < answer->pieces);
    size_t from = answer_piece_start(answer, i), to = answer_piece_start(answer, i + 1);
    return str_of(answer->text.p + from, to - from);
}

struct usage answer_usage_after(const struct answer *answer, uint64_t i)
{
    struct usage usage = answer->usage;
    if (answer->pieces > 0 && i < answer->pieces)
        usage.completion =
            usage.reasoning + answer->choices * usage_tokens(answer_piece_start(answer, i));
    return usage;
}
