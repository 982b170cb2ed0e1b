/* cohere_core.c: see cohere_core.h. */
#include "tests/sim/cohere/cohere_core.h"

#include "tests/sim/vector.h"

#include <stdlib.h>

#define COHERE_INPUTS_MAX    96
#define COHERE_DOCUMENTS_MAX 10000
#define COHERE_SEARCH_UNIT   100 /* documents of one billed search */
#define COHERE_SCORE_DIGITS  6

void cohere_write_meta(struct json_writer *w, const char *unit, uint64_t count, const char *unit2,
                       uint64_t count2)
{
    jw_key(w, "meta");
    jw_object(w);
    jw_field_raw(w, "api_version", STR("{\"version\":\"2\"}"));
    jw_key(w, "billed_units");
    jw_object(w);
    if (unit != NULL)
        jw_field_u64(w, unit, count);
    if (unit2 != NULL)
        jw_field_u64(w, unit2, count2);
    jw_end(w);
    jw_end(w);
}

/* The list that is asked for; NULL: an error is the outcome. */
static const struct json *cohere_inputs(struct call *call)
{
    static const char *const names[] = {"texts", "images", "inputs"};
    const struct json *found = NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *list = json_get(call->root, names[i]);
        if (list == NULL)
            continue;
        if (found != NULL) {
            call_error(call, 400, NULL, NULL,
                       "invalid request: only one of texts, images and inputs may be given");
            return NULL;
        }
        found = list;
    }
    if (found == NULL || found->count == 0 || found->count > COHERE_INPUTS_MAX) {
        call_error(call, 400, NULL, NULL,
                   "invalid request: at least one and at most %d of texts, images or inputs are "
                   "required",
                   COHERE_INPUTS_MAX);
        return NULL;
    }
    return found;
}

/* Tokens and images of one input: a text, an image, or content parts. */
static void cohere_count_input(struct call *call, const struct json *input, bool image,
                               uint64_t *images)
{
    const struct json *content = json_get(input, "content");
    struct str text = STR("");
    if (input->type == JSON_STRING) {
        *images += image ? 1 : 0;
        if (!image && json_text(input, call->arena, &text) == ST_OK)
            call->usage.prompt += usage_tokens(text.n);
    }
    for (const struct json *part = content == NULL ? NULL : content->first; part != NULL;
         part = part->next) {
        text = call_text(call, part, "text");
        *images += text.p == NULL ? 1 : 0;
        call->usage.prompt += usage_tokens(text.n);
    }
}

static void cohere_write_type(struct json_writer *w, const struct json *inputs, struct str type,
                              uint32_t dimensions)
{
    jw_array(w);
    for (const struct json *input = inputs->first; input != NULL; input = input->next) {
        uint64_t hash = vector_hash(input->raw);
        if (str_eq(type, STR("float")))
            vector_write_floats(w, hash, dimensions);
        else if (str_eq(type, STR("int8")))
            vector_write_int8(w, hash, dimensions);
        else if (str_eq(type, STR("uint8")))
            vector_write_uint8(w, hash, dimensions);
        else if (str_eq(type, STR("binary")))
            vector_write_bits(w, hash, dimensions, -128);
        else if (str_eq(type, STR("ubinary")))
            vector_write_bits(w, hash, dimensions, 0);
        else
            vector_write_base64(w, hash, dimensions);
    }
    jw_end(w);
}

/* False: an error is the outcome. */
static bool cohere_check_types(struct call *call, const struct json *types)
{
    static const char *const known[] = {"float", "int8", "uint8", "binary", "ubinary", "base64"};
    for (const struct json *one = types == NULL ? NULL : types->first; one != NULL;
         one = one->next) {
        struct str text = STR("");
        bool found = false;
        if (json_text(one, call->arena, &text) != ST_OK)
            text = STR("");
        for (size_t i = 0; i < COUNT_OF(known); i++)
            found = found || str_eq(text, str_c(known[i]));
        if (!found) {
            call_error(call, 400, NULL, NULL,
                       "invalid embedding type, valid types are one of: float, int8, uint8, "
                       "binary, ubinary, base64");
            return false;
        }
    }
    return true;
}

