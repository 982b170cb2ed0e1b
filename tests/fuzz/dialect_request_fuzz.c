/* dialect_request_fuzz.c: a caller's request, through every front and back. Holds that
 *   1. what is written for a provider is valid JSON without a name twice in any object;
 *   2. what is refused has a sentence;
 *   3. the list of dropped fields fits a header;
 *   4. a request that is read once can be written again, with the same result.
 * Input: one byte for front and back, one for the model, the rest is the body.
 */
#include <stdlib.h>

#include "common/catalog_codec.h"
#include "data-plane/dialect/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

static void check_dropped(const struct dialect_call *call)
{
    CHECK(memchr(call->dropped, '\0', sizeof call->dropped) != NULL);
    for (const char *p = call->dropped; *p != '\0'; p++)
        CHECK(*p >= ' ' && *p < 0x7F);
}

static void run(struct arena *arena, const struct front *front, const struct back *back,
                const struct dialect_target *target, struct str body)
{
    struct dialect_call call, again;
    const struct chat *chat;
    struct str out, second;
    struct json *root;
    CHECK(dialect_begin(&call, arena, front, back, target) == ST_OK);
    CHECK(dialect_begin(&again, arena, front, back, target) == ST_OK);
    enum status status = dialect_read(&call, body, &chat);
    if (status == ST_OK) {
        again.chat = chat;
        status = dialect_write(&call, &out);
        CHECK(dialect_write(&again, &second) == status);
        CHECK(status != ST_OK || str_eq(out, second));
    }
    if (status == ST_OK)
        CHECK(json_parse(arena, out, NULL, &root, NULL) == ST_OK);
    else
        CHECK(call.refused == status && call.reason[0] != '\0');
    check_dropped(&call);
    dialect_free(&call);
    dialect_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum op ops[] = {OP_CHAT, OP_MESSAGES, OP_RESPONSES_CREATE, OP_COMPLETIONS,
                                  OP_COUNT_TOKENS};
    static const uint16_t dialects[] = {CAT_DIALECT_ANTHROPIC, CAT_DIALECT_OPENAI,
                                        CAT_DIALECT_BEDROCK, CAT_DIALECT_GEMINI};
    static const char *const models[] = {"claude-3-haiku-20240307",
                                         "claude-sonnet-4-0",
                                         "claude-sonnet-4-5",
                                         "claude-opus-4-6",
                                         "claude-opus-4-8",
                                         "claude-opus-5-5",
                                         "gpt-5.1",
                                         "o3",
                                         "gemini-2.0-flash",
                                         "gemini-2.5-flash",
                                         "gemini-3-pro-preview",
                                         "gemma-3-27b-it",
                                         "unknown"};
    struct arena arena;
    if (size < 2 || size > FUZZ_MAX_BYTES)
        return 0;
    const char *model = models[data[1] % COUNT_OF(models)];
    struct dialect_target target = {.provider = STR("p"),
                                    .service = STR("s"),
                                    .model = str_c(model),
                                    .base_model = str_c(model),
                                    .renames = (data[1] & 0x40u) != 0 ? STR("seed random_seed\n")
                                                                      : STR_NONE,
                                    .max_output_tokens = (data[1] & 0x80u) != 0 ? 0 : 8192};
    char *copy = malloc(size - 2 + 1); /* of its size, so that a read beyond it is seen */
    CHECK(copy != NULL);
    memcpy(copy, data + 2, size - 2);
    arena_init(&arena, 64u << 20);
    run(&arena, dialect_front(ops[data[0] % COUNT_OF(ops)]),
        dialect_back(dialects[data[0] / COUNT_OF(ops) % COUNT_OF(dialects)]), &target,
        str_of(copy, size - 2));
    arena_free(&arena);
    free(copy);
    return 0;
}
