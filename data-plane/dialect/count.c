/* count.c: see count.h.
 *
 * Words are counted as they stand between the quotes, escapes included: a handful of tokens more
 * where there are many, never fewer. Thinking of earlier turns is not counted: it is not sent on.
 */
#include "data-plane/dialect/count.h"

#define MESSAGE_TOKENS 4
#define ANSWER_TOKENS  3
#define MEDIA_TOKENS   1600
#define MEDIA_BYTES    16 /* of data, a token */

uint64_t count_words(struct str words)
{
    uint64_t ascii = 0, others = 0;
    for (size_t i = 0; i < words.n; i++) {
        unsigned char c = (unsigned char)words.p[i];
        if (c < 0x80)
            ascii++;
        else if ((c & 0xC0) != 0x80)
            others++;
    }
    return (ascii + 3) / 4 + others;
}

static uint64_t count_text(struct chat_text text)
{
    return count_words(chat_text_inner(text));
}

static uint64_t count_media(const struct chat_media *media)
{
    if (media->source == CHAT_SOURCE_TEXT)
        return count_words(media->inner);
    uint64_t bytes = media->source == CHAT_SOURCE_DATA ? media->inner.n / MEDIA_BYTES : 0;
    return bytes > MEDIA_TOKENS ? bytes : MEDIA_TOKENS;
}

static uint64_t count_part(const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_PART_TEXT:
    case CHAT_PART_REFUSAL:
        return count_text(part->text);
    case CHAT_PART_TOOL_CALL:
        return count_text(part->name) + count_words(part->json);
    case CHAT_PART_IMAGE:
    case CHAT_PART_AUDIO:
    case CHAT_PART_FILE:
        return count_text(part->name) + count_text(part->about) + count_media(&part->media);
    case CHAT_PART_NATIVE:
        return count_words(part->json);
    case CHAT_PART_TOOL_RESULT: /* its parts are counted beside it */
    case CHAT_PART_THINKING:
    case CHAT_PART_REDACTED:
    case CHAT_PART_NONE:
        break;
    }
    return 0;
}

static uint64_t count_parts(const struct chat_parts *parts)
{
    uint64_t sum = 0;
    for (const struct chat_part *part = parts->first; part != NULL; part = part->next) {
        sum += count_part(part);
        for (const struct chat_part *inside = part->parts.first; inside != NULL;
             inside = inside->next)
            sum += count_part(inside);
    }
    return sum;
}

uint64_t count_estimate(const struct chat *chat)
{
    uint64_t sum = ANSWER_TOKENS + count_words(chat->schema);
    for (const struct chat_message *m = chat->messages; m != NULL; m = m->next)
        sum += MESSAGE_TOKENS + count_text(m->name) + count_parts(&m->parts);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
        sum += tool->native ? count_words(tool->node->raw)
                            : count_text(tool->name) + count_text(tool->description) +
                                  count_words(tool->schema);
    return sum;
}
