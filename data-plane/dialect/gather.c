/* gather.c: see gather.h.
 *
 *   PART -> a node at the end of its choice   DELTA -> `first` (one piece) or `words` (several)
 *   PART_END -> words become a JSON string in the arena
 *
 * Pieces of JSON strings are valid on their own, so joining what stands between their quotes gives
 * a valid string; nothing is unescaped. Choices may alternate; each has a buffer of its own, made
 * when it is needed.
 */
#include "data-plane/dialect/gather.h"

#include "common/buf.h"

struct gather_choice {
    struct chat_text first;
    struct buf words, logprobs;
};

struct chat_gather {
    struct arena *arena;
    struct chat_answer answer;
    struct gather_choice open[CHAT_CHOICES_MAX];
};

struct chat_gather *gather_new(struct arena *arena)
{
    struct chat_gather *gather = arena_calloc(arena, 1, sizeof *gather);
    if (gather == NULL)
        return NULL;
    gather->arena = arena;
    for (size_t i = 0; i < CHAT_CHOICES_MAX; i++) {
        buf_init(&gather->open[i].words, GATHER_TEXT_MAX);
        buf_init(&gather->open[i].logprobs, GATHER_TEXT_MAX);
    }
    return gather;
}

void gather_free(struct chat_gather *gather)
{
    for (size_t i = 0; gather != NULL && i < CHAT_CHOICES_MAX; i++) {
        buf_free(&gather->open[i].words);
        buf_free(&gather->open[i].logprobs);
    }
}

size_t gather_held_bytes(const struct chat_gather *gather)
{
    size_t held = 0;
    for (size_t i = 0; i < CHAT_CHOICES_MAX; i++)
        held += gather->open[i].words.room_bytes + gather->open[i].logprobs.room_bytes;
    return held;
}

const struct chat_answer *gather_answer(const struct chat_gather *gather)
{
    return &gather->answer;
}

static struct chat_text keep(struct chat_gather *gather, struct chat_text text, bool stable)
{
    return stable ? text : chat_text_copy(gather->arena, text);
}

static struct str keep_json(struct chat_gather *gather, struct str json, bool stable)
{
    return stable || json.p == NULL ? json : arena_str(gather->arena, json);
}

static enum status begin_part(struct chat_gather *gather, const struct chat_event *event,
                              bool stable)
{
    struct chat_answer_choice *choice = &gather->answer.choices[event->choice];
    struct chat_part *part = chat_add_part(gather->arena, &choice->parts, event->part);
    if (part == NULL)
        return ST_NO_MEMORY;
    part->id = keep(gather, event->id, stable);
    part->name = keep(gather, event->name, stable);
    part->signature = keep(gather, event->signature, stable);
    part->origin = keep_json(gather, event->origin, stable);
    part->json = keep_json(gather, event->json, stable);
    part->media = event->media;
    part->media.mime = keep_json(gather, event->media.mime, stable);
    part->media.inner = keep_json(gather, event->media.inner, stable);
    buf_clear(&gather->open[event->choice].words);
    gather->open[event->choice].first = CHAT_TEXT_NONE;
    return ST_OK;
}

static enum status add_words(struct chat_gather *gather, const struct chat_event *event,
                             bool stable)
{
    struct gather_choice *open = &gather->open[event->choice];
    if (event->logprobs.n > 2) {
        buf_add_char(&open->logprobs, open->logprobs.n == 0 ? '[' : ',');
        buf_add(&open->logprobs, event->logprobs.p + 1, event->logprobs.n - 2);
    }
    if (stable && !chat_has(open->first) && open->words.n == 0) {
        open->first = event->text;
        return buf_status(&open->logprobs);
    }
    if (open->words.n == 0) {
        buf_add_char(&open->words, '"');
        buf_add_str(&open->words, chat_text_inner(open->first));
    }
    buf_add_str(&open->words, chat_text_inner(event->text));
    TRY(buf_status(&open->words));
    return buf_status(&open->logprobs);
}

static enum status end_part(struct chat_gather *gather, const struct chat_event *event)
{
    struct gather_choice *open = &gather->open[event->choice];
    struct chat_part *part = gather->answer.choices[event->choice].parts.last;
    struct chat_text text = open->first;
    if (open->words.n > 0) {
        buf_add_char(&open->words, '"');
        TRY(buf_status(&open->words));
        text.raw = arena_str(gather->arena, buf_str(&open->words));
        if (text.raw.p == NULL)
            return ST_NO_MEMORY;
    }
    if (part->kind == CHAT_PART_TOOL_CALL)
        part->json = text.raw;
    else
        part->text = text;
    return ST_OK;
}

static enum status add_citation(struct chat_gather *gather, const struct chat_event *event)
{
    struct chat_part *part = gather->answer.choices[event->choice].parts.last;
    struct chat_citation *item = arena_calloc(gather->arena, 1, sizeof *item);
    if (item == NULL)
        return ST_NO_MEMORY;
    *item = (struct chat_citation){.ranged = event->citation->ranged,
                                   .from = event->citation->from,
                                   .to = event->citation->to};
    item->url = chat_text_copy(gather->arena, event->citation->url);
    item->title = chat_text_copy(gather->arena, event->citation->title);
    item->quote = chat_text_copy(gather->arena, event->citation->quote);
    item->json = arena_str(gather->arena, event->citation->json);
    if (part->last_citation == NULL)
        part->citations = item;
    else
        part->last_citation->next = item;
    part->last_citation = item;
    return item->json.p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status finish(struct chat_gather *gather, const struct chat_event *event, bool stable)
{
    struct chat_answer_choice *choice = &gather->answer.choices[event->choice];
    struct gather_choice *open = &gather->open[event->choice];
    choice->finish = event->finish;
    choice->stop = keep(gather, event->text, stable);
    choice->word = arena_str(gather->arena, event->word);
    if (open->logprobs.n > 0) {
        buf_add_char(&open->logprobs, ']');
        choice->logprobs = buf_str(&open->logprobs);
    }
    if (event->choice >= gather->answer.choice_count)
        gather->answer.choice_count = event->choice + 1;
    return choice->word.p == NULL ? ST_NO_MEMORY : buf_status(&open->logprobs);
}

enum status gather_event(struct chat_gather *gather, const struct chat_event *event, bool stable)
{
    struct chat_part *part;
    CHECK(event->choice < CHAT_CHOICES_MAX);
    switch (event->kind) {
    case CHAT_EVENT_START:
        gather->answer.id = keep(gather, event->id, stable);
        gather->answer.model = keep(gather, event->name, stable);
        return ST_OK;
    case CHAT_EVENT_PART:
        return begin_part(gather, event, stable);
    case CHAT_EVENT_DELTA:
        return add_words(gather, event, stable);
    case CHAT_EVENT_SIGNATURE:
        part = gather->answer.choices[event->choice].parts.last;
        part->signature = keep(gather, event->signature, stable);
        part->origin = keep_json(gather, event->origin, stable);
        return ST_OK;
    case CHAT_EVENT_CITATION:
        return add_citation(gather, event);
    case CHAT_EVENT_PART_END:
        return end_part(gather, event);
    case CHAT_EVENT_FINISH:
        return finish(gather, event, stable);
    case CHAT_EVENT_USAGE:
        gather->answer.usage = *event->usage;
        gather->answer.has_usage = true;
        return ST_OK;
    case CHAT_EVENT_END:
        return ST_OK;
    }
    return ST_OK;
}
