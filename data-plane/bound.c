/* bound.c: the most and the likely use of a request, one function per kind of operation.
 *
 * Invariant: bound_most is never below what the provider will report for a request it accepts;
 * where that cannot be said, it says which field is at fault. A number that cannot be read is no
 * bound: then the model's own maximum holds, or there is none.
 */
#include "data-plane/bound.h"

#include "common/guard.h"
#include "data-plane/bound_parts.h"

#define BOUND_IMAGE_TOKENS 49152u /* of one image in a prompt, if no row says less */
#define BOUND_MADE_IMAGE_TOKENS                                                                    \
    8192u                            /* of one image made; documented: 6,240 and partial images    \
                                      */
#define BOUND_AUDIO_TOKENS      512u /* of one audio part, beside its bytes */
#define BOUND_TEMPLATE_TOKENS   256u /* what a provider's chat template adds */
#define BOUND_TOOLS_TOKENS      768u /* what tools add to it; Anthropic documents up to 530 */
#define BOUND_EDIT_IMAGES       16u  /* OpenAI, "Create image edit": up to 16 images in, 10 out */
#define BOUND_IMAGES_MAX        10u
#define BOUND_RERANK_DOCS       100u /* Cohere, "Rerank": a search unit is up to 100 documents ... */
#define BOUND_RERANK_BYTES      500u /* ... and a longer document counts once per 500 tokens */
#define LIKELY_OUTPUT_TOKENS    512u
#define LIKELY_BYTES_PER_TOKEN  4u
#define LIKELY_BYTES_PER_SECOND 4000u /* of audio: 32 kbit/s */

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > PRICE_COUNT_MAX || b > PRICE_COUNT_MAX - a ? PRICE_COUNT_MAX : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return b != 0 && a > PRICE_COUNT_MAX / b ? PRICE_COUNT_MAX : a * b;
}

static enum status unbounded(struct bound *bound, const char *field, const char *remedy)
{
    bound->field = field;
    bound->remedy = remedy;
    return ST_UNBOUNDED_COST;
}

/* --- reading --- */

static bool is_there(const struct json_field *field)
{
    return field->raw.p != NULL && field->type != JSON_NULL;
}

static bool whole(const struct json_field *field, uint64_t *value)
{
    return is_there(field) && field->type == JSON_NUMBER && str_to_u64(field->raw, value) == ST_OK;
}

/* A string without escapes, or none. */
static struct str plain(const struct json_field *field)
{
    struct str text;
    if (!is_there(field) || field->type != JSON_STRING ||
        memchr(field->raw.p, '\\', field->raw.n) != NULL ||
        json_unescape(field->raw, NULL, &text) != ST_OK)
        return STR_NONE;
    return text;
}

/* May the text say `word`, be it with escapes? */
static bool may_say(struct str text, struct str word)
{
    return str_find(text, word) >= 0 || str_find(text, STR("\\u00")) >= 0;
}

/* --- output --- */

/* max_tokens of one choice: as given, else the model's own. */
static enum status most_tokens(const struct bound_ask *ask, const struct json_field *given,
                               size_t count, struct bound *bound)
{
    uint64_t value;
    for (size_t i = 0; i < count; i++) {
        if (whole(&given[i], &value) && value > bound->max_tokens) {
            bound->max_tokens = value;
            bound->max_tokens_given = true;
        } else if (is_there(&given[i]) && !whole(&given[i], &value)) {
            bound->max_tokens_given = false;
            bound->max_tokens = 0;
            break;
        }
    }
    if (bound->max_tokens == 0)
        bound->max_tokens =
            ask->max_output_tokens > 0 ? ask->max_output_tokens : ask->context_tokens;
    if (bound->max_tokens > 0)
        return ST_OK;
    return unbounded(bound, given[0].name, "Set it: the model's own maximum is not known.");
}

static enum status most_choices(const struct json_field *n, struct bound *bound)
{
    uint64_t value;
    if (!is_there(n))
        return ST_OK;
    if (!whole(n, &value))
        return unbounded(bound, n->name, "Give it as a whole number.");
    if (value > bound->choices)
        bound->choices = value < PRICE_COUNT_MAX ? value : PRICE_COUNT_MAX;
    return ST_OK;
}

/* --- input --- */

