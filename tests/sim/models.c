/* models.c: see models.h. Names match exactly: no aliases, no dated spellings. */
#include "tests/sim/models.h"

static const struct {
    const char *name;
    const char *owner;
    uint32_t dimensions;
    bool fixed_dimensions;
} models_known[] = {
    {"gpt-4o", "system", 0, false},
    {"gpt-4o-mini", "system", 0, false},
    {"gpt-4.1", "system", 0, false},
    {"gpt-4.1-nano", "system", 0, false},
    {"o1-preview", "system", 0, false},
    {"o1-mini", "system", 0, false},
    {"o3-mini", "system", 0, false},
    {"gpt-3.5-turbo", "openai", 0, false},
    {"gpt-3.5-turbo-instruct", "system", 0, false},
    {"text-embedding-3-small", "system", 1536, false},
    {"text-embedding-3-large", "system", 3072, false},
    {"text-embedding-ada-002", "openai-internal", 1536, true},
    {"dall-e-3", "system", 0, false},
    {"gpt-image-1", "system", 0, false},
    {"tts-1", "openai-internal", 0, false},
    {"whisper-1", "openai-internal", 0, false},
    {"gpt-4o-transcribe", "system", 0, false},
    {"omni-moderation-latest", "system", 0, false},
};

bool models_at(const struct options *options, size_t i, struct model *model)
{
    if (i < COUNT_OF(models_known)) {
        *model = (struct model){.name = str_c(models_known[i].name),
                                .owner = models_known[i].owner,
                                .dimensions = models_known[i].dimensions,
                                .fixed_dimensions = models_known[i].fixed_dimensions};
        return true;
    }
    i -= COUNT_OF(models_known);
    if (i >= options->models.count)
        return false;
    *model =
        (struct model){.name = str_c(options->models.item[i]), .owner = "sim", .dimensions = 1536};
    return true;
}

enum status models_find(const struct options *options, struct str name, struct model *model)
{
    struct model row;
    for (size_t i = 0; models_at(options, i, &row); i++) {
        if (str_eq(row.name, name)) {
            *model = row;
            return ST_OK;
        }
    }
    if (!str_starts(name, STR("ft:")) || name.n <= 3)
        return ST_MODEL_NOT_FOUND;
    *model = (struct model){.name = name, .owner = "user-sim", .dimensions = 0};
    return ST_OK;
}
