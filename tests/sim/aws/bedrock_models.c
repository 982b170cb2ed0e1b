/* bedrock_models.c: which model a name in a path means (bedrock.h), and the control plane's lists.
 *
 * Names match exactly once region and ARN are taken off; every application inference profile stands
 * for one Claude, because its name tells nothing: who needs the family has to ask GET
 * /inference-profiles.
 */
#include "tests/sim/aws/bedrock.h"

#include <stdio.h>

#define MODELS_PROFILE_OF "anthropic.claude-sonnet-4-5-20250929-v1:0"

#define TOOLS  BEDROCK_TOOLS
#define MEDIA  BEDROCK_MEDIA
#define SYSTEM BEDROCK_SYSTEM
#define CACHE  BEDROCK_CACHE
#define FORMAT BEDROCK_FORMAT
#define THINKS BEDROCK_THINKS
#define BEDROCK(id, provider, name, kind, traits)                                                  \
    {id, provider, name, BEDROCK_##kind, traits, NULL},

static const struct bedrock_model models_known[] = {
#include "tests/sim/aws/bedrock.def"
};

static struct bedrock_model models_of_claude(const struct claude *claude)
{
    return (struct bedrock_model){.id = claude->name,
                                  .provider = "Anthropic",
                                  .name = claude->display,
                                  .kind = BEDROCK_CLAUDE,
                                  .traits = TOOLS | MEDIA | SYSTEM | CACHE | FORMAT | THINKS,
                                  .claude = claude};
}

bool bedrock_at(size_t i, struct arena *arena, struct bedrock_model *model, struct str *id)
{
    if (i < COUNT_OF(models_known)) {
        *model = models_known[i];
        *id = str_c(model->id);
        return true;
    }
    const struct claude *claude = claude_at(i - COUNT_OF(models_known));
    if (claude == NULL)
        return false;
    *model = models_of_claude(claude);
    char last = claude->name[strlen(claude->name) - 1],
         before = claude->name[strlen(claude->name) - 2];
    bool dated = last >= '0' && last <= '9' && before >= '0' && before <= '9';
    *id = arena_printf(arena, "anthropic.%s-v1%s", claude->name, dated ? ":0" : "");
    return true;
}

/* Without "-v1" or "-v1:0". */
static struct str models_without_version(struct str name)
{
    size_t at = name.n, digits = 0;
    for (int part = 0; part < 2; part++) {
        digits = 0;
        while (at > 0 && name.p[at - 1] >= '0' && name.p[at - 1] <= '9') {
            at--;
            digits++;
        }
        if (part == 0 && digits > 0 && at > 0 && name.p[at - 1] == ':')
            at--;
        else
            break;
    }
    if (digits > 0 && at > 2 && name.p[at - 1] == 'v' && name.p[at - 2] == '-')
        return str_head(name, at - 2);
    return name;
}

static struct str models_without_region(struct str name)
{
    static const char *const regions[] = {"us.", "eu.",     "apac.",   "au.", "ca.",
                                          "jp.", "global.", "us-gov.", "in."};
    for (size_t i = 0; i < COUNT_OF(regions); i++) {
        if (str_starts(name, str_c(regions[i])))
            return str_from(name, strlen(regions[i]));
    }
    return name;
}

/* The id behind an ARN; p = NULL: it is no ARN of a model. */
static struct str models_of_arn(struct str name)
{
    static const char *const kinds[] = {":foundation-model/", ":inference-profile/"};
    if (!str_starts(name, STR("arn:aws")) || str_find(name, STR(":bedrock:")) < 0)
        return STR_NONE;
    if (str_find(name, STR(":application-inference-profile/")) >= 0)
        return STR(MODELS_PROFILE_OF);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        ptrdiff_t at = str_find(name, str_c(kinds[i]));
        if (at >= 0)
            return str_from(name, (size_t)at + strlen(kinds[i]));
    }
    return STR_NONE;
}

enum status bedrock_find(const struct options *options, struct str name,
                         struct bedrock_model *model)
{
    struct str prefix = STR("anthropic.");
    for (size_t i = 0; i < options->models.count; i++) {
        if (str_eq(name, str_c(options->models.item[i]))) {
            *model = models_of_claude(claude_find(options, name));
            return ST_OK;
        }
    }
    if (str_starts(name, STR("arn:")))
        name = models_of_arn(name);
    name = models_without_region(name);
    for (size_t i = 0; i < COUNT_OF(models_known); i++) {
        if (str_eq(name, str_c(models_known[i].id))) {
            *model = models_known[i];
            return ST_OK;
        }
    }
    const struct claude *claude =
        str_starts(name, prefix)
            ? claude_find(options, models_without_version(str_from(name, prefix.n)))
            : NULL;
    if (claude == NULL || claude->name[0] == '\0')
        return ST_MODEL_NOT_FOUND;
    *model = models_of_claude(claude);
    return ST_OK;
}