static uint64_t image_tokens(struct str model)
{
    static const struct {
        struct str pattern;
        uint64_t tokens;
    } rows[] = {
#define IMAGES(pattern, tokens) {{pattern, sizeof pattern - 1}, tokens},
#include "data-plane/bound_images.def"
#undef IMAGES
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_glob(rows[i].pattern, model))
            return rows[i].tokens;
    return BOUND_IMAGE_TOKENS;
}

/* Input of a prompt that may be read `rounds` times (server tools make the model read it anew). */
static enum status most_input(const struct bound_ask *ask, const struct bound_parts *parts,
                              uint64_t rounds, struct bound *bound)
{
    uint64_t tokens = sum(ask->body.n, BOUND_TEMPLATE_TOKENS);
    tokens = sum(tokens, times(parts->images, image_tokens(ask->model)));
    tokens = sum(tokens, times(parts->audios, BOUND_AUDIO_TOKENS));
    bool grows = parts->opaque || rounds > 1;
    if (grows && ask->context_tokens == 0)
        return unbounded(bound, "messages",
                         "It holds parts (files, documents, server tools, stored text) whose size "
                         "only the model's context window bounds, and that is not known.");
    if (ask->context_tokens > 0 && (grows || tokens > ask->context_tokens))
        tokens = ask->context_tokens;
    bound->most.input_tokens = times(tokens, rounds);
    if (parts->images > 0)
        bound->most.input_classes |= PRICE_BIT(PRICE_IMAGE_INPUT_TOKEN);
    if (parts->audios > 0)
        bound->most.input_classes |= PRICE_BIT(PRICE_AUDIO_INPUT_TOKEN);
    if (may_say(ask->body, STR("ttl")))
        bound->most.input_classes |= PRICE_BIT(PRICE_CACHE_WRITE_1H_TOKEN);
    return ST_OK;
}

/* Each use of a server tool makes the model read its context once more. max_tool_calls caps all of
 * them together, and any of them may have it all. */
static enum status most_tools(const struct json_field *tools, const struct json_field *max_calls,
                              struct bound *bound, uint64_t *rounds)
{
    struct bound_tools found = {0};
    uint64_t calls, total = 0;
    *rounds = 1;
    if (is_there(tools) && tools->type == JSON_ARRAY)
        bound_tools_of(tools->raw, &found);
    if (found.unknown)
        return unbounded(bound, "tools",
                         "One of them is run by the provider and has no bound; leave it out.");
    bool capped = max_calls != NULL && whole(max_calls, &calls) && calls <= UINT16_MAX;
    if (found.uncapped && !capped)
        return unbounded(bound, "tools",
                         max_calls != NULL ? "Set max_tool_calls: the provider runs one of them."
                                           : "Set max_uses of each one that the provider runs.");
    for (unsigned i = 0; i < BOUND_TOOL_KINDS; i++) {
        if (capped && found.seen[i])
            found.uses[i] = calls;
        total += found.uses[i];
    }
    bound->most.other.n[PRICE_WEB_SEARCH] = found.uses[BOUND_TOOL_WEB];
    bound->most.other.n[PRICE_FILE_SEARCH] = found.uses[BOUND_TOOL_FILE];
    bound->most.other.n[PRICE_CODE_EXECUTION] = found.uses[BOUND_TOOL_CODE];
    *rounds = 1 + (capped && total > 0 ? calls : total);
    return ST_OK;
}

/* Where the caller does not name a tier, the account's settings at the provider do, and price_bound
 * takes the dearest. The ones named below never cost more than the plain price. */
static void take_tier(struct bound *bound, const struct json_field *tier)
{
    struct str name = plain(tier);
    if (str_eq(name, STR("default")) || str_eq(name, STR("flex")) ||
        str_eq(name, STR("standard_only")))
        bound->query.tier = STR("default");
}

/* --- operations --- */

static void set_output(struct bound *bound, uint64_t beside)
{
    bound->most.output_tokens = sum(times(bound->max_tokens, bound->choices), beside);
}

