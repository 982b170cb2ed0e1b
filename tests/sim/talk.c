/* talk.c: see talk.h.
 *
 * The rule is the one Anthropic documents: from each mark at most TALK_LOOKBACK blocks back an
 * entry may be found; the longest one is read and lives on. What follows it up to the last mark is
 * written, up to the last one-hour mark as one-hour tokens. A figure never depends on time unless
 * an entry has expired.
 */
#include "tests/sim/talk.h"

#include "common/clock.h"

#define TALK_LOOKBACK 20

void talk_begin(struct talk *talk, struct call *call)
{
    struct str key = STR("");
    const char *header = NULL;
    if (call->req != NULL && call->req->principal.p != NULL)
        key = call->req->principal;
    else if (call->req != NULL)
        (void)request_credential(call->req, &key, &header);
    *talk = (struct talk){.call = call,
                          .tokens = USAGE_CHAT,
                          .said = STR(""),
                          .hash = sim_hash(call->model, sim_hash(key, 0))};
}

static void talk_add(struct talk *talk, struct str what, uint64_t tokens)
{
    if (talk->count == talk->room) {
        size_t room = talk->room == 0 ? 64 : talk->room * 2;
        struct talk_block *blocks = arena_calloc(talk->call->arena, room, sizeof *blocks);
        if (blocks == NULL) {
            talk->failed = true;
            return;
        }
        if (talk->count > 0)
            memcpy(blocks, talk->blocks, talk->count * sizeof *blocks);
        talk->blocks = blocks;
        talk->room = room;
    }
    talk->hash = sim_hash(what, talk->hash);
    talk->tokens += tokens;
    talk->blocks[talk->count++] = (struct talk_block){.hash = talk->hash, .tokens = talk->tokens};
}

void talk_message(struct talk *talk, struct str role)
{
    talk->hash = sim_hash(role, talk->hash);
    talk->tokens += USAGE_MESSAGE;
    talk->said = STR("");
}

void talk_mix(struct talk *talk, struct str what)
{
    talk->hash = sim_hash(what, talk->hash);
}

void talk_block(struct talk *talk, struct str what, uint64_t tokens)
{
    talk_add(talk, what, tokens);
}

void talk_text(struct talk *talk, struct str text)
{
    talk_add(talk, text, usage_tokens(text.n));
    talk->said = talk->said.n == 0 ? text
                                   : arena_printf(talk->call->arena, STR_FMT "\n" STR_FMT,
                                                  STR_ARG(talk->said), STR_ARG(text));
    talk->failed = talk->failed || talk->said.p == NULL;
}

void talk_mark(struct talk *talk, int64_t ttl_ms)
{
    if (talk->count > 0)
        talk->blocks[talk->count - 1].ttl_ms = ttl_ms;
}

static struct sim_cached *talk_lookup(struct sim *sim, uint64_t hash, int64_t now_ms)
{
    for (size_t i = 0; i < SIM_CACHED_ROWS; i++) {
        if (sim->cached[i].hash == hash && sim->cached[i].expires_ms > now_ms)
            return &sim->cached[i];
    }
    return NULL;
}

static void talk_store(struct sim *sim, uint64_t hash, int64_t ttl_ms, int64_t now_ms)
{
    struct sim_cached *row = talk_lookup(sim, hash, now_ms);
    if (row == NULL)
        row = &sim->cached[sim->cached_next++ % SIM_CACHED_ROWS];
    *row = (struct sim_cached){.hash = hash, .ttl_ms = ttl_ms, .expires_ms = now_ms + ttl_ms};
}

/* The tokens of the longest cached prefix; its entry lives on. */
static uint64_t talk_read(struct talk *talk, int64_t now_ms)
{
    for (size_t i = talk->count; i-- > 0;) {
        if (talk->blocks[i].ttl_ms == 0)
            continue;
        for (size_t back = 0; back < TALK_LOOKBACK && back <= i; back++) {
            struct sim_cached *row =
                talk_lookup(talk->call->sim, talk->blocks[i - back].hash, now_ms);
            if (row == NULL)
                continue;
            row->expires_ms = now_ms + row->ttl_ms;
            return talk->blocks[i - back].tokens;
        }
    }
    return 0;
}

enum status talk_count(struct talk *talk, uint64_t min_tokens, struct usage *usage)
{
    int64_t now_ms = clock_mono_ms();
    uint64_t hour_end, write_end;
    if (talk->failed)
        return ST_NO_MEMORY;
    uint64_t read = talk_read(talk, now_ms);
    hour_end = write_end = read;
    for (size_t i = 0; i < talk->count; i++) {
        const struct talk_block *block = &talk->blocks[i];
        if (block->ttl_ms == 0 || block->tokens < min_tokens)
            continue;
        talk_store(talk->call->sim, block->hash, block->ttl_ms, now_ms);
        write_end = block->tokens > write_end ? block->tokens : write_end;
        if (block->ttl_ms == TALK_1H_MS)
            hour_end = block->tokens > hour_end ? block->tokens : hour_end;
    }
    *usage = (struct usage){.prompt = talk->tokens,
                            .cached = read,
                            .cache_write = write_end - read,
                            .cache_write_1h = hour_end - read};
    return ST_OK;
}
