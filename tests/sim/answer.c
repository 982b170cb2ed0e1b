/* answer.c: see answer.h. Same request, same answer: no clock and no random number has a part in
 * it, except in the ids of calls.
 *
 * The blocks are made whole before the first byte goes out, so that usage is known from the start
 * and a stream is only a way of cutting them. They must never exceed max_tokens: budgets are tested
 * against that bound.
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

static void answer_pad(struct buf *text, size_t n)
{
    while (text->n < n && buf_status(text) == ST_OK) {
        size_t missing = n - text->n;
        buf_add(text, answer_filler,
                missing < sizeof answer_filler - 1 ? missing : sizeof answer_filler - 1);
    }
}

/* Moves what was written into keep. ST_NO_MEMORY, ST_TOO_LARGE. */
static enum status answer_keep(struct call *call, struct buf *text, size_t most, struct str *kept)
{
    TRY(buf_status(text));
    *kept = arena_str(call->keep, answer_cut(buf_str(text), most));
    buf_clear(text);
    return kept->p == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Text that is not JSON is padded and cut as the fault asks: padded JSON would be none. */
static enum status answer_write_text(struct call *call, const struct answer_ask *ask,
                                     struct str user, struct buf *text, struct answer_block *block)
{
    const struct fault *fault = call->fault;
    int64_t pieces = fault->chunks > 0 ? fault->chunks : call->sim->options.chunks;
    struct json_writer w;
    block->kind = ANSWER_TEXT;
    jw_init(&w, text);
    if (ask->schema != NULL) {
        schema_write_sample(&w, ask->schema, user, call->arena);
        return answer_keep(call, text, SIZE_MAX, &block->text);
    }
    if (ask->json) {
        jw_object(&w);
        jw_field_str(&w, "answer", user);
        jw_end(&w);
        return answer_keep(call, text, SIZE_MAX, &block->text);
    }
    buf_add_lit(text, "You said: ");
    buf_add_str(text, user);
    if (fault->bytes > 0)
        answer_pad(text, (size_t)fault->bytes);
    else if (pieces > 0)
        answer_pad(text, (size_t)pieces * USAGE_BYTES_PER_TOKEN);
    return answer_keep(call, text, fault->bytes > 0 ? (size_t)fault->bytes : SIZE_MAX,
                       &block->text);
}

static enum status answer_write_calls(struct call *call, const struct answer_ask *ask,
                                      struct str user, struct buf *text, struct answer *answer)
{
    struct tool calls[TOOLS_CALLS_MAX];
    size_t count = ask->toolbox == NULL ? 0 : tools_pick(ask->toolbox, ask->user, calls);
    int64_t times = call->fault->calls > 0 && !ask->toolbox->one_only ? call->fault->calls : 1;
    if (count > 0 && call->fault->preface == 1)
        answer->blocks[answer->count++] =
            (struct answer_block){.kind = ANSWER_TEXT, .text = STR("One moment, please.")};
    for (size_t i = 0; i < count * (size_t)times; i++) {
        struct answer_block *block = &answer->blocks[answer->count++];
        const struct tool *tool = &calls[i / (size_t)times];
        struct json_writer w;
        jw_init(&w, text);
        schema_write_sample(&w, tool->schema, user, call->arena);
        block->kind = ANSWER_CALL;
        block->name = arena_str(call->keep, tool->name);
        block->id = sim_make_id(call->keep, ask->call_prefix);
        TRY(answer_keep(call, text, SIZE_MAX, &block->text));
    }
    return ST_OK;
}

/* The thought's block, or only its count; reasoning:N decides its length. */
static enum status answer_write_thought(struct call *call, const struct answer_ask *ask,
                                        struct str user, struct buf *text, struct answer *answer)
{
    int64_t tokens = call->fault->reasoning;
    struct str thought = STR("");
    if (ask->thought == ANSWER_NO_THOUGHT) {
        answer->hidden = tokens > 0 ? (uint64_t)tokens : 0;
        return ST_OK;
    }
    size_t most = tokens >= 0 ? (size_t)tokens * USAGE_BYTES_PER_TOKEN : SIZE_MAX;
    buf_add_lit(text, "The user says: ");
    buf_add_str(text, user);
    if (tokens > 0)
        answer_pad(text, most);
    TRY(answer_keep(call, text, most, &thought));
    if (ask->thought != ANSWER_THOUGHT_SHOWN) {
        answer->hidden = usage_tokens(thought.n);
        thought.n = 0;
    }
    if (ask->thought != ANSWER_THOUGHT_HIDDEN)
        answer->blocks[answer->count++] =
            (struct answer_block){.kind = ANSWER_THOUGHT, .text = thought};
    return ST_OK;
}

/* Cuts the words before the stop sequence that comes first in them; no call follows then. */
static enum status answer_stop(struct call *call, const struct answer_ask *ask,
                               struct answer *answer)
{
    bool list = json_is(ask->stops, JSON_ARRAY);
    size_t at = 0;
    while (at < answer->count && answer->blocks[at].kind != ANSWER_TEXT)
        at++;
    if (at == answer->count)
        return ST_OK;
    for (const struct json *stop = list ? ask->stops->first : ask->stops; stop != NULL;
         stop = list ? stop->next : NULL) {
        struct str text = STR_NONE, *words = &answer->blocks[at].text;
        if (!json_is(stop, JSON_STRING))
            continue;
        TRY(json_text(stop, call->arena, &text));
        ptrdiff_t found = text.n == 0 ? -1 : str_find(*words, text);
        if (found < 0)
            continue;
        words->n = (size_t)found;
        answer->stopped_by = arena_str(call->keep, text);
        answer->count = at + 1;
    }
    return ST_OK;
}

/* Cuts to max_tokens and counts. */
static void answer_count(const struct answer_ask *ask, struct answer *answer)
{
    uint64_t left = ask->max_tokens >= 0 ? (uint64_t)ask->max_tokens : UINT64_MAX;
    uint64_t shown = 0, thought = 0, pictures = 0;
    answer->hidden = answer->hidden < left ? answer->hidden : left;
    left -= answer->hidden;
    for (size_t i = 0; i < answer->count; i++) {
        struct answer_block *block = &answer->blocks[i];
        uint64_t tokens = usage_tokens(block->text.n) + block->tokens;
        if (tokens > left && block->kind != ANSWER_IMAGE) {
            struct str whole = block->text;
            block->text = answer_cut(whole, (size_t)left * USAGE_BYTES_PER_TOKEN);
            block->cut = answer->cut = true;
            answer->count = i + 1;
            answer->stopped_by = STR_NONE;
            tokens = usage_tokens(block->text.n);
        }
        left -= tokens < left ? tokens : left;
        shown += tokens;
        pictures += block->tokens;
        thought += block->kind == ANSWER_THOUGHT ? tokens : 0;
    }
    answer->usage = ask->usage;
    answer->usage.completion = ask->choices * (shown + answer->hidden);
    answer->usage.reasoning = ask->choices * (thought + answer->hidden);
    answer->usage.image_out = ask->choices * pictures;
}

/* The figures about the prompt cache that the fault asks for. */
static void answer_count_cache(const struct call *call, struct usage *usage)
{
    const struct fault *fault = call->fault;
    if (fault->cached >= 0)
        usage->cached =
            (uint64_t)fault->cached < usage->prompt ? (uint64_t)fault->cached : usage->prompt;
    if (fault->cache_write >= 0) {
        uint64_t most = usage->prompt - usage->cached, wanted = (uint64_t)fault->cache_write;
        usage->cache_write = wanted < most ? wanted : most;
        usage->cache_write_1h = 0;
    }
}

static enum status answer_write(struct call *call, const struct answer_ask *ask, struct buf *text,
                                struct answer *answer)
{
    struct str user = answer_user_text(call, ask->user);
    TRY(answer_write_thought(call, ask, user, text, answer));
    size_t before = answer->count;
    TRY(answer_write_calls(call, ask, user, text, answer));
    if (answer->count == before)
        TRY(answer_write_text(call, ask, user, text, &answer->blocks[answer->count++]));
    for (uint64_t i = 0; i < ask->images && i < ANSWER_IMAGES_MAX; i++)
        answer->blocks[answer->count++] = (struct answer_block){
            .kind = ANSWER_IMAGE, .text = STR(""), .tokens = ask->image_tokens};
    return answer_stop(call, ask, answer);
}

enum status answer_make(struct call *call, const struct answer_ask *ask, struct answer *answer)
{
    struct buf text;
    int64_t pieces = call->fault->chunks > 0 ? call->fault->chunks : call->sim->options.chunks;
    uint64_t tokens = 0;
    *answer = (struct answer){.choices = ask->choices, .refused = call->fault->refuse == 1};
    answer->blocks = arena_calloc(call->keep, ANSWER_BLOCKS_MAX, sizeof *answer->blocks);
    if (answer->blocks == NULL)
        return ST_NO_MEMORY;
    buf_init(&text, SIM_TEXT_MAX);
    enum status status = answer_write(call, ask, &text, answer);
    buf_free(&text);
    if (status != ST_OK)
        return ST_NO_MEMORY;
    answer_count(ask, answer);
    answer_count_cache(call, &answer->usage);
    for (size_t i = 0; i < answer->count; i++)
        tokens += usage_tokens(answer->blocks[i].text.n);
    answer->pieces = pieces > 0                   ? (uint64_t)pieces
                     : tokens < ANSWER_PIECES_MAX ? tokens
                                                  : ANSWER_PIECES_MAX;
    return ST_OK;
}

size_t answer_piece_start(const struct answer *answer, uint64_t i)
{
    uint64_t all = 0;
    size_t before = 0;
    for (size_t b = 0; b < answer->count; b++)
        all += answer->blocks[b].text.n;
    size_t at = (size_t)(all * i / answer->pieces); /* below 2^27 * 2^27 */
    for (size_t b = 0; b < answer->count; b++) {
        struct str text = answer->blocks[b].text;
        if (at < before + text.n)
            return before + answer_cut(text, at - before).n;
        before += text.n;
    }
    return before;
}

struct usage answer_usage_at(const struct answer *answer, size_t block, size_t offset)
{
    struct usage usage = answer->usage;
    uint64_t shown = 0, thought = 0;
    for (size_t b = 0; b < answer->count && b <= block; b++) {
        const struct answer_block *one = &answer->blocks[b];
        uint64_t tokens = usage_tokens(b < block ? one->text.n : offset);
        tokens += b < block ? one->tokens : 0;
        shown += tokens;
        thought += one->kind == ANSWER_THOUGHT ? tokens : 0;
    }
    usage.completion = answer->choices * (answer->hidden + shown);
    usage.reasoning = answer->choices * (answer->hidden + thought);
    return usage;
}

const struct answer_block *answer_first(const struct answer *answer, enum answer_kind kind)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->blocks[i].kind == kind)
            return &answer->blocks[i];
    }
    return NULL;
}

struct str answer_text(const struct answer *answer)
{
    const struct answer_block *block = answer_first(answer, ANSWER_TEXT);
    return block == NULL ? STR_NONE : block->text;
}