static enum status bound_chat(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field fields[] = {
        {.name = "max_completion_tokens"},
        {.name = "max_tokens"},
        {.name = "n"},
        {.name = "messages"},
        {.name = "tools"},
        {.name = "web_search_options"},
        {.name = "service_tier"},
        {.name = "prediction"},
        {.name = "modalities"},
    };
    struct bound_parts parts = {0};
    uint64_t rounds;
    TRY(json_scan_object(ask->body, fields, COUNT_OF(fields), NULL));
    if (is_there(&fields[5]))
        return unbounded(bound, "web_search_options",
                         "Searches of chat completions have no bound; use a tool with one.");
    TRY(most_tokens(ask, fields, 2, bound));
    TRY(most_choices(&fields[2], bound));
    TRY(most_tools(&fields[4], NULL, bound, &rounds));
    bound_parts_of(fields[3].raw, fields[3].raw.p == NULL ? JSON_NULL : fields[3].type, &parts);
    TRY(most_input(ask, &parts, rounds, bound));
    if (is_there(&fields[4]))
        bound->most.input_tokens = sum(bound->most.input_tokens, BOUND_TOOLS_TOKENS);
    take_tier(bound, &fields[6]);
    if (is_there(&fields[8]) && may_say(fields[8].raw, STR("audio")))
        bound->most.output_classes |= PRICE_BIT(PRICE_AUDIO_OUTPUT_TOKEN);
    set_output(bound, is_there(&fields[7]) ? fields[7].raw.n : 0);
    return ST_OK;
}

static enum status bound_messages(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field fields[] = {
        {.name = "max_tokens"}, {.name = "messages"},    {.name = "system"},      {.name = "tools"},
        {.name = "container"},  {.name = "mcp_servers"}, {.name = "service_tier"}};
    struct bound_parts parts = {0};
    uint64_t rounds;
    TRY(json_scan_object(ask->body, fields, COUNT_OF(fields), NULL));
    if (is_there(&fields[4]) || is_there(&fields[5]))
        return unbounded(bound, is_there(&fields[4]) ? "container" : "mcp_servers",
                         "What runs at the provider has no bound; leave it out.");
    TRY(most_tokens(ask, fields, 1, bound));
    TRY(most_tools(&fields[3], NULL, bound, &rounds));
    for (size_t i = 1; i < 3; i++)
        bound_parts_of(fields[i].raw, fields[i].raw.p == NULL ? JSON_NULL : fields[i].type, &parts);
    TRY(most_input(ask, &parts, rounds, bound));
    bound->most.input_tokens = sum(bound->most.input_tokens, BOUND_TOOLS_TOKENS);
    take_tier(bound, &fields[6]);
    set_output(bound, 0);
    return ST_OK;
}

static enum status bound_responses(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field fields[] = {
        {.name = "max_output_tokens"}, {.name = "input"},        {.name = "tools"},
        {.name = "max_tool_calls"},    {.name = "service_tier"}, {.name = "previous_response_id"},
        {.name = "conversation"},      {.name = "prompt"}};
    struct bound_parts parts = {0};
    uint64_t rounds;
    TRY(json_scan_object(ask->body, fields, COUNT_OF(fields), NULL));
    TRY(most_tokens(ask, fields, 1, bound));
    TRY(most_tools(&fields[2], &fields[3], bound, &rounds));
    for (size_t i = 5; i < COUNT_OF(fields); i++)
        parts.opaque = parts.opaque || is_there(&fields[i]);
    bound_parts_of(fields[1].raw, fields[1].raw.p == NULL ? JSON_NULL : fields[1].type, &parts);
    TRY(most_input(ask, &parts, rounds, bound));
    if (is_there(&fields[2]))
        bound->most.input_tokens = sum(bound->most.input_tokens, BOUND_TOOLS_TOKENS);
    take_tier(bound, &fields[4]);
    set_output(bound, 0);
    return ST_OK;
}

/* An array of prompts makes choices for each. */
static uint64_t prompt_count(const struct json_field *prompt)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    uint64_t count = 0;
    if (!is_there(prompt) || prompt->type != JSON_ARRAY)
        return 1;
    while (json_scan_next(prompt->raw, &at, &name, &value, &type))
        count += type != JSON_NUMBER;
    return count > 0 ? count : 1;
}