bool bedrock_open(struct call *call, struct bedrock_model *model)
{
    call->model = arena_str(call->keep, call->id);
    if (bedrock_find(&call->sim->options, call->id, model) != ST_OK) {
        call_error(call, 400, NULL, NULL, "The provided model identifier is invalid.");
        return false;
    }
    if (call->root != NULL)
        return true;
    call_error(call, 400, NULL, NULL, "The request body is not valid JSON.");
    return false;
}

static void models_write(struct json_writer *w, const struct bedrock_model *model, struct str id)
{
    bool image = model->kind == BEDROCK_STABLE_IMAGE || model->kind == BEDROCK_STABLE_XL ||
                 model->kind == BEDROCK_CANVAS;
    bool embeds = model->kind >= BEDROCK_TITAN_EMBED_1 && model->kind <= BEDROCK_COHERE_EMBED;
    char arn[256];
    (void)snprintf(arn, sizeof arn, "arn:aws:bedrock:us-east-1::foundation-model/" STR_FMT,
                   STR_ARG(id));
    jw_object(w);
    jw_field_cstr(w, "modelArn", arn);
    jw_field_str(w, "modelId", id);
    jw_field_cstr(w, "modelName", model->name);
    jw_field_cstr(w, "providerName", model->provider);
    jw_field_raw(w, "inputModalities",
                 (model->traits & MEDIA) != 0 ? STR("[\"TEXT\",\"IMAGE\"]") : STR("[\"TEXT\"]"));
    jw_field_raw(w, "outputModalities",
                 image    ? STR("[\"IMAGE\"]")
                 : embeds ? STR("[\"EMBEDDING\"]")
                          : STR("[\"TEXT\"]"));
    jw_field_bool(w, "responseStreamingSupported", model->kind <= BEDROCK_COMMAND);
    jw_field_raw(w, "customizationsSupported", STR("[]"));
    jw_field_raw(w, "inferenceTypesSupported", STR("[\"ON_DEMAND\",\"INFERENCE_PROFILE\"]"));
    jw_field_raw(w, "modelLifecycle", STR("{\"status\":\"ACTIVE\"}"));
    jw_end(w);
}

void bedrock_models_list(struct call *call)
{
    struct str provider = call_query(call, "byProvider"), id;
    struct bedrock_model model;
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "modelSummaries");
    jw_array(&w);
    for (size_t i = 0; bedrock_at(i, call->arena, &model, &id); i++) {
        if (provider.p == NULL || str_eq_nocase(provider, str_c(model.provider)))
            models_write(&w, &model, id);
    }
    jw_end(&w);
    jw_end(&w);
}

void bedrock_models_get(struct call *call)
{
    struct bedrock_model model;
    struct json_writer w;
    if (bedrock_find(&call->sim->options, call->id, &model) != ST_OK) {
        call_error(call, 404, NULL, NULL, "The model " STR_FMT " does not exist.",
                   STR_ARG(str_head(call->id, 200)));
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "modelDetails");
    models_write(&w, &model, call->id);
    jw_end(&w);
}

static void profiles_write(struct json_writer *w, struct str id, struct str model, bool application)
{
    char arn[512];
    jw_object(w);
    jw_field_str(w, "inferenceProfileName", id);
    jw_field_str(w, "inferenceProfileId", id);
    (void)snprintf(arn, sizeof arn,
                   "arn:aws:bedrock:us-east-1:000000000000:%sinference-profile/" STR_FMT,
                   application ? "application-" : "", STR_ARG(id));
    jw_field_cstr(w, "inferenceProfileArn", arn);
    jw_field_cstr(w, "status", "ACTIVE");
    jw_field_cstr(w, "type", application ? "APPLICATION" : "SYSTEM_DEFINED");
    jw_key(w, "models");
    jw_array(w);
    jw_object(w);
    (void)snprintf(arn, sizeof arn, "arn:aws:bedrock:us-east-1::foundation-model/" STR_FMT,
                   STR_ARG(model));
    jw_field_cstr(w, "modelArn", arn);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

void bedrock_profiles_list(struct call *call)
{
    struct bedrock_model model;
    struct json_writer w;
    struct str id;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_key(&w, "inferenceProfileSummaries");
    jw_array(&w);
    for (size_t i = 0; bedrock_at(i, call->arena, &model, &id); i++) {
        if (model.kind == BEDROCK_CLAUDE)
            profiles_write(&w, arena_printf(call->arena, "us." STR_FMT, STR_ARG(id)), id, false);
    }
    jw_end(&w);
    jw_end(&w);
}

/* By id or by ARN; an application's profile tells its model only here. */
void bedrock_profiles_get(struct call *call)
{
    struct bedrock_model model;
    struct json_writer w;
    struct str id = call->id, piece;
    bool application = str_find(id, STR(":application-inference-profile/")) >= 0;
    if (bedrock_find(&call->sim->options, id, &model) != ST_OK) {
        call_error(call, 404, NULL, NULL, "The specified inference profile does not exist.");
        return;
    }
    while (str_split(&id, '/', &piece))
        ;
    jw_init(&w, call->out);
    profiles_write(&w, piece, application ? STR(MODELS_PROFILE_OF) : models_without_region(piece),
                   application);
}