static void cohere_write_vectors(struct call *call, struct json_writer *w,
                                 const struct json *inputs, uint32_t dimensions,
                                 enum cohere_shape shape)
{
    const struct json *types = json_get(call->root, "embedding_types");
    bool plain = shape == COHERE_SHAPE_BEDROCK && types == NULL;
    jw_field_str(w, "id", sim_make_id(call->arena, ""));
    jw_field_cstr(w, "response_type", plain ? "embeddings_floats" : "embeddings_by_type");
    jw_key(w, "embeddings");
    if (plain) {
        cohere_write_type(w, inputs, STR("float"), dimensions);
        return;
    }
    jw_object(w);
    if (types == NULL || types->count == 0) {
        jw_key(w, "float");
        cohere_write_type(w, inputs, STR("float"), dimensions);
    }
    for (const struct json *one = types == NULL ? NULL : types->first; one != NULL;
         one = one->next) {
        struct str type = STR("");
        if (json_text(one, call->arena, &type) != ST_OK)
            continue;
        jw_key_str(w, type);
        cohere_write_type(w, inputs, type, dimensions);
    }
    jw_end(w);
}

void cohere_write_embeddings(struct call *call, uint32_t dimensions, enum cohere_shape shape)
{
    const struct json *inputs = cohere_inputs(call), *texts = json_get(call->root, "texts");
    const struct json *wanted = json_get(call->root, "output_dimension");
    int64_t asked = dimensions;
    uint64_t images = 0;
    struct json_writer w;
    if (inputs == NULL || !cohere_check_types(call, json_get(call->root, "embedding_types")))
        return;
    if (wanted != NULL && (json_i64(wanted, &asked) != ST_OK || asked > (int64_t)dimensions ||
                           (asked != 256 && asked != 512 && asked != 1024 && asked != 1536))) {
        call_error(call, 400, NULL, NULL, "invalid output_dimension for this model");
        return;
    }
    for (const struct json *input = inputs->first; input != NULL; input = input->next)
        cohere_count_input(call, input, inputs == json_get(call->root, "images"), &images);
    jw_init(&w, call->out);
    jw_object(&w);
    cohere_write_vectors(call, &w, inputs, (uint32_t)asked, shape);
    jw_field_raw(&w, "texts", texts == NULL ? STR("[]") : texts->raw);
    if (shape == COHERE_SHAPE_OWN)
        cohere_write_meta(&w, "input_tokens", call->usage.prompt, images > 0 ? "images" : NULL,
                          images);
    jw_end(&w);
}

struct cohere_rank {
    int64_t score; /* in millionths */
    uint64_t index;
};

static int cohere_compare(const void *a, const void *b)
{
    const struct cohere_rank *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return left->index < right->index ? -1 : 1;
}

static int64_t cohere_score(struct str query, struct str document)
{
    int64_t words = 0, found = 0;
    struct str word;
    while (str_split(&query, ' ', &word)) {
        if (word.n == 0)
            continue;
        words++;
        for (size_t at = 0; at + word.n <= document.n; at++) {
            if (str_eq_nocase(str_of(document.p + at, word.n), word)) {
                found++;
                break;
            }
        }
    }
    return words == 0 ? 0 : found * 1000000 / words;
}

void cohere_write_rerank(struct call *call, enum cohere_shape shape)
{
    const struct json *documents = json_get(call->root, "documents");
    struct str query = call_text(call, call->root, "query");
    int64_t top = call_integer(call->root, "top_n", documents->count);
    struct json_writer w;
    if (query.n == 0 || documents->count == 0 || documents->count > COHERE_DOCUMENTS_MAX) {
        call_error(call, 400, NULL, NULL, "invalid request: query and documents are required");
        return;
    }
    struct cohere_rank *ranks = arena_calloc(call->arena, documents->count, sizeof *ranks);
    if (ranks == NULL) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    call->usage.prompt = usage_tokens(query.n);
    uint64_t count = 0;
    for (const struct json *one = documents->first; one != NULL; one = one->next, count++) {
        struct str text = STR("");
        if (one->type != JSON_STRING)
            text = call_text(call, one, "text");
        else if (json_text(one, call->arena, &text) != ST_OK)
            text = STR("");
        call->usage.prompt += usage_tokens(text.n);
        ranks[count] = (struct cohere_rank){.score = cohere_score(query, text), .index = count};
    }
    qsort(ranks, count, sizeof *ranks, cohere_compare);
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "results");
    jw_array(&w);
    for (uint64_t i = 0; i < count && (int64_t)i < top; i++) {
        jw_object(&w);
        jw_field_u64(&w, "index", ranks[i].index);
        jw_key(&w, "relevance_score");
        jw_decimal(&w, ranks[i].score, COHERE_SCORE_DIGITS);
        jw_end(&w);
    }
    jw_end(&w);
    if (shape == COHERE_SHAPE_OWN) {
        jw_field_str(&w, "id", sim_make_id(call->arena, ""));
        cohere_write_meta(&w, "search_units", (count + COHERE_SEARCH_UNIT - 1) / COHERE_SEARCH_UNIT,
                          NULL, 0);
    }
    jw_end(&w);
}