static enum status bound_completions(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field fields[] = {
        {.name = "max_tokens"}, {.name = "n"}, {.name = "best_of"}, {.name = "prompt"}};
    TRY(json_scan_object(ask->body, fields, COUNT_OF(fields), NULL));
    TRY(most_tokens(ask, fields, 1, bound));
    TRY(most_choices(&fields[1], bound));
    TRY(most_choices(&fields[2], bound));
    bound->choices = times(bound->choices, prompt_count(&fields[3]));
    bound->most.input_tokens = sum(ask->body.n, BOUND_TEMPLATE_TOKENS);
    set_output(bound, 0);
    return ST_OK;
}

static enum status bound_text(const struct bound_ask *ask, struct bound *bound)
{
    bound->most.input_tokens = sum(ask->body.n, BOUND_TEMPLATE_TOKENS);
    return ST_OK;
}

static enum status made_images(struct bound *bound, uint64_t images)
{
    bound->most.other.n[PRICE_IMAGE] = images;
    bound->most.output_tokens = times(images, BOUND_MADE_IMAGE_TOKENS);
    bound->most.output_classes = PRICE_BIT(PRICE_IMAGE_OUTPUT_TOKEN);
    return ST_OK;
}

/* "auto" is the provider's choice. */
static struct str chosen(const struct json_field *field)
{
    struct str text = plain(field);
    return str_eq(text, STR("auto")) ? STR_NONE : text;
}

static enum status bound_images(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field fields[] = {{.name = "n"}, {.name = "quality"}, {.name = "size"}};
    TRY(json_scan_object(ask->body, fields, COUNT_OF(fields), NULL));
    TRY(most_choices(&fields[0], bound));
    bound->query.quality = chosen(&fields[1]);
    bound->query.size = chosen(&fields[2]);
    bound->most.input_tokens = sum(ask->body.n, BOUND_TEMPLATE_TOKENS);
    return made_images(bound, bound->choices);
}

/* A form's fields may follow the images, which are not kept: the most that the endpoint takes. */
static enum status bound_edits(const struct bound_ask *ask, struct bound *bound)
{
    uint64_t text = ask->body_bytes < 65536 ? ask->body_bytes : 65536;
    bound->most.input_tokens =
        BOUND_EDIT_IMAGES * BOUND_MADE_IMAGE_TOKENS + text + BOUND_TEMPLATE_TOKENS;
    bound->most.input_classes |= PRICE_BIT(PRICE_IMAGE_INPUT_TOKEN);
    return made_images(bound, BOUND_IMAGES_MAX);
}

/* Characters as code points, an escape as what it stands for. */
static uint64_t characters(struct str raw)
{
    uint64_t count = 0;
    for (size_t i = 1; i + 1 < raw.n; i++, count++) {
        if (raw.p[i] != '\\') {
            while (i + 1 < raw.n && ((unsigned char)raw.p[i + 1] & 0xC0) == 0x80)
                i++;
            continue;
        }
        i++;
        bool pair = raw.p[i] == 'u' && i + 10 < raw.n && (raw.p[i + 1] | 0x20) == 'd' &&
                    strchr("89abAB", raw.p[i + 2]) != NULL;
        i += raw.p[i] != 'u' ? 0 : pair ? 10 : 4;
    }
    return count;
}

static uint64_t spoken(const struct bound_ask *ask)
{
    struct json_field input = {.name = "input"};
    if (ask->body.n == 0 || json_scan_object(ask->body, &input, 1, NULL) != ST_OK ||
        !is_there(&input) || input.type != JSON_STRING)
        return 0;
    return characters(input.raw);
}

static enum status bound_speech(const struct bound_ask *ask, struct bound *bound)
{
    bound->most.other.n[PRICE_INPUT_CHARACTER] = spoken(ask);
    bound->most.input_tokens = sum(ask->body.n, BOUND_TEMPLATE_TOKENS);
    return ST_OK;
}

/* No codec that providers take packs more than a second of sound into a byte. */
static enum status bound_hearing(const struct bound_ask *ask, struct bound *bound)
{
    if (ask->body_bytes == BOUND_UNKNOWN)
        return unbounded(bound, "content-length", "Send the upload with a Content-Length.");
    bound->most.other.n[PRICE_AUDIO_INPUT_SECOND] = times(ask->body_bytes, 1000);
    bound->most.input_tokens =
        ask->context_tokens > 0 ? ask->context_tokens : times(ask->body_bytes, 10);
    bound->max_tokens = ask->max_output_tokens > 0 ? ask->max_output_tokens : ask->context_tokens;
    if (bound->max_tokens == 0)
        bound->max_tokens = bound->most.input_tokens;
    bound->most.input_classes |= PRICE_BIT(PRICE_AUDIO_INPUT_TOKEN);
    set_output(bound, 0);
    return ST_OK;
}

