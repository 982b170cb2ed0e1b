/* api_moderations.c: POST moderations: a text is flagged for violence when it holds the word
 * "sim:flag" or "kill".
 *
 * One result per input string; an array of parts (omni models) is one input. Scores are 0.98 or
 * 0.0001, nothing between.
 */
#include "tests/sim/api.h"

#define MODERATIONS_LOW_9   100000 /* in units of 10^-9 */
#define MODERATIONS_HIGH_9  980000000
#define MODERATIONS_FLAGGED "violence"

static const char *const moderations_categories[] = {
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
};

static void moderations_write_result(struct json_writer *w, struct str text)
{
    bool flagged = str_find(text, STR("sim:flag")) >= 0 || str_find(text, STR("kill")) >= 0;
    jw_object(w);
    jw_field_bool(w, "flagged", flagged);
    jw_key(w, "categories");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(moderations_categories); i++)
        jw_field_bool(w, moderations_categories[i],
                      flagged && strcmp(moderations_categories[i], MODERATIONS_FLAGGED) == 0);
    jw_end(w);
    jw_key(w, "category_scores");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(moderations_categories); i++) {
        bool high = flagged && strcmp(moderations_categories[i], MODERATIONS_FLAGGED) == 0;
        jw_key(w, moderations_categories[i]);
        jw_decimal(w, high ? MODERATIONS_HIGH_9 : MODERATIONS_LOW_9, 9);
    }
    jw_end(w);
    jw_key(w, "category_applied_input_types");
    jw_object(w);
    for (size_t i = 0; i < COUNT_OF(moderations_categories); i++)
        jw_field_raw(w, moderations_categories[i], STR("[\"text\"]"));
    jw_end(w);
    jw_end(w);
}

static void moderations_write_results(struct call *call, struct json_writer *w,
                                      const struct json *input)
{
    struct str text = STR("");
    bool parts = input->type == JSON_ARRAY && input->count > 0 && input->first->type == JSON_OBJECT;
    jw_array(w);
    if (input->type == JSON_STRING) {
        if (json_text(input, call->arena, &text) == ST_OK)
            moderations_write_result(w, text);
    } else if (parts) {
        moderations_write_result(w, input->raw);
    } else {
        for (const struct json *one = input->first; one != NULL; one = one->next) {
            if (json_text(one, call->arena, &text) == ST_OK)
                moderations_write_result(w, text);
        }
    }
    jw_end(w);
}

void api_moderations_create(struct call *call)
{
    const struct json *input = json_get(call->root, "input");
    struct json_writer w;
    struct str model = call_text(call, call->root, "model");
    if (!call_model_named(call, model.p == NULL ? STR("omni-moderation-latest") : model))
        return;
    if (!json_is(input, JSON_STRING) && !json_is(input, JSON_ARRAY)) {
        call_error(call, 400, NULL, "input", "Missing required parameter: 'input'.");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "id");
    jw_str(&w, sim_make_id(call->arena, "modr-"));
    jw_field_str(&w, "model", call->model);
    jw_key(&w, "results");
    moderations_write_results(call, &w, input);
    jw_end(&w);
}