static enum status bound_rerank(const struct bound_ask *ask, struct bound *bound)
{
    struct json_field documents = {.name = "documents"};
    TRY(json_scan_object(ask->body, &documents, 1, NULL));
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    uint64_t pieces = 0;
    while (is_there(&documents) && documents.type == JSON_ARRAY &&
           json_scan_next(documents.raw, &at, &name, &value, &type))
        pieces = sum(pieces, 1 + value.n / BOUND_RERANK_BYTES);
    bound->most.other.n[PRICE_RERANK_SEARCH] = 1 + pieces / BOUND_RERANK_DOCS;
    bound->most.input_tokens = sum(times(ask->body.n, pieces > 0 ? 2 : 1), BOUND_TEMPLATE_TOKENS);
    return ST_OK;
}

/* --- the table --- */

#define bound_none NULL

const struct bound_row *bound_row(enum op op)
{
    static const struct bound_row rows[] = {
#define BOUND(OP, when, models, most)                                                              \
    [OP_##OP] = {BOUND_##when, BOUND_MODELS_##models, bound_##most},
#include "data-plane/bound.def"
#undef BOUND
    };
    _Static_assert(COUNT_OF(rows) == OP_COUNT, "a row for every operation");
    CHECK((size_t)op < COUNT_OF(rows));
    return &rows[op];
}

static struct bound bound_empty(void)
{
    return (struct bound){
        .choices = 1,
        .most = {.input_classes = PRICE_BOUND_INPUT, .output_classes = PRICE_BOUND_OUTPUT}};
}

enum status bound_most(const struct bound_ask *ask, struct bound *bound)
{
    const struct bound_row *row = bound_row(ask->op);
    *bound = bound_empty();
    if (row->when == BOUND_CLOSED && !GUARD_OFF("closed"))
        return unbounded(bound, op_row(ask->op)->text,
                         "What it costs is not known in advance; use it without a cost or token "
                         "limit.");
    return row->most == NULL ? ST_OK : row->most(ask, bound);
}

void bound_likely(const struct bound_ask *ask, uint64_t max_tokens, struct slot_usage *usage)
{
    const struct bound_row *row = bound_row(ask->op);
    *usage = (struct slot_usage){0};
    if (row->when == BOUND_FREE || row->when == BOUND_CLOSED)
        return;
    if (row->most == bound_hearing) {
        uint64_t bytes = ask->body_bytes == BOUND_UNKNOWN ? 0 : ask->body_bytes;
        usage->audio_ms = times(1 + bytes / LIKELY_BYTES_PER_SECOND, 1000);
    } else if (row->most == bound_speech) {
        usage->characters = spoken(ask);
    } else if (row->most == bound_images) {
        struct bound bound = bound_empty();
        if (row->most(ask, &bound) == ST_OK)
            usage->images = bound.most.other.n[PRICE_IMAGE];
    } else if (row->most == bound_edits) {
        usage->images = 1;
    } else if (row->most == bound_rerank) {
        usage->rerank_searches = 1;
    }
    if (ask->body.n > 0)
        usage->input_tokens = 1 + ask->body.n / LIKELY_BYTES_PER_TOKEN;
    if (row->most == bound_text || row->most == bound_rerank || row->when == BOUND_REQUEST)
        return;
    usage->output_tokens =
        max_tokens > 0 && max_tokens < LIKELY_OUTPUT_TOKENS ? max_tokens : LIKELY_OUTPUT_TOKENS;
}

void bound_usage(const struct price_bounds *most, struct price_usage *usage)
{
    *usage = most->other;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        if (PRICE_TOKEN_CLASSES & PRICE_BIT(i))
            usage->n[i] = 0;
    usage->n[PRICE_INPUT_TOKEN] = most->input_tokens;
    usage->n[PRICE_OUTPUT_TOKEN] = most->output_tokens;
}
